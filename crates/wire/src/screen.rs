//! What presenter, viewers and broker say to each other about a shared screen (docs/broker.md, "The screen").
//!
//! A session has one presenter and many viewers. Everybody keeps a *live connection* (presence, chat,
//! who watches); each viewer's picture travels in a *stream* of its own: a second WebSocket of the
//! viewer, spliced by the broker to a second WebSocket of the presenter, binary messages only.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

/// What a viewer may do. The broker issues it, the presenter enforces it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// See the screen.
    Watch,
    /// See it, type, point, and exchange the clipboard.
    Control,
}

/// What there is to see of the presenter's screen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sharing {
    /// No program that shares a screen is there.
    #[default]
    None,
    /// The screen is shared.
    Shared,
    /// It is shared; the customer has paused control.
    Paused,
}

/// One viewer, as everybody in the session may know it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watcher {
    /// The viewer's page (its public half: not a credential).
    pub page: String,
    /// The name that it gave itself; may be empty.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// It has a stream, so it sees the screen now.
    pub watching: bool,
    /// Its stream is end-to-end encrypted; false also while there is none.
    pub sealed: bool,
    /// Round trip to the presenter, as the viewer measured it last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<u32>,
    /// Pictures a second that reached it lately.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fps: Option<u16>,
}

/// The first message of the presenter's program says this beside the hello of any page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Program {
    /// Its version.
    pub version: String,
    /// Such as `linux-x86_64`.
    pub platform: String,
    /// The conf that it was started with: proof that it is this session's own program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conf: Option<Secret>,
}

/// The first message on `{origin}/screen`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum StreamHello {
    /// A viewer asks for a stream; `key` came with the welcome of its live connection.
    Watch {
        /// Which viewer.
        key: Secret,
        /// It will speak the end-to-end handshake (crate `seal`) before anything else.
        #[serde(default)]
        sealed: bool,
    },
    /// The presenter dials for the viewer that [`ToPresenter::Viewer`] told it of.
    Present {
        /// Which stream.
        stream: Secret,
    },
}

/// What the broker answers on `{origin}/screen` before the binary messages begin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum StreamAnswer {
    /// Both ends are there; from here on every message is the other end's.
    Joined {
        /// What this viewer may do.
        role: Role,
    },
    /// There will be no stream. `code`: `no_presenter`, `unknown`, `too_many`, `timeout`, `pin_over`.
    Refused {
        /// For programs.
        code: String,
        /// For people.
        error: String,
    },
}

/// What the presenter's program is told on its live connection, beside what every page is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ToPresenter {
    /// A viewer waits for its stream: dial `{origin}/screen` and say [`StreamHello::Present`].
    Viewer {
        /// The stream's secret.
        stream: Secret,
        /// The viewer's page, as in [`Watcher::page`].
        page: String,
        /// Its name; may be empty.
        name: String,
        /// What it may do.
        role: Role,
        /// It will speak the end-to-end handshake first.
        sealed: bool,
    },
}

/// Who asks for the screen, as the customer is told. All of it may be empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asker {
    /// The technician's name.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub technician: String,
    /// The company that the technician works for.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub company: String,
}

impl Asker {
    /// Whether nothing is known.
    pub fn is_unknown(&self) -> bool {
        self.technician.is_empty() && self.company.is_empty()
    }
}

/// A credential inside a message. It is written out there and nowhere else.
#[derive(Clone, Deserialize)]
#[serde(from = "String")]
pub struct Secret(SecretString);

impl Secret {
    /// The text itself, for the message and for comparing.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl Serialize for Secret {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.expose())
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.expose() == other.expose()
    }
}

impl Eq for Secret {}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_what_the_pages_expect() {
        let hello: StreamHello = serde_json::from_str(r#"{"type":"watch","key":"k"}"#).unwrap();
        assert_eq!(hello, StreamHello::Watch { key: Secret::from("k".to_owned()), sealed: false });
        let joined = serde_json::to_string(&StreamAnswer::Joined { role: Role::Watch }).unwrap();
        assert_eq!(joined, r#"{"type":"joined","role":"watch"}"#);
    }

    #[test]
    fn a_credential_shows_in_no_debug() {
        let hello = StreamHello::Present { stream: Secret::from("geheim".to_owned()) };
        assert!(!format!("{hello:?}").contains("geheim"));
    }
}
