//! Why an exchange or a stream ends.

/// Ends the exchange or the stream for good. The error quotes nothing of what was received.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The other end's message is damaged, or it was made for another version or access.
    #[error("set up the encryption: the other end's message is damaged or of another version")]
    Exchange,
    /// The other end is of an older version, with which there is no encryption.
    #[error("set up the encryption: the other end is of an older version")]
    Older,
    /// The other end is of a later version.
    #[error("set up the encryption: the other end is of a later version")]
    Later,
    /// The nonce doesn't match the commitment: somebody sits in the middle.
    #[error("set up the encryption: somebody in between tried to choose the words to compare")]
    Commitment,
    /// A message was changed, repeated, left out or cut.
    #[error("open an encrypted message: it was changed on the way")]
    Damaged,
    /// The text is longer than one message can be.
    #[error("seal a message: it is longer than one message can be")]
    TooLong,
    /// The operating system gives no random numbers.
    #[error("set up the encryption: this computer gives no random numbers")]
    NoRandomness,
}
