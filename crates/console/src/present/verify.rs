//! Verifications and the gate that they open, as a person sees them. Never a code.

use engine::Snapshot;
use session::{
    Failure, Gate, Record, Verification,
    push_brake::{Brake, BrakeReason, Denials},
    text::count,
    verification::{
        Cause, Method, OpenReason, Override, Policy, ShutReason, Status, Subject, Verdict,
        VerificationOutcome,
    },
};

use super::{Setting, trouble};
use crate::{
    view::{
        Code, GatePolicy, GateView, NextPushView, OverrideView, Trouble, VerificationState,
        VerificationView, Verified, VerifyHow,
    },
    words::{LONGEST_NAME, plain},
};

const ASK: &str = "ask the phone";
/// The longest reason or detail that is shown, in characters.
const LONGEST_TEXT: usize = 500;

pub fn view(verification: &Verification, setting: &Setting<'_>) -> VerificationView {
    let Verification { id, asked, at, status } = verification;
    let (state, until, ended_at) = match status {
        Status::Asking { until } => (VerificationState::Asking, Some(until.0), None),
        Status::Waiting { until, .. } => (VerificationState::NoAnswerYet, Some(until.0), None),
        Status::Ended { at, end } => (state(*end), None, Some(at.0)),
    };
    VerificationView {
        id: *id,
        who: who(asked.who),
        user: plain(&asked.user, 255),
        how: match asked.how {
            Method::Push => VerifyHow::Push,
            Method::Otp => VerifyHow::Otp,
            Method::BypassCode => VerifyHow::BypassCode,
        },
        by: plain(&asked.by, LONGEST_NAME),
        at: at.0,
        reason: plain(&asked.reason, LONGEST_TEXT),
        shown: asked
            .shown
            .iter()
            .map(|(key, value)| (plain(key, LONGEST_NAME), plain(value, LONGEST_TEXT)))
            .collect(),
        state,
        until,
        ended_at,
        trouble: why(status),
        warning: match (status, asked.denied_before) {
            (Status::Ended { end: VerificationOutcome::Approved, .. }, Some(denied)) => {
                Some(after_denials(denied, setting))
            }
            _ => None,
        },
    }
}

/// When the person who was asked last may be sent another push; none if they may now.
pub fn next_push(snapshot: &Snapshot, setting: &Setting<'_>) -> Option<NextPushView> {
    let Brake { until, why } = snapshot.next_push?;
    let last = snapshot.record.verifications.last()?;
    let text = match why {
        BrakeReason::Denied(denied) => format!(
            "They said no {}, last at {}.",
            count(denied.times, "time", "times"),
            setting.clock(denied.last)
        ),
        BrakeReason::Unanswered { times } => {
            format!("{} in a row had no answer.", count(times, "push", "pushes"))
        }
        // The session shows its own push that is under way, and codes need none.
        BrakeReason::UnderWay | BrakeReason::WrongCodes { .. } | BrakeReason::Mailed { .. } => {
            return None;
        }
    };
    (until > setting.now).then(|| NextPushView {
        user: plain(&last.asked.user, 255),
        at: until.0,
        text,
    })
}

fn after_denials(denied: Denials, setting: &Setting<'_>) -> String {
    format!(
        "This came after {}, the last at {}. Whoever is asked again and again may give in: ask them \
         whether they meant it.",
        count(denied.times, "denial", "denials"),
        setting.clock(denied.last)
    )
}

/// The subject of a verification, for the view.
pub const fn who(who: Subject) -> Verified {
    match who {
        Subject::Customer => Verified::Customer,
        Subject::Technician => Verified::Technician,
    }
}

/// The gate of a live session.
pub fn gate(gate: Gate, record: &Record, setting: &Setting<'_>) -> GateView {
    let verdict = gate.verdict(record, setting.now);
    let (open, until, text) = match verdict {
        Verdict::Open { until, why } => (true, until.map(|at| at.0), opened(why, setting)),
        Verdict::Shut { why } => (false, None, shut(why, setting)),
    };
    // If a verification opens the gate by itself, an override has no effect.
    let in_force = matches!(verdict, Verdict::Open { why: OpenReason::Overridden { .. }, .. });
    GateView {
        policy: match gate.policy {
            Policy::Off => GatePolicy::Off,
            Policy::Warn => GatePolicy::Warn,
            Policy::Require => GatePolicy::Require,
        },
        open,
        until,
        text,
        overridden: record.overridden.as_ref().filter(|_| in_force).map(overridden),
    }
}

/// The gate of an archived session: nothing can be opened any more, but an override stays visible.
pub fn old_gate(over: Option<&Override>) -> GateView {
    GateView {
        policy: GatePolicy::Off,
        open: true,
        until: None,
        text: String::new(),
        overridden: over.map(overridden),
    }
}

fn overridden(over: &Override) -> OverrideView {
    OverrideView {
        by: plain(&over.by, LONGEST_NAME),
        at: over.at.0,
        reason: plain(&over.reason, LONGEST_TEXT),
    }
}

fn opened(why: OpenReason, setting: &Setting<'_>) -> String {
    match why {
        OpenReason::NoPolicy => String::new(),
        OpenReason::Verified { at, denied: None } => {
            format!("The customer approved at {}.", setting.clock(at))
        }
        OpenReason::Verified { at, denied: Some(denied) } => {
            let warning = after_denials(denied, setting);
            format!("The customer approved at {}. {warning}", setting.clock(at))
        }
        OpenReason::Overridden { at } => {
            format!("The customer was not verified: overridden at {}.", setting.clock(at))
        }
    }
}

fn shut(why: ShutReason, setting: &Setting<'_>) -> String {
    match why {
        ShutReason::NotVerified => "The customer has not been verified in this session.".into(),
        ShutReason::UnderWay => "The customer is being asked and has not answered yet.".into(),
        ShutReason::Denied { at } => format!("The customer denied at {}.", setting.clock(at)),
        ShutReason::TooOld { at } => {
            format!("The approval at {} was too long ago.", setting.clock(at))
        }
        ShutReason::Over => "The session is over, and its verifications with it.".into(),
    }
}

const fn state(end: VerificationOutcome) -> VerificationState {
    match end {
        VerificationOutcome::Approved => VerificationState::Approved,
        VerificationOutcome::Denied => VerificationState::Denied,
        VerificationOutcome::TimedOut => VerificationState::TimedOut,
        VerificationOutcome::Cancelled => VerificationState::Cancelled,
        VerificationOutcome::NoDevice => VerificationState::NoDevice,
        VerificationOutcome::Failed { .. } => VerificationState::Failed,
        VerificationOutcome::Unknown => VerificationState::Unknown,
    }
}

/// The obstacle and its remedy; none if there is none.
fn why(status: &Status) -> Option<Trouble> {
    match status {
        Status::Asking { .. } | Status::Waiting { blind: None, .. } => None,
        Status::Waiting { blind: Some(failure), .. } => {
            let seen = of_failure("look for the answer", *failure);
            Some(Trouble { text: format!("{} It is tried again.", seen.text), ..seen })
        }
        Status::Ended { end, .. } => of_end(*end),
    }
}

fn of_end(end: VerificationOutcome) -> Option<Trouble> {
    let said = |code, text: &str, remedy: &str| {
        Some(Trouble { code, text: trouble::sentence(text), remedy: remedy.to_owned() })
    };
    match end {
        VerificationOutcome::Approved
        | VerificationOutcome::Denied
        | VerificationOutcome::TimedOut
        | VerificationOutcome::Cancelled => None,
        VerificationOutcome::NoDevice => said(
            Code::Refused,
            "ask the phone: this person has no device at the verification service",
            "Add a device there, or take a bypass code.",
        ),
        VerificationOutcome::Failed { cause: Cause::UnknownUser } => said(
            Code::BadInput,
            "ask the phone: the verification service knows no such person",
            "Check the username or id.",
        ),
        VerificationOutcome::Failed { cause: Cause::WrongCode } => said(
            Code::Refused,
            "try the code: the verification service does not accept it",
            "Type it again, or ask for a new one; each is good once.",
        ),
        VerificationOutcome::Failed { cause: Cause::WrongDomain } => said(
            Code::SetUp,
            "ask the phone: the verification service knows no such domain for this key",
            "Check the domain's id in the settings.",
        ),
        VerificationOutcome::Failed { cause: Cause::Call { failure } } => Some(of_call(failure)),
        VerificationOutcome::Unknown => said(
            Code::TryAgain,
            "ask the phone: Deskhand ended before the answer; it may have been sent, and is not \
             sent again by itself",
            "Ask again, if it is still needed.",
        ),
    }
}

fn of_call(failure: Failure) -> Trouble {
    let trouble = of_failure(ASK, failure);
    // A service with a fault may have sent it before.
    if failure.leaves_doubt() || matches!(failure, Failure::Faulty { .. }) {
        maybe_sent(trouble)
    } else {
        trouble
    }
}

fn maybe_sent(trouble: Trouble) -> Trouble {
    let text = format!("{} It may have been sent, and is not sent again by itself.", trouble.text);
    Trouble { text, ..trouble }
}

fn of_failure(doing: &str, failure: Failure) -> Trouble {
    let known = trouble::of_failure(doing, failure);
    match failure {
        // Signing in again does not help: the service refuses the API key in the settings.
        Failure::Unauthorized => Trouble {
            code: Code::SetUp,
            remedy: "Enter a valid key of the verification service in the settings.".into(),
            ..known
        },
        Failure::Rejected { .. } => {
            Trouble { remedy: "Check what was asked for, then ask again.".into(), ..known }
        }
        Failure::RateLimited { .. }
        | Failure::Unreachable
        | Failure::NoAnswer
        | Failure::TimedOut
        | Failure::Faulty { .. }
        | Failure::Malformed
        | Failure::Blocked { .. }
        | Failure::TooLarge { .. }
        | Failure::NoRegion
        | Failure::Storage
        | Failure::Internal => known,
    }
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;
    use session::{About, State, Timestamp, verification::VerificationRequest};

    use super::*;

    const AT: Timestamp = Timestamp(1_000);

    fn verification(status: Status) -> Verification {
        let asked = VerificationRequest {
            who: Subject::Customer,
            user: "maria\u{202E}.lopez".into(),
            by_id: false,
            how: Method::Push,
            by: "anna".into(),
            reason: "printer".into(),
            shown: vec![("Reason".into(), "printer".into())],
            denied_before: None,
        };
        Verification { id: 1, asked, at: AT, status }
    }

    fn seen(status: Status) -> VerificationView {
        view(&verification(status), &Setting { now: AT, zone: &TimeZone::UTC, dated: false })
    }

    #[test]
    fn an_approval_after_denials_is_told_with_them_and_none_other_is() {
        let approved = Status::Ended { at: AT, end: VerificationOutcome::Approved };
        let mut worn_down = verification(approved.clone());
        worn_down.asked.denied_before = Some(Denials { times: 16, last: Timestamp(500) });
        let setting = Setting { now: AT, zone: &TimeZone::UTC, dated: false };
        let warning = view(&worn_down, &setting).warning.unwrap();
        assert!(warning.contains("after 16 denials"), "{warning}");
        assert_eq!(seen(approved).warning, None);
        let mut record = State::new(About::default(), "anna".into(), AT).record;
        record.life = session::Life::Live(session::state::Allocation {
            region: "us-east-1".parse().unwrap(),
            at: AT,
            expires: Timestamp(99_000),
        });
        record.verifications.push(worn_down);
        let text = gate(
            Gate { policy: Policy::Require, minutes: 5, ..Gate::default() },
            &record,
            &setting,
        )
        .text;
        assert!(text.contains("approved") && text.contains("after 16 denials"), "{text}");
    }

    #[test]
    fn every_end_that_is_no_answer_says_what_to_do() {
        let failed = |failure| VerificationOutcome::Failed { cause: Cause::Call { failure } };
        let ends = [
            VerificationOutcome::NoDevice,
            VerificationOutcome::Unknown,
            VerificationOutcome::Failed { cause: Cause::UnknownUser },
            VerificationOutcome::Failed { cause: Cause::WrongDomain },
            failed(Failure::Unauthorized),
            failed(Failure::Malformed),
            failed(Failure::Storage),
        ];
        for end in ends {
            let trouble = seen(Status::Ended { at: AT, end }).trouble.unwrap();
            assert!(trouble.text.starts_with("Ask the phone: "), "{trouble:?}");
            assert!(!trouble.remedy.is_empty(), "{end:?}");
        }
        for end in [
            VerificationOutcome::Approved,
            VerificationOutcome::Denied,
            VerificationOutcome::TimedOut,
            VerificationOutcome::Cancelled,
        ] {
            assert_eq!(seen(Status::Ended { at: AT, end }).trouble, None);
        }
    }

    #[test]
    fn who_can_not_look_says_so_while_it_waits() {
        let blind = Some(Failure::Faulty { status: 503 });
        let view = seen(Status::Waiting { until: Timestamp(61_000), blind });
        assert_eq!((view.state, view.until), (VerificationState::NoAnswerYet, Some(61_000)));
        assert_eq!(view.user, "maria.lopez");
        assert!(view.trouble.unwrap().text.ends_with("It is tried again."));
    }

    #[test]
    fn a_policy_that_is_off_says_nothing() {
        let setting = Setting { now: AT, zone: &TimeZone::UTC, dated: false };
        let record = State::new(About::default(), "anna".into(), AT).record;
        let off = gate(Gate::default(), &record, &setting);
        assert!(off.open && off.text.is_empty() && off.policy == GatePolicy::Off);
        let require = Gate { policy: Policy::Require, minutes: 5, ..Gate::default() };
        let shut = gate(require, &record, &setting);
        assert!(!shut.open && !shut.text.is_empty());
    }
}
