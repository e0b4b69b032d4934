//! Why an engine doesn't start, or doesn't carry out a command.
//!
//! The texts name the action and why it failed. Whoever shows them adds the remedy, which follows
//! from the variant.

use std::time::Duration;

use session::{
    Timestamp, program,
    push_brake::{Brake, BrakeReason},
    text::count,
    verification::{self, ShutReason},
};

use crate::{
    LostStore, SessionId,
    access::Locked,
    archive::ArchiveError,
    journal::JournalError,
    remote::{CallError, DownloadTargetError, logintc},
};

/// Why an engine could not start. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The journal can't be opened.
    #[error("{0}")]
    Journal(#[source] JournalError),
    /// The archive can't be opened.
    #[error("{0}")]
    Archive(#[source] ArchiveError),
    /// The journal or the archive was there before and is gone: put it back, or say that it is lost.
    #[error("open {}: {} is missing or empty, but there was one before", .0.name, .0.path.display())]
    StoreLost(LostStore),
    /// The listener can't have its address.
    #[error("listen for webhooks: {0}")]
    Listen(#[source] serve::BindError),
    /// The listener can't serve.
    #[error("serve webhooks: {0}")]
    Serve(#[source] std::io::Error),
    /// The service's address or template is no good.
    #[error("use the remote-support service: {0}")]
    Service(#[source] crate::remote::ServiceError),
    /// The actors can't start.
    #[error("start the sessions' supervisor: {0}")]
    Spawn(String),
}

/// Why a command was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// There is no such session here.
    #[error("find session {0}: this console has none with that id")]
    NoSession(SessionId),
    /// It could not be written to this computer's disk, so it was not done.
    #[error("save the change: {0}")]
    NotSaved(#[source] JournalError),
    /// The archive didn't take it.
    #[error("{0}")]
    Archive(#[source] ArchiveError),
    /// The service refused or didn't answer.
    #[error("{0}")]
    Call(#[source] CallError),
    /// A file can't be saved there.
    #[error("{0}")]
    DownloadTarget(#[source] DownloadTargetError),
    /// The command doesn't fit the session's state.
    #[error("{0}")]
    DoesNotFit(#[source] Misfit),
    /// The session was made, but neither its actor nor the disk took it.
    #[error("make a session: it could not be saved to this computer's disk")]
    NotMade,
    /// The operating system gave no random bytes.
    #[error("make a session: the operating system gave no random bytes")]
    NoRandom,
    /// Somebody must sign in first.
    #[error("carry out the command: Deskhand is locked")]
    Locked,
    /// The verification gate is shut: verify the customer, or override it.
    #[error("{doing}: {}", why_shut(*why))]
    Gate {
        /// The action that was refused.
        doing: &'static str,
        /// Why it is shut.
        why: ShutReason,
    },
    /// The verification service refused or didn't answer, or can't be asked so.
    #[error("{0}")]
    Verification(#[source] logintc::Error),
    /// A service that it needs isn't set up.
    #[error("{doing}: {what}")]
    NotSetUp {
        /// The action that was refused.
        doing: &'static str,
        /// The missing service.
        what: &'static str,
    },
    /// The person was asked too often, or said no: they may be asked later.
    #[error("verify the person: {}", why_too_soon(*.brake, *.at))]
    TooSoon {
        /// Why, and until when.
        brake: Brake,
        /// When it was asked for.
        at: Timestamp,
    },
    /// The engine is stopping.
    #[error("carry out the command: the engine is stopping")]
    Stopping,
}

/// Why a command doesn't fit its session's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Misfit {
    /// The session has no PIN, or one whose life is over.
    #[error("find the session's PIN: it has none, or it has expired")]
    NoPin,
    /// The gate of a session without a valid PIN can't be overridden.
    #[error("override the verification gate: this session has no PIN that is still good")]
    OverrideWithoutPin,
    /// A person can't be verified now.
    #[error("verify the person: {}", why_not_verified(*.0))]
    Verification(verification::VerificationObstacle),
    /// Only a session that is over can be deleted.
    #[error("delete the session: it is not closed")]
    NotOver,
    /// Nor one whose PIN is still being ended: nobody would be left to do it.
    #[error(
        "delete the session: its transcript is still being saved, or its PIN still being ended"
    )]
    PinNotEnded,
    /// The customer's program can't be saved now.
    #[error("save the customer's program: {}", why_not_saved(*.0))]
    Program(program::ProgramObstacle),
}

const fn why_not_verified(obstacle: verification::VerificationObstacle) -> &'static str {
    use verification::VerificationObstacle;
    match obstacle {
        VerificationObstacle::NotLive => {
            "this session has no PIN that is still good, and a verification belongs to a session"
        }
        VerificationObstacle::UnderWay => "they are being asked already",
        VerificationObstacle::TooMany => "this session has as many verifications as it can keep",
    }
}

const fn why_not_saved(obstacle: program::ProgramObstacle) -> &'static str {
    use program::ProgramObstacle;
    match obstacle {
        ProgramObstacle::NoPin => "this session has no PIN that is still good",
        ProgramObstacle::UnderWay => "it is being saved already",
        ProgramObstacle::Saved => "it has been saved for this PIN",
        ProgramObstacle::Gone => {
            "the service gives it once per PIN, and for this PIN it is no longer available"
        }
    }
}

impl From<Locked> for CommandError {
    fn from(_: Locked) -> Self {
        Self::Locked
    }
}

fn why_too_soon(Brake { until, why }: Brake, at: Timestamp) -> String {
    let left = wait_in_words(until.since(at));
    match why {
        BrakeReason::UnderWay => {
            format!(
                "their phone is ringing already, for another session; that ends in {left} at the latest"
            )
        }
        BrakeReason::Denied(denied) => format!(
            "they said no {}, last {} ago; they may be asked again in {left}",
            count(denied.times, "time", "times"),
            wait_in_words(at.since(denied.last)),
        ),
        BrakeReason::Unanswered { times } => format!(
            "{} in a row had no answer; they may be asked again in {left}",
            count(times, "push", "pushes")
        ),
        BrakeReason::WrongCodes { times } => format!(
            "{} in a row were wrong; another may be tried in {left}",
            count(times, "code", "codes")
        ),
        BrakeReason::Mailed { times } => format!(
            "{} went out by e-mail within the hour; another may be sent in {left}",
            count(times, "code", "codes")
        ),
    }
}

/// `40 s`, `9 min`, `2 h 5 min`: rounded up, so that nobody comes too early.
fn wait_in_words(wait: Duration) -> String {
    let seconds = wait.as_millis().div_ceil(1_000);
    let minutes = seconds.div_ceil(60);
    match (seconds, minutes) {
        (0..=90, _) => format!("{seconds} s"),
        (_, 0..=90) => format!("{minutes} min"),
        _ => format!("{} h {} min", minutes / 60, minutes % 60),
    }
}

const fn why_shut(why: ShutReason) -> &'static str {
    match why {
        ShutReason::NotVerified => "the customer has not been verified in this session",
        ShutReason::UnderWay => "the customer is being asked and has not answered yet",
        ShutReason::Denied { .. } => "the customer denied the request",
        ShutReason::TooOld { .. } => "the customer was verified too long ago",
        ShutReason::Over => "the session is over, and its verifications with it",
    }
}
