//! Lets browsers' pages make the browsers' calls: pages over https and those of this computer.
//!
//! Not tower-http's layer, which writes more names into Vary and answers every preflight with 200 instead of 204.
//!
//! The key is public and each ceremony is bound to its page's origin, so a foreign page gains nothing.

use axum::{
    extract::Request,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use url::Url;

/// How long a browser may remember what it was allowed, in seconds.
const REMEMBER: HeaderValue = HeaderValue::from_static("600");

pub(super) async fn allow(request: Request, next: Next) -> Response {
    let origin = request.headers().get(header::ORIGIN).filter(|origin| is_page(origin)).cloned();
    let asks_first = request.method() == Method::OPTIONS;
    let mut response = if asks_first {
        preflight(request.headers(), origin.is_some())
    } else {
        next.run(request).await
    };
    let headers = response.headers_mut();
    // On refusals too: a cache must not hand one origin's answer to another.
    headers.append(header::VARY, HeaderValue::from_static("Origin"));
    if let Some(origin) = origin {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    }
    response
}

fn preflight(request: &HeaderMap, allowed: bool) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    if !allowed {
        return response;
    }
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("POST"));
    // Any: today's client sends ApiKey, Content-Type and Client-Version.
    if let Some(names) = request.get(header::ACCESS_CONTROL_REQUEST_HEADERS) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, names.clone());
    }
    if request.contains_key("access-control-request-private-network") {
        let yes = HeaderValue::from_static("true");
        headers.insert("access-control-allow-private-network", yes);
    }
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, REMEMBER);
    response
}

fn is_page(origin: &HeaderValue) -> bool {
    origin.to_str().is_ok_and(|origin| page_host(origin).is_some())
}

/// The host of a page on which browsers offer passkeys; none if `origin` isn't one's.
pub(super) fn page_host(origin: &str) -> Option<String> {
    let url = Url::parse(origin).ok()?;
    let host = url.host_str()?;
    let trusted = url.scheme() == "https" || (url.scheme() == "http" && is_localhost(host));
    let plain = url.origin().ascii_serialization() == origin;
    (trusted && plain).then(|| host.to_owned())
}

fn is_localhost(host: &str) -> bool {
    host == "localhost" || host.ends_with(".localhost")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_over_https_or_on_this_computer() {
        for page in ["https://a.example", "https://a.example:444", "http://localhost:3000"] {
            assert!(page_host(page).is_some(), "{page}");
        }
        let others = [
            "http://a.example",
            "http://localhost.a.example",
            "null",
            "",
            "https://a.example/",
            "https://u@a.example",
            "file:///",
            "http://127.0.0.1:3000",
            "HTTPS://A.example",
        ];
        for other in others {
            assert_eq!(page_host(other), None, "{other}");
        }
    }
}
