//! Refuses requests that are meant for another host, or that another site's page makes.
//!
//! A page on a foreign site can point its own name at this machine (DNS rebinding); the browser then
//! sends that name as `Host`, so a request whose `Host` isn't ours never reaches a handler.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use url::Url;

/// The hosts that a server answers to.
#[derive(Debug, Clone)]
pub struct HostGuard {
    hosts: Arc<[String]>,
    /// With a listener on all addresses, any IP literal with this port: rebinding needs a name.
    any_ip: Option<u16>,
}

impl HostGuard {
    /// Answers to the bound address (on loopback by each of its names) and to the public URL's host.
    pub fn new(bound: SocketAddr, public: Option<&Url>) -> Self {
        let port = bound.port();
        let mut hosts = vec![bound.to_string()];
        if bound.ip().is_loopback() || bound.ip().is_unspecified() {
            // People type one name and links have another: all of them mean this machine.
            hosts.extend(["localhost", "127.0.0.1", "[::1]"].map(|name| format!("{name}:{port}")));
        }
        if let Some((public, host)) = public.and_then(|url| Some((url, url.host_str()?))) {
            let host = host.to_ascii_lowercase();
            if let Some(port) = public.port_or_known_default() {
                hosts.push(format!("{host}:{port}"));
            }
            // Browsers leave a scheme's usual port out.
            if public.port().is_none() {
                hosts.push(host);
            }
        }
        Self { hosts: hosts.into(), any_ip: bound.ip().is_unspecified().then_some(port) }
    }

    /// Whether a `Host` header's value is ours.
    pub fn allows_host(&self, host: &str) -> bool {
        let host = host.to_ascii_lowercase();
        self.hosts.contains(&host) || self.any_ip.is_some_and(|port| is_ip_with_port(&host, port))
    }

    /// The host that a request is for, if it is ours.
    pub(crate) fn allowed_host<'r>(&self, request: &'r Request) -> Option<&'r str> {
        named_host(request).ok().flatten().filter(|host| self.allows_host(host))
    }

    /// Whether a request may ask for this server's health: also by any address or without a `Host`, but by no name
    /// that isn't ours.
    pub(crate) fn allows_probe(&self, request: &Request) -> bool {
        match named_host(request) {
            Ok(Some(host)) => self.allows_host(host) || is_ip(host),
            Ok(None) => true,
            Err(NotText) => false,
        }
    }

    /// Whether an `Origin` header's value is a page of ours.
    pub fn allows_origin(&self, origin: &str) -> bool {
        origin
            .strip_prefix("http://")
            .or_else(|| origin.strip_prefix("https://"))
            .is_some_and(|host| self.allows_host(host))
    }

    /// Whether the request comes from a page of ours or from no page at all (a program).
    ///
    /// For WebSockets, which browsers let any page open, and for calls that change something.
    pub fn allows_caller(&self, headers: &HeaderMap) -> bool {
        let foreign_site = headers.get("sec-fetch-site").is_some_and(|site| site == "cross-site");
        let origin = headers.get(header::ORIGIN);
        let own = |value: &header::HeaderValue| value.to_str().is_ok_and(|o| self.allows_origin(o));
        // Some requests of pages carry no Origin, such as a GET; their Sec-Fetch-Site tells, where a browser sends it.
        origin.map_or(!foreign_site, own)
    }

    /// Answers 403 to every request with a foreign `Host`, before any route is looked at.
    pub fn protect<S: Clone + Send + Sync + 'static>(&self, routes: Router<S>) -> Router<S> {
        routes.layer(middleware::from_fn_with_state(self.clone(), require_host))
    }
}

async fn require_host(State(guard): State<HostGuard>, request: Request, next: Next) -> Response {
    if guard.allowed_host(&request).is_some() { next.run(request).await } else { foreign_host() }
}

/// The answer to a request for another host.
pub(crate) fn foreign_host() -> Response {
    (StatusCode::FORBIDDEN, "This address is not served here.\n").into_response()
}

/// A `Host` that no host can have.
struct NotText;

/// The host that a request names: HTTP/2 carries it in the URI, HTTP/1.1 in the header.
fn named_host(request: &Request) -> Result<Option<&str>, NotText> {
    match request.headers().get(header::HOST) {
        Some(host) => host.to_str().map(Some).map_err(|_| NotText),
        None => Ok(request.uri().authority().map(|authority| authority.as_str())),
    }
}

/// An address, with or without a port.
fn is_ip(host: &str) -> bool {
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    host.parse::<SocketAddr>().is_ok() || bare.parse::<IpAddr>().is_ok()
}

fn is_ip_with_port(host: &str, port: u16) -> bool {
    let Some((ip, given)) = host.rsplit_once(':') else { return false };
    let ip = ip.trim_start_matches('[').trim_end_matches(']');
    given.parse() == Ok(port) && ip.parse::<IpAddr>().is_ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn loopback() -> HostGuard {
        HostGuard::new(([127, 0, 0, 1], 4000).into(), None)
    }

    #[test]
    fn answers_to_loopback_by_each_of_its_names_and_to_nothing_else() {
        for ours in ["127.0.0.1:4000", "LOCALHOST:4000", "[::1]:4000"] {
            assert!(loopback().allows_host(ours), "{ours}");
        }
        for foreign in ["127.0.0.1", "localhost:4001", "evil.example:4000", "10.0.0.5:4000", ""] {
            assert!(!loopback().allows_host(foreign), "{foreign}");
        }
    }

    #[test]
    fn answers_to_the_public_url_with_and_without_its_usual_port() {
        let url = Url::parse("https://help.example.org/").unwrap();
        let guard = HostGuard::new(([127, 0, 0, 1], 4000).into(), Some(&url));
        assert!(guard.allows_host("help.example.org"));
        assert!(guard.allows_host("help.example.org:443"));
        assert!(!guard.allows_host("help.example.org:80"));
        assert!(!guard.allows_host("help.example.org.evil.example"));
    }

    #[test]
    fn on_all_addresses_it_answers_to_ip_literals_but_to_no_name() {
        let guard = HostGuard::new(([0, 0, 0, 0], 4000).into(), None);
        assert!(guard.allows_host("192.168.1.20:4000"));
        assert!(guard.allows_host("[fd00::5]:4000"));
        assert!(!guard.allows_host("rebound.example:4000"));
        assert!(!guard.allows_host("192.168.1.20:5000"));
    }

    #[test]
    fn who_watches_over_a_server_may_ask_by_address_or_without_a_host_but_by_no_foreign_name() {
        let asks = |host: Option<&str>| {
            let mut request = Request::new(axum::body::Body::empty());
            if let Some(host) = host {
                request.headers_mut().insert(header::HOST, host.parse().unwrap());
            }
            loopback().allows_probe(&request)
        };
        for good in ["10.1.2.3", "10.1.2.3:8080", "[fd00::5]:80", "[fd00::5]", "localhost:4000"] {
            assert!(asks(Some(good)), "{good}");
        }
        assert!(asks(None));
        for bad in ["", "evil.example", "evil.example:4000", "10.1.2.3.evil.example", "1.2.3.4:x"] {
            assert!(!asks(Some(bad)), "{bad}");
        }
    }

    #[test]
    fn a_foreign_page_is_no_caller_and_a_program_is() {
        let with = |name: &'static str, value: &'static str| {
            HeaderMap::from_iter([(name.parse().unwrap(), header::HeaderValue::from_static(value))])
        };
        assert!(loopback().allows_caller(&HeaderMap::new()));
        assert!(loopback().allows_caller(&with("origin", "http://127.0.0.1:4000")));
        assert!(!loopback().allows_caller(&with("origin", "http://evil.example")));
        assert!(!loopback().allows_caller(&with("origin", "null")));
        assert!(!loopback().allows_caller(&with("sec-fetch-site", "cross-site")));
    }

    proptest! {
        #[test]
        fn no_host_or_origin_panics(text in "\\PC{0,60}") {
            let guard = HostGuard::new(([0, 0, 0, 0], 4000).into(), None);
            let _ = (guard.allows_host(&text), guard.allows_origin(&text));
        }
    }
}
