//! What a broker tells of a session in which nothing has happened yet; for the tests that change it.

use session::{Arrival, LiveFacts, Observation, ObservedSide};
use wire::session_events::PinLife;

pub fn of_a_new_session() -> Observation {
    Observation {
        revision: 1,
        run: None,
        life: PinLife::Live,
        expires: None,
        arrival: Arrival::Nothing,
        presenter: ObservedSide::Never,
        viewers: ObservedSide::Never,
        reopened: None,
        happened: [0; 4],
        happened_at: [None; 4],
        mails: Vec::new(),
        facts: LiveFacts::default(),
        other_program: None,
        sharing_end: None,
        under_way: None,
    }
}
