//! What the broker tells of something that happened once: the sharing's end, another program.

use super::*;

/// Both incidents that a broker tells, counted by the console's events.
fn incidents(pair: &Pair) -> (usize, usize) {
    let count = |is: fn(&PresenceEvent) -> bool| {
        let of_presence = |event: &&Event| matches!(event, Event::Presence(event) if is(event));
        pair.events.iter().filter(of_presence).count()
    };
    (
        count(|event| matches!(event, PresenceEvent::SharingEnded { .. })),
        count(|event| matches!(event, PresenceEvent::SecondProgram { .. })),
    )
}

#[test]
fn an_incident_is_told_once_however_the_clock_is_set_and_though_it_comes_again_from_a_copy() {
    let mut pair = Pair::new();
    // How it is told, how far the clock is off by then, and how often it has been told.
    let story = [
        ("1-a", 0, 1),
        ("1-a", 7, 1),
        ("1-a", 86_400, 1),
        // Quite another one at the same time.
        ("2-b", 86_400, 2),
        ("2-b", 0, 2),
        // The broker's store was put back from a copy, and numbers on from there.
        ("1-a", 30, 2),
        ("2-c", 31, 3),
        ("2-b", 32, 3),
    ];
    for (id, off, times) in story {
        pair.broker.sharing_end = Some((SharingEnd::Interfered, incident(off, Some(id))));
        pair.broker.other_program = Some(incident(off, Some(id)));
        pair.observe();
        pair.state = State::restored(pair.state.record.clone());
        pair.observe();
        assert_eq!(incidents(&pair), (times, times), "{id} by a clock that is {off} s off");
    }
}

#[test]
fn an_incident_that_was_told_before_it_had_an_identity_is_not_told_again() {
    let mut pair = Pair::new();
    pair.state.record.observed.sharing_end = Some((SharingEnd::Interfered, T0));
    pair.state.record.observed.other_program = Some(T0);
    for (id, after, times) in [("1", 1, 0), ("1", 60, 0), ("2", 60, 1)] {
        pair.broker.sharing_end = Some((SharingEnd::Interfered, incident(after, Some(id))));
        pair.broker.other_program = Some(incident(after, Some(id)));
        pair.observe();
        assert_eq!(incidents(&pair), (times, times), "{id}");
    }
}
