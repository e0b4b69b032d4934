//! How the window's settings show a setting: the UI gets these as generated TypeScript.

use serde::Serialize;
use ts_rs::TS;

/// One line of the settings.
#[derive(Debug, Serialize, TS)]
#[ts(rename = "SettingField")]
pub struct Field {
    pub key: &'static str,
    pub label: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub hint: Option<&'static str>,
    #[serde(flatten)]
    pub kind: FieldKind,
}

/// The control with which a setting is entered.
#[derive(Debug, Serialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum FieldKind {
    Text {
        #[serde(skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        placeholder: Option<&'static str>,
        /// Addresses, paths and ids: where every character counts.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        mono: Option<bool>,
    },
    Number {
        unit: &'static str,
        min: u32,
        max: u32,
    },
    Switch,
    /// One text per line.
    List {
        #[serde(skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        placeholder: Option<&'static str>,
    },
    Choice {
        options: Vec<FieldOption>,
    },
    MailRules,
}

/// One of the values that a setting may have.
#[derive(Debug, Serialize, TS)]
#[ts(rename = "SettingOption")]
pub struct FieldOption {
    pub value: &'static str,
    pub label: &'static str,
    pub hint: &'static str,
}

/// The settings that stand together; the UI has their title and their place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(rename = "SettingGroup")]
pub enum FieldGroup {
    You,
    Service,
    Lan,
    Listener,
    Timing,
    Mail,
    /// How long what is recorded is kept.
    Records,
    Access,
    Gate,
    /// The company's name, as customers are shown it.
    Company,
    Passwordless,
    Logintc,
    Rocketchat,
}

/// A name or another short text.
pub(super) const fn text(placeholder: &'static str) -> FieldKind {
    FieldKind::Text { placeholder: Some(placeholder), mono: None }
}

/// An address, a path or an id.
pub(super) const fn code(placeholder: &'static str) -> FieldKind {
    FieldKind::Text { placeholder: Some(placeholder), mono: Some(true) }
}
