//! Why a call is refused, by what its caller can do about it.

use std::{borrow::Cow, time::Duration};

/// A call that was refused. Texts are for people; programs look at the status.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refused {
    /// The request is wrong: mend it.
    #[error("{0}")]
    Malformed(Cow<'static, str>),
    /// No such PIN: ask for it again. The answer is held back a little from who guesses.
    #[error("no session has this PIN; check it and try again")]
    UnknownPin { answer_after: Duration },
    /// No such ticket, watch key or stream: it ended with what it belonged to.
    #[error("this link or key is not valid, or no longer; ask for a new one")]
    UnknownKey { answer_after: Duration },
    /// The program that the session's own conf started is there already.
    #[error("the screen of this session is shared by its own program already")]
    Taken,
    /// Nobody shares a screen.
    #[error("no screen is shared in this session yet")]
    NoPresenter,
    /// The presenter didn't dial.
    #[error("the customer's program did not answer in time; try again")]
    NoAnswer,
    /// More viewers than a session holds.
    #[error("this session has as many viewers as it can have; ask one to leave")]
    Full,
    /// What isn't allowed on this broker.
    #[error("{0}")]
    NotAllowed(&'static str),
    /// There is no program for this computer.
    #[error("{0}")]
    NoProgram(String),
    /// The PIN's life is over: ask for a new one.
    #[error("this PIN is no longer valid; ask for a new one")]
    PinOver,
    /// What is given once was given already.
    #[error("the parameters of this session were given already; they are given only once")]
    AlreadyGiven,
    /// Come back later.
    #[error("too many requests; wait {} s and try again", retry_after.as_secs())]
    TooMany { retry_after: Duration },
    /// A session of the console on the broker's own machine is steered from there alone.
    #[error("this session belongs to the console on this broker's computer; only that may do this")]
    NotYours,
    /// Shut out for abuse.
    #[error("this address has been blocked after reports of abuse")]
    Blocked,
    /// The store failed: try again, and look at the broker's log.
    #[error("the broker could not save this; try again in a moment")]
    NotSaved,
    /// A page of a foreign site called.
    #[error("pages of other sites may not call this broker")]
    ForeignPage,
    /// There is no such call.
    #[error("there is no such call")]
    NoSuchCall,
}

impl Refused {
    /// A request that has to be mended.
    pub fn malformed(text: impl Into<Cow<'static, str>>) -> Self {
        Self::Malformed(text.into())
    }

    /// What a connection is told for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "malformed",
            Self::UnknownPin { .. } => "unknown_pin",
            Self::UnknownKey { .. } => "unknown",
            Self::PinOver => "pin_over",
            Self::TooMany { .. } | Self::Full => "too_many",
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

    /// How long whoever guesses waits for this answer.
    pub const fn answer_after(&self) -> Duration {
        match self {
            Self::UnknownPin { answer_after } | Self::UnknownKey { answer_after } => *answer_after,
            Self::Malformed(_)
            | Self::PinOver
            | Self::TooMany { .. }
            | Self::Full
            | Self::Blocked
            | Self::NotSaved
            | Self::Taken
            | Self::NoPresenter
            | Self::NoAnswer
            | Self::AlreadyGiven
            | Self::NotYours
            | Self::NotAllowed(_)
            | Self::NoProgram(_)
            | Self::ForeignPage
            | Self::NoSuchCall => Duration::ZERO,
        }
    }
}

impl From<store::StoreError> for Refused {
    fn from(_: store::StoreError) -> Self {
        Self::NotSaved
    }
}
