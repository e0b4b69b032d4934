//! The key with which programs are signed: made once, and kept as long as the store.

use ring::{rand::SystemRandom, signature::Ed25519KeyPair};
use rusqlite::{Connection, OptionalExtension as _};
use secrecy::{ExposeSecret as _, SecretSlice};

pub(super) const TABLE: &str = "
    CREATE TABLE signing_key (
        only INTEGER PRIMARY KEY CHECK (only = 1),
        pkcs8 BLOB NOT NULL
    ) STRICT;";

/// The key as it is stored (PKCS #8).
pub(crate) type SigningKey = SecretSlice<u8>;

/// Reads the key, or makes it. `None` if the system has no random numbers.
pub(super) fn load_or_make(connection: &Connection) -> rusqlite::Result<Option<SigningKey>> {
    let sql = "SELECT pkcs8 FROM signing_key";
    let kept: Option<Vec<u8>> = connection.query_row(sql, [], |row| row.get(0)).optional()?;
    if let Some(kept) = kept {
        return Ok(Some(kept.into()));
    }
    let Ok(made) = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()) else { return Ok(None) };
    let key: SigningKey = made.as_ref().to_vec().into();
    let sql = "INSERT INTO signing_key (only, pkcs8) VALUES (1, ?1)";
    connection.execute(sql, [key.expose_secret()])?;
    Ok(Some(key))
}
