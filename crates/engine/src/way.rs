//! What is known of the way from the service to our listener.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use session::Timestamp;
use tokio::sync::{Mutex, MutexGuard, Notify, watch};

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
    /// After a test that began at `began`. `own_came` if a call of our own has ever come through.
    fn after_test(
        self,
        began: Timestamp,
        tested: Result<Reached, ReachError>,
        own_came: bool,
    ) -> Self {
        match (tested, self) {
            // Our own call doesn't take the way from the service: what has proved more stands.
            (
                Ok(Reached { by: Requester::Ourselves, .. }),
                Self::Works { by: by @ (Proof::Hook | Proof::Call(Requester::Service)), .. },
            ) => Self::Works { at: began, by },
            (Ok(reached), _) => Self::Works { at: began, by: Proof::Call(reached.by) },
            (Err(error), way) if !error.is_verdict() => way,
            // This computer may never reach its own URL, by its router or its names, while the service does.
            (
                Err(error),
                way @ Self::Works { by: Proof::Hook | Proof::Call(Requester::Service), .. },
            ) if error.is_of_our_own_call() && !own_came => way,
            // A hook arrived while the test was under way.
            (Err(_), way @ Self::Works { at, .. }) if at > began => way,
            (Err(error), Self::Works { at, .. }) => Self::Broken { since: at, error },
            (Err(error), Self::Broken { since, .. }) => Self::Broken { since, error },
            (Err(error), Self::Unknown) => Self::Broken { since: began, error },
        }
    }

    pub(crate) const fn is_broken(self) -> bool {
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

    /// Whether this computer's own call failed, and not one of the service.
    const fn is_of_our_own_call(self) -> bool {
        match self {
            Self::NoAnswer | Self::SomethingElse { .. } => true,
            Self::NothingForService
            | Self::AnotherForService
            | Self::NotAllowed
            | Self::TooOften
            | Self::NoClient => false,
        }
    }
}

/// The way, as all parts of the engine know it. It holds no store, so a test may outlive its engine.
#[derive(Clone)]
pub(crate) struct KnownWay(Arc<Inner>);

struct Inner {
    way: watch::Sender<Way>,
    /// Whether a call of our own has ever come through.
    own_came: AtomicBool,
    again: Notify,
    /// Held while it is tested.
    testing: Mutex<()>,
}

impl Default for KnownWay {
    fn default() -> Self {
        Self(Arc::new(Inner {
            way: watch::Sender::new(Way::Unknown),
            own_came: AtomicBool::new(false),
            again: Notify::new(),
            testing: Mutex::new(()),
        }))
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

    /// Waits until no other test is under way. Their results are learnt in the order in which they began.
    pub async fn one_at_a_time(&self) -> MutexGuard<'_, ()> {
        self.0.testing.lock().await
    }

    /// It may have changed: it is tested now.
    pub fn test_again(&self) {
        self.0.again.notify_one();
    }

    pub fn tested(&self, began: Timestamp, tested: Result<Reached, ReachError>) {
        if let Ok(Reached { by: Requester::Ourselves, .. }) = tested {
            self.0.own_came.store(true, Ordering::Relaxed);
        }
        let own_came = self.0.own_came.load(Ordering::Relaxed);
        self.learn(|way| way.after_test(began, tested, own_came));
    }

    /// Resolves when it may have changed.
    pub async fn is_to_be_tested(&self) {
        self.0.again.notified().await;
    }

    pub fn subscribe(&self) -> watch::Receiver<Way> {
        self.0.way.subscribe()
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

/// A request that reached the listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reached {
    /// The requester.
    pub by: Requester,
    /// The duration of the round trip.
    pub took: Duration,
}

/// Who made the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Requester {
    /// The service, so its hooks come too.
    Service,
    /// This computer, as the service can't be asked.
    Ourselves,
}

/// Why the URL doesn't lead here; one variant for each remedy. Its text completes "could not ...".
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReachError {
    /// Remedy: check name, port and forwarding.
    #[error("reach the listener by its URL: nothing answers there")]
    NoAnswer,
    /// Remedy: check where it is forwarded to.
    #[error("reach the listener by its URL: something else answers there ({status})")]
    SomethingElse {
        /// The HTTP status.
        status: u16,
    },
    /// Remedy: check the route from the service, and firewalls.
    #[error("reach the listener by its URL: the service called and nothing answered")]
    NothingForService,
    /// Remedy: check where it is forwarded to, as seen from there.
    #[error("reach the listener by its URL: something else answers the service there")]
    AnotherForService,
    /// Remedy: ask the service's operator, or use another URL.
    #[error("reach the listener by its URL: the service may not call this address")]
    NotAllowed,
    /// The service limits its calls. Remedy: wait.
    #[error("reach the listener by its URL: the service was asked too often")]
    TooOften,
    /// The client can't be made.
    #[error("reach the listener by its URL: no client could be made")]
    NoClient,
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
        let broken = works(T, Proof::Hook).after_test(LATER, Err(ERROR), true);
        assert_eq!(broken, Way::Broken { since: T, error: ERROR });
        let other = ReachError::NoAnswer;
        let still = broken.after_test(Timestamp(3_000), Err(other), true);
        assert_eq!(still, Way::Broken { since: T, error: other });
        assert_eq!(
            Way::Unknown.after_test(T, Err(ERROR), true),
            Way::Broken { since: T, error: ERROR }
        );
    }

    #[test]
    fn a_test_that_says_nothing_of_the_way_changes_nothing() {
        let way = works(T, Proof::Call(Requester::Service));
        for error in [ReachError::TooOften, ReachError::NoClient] {
            assert_eq!(way.after_test(LATER, Err(error), true), way);
            assert_eq!(Way::Unknown.after_test(LATER, Err(error), true), Way::Unknown);
        }
    }

    #[test]
    fn a_hook_proves_more_than_our_own_call_and_than_an_older_test() {
        let own = came(Requester::Ourselves);
        assert_eq!(works(T, Proof::Hook).after_test(LATER, own, true), works(LATER, Proof::Hook));
        assert_eq!(
            Way::Unknown.after_test(T, own, true),
            works(T, Proof::Call(Requester::Ourselves))
        );
        let meanwhile = works(LATER, Proof::Hook);
        assert_eq!(meanwhile.after_test(T, Err(ERROR), true), meanwhile);
    }

    #[test]
    fn a_hook_mends_a_broken_way_and_only_changes_are_news() {
        let known = KnownWay::default();
        let mut news = known.subscribe();
        known.tested(T, Err(ERROR));
        assert!(news.has_changed().unwrap() && known.now().is_broken());
        known.hook_came(LATER);
        assert_eq!(*news.borrow_and_update(), works(LATER, Proof::Hook));
        known.hook_came(Timestamp(3_000));
        known.tested(Timestamp(4_000), came(Requester::Ourselves));
        assert!(!news.has_changed().unwrap());
        assert_eq!(known.now(), works(Timestamp(4_000), Proof::Hook));
    }

    #[test]
    fn a_url_that_this_computer_never_reached_says_nothing_of_a_way_that_hooks_take() {
        for error in [ReachError::NoAnswer, ERROR] {
            let known = KnownWay::default();
            known.tested(T, Err(error));
            assert!(known.now().is_broken(), "nothing has proved it");
            known.hook_came(LATER);
            known.tested(Timestamp(3_000), Err(error));
            assert_eq!(known.now(), works(LATER, Proof::Hook));
            // The service's own word counts, and so does our call once it has come through.
            known.tested(Timestamp(4_000), Err(ReachError::NothingForService));
            assert!(known.now().is_broken());
            known.hook_came(Timestamp(5_000));
            known.tested(Timestamp(6_000), came(Requester::Ourselves));
            known.tested(Timestamp(7_000), Err(error));
            assert!(known.now().is_broken());
        }
    }
}
