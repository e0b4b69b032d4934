//! The broker's words as the session machine takes them: how long ago something was becomes when it was.

use std::time::Duration;

use session::{Arrival, Observation, ObservedSide, Timestamp};
use wire::session_events::{self as wire_events, SessionFacts, SideFacts};

/// The facts as of `now`, when they arrived.
pub(super) fn observation(facts: &SessionFacts, now: Timestamp) -> Observation {
    Observation {
        revision: facts.revision,
        life: facts.life,
        arrival: arrival(facts.arrival, now),
        presenter: side(facts.presenter, now),
        viewers: side(facts.viewers, now),
        reopened: facts.reopened,
        happened: facts.happened,
        under_way: facts.under_way,
    }
}

fn arrival(arrival: wire_events::Arrival, now: Timestamp) -> Arrival {
    use wire_events::Arrival as Told;
    match arrival {
        Told::Nothing => Arrival::Nothing,
        Told::PageOpen { for_ms } => Arrival::PageOpen { since: ago(now, for_ms) },
        Told::PageClosed { for_ms } => Arrival::PageClosed { since: ago(now, for_ms) },
        Told::Downloaded { for_ms, page_open: _ } => {
            Arrival::Downloaded { since: ago(now, for_ms) }
        }
        Told::Asked { for_ms } => Arrival::Asked { since: ago(now, for_ms) },
        Told::Declined { for_ms } => Arrival::Declined { since: ago(now, for_ms) },
        Told::Agreed { for_ms } => Arrival::Agreed { since: ago(now, for_ms) },
    }
}

fn side(side: SideFacts, now: Timestamp) -> ObservedSide {
    match side {
        SideFacts::Never => ObservedSide::Never,
        SideFacts::Online { for_ms } => ObservedSide::Online { since: ago(now, for_ms) },
        SideFacts::Leaving { for_ms } => ObservedSide::Leaving { since: ago(now, for_ms) },
        SideFacts::Offline { for_ms } => ObservedSide::Offline { since: ago(now, for_ms) },
    }
}

fn ago(now: Timestamp, for_ms: u64) -> Timestamp {
    let ms = i64::try_from(Duration::from_millis(for_ms).as_millis()).unwrap_or(i64::MAX);
    Timestamp(now.0.saturating_sub(ms))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_counted_back_from_now_and_an_absurd_one_does_no_harm() {
        let now = Timestamp(1_700_000_000_000);
        let online = side(SideFacts::Online { for_ms: 1_500 }, now);
        assert_eq!(online, ObservedSide::Online { since: Timestamp(now.0 - 1_500) });
        let absurd = arrival(wire_events::Arrival::PageOpen { for_ms: u64::MAX }, now);
        assert_eq!(absurd, Arrival::PageOpen { since: Timestamp(now.0.saturating_sub(i64::MAX)) });
    }
}
