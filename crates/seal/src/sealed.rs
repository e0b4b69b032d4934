//! The stream after the exchange: each message is sealed by its place in the sequence.

use std::{fmt, sync::Arc};

use snow::{HandshakeState, StatelessTransportState};

use crate::{SealError, Words};

/// Bytes of the longest sealed message.
pub const LONGEST: usize = 65_535;
/// Bytes that one sealed message can hold.
pub const LONGEST_PLAIN: usize = LONGEST - TAG;

const TAG: usize = 16;

/// Both directions of an encrypted stream. They are used by different tasks, so they come apart.
#[derive(Debug)]
pub struct Sealed {
    /// What is sent.
    pub sealer: Sealer,
    /// What is received.
    pub opener: Opener,
    /// For both people to compare.
    pub words: Words,
}

/// Seals what is sent.
pub struct Sealer {
    keys: Arc<StatelessTransportState>,
    next: u64,
}

/// Opens what is received, in the order in which it was sealed.
pub struct Opener {
    keys: Arc<StatelessTransportState>,
    next: u64,
    broken: bool,
}

impl Sealed {
    pub(crate) fn new(noise: HandshakeState, words: Words) -> Result<Self, SealError> {
        let keys = noise.into_stateless_transport_mode().map_err(|_| SealError::Exchange)?;
        let keys = Arc::new(keys);
        let sealer = Sealer { keys: Arc::clone(&keys), next: 0 };
        Ok(Self { sealer, opener: Opener { keys, next: 0, broken: false }, words })
    }
}

impl Sealer {
    /// One message of at most [`LONGEST_PLAIN`] bytes, sealed.
    ///
    /// # Errors
    /// [`SealError::TooLong`].
    pub fn seal(&mut self, plain: &[u8]) -> Result<Vec<u8>, SealError> {
        if plain.len() > LONGEST_PLAIN {
            return Err(SealError::TooLong);
        }
        let mut sealed = vec![0; plain.len() + TAG];
        self.keys.write_message(self.next, plain, &mut sealed).map_err(|_| SealError::TooLong)?;
        self.next += 1;
        Ok(sealed)
    }

    /// As many sealed messages as it takes.
    ///
    /// # Errors
    /// None but when 2^64 messages have been sealed.
    pub fn seal_all(&mut self, plain: &[u8]) -> Result<Vec<Vec<u8>>, SealError> {
        plain.chunks(LONGEST_PLAIN).map(|piece| self.seal(piece)).collect()
    }
}

impl Opener {
    /// What is in the next message. After an error nothing more is opened.
    ///
    /// # Errors
    /// [`SealError::Damaged`].
    pub fn open(&mut self, sealed: &[u8]) -> Result<Vec<u8>, SealError> {
        if self.broken || sealed.len() < TAG || sealed.len() > LONGEST {
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
