//! The viewer's link. It carries the PIN or a token, so it prints itself no more than the PIN does.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use url::{Origin, Url};

/// A link that opens the session's viewer page: http or https, and as secret as the PIN in it.
#[derive(Clone)]
pub struct ViewerUrl {
    link: SecretString,
    origin: Origin,
    ours: bool,
}

impl ViewerUrl {
    /// The address of a viewer's page that this program serves itself: a token in the place of
    /// a PIN.
    pub fn of_our_page(url: Url) -> Self {
        Self { origin: url.origin(), link: String::from(url).into(), ours: true }
    }

    /// Whether this program serves the page itself, on this computer.
    pub const fn is_our_page(&self) -> bool {
        self.ours
    }

    /// The link, if it is https, or http if the service's own address is http: an answer can't take
    /// the PIN from a secure service to an open line.
    pub(super) fn parse(link: &str, service: &Url) -> Option<Self> {
        let url = Url::parse(wire::text::bare(link)).ok()?;
        let secure = url.scheme() == "https" || service.scheme() == "http";
        if !secure || !super::is_plain_http(&url) {
            return None;
        }
        Some(Self { origin: url.origin(), link: String::from(url).into(), ours: false })
    }

    /// The link in plain text, for the viewer window, the clipboard or the one view that shows it.
    pub fn expose(&self) -> &str {
        self.link.expose_secret()
    }

    /// Scheme, host and port: the only place where the viewer window may go.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }
}

impl fmt::Debug for ViewerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ViewerUrl(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_only_a_page_that_a_browser_may_open() {
        let secure: Url = "https://a.example/api".parse().unwrap();
        let open: Url = "http://127.0.0.1:1/api".parse().unwrap();
        let parse = |link, service| ViewerUrl::parse(link, service).is_some();
        assert!(parse("https://b.example/view?session_pin=7W2-97-8570", &secure));
        assert!(parse("http://127.0.0.1:1/view", &open));
        assert!(!parse("http://b.example/view", &secure), "a secure service gave an open link");
        for wrong in ["", "javascript:alert(1)", "file:///etc/passwd", "https://u@b.example/"] {
            assert!(!parse(wrong, &open), "{wrong}");
        }
    }

    #[test]
    fn keeps_its_origin_and_hides_the_rest() {
        let service: Url = "https://a.example/api".parse().unwrap();
        let url = ViewerUrl::parse("https://b.example/v?session_pin=7W2-97-8570", &service);
        let url = url.unwrap();
        assert_eq!(url.origin().ascii_serialization(), "https://b.example");
        assert!(!format!("{url:?}").contains("7W2"));
    }
}
