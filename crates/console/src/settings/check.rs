//! What a setting may be. An error names the field, what is wrong with its value, and the remedy.

use engine::remote::Service;
use serde_json::{Map, Value};
use url::{Host, Url};

use super::{MailRule, Settings, SettingsError, is_unset};
use crate::{parameters::MailWhen, words};

/// The names of all fields, and what to write there.
pub(super) const FIELDS: [(&str, &str); 34] = [
    ("version", "leave it out"),
    ("technician", "give a name of at most 64 characters"),
    ("theme", "write system, dark or light"),
    ("base_url", "give an address like https://help.example.org/api/v1, or leave it empty"),
    ("region_url_template", "give an address with {region} in it, or leave it empty"),
    ("join_url_template", "give an address with {pin} in it, or leave it empty"),
    ("licence_consent", "write true or false"),
    ("licence_consent_at", "leave it out"),
    ("licence_consent_by", "leave it out"),
    ("listen", "give address and port like 127.0.0.1:0"),
    ("public_url", "give an address like https://hooks.example.org/, or leave it empty"),
    ("probe_rounds", "give a number from 1 to 10"),
    ("heartbeat_s", "give seconds from 5 to 3600, or leave it empty"),
    ("mail_rules", "give a list of {to, to_customer, when}; when is next_event or every_event"),
    ("lan", "write true or false"),
    ("lan_listen", "give address and port like 0.0.0.0:47210"),
    ("lan_url", "give an address like https://this-computer.example.org:47210/, or leave it empty"),
    ("tls_cert", "give the path of a PEM file, or leave it empty"),
    ("tls_key", "give the path of a PEM file, or leave it empty"),
    ("viewer_origins", "give a list of origins like https://files.example.org, without a path"),
    ("company", "give a name of at most 64 characters, or leave it empty"),
    ("require_sign_in", "write true or false"),
    ("sign_in_skipped", "write true or false"),
    ("lock_after_min", "give minutes from 0 to 480; 0 for never"),
    ("lock_with_screen", "write true or false"),
    ("verify_gate", "write off, warn or require"),
    ("verify_gate_min", "give minutes from 1 to 1440"),
    ("verify_wait_s", "give seconds from 10 to 600"),
    ("passwordless_url", "give an address like https://v4.passwordless.dev, or leave it empty"),
    ("passwordless_key", "give a key like app:public:..., never the secret"),
    ("logintc_url", "give an address like https://cloud.logintc.com/api, or leave it empty"),
    ("logintc_domain", "give the 40 hex digits of the domain's id"),
    ("rocketchat_url", "give an address like https://chat.example.org, or leave it empty"),
    ("rocketchat_user", "give the user id that belongs to the token"),
];

/// Whether `url` is the hosted service's.
pub fn is_hosted(url: &str) -> bool {
    let Ok(url) = Url::parse(url) else { return false };
    match url.host() {
        Some(Host::Domain(name)) => {
            let name = name.trim_end_matches('.').to_ascii_lowercase();
            name == "loginwith.me" || name.ends_with(".loginwith.me")
        }
        Some(Host::Ipv4(_) | Host::Ipv6(_)) | None => false,
    }
}

/// Whether `value` has the shape of the field of that name.
pub(super) fn field(name: &str, value: &Value) -> Result<(), SettingsError> {
    if !FIELDS.iter().any(|(known, _)| *known == name) {
        let known: Vec<&str> = FIELDS.iter().map(|(known, _)| *known).collect();
        return Err(error(
            &words::plain(name, 40),
            "there is no such setting",
            &format!("use one of {}", known.join(", ")),
        ));
    }
    if is_unset(value) {
        return Ok(());
    }
    let alone = Value::Object(Map::from_iter([(name.to_owned(), value.clone())]));
    serde_json::from_value::<Settings>(alone).map(drop).map_err(|why| wrong(name, &why.to_string()))
}

/// Whether the fields fit their meaning and each other.
pub(super) fn together(settings: &Settings) -> Result<(), SettingsError> {
    if settings.version != super::VERSION {
        return Err(wrong("version", "another version of Deskhand wrote these settings"));
    }
    let technician = words::plain(&settings.technician, 65);
    if technician.is_empty() || technician.chars().count() > 64 || technician != settings.technician
    {
        return Err(wrong("technician", "it is empty, too long, or has control characters"));
    }
    if !(1..=10).contains(&settings.probe_rounds) {
        return Err(wrong("probe_rounds", "it is out of range"));
    }
    if settings.heartbeat_s.is_some_and(|seconds| !(5..=3600).contains(&seconds)) {
        return Err(wrong("heartbeat_s", "it is out of range"));
    }
    service(settings)?;
    plain_http("public_url", settings.public_url.as_ref())?;
    plain_http("lan_url", settings.lan_url.as_ref())?;
    if settings.tls_cert.is_some() != settings.tls_key.is_some() {
        let field = if settings.tls_cert.is_some() { "tls_key" } else { "tls_cert" };
        return Err(error(field, "certificate and key belong together", "give both or none"));
    }
    settings.viewer_origins.iter().try_for_each(viewer_origin)?;
    identity(settings)?;
    settings.mail_rules.iter().try_for_each(rule)
}

/// What the three services of identity are told, and the rules that they serve.
fn identity(settings: &Settings) -> Result<(), SettingsError> {
    let company = words::plain(&settings.company, 65);
    if company.chars().count() > 64 || company != settings.company {
        return Err(wrong("company", "it is too long, or has control characters"));
    }
    let ranges = [
        ("lock_after_min", settings.lock_after_min, 0..=480),
        ("verify_gate_min", settings.verify_gate_min, 1..=1440),
        ("verify_wait_s", settings.verify_wait_s, 10..=600),
    ];
    for (field, value, range) in ranges {
        if !range.contains(&value) {
            return Err(wrong(field, "it is out of range"));
        }
    }
    let addresses = [
        ("passwordless_url", &settings.passwordless_url),
        ("logintc_url", &settings.logintc_url),
        ("rocketchat_url", &settings.rocketchat_url),
    ];
    for (field, text) in addresses {
        let Some(text) = text else { continue };
        let url = Url::parse(text).map_err(|_| wrong(field, "it is not an address"))?;
        plain_http(field, Some(&url))?;
        if url.scheme() != "https" && !is_loopback(&url) {
            // A secret goes there with every call.
            return Err(wrong(field, "it is not secure (https)"));
        }
    }
    let hex = |text: &str| text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    if settings.logintc_domain.as_ref().is_some_and(|id| id.len() != 40 || !hex(id)) {
        return Err(wrong("logintc_domain", "it is not 40 hex digits"));
    }
    if let Some(key) = &settings.passwordless_key {
        if key.contains(":secret:") {
            return Err(wrong(
                "passwordless_key",
                "it is the secret, which no settings file may hold",
            ));
        }
        if !key.contains(":public:") {
            return Err(wrong("passwordless_key", "it is not a public key"));
        }
    }
    let word = |id: &String| {
        id.is_empty() || id.len() > 64 || !id.bytes().all(|b| b.is_ascii_alphanumeric())
    };
    if settings.rocketchat_user.as_ref().is_some_and(word) {
        return Err(wrong("rocketchat_user", "it is not a user id"));
    }
    Ok(())
}

fn service(settings: &Settings) -> Result<(), SettingsError> {
    if let Some((base_url, regions)) = settings.service() {
        use engine::remote::ServiceError as Why;
        Service::parse(&base_url, &regions).map_err(|why| match why {
            Why::BaseUrl => wrong("base_url", "it is not a plain http or https address"),
            Why::NoRegion => wrong("region_url_template", "it has no {region} in it"),
            Why::RegionUrl => {
                wrong("region_url_template", "it does not make an http or https address")
            }
            // The last two are no business of this service.
            Why::UserAgent | Why::Certificates | Why::VerificationDomain | Why::VerificationKey => {
                wrong("base_url", &why.to_string())
            }
        })?;
        if is_hosted(&base_url) && !settings.licence_consent {
            return Err(error(
                "base_url",
                "the hosted service's licence terms are not accepted yet",
                &format!("read them and set licence_consent to true. {}", super::LICENCE_TERMS),
            ));
        }
    }
    if let Some(template) = &settings.join_url_template {
        let sample = crate::words::fill_pin(template, "7W2-97-8570");
        if sample == *template {
            return Err(wrong("join_url_template", "it has no {pin} in it"));
        }
        let url = Url::parse(&sample).ok();
        if url.is_none_or(|url| !matches!(url.scheme(), "http" | "https")) {
            return Err(wrong("join_url_template", "it does not make an http or https address"));
        }
    }
    Ok(())
}

fn plain_http(field: &str, url: Option<&Url>) -> Result<(), SettingsError> {
    let Some(url) = url else { return Ok(()) };
    let plain = matches!(url.scheme(), "http" | "https")
        && url.has_host()
        && url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    if plain { Ok(()) } else { Err(wrong(field, "it is not a plain http or https address")) }
}

fn viewer_origin(url: &Url) -> Result<(), SettingsError> {
    plain_http("viewer_origins", Some(url))?;
    if url.path() != "/" {
        return Err(wrong("viewer_origins", "an origin in it has a path"));
    }
    if url.scheme() != "https" && !is_loopback(url) {
        return Err(wrong("viewer_origins", "an origin in it is not secure (https)"));
    }
    Ok(())
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

fn rule(rule: &MailRule) -> Result<(), SettingsError> {
    if !words::is_address(&rule.to) {
        return Err(wrong("mail_rules", "an address in it is not an e-mail address"));
    }
    match rule.when {
        // It would claim that somebody is there who can't be yet.
        MailWhen::Now => Err(wrong("mail_rules", "a rule can't send at once")),
        MailWhen::NextEvent | MailWhen::EveryEvent => Ok(()),
    }
}

fn wrong(field: &str, problem: &str) -> SettingsError {
    let remedy = FIELDS.iter().find(|(name, _)| *name == field).map_or("correct it", |(_, r)| r);
    error(field, problem, remedy)
}

pub(super) fn error(field: &str, problem: &str, remedy: &str) -> SettingsError {
    SettingsError { field: field.into(), problem: problem.into(), remedy: remedy.into() }
}
