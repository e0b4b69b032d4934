//! A proxy as the environment names it, and what can go wrong with it.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use hyper::header::HeaderValue;
use percent_encoding::percent_decode_str;
use url::{Host, Url};

/// A proxy.
#[derive(Clone)]
pub(crate) struct Proxy {
    pub(crate) kind: Kind,
    pub(crate) host: Host,
    pub(crate) port: u16,
    /// Name and password.
    pub(crate) credentials: Option<(Vec<u8>, Vec<u8>)>,
    /// Its host and port, for people.
    pub(crate) called: String,
    /// The environment variable that names it.
    pub(crate) variable: &'static str,
}

/// How it is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Http,
    /// HTTP within TLS.
    Https,
    /// SOCKS 5. It looks up the server's name by itself, whether `socks5` or `socks5h` was written:
    /// a computer that reaches nothing directly often can't.
    Socks,
}

impl Proxy {
    /// Reads a variable's value. Without a scheme it is an HTTP proxy.
    pub(crate) fn parse(value: &str, variable: &'static str) -> Option<Self> {
        let value = value.trim();
        let url: Url = if value.contains("://") {
            value.parse().ok()?
        } else {
            format!("http://{value}").parse().ok()?
        };
        let (kind, port) = match url.scheme() {
            "http" => (Kind::Http, 80),
            "https" => (Kind::Https, 443),
            "socks5" | "socks5h" => (Kind::Socks, 1080),
            _ => return None,
        };
        let port = url.port().unwrap_or(port);
        // Only for the web's schemes does an URL tell addresses from names.
        let host = Host::parse(url.host_str()?).ok()?;
        let decoded = |text: &str| percent_decode_str(text).collect::<Vec<u8>>();
        let credentials = match (url.username(), url.password()) {
            ("", None) => None,
            (name, password) => Some((decoded(name), decoded(password.unwrap_or_default()))),
        };
        let called = format!("{host}:{port}");
        Some(Self { kind, host, port, credentials, called, variable })
    }

    /// `Proxy-Authorization` in the scheme Basic.
    pub(crate) fn authorization(&self) -> Option<HeaderValue> {
        let (name, password) = self.credentials.as_ref()?;
        let both = [name, &b":"[..], password].concat();
        let mut value =
            HeaderValue::try_from(format!("Basic {}", BASE64_STANDARD.encode(both))).ok()?;
        value.set_sensitive(true);
        Some(value)
    }

    pub(crate) fn failed(&self, failure: ProxyFailure) -> ProxyError {
        ProxyError { proxy: self.called.clone(), variable: self.variable, failure }
    }
}

/// What went wrong at a proxy. Its text is a sentence for the person at this computer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProxyError {
    /// Its host and port, never its name and password.
    pub proxy: String,
    /// The environment variable that names it.
    pub variable: &'static str,
    pub failure: ProxyFailure,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProxyFailure {
    /// Nothing answers at its address.
    Unreachable,
    /// It didn't answer in time.
    Silent,
    /// It can't prove who it is.
    Certificate,
    /// It wants a name and password, or others than it got.
    Credentials,
    /// It doesn't let this connection through; the HTTP status, where it speaks HTTP.
    Refused(Option<u16>),
    /// It can't reach the server; the HTTP status.
    NoServer(u16),
    /// What answers there is no proxy.
    Answer,
}

impl ProxyFailure {
    /// What an answer to `CONNECT` means that isn't a success.
    pub(crate) const fn of_status(status: u16) -> Self {
        match status {
            407 => Self::Credentials,
            502..=504 => Self::NoServer(status),
            status => Self::Refused(Some(status)),
        }
    }
}

impl std::error::Error for ProxyError {}

impl std::fmt::Display for ProxyError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { proxy, variable, failure } = self;
        write!(f, "The proxy {proxy}, which {variable} names, ")?;
        match failure {
            ProxyFailure::Unreachable => f.write_str(
                "can't be reached. Check this computer's network connection and that setting",
            ),
            ProxyFailure::Silent => {
                f.write_str("doesn't answer. Check that setting, or try again later")
            }
            ProxyFailure::Certificate => f.write_str(
                "can't prove that it is this proxy. Check this computer's date and time, and that setting",
            ),
            ProxyFailure::Credentials => write!(
                f,
                "asks for a user name and a password, or doesn't accept those it got (407). Write them into {variable}, like http://name:password@{proxy}",
            ),
            ProxyFailure::Refused(Some(status)) => write!(
                f,
                "doesn't let this program through ({status}). Ask the people who run it to allow this server",
            ),
            ProxyFailure::Refused(None) => f.write_str(
                "doesn't let this program through, or can't reach the server. It may want a name and password in that setting: ask the people who run it",
            ),
            ProxyFailure::NoServer(status) => write!(
                f,
                "can't reach the server ({status}). Try again later, or ask the people who run the proxy",
            ),
            ProxyFailure::Answer => {
                f.write_str("isn't one: what answers there doesn't speak as a proxy does. Check that setting")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_people_write() {
        let of = |value| Proxy::parse(value, "http_proxy").map(|proxy| (proxy.kind, proxy.called));
        assert_eq!(of("p.example:3128"), Some((Kind::Http, "p.example:3128".into())));
        assert_eq!(of(" http://p.example/ "), Some((Kind::Http, "p.example:80".into())));
        assert_eq!(of("http://p.example:80"), Some((Kind::Http, "p.example:80".into())));
        assert_eq!(of("https://p.example"), Some((Kind::Https, "p.example:443".into())));
        assert_eq!(of("socks5h://10.0.0.1"), Some((Kind::Socks, "10.0.0.1:1080".into())));
        assert_eq!(of("[fd00::1]:3128"), Some((Kind::Http, "[fd00::1]:3128".into())));
        assert_eq!(of("http://a b:1"), None);
    }

    #[test]
    fn decodes_name_and_password_and_shows_them_nowhere() {
        let given = |value| {
            let proxy = Proxy::parse(value, "http_proxy").unwrap();
            assert!(!proxy.failed(ProxyFailure::Unreachable).to_string().contains("geheim"));
            proxy.authorization().map(|value| value.to_str().unwrap().to_owned())
        };
        let basic = |both: &[u8]| Some(format!("Basic {}", BASE64_STANDARD.encode(both)));
        assert_eq!(given("http://p:1"), None);
        assert_eq!(given("http://me:geheim@p:1"), basic(b"me:geheim"));
        assert_eq!(given("me@p:1"), basic(b"me:"));
        assert_eq!(given("http://d%5Cme:geheim%40%3a%2F%25@p:1"), basic(br"d\me:geheim@:/%"));
        assert_eq!(given("http://me:geheim@1@p:1"), basic(b"me:geheim@1"));
        assert_eq!(given("http://J%C3%B6rg:%ff%0d%0a@p:1"), basic(b"J\xc3\xb6rg:\xff\r\n"));
        assert!(given("http://me:geheim@p:1").is_some_and(|value| !value.contains("geheim")));
    }
}
