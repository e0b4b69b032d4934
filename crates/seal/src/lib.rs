//! End-to-end encryption of one viewer's stream between the console's viewer and the presenter. The
//! broker between them can neither read it nor change it unnoticed.
//!
//! Neither end knows the other's key beforehand, so somebody in the middle could do the exchange
//! with both. To detect that, both ends show the same few [`Words`] (a short authentication
//! string), and the two people compare them on the phone. The viewer commits to a nonce before it
//! sees the presenter's, so a middle can't search for keys whose words agree and has one guess in
//! 2^33.
//!
//! The exchange is Noise `NNpsk2_25519_ChaChaPoly_SHA256` and one message more:
//!
//! | | from | content |
//! |---|---|---|
//! | 1 | viewer | an ephemeral key; the commitment: the hash of a nonce that stays secret for now; which [`Pairing`] it remembers; whether it only watches for now |
//! | 2 | presenter | whether it remembers that pairing, too; an ephemeral key, and a nonce |
//! | 3 | viewer | the viewer's nonce, encrypted; it must match the commitment |
//!
//! From the whole exchange and both nonces both ends derive a [`Pairing`], and the words from that.
//! If both remember the pairing of an earlier exchange, its secret is the pre-shared key of this one,
//! and the words stay. Else that key is nothing but zeros, and there are new words. Attacks and
//! their results:
//! - Listening, also to a recording years later: nothing, because the keys are ephemeral.
//! - Changing, repeating, reordering or cutting a message: [`SealError::Damaged`]; a forgery
//!   succeeds with a probability of 2^-128.
//! - Sitting in the middle: the two ends show different words. The middle has to commit towards
//!   the presenter before it sees the presenter's nonce, and has to answer the viewer before it
//!   sees the viewer's, so it can't search for matching words. They match by chance once in 2^33
//!   exchanges, and people can see each failed attempt.
//! - Sitting in the middle while nobody compares the words: it isn't detected.
//! - Getting in between later: without the pairing's secret it can only pretend that one end has
//!   forgotten, which makes new words at both.
//!
//! The crate does no I/O: messages go in and come out. Each is one WebSocket message of at most
//! [`MAX_MESSAGE`] bytes.

#![warn(missing_docs)]

mod error;
mod exchange;
mod other_version;
mod pairing;
mod sealed;
mod words;

pub use error::SealError;
pub use exchange::{AwaitingNonce, Initiator, Offer, Responder};
pub use other_version::refusal;
pub use pairing::{Pairing, PairingId};
pub use sealed::{MAX_MESSAGE, MAX_PLAINTEXT, Opener, Sealed, Sealer};
pub use words::Words;

/// What the viewer may do. The broker tells both ends; the exchange fails unless it told them
/// the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// See the screen.
    Watch,
    /// See the screen, type and point.
    Control,
}
