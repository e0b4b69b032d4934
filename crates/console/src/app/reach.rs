//! Whether the service can reach our listener: by where both are, or by a test with a nonce.

use engine::{
    Engine,
    reach::{Caller, ReachError, Reached},
};
use session::Timestamp;
use url::{Host, Url};

use super::Inner;
use crate::{Settings, view::Reach};

/// What the last test said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum Tested {
    /// There was none yet.
    #[default]
    Not,
    /// It came back.
    Came {
        /// When.
        at: Timestamp,
        /// Who called, and how long that took.
        reached: Reached,
    },
    /// It didn't.
    Failed(ReachError),
}

/// What is known of the way from the service to our listener.
pub(super) fn known(settings: &Settings, engine: &Engine, tested: &Tested) -> Reach {
    match tested {
        Tested::Came { reached: Reached { by: Caller::Service, .. }, .. } => {
            return Reach::Reachable;
        }
        // Our own call proves where a public URL leads, and nothing about an address of this network.
        Tested::Came { reached: Reached { by: Caller::Ourselves, .. }, .. }
            if settings.public_url.is_some() =>
        {
            return Reach::Reachable;
        }
        Tested::Failed(_) => return Reach::Unreachable,
        Tested::Came { .. } | Tested::Not => {}
    }
    if settings.public_url.is_some() {
        return Reach::Unknown;
    }
    let service_is_here = settings.base_url.as_deref().is_none_or(is_this_computer);
    if service_is_here {
        Reach::Reachable
    } else if engine.listener().ip().is_loopback() || engine.listener().ip().is_unspecified() {
        Reach::Unreachable
    } else {
        Reach::Unknown
    }
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

/// Has our listener called by the URL that hooks are given, and keeps what comes of it.
pub(crate) async fn test(inner: &Inner, engine: &Engine) -> Tested {
    let tested = match engine.test_reach().await {
        Ok(reached) => Tested::Came { at: engine::clock::now(), reached },
        Err(error) => Tested::Failed(error),
    };
    inner.side(|side| side.tested = tested.clone());
    inner.tell_change();
    tested
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
