//! Decides where a viewer window may navigate. It does no I/O, and nothing else decides it.
//!
//! What is absent: a rule that admits the app's own pages, the dev server or one of our listeners.

use std::net::{Ipv4Addr, Ipv6Addr};

use tauri::Url;
use url::{Host, Origin};

/// The only origins that one viewer window may load.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Boundary {
    allowed: Vec<Origin>,
}

/// Why the address of a viewer isn't opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The address is neither https, nor http to a broker on this computer.
    #[error(
        "open the viewer: its address is not secure (https), and the broker is not on this computer"
    )]
    Insecure,
    /// The address leads to one of our own pages or servers.
    #[error("open the viewer: its address leads back into Deskhand itself")]
    Ourselves,
}

impl Boundary {
    /// The boundary of the viewer at `target`, an address that came from the broker at `broker` (if
    /// it is known yet). `also` lists further origins from the settings, `never` those of our
    /// own servers.
    ///
    /// # Errors
    /// [`Refused`] if `target` itself may not be opened. An entry of `also` that may not is
    /// left out.
    pub fn new(
        target: &Url,
        broker: Option<&Url>,
        also: &[Url],
        never: &[Url],
    ) -> Result<Self, Refused> {
        let local = broker.is_some_and(is_loopback);
        check(target, local, never)?;
        let further = also.iter().filter(|url| check(url, local, never).is_ok());
        Ok(Self { allowed: std::iter::once(target).chain(further).map(Url::origin).collect() })
    }

    /// The boundary of a page that the console itself serves: that server alone, whatever the
    /// settings list.
    pub fn only(target: &Url) -> Self {
        Self { allowed: vec![target.origin()] }
    }

    /// Whether a link, a redirect or a frame may load `url`.
    #[must_use]
    pub fn allows(&self, url: &Url) -> bool {
        self.allowed.contains(&url.origin())
    }
}

fn check(url: &Url, local_broker: bool, never: &[Url]) -> Result<(), Refused> {
    match url.scheme() {
        "https" => {}
        // Unencrypted http would show the PIN to the network; on this computer there is none
        // in between.
        "http" if local_broker && is_loopback(url) => {}
        _ => return Err(Refused::Insecure),
    }
    if never.iter().any(|ours| same_server(ours, url)) {
        return Err(Refused::Ourselves);
    }
    Ok(())
}

/// Whether both lead to the same server.
fn same_server(ours: &Url, url: &Url) -> bool {
    let same_port = ours.port_or_known_default() == url.port_or_known_default();
    // `localhost`, `127.0.0.1` and `[::1]` are different hosts to `Url`, but one server.
    let same_host = ours.host() == url.host() || (is_loopback(ours) && is_loopback(url));
    same_port && same_host
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        // Linux connects the unspecified address to this computer.
        Some(Host::Ipv4(address)) => address.is_loopback() || address == Ipv4Addr::UNSPECIFIED,
        Some(Host::Ipv6(address)) => address.is_loopback() || address == Ipv6Addr::UNSPECIFIED,
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        text.parse().unwrap()
    }

    fn local(target: &str, never: &[&str]) -> Result<Boundary, Refused> {
        let never: Vec<Url> = never.iter().map(|text| url(text)).collect();
        Boundary::new(&url(target), Some(&url("http://127.0.0.1:7000/api/v1")), &[], &never)
    }

    #[test]
    fn lets_the_viewer_stay_on_the_origin_that_the_broker_named() {
        let boundary = local("http://127.0.0.1:7000/view?x=1", &[]).unwrap();
        assert!(boundary.allows(&url("http://127.0.0.1:7000/other")));
    }

    #[test]
    fn another_port_scheme_or_host_is_another_origin() {
        let boundary = local("http://127.0.0.1:7000/view", &[]).unwrap();
        for outside in
            ["http://127.0.0.1:7001/", "https://127.0.0.1:7000/", "http://localhost:7000/"]
        {
            assert!(!boundary.allows(&url(outside)), "{outside}");
        }
    }

    #[test]
    fn our_own_viewer_page_stays_on_its_own_server() {
        let boundary = Boundary::only(&url("http://127.0.0.1:7000/viewer/x/"));
        assert!(boundary.allows(&url("http://127.0.0.1:7000/viewer/x/viewer.js")));
        for outside in ["http://127.0.0.1:7001/", "http://localhost:7000/", "https://a.example/"] {
            assert!(!boundary.allows(&url(outside)), "{outside}");
        }
    }

    #[test]
    fn schemes_without_an_origin_are_outside() {
        let boundary = local("http://127.0.0.1:7000/view", &[]).unwrap();
        for outside in [
            "about:blank",
            "data:text/html,x",
            "file:///etc/passwd",
            "javascript:1",
            "tauri://localhost",
        ] {
            assert!(!boundary.allows(&url(outside)), "{outside}");
        }
    }

    #[test]
    fn http_is_opened_only_when_both_ends_are_on_this_computer() {
        let remote = url("https://broker.example/api/v1");
        let check =
            |target: &str, broker: &Url| Boundary::new(&url(target), Some(broker), &[], &[]);
        assert_eq!(check("http://broker.example/view", &remote), Err(Refused::Insecure));
        assert_eq!(check("http://127.0.0.1:7000/view", &remote), Err(Refused::Insecure));
        assert_eq!(
            check("http://broker.example/view", &url("http://localhost:7000")),
            Err(Refused::Insecure)
        );
        assert!(check("https://viewer.example/view", &remote).is_ok());
    }

    #[test]
    fn our_own_servers_are_never_opened_under_any_name() {
        for ours in ["http://127.0.0.1:1420/", "http://localhost:1420/", "http://[::1]:1420/"] {
            assert_eq!(local(ours, &["http://localhost:1420"]), Err(Refused::Ourselves), "{ours}");
        }
    }

    #[test]
    fn a_configured_origin_is_let_in_unless_it_is_ours() {
        let also = [url("https://files.example/x"), url("https://ours.example/")];
        let boundary = Boundary::new(
            &url("https://viewer.example/view"),
            Some(&url("https://broker.example")),
            &also,
            &[url("https://ours.example")],
        )
        .unwrap();
        assert!(boundary.allows(&url("https://files.example/logo.png")));
        assert!(!boundary.allows(&url("https://ours.example/")));
    }
}
