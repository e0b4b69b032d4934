//! Every setting, its default, and what is said of a value that can't be.
//!
//! A [`Settings`] that exists is valid: each way to one (file, environment, flag, window) goes through
//! [`Settings::layer`]. Every field may be left out; null and an empty text mean the default. No secret
//! is a setting.

mod check;
mod environment;
mod source;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use url::Url;

pub(crate) use self::source::replace;
pub use self::{
    check::is_hosted,
    environment::{PREFIX, from_environment, from_text},
    source::{Keep, Loaded, SettingsSource},
};
use crate::{parameters::MailWhen, view::GatePolicy};

/// The version of the settings' shape that this program writes.
pub const VERSION: u32 = 1;
/// What the hosted service's owner asks for, shown before consent.
pub const LICENCE_TERMS: &str = "The hosted service at loginwith.me is free for personal and internal business use. \
     A product that is distributed and uses it needs an agreement with its vendor. \
     Deskhand records who accepted this, and when.";

/// All settings, valid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The shape's version.
    pub version: u32,
    /// Who is at this console, as mails name them. Default: the OS user's full name, or login.
    pub technician: String,
    /// The window's looks. Default: as the system has it.
    pub theme: Theme,
    /// The remote-support service's API, such as `https://help.example.org/api/v1`. Default: the
    /// broker that comes along, in this process.
    pub base_url: Option<String>,
    /// Where a region is timed; `{region}` stands for its name. Default: the service's own.
    pub region_url_template: Option<String>,
    /// The customer's link; `{pin}` stands for the PIN. Default: our own brokers' join page; none
    /// for the hosted service, which tells no such link.
    pub join_url_template: Option<String>,
    /// The hosted service's licence terms were accepted ([`LICENCE_TERMS`]). Default: false.
    pub licence_consent: bool,
    /// When they were; written by the console.
    pub licence_consent_at: Option<String>,
    /// By whom; written by the console.
    pub licence_consent_by: Option<String>,
    /// Where webhooks are listened for: address and port. Port 0 takes the one of last time, or any.
    /// Default: `127.0.0.1:0`.
    pub listen: std::net::SocketAddr,
    /// The URL under which the service reaches the listener. Default: its own address.
    pub public_url: Option<Url>,
    /// Samples a region, 1 to 10. Default: 3.
    pub probe_rounds: u32,
    /// How often every hook is put again, in seconds, 5 to 3600. Default: 30 on the broker that comes
    /// along, 120 elsewhere.
    pub heartbeat_s: Option<u32>,
    /// E-mails that are ordered for every new session. Default: none.
    pub mail_rules: Vec<MailRule>,
    /// Let customers on this network join at the broker that comes along. Default: false.
    pub lan: bool,
    /// Where it listens then. Default: `0.0.0.0:0`, all addresses and the port of last time.
    pub lan_listen: std::net::SocketAddr,
    /// The address that customers use then. Default: this computer's own on its network.
    pub lan_url: Option<Url>,
    /// The TLS certificate (PEM, with its chain) that it shows then. Default: none, plain http.
    pub tls_cert: Option<std::path::PathBuf>,
    /// The certificate's key (PEM). Default: none.
    pub tls_key: Option<std::path::PathBuf>,
    /// Origins that a viewer's page may load beside its own, such as `https://files.example.org`.
    /// Default: none.
    pub viewer_origins: Vec<Url>,
    /// The company, as customers are told: on their phone, and before they share their screen. Default: none.
    pub company: String,
    /// Somebody must be signed in with a passkey. Default: false.
    pub require_sign_in: bool,
    /// "Not now" was chosen at the first start. Default: false.
    pub sign_in_skipped: bool,
    /// Lock after so many minutes without a key or a click, 0 to 480; 0 for never. Only where somebody
    /// signs in. Default: 15.
    pub lock_after_min: u32,
    /// Lock when the desktop's screen is locked. Only where somebody signs in. Default: true.
    pub lock_with_screen: bool,
    /// Whether a viewer needs a verified person: off, warn or require. This console's policy, not a lock
    /// on the service. Default: off.
    pub verify_gate: GatePolicy,
    /// How long an approved verification counts, in minutes, 1 to 1440. Default: 30.
    pub verify_gate_min: u32,
    /// How long an answer to a push is waited for, in seconds, 10 to 600. Default: 60.
    pub verify_wait_s: u32,
    /// The passkey service, such as `https://v4.passwordless.dev`. Default: the sandbox that comes along.
    pub passwordless_url: Option<String>,
    /// Its public API key, such as `app:public:...`; the secret is no setting. Default: none.
    pub passwordless_key: Option<String>,
    /// The verification service, such as `https://cloud.logintc.com/api`. Default: the sandbox.
    pub logintc_url: Option<String>,
    /// Its domain's id: 40 hex digits. Default: none.
    pub logintc_domain: Option<String>,
    /// The chat workspace, such as `https://chat.example.org`. Default: the sandbox.
    pub rocketchat_url: Option<String>,
    /// The user id that belongs to its token. Default: none.
    pub rocketchat_user: Option<String>,
}

/// The window's looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Theme {
    /// As the system has it.
    #[default]
    System,
    /// Light on dark.
    Dark,
    /// Dark on light.
    Light,
}

/// An e-mail that is ordered for every new session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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

/// A setting that can't be: which, what is wrong with it, and what to do.
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

impl Default for Settings {
    fn default() -> Self {
        Self {
            version: VERSION,
            technician: environment::operating_system_user(),
            theme: Theme::System,
            base_url: None,
            region_url_template: None,
            join_url_template: None,
            licence_consent: false,
            licence_consent_at: None,
            licence_consent_by: None,
            listen: ([127, 0, 0, 1], 0).into(),
            public_url: None,
            probe_rounds: 3,
            heartbeat_s: None,
            mail_rules: Vec::new(),
            lan: false,
            lan_listen: ([0, 0, 0, 0], 0).into(),
            lan_url: None,
            tls_cert: None,
            tls_key: None,
            viewer_origins: Vec::new(),
            company: String::new(),
            require_sign_in: false,
            sign_in_skipped: false,
            lock_after_min: 15,
            lock_with_screen: true,
            verify_gate: GatePolicy::Off,
            verify_gate_min: 30,
            verify_wait_s: 60,
            passwordless_url: None,
            passwordless_key: None,
            logintc_url: None,
            logintc_domain: None,
            rocketchat_url: None,
            rocketchat_user: None,
        }
    }
}

impl Settings {
    /// These settings with the fields of `over` laid on top.
    ///
    /// # Errors
    /// The first field that can't be; the settings are as they were.
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

    /// Whether every field of `map` exists and has its shape, whatever the others are.
    ///
    /// # Errors
    /// The first that doesn't.
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

    /// The service's address and its regions', where one is configured.
    pub fn service(&self) -> Option<(String, String)> {
        let base_url = self.base_url.clone()?;
        let regions = self.region_url_template.clone().unwrap_or_else(|| {
            if is_hosted(&base_url) {
                engine::remote::loginwithme::HOSTED_REGION_URL.to_owned()
            } else {
                // What our own broker answers, wherever it runs.
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
        assert_eq!(map.len(), check::FIELDS.len());
        assert!(map.keys().all(|field| check::FIELDS.iter().any(|(known, _)| known == field)));
    }
}
