//! The form in which known viewers are kept for the program's next run ([`crate::known_viewers`]).

use std::collections::{HashSet, VecDeque};

use seal::{Pairing, PairingId};

use crate::exchanges::Guess;

/// The most viewers that are remembered; the one that was made first goes first, but the
/// technician's own go last.
pub(crate) const MOST: usize = 64;
/// The first byte: which form it has.
const FORM: u8 = 2;
/// The bytes of a pairing's secret. A byte comes before it: whether it is the technician's.
pub(crate) const BYTES: usize = 32;
/// The bytes of a guess: its kind, whose it was, and when.
pub(crate) const GUESS_BYTES: usize = 10;
/// More than an hour can have.
const MOST_GUESSES: usize = 256;

/// What is kept.
#[derive(Debug, Default)]
pub(crate) struct KeptViewers {
    /// The newest last.
    pub pairings: VecDeque<Pairing>,
    /// Those of the technician's own console, as the broker said when they were made.
    pub own: HashSet<PairingId>,
    pub guesses: Vec<KeptGuess>,
}

/// An exchange that may have been a guess.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct KeptGuess {
    pub guess: Guess,
    /// It was with the technician's own console.
    pub own: bool,
    /// In milliseconds since 1970.
    pub at: u64,
}

impl KeptViewers {
    /// None for bytes that were cut, or not written here.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (&[form, count], mut rest) = bytes.split_first_chunk()?;
        if form != FORM || usize::from(count) > MOST {
            return None;
        }
        let mut kept = Self::default();
        for _ in 0..count {
            let (&own, more) = rest.split_first()?;
            let (secret, more) = more.split_at_checked(BYTES)?;
            let pairing = Pairing::from_bytes(secret)?;
            if is_yes(own)? {
                kept.own.insert(pairing.id());
            }
            kept.pairings.push_back(pairing);
            rest = more;
        }
        let guesses = rest.chunks_exact(GUESS_BYTES);
        if !guesses.remainder().is_empty() || guesses.len() > MOST_GUESSES {
            return None;
        }
        for bytes in guesses {
            let (&[kind, own], at) = bytes.split_first_chunk()?;
            let guess = if is_yes(kind)? { Guess::NewKey } else { Guess::BrokenOff };
            let at = u64::from_be_bytes(at.try_into().ok()?);
            kept.guesses.push(KeptGuess { guess, own: is_yes(own)?, at });
        }
        Some(kept)
    }

    pub fn to_bytes(&self) -> Vec<u8> {
        let count = u8::try_from(self.pairings.len()).unwrap_or(u8::MAX);
        let size = 2 + self.pairings.len() * (1 + BYTES) + self.guesses.len() * GUESS_BYTES;
        let mut bytes = Vec::with_capacity(size);
        bytes.extend([FORM, count]);
        for pairing in &self.pairings {
            bytes.push(u8::from(self.own.contains(&pairing.id())));
            bytes.extend(pairing.expose());
        }
        for KeptGuess { guess, own, at } in &self.guesses {
            let kind = match guess {
                Guess::BrokenOff => 0,
                Guess::NewKey => 1,
            };
            bytes.extend([kind, u8::from(*own)]);
            bytes.extend(at.to_be_bytes());
        }
        bytes
    }
}

fn is_yes(byte: u8) -> Option<bool> {
    match byte {
        0 => Some(false),
        1 => Some(true),
        _ => None,
    }
}
