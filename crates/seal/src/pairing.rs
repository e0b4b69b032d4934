//! What both ends remember of a whole exchange, so that the next one shows the same words.

use std::fmt;

use ring::{
    digest::{Context, SHA256},
    hmac,
};
use secrecy::zeroize::Zeroizing;

use crate::Words;

const SECRET_PREFIX: &[u8] = b"deskhand screen 2 remembers ";
const SIGNING_PREFIX: &[u8] = b"deskhand screen 2 signs with ";
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

impl fmt::Display for PairingId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

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

    /// Signs a text for the other end, as 64 hexadecimal digits. The two ends sign alike, so a text
    /// must say whose it is.
    pub fn sign(&self, text: &[u8]) -> String {
        hex(hmac::sign(&self.signing_key(), text).as_ref())
    }

    /// Whether the other end signed this text.
    pub fn has_signed(&self, text: &[u8], signature: &str) -> bool {
        // `verify` compares in constant time, and wants bytes.
        unhex(signature).is_some_and(|tag| hmac::verify(&self.signing_key(), text, &tag).is_ok())
    }

    fn signing_key(&self) -> hmac::Key {
        hmac::Key::new(hmac::HMAC_SHA256, &*hash(&[SIGNING_PREFIX, &*self.0]))
    }

    pub(crate) fn secret(&self) -> &[u8; SECRET] {
        &self.0
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text
        .chars()
        .map(|digit| digit.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect();
    let digits = digits.filter(|digits| digits.len() % 2 == 0)?;
    Some(digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect())
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
