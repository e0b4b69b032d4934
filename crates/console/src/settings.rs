//! Every setting, its default, and the errors of invalid values.
//!
//! A [`Settings`] value is always valid: each source (file, environment, flag, window) goes through
//! [`Settings::layer`]. Every field may be left out; null and an empty text mean the default. No
//! secret is a setting.

mod check;
mod declaration;
mod declared;
pub(crate) mod environment;
mod form;
mod generated;
#[cfg(test)]
mod one_place;
pub(crate) mod recover;
mod shape;
mod source;
mod system_user;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use serve::TrustedProxies;
use ts_rs::TS;
use url::Url;

pub use self::{
    check::is_hosted,
    declared::Settings,
    environment::{PREFIX, from_environment, from_text},
    source::{Damage, Loaded, SettingsSource},
};
pub(crate) use self::{
    declaration::{Declaration, InForce, name_of},
    declared::declarations,
    form::{Field, FieldGroup, FieldOption},
    generated::{typescript, with_docs_table},
    recover::LARGEST,
    shape::as_file,
    source::replace,
};
use crate::parameters::MailWhen;

/// The version of the settings' shape that this program writes.
pub const VERSION: u32 = 1;
/// The settings' file in the data folder, unless another is named.
pub const SETTINGS_FILE: &str = "settings.toml";
/// The terms of the hosted service's owner, shown before consent.
pub const LICENCE_TERMS: &str = "The hosted service at loginwith.me is free for personal and internal business use. \
     A product that is distributed and uses it needs an agreement with its vendor. \
     Deskhand records who accepted this, and when.";

/// The window's looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Theme {
    /// The system's theme.
    #[default]
    System,
    /// Light on dark.
    Dark,
    /// Dark on light.
    Light,
}

/// What separates the columns of the CSV files that the window saves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum CsvSeparator {
    /// A semicolon where the language writes decimal numbers with a comma, else a comma.
    #[default]
    Language,
    /// A comma.
    Comma,
    /// A semicolon.
    Semicolon,
    /// A tab.
    Tab,
}

/// An e-mail that is ordered for every new session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct MailRule {
    /// The address.
    pub to: String,
    /// To the customer, else to a colleague.
    #[serde(default)]
    pub to_customer: bool,
    /// When it goes out: `next_event` or `every_event`.
    #[serde(default = "next_event")]
    pub when: MailWhen,
}

const fn next_event() -> MailWhen {
    MailWhen::NextEvent
}

/// An invalid setting: its name, what is wrong with it, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("set {field}: {problem}; {remedy}")]
pub struct SettingsError {
    /// The field's name.
    pub field: String,
    /// What is wrong.
    pub problem: String,
    /// What to do.
    pub remedy: String,
}

impl Settings {
    /// These settings with the fields of `over` laid on top.
    ///
    /// # Errors
    /// The first invalid field; these settings stay unchanged.
    pub fn layer(&self, over: &Map<String, Value>) -> Result<Self, SettingsError> {
        let mut all = self.to_map();
        for (field, value) in over {
            check::field(field, value)?;
            if is_unset(value) {
                match Self::default().to_map().remove(field) {
                    Some(default) => all.insert(field.clone(), default),
                    None => all.remove(field),
                };
            } else {
                all.insert(field.clone(), value.clone());
            }
        }
        let settings: Self = serde_json::from_value(Value::Object(all)).map_err(|error| {
            check::error("settings", &error.to_string(), "correct the settings")
        })?;
        check::together(&settings)?;
        Ok(settings)
    }

    /// Checks that every field of `map` exists and has the right type, whatever the others are.
    ///
    /// # Errors
    /// The first field that doesn't.
    pub fn check_fields(map: &Map<String, Value>) -> Result<(), SettingsError> {
        map.iter().try_for_each(|(field, value)| check::field(field, value))
    }

    /// Field by field, with the defaults filled in.
    pub fn to_map(&self) -> Map<String, Value> {
        match serde_json::to_value(self) {
            Ok(Value::Object(map)) => map,
            Ok(_) | Err(_) => Map::new(),
        }
    }

    /// How often every hook is put again, in seconds.
    pub fn heartbeat(&self) -> u32 {
        self.heartbeat_s.unwrap_or(if self.base_url.is_some() { 120 } else { 30 })
    }

    /// The proxies that are believed before the webhook listener.
    pub fn listener_proxies(&self) -> TrustedProxies {
        proxies(&self.listener_trusted_proxies)
    }

    /// How many connections the broker that comes along takes, if that is set.
    pub fn broker_connections(&self) -> Option<usize> {
        self.broker_connections.and_then(|number| number.try_into().ok())
    }

    /// The proxies that are believed where customers on this network join.
    pub fn lan_proxies(&self) -> TrustedProxies {
        proxies(&self.lan_trusted_proxies)
    }

    /// Whether a change of the setting called `name` must not happen unseen.
    pub(crate) fn is_guard(name: &str) -> bool {
        declarations().iter().any(|known| known.name == name && known.strictest.is_some())
    }

    /// When a change from `before` to these settings takes effect.
    pub(crate) fn in_force(&self, before: &Self) -> InForce {
        // Only the pace of the heartbeat matters, not whether it was set or is the default.
        let paced = |s: &Self| Self { heartbeat_s: Some(s.heartbeat()), ..s.clone() }.to_map();
        let (before, after) = (paced(before), paced(self));
        let changed = declarations().iter().filter(|s| before.get(s.name) != after.get(s.name));
        changed.map(|setting| setting.in_force).max().unwrap_or(InForce::AtOnce)
    }

    /// The service's address and its regions', where one is configured.
    pub fn service(&self) -> Option<(String, String)> {
        let base_url = self.base_url.clone()?;
        let regions = self.region_url_template.clone().unwrap_or_else(|| {
            if is_hosted(&base_url) {
                engine::remote::loginwithme::HOSTED_REGION_URL.to_owned()
            } else {
                // The path of our own broker, wherever it runs.
                format!("{}/region/{{region}}", origin(&base_url))
            }
        });
        Some((base_url, regions))
    }
}

/// Null and the empty text stand for "not set".
pub(crate) fn is_unset(value: &Value) -> bool {
    value.is_null() || value.as_str().is_some_and(|text| text.trim().is_empty())
}

/// Scheme, host and port of a URL; empty if it isn't one.
pub(crate) fn origin(url: &str) -> String {
    Url::parse(url).map(|url| url.origin().ascii_serialization()).unwrap_or_default()
}

fn proxies(listed: &[String]) -> TrustedProxies {
    // They were checked when they were set.
    TrustedProxies::new(listed.iter().filter_map(|proxy| proxy.parse().ok()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(text: &str) -> Result<Settings, SettingsError> {
        Settings::default().layer(&serde_json::from_str(text).unwrap())
    }

    #[test]
    fn an_empty_value_is_the_default() {
        let set = with(r#"{"heartbeat_s": 60, "base_url": "http://10.0.0.1/api/v1"}"#).unwrap();
        assert_eq!(
            (set.heartbeat(), set.service().unwrap().1.as_str()),
            (60, "http://10.0.0.1/region/{region}")
        );
        let unset = serde_json::from_str(r#"{"heartbeat_s": null, "base_url": " "}"#).unwrap();
        assert_eq!(set.layer(&unset).unwrap(), Settings::default());
    }

    #[test]
    fn a_hosted_service_is_asked_less_often_and_needs_consent() {
        let hosted = r#"{"base_url": "https://www.loginwith.me/api/v1"}"#;
        let error = with(hosted).unwrap_err();
        assert!(error.remedy.contains("licence_consent"), "{error}");
        let hosted = r#"{"base_url": "https://www.loginwith.me/api/v1", "licence_consent": true}"#;
        let set = with(hosted).unwrap();
        assert_eq!(set.heartbeat(), 120);
        assert_eq!(set.service().unwrap().1, "https://{region}.loginwith.me");
        assert!(is_hosted("https://LOGINWITH.me./x") && !is_hosted("https://notloginwith.me/x"));
    }

    #[test]
    fn an_error_names_the_field_the_problem_and_the_remedy() {
        let wrong = [
            (r#"{"probe_rounds": 0}"#, "probe_rounds"),
            (r#"{"heartbeat_s": "often"}"#, "heartbeat_s"),
            (r#"{"listen": "localhost"}"#, "listen"),
            (r#"{"join_url_template": "https://a.example/"}"#, "join_url_template"),
            (
                r#"{"region_url_template": "https://a/", "base_url": "https://a/"}"#,
                "region_url_template",
            ),
            (r#"{"base_url": "https://u:p@a.example/"}"#, "base_url"),
            (r#"{"tls_cert": "/c.pem"}"#, "tls_key"),
            (r#"{"mail_rules": [{"to": "x"}]}"#, "mail_rules"),
            (r#"{"mail_rules": [{"to": "a@b.c", "when": "now"}]}"#, "mail_rules"),
            (r#"{"technician": "a\u202Eb"}"#, "technician"),
            (r#"{"lan_url": "javascript:x"}"#, "lan_url"),
            (r#"{"lan_trusted_proxies": ["10.0.0.0/99"]}"#, "lan_trusted_proxies"),
            (r#"{"lan_trusted_proxies": ["proxy.example"]}"#, "lan_trusted_proxies"),
            (r#"{"viewer_origins": "https://a.example"}"#, "viewer_origins"),
            (r#"{"viewer_origins": ["http://a.example"]}"#, "viewer_origins"),
            (r#"{"viewer_origins": ["https://a.example/path"]}"#, "viewer_origins"),
            (r#"{"viewer_origins": ["https://u:p@a.example"]}"#, "viewer_origins"),
            (r#"{"viewer_origins": ["data:text/html,x"]}"#, "viewer_origins"),
            (r#"{"lock_after_min": 481}"#, "lock_after_min"),
            (r#"{"verify_gate": "perhaps"}"#, "verify_gate"),
            (r#"{"verify_wait_s": 5}"#, "verify_wait_s"),
            (r#"{"logintc_domain": "x"}"#, "logintc_domain"),
            (r#"{"logintc_url": "http://logintc.example/api"}"#, "logintc_url"),
            (r#"{"passwordless_key": "app:secret:1"}"#, "passwordless_key"),
            (r#"{"rocketchat_user": "../x"}"#, "rocketchat_user"),
            (r#"{"colour": 1}"#, "colour"),
        ];
        for (text, field) in wrong {
            let error = with(text).unwrap_err();
            assert_eq!(error.field, field, "{text}");
            assert!(!error.problem.is_empty() && !error.remedy.is_empty(), "{text}");
        }
    }

    #[test]
    fn a_viewer_may_be_let_to_other_origins_if_they_are_secure_or_on_this_computer() {
        let set = with(r#"{"viewer_origins": ["https://a.example", "http://127.0.0.1:8080/"]}"#);
        let origins = set.unwrap().viewer_origins;
        assert_eq!(origins.len(), 2);
        assert_eq!(origins[0].as_str(), "https://a.example/");
    }

    #[test]
    fn every_field_has_a_remedy() {
        let map = Settings::default().to_map();
        assert_eq!(map.len(), declarations().len());
        let remedy = |field: &String| declarations().iter().find(|known| known.name == *field);
        assert!(map.keys().all(|field| !remedy(field).unwrap().remedy.is_empty()));
    }
}
