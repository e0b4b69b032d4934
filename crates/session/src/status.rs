//! The one status by which people know a session, derived from its record: the first that fits wins
//! (product.md, State words).

use serde::{Deserialize, Serialize};

use crate::{Failure, Life, Outcome, Presenter, Record, Timestamp, Viewers};

/// A session's status with its details.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "is")]
pub enum SessionStatus {
    /// Closed here; never reopens.
    Closed {
        /// When it was closed.
        at: Timestamp,
        /// The outcome.
        outcome: Outcome,
        /// Until about when the PIN stays valid; none if it is over or was revoked.
        pin_valid_until: Option<Timestamp>,
    },
    /// No PIN, or the actor failed for good.
    Failed {
        /// Why it failed.
        failure: Failure,
    },
    /// The PIN's life is over and nobody ever joined.
    Expired,
    /// All viewers gone by the service's word, or the PIN is over after somebody had joined.
    Ended {
        /// Since when.
        since: Timestamp,
        /// Because the PIN's life is over.
        pin_over: bool,
        /// The presenter isn't known to be gone.
        may_still_run: bool,
    },
    /// It was online and is gone.
    PresenterOffline {
        /// Since when.
        since: Timestamp,
    },
    /// Presenter and at least one viewer are there.
    Active {
        /// Since when both are.
        since: Timestamp,
    },
    /// A viewer is there, the presenter not yet.
    ViewerWaiting {
        /// Since when.
        since: Timestamp,
    },
    /// Presenter online, no viewer.
    Ready {
        /// Since when.
        since: Timestamp,
    },
    /// PIN given out, nobody there yet.
    Waiting {
        /// Since when.
        since: Timestamp,
    },
    /// Events may have been missed, so none of the statuses above is known to be true.
    Unknown {
        /// Since when.
        since: Timestamp,
    },
    /// The PIN has been asked for.
    Allocating,
}

impl SessionStatus {
    /// The status of `record` at `now`.
    pub fn new(record: &Record, now: Timestamp) -> Self {
        match &record.life {
            Life::Closed { at, outcome, allocation, revoked } => Self::Closed {
                at: *at,
                outcome: *outcome,
                pin_valid_until: allocation
                    .as_ref()
                    .map(|allocation| allocation.expires)
                    .filter(|&expires| *revoked != Some(true) && expires > now),
            },
            Life::Failed { failure, .. } => Self::Failed { failure: *failure },
            Life::Over { allocation, .. } if record.joined => Self::Ended {
                since: allocation.expires,
                pin_over: true,
                may_still_run: !matches!(record.presenter, Presenter::Offline { .. }),
            },
            Life::Over { .. } => Self::Expired,
            Life::Allocating => Self::Allocating,
            Life::Live(allocation) => {
                of_live_session(record.presenter, record.viewers, allocation.at)
            }
        }
    }
}

fn of_live_session(presenter: Presenter, viewers: Viewers, allocated: Timestamp) -> SessionStatus {
    match (presenter, viewers) {
        // Before the presenter is looked at: the service ends a session with its last viewer,
        // whoever else stays.
        (_, Viewers::None { since, reopened: false }) => SessionStatus::Ended {
            since,
            pin_over: false,
            may_still_run: !matches!(presenter, Presenter::Offline { .. }),
        },
        (Presenter::Offline { since }, _) => SessionStatus::PresenterOffline { since },
        (Presenter::Unknown { since }, Viewers::Unknown { since: other }) => {
            SessionStatus::Unknown { since: since.min(other) }
        }
        (Presenter::Unknown { since }, _) | (_, Viewers::Unknown { since }) => {
            SessionStatus::Unknown { since }
        }
        (Presenter::Online { since }, Viewers::Some { since: other }) => {
            SessionStatus::Active { since: since.max(other) }
        }
        (Presenter::Never, Viewers::Some { since }) => SessionStatus::ViewerWaiting { since },
        (Presenter::Online { since }, Viewers::Never | Viewers::None { reopened: true, .. }) => {
            SessionStatus::Ready { since }
        }
        (Presenter::Never, Viewers::Never | Viewers::None { reopened: true, .. }) => {
            SessionStatus::Waiting { since: allocated }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const T: Timestamp = Timestamp(1_000);

    #[test]
    fn the_first_word_that_fits_wins() {
        let online = Presenter::Online { since: T };
        let offline = Presenter::Offline { since: T };
        let some = Viewers::Some { since: T };
        let none = Viewers::None { since: T, reopened: false };
        let table = [
            (Presenter::Never, Viewers::Never, SessionStatus::Waiting { since: T }),
            (online, Viewers::Never, SessionStatus::Ready { since: T }),
            (Presenter::Never, some, SessionStatus::ViewerWaiting { since: T }),
            (online, some, SessionStatus::Active { since: T }),
            (offline, some, SessionStatus::PresenterOffline { since: T }),
            (online, none, SessionStatus::Ended { since: T, pin_over: false, may_still_run: true }),
            (
                offline,
                none,
                SessionStatus::Ended { since: T, pin_over: false, may_still_run: false },
            ),
            (online, Viewers::None { since: T, reopened: true }, SessionStatus::Ready { since: T }),
            (Presenter::Unknown { since: T }, some, SessionStatus::Unknown { since: T }),
            (online, Viewers::Unknown { since: T }, SessionStatus::Unknown { since: T }),
        ];
        for (presenter, viewers, word) in table {
            assert_eq!(of_live_session(presenter, viewers, T), word, "{presenter:?} {viewers:?}");
        }
    }
}
