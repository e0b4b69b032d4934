//! Second programs, and why the sharing ended: each told once.

use super::*;

#[test]
fn a_second_program_is_told_once_each_time_that_one_comes() {
    let mut pair = Pair::new();
    let second = |pair: &Pair| {
        let is =
            |event: &&Event| matches!(event, Event::Presence(PresenceEvent::SecondProgram { .. }));
        pair.events.iter().filter(is).count()
    };
    pair.observe();
    assert_eq!(second(&pair), 0);
    for (after, told) in [(0, 1), (1, 1), (60, 2), (60, 2)] {
        pair.broker.other_program = Some(incident(after, None));
        pair.observe();
        pair.state = State::restored(pair.state.record.clone());
        pair.observe();
        assert_eq!(second(&pair), told, "after {after} s");
    }
}

#[test]
fn why_the_sharing_ended_is_told_once_each_time() {
    let mut pair = Pair::new();
    let told = |pair: &Pair| {
        let is =
            |event: &&Event| matches!(event, Event::Presence(PresenceEvent::SharingEnded { .. }));
        pair.events.iter().filter(is).count()
    };
    pair.observe();
    for (after, times) in [(0, 1), (1, 1), (60, 2), (60, 2)] {
        pair.broker.sharing_end = Some((SharingEnd::Interfered, incident(after, None)));
        pair.observe();
        pair.state = State::restored(pair.state.record.clone());
        pair.observe();
        assert_eq!(told(&pair), times, "after {after} s");
    }
}
