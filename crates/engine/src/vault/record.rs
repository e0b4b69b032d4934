//! `vault.json`: which key the folder's databases have and who keeps it. No key is in it in plain.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ring::digest::{SHA256, digest};
use secrecy::{ExposeSecret as _, SecretBox};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Keeper, VaultError, wrap::Wrapped};

/// The file's name within the data folder.
pub const VAULT_FILE: &str = "vault.json";
const VERSION: u32 = 1;

#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Record {
    pub version: u32,
    pub key_id: Uuid,
    /// Tells this folder's key from another.
    pub check: String,
    pub kept: KeyLocation,
    /// Where the key was before and is to be erased.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to_erase: Option<Keeper>,
    /// Whether journal and archive were made. Records of older versions don't say so.
    #[serde(default)]
    pub stores_made: bool,
    /// Whether the settings' file was made, or found. Records of older versions don't say so.
    #[serde(default)]
    pub settings_made: bool,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "by")]
pub(super) enum KeyLocation {
    Keyring,
    KeyFile,
    Passphrase { wrap: Wrapped },
}

impl KeyLocation {
    pub fn keeper(&self) -> Keeper {
        match self {
            Self::Keyring => Keeper::Keyring,
            Self::KeyFile => Keeper::KeyFile,
            Self::Passphrase { .. } => Keeper::Passphrase,
        }
    }
}

impl Record {
    pub fn new(key_id: Uuid, kept: KeyLocation, check: String) -> Self {
        let (stores_made, settings_made) = (false, false);
        Self { version: VERSION, key_id, check, kept, to_erase: None, stores_made, settings_made }
    }
}

/// A text by which a derived key is recognised: the base64 of its SHA-256.
pub(super) fn check_text(derived: &SecretBox<[u8; 32]>) -> String {
    STANDARD.encode(digest(&SHA256, derived.expose_secret()))
}

pub(super) fn read(folder: &Path) -> Result<Option<Record>, VaultError> {
    let path = folder.join(VAULT_FILE);
    let text = match fs::read(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(VaultError::Io { doing: "read", path, source }),
    };
    parse(&text, path).map(Some)
}

/// Whether a text is a record that this version reads.
pub(crate) fn is_one(text: &[u8]) -> bool {
    parse(text, PathBuf::new()).is_ok()
}

/// The record in the text of the file at `path`.
fn parse(text: &[u8], path: PathBuf) -> Result<Record, VaultError> {
    #[derive(Deserialize)]
    struct Version {
        version: u32,
    }
    match serde_json::from_slice(text) {
        Ok(Version { version: VERSION }) => {}
        Ok(Version { version: 0 }) | Err(_) => return Err(VaultError::RecordDamaged { path }),
        Ok(Version { .. }) => return Err(VaultError::TooNew { path }),
    }
    serde_json::from_slice(text).map_err(|_| VaultError::RecordDamaged { path })
}

/// Writes it whole or not at all: beside the old one, to the disk, then over it.
pub(super) fn write(folder: &Path, record: &Record) -> Result<(), VaultError> {
    let path = folder.join(VAULT_FILE);
    replace(&path, &serde_json::to_vec_pretty(record).unwrap_or_default())
        .map_err(|source| VaultError::Io { doing: "write", path, source })
}

fn replace(path: &Path, text: &[u8]) -> io::Result<()> {
    let new = path.with_extension("json.new");
    match fs::remove_file(&new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let mut file = create_private(&new)?;
    file.write_all(text)?;
    file.sync_all()?;
    // A rename is whole or not at all; writing over it could leave half of the only way to the key.
    fs::rename(&new, path)?;
    sync_folder_of(path)
}

/// Creates a file that nobody else can read, and fails if it is there already.
pub(super) fn create_private(path: &Path) -> io::Result<File> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Makes a file's name as durable as its contents.
pub(super) fn sync_folder_of(path: &Path) -> io::Result<()> {
    // Elsewhere a folder can't be opened, and a rename is durable by itself.
    #[cfg(unix)]
    if let Some(folder) = path.parent() {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

/// Whether the folder, or one in it, has a database: then its key must not be made anew.
pub(super) fn has_databases(folder: &Path) -> Result<bool, VaultError> {
    search(folder, 1).map_err(|source| VaultError::Io {
        doing: "look for databases in",
        path: folder.to_owned(),
        source,
    })
}

fn search(folder: &Path, deeper: u32) -> io::Result<bool> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let is_folder = entry.file_type()?.is_dir();
        let path = entry.path();
        if !is_folder && path.extension().is_some_and(|extension| extension == "db") {
            return Ok(true);
        }
        if is_folder && deeper > 0 && search(&path, deeper - 1)? {
            return Ok(true);
        }
    }
    Ok(false)
}
