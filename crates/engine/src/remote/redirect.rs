//! Where an answer redirects to.

use reqwest::{Response, StatusCode, header};
use session::Obstacle;
use url::Url;

/// What a redirect to elsewhere says of the address that was asked.
pub(super) fn elsewhere(
    from: &Url,
    status: StatusCode,
    headers: &header::HeaderMap,
) -> Option<Obstacle> {
    let next = target(from, status, headers)?;
    let is_same_by_https = next.host() == from.host() && next.scheme() == "https";
    match next.origin() == from.origin() {
        true => None,
        false if is_same_by_https && from.scheme() == "http" => Some(Obstacle::NeedsHttps),
        false => Some(Obstacle::Redirect),
    }
}

/// Where an answer to a request for `from` redirects to, if it does.
pub(super) fn location(from: &Url, response: &Response) -> Option<Url> {
    target(from, response.status(), response.headers())
}

fn target(from: &Url, status: StatusCode, headers: &header::HeaderMap) -> Option<Url> {
    let follows = matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308);
    let location = headers.get(header::LOCATION).filter(|_| follows)?;
    from.join(location.to_str().ok()?).ok()
}

/// Where a redirect leads within the URL's own origin.
pub(super) fn onward(from: &Url, response: &Response) -> Option<Url> {
    location(from, response).filter(|next| next.origin() == from.origin())
}
