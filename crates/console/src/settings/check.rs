//! The valid values of settings. The declarations name the checks of single settings.

use engine::remote::{LoginWithMeConfig, ServiceError};
use serde_json::{Map, Value};
use url::{Host, Url};
use wire::MailAddress;

use super::{
    Declaration, LICENCE_TERMS, MailRule, Settings, SettingsError, declarations, is_unset,
};
use crate::{
    parameters::MailWhen,
    present::remedy,
    settings::declaration::{Fault, name_of},
    words,
};

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

/// Whether there is a setting of that name, and `value` has its type.
pub(super) fn field(name: &str, value: &Value) -> Result<(), SettingsError> {
    let Some(declaration) = declarations().iter().find(|known| known.name == name) else {
        let remedy = nearest(name).map_or_else(
            || {
                // Those without a flag are the console's own notes, such as the version.
                let known = declarations().iter().filter(|known| known.flag.is_some());
                let known: Vec<&str> = known.map(|known| known.name).collect();
                format!("use one of {}", known.join(", "))
            },
            |near| format!("did you mean {near}?"),
        );
        return Err(error(&words::plain(name, 40), "there is no such setting", &remedy));
    };
    if is_unset(value) {
        return Ok(());
    }
    let alone = Value::Object(Map::from_iter([(name.to_owned(), value.clone())]));
    let typed: Result<Settings, _> = serde_json::from_value(alone);
    typed.map(drop).map_err(|why| {
        let why = why.to_string();
        let problem = why.replace("relative URL without a base", "it is no whole address");
        error(name, &problem, declaration.remedy)
    })
}

/// The setting that has this name, or almost: in other letters, or with one or two mistakes.
pub(super) fn nearest(name: &str) -> Option<&'static str> {
    const LONGEST: usize = 64;
    const MISTAKES: usize = 2;
    let letters = |name: &str| name.replace(['_', '-', '.', ' '], "").to_lowercase();
    if name.len() > LONGEST {
        return None;
    }
    let typed = letters(name);
    let known = declarations().iter().map(|known| known.name);
    let (mistakes, near) =
        known.map(|known| (strsim::osa_distance(&typed, &letters(known)), known)).min()?;
    (mistakes <= MISTAKES && mistakes < typed.len()).then_some(near)
}

/// Checks that the values have valid meanings and fit each other, in the order of the declarations.
pub(super) fn together(settings: &Settings) -> Result<(), SettingsError> {
    let values = settings.to_map();
    declarations().iter().try_for_each(|declaration| {
        in_range(declaration, values.get(declaration.name))
            .and_then(|()| (declaration.check)(settings))
            .map_err(|Fault { problem, remedy }| {
                let remedy = remedy.as_deref().unwrap_or(declaration.remedy);
                error(declaration.name, &problem, remedy)
            })
    })
}

fn in_range(declaration: &Declaration, value: Option<&Value>) -> Result<(), Fault> {
    let number = value.and_then(Value::as_u64);
    match (&declaration.range, number) {
        (Some(range), Some(number)) => ensure(
            u32::try_from(number).is_ok_and(|number| range.contains(&number)),
            "it is out of range",
        ),
        (None, _) | (Some(_), None) => Ok(()),
    }
}

pub(super) fn ensure(fits: bool, problem: &str) -> Result<(), Fault> {
    if fits { Ok(()) } else { Err(problem.into()) }
}

pub(super) fn optional<T: ?Sized>(
    value: Option<&T>,
    check: fn(&T) -> Result<(), Fault>,
) -> Result<(), Fault> {
    value.map_or(Ok(()), check)
}

/// At most 64 characters, and none that changes how the others are displayed.
pub(super) fn is_short_name(name: &str) -> bool {
    let plain = words::plain(name, 65);
    plain.chars().count() <= 64 && plain == name
}

pub(super) fn technician(name: &str) -> Result<(), Fault> {
    ensure(
        !name.is_empty() && is_short_name(name),
        "it is empty, too long, or has control characters",
    )?;
    ensure(
        !words::is_programs_name(name),
        "it is the name of the program itself, which stands for what nobody asked for",
    )
}

pub(super) fn service(settings: &Settings) -> Result<(), Fault> {
    match service_error(settings) {
        Some(ServiceError::BaseUrl) => return Err("it is not a plain http or https address".into()),
        // The setting of the regions reports this error itself.
        None | Some(ServiceError::NoRegion | ServiceError::RegionUrl) => {}
        Some(
            why @ (ServiceError::UserAgent
            | ServiceError::Certificates
            | ServiceError::VerificationDomain
            | ServiceError::VerificationKey),
        ) => {
            let remedy = Some(remedy::of_service(why).1.to_owned());
            return Err(Fault { problem: why.to_string(), remedy });
        }
    }
    match &settings.base_url {
        Some(base_url) if is_hosted(base_url) && !settings.licence_consent => Err(Fault {
            problem: "the hosted service's licence terms are not accepted yet".to_owned(),
            remedy: Some(format!(
                "read them and set {} to true. {LICENCE_TERMS}",
                name_of!(licence_consent)
            )),
        }),
        Some(_) | None => Ok(()),
    }
}

pub(super) fn regions(settings: &Settings) -> Result<(), Fault> {
    match service_error(settings) {
        Some(ServiceError::NoRegion) => Err("it has no {region} in it".into()),
        Some(ServiceError::RegionUrl) => Err("it does not make an http or https address".into()),
        Some(
            ServiceError::BaseUrl
            | ServiceError::UserAgent
            | ServiceError::Certificates
            | ServiceError::VerificationDomain
            | ServiceError::VerificationKey,
        )
        | None => Ok(()),
    }
}

fn service_error(settings: &Settings) -> Option<ServiceError> {
    let (base_url, regions) = settings.service()?;
    LoginWithMeConfig::parse(&base_url, &regions).err()
}

pub(super) fn join_link(template: &str) -> Result<(), Fault> {
    let sample = words::fill_pin(template, "7W2-97-8570");
    ensure(sample != template, "it has no {pin} in it")?;
    let url = Url::parse(&sample);
    ensure(
        url.is_ok_and(|url| matches!(url.scheme(), "http" | "https")),
        "it does not make an http or https address",
    )
}

pub(super) fn belong_together(fits: bool) -> Result<(), Fault> {
    let fault = || Fault {
        problem: "certificate and key belong together".to_owned(),
        remedy: Some("give both or none".to_owned()),
    };
    if fits { Ok(()) } else { Err(fault()) }
}

pub(super) fn plain_http(url: &Url) -> Result<(), Fault> {
    let plain = matches!(url.scheme(), "http" | "https")
        && url.has_host()
        && url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    ensure(plain, "it is not a plain http or https address")
}

pub(super) fn secure_address(text: &str) -> Result<(), Fault> {
    let url = Url::parse(text).map_err(|_| Fault::from("it is not an address"))?;
    plain_http(&url)?;
    // The secret is sent there with every call.
    ensure(url.scheme() == "https" || is_loopback(&url), "it is not secure (https)")
}

pub(super) fn viewer_origin(url: &Url) -> Result<(), Fault> {
    plain_http(url)?;
    ensure(url.path() == "/", "an origin in it has a path")?;
    ensure(url.scheme() == "https" || is_loopback(url), "an origin in it is not secure (https)")
}

pub(super) fn network(text: &str) -> Result<(), Fault> {
    ensure(
        text.parse::<serve::peer::Network>().is_ok(),
        "one of them is neither an address nor a network",
    )
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

pub(super) fn mail_rule(rule: &MailRule) -> Result<(), Fault> {
    rule.to.trim().parse::<MailAddress>().map_err(|why| {
        Fault::from(&*format!("an address in it is not an e-mail address: {why}"))
    })?;
    match rule.when {
        // Such an e-mail would claim that somebody is there who can't be yet.
        MailWhen::Now => Err("a rule can't send at once".into()),
        MailWhen::NextEvent | MailWhen::EveryEvent => Ok(()),
    }
}

pub(super) fn public_key(key: &str) -> Result<(), Fault> {
    // Checked first: people who paste the wrong key of the two must learn that it is a secret.
    ensure(!key.contains(":secret:"), "it is the secret, which no settings file may hold")?;
    ensure(key.contains(":public:"), "it is not a public key")
}

pub(super) fn domain_id(id: &str) -> Result<(), Fault> {
    let hex = id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    ensure(id.len() == 40 && hex, "it is not 40 hex digits")
}

pub(super) fn user_id(id: &str) -> Result<(), Fault> {
    // It is sent as a header with every call.
    let word = id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    ensure(!id.is_empty() && id.len() <= 64 && word, "it is not a user id")
}

pub(super) fn error(field: &str, problem: &str, remedy: &str) -> SettingsError {
    SettingsError { field: field.into(), problem: problem.into(), remedy: remedy.into() }
}
