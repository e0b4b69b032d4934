//! How far the customer has come before a program of theirs is connected, by the broker's word, and what is told of it.
//!
//! Invariant: each step is told once, also over a stop: what was told last is stored with the record.

use std::time::Duration;

use super::Turn;
use crate::{Arrival, ArrivalEvent, Observation, status::shown_arrival};

/// What comes again before so much quiet has passed is no news: whoever has the PIN can load the page in a loop.
const QUIET: Duration = Duration::from_secs(60);

impl Turn {
    /// To be called once the presence is taken.
    pub(super) fn take_arrival(&mut self, seen: &Observation) {
        let observed = &mut self.state.record.observed;
        let before = observed.arrival;
        observed.arrival = seen.arrival.or_still(before);
        observed.arrival_is_newest = seen.arrival_is_newest();
        let shown = shown_arrival(&self.state.record);
        let observed = &mut self.state.record.observed;
        if is_news(shown, before, observed.arrival_told)
            && let Some(event) = event_of(shown)
        {
            observed.arrival_told = shown;
            self.tell(event);
        }
    }
}

/// Whether `shown` is to be told, after it was `before` and `told` was told last.
fn is_news(shown: Arrival, before: Arrival, told: Arrival) -> bool {
    let (Some(since), Some(last)) = (shown.since(), told.since()) else { return true };
    if shown.is_as(told) {
        // One that goes on may get another time from clocks that were set.
        !shown.is_as(before) && since.since(last) >= QUIET
    } else {
        // A question that went unanswered leaves what was before.
        since > last
    }
}

const fn event_of(arrival: Arrival) -> Option<ArrivalEvent> {
    match arrival {
        Arrival::PageOpen { since } => Some(ArrivalEvent::PageOpened { at: since }),
        Arrival::Downloaded { since } => Some(ArrivalEvent::ProgramDownloaded { at: since }),
        Arrival::Asked { since } => Some(ArrivalEvent::CustomerAsked { at: since }),
        Arrival::Declined { since } => Some(ArrivalEvent::CustomerDeclined { at: since }),
        Arrival::Nothing | Arrival::PageClosed { .. } | Arrival::Agreed { .. } => None,
    }
}
