//! The store's key in a file. It protects a store that is copied without its key, and none that is copied with it.

use std::{fs, io, io::Write as _, path::Path};

use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};

use super::error::SettingsError;
use crate::StoreKey;

/// Reads the key, or makes one, but never for a store that exists already: that was written with another key, and
/// opening it with a new one would look like damage.
pub(super) fn read_or_make(path: &Path, store_exists: bool) -> Result<StoreKey, SettingsError> {
    let failed = |reason: String| SettingsError::Key { path: path.to_owned(), reason };
    match fs::read_to_string(path) {
        Ok(text) => parse(text.trim()).ok_or_else(|| failed("it is not 64 hex digits".into())),
        Err(error) if error.kind() == io::ErrorKind::NotFound && !store_exists => {
            make(path).map_err(|error| failed(format!("make it: {error}")))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(failed(
            "it is missing, but there is a store already; put the key back, or move the store away"
                .into(),
        )),
        Err(error) => Err(failed(error.to_string())),
    }
}

fn make(path: &Path) -> io::Result<StoreKey> {
    let mut key = [0u8; 32];
    getrandom::fill(&mut key).map_err(|error| io::Error::other(error.to_string()))?;
    let mut file = serve::token::private_file(path)?;
    writeln!(file, "{}", HEXLOWER.encode(&key))?;
    // Before the store is made: after a power cut a store without its key could never be opened again.
    file.sync_all()?;
    Ok(StoreKey::new(Box::new(key)))
}

fn parse(text: &str) -> Option<StoreKey> {
    let key: [u8; 32] = HEXLOWER_PERMISSIVE.decode(text.as_bytes()).ok()?.try_into().ok()?;
    Some(StoreKey::new(Box::new(key)))
}
