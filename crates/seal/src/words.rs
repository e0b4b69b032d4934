//! The words that two people compare.

use std::fmt;

use bip39::Language;
use ring::digest::{Context, SHA256};

const WORDS_PREFIX: &[u8] = b"deskhand screen 2 says ";
/// The bits of one word: the list has 2,048.
const BITS: u32 = 11;

/// Three English words (BIP 39), which is 33 bits. They aren't secret: whoever hears them learns
/// nothing about the stream.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Words([&'static str; 3]);

impl Words {
    /// Derives the words from the secret of a pairing.
    pub(crate) fn of(secret: &[u8; 32]) -> Self {
        let mut context = Context::new(&SHA256);
        context.update(WORDS_PREFIX);
        context.update(secret);
        let hash = context.finish();
        // Five bytes are enough for three words of 11 bits.
        let mut bits = hash.as_ref().iter().take(5).fold(0u64, |bits, b| bits << 8 | u64::from(*b));
        // In this list the first four letters tell the words apart, so they survive a bad
        // phone line.
        let list = Language::English.word_list();
        Self(std::array::from_fn(|_| {
            let word = list[usize::try_from(bits % (1 << BITS)).unwrap_or_default()];
            bits >>= BITS;
            word
        }))
    }
}

impl fmt::Display for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(" "))
    }
}
