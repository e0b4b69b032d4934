//! What closing a session promises: its PIN ends, whatever fails, and no message that was written until then is lost.

#![allow(clippy::unwrap_used)]

mod told;

use proptest::prelude::*;
use session::{Effect, Event, Failure, Input, Life, LifeEvent, Revocation, SessionStatus, Timer};

use told::{DAY, T0, Told};

#[test]
fn closing_ends_the_pin_first_and_saves_all_that_was_written_until_then() {
    let mut told = Told::live();
    let effects = told.close();
    assert!(effects.contains(&Effect::RevokePin));
    assert!(!effects.contains(&Effect::FetchChat { transcript: true }), "it could lack the end");
    let ending =
        |word| matches!(word, SessionStatus::Closed { pin_valid_until: Some(_), ending: true, .. });
    assert!(ending(told.word()));
    told.write();
    told.answer_revoke(Revocation::Done);
    assert!(matches!(
        told.word(),
        SessionStatus::Closed { pin_valid_until: None, ending: false, .. }
    ));
    told.answer_fetch(false);
    assert_eq!(told.saved(), Some(1));
    assert_eq!((told.revoking, told.fetching.len()), (0, 0));
}

#[test]
fn a_transcript_that_cant_be_fetched_doesnt_hold_up_the_end_of_the_pin() {
    let mut told = Told::closed();
    told.answer_revoke(Revocation::Done);
    for _ in 0..5 {
        told.answer_fetch(true);
        assert_eq!(told.revoked(), Some(true));
        told.elapse(Timer::RetryTranscript);
    }
    told.answer_fetch(false);
    assert_eq!(told.saved(), Some(0));
}

#[test]
fn an_end_of_the_pin_that_fails_is_told_and_tried_until_it_is_done_beside_the_transcript() {
    let mut told = Told::closed();
    let failure = Failure::Unreachable;
    for _ in 0..5 {
        told.answer_revoke(Revocation::Failed(failure));
        assert!(matches!(told.word(), SessionStatus::Closed { ending: true, .. }));
        told.answer_fetch(false);
        told.write();
        told.elapse(Timer::RetryRevoke);
    }
    assert_eq!(told.saved(), Some(0), "the one doesn't wait for the other");
    told.answer_revoke(Revocation::Done);
    told.answer_fetch(false);
    assert_eq!(told.saved(), Some(5), "what was written until the PIN was ended");
    let of_pin = |event: &&Event| {
        matches!(event, Event::Life(LifeEvent::PinNotEnded { .. } | LifeEvent::PinEnded))
    };
    let of_pin: Vec<_> = told.events.iter().filter(of_pin).cloned().collect();
    let expected: [Event; 2] =
        [LifeEvent::PinNotEnded { failure }.into(), LifeEvent::PinEnded.into()];
    assert_eq!(of_pin, expected, "each once");
}

#[test]
fn the_end_of_the_pin_is_tried_again_after_a_restart_and_no_longer_than_it_is_good() {
    let mut told = Told::closed();
    told.restart();
    assert_eq!(told.revoking, 1);
    told.answer_revoke(Revocation::Failed(Failure::TimedOut));
    told.now = T0.plus(DAY);
    told.elapse(Timer::RetryRevoke);
    assert_eq!(told.revoking, 0);
    assert!(matches!(
        told.word(),
        SessionStatus::Closed { pin_valid_until: None, ending: false, .. }
    ));
    told.restart();
    assert_eq!(told.revoking, 0);
}

#[test]
fn a_service_that_ends_no_pin_is_asked_for_the_chat_and_not_again_for_the_end() {
    let mut told = Told::live();
    told.write();
    told.close();
    told.answer_revoke(Revocation::Impossible);
    assert!(matches!(
        told.word(),
        SessionStatus::Closed { pin_valid_until: Some(_), ending: false, .. }
    ));
    told.answer_fetch(false);
    assert_eq!(told.saved(), Some(1));
    told.restart();
    assert_eq!((told.revoking, told.timers.contains(&Timer::RetryRevoke)), (0, false));
}

#[test]
fn what_stands_before_a_broker_that_told_its_state_doesnt_end_the_tries() {
    let mut told = Told::live();
    told.state.record.observed.revision = 7;
    told.close();
    told.answer_revoke(Revocation::Impossible);
    assert!(matches!(told.word(), SessionStatus::Closed { ending: true, .. }));
    told.elapse(Timer::RetryRevoke);
    told.answer_revoke(Revocation::Done);
    assert_eq!(told.revoked(), Some(true));
}

#[test]
fn what_was_written_before_a_pin_ran_out_unended_is_saved_for_as_long_as_the_service_gives_it() {
    for is_restarted in [false, true] {
        let mut told = Told::closed();
        told.answer_revoke(Revocation::Failed(Failure::Unreachable));
        told.answer_fetch(false);
        told.write();
        assert!(!told.state.record.closed_pin_is_done(told.now));
        told.expire();
        assert!(!told.state.record.closed_pin_is_done(told.now), "its chat is still needed");
        if is_restarted {
            told.restart();
        } else {
            told.elapse(Timer::RetryRevoke);
        }
        told.answer_fetch(false);
        assert_eq!(told.saved(), Some(1), "{is_restarted}");
        assert!(told.state.record.closed_pin_is_done(told.now));
    }
    let mut told = Told::closed();
    told.answer_revoke(Revocation::Failed(Failure::Unreachable));
    told.answer_fetch(false);
    told.now = T0.plus(2 * DAY);
    assert!(told.state.record.closed_pin_is_done(told.now), "the service has forgotten it");
    told.restart();
    assert!(told.fetching.is_empty());
}

#[test]
fn a_message_that_a_fetch_under_way_lacks_isnt_lost_to_the_close() {
    let mut told = Told::live();
    told.viewers_gone();
    assert_eq!(told.fetching, [0]);
    told.write();
    told.close();
    told.answer_fetch(false);
    told.answer_revoke(Revocation::Impossible);
    while !told.fetching.is_empty() {
        told.answer_fetch(false);
    }
    assert_eq!(told.saved(), Some(1));
}

#[test]
fn an_end_of_the_pin_that_failed_before_a_restart_is_told_once_and_so_is_the_end() {
    let mut told = Told::closed();
    let failure = Failure::Unreachable;
    told.answer_revoke(Revocation::Failed(failure));
    told.restart();
    told.answer_revoke(Revocation::Failed(failure));
    told.restart();
    told.answer_revoke(Revocation::Done);
    assert_eq!(told.count(&LifeEvent::PinNotEnded { failure }.into()), 1);
    assert_eq!(told.count(&LifeEvent::PinEnded.into()), 1);
}

#[test]
fn a_session_that_gave_up_keeps_its_pin_until_that_is_ended() {
    let mut told = Told::live();
    told.tell(Input::GaveUp);
    told.tell(Input::GaveUp);
    assert!(matches!(told.state.record.life, Life::Failed { .. }));
    let effects = told.tell(Input::Retry { region: None });
    assert!(effects.is_empty(), "another PIN would take its place: {effects:?}");
    assert!(told.close().contains(&Effect::RevokePin));
    told.answer_revoke(Revocation::Done);
    assert_eq!(told.revoked(), Some(true));

    let mut told = Told::live();
    told.tell(Input::GaveUp);
    told.expire();
    told.tell(Input::Retry { region: None });
    assert_eq!(told.state.record.life, Life::Allocating, "that PIN is over");
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
        let mut told = Told::live();
        for one in all {
            match one {
                Happens::Close => drop(told.close()),
                Happens::Writes => told.write(),
                Happens::Revoked(revocation) => told.answer_revoke(revocation),
                Happens::Fetched { fails } => told.answer_fetch(fails),
                Happens::Elapsed(timer) => told.elapse(timer),
                Happens::Restart => told.restart(),
                Happens::Expires => told.expire(),
                Happens::ViewersGone => told.viewers_gone(),
            }
            prop_assert!(told.fetching.len() <= 1, "one fetch at a time");
            let is_closed = matches!(told.state.record.life, Life::Closed { .. });
            let is_tried = told.revoking > 0 || told.timers.contains(&Timer::RetryRevoke);
            prop_assert!(!is_closed || told.revoked().is_some() || is_tried, "nothing ends the PIN");
        }
        told.close();
        // The service works again.
        for _ in 0..4 {
            told.answer_revoke(Revocation::Done);
            told.answer_fetch(false);
            told.elapse(Timer::RetryRevoke);
            told.elapse(Timer::RetryTranscript);
        }
        match told.revoked() {
            Some(true) => prop_assert_eq!(told.saved(), Some(told.written)),
            // The service ends none, so that more can be written.
            Some(false) => prop_assert!(told.saved() >= told.written_at_close),
            None => prop_assert!(false, "nothing ends the PIN"),
        }
        prop_assert!(told.revoking == 0 && told.fetching.is_empty(), "nothing is left to do");
    }
}
