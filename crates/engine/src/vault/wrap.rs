//! A key wrapped by a passphrase: PBKDF2-HMAC-SHA256 and an AEAD, with its parameters beside it.

use std::num::NonZeroU32;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ring::pbkdf2;
use secrecy::{ExposeSecret as _, SecretBox, SecretString};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{MasterKey, SealKey};
use crate::token::NoRandom;

/// A larger number in a file would only hang the program.
pub(crate) const MOST_ITERATIONS: u32 = 50_000_000;

#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Wrapped {
    kdf: Kdf,
    iterations: NonZeroU32,
    salt: String,
    sealed: String,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
enum Kdf {
    #[serde(rename = "pbkdf2-hmac-sha256")]
    Pbkdf2HmacSha256,
}

impl Wrapped {
    pub fn new(
        master: &MasterKey,
        passphrase: &SecretString,
        iterations: NonZeroU32,
        key_id: Uuid,
    ) -> Result<Self, NoRandom> {
        let mut salt = [0u8; 16];
        getrandom::fill(&mut salt).map_err(|_| NoRandom)?;
        let sealed = wrapping_key(passphrase, &salt, iterations)
            .seal(key_id.as_bytes(), master.expose_secret())
            .map_err(|_| NoRandom)?;
        Ok(Self {
            kdf: Kdf::Pbkdf2HmacSha256,
            iterations,
            salt: STANDARD.encode(salt),
            sealed: STANDARD.encode(sealed),
        })
    }

    /// The key, if `passphrase` is the one it was wrapped with.
    pub fn open(&self, passphrase: &SecretString, key_id: Uuid) -> Option<MasterKey> {
        let Kdf::Pbkdf2HmacSha256 = self.kdf;
        if self.iterations.get() > MOST_ITERATIONS {
            return None;
        }
        let salt = STANDARD.decode(&self.salt).ok()?;
        let sealed = STANDARD.decode(&self.sealed).ok()?;
        let key = wrapping_key(passphrase, &salt, self.iterations);
        super::keeper::master_from(&key.open(key_id.as_bytes(), &sealed).ok()?)
    }
}

fn wrapping_key(passphrase: &SecretString, salt: &[u8], iterations: NonZeroU32) -> SealKey {
    SealKey::new(&stretched(passphrase, salt, iterations))
}

/// The key that a passphrase stands for. It takes long, and that is its purpose.
pub(crate) fn stretched(
    passphrase: &SecretString,
    salt: &[u8],
    iterations: NonZeroU32,
) -> SecretBox<[u8; 32]> {
    SecretBox::init_with_mut(|bits: &mut [u8; 32]| {
        let passphrase = passphrase.expose_secret().as_bytes();
        pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, iterations, salt, passphrase, bits);
    })
}
