//! The encrypted stream after the exchange.

use std::{fmt, sync::Arc};

use snow::{HandshakeState, StatelessTransportState};

use crate::{Pairing, SealError, Words};

/// The most bytes in an encrypted message: the limit of Noise (section 3).
pub const MAX_MESSAGE: usize = 65_535;
/// The most bytes of plain text in one message.
pub const MAX_PLAINTEXT: usize = MAX_MESSAGE - TAG;

const TAG: usize = 16;

/// Both directions of an encrypted stream.
#[derive(Debug)]
pub struct Sealed {
    /// Encrypts what is sent.
    pub sealer: Sealer,
    /// Decrypts what is received.
    pub opener: Opener,
    /// The words for both people to compare.
    pub words: Words,
    /// What the next exchange of these two ends can build on.
    pub pairing: Pairing,
    /// Both ends have shown that they knew this pairing before: the words are those of that time.
    pub known_again: bool,
}

/// Encrypts what is sent.
pub struct Sealer {
    keys: Arc<StatelessTransportState>,
    // The counter isn't sent: a WebSocket keeps the order, so a message out of turn was
    // tampered with.
    next: u64,
}

/// Decrypts what is received, in the order in which it was encrypted.
pub struct Opener {
    keys: Arc<StatelessTransportState>,
    next: u64,
    broken: bool,
}

impl Sealed {
    pub(crate) fn new((sealer, opener): Ends, pairing: Pairing, known_again: bool) -> Self {
        Self { sealer, opener, words: pairing.words(), pairing, known_again }
    }
}

/// Both directions, before there are words.
pub(crate) type Ends = (Sealer, Opener);

pub(crate) fn ends(noise: HandshakeState) -> Result<Ends, SealError> {
    // Stateless, because two tasks use the two directions, and a stateful cipher would need
    // a lock.
    let keys = noise.into_stateless_transport_mode().map_err(|_| SealError::Exchange)?;
    let keys = Arc::new(keys);
    let sealer = Sealer { keys: Arc::clone(&keys), next: 0 };
    Ok((sealer, Opener { keys, next: 0, broken: false }))
}

impl Sealer {
    /// Encrypts a message of at most [`MAX_PLAINTEXT`] bytes.
    ///
    /// # Errors
    /// [`SealError::TooLong`].
    pub fn seal(&mut self, plain: &[u8]) -> Result<Vec<u8>, SealError> {
        if plain.len() > MAX_PLAINTEXT {
            return Err(SealError::TooLong);
        }
        let mut sealed = vec![0; plain.len() + TAG];
        self.keys.write_message(self.next, plain, &mut sealed).map_err(|_| SealError::TooLong)?;
        self.next += 1;
        Ok(sealed)
    }

    /// Encrypts plain text of any length into messages of at most [`MAX_MESSAGE`] bytes each.
    ///
    /// # Errors
    /// Only after 2^64 messages.
    pub fn seal_all(&mut self, plain: &[u8]) -> Result<Vec<Vec<u8>>, SealError> {
        plain.chunks(MAX_PLAINTEXT).map(|piece| self.seal(piece)).collect()
    }
}

impl Opener {
    /// Decrypts the next message to at most [`MAX_PLAINTEXT`] bytes. After an error, every further
    /// call fails.
    ///
    /// # Errors
    /// [`SealError::Damaged`].
    pub fn open(&mut self, sealed: &[u8]) -> Result<Vec<u8>, SealError> {
        if self.broken || sealed.len() < TAG || sealed.len() > MAX_MESSAGE {
            self.broken = true;
            return Err(SealError::Damaged);
        }
        let mut plain = vec![0; sealed.len()];
        match self.keys.read_message(self.next, sealed, &mut plain) {
            Ok(length) => {
                self.next += 1;
                plain.truncate(length);
                Ok(plain)
            }
            Err(_) => {
                // The counter stays, so without this the genuine message could still follow, and
                // one that somebody inserted before it would pass unnoticed.
                self.broken = true;
                Err(SealError::Damaged)
            }
        }
    }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sealer").field("next", &self.next).finish_non_exhaustive()
    }
}

impl fmt::Debug for Opener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opener").field("next", &self.next).finish_non_exhaustive()
    }
}
