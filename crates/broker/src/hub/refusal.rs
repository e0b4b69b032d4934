//! Why a call is refused, by what its caller can do about it.

use std::{borrow::Cow, time::Duration};

/// A call that was refused. Texts are for people; programs look at the status.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refused {
    /// The request is wrong and has to be corrected.
    #[error("{0}")]
    Malformed(Cow<'static, str>),
    /// There is no such PIN. The response is held back from clients that guess.
    #[error("no session has this PIN; check it and try again")]
    UnknownPin { delay: Duration },
    /// There is no such ticket, watch key or stream, or it ended with what it belonged to.
    #[error("this link or key is not valid, or no longer; ask for a new one")]
    UnknownKey { delay: Duration },
    /// The program that this session's own conf started is connected already.
    #[error("the screen of this session is shared by its own program already")]
    Taken,
    /// Nobody shares a screen.
    #[error("no screen is shared in this session yet")]
    NoPresenter,
    /// The presenter's program didn't dial in time.
    #[error("the customer's program did not answer in time; try again")]
    NoAnswer,
    /// The session has as many viewers or links as it can have.
    #[error("this session has as many viewers as it can have; ask one to leave")]
    Full,
    /// As many sessions are kept as may be, of all.
    #[error(
        "this broker keeps as many sessions as it may; try again later, or ask whoever runs it to allow more (`sessions`)"
    )]
    AllSessions,
    /// As many sessions are kept as may be, of this client's addresses.
    #[error(
        "this broker keeps as many sessions from your addresses as it may; try again later, or ask whoever runs it to \
         allow more (`sessions`)"
    )]
    OwnSessions,
    /// As many e-mails wait to be handed to the mail server as may.
    #[error(
        "as many e-mails wait for the mail server as may; try again later, or ask whoever runs this broker to look at the \
         mail server"
    )]
    OutboxFull,
    /// This broker's owner doesn't allow it.
    #[error("{0}")]
    NotAllowed(&'static str),
    /// There is no presenter's program for this computer.
    #[error("{0}")]
    NoProgram(String),
    /// The PIN has expired or was revoked.
    #[error("this PIN is no longer valid; ask for a new one")]
    PinOver,
    /// The conf was given already.
    #[error("the parameters of this session were given already; they are given only once")]
    AlreadyGiven,
    /// The client has used up what it may do in this time.
    #[error("too many requests; wait {} s and try again", retry_after.as_secs())]
    TooMany { retry_after: Duration },
    /// A wrong PIN or key, or one that wasn't looked at since its client gave a wrong one, while many are guessed.
    #[error(
        "no session has this PIN or key, or it was tried too soon after a wrong one; check it, wait {} s and try again",
        .retry_after.as_secs().max(1)
    )]
    Guessing { retry_after: Duration },
    /// A session that was minted on the broker's own machine takes orders from there alone.
    #[error(
        "this session belongs to the console on this broker's computer; only that console may do this"
    )]
    NotYours,
    /// The client was reported for abuse too often.
    #[error("this address has been blocked after reports of abuse")]
    Blocked,
    /// The store failed, or the system had no random numbers. The broker's log says more.
    #[error("the broker could not save this; try again in a moment")]
    NotSaved,
    /// A page of another site made the call.
    #[error("pages of other sites may not call this broker")]
    ForeignPage,
    /// There is no such call.
    #[error("there is no such call")]
    NoSuchCall,
}

impl Refused {
    /// A request that has to be corrected.
    pub fn malformed(text: impl Into<Cow<'static, str>>) -> Self {
        Self::Malformed(text.into())
    }

    /// The client has used up what it may do, and can try again after this time.
    pub const fn too_many(retry_after: Duration) -> Self {
        Self::TooMany { retry_after }
    }

    /// The reason, for programs at the other end of a live connection or a stream.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "malformed",
            Self::UnknownPin { .. } => "unknown_pin",
            Self::UnknownKey { .. } => "unknown",
            Self::PinOver => "pin_over",
            Self::TooMany { .. }
            | Self::Guessing { .. }
            | Self::Full
            | Self::AllSessions
            | Self::OwnSessions
            | Self::OutboxFull => "too_many",
            Self::Blocked => "blocked",
            Self::NotSaved => "not_saved",
            Self::Taken => "taken",
            Self::NoPresenter => "no_presenter",
            Self::NoAnswer => "timeout",
            Self::AlreadyGiven
            | Self::NotYours
            | Self::NotAllowed(_)
            | Self::NoProgram(_)
            | Self::ForeignPage
            | Self::NoSuchCall => "refused",
        }
    }

    /// What it is in logs and figures.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::AllSessions => "all_sessions",
            Self::OwnSessions => "own_sessions",
            Self::OutboxFull => "outbox_full",
            Self::Guessing { .. } => "guessing",
            Self::AlreadyGiven => "already_given",
            Self::NotYours => "not_yours",
            Self::NotAllowed(_) => "not_allowed",
            Self::NoProgram(_) => "no_program",
            Self::ForeignPage => "foreign_page",
            Self::NoSuchCall => "no_such_call",
            Self::Malformed(_)
            | Self::UnknownPin { .. }
            | Self::UnknownKey { .. }
            | Self::PinOver
            | Self::TooMany { .. }
            | Self::Blocked
            | Self::NotSaved
            | Self::Taken
            | Self::NoPresenter
            | Self::NoAnswer => self.code(),
        }
    }

    /// How long this answer is held back from whoever guesses.
    pub const fn delay(&self) -> Duration {
        if let Self::UnknownPin { delay } | Self::UnknownKey { delay } = self {
            *delay
        } else {
            Duration::ZERO
        }
    }
}
