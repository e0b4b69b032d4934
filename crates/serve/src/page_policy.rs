//! What a page may do in a browser: the headers on every response of its server.
//!
//! Nothing inline, nothing from elsewhere, in no frame, kept nowhere, and no referrer that could carry a
//! secret of its address.

use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderName, HeaderValue, header},
    middleware::{self, Next},
    response::Response,
};

use crate::HostGuard;

/// The headers that are the same for every page.
const FIXED: [(HeaderName, &str); 5] = [
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::CACHE_CONTROL, "no-store"),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(), microphone=(), geolocation=(), display-capture=()",
    ),
];

/// What a page may load and which servers it may call: only its own, unless more is set.
#[derive(Debug, Clone)]
pub struct PagePolicy {
    images: &'static str,
    service: Option<String>,
    live: Option<HostGuard>,
}

impl Default for PagePolicy {
    fn default() -> Self {
        Self { images: "'self'", service: None, live: None }
    }
}

impl PagePolicy {
    /// Takes pictures from these sources instead, such as `'self' data:`.
    #[must_use]
    pub fn images(self, sources: &'static str) -> Self {
        Self { images: sources, ..self }
    }

    /// Lets the page call this origin, too.
    #[must_use]
    pub fn service(self, origin: &str) -> Self {
        Self { service: Some(origin.to_owned()), ..self }
    }

    /// Names the WebSockets of the host that a request is for, if `guard` knows it as ours: older engines
    /// don't count them as `'self'`.
    #[must_use]
    pub fn live(self, guard: HostGuard) -> Self {
        Self { live: Some(guard), ..self }
    }

    /// Puts the headers on every answer of these routes.
    pub fn protect<S: Clone + Send + Sync + 'static>(&self, routes: Router<S>) -> Router<S> {
        routes.layer(middleware::from_fn_with_state(self.clone(), add_headers))
    }

    /// The Content-Security-Policy for a request to this host of ours.
    fn content(&self, host: Option<&str>) -> HeaderValue {
        let live = host.map(|host| format!("ws://{host} wss://{host}"));
        let more = [live, self.service.clone()].into_iter().flatten();
        let connect: String = more.map(|origins| format!(" {origins}")).collect();
        let policy = format!(
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src {}; connect-src 'self'{connect}; \
             base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
            self.images,
        );
        // A text that can't be a header isn't an origin either; then the page may load nothing.
        HeaderValue::try_from(policy).unwrap_or(HeaderValue::from_static("default-src 'none'"))
    }
}

async fn add_headers(State(policy): State<PagePolicy>, request: Request, next: Next) -> Response {
    let guard = policy.live.as_ref();
    let content = policy.content(guard.and_then(|guard| guard.allowed_host(&request)));
    // After the handler, so that none can loosen them.
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, content);
    for (name, value) in FIXED {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    use axum::{body::Body, http::HeaderMap};

    use super::*;

    fn content(policy: &PagePolicy, host: Option<&str>) -> String {
        policy.content(host).to_str().unwrap().to_owned()
    }

    #[test]
    fn a_page_has_its_own_server_and_nothing_else() {
        assert_eq!(
            content(&PagePolicy::default(), None),
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
             connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        );
    }

    #[test]
    fn a_page_gets_the_pictures_the_service_and_the_live_line_that_it_was_given() {
        let policy = PagePolicy::default().images("data:").service("https://keys.example");
        let only_service = content(&policy, None);
        assert!(only_service.contains("img-src data:; "), "{only_service}");
        assert!(
            only_service.contains("connect-src 'self' https://keys.example; "),
            "{only_service}"
        );
        let both = content(&policy, Some("a.example"));
        let origins = "connect-src 'self' ws://a.example wss://a.example https://keys.example;";
        assert!(both.contains(origins), "{both}");
    }

    #[test]
    fn a_service_that_is_no_origin_leaves_the_page_nothing() {
        let policy = PagePolicy::default().service("https://keys.example\r\nx: y");
        assert_eq!(content(&policy, None), "default-src 'none'");
    }

    #[test]
    fn only_a_host_of_ours_is_named_and_by_either_version_of_http() {
        let guard = HostGuard::new(([127, 0, 0, 1], 4000).into(), None);
        let request = |uri: &str, host: Option<&str>| {
            let mut request = Request::builder().uri(uri).body(Body::empty()).unwrap();
            let host = host.map(|host| (header::HOST, host.parse().unwrap()));
            *request.headers_mut() = HeaderMap::from_iter(host);
            request
        };
        for (uri, host, found) in [
            ("/", Some("localhost:4000"), Some("localhost:4000")),
            ("http://127.0.0.1:4000/", None, Some("127.0.0.1:4000")),
            ("/", Some("evil.example:4000"), None),
            ("/", None, None),
        ] {
            assert_eq!(guard.allowed_host(&request(uri, host)), found, "{uri} {host:?}");
        }
    }
}
