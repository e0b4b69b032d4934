//! The exchange that sets up the encryption. Each step is a type of its own, so no message can
//! be skipped.

use std::fmt;

use ring::{
    digest::{Context, SHA256},
    rand::{SecureRandom as _, SystemRandom},
};
use snow::{Builder, HandshakeState};

use crate::{
    Access, SealError, Words,
    sealed::{MAX_MESSAGE, Sealed},
};

const PATTERN: &str = "Noise_NN_25519_ChaChaPoly_SHA256";
// Part of the prologue (Noise, section 6): both ends must have the same one, though it is never
// sent. An end of another version fails at the first message instead of reading nonsense.
const VERSION: &[u8] = b"deskhand screen 1 ";
// A prefix for each purpose, so that a hash made for one can never pass for a hash made
// for another.
const COMMITMENT_PREFIX: &[u8] = b"deskhand screen 1 commits to ";
const NONCE: usize = 32;

type Nonce = [u8; NONCE];

/// The viewer's end, which sends the first message.
pub struct Initiator {
    noise: HandshakeState,
    nonce: Nonce,
}

/// The presenter's end before the first message.
pub struct Responder {
    noise: HandshakeState,
    nonce: Nonce,
}

/// The presenter's end while it waits for the nonce that the viewer has committed to.
pub struct AwaitingNonce {
    sealed: Sealed,
    hash: Nonce,
    nonce: Nonce,
    commitment: Nonce,
}

impl Initiator {
    /// Makes the viewer's end and the first message.
    ///
    /// # Errors
    /// [`SealError::NoRandomness`].
    pub fn start(access: Access) -> Result<(Self, Vec<u8>), SealError> {
        let mut noise = build(access, |builder| builder.build_initiator())?;
        let nonce = random_nonce()?;
        let first = write(&mut noise, &commitment(&nonce))?;
        Ok((Self { noise, nonce }, first))
    }

    /// Takes the second message. Returns the encrypted stream and the third message, which must be
    /// sent before anything else is sealed.
    ///
    /// # Errors
    /// [`SealError::Exchange`].
    pub fn finish(self, second: &[u8]) -> Result<(Sealed, Vec<u8>), SealError> {
        let Self { mut noise, nonce } = self;
        let theirs = read(&mut noise, second)?;
        let hash = hash_of(&noise);
        let words = Words::new(&hash, &nonce, &theirs);
        let mut sealed = Sealed::new(noise, words)?;
        let third = sealed.sealer.seal(&nonce)?;
        Ok((sealed, third))
    }
}

impl Responder {
    /// Makes the presenter's end.
    ///
    /// # Errors
    /// [`SealError::NoRandomness`].
    pub fn new(access: Access) -> Result<Self, SealError> {
        Ok(Self {
            noise: build(access, |builder| builder.build_responder())?,
            nonce: random_nonce()?,
        })
    }

    /// Takes the first message and returns the second.
    ///
    /// # Errors
    /// [`SealError::Exchange`].
    pub fn answer(self, first: &[u8]) -> Result<(AwaitingNonce, Vec<u8>), SealError> {
        let Self { mut noise, nonce } = self;
        let commitment = read(&mut noise, first)?;
        let second = write(&mut noise, &nonce)?;
        let hash = hash_of(&noise);
        // The words depend on the viewer's nonce, which comes with the third message. Until then
        // there are none.
        let sealed = Sealed::new(noise, Words::default())?;
        Ok((AwaitingNonce { sealed, hash, nonce, commitment }, second))
    }
}

impl AwaitingNonce {
    /// Takes the third message and returns the encrypted stream.
    ///
    /// # Errors
    /// [`SealError::Damaged`]; [`SealError::Commitment`] if it reveals another nonce.
    pub fn finish(self, third: &[u8]) -> Result<Sealed, SealError> {
        let Self { mut sealed, hash, nonce, commitment: committed } = self;
        // The commitment was made before the viewer could know our nonce. Without this check a
        // middle could try nonces until both ends show the same words: 2^33 tries take minutes
        // (docs/adr/0016).
        let revealed = sealed.opener.open(third)?;
        let theirs = Nonce::try_from(&revealed[..]).map_err(|_| SealError::Exchange)?;
        if commitment(&theirs) != committed {
            return Err(SealError::Commitment);
        }
        sealed.words = Words::new(&hash, &theirs, &nonce);
        Ok(sealed)
    }
}

fn build(
    access: Access,
    end: fn(Builder<'_>) -> Result<HandshakeState, snow::Error>,
) -> Result<HandshakeState, SealError> {
    // Bound into the exchange, so that a broker which tells the two ends different things breaks
    // the stream.
    let access: &[u8] = match access {
        Access::Watch => b"watch",
        Access::Control => b"control",
    };
    let prologue = [VERSION, access].concat();
    let pattern = PATTERN.parse().map_err(|_| SealError::Exchange)?;
    Builder::new(pattern).prologue(&prologue).and_then(end).map_err(|_| SealError::NoRandomness)
}

/// Writes a message of the exchange with a nonce or a commitment in it.
fn write(noise: &mut HandshakeState, payload: &Nonce) -> Result<Vec<u8>, SealError> {
    // A message is at most 80 bytes: a key of 32, the payload of 32 and a tag of 16.
    let mut message = vec![0; 256];
    let length = noise.write_message(payload, &mut message).map_err(|_| SealError::NoRandomness)?;
    message.truncate(length);
    Ok(message)
}

/// Reads the nonce or the commitment in a message of the exchange.
fn read(noise: &mut HandshakeState, message: &[u8]) -> Result<Nonce, SealError> {
    if message.len() > MAX_MESSAGE {
        return Err(SealError::Exchange);
    }
    let mut payload = vec![0; message.len()];
    let length = noise.read_message(message, &mut payload).map_err(|_| SealError::Exchange)?;
    Nonce::try_from(&payload[..length]).map_err(|_| SealError::Exchange)
}

fn hash_of(noise: &HandshakeState) -> Nonce {
    let mut hash = [0; NONCE];
    hash.copy_from_slice(&noise.get_handshake_hash()[..NONCE]);
    hash
}

fn commitment(nonce: &Nonce) -> Nonce {
    let mut context = Context::new(&SHA256);
    context.update(COMMITMENT_PREFIX);
    context.update(nonce);
    let mut hash = [0; NONCE];
    hash.copy_from_slice(context.finish().as_ref());
    hash
}

fn random_nonce() -> Result<Nonce, SealError> {
    let mut nonce = [0; NONCE];
    SystemRandom::new().fill(&mut nonce).map_err(|_| SealError::NoRandomness)?;
    Ok(nonce)
}

macro_rules! redact_debug {
    ($($end:ident),*) => {$(
        impl fmt::Debug for $end {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($end)).finish_non_exhaustive()
            }
        }
    )*};
}
redact_debug!(Initiator, Responder, AwaitingNonce);

#[cfg(test)]
mod tests {
    use super::*;

    /// Otherwise somebody who knows the presenter's nonce could try nonces until the words match.
    #[test]
    fn a_nonce_chosen_after_seeing_the_presenters_is_refused() {
        let (mut middle, first) = Initiator::start(Access::Control).unwrap();
        let presenter = Responder::new(Access::Control).unwrap();
        let (presenter, second) = presenter.answer(&first).unwrap();
        middle.nonce = random_nonce().unwrap();
        let (_, third) = middle.finish(&second).unwrap();
        assert_eq!(presenter.finish(&third).unwrap_err(), SealError::Commitment);
    }
}
