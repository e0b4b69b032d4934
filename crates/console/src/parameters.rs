//! The values that several commands, settings or exports take as parameters.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// A secret on its way in: it can't be printed or sent back.
#[derive(Clone)]
pub struct Secret(pub secrecy::SecretString);

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // By hand: what serde says of a number repeats it, and six digits may be a code.
        match serde_json::Value::deserialize(deserializer)? {
            serde_json::Value::String(text) => Ok(text.into()),
            _ => Err(serde::de::Error::custom("a secret must be given as a text, in quotes")),
        }
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

/// A second factor.
#[derive(Clone, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct SecondFactor {
    /// The code.
    #[ts(as = "String")]
    pub code: Secret,
    /// `totp`, `email` or `password`; none for what the workspace asked for.
    #[serde(default)]
    #[ts(optional)]
    pub method: Option<String>,
}

/// Who and what a session is about.
#[derive(Debug, Clone, Default, Serialize, Deserialize, TS)]
#[serde(default, deny_unknown_fields)]
pub struct About {
    /// The customer's name.
    pub customer: String,
    /// The ticket's number.
    pub ticket: String,
    /// How to reach the customer.
    pub contact: String,
}

/// When an e-mail goes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum MailWhen {
    /// At once.
    Now,
    /// When what it claims has become true, once.
    NextEvent,
    /// Whenever it becomes true.
    EveryEvent,
}

/// How a session came out.
#[derive(Debug, Clone, Copy, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It is done.
    Resolved,
    /// It isn't.
    Unresolved,
    /// Not said.
    Unknown,
}

/// What a transcript is exported as.
#[derive(Debug, Clone, Copy, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// Plain text.
    Text,
    /// JSON.
    Json,
    /// A table, safe for spreadsheets.
    Csv,
}

/// What separates the columns of a CSV file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Separator {
    /// As RFC 4180 has it.
    #[default]
    Comma,
    /// As Excel expects it where a comma stands in decimal numbers.
    Semicolon,
    /// A tab.
    Tab,
}

impl Separator {
    pub(crate) const fn as_char(self) -> char {
        match self {
            Self::Comma => ',',
            Self::Semicolon => ';',
            Self::Tab => '\t',
        }
    }
}
