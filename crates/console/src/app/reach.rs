//! Whether the service can reach our listener: by where both are, or by a test with a nonce.

use engine::{
    Engine,
    reach::{ReachError, Reached, Requester},
};
use session::Timestamp;
use url::{Host, Url};

use super::Inner;
use crate::view::Reach;

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

/// What is known of the way from the service to our listener; by the engine as it runs, not by settings
/// that are about to be in force.
pub(super) fn known(engine: &Engine, tested: &Tested) -> Reach {
    match tested {
        Tested::Came { reached: Reached { by: Requester::Service, .. }, .. } => {
            return Reach::Reachable;
        }
        // Our own call proves where a public URL leads, and nothing about an address of this network.
        Tested::Came { reached: Reached { by: Requester::Ourselves, .. }, .. }
            if has_public_url(engine) =>
        {
            return Reach::Reachable;
        }
        Tested::Failed(_) => return Reach::Unreachable,
        Tested::Came { .. } | Tested::Not => {}
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
pub(super) fn has_public_url(engine: &Engine) -> bool {
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

/// Has our listener called by the URL that hooks are given, and keeps what comes of it. Nothing waits for
/// that: a new engine may start meanwhile, of which it says nothing.
pub(crate) async fn test(inner: &Inner) -> Tested {
    let epoch = *inner.epoch.borrow();
    let test = inner.engine.read().await.as_ref().map(Engine::test_reach);
    let Some(test) = test else { return Tested::Not };
    let tested = match test.await {
        Ok(reached) => Tested::Came { at: engine::clock::now(), reached },
        Err(error) => Tested::Failed(error),
    };
    let is_of_this_engine = inner.side(|side| {
        let same = *inner.epoch.borrow() == epoch;
        if same {
            side.tested = tested.clone();
        }
        same
    });
    inner.tell_change();
    if is_of_this_engine { tested } else { Tested::Not }
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
