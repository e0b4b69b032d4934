//! Credentials that this broker makes: random, given out once, and known again by their hash.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::digest::{SHA256, digest};
use wire::screen::Secret;

use crate::error::Refused;

/// SHA-256 of a credential: looked up instead of the credential itself, so that neither a stolen
/// store nor the time that a comparison takes tells it.
pub(crate) type KeyHash = [u8; 32];

/// 256 random bits, as text for a message or a link's fragment, and their hash.
pub(crate) fn make() -> Result<(Secret, KeyHash), Refused> {
    let mut random = [0; 32];
    getrandom::fill(&mut random).map_err(|_| Refused::NotSaved)?;
    let text = URL_SAFE_NO_PAD.encode(random);
    let hash = hash_of(&text);
    Ok((Secret::from(text), hash))
}

/// The hash of a credential that somebody gave.
pub(crate) fn hash_of(text: &str) -> KeyHash {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, text.as_bytes()).as_ref());
    hash
}

/// The public half of a page's id: tells pages apart, and nobody can take a page's place with it.
pub(crate) fn public_half(page: uuid::Uuid) -> String {
    let hash = digest(&SHA256, page.as_bytes());
    hash.as_ref()[..8].iter().map(|byte| format!("{byte:02x}")).collect()
}
