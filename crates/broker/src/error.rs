//! Why a call is refused, by what its caller can do about it.

use std::{borrow::Cow, time::Duration};

use crate::store::NotSaved;

/// A call that was refused. Texts are for people; programs look at the status.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refused {
    /// The request is wrong: mend it.
    #[error("{0}")]
    Malformed(Cow<'static, str>),
    /// No such PIN: ask for it again. The answer is held back a little from who guesses.
    #[error("no session has this PIN; check it and try again")]
    UnknownPin { answer_after: Duration },
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
}

impl From<NotSaved> for Refused {
    fn from(_: NotSaved) -> Self {
        Self::NotSaved
    }
}
