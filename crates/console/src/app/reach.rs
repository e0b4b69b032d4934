//! Whether the service can reach our listener: from the two addresses, or by a test with a nonce.

use engine::{
    Engine,
    reach::{ReachError, Reached, Requester},
};
use session::Timestamp;
use url::{Host, Url};

use super::{engine_slot::EngineSlot, updates::Updates};
use crate::view::Reach;

/// The result of the last test.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum ReachTest {
    /// There was no test yet.
    #[default]
    NotDone,
    /// The call arrived.
    Passed {
        at: Timestamp,
        /// The caller, and how long the call took.
        reached: Reached,
    },
    /// The call didn't arrive.
    Failed(ReachError),
}

/// What is known of the way from the service to our listener. It goes by the running engine, not by
/// settings that are not in force yet.
pub(super) fn known(engine: &Engine, test: &ReachTest) -> Reach {
    match test {
        ReachTest::Passed { reached: Reached { by: Requester::Service, .. }, .. } => {
            return Reach::Reachable;
        }
        // Our own call shows where a public URL leads, but nothing about an address of
        // this network.
        ReachTest::Passed { reached: Reached { by: Requester::Ourselves, .. }, .. }
            if has_public_url(engine) =>
        {
            return Reach::Reachable;
        }
        ReachTest::Failed(_) => return Reach::Unreachable,
        ReachTest::Passed { .. } | ReachTest::NotDone => {}
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

/// Has our listener called at the hooks' URL, and stores the result.
pub(crate) async fn test(slot: &EngineSlot, updates: &Updates) -> ReachTest {
    let generation = slot.generation();
    // The engine isn't held during the call: another may start meanwhile, to which the result
    // doesn't apply.
    let test = slot.get().await.map(|engine| engine.test_reach());
    let Some(test) = test else { return ReachTest::NotDone };
    let tested = match test.await {
        Ok(reached) => ReachTest::Passed { at: engine::clock::now(), reached },
        Err(error) => ReachTest::Failed(error),
    };
    let is_of_this_engine = slot.learned(generation, |known| known.reach_test = tested.clone());
    updates.announce();
    if is_of_this_engine { tested } else { ReachTest::NotDone }
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
