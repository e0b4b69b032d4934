//! The key on its way to another data folder, inside a backup.

use std::path::Path;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{MasterKey, Options, Vault, VaultError, keeper, record};

/// The key of a data folder, as a backup has it: in plain, so the backup must be sealed.
#[derive(Serialize, Deserialize)]
pub struct ExportedKey {
    key_id: Uuid,
    check: String,
    #[serde(serialize_with = "expose", deserialize_with = "hide")]
    key: SecretString,
}

fn expose<S: serde::Serializer>(key: &SecretString, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(key.expose_secret())
}

fn hide<'de, D: serde::Deserializer<'de>>(from: D) -> Result<SecretString, D::Error> {
    String::deserialize(from).map(Into::into)
}

impl Vault {
    /// The key, to be sealed in a backup.
    pub fn export(&self) -> ExportedKey {
        ExportedKey {
            key_id: self.key_id(),
            check: self.record.lock().check.clone(),
            key: STANDARD.encode(self.master.expose_secret()).into(),
        }
    }

    /// Makes the vault of `folder`, which has none, with the key of another folder. The key's keeper
    /// is chosen as for a new key. Blocks.
    ///
    /// # Errors
    /// [`VaultError::WrongKey`] if the export isn't as it was written; else why it can't be kept.
    pub fn import(folder: &Path, key: &ExportedKey, options: Options) -> Result<Self, VaultError> {
        let bits = STANDARD.decode(key.key.expose_secret()).map(secrecy::zeroize::Zeroizing::new);
        let bits = bits.map_err(|_| VaultError::WrongKey)?;
        let master: MasterKey = keeper::master_from(&bits).ok_or(VaultError::WrongKey)?;
        let check = record::check_text(&super::derive(&master, key.key_id, "check"));
        if check != key.check {
            return Err(VaultError::WrongKey);
        }
        Self::keep(folder, key.key_id, master, options)
    }
}
