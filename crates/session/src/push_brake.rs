//! How soon a person may be asked again: a phone that rings until somebody gives in proves nothing.
//!
//! Decided from what was asked of the person within a day, in whichever session and by whichever of this
//! console's technicians. An approval ends what it answers for the brake, but not for the warning: who said
//! no and then yes on the same day may have been worn down.

use std::time::Duration;

pub use crate::denials::Denials;
use crate::{
    Failure, Record, Timestamp,
    text::is_hidden,
    verification::{Cause, Method, OpenReason, Status, Subject, Verification, VerificationOutcome},
};

/// How long a denial is remembered.
pub const REMEMBERED: Duration = Duration::from_secs(24 * 3_600);
/// How long a push that nobody answered counts, and a wrong code.
const UNANSWERED_COUNTS: Duration = Duration::from_secs(3_600);
const MINUTE: Duration = Duration::from_secs(60);
/// The pause after the first denial in a row, the second and so on; the last one holds for all further.
const AFTER_DENIALS: [Duration; 4] = [
    MINUTE,
    Duration::from_secs(10 * 60),
    Duration::from_secs(3_600),
    Duration::from_secs(8 * 3_600),
];
/// The pause after unanswered pushes in a row: to miss one, or two, is nothing.
const AFTER_SILENCE: [Duration; 5] = [
    Duration::ZERO,
    Duration::ZERO,
    Duration::from_secs(5 * 60),
    Duration::from_secs(15 * 60),
    Duration::from_secs(3_600),
];
/// The pause after wrong codes in a row: a finger slips, a guess doesn't.
const AFTER_WRONG_CODES: [Duration; 7] = [
    Duration::ZERO,
    Duration::ZERO,
    Duration::ZERO,
    Duration::ZERO,
    Duration::from_secs(5 * 60),
    Duration::from_secs(15 * 60),
    Duration::from_secs(3_600),
];
/// The pause after e-mailed codes.
const AFTER_MAILS: [Duration; 4] =
    [Duration::ZERO, Duration::ZERO, Duration::from_secs(5 * 60), Duration::from_secs(30 * 60)];

/// Why a person isn't asked now, and until when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Brake {
    /// From then on they may be asked.
    pub until: Timestamp,
    /// Why not before.
    pub why: BrakeReason,
}

/// Why a person isn't asked now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BrakeReason {
    /// Their phone is ringing already, for another session.
    UnderWay,
    /// They said no.
    Denied(Denials),
    /// They did not answer, or were not left the time to.
    Unanswered {
        /// How many pushes in a row.
        times: u32,
    },
    /// The codes were wrong.
    WrongCodes {
        /// How many in a row.
        times: u32,
    },
    /// Codes were sent to them by e-mail.
    Mailed {
        /// How many within the hour.
        times: u32,
    },
}

/// The name by which a person is known to the brake: case, blanks and what nobody sees make nobody else.
pub fn person(user: &str, by_id: bool) -> String {
    let seen = user.chars().filter(|&c| !c.is_whitespace() && !is_hidden(c));
    let name: String = seen.flat_map(char::to_lowercase).collect();
    format!("{} {name}", if by_id { "id" } else { "name" })
}

/// Why somebody of whom `all` was asked may not be asked at `now` in the way `how`; none if they may.
pub fn brake<'a>(
    all: impl IntoIterator<Item = &'a Verification>,
    how: Method,
    now: Timestamp,
) -> Option<Brake> {
    let mut all: Vec<_> = all.into_iter().filter(|v| is_recent(v.at, REMEMBERED, now)).collect();
    all.sort_by_key(|v| v.at);
    match how {
        Method::Push => push_brake(&all, now),
        Method::Otp | Method::BypassCode => code_brake(&all, now),
    }
}

/// The denials in `all` that a later approval has to be seen beside; none if there are none.
pub fn denials<'a>(
    all: impl IntoIterator<Item = &'a Verification>,
    now: Timestamp,
) -> Option<Denials> {
    let denied = all.into_iter().filter_map(|v| v.status.ended(VerificationOutcome::Denied));
    count(denied.filter(|&at| is_recent(at, REMEMBERED, now)))
}

/// Why no code is e-mailed at `now` to somebody who was sent some at these times; none if one may be.
pub fn mail_brake(sent: &[Timestamp], now: Timestamp) -> Option<Brake> {
    let counted = count(sent.iter().copied().filter(|&at| is_recent(at, UNANSWERED_COUNTS, now)))?;
    let why = BrakeReason::Mailed { times: counted.times };
    held(counted, &AFTER_MAILS, why, now)
}

impl Record {
    /// That the customer approved at `at`, with what they, or whoever was asked for them, had denied before.
    pub(crate) fn verified_at(&self, at: Timestamp) -> OpenReason {
        let all = self.verifications.iter().filter(|v| v.asked.who == Subject::Customer);
        let approved =
            |v: &&Verification| v.status.ended(VerificationOutcome::Approved) == Some(at);
        let denied = all.rev().find(approved).and_then(|v| v.asked.denied_before);
        OpenReason::Verified { at, denied }
    }
}

fn push_brake(all: &[&Verification], now: Timestamp) -> Option<Brake> {
    let pushes = || all.iter().filter(|v| v.asked.how == Method::Push);
    if let Some(until) = pushes().find_map(|v| under_way(&v.status, now)) {
        return Some(Brake { until, why: BrakeReason::UnderWay });
    }
    let approved = all.iter().filter_map(|v| v.status.ended(VerificationOutcome::Approved)).max();
    let since = |at: &Timestamp| approved.is_none_or(|approved| *at > approved);
    let denied = pushes().filter_map(|v| v.status.ended(VerificationOutcome::Denied));
    let denied = count(denied.filter(since))
        .and_then(|denied| held(denied, &AFTER_DENIALS, BrakeReason::Denied(denied), now));
    let silent = pushes().filter_map(|v| unanswered(&v.status)).filter(since);
    let silent = count(silent.filter(|&at| is_recent(at, UNANSWERED_COUNTS, now)));
    let silent = silent.and_then(|silent| {
        held(silent, &AFTER_SILENCE, BrakeReason::Unanswered { times: silent.times }, now)
    });
    [denied, silent].into_iter().flatten().max_by_key(|brake| brake.until)
}

fn code_brake(all: &[&Verification], now: Timestamp) -> Option<Brake> {
    let wrong = VerificationOutcome::Failed { cause: Cause::WrongCode };
    let approved = all.iter().filter_map(|v| v.status.ended(VerificationOutcome::Approved)).max();
    let wrong = all.iter().filter_map(|v| v.status.ended(wrong));
    let wrong = wrong.filter(|at| approved.is_none_or(|approved| *at > approved));
    let wrong = count(wrong.filter(|&at| is_recent(at, UNANSWERED_COUNTS, now)))?;
    held(wrong, &AFTER_WRONG_CODES, BrakeReason::WrongCodes { times: wrong.times }, now)
}

/// The pause that so many in a row cost; none once it is over.
fn held(counted: Denials, pauses: &[Duration], why: BrakeReason, now: Timestamp) -> Option<Brake> {
    let nth = usize::try_from(counted.times).unwrap_or(usize::MAX).saturating_sub(1);
    let pause = pauses.get(nth).or(pauses.last())?;
    // A clock that was set back must not lock somebody out for longer than the pause.
    let until = counted.last.min(now).plus(*pause);
    (until > now).then_some(Brake { until, why })
}

fn count(times: impl Iterator<Item = Timestamp>) -> Option<Denials> {
    times.fold(None, |known: Option<Denials>, at| {
        let (times, last) = known.map_or((0, at), |known| (known.times, known.last));
        Some(Denials { times: times.saturating_add(1), last: last.max(at) })
    })
}

/// Until when the phone may ring; none if it doesn't.
fn under_way(status: &Status, now: Timestamp) -> Option<Timestamp> {
    match status {
        // One that was left behind is over by its own time.
        Status::Asking { until } | Status::Waiting { until, .. } => Some(*until),
        Status::Ended { .. } => None,
    }
    .filter(|until| *until > now)
}

/// When a push ended that may have rung and got no answer.
fn unanswered(status: &Status) -> Option<Timestamp> {
    let Status::Ended { at, end } = status else { return None };
    let rang = match end {
        VerificationOutcome::TimedOut
        | VerificationOutcome::Cancelled
        | VerificationOutcome::Unknown => true,
        VerificationOutcome::Failed { cause: Cause::Call { failure } } => may_have_rung(*failure),
        VerificationOutcome::Approved
        | VerificationOutcome::Denied
        | VerificationOutcome::NoDevice
        | VerificationOutcome::Failed { .. } => false,
    };
    rang.then_some(*at)
}

const fn may_have_rung(failure: Failure) -> bool {
    match failure {
        Failure::NoAnswer | Failure::TimedOut | Failure::Malformed => true,
        // Somebody is not to wait because the service is down.
        Failure::Faulty { .. }
        | Failure::TooLarge { .. }
        | Failure::Unauthorized
        | Failure::RateLimited { .. }
        | Failure::Unreachable
        | Failure::Blocked { .. }
        | Failure::Rejected { .. }
        | Failure::NoRegion
        | Failure::Storage
        | Failure::Internal => false,
    }
}

fn is_recent(at: Timestamp, within: Duration, now: Timestamp) -> bool {
    now.since(at) < within
}
