//! The one master key, who keeps it, and the keys derived from it.
//!
//! A key is made only where there is no database yet: an unavailable key is an error that implies
//! its remedy, never a reason for a second key. It is stored before `vault.json` names it, and
//! erased elsewhere only after `vault.json` names its new keeper, so that a crash at any moment
//! leaves a way to it. No key can be printed or serialised.

mod keeper;
mod keyring;
pub(crate) mod record;
mod seal;
mod transfer;
mod wrap;

use std::{
    io,
    num::NonZeroU32,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use parking_lot::Mutex;
use ring::hkdf;
use secrecy::{ExposeSecret as _, SecretBox, SecretString};
use serde::{Deserialize, Serialize};

pub(crate) use self::wrap::{MOST_ITERATIONS, stretched};
pub use self::{
    keyring::{Keyring, KeyringFault, OsKeyring},
    record::VAULT_FILE,
    seal::{Digest, SealKey, Tampered},
    transfer::ExportedKey,
};
use self::{record::KeyLocation, wrap::Wrapped};
use crate::archive::ArchiveKey;

/// How often PBKDF2-HMAC-SHA256 hashes a passphrase (OWASP's advice of 2023).
pub const ITERATIONS: NonZeroU32 = NonZeroU32::new(600_000).expect("not zero");

/// The data folder's master key.
pub struct Vault {
    folder: PathBuf,
    options: Options,
    record: Mutex<record::Record>,
    master: MasterKey,
}

type MasterKey = SecretBox<[u8; 32]>;

/// Who keeps the master key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Keeper {
    /// The operating system's keyring.
    Keyring,
    /// A file in the data folder: no protection against someone who copies the folder.
    KeyFile,
    /// A passphrase, which wraps the key.
    Passphrase,
}

/// The places where a key may be kept, and the passphrase that unlocks it.
#[derive(Clone)]
pub struct Options {
    /// The keyring to use; none uses none at all.
    pub keyring: Option<Arc<dyn Keyring>>,
    /// How long the keyring may take: one that is locked hangs until somebody unlocks it.
    pub keyring_timeout: Duration,
    /// The passphrase, where one wraps the key; a new folder's key is wrapped with it.
    pub passphrase: Option<SecretString>,
    /// How often a new passphrase is hashed: at least 600,000 but in tests.
    pub iterations: NonZeroU32,
}

impl Default for Options {
    /// The system's keyring, 20 s, no passphrase.
    fn default() -> Self {
        Self {
            keyring: Some(Arc::new(OsKeyring)),
            keyring_timeout: Duration::from_secs(20),
            passphrase: None,
            iterations: ITERATIONS,
        }
    }
}

/// Why the key is unavailable; one variant for each remedy.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// Unlock the keyring, then try again.
    #[error("{doing}: the system's keyring is locked")]
    KeyringLocked {
        /// The action that failed.
        doing: &'static str,
    },
    /// The keyring that has the key isn't there, or has it no more.
    #[error("get the key from the system's keyring: {why}")]
    KeyringGone {
        /// The keyring's condition.
        why: String,
    },
    /// A passphrase is needed: ask for it.
    #[error("unlock the data: a passphrase is needed")]
    PassphraseNeeded,
    /// The passphrase is wrong: ask again.
    #[error("unlock the data: the passphrase is wrong")]
    WrongPassphrase,
    /// Put the key file back.
    #[error("read the key file {}: it is missing or unreadable", path.display())]
    KeyFileMissing {
        /// Where it should be.
        path: PathBuf,
    },
    /// Put `vault.json` back.
    #[error("find the key: {} is missing, but there are databases", path.display())]
    RecordMissing {
        /// Where it should be.
        path: PathBuf,
    },
    /// Put an undamaged `vault.json` back.
    #[error("find the key: {} is damaged", path.display())]
    RecordDamaged {
        /// Where it is.
        path: PathBuf,
    },
    /// A newer Deskhand made it: use that.
    #[error("find the key: a newer version of Deskhand wrote {}", path.display())]
    TooNew {
        /// Where it is.
        path: PathBuf,
    },
    /// The keeper's key isn't this folder's.
    #[error("check the key: its keeper has another key than this folder's")]
    WrongKey,
    /// The new keeper has the key, but the old one has it still.
    #[error("erase the key where it was: {why}")]
    OldKeyLeft { why: String },
    /// The file system refused.
    #[error("{doing} {}: {source}", path.display())]
    Io {
        /// The action that failed.
        doing: &'static str,
        /// To which file.
        path: PathBuf,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
    /// The operating system gave no random bytes.
    #[error(transparent)]
    NoRandom(#[from] crate::token::NoRandom),
}

impl Vault {
    /// Gets the key of `folder` from its keeper, or makes it where there is no database
    /// yet. Blocks.
    ///
    /// # Errors
    /// [`VaultError`]; nothing was changed then.
    pub fn open(folder: &Path, options: Options) -> Result<Self, VaultError> {
        let found = record::read(folder)?;
        let has_databases = record::has_databases(folder)?;
        let Some(record) = found else {
            return if has_databases {
                Err(VaultError::RecordMissing { path: folder.join(VAULT_FILE) })
            } else {
                Self::create(folder, options)
            };
        };
        match keeper::fetch(folder, &record, &options) {
            Ok(master) => {
                let record = Mutex::new(record);
                Self { folder: folder.to_owned(), options, record, master }.checked()
            }
            // Nothing was ever sealed with it.
            Err(VaultError::KeyringGone { .. } | VaultError::KeyFileMissing { .. })
                if !has_databases && !record.stores_made =>
            {
                Self::create(folder, options)
            }
            Err(error) => Err(error),
        }
    }

    /// Who keeps the key.
    pub fn keeper(&self) -> Keeper {
        self.record.lock().kept.keeper()
    }

    /// The key's name, for the keyring's entry and for support. No secret.
    pub fn key_id(&self) -> uuid::Uuid {
        self.record.lock().key_id
    }

    /// Wraps the key with `passphrase` and erases it elsewhere; none gives it back to the keyring,
    /// or to a key file where there is no keyring. Blocks.
    ///
    /// # Errors
    /// [`VaultError`]. After [`VaultError::OldKeyLeft`] the new keeper counts; else the old one.
    pub fn set_passphrase(&mut self, passphrase: Option<SecretString>) -> Result<(), VaultError> {
        let old = self.keeper();
        let mut record = self.record.lock().clone();
        record.kept = match &passphrase {
            Some(passphrase) => KeyLocation::Passphrase {
                wrap: Wrapped::new(
                    &self.master,
                    passphrase,
                    self.options.iterations,
                    record.key_id,
                )?,
            },
            None => keeper::store(&self.folder, record.key_id, &self.master, &self.options)?,
        };
        record.to_erase = (record.kept.keeper() != old && old != Keeper::Passphrase).then_some(old);
        // Named on the disk before the old one is erased: a crash in between leaves two keys,
        // never none.
        record::write(&self.folder, &record)?;
        *self.record.lock() = record;
        self.options.passphrase = passphrase;
        self.erase_old()
    }

    /// Whether journal and archive were made under this key, so that one that isn't there is lost.
    pub fn stores_made(&self) -> bool {
        self.record.lock().stores_made
    }

    /// Remembers that journal and archive are there. Blocks.
    ///
    /// # Errors
    /// [`VaultError::Io`].
    pub fn remember_stores(&self) -> Result<(), VaultError> {
        self.remember(|record| record.stores_made = true)
    }

    /// Whether the settings' file is known to have been there.
    pub fn settings_made(&self) -> bool {
        self.record.lock().settings_made
    }

    /// Remembers that the settings' file is there. Blocks.
    ///
    /// # Errors
    /// [`VaultError::Io`].
    pub fn remember_settings(&self) -> Result<(), VaultError> {
        self.remember(|record| record.settings_made = true)
    }

    fn remember(&self, fact: impl FnOnce(&mut record::Record)) -> Result<(), VaultError> {
        let mut record = self.record.lock();
        let mut with = record.clone();
        fact(&mut with);
        if (with.stores_made, with.settings_made) != (record.stores_made, record.settings_made) {
            record::write(&self.folder, &with)?;
            *record = with;
        }
        Ok(())
    }

    /// The journal's sealing key.
    pub fn journal_key(&self) -> SealKey {
        SealKey::new(&self.subkey("journal"))
    }

    /// The archive's raw key.
    pub fn archive_key(&self) -> ArchiveKey {
        ArchiveKey::new(self.subkey("archive"))
    }

    /// The key of the embedded broker's store and outbox.
    pub fn broker_store_key(&self) -> SecretBox<[u8; 32]> {
        self.subkey("broker store")
    }

    /// A key of its own for each `purpose` (HKDF-SHA256): none reveals anything about another.
    pub fn subkey(&self, purpose: &str) -> SecretBox<[u8; 32]> {
        derive(&self.master, self.key_id(), purpose)
    }

    fn create(folder: &Path, options: Options) -> Result<Self, VaultError> {
        let key_id = uuid::Uuid::new_v4();
        let mut random = Ok(());
        let master = SecretBox::init_with_mut(|bits: &mut [u8; 32]| {
            random = getrandom::fill(bits).map_err(|_| crate::token::NoRandom);
        });
        random?;
        Self::keep(folder, key_id, master, options)
    }

    /// Gives a key to its keeper and names that in a new record.
    fn keep(
        folder: &Path,
        key_id: uuid::Uuid,
        master: MasterKey,
        options: Options,
    ) -> Result<Self, VaultError> {
        let kept = match &options.passphrase {
            Some(passphrase) => KeyLocation::Passphrase {
                wrap: Wrapped::new(&master, passphrase, options.iterations, key_id)?,
            },
            None => keeper::store(folder, key_id, &master, &options)?,
        };
        // Hashed from a subkey of its own, so the record reveals nothing about the other keys.
        let check = record::check_text(&derive(&master, key_id, "check"));
        let record = record::Record::new(key_id, kept, check);
        record::write(folder, &record)?;
        Ok(Self { folder: folder.to_owned(), options, record: Mutex::new(record), master })
    }

    fn checked(self) -> Result<Self, VaultError> {
        // Checked before any database is opened, so that a wrong key is reported as such.
        if record::check_text(&self.subkey("check")) != self.record.lock().check {
            return Err(VaultError::WrongKey);
        }
        // Not an error: the key in use is right, and erasing is retried at the next start.
        if let Err(error) = self.erase_old() {
            tracing::warn!(%error, "the key is still where it was before the passphrase was set");
        }
        Ok(self)
    }

    fn erase_old(&self) -> Result<(), VaultError> {
        let mut record = self.record.lock();
        let Some(old) = record.to_erase else { return Ok(()) };
        keeper::erase(&self.folder, record.key_id, old, &self.options)?;
        let done = record::Record { to_erase: None, ..record.clone() };
        record::write(&self.folder, &done)?;
        *record = done;
        Ok(())
    }
}

fn derive(master: &MasterKey, key_id: uuid::Uuid, purpose: &str) -> SecretBox<[u8; 32]> {
    let salt = hkdf::Salt::new(hkdf::HKDF_SHA256, key_id.as_bytes());
    let info = [b"deskhand 1 ".as_slice(), purpose.as_bytes()];
    let extracted = salt.extract(master.expose_secret());
    SecretBox::init_with_mut(|bits: &mut [u8; 32]| {
        extracted
            .expand(&info, hkdf::HKDF_SHA256)
            .and_then(|okm| okm.fill(bits))
            .unwrap_or_else(|_| unreachable!("32 bytes are one block"));
    })
}
