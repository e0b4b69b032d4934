//! Credentials that this broker makes: random, given out once, and recognised by their hash.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use data_encoding::HEXLOWER;
use ring::digest::{SHA256, digest};
use uuid::Uuid;
use wire::shared_screen::Secret;

/// The SHA-256 of a credential. It is looked up instead of the credential itself, so that neither a stolen
/// store nor the time that a comparison takes gives the credential away.
pub(crate) type KeyHash = [u8; 32];

/// A credential and its hash.
pub(crate) struct Credential {
    pub secret: Secret,
    pub hash: KeyHash,
}

impl Credential {
    /// Writes 256 random bits as text that fits into a message or into a link's fragment.
    pub fn from_random(random: [u8; 32]) -> Self {
        let text = URL_SAFE_NO_PAD.encode(random);
        let hash = sha256(&text);
        Self { secret: Secret::from(text), hash }
    }
}

/// The hash of a credential that somebody gave.
pub(crate) fn sha256(text: &str) -> KeyHash {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, text.as_bytes()).as_ref());
    hash
}

/// The public half of a page's id. Others tell pages apart by it, and can't take a page's place with it.
pub(crate) fn public_half(page: Uuid) -> String {
    HEXLOWER.encode(&digest(&SHA256, page.as_bytes()).as_ref()[..8])
}
