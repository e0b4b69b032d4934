//! The words that two people compare.

use std::fmt;

use bip39::Language;
use ring::digest::{Context, SHA256};

/// So that the words' hash is of nothing else.
const SAYS: &[u8] = b"deskhand screen 1 says ";
/// Each is one of 2,048, so 11 bits.
const BITS: u32 = 11;

/// Three English words of a list whose words differ in their first four letters: 33 bits. They are no
/// secret; whoever hears them learns nothing about the stream.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Words([&'static str; 3]);

impl Words {
    /// The words of an exchange with this transcript and these two nonces.
    pub(crate) fn of(transcript: &[u8; 32], viewers: &[u8; 32], presenters: &[u8; 32]) -> Self {
        let mut context = Context::new(&SHA256);
        for piece in [SAYS, transcript, viewers, presenters] {
            context.update(piece);
        }
        let hash = context.finish();
        let mut bits = hash.as_ref().iter().take(5).fold(0u64, |bits, b| bits << 8 | u64::from(*b));
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
