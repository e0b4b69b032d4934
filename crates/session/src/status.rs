//! The one status by which people know a session, derived from its record. The first that fits wins:
//!
//! | Status | When |
//! |---|---|
//! | Closed | the technician closed it; the only one that is final |
//! | Failed | no PIN, or the actor failed for good |
//! | Expired | the PIN's life is over and nobody ever joined |
//! | Ended (PIN over) | the PIN's life is over after somebody had joined |
//! | Allocating | the PIN has been asked for |
//! | Unknown | neither side's presence is known |
//! | Being asked | a program asks them whether they agree, and none is connected |
//! | Declined | they declined after any program of theirs left, and none is connected |
//! | Program downloaded, Page open | their page or program came after everything that they did before, and no program is connected |
//! | Ended | all viewers gone for over 60 s, and nobody of the customer came since; it can be opened, answered and closed |
//! | Customer offline | the program was connected and isn't any more |
//! | Unknown | one side's presence is not known |
//! | Active | presenter and at least one viewer are connected, and not all viewers wait to be let in |
//! | Viewer waiting | a viewer is there, the presenter not yet |
//! | Ready | presenter online, no viewer connected, or all that are wait to be let in |
//! | Waiting | PIN given out, nobody there yet |
//!
//! Those of the customer's arrival exist only while the broker tells how far the customer has come, and so does the
//! word that somebody has left who may still come back: no hook tells that they did.

use serde::{Deserialize, Serialize};

use crate::{Arrival, Failure, Life, Outcome, Presenter, Record, Timestamp, Viewers};

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
        /// The PIN is still to be ended by the service. Older rows have none.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        ending: bool,
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
        /// The presenter is online by the broker's own word, while it tells that. Older rows have none.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        still_online: bool,
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
    /// Presenter online, no viewer, or only such as wait to be let in.
    Ready {
        /// Since when.
        since: Timestamp,
    },
    /// The customer declined to share.
    Declined {
        /// When they did.
        since: Timestamp,
    },
    /// The customer's program asks them whether they agree.
    BeingAsked {
        /// Since when.
        since: Timestamp,
    },
    /// The customer downloaded the program, which hasn't connected yet.
    Downloaded {
        /// When they did.
        since: Timestamp,
    },
    /// The customer's page is open.
    PageOpen {
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
            Life::Closed { at, outcome, allocation, revoked } => {
                let end = allocation.as_ref().map(|allocation| allocation.end(now));
                let good_until = end.filter(|&end| *revoked != Some(true) && end > now);
                Self::Closed {
                    at: *at,
                    outcome: *outcome,
                    pin_valid_until: good_until,
                    ending: revoked.is_none() && good_until.is_some(),
                }
            }
            Life::Failed { failure, .. } => Self::Failed { failure: *failure },
            Life::Over { allocation, .. } if record.joined => Self::Ended {
                since: allocation.expires,
                pin_over: true,
                may_still_run: may_run(record.presenter),
                // With the PIN over, nothing reports any more.
                still_online: false,
            },
            Life::Over { .. } => Self::Expired,
            Life::Allocating => Self::Allocating,
            Life::Live(allocation) => of_arrival(shown_arrival(record))
                .unwrap_or_else(|| of_presence(record, allocation.at)),
        }
    }
}

/// How far the customer has come, if that says more than the presence; else nothing.
pub(crate) const fn shown_arrival(record: &Record) -> Arrival {
    let observed = &record.observed;
    match (record.presenter, observed.presenter_left) {
        // Nothing is claimed of a customer who may have moved on unseen. Beside a program that is connected, it is
        // another one that asks: whatever comes of it, the customer shares.
        (Presenter::Unknown { .. }, _) | (Presenter::Online { .. }, None) => Arrival::Nothing,
        (Presenter::Never | Presenter::Offline { .. } | Presenter::Online { .. }, _) => {
            match observed.arrival {
                // A question that is on the screen is newer than anything else.
                Arrival::Asked { .. } => observed.arrival,
                Arrival::Declined { .. }
                | Arrival::Downloaded { .. }
                | Arrival::PageOpen { .. }
                    if observed.arrival_is_newest =>
                {
                    observed.arrival
                }
                Arrival::Declined { .. }
                | Arrival::Downloaded { .. }
                | Arrival::PageOpen { .. }
                | Arrival::Nothing
                | Arrival::PageClosed { .. }
                | Arrival::Agreed { .. } => Arrival::Nothing,
            }
        }
    }
}

const fn of_arrival(shown: Arrival) -> Option<SessionStatus> {
    match shown {
        Arrival::Asked { since } => Some(SessionStatus::BeingAsked { since }),
        Arrival::Declined { since } => Some(SessionStatus::Declined { since }),
        Arrival::Downloaded { since } => Some(SessionStatus::Downloaded { since }),
        Arrival::PageOpen { since } => Some(SessionStatus::PageOpen { since }),
        Arrival::Nothing | Arrival::PageClosed { .. } | Arrival::Agreed { .. } => None,
    }
}

fn of_presence(record: &Record, allocated: Timestamp) -> SessionStatus {
    let observed = &record.observed;
    match (record.presenter, observed.presenter_left, record.viewers, observed.viewers_left) {
        // Its viewers are gone for longer than it: the session has ended.
        (_, _, Viewers::None { reopened: false, .. }, _) => {}
        (Presenter::Online { .. }, Some(since), _, _) => {
            return SessionStatus::PresenterOffline { since };
        }
        (Presenter::Online { .. }, None, Viewers::Some { .. }, Some(since)) => {
            return SessionStatus::Ready { since };
        }
        (Presenter::Never, _, Viewers::Some { .. }, Some(_)) => {
            return SessionStatus::Waiting { since: allocated };
        }
        // Nobody sees the screen.
        (Presenter::Online { since }, None, Viewers::Some { .. }, None)
            if observed.viewers_wait =>
        {
            return SessionStatus::Ready { since };
        }
        _ => {}
    }
    let mut status = of_live_session(record.presenter, record.viewers, allocated);
    if let SessionStatus::Ended { still_online, .. } = &mut status {
        // Hooks alone may have missed that it went, and so has everybody whom the broker tells nothing any more.
        *still_online = observed.is_told
            && observed.presenter_left.is_none()
            && matches!(record.presenter, Presenter::Online { .. });
    }
    status
}

/// Whether a program of the customer's may be running: one that never came isn't there to run on.
const fn may_run(presenter: Presenter) -> bool {
    match presenter {
        Presenter::Online { .. } | Presenter::Unknown { .. } => true,
        Presenter::Never | Presenter::Offline { .. } => false,
    }
}

fn of_live_session(presenter: Presenter, viewers: Viewers, allocated: Timestamp) -> SessionStatus {
    match (presenter, viewers) {
        // Before the presenter is looked at: the service ends a session with its last viewer,
        // whoever else stays.
        (_, Viewers::None { since, reopened: false }) => SessionStatus::Ended {
            since,
            pin_over: false,
            may_still_run: may_run(presenter),
            still_online: false,
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
        let ended = |may_still_run| SessionStatus::Ended {
            since: T,
            pin_over: false,
            may_still_run,
            still_online: false,
        };
        let table = [
            (Presenter::Never, Viewers::Never, SessionStatus::Waiting { since: T }),
            (online, Viewers::Never, SessionStatus::Ready { since: T }),
            (Presenter::Never, some, SessionStatus::ViewerWaiting { since: T }),
            (online, some, SessionStatus::Active { since: T }),
            (offline, some, SessionStatus::PresenterOffline { since: T }),
            (online, none, ended(true)),
            (offline, none, ended(false)),
            (Presenter::Never, none, ended(false)),
            (online, Viewers::None { since: T, reopened: true }, SessionStatus::Ready { since: T }),
            (Presenter::Unknown { since: T }, some, SessionStatus::Unknown { since: T }),
            (online, Viewers::Unknown { since: T }, SessionStatus::Unknown { since: T }),
        ];
        for (presenter, viewers, word) in table {
            assert_eq!(of_live_session(presenter, viewers, T), word, "{presenter:?} {viewers:?}");
        }
    }
}
