//! What both ends remember of a whole exchange, so that the next one shows the same words.

use std::fmt;

use ring::digest::{Context, SHA256};
use secrecy::zeroize::Zeroizing;

use crate::Words;

const SECRET_PREFIX: &[u8] = b"deskhand screen 2 remembers ";
const ID_PREFIX: &[u8] = b"deskhand screen 2 knows again ";
const SECRET: usize = 32;

/// The public name of a pairing: the viewer says with it which one it remembers. Whoever is in
/// between learns no more than that it is the same viewer again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PairingId(pub(crate) [u8; PairingId::BYTES]);

impl PairingId {
    pub(crate) const BYTES: usize = 16;
}

/// A viewer and a presenter that have done a whole exchange. Both ends derive it from what only they
/// know, so whoever wasn't an end of that exchange can't be one of a later exchange that builds on it.
#[derive(Clone, PartialEq, Eq)]
pub struct Pairing(Zeroizing<[u8; SECRET]>);

impl Pairing {
    /// Derives the pairing from the hash of the exchange and both nonces. Neither nonce was ever
    /// sent in the clear.
    pub(crate) fn new(transcript: &[u8; 32], viewers: &[u8; 32], presenters: &[u8; 32]) -> Self {
        Self(hash(&[SECRET_PREFIX, transcript, viewers, presenters]))
    }

    /// Reads what [`Pairing::expose`] gave.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(|secret| Self(Zeroizing::new(secret)))
    }

    /// The secret, to be kept where nobody else can read it: with it one can pass for either end.
    pub fn expose(&self) -> &[u8] {
        &*self.0
    }

    /// The words for both people to compare.
    pub fn words(&self) -> Words {
        Words::of(&self.0)
    }

    /// Its public name.
    pub fn id(&self) -> PairingId {
        let mut id = [0; PairingId::BYTES];
        id.copy_from_slice(&hash(&[ID_PREFIX, &*self.0])[..PairingId::BYTES]);
        PairingId(id)
    }

    pub(crate) fn secret(&self) -> &[u8; SECRET] {
        &self.0
    }
}

fn hash(pieces: &[&[u8]]) -> Zeroizing<[u8; SECRET]> {
    let mut context = Context::new(&SHA256);
    for piece in pieces {
        context.update(piece);
    }
    let mut hash = Zeroizing::new([0; SECRET]);
    hash.copy_from_slice(context.finish().as_ref());
    hash
}

impl fmt::Debug for Pairing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pairing").finish_non_exhaustive()
    }
}
