//! The exchange: who says what in which order is held by the types, so no message can be skipped.

use std::fmt;

use ring::{
    digest::{Context, SHA256},
    rand::{SecureRandom as _, SystemRandom},
};
use snow::{Builder, HandshakeState};

use crate::{
    Access, SealError, Words,
    sealed::{LONGEST, Sealed},
};

const PATTERN: &str = "Noise_NN_25519_ChaChaPoly_SHA256";
/// What both ends must agree on without saying it.
const VERSION: &[u8] = b"deskhand screen 1 ";
/// So that the commitment's hash is of nothing else.
const COMMITS: &[u8] = b"deskhand screen 1 commits to ";
const NONCE: usize = 32;

type Nonce = [u8; NONCE];

/// The viewer's end: it speaks first.
pub struct Initiator {
    noise: HandshakeState,
    nonce: Nonce,
}

/// The presenter's end, before the first message.
pub struct Responder {
    noise: HandshakeState,
    nonce: Nonce,
}

/// The presenter's end, which waits for the nonce that the viewer has committed to.
pub struct Awaiting {
    sealed: Sealed,
    hash: Nonce,
    nonce: Nonce,
    commitment: Nonce,
}

impl Initiator {
    /// The viewer's end and the first message.
    ///
    /// # Errors
    /// [`SealError::NoChance`].
    pub fn start(access: Access) -> Result<(Self, Vec<u8>), SealError> {
        let mut noise = build(access, |builder| builder.build_initiator())?;
        let nonce = fresh()?;
        let first = write(&mut noise, &commitment(&nonce))?;
        Ok((Self { noise, nonce }, first))
    }

    /// Takes the second message; answers the stream's seal and the third message, which is to be sent
    /// before anything is sealed.
    ///
    /// # Errors
    /// [`SealError::Exchange`].
    pub fn finish(self, second: &[u8]) -> Result<(Sealed, Vec<u8>), SealError> {
        let Self { mut noise, nonce } = self;
        let theirs = read(&mut noise, second)?;
        let hash = hash_of(&noise);
        let words = Words::of(&hash, &nonce, &theirs);
        let mut sealed = Sealed::new(noise, words)?;
        let third = sealed.sealer.seal(&nonce)?;
        Ok((sealed, third))
    }
}

impl Responder {
    /// The presenter's end.
    ///
    /// # Errors
    /// [`SealError::NoChance`].
    pub fn new(access: Access) -> Result<Self, SealError> {
        Ok(Self { noise: build(access, |builder| builder.build_responder())?, nonce: fresh()? })
    }

    /// Takes the first message; answers the second.
    ///
    /// # Errors
    /// [`SealError::Exchange`].
    pub fn answer(self, first: &[u8]) -> Result<(Awaiting, Vec<u8>), SealError> {
        let Self { mut noise, nonce } = self;
        let commitment = read(&mut noise, first)?;
        let second = write(&mut noise, &nonce)?;
        let hash = hash_of(&noise);
        // The words need the nonce to come; until then there are none to show.
        let sealed = Sealed::new(noise, Words::default())?;
        Ok((Awaiting { sealed, hash, nonce, commitment }, second))
    }
}

impl Awaiting {
    /// Takes the third message; answers the stream's seal.
    ///
    /// # Errors
    /// [`SealError::Damaged`]; [`SealError::Commitment`] if it reveals another nonce.
    pub fn finish(self, third: &[u8]) -> Result<Sealed, SealError> {
        let Self { mut sealed, hash, nonce, commitment: committed } = self;
        let revealed = sealed.opener.open(third)?;
        let theirs = Nonce::try_from(&revealed[..]).map_err(|_| SealError::Exchange)?;
        if commitment(&theirs) != committed {
            return Err(SealError::Commitment);
        }
        sealed.words = Words::of(&hash, &theirs, &nonce);
        Ok(sealed)
    }
}

fn build(
    access: Access,
    end: fn(Builder<'_>) -> Result<HandshakeState, snow::Error>,
) -> Result<HandshakeState, SealError> {
    let access: &[u8] = match access {
        Access::Watch => b"watch",
        Access::Control => b"control",
    };
    let prologue = [VERSION, access].concat();
    let pattern = PATTERN.parse().map_err(|_| SealError::Exchange)?;
    Builder::new(pattern).prologue(&prologue).and_then(end).map_err(|_| SealError::NoChance)
}

/// One message of the exchange with 32 bytes of ours in it.
fn write(noise: &mut HandshakeState, payload: &Nonce) -> Result<Vec<u8>, SealError> {
    let mut message = vec![0; 256];
    let length = noise.write_message(payload, &mut message).map_err(|_| SealError::NoChance)?;
    message.truncate(length);
    Ok(message)
}

/// What is in one message of the exchange: always 32 bytes.
fn read(noise: &mut HandshakeState, message: &[u8]) -> Result<Nonce, SealError> {
    if message.len() > LONGEST {
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
    context.update(COMMITS);
    context.update(nonce);
    let mut hash = [0; NONCE];
    hash.copy_from_slice(context.finish().as_ref());
    hash
}

fn fresh() -> Result<Nonce, SealError> {
    let mut nonce = [0; NONCE];
    SystemRandom::new().fill(&mut nonce).map_err(|_| SealError::NoChance)?;
    Ok(nonce)
}

macro_rules! keeps_its_keys_to_itself {
    ($($end:ident),*) => {$(
        impl fmt::Debug for $end {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($end)).finish_non_exhaustive()
            }
        }
    )*};
}
keeps_its_keys_to_itself!(Initiator, Responder, Awaiting);

#[cfg(test)]
mod tests {
    use super::*;

    /// Who knows the presenter's nonce could otherwise try nonces until the words suit.
    #[test]
    fn a_nonce_chosen_after_seeing_the_presenters_is_refused() {
        let (mut middle, first) = Initiator::start(Access::Control).unwrap();
        let presenter = Responder::new(Access::Control).unwrap();
        let (presenter, second) = presenter.answer(&first).unwrap();
        middle.nonce = fresh().unwrap();
        let (_, third) = middle.finish(&second).unwrap();
        assert_eq!(presenter.finish(&third).unwrap_err(), SealError::Commitment);
    }
}
