//! One verification, from the question to its one end.

use super::*;

#[test]
fn a_phone_is_asked_looked_after_each_second_and_approves() {
    let mut told = Told::live();
    let effects = told.tell(verify(Subject::Customer));
    assert_eq!(asks(&effects), 1);
    let over = Timer::VerificationOver(1);
    assert!(effects.contains(&Effect::Start { timer: over, after: WAIT, spread: false }));
    assert!(matches!(told.status(1), Status::Asking { until } if *until == told.now.plus(WAIT)));
    let poll = Effect::Start { timer: Timer::PollVerification(1), after: POLL, spread: false };
    assert!(told.answered(1, VerificationAnswer::Pending).contains(&poll));
    for _ in 0..3 {
        let effects = told.tell(Input::Elapsed(Timer::PollVerification(1)));
        assert_eq!(effects, [Effect::PollPhone { id: 1 }]);
        assert!(told.answered(1, VerificationAnswer::Pending).contains(&poll));
    }
    let effects = told.answered(1, VerificationAnswer::Approved);
    assert_eq!(told.end(1), Some(VerificationOutcome::Approved));
    assert!(effects.contains(&Effect::Stop { timer: Timer::VerificationOver(1) }));
    assert!(!effects.contains(&Effect::CancelPhone { id: 1 }));
    assert!(matches!(
        told.events.last(),
        Some(Event::Verification(VerificationEvent {
            id: 1,
            change: VerificationChange::VerificationApproved { denied: None },
            ..
        }))
    ));
}

#[test]
fn nobody_is_asked_twice_at_once_and_no_more_than_a_session_keeps() {
    let mut told = Told::live();
    assert_eq!(asks(&told.tell(verify(Subject::Customer))), 1);
    let record = &told.state.record;
    assert_eq!(
        record.verification_obstacle(Subject::Customer),
        Some(VerificationObstacle::UnderWay)
    );
    assert_eq!(record.verification_obstacle(Subject::Technician), None);
    assert_eq!(asks(&told.tell(verify(Subject::Customer))), 0);
    told.answered(1, VerificationAnswer::Denied);
    for _ in 1..MOST {
        told.approve(Subject::Technician);
    }
    let record = &told.state.record;
    assert_eq!(
        record.verification_obstacle(Subject::Customer),
        Some(VerificationObstacle::TooMany)
    );
    assert_eq!(asks(&told.tell(verify(Subject::Customer))), 0);
    assert_eq!(told.state.record.verifications.len(), MOST);
}

#[test]
fn at_the_deadline_it_is_given_up_and_taken_back() {
    let mut told = Told::live();
    told.tell(verify(Subject::Customer));
    told.answered(1, VerificationAnswer::Pending);
    let effects = told.tell(Input::Elapsed(Timer::VerificationOver(1)));
    assert!(effects.contains(&Effect::CancelPhone { id: 1 }));
    // The last look decides, not a poll that was on its way.
    assert_eq!(told.end(1), None);
    told.answered(1, VerificationAnswer::Pending);
    assert_eq!(told.end(1), None);
    told.taken_back(1);
    assert_eq!(told.end(1), Some(VerificationOutcome::TimedOut));
    assert_eq!(told.tell(Input::Elapsed(Timer::PollVerification(1))), []);
}

#[test]
fn the_persons_word_counts_whenever_it_comes() {
    let ends: [fn(&mut Told); 3] = [
        |told| drop(told.tell(Input::Elapsed(Timer::VerificationOver(2)))),
        |told| drop(told.tell(Input::CancelVerification { id: 2 })),
        |told| {
            told.tell(Input::CancelVerification { id: 2 });
            told.taken_back(2);
            assert_eq!(told.end(2), Some(VerificationOutcome::Cancelled));
        },
    ];
    for end in ends {
        let mut told = Told::gated();
        told.approve(Subject::Customer);
        told.tell(verify(Subject::Customer));
        told.answered(2, VerificationAnswer::Pending);
        end(&mut told);
        assert_eq!(told.shut(), None, "nobody has denied yet");
        told.answered(2, VerificationAnswer::Denied);
        assert_eq!(told.end(2), Some(VerificationOutcome::Denied));
        assert_eq!(told.shut(), Some(ShutReason::Denied { at: told.now }));
        told.taken_back(2);
        told.answered(2, VerificationAnswer::Approved);
        assert_eq!(told.end(2), Some(VerificationOutcome::Denied));

        let mut told = Told::gated();
        told.tell(verify(Subject::Technician));
        told.tell(verify(Subject::Customer));
        told.answered(2, VerificationAnswer::Pending);
        end(&mut told);
        told.answered(2, VerificationAnswer::Approved);
        assert_eq!((told.end(2), told.shut()), (Some(VerificationOutcome::Approved), None));
    }
}

#[test]
fn a_push_that_cannot_be_taken_back_is_said_so() {
    let mut told = Told::live();
    told.tell(verify(Subject::Customer));
    told.answered(1, VerificationAnswer::Pending);
    told.tell(Input::CancelVerification { id: 1 });
    let left = Some(Failure::Unreachable);
    told.tell(Input::PushTakenBack { id: 1, unseen: left, left });
    assert_eq!(told.end(1), Some(VerificationOutcome::Cancelled));
    let Some(Event::Verification(event)) = told.events.last() else { panic!() };
    let failure = Failure::Unreachable;
    assert_eq!(event.change, VerificationChange::VerificationNotTakenBack { failure });
}

#[test]
fn a_last_look_that_is_never_answered_ends_it_all_the_same() {
    let mut told = Told::live();
    told.tell(verify(Subject::Customer));
    told.answered(1, VerificationAnswer::Pending);
    let over = Timer::VerificationOver(1);
    let effects = told.tell(Input::Elapsed(over));
    assert!(effects.contains(&Effect::Start { timer: over, after: LAST_LOOK, spread: false }));
    told.tell(Input::Elapsed(over));
    let failure = Failure::TimedOut;
    assert_eq!(told.end(1), Some(VerificationOutcome::Failed { cause: Cause::Call { failure } }));
}

#[test]
fn a_look_that_fails_is_said_and_ends_nothing_before_the_deadline() {
    let mut told = Told::live();
    told.tell(verify(Subject::Customer));
    told.answered(1, VerificationAnswer::Pending);
    let failure = Failure::Faulty { status: 503 };
    let effects = told.tell(Input::PollFailed { id: 1, failure });
    let poll = |after| Effect::Start { timer: Timer::PollVerification(1), after, spread: false };
    assert_eq!(effects, [poll(POLL)]);
    assert!(matches!(told.status(1), Status::Waiting { blind: Some(why), .. } if *why == failure));
    let limited = Failure::RateLimited { retry_after_ms: Some(4_000) };
    let effects = told.tell(Input::PollFailed { id: 1, failure: limited });
    assert_eq!(effects, [poll(Duration::from_secs(4))]);
    // Who can look again is blind no more.
    told.answered(1, VerificationAnswer::Pending);
    assert!(matches!(told.status(1), Status::Waiting { blind: None, .. }));
    told.tell(Input::PollFailed { id: 1, failure });
    told.tell(Input::Elapsed(Timer::VerificationOver(1)));
    told.tell(Input::PushTakenBack { id: 1, unseen: Some(failure), left: None });
    assert_eq!(told.end(1), Some(VerificationOutcome::Failed { cause: Cause::Call { failure } }));
}

#[test]
fn a_cancelled_question_is_taken_back_even_if_the_service_names_it_only_later() {
    let mut told = Told::live();
    told.tell(verify(Subject::Customer));
    told.tell(Input::CancelVerification { id: 1 });
    assert_eq!(told.end(1), Some(VerificationOutcome::Cancelled));
    assert_eq!(told.answered(1, VerificationAnswer::Pending), [Effect::CancelPhone { id: 1 }]);
    assert_eq!(told.end(1), Some(VerificationOutcome::Cancelled));
    assert_eq!(told.tell(Input::CancelVerification { id: 1 }), []);
    assert_eq!(told.tell(Input::CancelVerification { id: 9 }), []);
}

#[test]
fn what_was_under_way_before_a_crash_is_unknown_and_never_asked_again() {
    let mut told = Told::gated();
    told.tell(verify(Subject::Customer));
    told.tell(verify(Subject::Technician));
    told.answered(2, VerificationAnswer::Pending);
    let effects = told.restart();
    assert_eq!(asks(&effects), 0);
    assert_eq!(
        (told.end(1), told.end(2)),
        (Some(VerificationOutcome::Unknown), Some(VerificationOutcome::Unknown))
    );
    assert!(told.shut().is_some());
    // Twice is once.
    let events = told.events.len();
    told.restart();
    let again = told.events[events..].iter();
    let is_unknown = |event: &Event| event.facts().name() == "verification_unknown";
    assert!(!again.clone().any(is_unknown));
}
