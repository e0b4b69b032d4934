//! Whether the service can reach our listener: from the two addresses, or by what the engine found.

use engine::{
    Engine,
    reach::{Proof, Requester, Way},
};
use url::{Host, Url};

use crate::view::Reach;

/// What is known of the way from the service to our listener. It goes by the running engine, not by
/// settings that are not in force yet.
pub(crate) fn known(engine: &Engine) -> Reach {
    match engine.way() {
        Way::Works { by: Proof::Hook | Proof::Call(Requester::Service), .. } => {
            return Reach::Reachable;
        }
        // Our own call shows where a public URL leads, but nothing about an address of
        // this network.
        Way::Works { by: Proof::Call(Requester::Ourselves), .. } if has_public_url(engine) => {
            return Reach::Reachable;
        }
        Way::Broken { .. } => return Reach::Unreachable,
        Way::Works { .. } | Way::Unknown => {}
    }
    let listener = engine.listener().ip();
    if has_public_url(engine) {
        Reach::Unknown
    } else if is_this_computer(engine.client().service().base_url.as_str()) {
        Reach::Reachable
    } else if listener.is_loopback() || listener.is_unspecified() {
        Reach::Unreachable
    } else {
        Reach::Unknown
    }
}

/// Whether hooks are given another address than the listener's own.
fn has_public_url(engine: &Engine) -> bool {
    let own = Url::parse(&format!("http://{}/", engine.listener()));
    own.is_ok_and(|own| own != *engine.hook_base())
}

/// Whether a URL names this computer.
pub(crate) fn is_this_computer(url: &str) -> bool {
    match Url::parse(url).ok().as_ref().and_then(Url::host) {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_the_names_of_this_computer() {
        for here in ["http://127.0.0.1:1/", "http://localhost/", "https://[::1]:9/api"] {
            assert!(is_this_computer(here), "{here}");
        }
        for elsewhere in ["https://www.loginwith.me/api/v1", "http://10.0.0.1/", "x"] {
            assert!(!is_this_computer(elsewhere), "{elsewhere}");
        }
    }
}
