//! Why an engine doesn't start, or doesn't do what it was told, by what helps.

use session::verification::ShutReason;

use crate::{
    SessionId,
    access::Locked,
    archive::ArchiveError,
    journal::JournalError,
    remote::{CallError, DownloadTargetError, logintc},
};

/// Why an engine could not start. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The journal can't be opened.
    #[error("open the journal: {0}")]
    Journal(#[source] JournalError),
    /// The archive can't be opened.
    #[error("open the archive: {0}")]
    Archive(#[source] ArchiveError),
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
    #[error("find session {0}: this console has none of that id")]
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
    /// It doesn't fit the session's state; the text says why.
    #[error("{0}")]
    DoesNotFit(&'static str),
    /// The session was made, but neither its actor nor the disk took it.
    #[error(
        "make a session: it could not be saved to this computer's disk; free some space and try again"
    )]
    NotMade,
    /// The operating system gave no random bytes.
    #[error("make a session: the operating system gave no random bytes; restart the computer")]
    NoRandom,
    /// Somebody must sign in first.
    #[error("carry out the command: Deskhand is locked; sign in")]
    Locked,
    /// The verification gate is shut: verify the customer, or override it.
    #[error("{doing}: {}", why_shut(*why))]
    Gate {
        /// What was to be done.
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
        /// What was to be done.
        doing: &'static str,
        /// What is missing.
        what: &'static str,
    },
    /// The engine is stopping.
    #[error("carry out the command: the engine is stopping")]
    Stopping,
}

impl From<Locked> for CommandError {
    fn from(_: Locked) -> Self {
        Self::Locked
    }
}

const fn why_shut(why: ShutReason) -> &'static str {
    match why {
        ShutReason::NotVerified => "the customer has not been verified in this session",
        ShutReason::UnderWay => "the customer is being asked and has not answered yet",
        ShutReason::Denied { .. } => "the customer denied when asked",
        ShutReason::TooOld { .. } => "the customer's verification is too long ago",
        ShutReason::Over => "the session is over, and its verifications with it",
    }
}
