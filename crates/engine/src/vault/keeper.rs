//! Storing, fetching and erasing the master key at each of its keepers.

use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use secrecy::{ExposeSecret as _, SecretBox, zeroize::Zeroizing};
use uuid::Uuid;

use super::{
    Keeper, KeyringFault, MasterKey, Options, VaultError,
    keyring::ask,
    record::{KeyLocation, Record, create_private, sync_folder_of},
};

const STORE: &str = "store the key";
const FETCH: &str = "get the key";

/// Keeps the key in the keyring, or in a key file where there is none.
pub(super) fn store(
    folder: &Path,
    key_id: Uuid,
    master: &MasterKey,
    options: &Options,
) -> Result<KeyLocation, VaultError> {
    let secret = Zeroizing::new(master.expose_secret().to_vec());
    let Some(keyring) = &options.keyring else {
        return store_in_file(folder, key_id, master).map(|()| KeyLocation::KeyFile);
    };
    let stored = ask(keyring, options.keyring_timeout, move |keyring| {
        let entry = key_id.to_string();
        keyring.set(&entry, &secret)?;
        // A key that the keyring accepts but doesn't return would be lost at the next start.
        Ok(keyring.get(&entry)?.is_some_and(|kept| kept == secret))
    });
    match stored {
        Ok(true) => Ok(KeyLocation::Keyring),
        Err(KeyringFault::Waiting) => Err(VaultError::KeyringLocked { doing: STORE }),
        // There is nothing to lose yet, so a keyring that nobody can unlock here is as good
        // as none.
        Ok(false) | Err(KeyringFault::Locked | KeyringFault::Absent | KeyringFault::Failed(_)) => {
            store_in_file(folder, key_id, master).map(|()| KeyLocation::KeyFile)
        }
    }
}

/// Gets the key from the keeper that `record` names.
pub(super) fn fetch(
    folder: &Path,
    record: &Record,
    options: &Options,
) -> Result<MasterKey, VaultError> {
    match &record.kept {
        KeyLocation::Keyring => fetch_from_keyring(record.key_id, options),
        KeyLocation::KeyFile => fetch_from_file(&key_file(folder, record.key_id)),
        KeyLocation::Passphrase { wrap } => {
            let passphrase = options.passphrase.as_ref().ok_or(VaultError::PassphraseNeeded)?;
            wrap.open(passphrase, record.key_id).ok_or(VaultError::WrongPassphrase)
        }
    }
}

/// Erases the key at a keeper that it has left.
pub(super) fn erase(
    folder: &Path,
    key_id: Uuid,
    keeper: Keeper,
    options: &Options,
) -> Result<(), VaultError> {
    match keeper {
        Keeper::Passphrase => Ok(()),
        Keeper::KeyFile => match fs::remove_file(key_file(folder, key_id)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(VaultError::OldKeyLeft { why: error.to_string() })
            }
            Ok(()) | Err(_) => Ok(()),
        },
        Keeper::Keyring => {
            let left = |why: String| VaultError::OldKeyLeft { why };
            let Some(keyring) = &options.keyring else {
                return Err(left("the system's keyring is switched off".to_owned()));
            };
            ask(keyring, options.keyring_timeout, move |keyring| keyring.erase(&key_id.to_string()))
                .map_err(|fault| left(fault.to_string()))
        }
    }
}

fn fetch_from_keyring(key_id: Uuid, options: &Options) -> Result<MasterKey, VaultError> {
    let gone = |why: String| VaultError::KeyringGone { why };
    let Some(keyring) = &options.keyring else {
        return Err(gone("it is switched off, but it has the key".to_owned()));
    };
    let answer =
        ask(keyring, options.keyring_timeout, move |keyring| keyring.get(&key_id.to_string()));
    match answer {
        Ok(Some(secret)) => master_from(&secret).ok_or(VaultError::WrongKey),
        Ok(None) => Err(gone(format!("it has no entry {key_id} any more"))),
        Err(KeyringFault::Locked | KeyringFault::Waiting) => {
            Err(VaultError::KeyringLocked { doing: FETCH })
        }
        Err(fault @ (KeyringFault::Absent | KeyringFault::Failed(_))) => {
            Err(gone(fault.to_string()))
        }
    }
}

fn key_file(folder: &Path, key_id: Uuid) -> PathBuf {
    folder.join(format!("vault-{key_id}.key"))
}

fn store_in_file(folder: &Path, key_id: Uuid, master: &MasterKey) -> Result<(), VaultError> {
    let path = key_file(folder, key_id);
    write_key(&path, master).map_err(|source| VaultError::Io {
        doing: "write the key file",
        path,
        source,
    })
}

fn write_key(path: &Path, master: &MasterKey) -> io::Result<()> {
    let text = Zeroizing::new(STANDARD.encode(master.expose_secret()));
    let mut file = match create_private(path) {
        // Left by a crash before `vault.json` named it; the name contains the key's id.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            fs::remove_file(path)?;
            create_private(path)?
        }
        other => other?,
    };
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    sync_folder_of(path)
}

fn fetch_from_file(path: &Path) -> Result<MasterKey, VaultError> {
    let missing = || VaultError::KeyFileMissing { path: path.to_owned() };
    let text = match fs::read(path) {
        Ok(text) => Zeroizing::new(text),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(missing()),
        Err(source) => {
            let path = path.to_owned();
            return Err(VaultError::Io { doing: "read the key file", path, source });
        }
    };
    keep_private(path);
    let bits =
        Zeroizing::new(STANDARD.decode(text.trim_ascii()).map_err(|_| VaultError::WrongKey)?);
    master_from(&bits).ok_or(VaultError::WrongKey)
}

/// Removes other accounts' permissions, which a copy may have added.
fn keep_private(path: &Path) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let private = fs::Permissions::from_mode(0o600);
        if fs::metadata(path).is_ok_and(|meta| meta.permissions().mode() & 0o077 != 0)
            && let Err(error) = fs::set_permissions(path, private)
        {
            tracing::warn!(%error, "others may read the key file");
        }
    }
    #[cfg(not(unix))]
    let _ = path;
}

pub(super) fn master_from(bits: &[u8]) -> Option<MasterKey> {
    let bits: &[u8; 32] = bits.try_into().ok()?;
    Some(SecretBox::init_with_mut(|master: &mut [u8; 32]| master.copy_from_slice(bits)))
}
