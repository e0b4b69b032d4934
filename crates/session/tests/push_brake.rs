//! How soon a person may be asked again, as the clock goes on.

#![allow(clippy::unwrap_used)]

use std::time::Duration;

use proptest::prelude::*;
use session::{
    Timestamp, Verification,
    push_brake::{Brake, BrakeReason, REMEMBERED, brake, denials, mail_brake, person},
    verification::{Cause, Method, Status, Subject, VerificationOutcome, VerificationRequest},
};

const START: Timestamp = Timestamp(1_700_000_000_000);
const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

fn asked(how: Method, at: Timestamp, status: Status) -> Verification {
    let asked = VerificationRequest {
        who: Subject::Customer,
        user: "maria.lopez".into(),
        by_id: false,
        how,
        by: "anna".into(),
        reason: String::new(),
        shown: Vec::new(),
        denied_before: None,
    };
    Verification { id: 1, asked, at, status }
}

fn push(at: Timestamp, end: VerificationOutcome) -> Verification {
    asked(Method::Push, at, Status::Ended { at: at.plus(SECOND), end })
}

fn code(at: Timestamp, end: VerificationOutcome) -> Verification {
    asked(Method::Otp, at, Status::Ended { at: at.plus(SECOND), end })
}

/// How many pushes whoever asks whenever they may gets through within `within`, each ending as `end`.
fn gets_through(end: VerificationOutcome, within: Duration) -> usize {
    let (mut all, mut now) = (Vec::new(), START);
    while now.since(START) < within {
        match brake(&all, Method::Push, now) {
            Some(Brake { until, .. }) => now = until,
            None => {
                all.push(push(now, end));
                now = now.plus(SECOND);
            }
        }
    }
    all.len()
}

#[test]
fn sixteen_denials_do_not_fit_into_a_day() {
    assert_eq!(gets_through(VerificationOutcome::Denied, 17 * SECOND), 1);
    assert_eq!(gets_through(VerificationOutcome::Denied, 60 * MINUTE), 3);
    assert!(gets_through(VerificationOutcome::Denied, 24 * 60 * MINUTE) <= 6);
}

#[test]
fn pushes_that_are_cancelled_or_left_unanswered_do_not_get_around_it() {
    for end in [
        VerificationOutcome::Cancelled,
        VerificationOutcome::TimedOut,
        VerificationOutcome::Unknown,
    ] {
        assert_eq!(gets_through(end, 5 * MINUTE), 3, "{end:?}");
        assert!(gets_through(end, 60 * MINUTE) <= 5, "{end:?}");
    }
}

#[test]
fn each_denial_costs_more_than_the_one_before() {
    let (mut all, mut now, mut last) = (Vec::new(), START, Duration::ZERO);
    for times in 1..=4 {
        all.push(push(now, VerificationOutcome::Denied));
        let held = brake(&all, Method::Push, now.plus(SECOND)).unwrap();
        assert!(matches!(held.why, BrakeReason::Denied(denied) if denied.times == times));
        let pause = held.until.since(now);
        assert!(pause > last, "{times}");
        assert_eq!(brake(&all, Method::Push, held.until), None);
        (now, last) = (held.until, pause);
    }
}

#[test]
fn an_approval_ends_the_brake_and_not_the_warning() {
    let all = [
        push(START, VerificationOutcome::Denied),
        push(START.plus(MINUTE), VerificationOutcome::Approved),
    ];
    let now = START.plus(2 * MINUTE);
    assert_eq!(brake(&all, Method::Push, now), None);
    assert_eq!(denials(&all, now).unwrap().times, 1);
    assert_eq!(denials(&all, START.plus(REMEMBERED).plus(MINUTE)), None);
}

#[test]
fn a_phone_rings_once_and_one_left_behind_rings_no_longer_than_its_time() {
    let until = START.plus(MINUTE);
    for status in [Status::Asking { until }, Status::Waiting { until, blind: None }] {
        let all = [asked(Method::Push, START, status)];
        let held = brake(&all, Method::Push, START.plus(SECOND)).unwrap();
        assert_eq!(held, Brake { until, why: BrakeReason::UnderWay });
        assert_eq!(brake(&all, Method::Push, until), None);
        assert_eq!(brake(&all, Method::Otp, START.plus(SECOND)), None, "a code needs no phone");
    }
}

#[test]
fn what_never_rang_does_not_count() {
    for end in [
        VerificationOutcome::NoDevice,
        VerificationOutcome::Failed { cause: Cause::UnknownUser },
        VerificationOutcome::Failed { cause: Cause::WrongDomain },
        VerificationOutcome::Failed {
            cause: Cause::Call { failure: session::Failure::Unreachable },
        },
    ] {
        let all: Vec<_> = (0..20).map(|_| push(START, end)).collect();
        assert_eq!(brake(&all, Method::Push, START.plus(SECOND)), None, "{end:?}");
    }
}

#[test]
fn codes_can_be_mistyped_and_not_guessed() {
    let wrong = VerificationOutcome::Failed { cause: Cause::WrongCode };
    let mut all: Vec<_> = (0..4).map(|_| code(START, wrong)).collect();
    let now = START.plus(2 * SECOND);
    assert_eq!(brake(&all, Method::Otp, now), None);
    all.push(code(START, wrong));
    let held = brake(&all, Method::BypassCode, now).unwrap();
    assert_eq!(held.why, BrakeReason::WrongCodes { times: 5 });
    assert_eq!(brake(&all, Method::Push, now), None);
}

#[test]
fn a_name_is_the_same_whatever_its_case_and_blanks() {
    for same in ["maria.lopez", "Maria.LOPEZ", " maria.lopez\u{a0}", "maria\u{200b}.lopez"] {
        assert_eq!(person(same, false), person("maria.lopez", false), "{same:?}");
    }
    assert_ne!(person("maria.lopez", true), person("maria.lopez", false));
}

proptest! {
    #[test]
    fn no_clock_locks_anybody_out_for_longer_than_the_longest_pause(
        ats in proptest::collection::vec(any::<i64>(), 0..40),
        now: i64,
    ) {
        let all: Vec<_> =
            ats.iter().map(|&at| push(Timestamp(at), VerificationOutcome::Denied)).collect();
        let longest = Duration::from_secs(8 * 3_600);
        if let Some(held) = brake(&all, Method::Push, Timestamp(now)) {
            prop_assert!(held.until.since(Timestamp(now)) <= longest);
        }
        let sent: Vec<_> = ats.into_iter().map(Timestamp).collect();
        if let Some(held) = mail_brake(&sent, Timestamp(now)) {
            prop_assert!(held.until.since(Timestamp(now)) <= longest);
        }
    }
}
