//! Sealing of single rows: each has a random nonce, and says which row it is, so that a row moved
//! elsewhere, altered or sealed under another key doesn't open.

use ring::{
    aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    hkdf, hmac,
    rand::{SecureRandom as _, SystemRandom},
};
use secrecy::{ExposeSecret as _, SecretBox, zeroize::Zeroizing};

/// A key for sealing rows (ChaCha20-Poly1305). Good for 2^32 rows, by its random 96-bit nonces.
pub struct SealKey {
    key: LessSafeKey,
    digests: hmac::Key,
    random: SystemRandom,
}

/// Identifies a text without revealing it; it can be computed only with the same key.
pub type Digest = [u8; 32];

/// Something sealed that doesn't open: altered, moved, or sealed under another key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("sealed data doesn't open: it was altered, or another key sealed it")]
pub struct Tampered;

impl SealKey {
    /// The sealing key with these bits.
    pub fn new(bits: &SecretBox<[u8; 32]>) -> Self {
        let key = UnboundKey::new(&CHACHA20_POLY1305, bits.expose_secret())
            .unwrap_or_else(|_| unreachable!("the algorithm's keys have 32 bytes"));
        let digests = hkdf::Salt::new(hkdf::HKDF_SHA256, b"deskhand 1 digests")
            .extract(bits.expose_secret())
            .expand(&[], hmac::HMAC_SHA256)
            .map(hmac::Key::from)
            .unwrap_or_else(|_| unreachable!("32 bytes are one block"));
        Self { key: LessSafeKey::new(key), digests, random: SystemRandom::new() }
    }

    /// The digest of `text` (HMAC-SHA256, under a key of its own): always the same, so that it can
    /// be looked up, and of no use without the key, however few texts there are to guess from.
    pub fn digest(&self, text: &[u8]) -> Digest {
        let mut digest = Digest::default();
        digest.copy_from_slice(hmac::sign(&self.digests, text).as_ref());
        digest
    }

    /// Seals `plain` for the place that `place` names: nonce, ciphertext, tag.
    ///
    /// # Errors
    /// [`Tampered`] if the operating system gives no random bytes: nothing is sealed then.
    pub fn seal(&self, place: &[u8], plain: &[u8]) -> Result<Vec<u8>, Tampered> {
        let mut nonce = [0u8; NONCE_LEN];
        self.random.fill(&mut nonce).map_err(|_| Tampered)?;
        let mut sealed = Vec::with_capacity(NONCE_LEN + plain.len() + CHACHA20_POLY1305.tag_len());
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(plain);
        let tag = self
            .key
            .seal_in_place_separate_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(place),
                &mut sealed[NONCE_LEN..],
            )
            .map_err(|_| Tampered)?;
        sealed.extend_from_slice(tag.as_ref());
        Ok(sealed)
    }

    /// Opens a row that was sealed for `place`. The plain text is wiped from memory when dropped.
    ///
    /// # Errors
    /// [`Tampered`].
    pub fn open(&self, place: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Tampered> {
        let (nonce, rest) = sealed.split_at_checked(NONCE_LEN).ok_or(Tampered)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| Tampered)?;
        let mut plain = Zeroizing::new(rest.to_vec());
        let len = self
            .key
            .open_in_place(nonce, Aad::from(place), &mut plain)
            .map_err(|_| Tampered)?
            .len();
        plain.truncate(len);
        Ok(plain)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key(bits: u8) -> SealKey {
        SealKey::new(&SecretBox::new(Box::new([bits; 32])))
    }

    #[test]
    fn opens_only_at_its_place_and_under_its_key() {
        let sealed = key(1).seal(b"a", b"text").unwrap();
        assert_eq!(key(1).open(b"a", &sealed).unwrap().as_slice(), b"text");
        assert_eq!(key(1).open(b"b", &sealed), Err(Tampered));
        assert_eq!(key(2).open(b"a", &sealed), Err(Tampered));
    }

    #[test]
    fn the_same_text_never_looks_the_same() {
        assert_ne!(key(1).seal(b"a", b"text").unwrap(), key(1).seal(b"a", b"text").unwrap());
    }

    #[test]
    fn a_digest_is_the_same_again_and_another_for_another_text_or_key() {
        assert_eq!(key(1).digest(b"text"), key(1).digest(b"text"));
        assert_ne!(key(1).digest(b"text"), key(1).digest(b"texts"));
        assert_ne!(key(1).digest(b"text"), key(2).digest(b"text"));
    }

    proptest! {
        #[test]
        fn any_text_comes_back_and_any_altered_byte_is_noticed(
            text in proptest::collection::vec(any::<u8>(), 0..200), place: Vec<u8>, at: usize,
        ) {
            let mut sealed = key(1).seal(&place, &text).unwrap();
            let opened = key(1).open(&place, &sealed).unwrap();
            prop_assert_eq!(opened.as_slice(), &text[..]);
            let at = at % sealed.len();
            sealed[at] ^= 1;
            prop_assert_eq!(key(1).open(&place, &sealed), Err(Tampered));
        }

        #[test]
        fn no_bytes_panic(bytes: Vec<u8>) {
            prop_assert_eq!(key(1).open(b"", &bytes), Err(Tampered));
        }
    }
}
