//! The exchange that sets up the encryption. Each step is a type of its own, so no message can
//! be skipped.

use std::fmt;

use ring::{
    digest::{Context, SHA256},
    rand::{SecureRandom as _, SystemRandom},
};
use snow::{Builder, HandshakeState};

use crate::{
    Access, Pairing, PairingId, SealError, other_version,
    sealed::{self, Ends, MAX_MESSAGE, Sealed},
};

const PATTERN: &str = "Noise_NNpsk2_25519_ChaChaPoly_SHA256";
/// Where the pattern has its pre-shared key.
const PSK: u8 = 2;
/// The pre-shared key of two ends that don't know each other.
const STRANGERS: [u8; 32] = [0; 32];
// The first byte of the second message: whether the presenter remembers the viewer's pairing.
// Whoever changes it on the way makes the two ends use different keys.
const FORGOTTEN: u8 = 0;
const KNOWN: u8 = 1;

// Part of the prologue (Noise, section 6): both ends must have the same one, though it is never
// sent. An end of another version fails at the first message instead of reading nonsense.
const VERSION: &[u8] = b"deskhand screen 2 ";
// A prefix for each purpose, so that a hash made for one can never pass for a hash made
// for another.
const COMMITMENT_PREFIX: &[u8] = b"deskhand screen 2 commits to ";
const NONCE: usize = 32;

type Nonce = [u8; NONCE];

/// What the viewer says with its first message. Whoever is in between can read it.
#[derive(Debug, Clone, Default)]
pub struct Offer {
    /// The pairing of an earlier exchange with this presenter.
    pub known: Option<Pairing>,
    /// It only watches for now, though it may do more.
    pub only_watches: bool,
}

/// The viewer's end, which sends the first message.
pub struct Initiator {
    noise: HandshakeState,
    nonce: Nonce,
    known: Option<Pairing>,
}

/// The presenter's end before the first message.
pub struct Responder {
    noise: HandshakeState,
    nonce: Nonce,
}

/// The presenter's end while it waits for the nonce that the viewer has committed to.
pub struct AwaitingNonce {
    ends: Ends,
    hash: Nonce,
    nonce: Nonce,
    commitment: Nonce,
    known: Option<Pairing>,
    only_watches: bool,
}

impl Initiator {
    /// Makes the viewer's end and the first message.
    ///
    /// # Errors
    /// [`SealError::NoRandomness`].
    pub fn start(access: Access, offer: Offer) -> Result<(Self, Vec<u8>), SealError> {
        let Offer { known, only_watches } = offer;
        let mut noise = build(access, |builder| builder.build_initiator())?;
        let nonce = random_nonce()?;
        // Without one to remember a random name, so that the message says nothing either way.
        let id = match &known {
            Some(known) => known.id(),
            None => PairingId(random()?),
        };
        let first = FirstPayload { commitment: commitment(&nonce), id, only_watches };
        let first = write(&mut noise, &first.to_bytes())?;
        Ok((Self { noise, nonce, known }, first))
    }

    /// Takes the second message. Returns the encrypted stream and the third message, which must be
    /// sent before anything else is sealed.
    ///
    /// # Errors
    /// [`SealError::Exchange`]; [`SealError::Older`] or [`SealError::Later`] if the other end is that.
    pub fn finish(self, second: &[u8]) -> Result<(Sealed, Vec<u8>), SealError> {
        other_version::check_second(second)?;
        let Self { mut noise, nonce, known } = self;
        let (recalls, second) = second.split_first().ok_or(SealError::Exchange)?;
        let known = match (*recalls, known) {
            (FORGOTTEN, _) => None,
            (KNOWN, Some(known)) => Some(known),
            _ => return Err(SealError::Exchange),
        };
        share_key(&mut noise, known.as_ref())?;
        let theirs = read(&mut noise, second)?;
        let hash = hash_of(&noise);
        let (mut sealer, opener) = sealed::ends(noise)?;
        let third = sealer.seal(&nonce)?;
        let known_again = known.is_some();
        let pairing = known.unwrap_or_else(|| Pairing::new(&hash, &nonce, &theirs));
        Ok((Sealed::new((sealer, opener), pairing, known_again), third))
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

    /// Takes the first message and returns the second. `recall` finds the pairing that the viewer
    /// remembers, if this end does, too.
    ///
    /// # Errors
    /// [`SealError::Exchange`]; [`SealError::Older`] or [`SealError::Later`] if the other end is that.
    pub fn answer(
        self,
        first: &[u8],
        recall: impl FnOnce(PairingId) -> Option<Pairing>,
    ) -> Result<(AwaitingNonce, Vec<u8>), SealError> {
        other_version::check_first(first)?;
        let Self { mut noise, nonce } = self;
        let first = FirstPayload::from_bytes(&read(&mut noise, first)?);
        let known = recall(first.id);
        share_key(&mut noise, known.as_ref())?;
        let mut second = vec![if known.is_some() { KNOWN } else { FORGOTTEN }];
        second.extend(write(&mut noise, &nonce)?);
        let hash = hash_of(&noise);
        // The words depend on the viewer's nonce, which comes with the third message. Until then
        // there are none.
        let ends = sealed::ends(noise)?;
        let FirstPayload { commitment, only_watches, .. } = first;
        Ok((AwaitingNonce { ends, hash, nonce, commitment, known, only_watches }, second))
    }
}

impl AwaitingNonce {
    /// The viewer only watches for now, though it may do more.
    pub const fn only_watches(&self) -> bool {
        self.only_watches
    }

    /// Takes the third message and returns the encrypted stream.
    ///
    /// # Errors
    /// [`SealError::Damaged`]; [`SealError::Commitment`] if it reveals another nonce.
    pub fn finish(self, third: &[u8]) -> Result<Sealed, SealError> {
        let Self { ends: (sealer, mut opener), hash, nonce, commitment: committed, known, .. } =
            self;
        // The commitment was made before the viewer could know our nonce. Without this check a
        // middle could try nonces until both ends show the same words: 2^33 tries take minutes
        // (docs/adr/0016).
        let revealed = opener.open(third)?;
        let theirs = Nonce::try_from(&revealed[..]).map_err(|_| SealError::Exchange)?;
        if commitment(&theirs) != committed {
            return Err(SealError::Commitment);
        }
        // That it opened shows that the viewer knows the pairing, and not only its name.
        let known_again = known.is_some();
        let pairing = known.unwrap_or_else(|| Pairing::new(&hash, &theirs, &nonce));
        Ok(Sealed::new((sealer, opener), pairing, known_again))
    }
}

/// What the first message carries beside the viewer's key.
struct FirstPayload {
    commitment: Nonce,
    id: PairingId,
    only_watches: bool,
}

impl FirstPayload {
    const BYTES: usize = NONCE + PairingId::BYTES + 1;

    fn to_bytes(&self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        bytes[..NONCE].copy_from_slice(&self.commitment);
        bytes[NONCE..][..PairingId::BYTES].copy_from_slice(&self.id.0);
        bytes[Self::BYTES - 1] = u8::from(self.only_watches);
        bytes
    }

    fn from_bytes(bytes: &[u8; Self::BYTES]) -> Self {
        let (mut commitment, mut id) = ([0; NONCE], [0; PairingId::BYTES]);
        commitment.copy_from_slice(&bytes[..NONCE]);
        id.copy_from_slice(&bytes[NONCE..][..PairingId::BYTES]);
        // Anything but "no" is the lesser right.
        Self { commitment, id: PairingId(id), only_watches: bytes[Self::BYTES - 1] != 0 }
    }
}

/// Sets the pre-shared key, where the two ends have one.
fn share_key(noise: &mut HandshakeState, known: Option<&Pairing>) -> Result<(), SealError> {
    let Some(known) = known else { return Ok(()) };
    noise.set_psk(usize::from(PSK), known.secret()).map_err(|_| SealError::Exchange)
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
    Builder::new(pattern)
        .prologue(&prologue)
        .and_then(|builder| builder.psk(PSK, &STRANGERS))
        .and_then(end)
        .map_err(|_| SealError::NoRandomness)
}

/// Writes a message of the exchange.
fn write(noise: &mut HandshakeState, payload: &[u8]) -> Result<Vec<u8>, SealError> {
    // A message is at most 97 bytes: a key of 32, the payload of 49 and a tag of 16.
    let mut message = vec![0; 256];
    let length = noise.write_message(payload, &mut message).map_err(|_| SealError::NoRandomness)?;
    message.truncate(length);
    Ok(message)
}

/// Reads the payload of a message of the exchange.
fn read<const N: usize>(noise: &mut HandshakeState, message: &[u8]) -> Result<[u8; N], SealError> {
    if message.len() > MAX_MESSAGE {
        return Err(SealError::Exchange);
    }
    let mut payload = vec![0; message.len()];
    let length = noise.read_message(message, &mut payload).map_err(|_| SealError::Exchange)?;
    payload[..length].try_into().map_err(|_| SealError::Exchange)
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
    random()
}

fn random<const N: usize>() -> Result<[u8; N], SealError> {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).map_err(|_| SealError::NoRandomness)?;
    Ok(bytes)
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
        let (mut middle, first) = Initiator::start(Access::Control, Offer::default()).unwrap();
        let presenter = Responder::new(Access::Control).unwrap();
        let (presenter, second) = presenter.answer(&first, |_| None).unwrap();
        middle.nonce = random_nonce().unwrap();
        let (_, third) = middle.finish(&second).unwrap();
        assert_eq!(presenter.finish(&third).unwrap_err(), SealError::Commitment);
    }
}
