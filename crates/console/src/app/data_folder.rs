//! The data folder while this console holds its lock.

use std::path::PathBuf;

use engine::{
    lock::FolderLock,
    vault::{Options as VaultOptions, Vault},
};
use parking_lot::Mutex;

/// The data folder, with the key for its sealed contents.
pub(crate) struct DataFolder {
    pub path: PathBuf,
    pub vault: Vault,
    /// Who keeps the key; for one that comes from a backup, too.
    pub keep: VaultOptions,
    /// Keeps every other console out.
    lock: Mutex<Option<FolderLock>>,
}

impl DataFolder {
    pub fn new(path: PathBuf, vault: Vault, keep: VaultOptions, lock: FolderLock) -> Self {
        Self { path, vault, keep, lock: Mutex::new(Some(lock)) }
    }

    /// Releases the folder for another console.
    pub fn unlock(&self) {
        drop(self.lock.lock().take());
    }
}
