//! What closing a session promises: its PIN ends, whatever fails, and no message that was written until then is lost.

#![allow(clippy::unwrap_used)]

mod pair;
#[path = "../told/mod.rs"]
mod told;

use proptest::prelude::*;
use session::{Effect, Event, Failure, Input, Life, LifeEvent, Revocation, SessionStatus, Timer};

use pair::Pair;
use told::{DAY, T0};

#[test]
fn closing_ends_the_pin_first_and_saves_all_that_was_written_until_then() {
    let mut pair = Pair::live();
    let effects = pair.close();
    assert!(effects.contains(&Effect::RevokePin));
    assert!(!effects.contains(&Effect::FetchChat { transcript: true }), "it could lack the end");
    let ending =
        |word| matches!(word, SessionStatus::Closed { pin_valid_until: Some(_), ending: true, .. });
    assert!(ending(pair.session.word()));
    pair.write();
    pair.answer_revoke(Revocation::Done);
    assert!(matches!(
        pair.session.word(),
        SessionStatus::Closed { pin_valid_until: None, ending: false, .. }
    ));
    pair.answer_fetch(false);
    assert_eq!(pair.saved(), Some(1));
    assert_eq!((pair.revoking, pair.fetching.len()), (0, 0));
}

#[test]
fn a_transcript_that_cant_be_fetched_doesnt_hold_up_the_end_of_the_pin() {
    let mut pair = Pair::closed();
    pair.answer_revoke(Revocation::Done);
    for _ in 0..5 {
        pair.answer_fetch(true);
        assert_eq!(pair.revoked(), Some(true));
        pair.elapse(Timer::RetryTranscript);
    }
    pair.answer_fetch(false);
    assert_eq!(pair.saved(), Some(0));
}

#[test]
fn an_end_of_the_pin_that_fails_is_told_and_tried_until_it_is_done_beside_the_transcript() {
    let mut pair = Pair::closed();
    let failure = Failure::Unreachable;
    for _ in 0..5 {
        pair.answer_revoke(Revocation::Failed(failure));
        assert!(matches!(pair.session.word(), SessionStatus::Closed { ending: true, .. }));
        pair.answer_fetch(false);
        pair.write();
        pair.elapse(Timer::RetryRevoke);
    }
    assert_eq!(pair.saved(), Some(0), "the one doesn't wait for the other");
    pair.answer_revoke(Revocation::Done);
    pair.answer_fetch(false);
    assert_eq!(pair.saved(), Some(5), "what was written until the PIN was ended");
    let of_pin = |event: &&Event| {
        matches!(event, Event::Life(LifeEvent::PinNotEnded { .. } | LifeEvent::PinEnded))
    };
    let of_pin: Vec<_> = pair.session.events.iter().filter(of_pin).cloned().collect();
    let expected: [Event; 2] =
        [LifeEvent::PinNotEnded { failure }.into(), LifeEvent::PinEnded.into()];
    assert_eq!(of_pin, expected, "each once");
}

#[test]
fn the_end_of_the_pin_is_tried_again_after_a_restart_and_no_longer_than_it_is_good() {
    let mut pair = Pair::closed();
    pair.restart();
    assert_eq!(pair.revoking, 1);
    pair.answer_revoke(Revocation::Failed(Failure::TimedOut));
    pair.session.now = T0.plus(DAY);
    pair.elapse(Timer::RetryRevoke);
    assert_eq!(pair.revoking, 0);
    assert!(matches!(
        pair.session.word(),
        SessionStatus::Closed { pin_valid_until: None, ending: false, .. }
    ));
    pair.restart();
    assert_eq!(pair.revoking, 0);
}

#[test]
fn a_service_that_ends_no_pin_is_asked_for_the_chat_and_not_again_for_the_end() {
    let mut pair = Pair::live();
    pair.write();
    pair.close();
    pair.answer_revoke(Revocation::Impossible);
    assert!(matches!(
        pair.session.word(),
        SessionStatus::Closed { pin_valid_until: Some(_), ending: false, .. }
    ));
    pair.answer_fetch(false);
    assert_eq!(pair.saved(), Some(1));
    pair.restart();
    assert_eq!((pair.revoking, pair.session.timers.contains(&Timer::RetryRevoke)), (0, false));
}

#[test]
fn what_stands_before_a_broker_that_told_its_state_doesnt_end_the_tries() {
    let mut pair = Pair::live();
    pair.session.state.record.observed.revision = 7;
    pair.close();
    pair.answer_revoke(Revocation::Impossible);
    assert!(matches!(pair.session.word(), SessionStatus::Closed { ending: true, .. }));
    pair.elapse(Timer::RetryRevoke);
    pair.answer_revoke(Revocation::Done);
    assert_eq!(pair.revoked(), Some(true));
}

#[test]
fn what_was_written_before_a_pin_ran_out_unended_is_saved_for_as_long_as_the_service_gives_it() {
    for is_restarted in [false, true] {
        let mut pair = Pair::closed();
        pair.answer_revoke(Revocation::Failed(Failure::Unreachable));
        pair.answer_fetch(false);
        pair.write();
        assert!(!pair.session.state.record.closed_pin_is_done(pair.session.now));
        pair.expire();
        assert!(
            !pair.session.state.record.closed_pin_is_done(pair.session.now),
            "its chat is still needed"
        );
        if is_restarted {
            pair.restart();
        } else {
            pair.elapse(Timer::RetryRevoke);
        }
        pair.answer_fetch(false);
        assert_eq!(pair.saved(), Some(1), "{is_restarted}");
        assert!(pair.session.state.record.closed_pin_is_done(pair.session.now));
    }
    let mut pair = Pair::closed();
    pair.answer_revoke(Revocation::Failed(Failure::Unreachable));
    pair.answer_fetch(false);
    pair.session.now = T0.plus(2 * DAY);
    assert!(
        pair.session.state.record.closed_pin_is_done(pair.session.now),
        "the service has forgotten it"
    );
    pair.restart();
    assert!(pair.fetching.is_empty());
}

#[test]
fn a_message_that_a_fetch_under_way_lacks_isnt_lost_to_the_close() {
    let mut pair = Pair::live();
    pair.viewers_gone();
    assert_eq!(pair.fetching, [0]);
    pair.write();
    pair.close();
    pair.answer_fetch(false);
    pair.answer_revoke(Revocation::Impossible);
    while !pair.fetching.is_empty() {
        pair.answer_fetch(false);
    }
    assert_eq!(pair.saved(), Some(1));
}

#[test]
fn an_end_of_the_pin_that_failed_before_a_restart_is_told_once_and_so_is_the_end() {
    let mut pair = Pair::closed();
    let failure = Failure::Unreachable;
    pair.answer_revoke(Revocation::Failed(failure));
    pair.restart();
    pair.answer_revoke(Revocation::Failed(failure));
    pair.restart();
    pair.answer_revoke(Revocation::Done);
    assert_eq!(pair.count(&LifeEvent::PinNotEnded { failure }.into()), 1);
    assert_eq!(pair.count(&LifeEvent::PinEnded.into()), 1);
}

#[test]
fn a_session_that_gave_up_keeps_its_pin_until_that_is_ended() {
    let mut pair = Pair::live();
    pair.tell(Input::GaveUp);
    pair.tell(Input::GaveUp);
    assert!(matches!(pair.session.state.record.life, Life::Failed { .. }));
    let effects = pair.tell(Input::Retry { region: None });
    assert!(effects.is_empty(), "another PIN would take its place: {effects:?}");
    assert!(pair.close().contains(&Effect::RevokePin));
    pair.answer_revoke(Revocation::Done);
    assert_eq!(pair.revoked(), Some(true));

    let mut pair = Pair::live();
    pair.tell(Input::GaveUp);
    pair.expire();
    pair.tell(Input::Retry { region: None });
    assert_eq!(pair.session.state.record.life, Life::Allocating, "that PIN is over");
}

#[derive(Debug, Clone)]
enum Happens {
    Close,
    Writes,
    Revoked(Revocation),
    Fetched { fails: bool },
    Elapsed(Timer),
    Restart,
    ViewersGone,
    Expires,
}

fn happens() -> impl Strategy<Value = Happens> {
    let failures = [
        Failure::Unreachable,
        Failure::Faulty { status: 500 },
        Failure::Rejected { status: 403 },
        Failure::Malformed,
    ];
    let failed = proptest::sample::select(failures.to_vec()).prop_map(Revocation::Failed);
    prop_oneof![
        1 => Just(Happens::Close),
        3 => Just(Happens::Writes),
        2 => failed.prop_map(Happens::Revoked),
        1 => Just(Happens::Revoked(Revocation::Done)),
        1 => Just(Happens::Revoked(Revocation::Impossible)),
        3 => any::<bool>().prop_map(|fails| Happens::Fetched { fails }),
        2 => Just(Happens::Elapsed(Timer::RetryRevoke)),
        2 => Just(Happens::Elapsed(Timer::RetryTranscript)),
        1 => Just(Happens::Restart),
        1 => Just(Happens::ViewersGone),
        1 => Just(Happens::Expires),
        1 => Just(Happens::Elapsed(Timer::PinOver)),
    ]
}

proptest! {
    #[test]
    fn a_closed_pin_is_ended_and_nothing_written_until_then_is_lost_whatever_fails(
        all in proptest::collection::vec(happens(), 0..60),
    ) {
        let mut pair = Pair::live();
        for one in all {
            match one {
                Happens::Close => drop(pair.close()),
                Happens::Writes => pair.write(),
                Happens::Revoked(revocation) => pair.answer_revoke(revocation),
                Happens::Fetched { fails } => pair.answer_fetch(fails),
                Happens::Elapsed(timer) => pair.elapse(timer),
                Happens::Restart => pair.restart(),
                Happens::Expires => pair.expire(),
                Happens::ViewersGone => pair.viewers_gone(),
            }
            prop_assert!(pair.fetching.len() <= 1, "one fetch at a time");
            let is_closed = matches!(pair.session.state.record.life, Life::Closed { .. });
            let is_tried = pair.revoking > 0 || pair.session.timers.contains(&Timer::RetryRevoke);
            prop_assert!(!is_closed || pair.revoked().is_some() || is_tried, "nothing ends the PIN");
        }
        pair.close();
        // The service works again.
        for _ in 0..4 {
            pair.answer_revoke(Revocation::Done);
            pair.answer_fetch(false);
            pair.elapse(Timer::RetryRevoke);
            pair.elapse(Timer::RetryTranscript);
        }
        match pair.revoked() {
            Some(true) => prop_assert_eq!(pair.saved(), Some(pair.written)),
            // The service ends none, so that more can be written.
            Some(false) => prop_assert!(pair.saved() >= pair.written_at_close),
            None => prop_assert!(false, "nothing ends the PIN"),
        }
        prop_assert!(pair.revoking == 0 && pair.fetching.is_empty(), "nothing is left to do");
    }
}
