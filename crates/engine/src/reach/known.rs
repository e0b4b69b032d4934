//! What is known of the way from the service to our listener, and how that stays true.
//!
//! A way that worked can break at any time, and one that was broken is mended by somebody else. So it
//! is tested again and again: at the heartbeat's pace, after time that passed without us, and after
//! outages of the service. A hook that arrives is the best proof.

use std::{sync::Arc, time::Duration};

use session::{Input, Timestamp};
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use super::{ReachError, Reached, Requester, Tester};
use crate::{clock::now, context::Context};

/// A way that works is tested at the heartbeat's pace within these bounds: a service may allow few
/// tests a minute, and a lamp must not stay green for long without a proof.
const TEST_EVERY: [Duration; 2] = [Duration::from_secs(15), Duration::from_secs(60)];
/// How often a broken one is tested: somebody may be waiting for it.
const TEST_BROKEN_EVERY: Duration = Duration::from_secs(20);
/// One test may fail by chance; after so long a second one decides.
const CONFIRM_AFTER: Duration = Duration::from_secs(2);

/// Whether hooks can arrive, as far as is known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Way {
    /// Nothing was tested, and no hook has arrived.
    #[default]
    Unknown,
    /// It was proved.
    Works {
        /// When it was last proved.
        at: Timestamp,
        /// By what.
        by: Proof,
    },
    /// A test failed, and no hook has arrived since.
    Broken {
        /// When it was last known to work, or the first test that failed: hooks since then are lost.
        since: Timestamp,
        /// Why the test failed.
        error: ReachError,
    },
}

/// What proved that the way works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// A hook of the service arrived.
    Hook,
    /// The call of a test arrived.
    Call(Requester),
}

impl Way {
    /// After a test that began at `began`.
    fn after_test(self, began: Timestamp, tested: Result<Reached, ReachError>) -> Self {
        match (tested, self) {
            // Our own call doesn't take the way from the service: what has proved more stands.
            (
                Ok(Reached { by: Requester::Ourselves, .. }),
                Self::Works { by: by @ (Proof::Hook | Proof::Call(Requester::Service)), .. },
            ) => Self::Works { at: began, by },
            (Ok(reached), _) => Self::Works { at: began, by: Proof::Call(reached.by) },
            (Err(error), way) if !error.is_verdict() => way,
            // A hook arrived while the test was under way.
            (Err(_), way @ Self::Works { at, .. }) if at > began => way,
            (Err(error), Self::Works { at, .. }) => Self::Broken { since: at, error },
            (Err(error), Self::Broken { since, .. }) => Self::Broken { since, error },
            (Err(error), Self::Unknown) => Self::Broken { since: began, error },
        }
    }

    const fn is_broken(self) -> bool {
        match self {
            Self::Broken { .. } => true,
            Self::Unknown | Self::Works { .. } => false,
        }
    }
}

impl ReachError {
    /// Whether it says something of the way.
    const fn is_verdict(self) -> bool {
        match self {
            Self::TooOften | Self::NoClient => false,
            Self::NoAnswer
            | Self::SomethingElse { .. }
            | Self::NothingForService
            | Self::AnotherForService
            | Self::NotAllowed => true,
        }
    }
}

/// The way, as all parts of the engine know it. It holds no store, so a test may outlive its engine.
#[derive(Clone)]
pub(crate) struct KnownWay(Arc<Inner>);

struct Inner {
    way: watch::Sender<Way>,
    again: Notify,
}

impl Default for KnownWay {
    fn default() -> Self {
        Self(Arc::new(Inner { way: watch::Sender::new(Way::Unknown), again: Notify::new() }))
    }
}

impl KnownWay {
    pub fn now(&self) -> Way {
        *self.0.way.borrow()
    }

    /// A hook arrived.
    pub fn hook_came(&self, at: Timestamp) {
        self.learn(|_| Way::Works { at, by: Proof::Hook });
    }

    /// It may have changed: it is tested now.
    pub fn test_again(&self) {
        self.0.again.notify_one();
    }

    pub(super) fn tested(&self, began: Timestamp, tested: Result<Reached, ReachError>) {
        self.learn(|way| way.after_test(began, tested));
    }

    fn learn(&self, learn: impl FnOnce(Way) -> Way) {
        self.0.way.send_if_modified(|way| {
            let before = *way;
            *way = learn(before);
            // A further proof of the same kind is no news.
            match (before, *way) {
                (Way::Works { by: before, .. }, Way::Works { by: after, .. }) => before != after,
                (before, after) => before != after,
            }
        });
    }
}

/// Tests the way until the engine stops.
pub(crate) async fn keep_testing(tester: Tester, heartbeat: Duration, stopping: CancellationToken) {
    let [shortest, longest] = TEST_EVERY;
    let known = tester.known.clone();
    let testing = async {
        loop {
            test_and_confirm(&tester).await;
            let rest = if known.now().is_broken() {
                TEST_BROKEN_EVERY
            } else {
                heartbeat.clamp(shortest, longest)
            };
            let _ = tokio::time::timeout(rest, known.0.again.notified()).await;
        }
    };
    stopping.run_until_cancelled(testing).await;
}

async fn test_and_confirm(tester: &Tester) {
    let (mut began, mut tested) = (now(), tester.test_once().await);
    if tested.is_err() && matches!(tester.known.now(), Way::Works { .. }) {
        tokio::time::sleep(CONFIRM_AFTER).await;
        (began, tested) = (now(), tester.test_once().await);
    }
    tester.known.tested(began, tested);
}

/// Tells the sessions when the way breaks, and when it is mended.
pub(crate) async fn tell_changes(context: Arc<Context>) {
    let mut way = context.way.0.way.subscribe();
    let mut before = *way.borrow_and_update();
    while let Some(Ok(())) = context.watch.stopping.run_until_cancelled(way.changed()).await {
        let after = *way.borrow_and_update();
        match (before.is_broken(), after) {
            (false, Way::Broken { since, error }) => {
                tracing::warn!(since_ms = since.0, %error, "hooks cannot arrive");
                context.tell_all(&Input::Missed { since });
            }
            // Those that fired in vain are not armed any more.
            (true, Way::Works { .. }) => context.tell_all(&Input::Recheck),
            (true, Way::Broken { .. } | Way::Unknown)
            | (false, Way::Works { .. } | Way::Unknown) => {}
        }
        before = after;
        context.bus.health_changed();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const T: Timestamp = Timestamp(1_000);
    const LATER: Timestamp = Timestamp(2_000);
    const ERROR: ReachError = ReachError::SomethingElse { status: 502 };

    fn came(by: Requester) -> Result<Reached, ReachError> {
        Ok(Reached { by, took: Duration::ZERO })
    }

    fn works(at: Timestamp, by: Proof) -> Way {
        Way::Works { at, by }
    }

    #[test]
    fn a_way_that_worked_breaks_since_it_last_did_and_stays_broken_since_then() {
        let broken = works(T, Proof::Hook).after_test(LATER, Err(ERROR));
        assert_eq!(broken, Way::Broken { since: T, error: ERROR });
        let other = ReachError::NoAnswer;
        let still = broken.after_test(Timestamp(3_000), Err(other));
        assert_eq!(still, Way::Broken { since: T, error: other });
        assert_eq!(Way::Unknown.after_test(T, Err(ERROR)), Way::Broken { since: T, error: ERROR });
    }

    #[test]
    fn a_test_that_says_nothing_of_the_way_changes_nothing() {
        let way = works(T, Proof::Call(Requester::Service));
        for error in [ReachError::TooOften, ReachError::NoClient] {
            assert_eq!(way.after_test(LATER, Err(error)), way);
            assert_eq!(Way::Unknown.after_test(LATER, Err(error)), Way::Unknown);
        }
    }

    #[test]
    fn a_hook_proves_more_than_our_own_call_and_than_an_older_test() {
        let own = came(Requester::Ourselves);
        assert_eq!(works(T, Proof::Hook).after_test(LATER, own), works(LATER, Proof::Hook));
        assert_eq!(Way::Unknown.after_test(T, own), works(T, Proof::Call(Requester::Ourselves)));
        let meanwhile = works(LATER, Proof::Hook);
        assert_eq!(meanwhile.after_test(T, Err(ERROR)), meanwhile);
    }

    #[test]
    fn a_hook_mends_a_broken_way_and_only_changes_are_news() {
        let known = KnownWay::default();
        let mut news = known.0.way.subscribe();
        known.tested(T, Err(ERROR));
        assert!(news.has_changed().unwrap() && known.now().is_broken());
        known.hook_came(LATER);
        assert_eq!(*news.borrow_and_update(), works(LATER, Proof::Hook));
        known.hook_came(Timestamp(3_000));
        known.tested(Timestamp(4_000), came(Requester::Ourselves));
        assert!(!news.has_changed().unwrap());
        assert_eq!(known.now(), works(Timestamp(4_000), Proof::Hook));
    }
}
