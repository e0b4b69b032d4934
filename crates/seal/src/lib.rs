//! End-to-end encryption of one viewer's stream: an ephemeral exchange between the console's viewer
//! and the presenter, which the broker between them can neither read nor change unseen.
//!
//! Nobody knows the other's key beforehand, so whoever sits in the middle could do the exchange with
//! both. Against that both ends show the same few [`Words`] to their people, who compare them on the
//! phone. The exchange commits before it reveals, so that a middle has one guess in 2^33 and can't
//! search for a pair of keys whose words agree.
//!
//! Three messages, by Noise `NN_25519_ChaChaPoly_SHA256` and one more:
//!
//! | | from | what |
//! |---|---|---|
//! | 1 | viewer | its key of the moment, and the hash of a nonce that it keeps to itself: the commitment |
//! | 2 | presenter | its key of the moment, and a nonce of its own |
//! | 3 | viewer | its nonce, sealed: it must be the one that it committed to |
//!
//! The words are made of the whole exchange and both nonces. What attacks come to:
//! - listening only, now or later with everything recorded: nothing (the keys are of the moment);
//! - changing, repeating, reordering or cutting a message: [`SealError::Damaged`], odds 2^-128 a try;
//! - sitting in the middle: each end gets words of its own. To the presenter the middle commits before
//!   it sees the presenter's nonce, and to the viewer it answers before it sees the viewer's, so neither
//!   pair can be searched for: the words agree by chance, once in 2^33 exchanges, and each failed try is
//!   one that people can see;
//! - nobody compares the words: then there is no protection against a middle. They are asked to.
//!
//! Pure: messages in, messages out; each message is one WebSocket message of at most [`LONGEST`] bytes.

#![warn(missing_docs)]

mod exchange;
mod sealed;
mod words;

pub use exchange::{Awaiting, Initiator, Responder};
pub use sealed::{LONGEST, LONGEST_PLAIN, Opener, Sealed, Sealer};
pub use words::Words;

/// What the viewer may do, as the broker told each end. Both ends must have been told the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// See the screen.
    Watch,
    /// Type and point as well.
    Control,
}

/// The exchange or the stream is over, for good. It quotes nothing of what was received.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The other end's message of the exchange isn't one, or not for this version or access.
    #[error("set up the encryption: the other end's message is damaged or of another version")]
    Exchange,
    /// The nonce that was revealed isn't the one that was committed to: somebody sits in the middle.
    #[error("set up the encryption: somebody in between tried to choose the words to compare")]
    Commitment,
    /// A message was changed, repeated, left out or cut.
    #[error("open an encrypted message: it was changed on the way")]
    Damaged,
    /// More than one message can hold.
    #[error("seal a message: it is longer than one message can be")]
    TooLong,
    /// The system gives no random numbers.
    #[error("set up the encryption: this computer gives no random numbers")]
    NoChance,
}
