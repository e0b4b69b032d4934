//! The device that a call comes from, as far as its headers say: never null, and not trusted.

use axum::http::{HeaderMap, header};

/// A browser and its system, such as `Firefox, Windows 10`, and a country of two letters or nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Device {
    pub name: String,
    pub country: String,
}

/// The browsers by their mark, those that also carry another's mark first.
const BROWSERS: [(&str, &str); 7] = [
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("HeadlessChrome/", "HeadlessChrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("Deskhand/", "Deskhand"),
];
/// The systems likewise; `true`: a version follows the mark.
const SYSTEMS: [(&str, &str, bool); 6] = [
    ("Windows NT ", "Windows", true),
    ("iPhone OS ", "iOS", true),
    ("Mac OS X ", "Mac OS X", true),
    ("Android ", "Android", true),
    ("CrOS", "Chrome OS", false),
    ("Linux", "Linux", false),
];

impl Device {
    pub(super) fn from_headers(headers: &HeaderMap) -> Self {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let agent = text(header::USER_AGENT.as_str()).unwrap_or_default();
        let country = text("cf-ipcountry").unwrap_or_default();
        let is_code = country.len() == 2 && country.bytes().all(|b| b.is_ascii_uppercase());
        Self {
            name: format!("{}, {}", browser(agent), system(agent)),
            country: if is_code { country.to_owned() } else { String::new() },
        }
    }
}

fn browser(agent: &str) -> &'static str {
    let known = BROWSERS.iter().find(|(mark, _)| agent.contains(mark));
    known.map_or("Other", |(_, name)| name)
}

fn system(agent: &str) -> String {
    let known = SYSTEMS.iter().find_map(|(mark, name, versioned)| {
        agent.split_once(mark).map(|(_, rest)| (name, rest, versioned))
    });
    let Some((name, rest, versioned)) = known else { return "Other".to_owned() };
    // The major version only, as the service names devices.
    let version: String = rest.chars().take_while(char::is_ascii_digit).collect();
    if *versioned && !version.is_empty() { format!("{name} {version}") } else { (*name).to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_named_as_far_as_it_tells() {
        let of = |agent: &'static str, country: &'static str| {
            let value = |text| axum::http::HeaderValue::from_static(text);
            let headers = [
                (header::USER_AGENT, value(agent)),
                (axum::http::HeaderName::from_static("cf-ipcountry"), value(country)),
            ];
            Device::from_headers(&headers.into_iter().collect())
        };
        let edge = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/129.0 Safari/537.36 Edg/129.0";
        assert_eq!(
            of(edge, "SE"),
            Device { name: "Edge, Windows 10".into(), country: "SE".into() }
        );
        let headless = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/129.0 Safari/537.36";
        assert_eq!(of(headless, "").name, "HeadlessChrome, Linux");
        assert_eq!(
            of("curl/8", "<b>"),
            Device { name: "Other, Other".into(), country: String::new() }
        );
    }
}
