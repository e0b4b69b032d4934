//! An engine's two stores, opened together so that one that is gone is noticed.
//!
//! Invariant: a store is made only where neither was made before. One that is missing or empty beside
//! the other, or though the vault knows of both, was lost: it is made anew only where somebody asks for
//! that.

use std::{
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
};

use tokio::runtime::Handle;

use crate::{
    archive::{ARCHIVE_FILE, Archive, ArchiveKey},
    backup::is_missing,
    error::StartError,
    journal::{self, JOURNAL_FILE, Journal, JournalError},
    vault::{SealKey, Vault},
};

/// The stores' keys, derived from the vault's.
pub struct Keys {
    /// Seals the journal's rows.
    pub journal: SealKey,
    /// Opens the archive.
    pub archive: ArchiveKey,
    /// Whether the vault knows that both stores were made.
    made: bool,
}

impl Keys {
    /// The keys that `vault` derives.
    pub fn from_vault(vault: &Vault) -> Self {
        let made = vault.stores_made();
        Self { journal: vault.journal_key(), archive: vault.archive_key(), made }
    }
}

/// An engine's two stores.
pub struct Stores {
    /// The durable inbox and the sessions' records.
    pub journal: Journal,
    /// The lasting, searchable store of sessions.
    pub archive: Archive,
}

/// A store whose file is missing or empty, but was made before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LostStore {
    /// Its name in a sentence.
    pub name: &'static str,
    /// Where its file should be.
    pub path: PathBuf,
}

impl Stores {
    /// Opens both in the data folder; at a first start, makes both.
    ///
    /// # Errors
    /// [`StartError::StoreLost`], [`StartError::Journal`], [`StartError::Archive`].
    pub async fn open(data: &Path, keys: Keys) -> Result<Self, StartError> {
        let data = data.to_owned();
        blocking(move || {
            let lost = Self::lost(&data, keys.made);
            match lost.first() {
                Some(store) if keys.made => Err(StartError::StoreLost(store.clone())),
                Some(_) | None => open_unless_lost(&data, keys, &lost),
            }
        })
        .await
    }

    /// Opens both, and makes anew what was lost; answers what that was.
    ///
    /// # Errors
    /// [`StartError::Journal`], [`StartError::Archive`].
    pub async fn open_without_lost(
        data: &Path,
        keys: Keys,
    ) -> Result<(Self, Vec<LostStore>), StartError> {
        let data = data.to_owned();
        blocking(move || {
            let lost = Self::lost(&data, keys.made);
            lost.iter().for_each(keep_log);
            Ok((open_unless_lost(&data, keys, &[])?, lost))
        })
        .await
    }

    /// The stores that are missing or empty though they were made before: the vault knows of them if
    /// `made`, or the other one is there. Blocks.
    pub fn lost(data: &Path, made: bool) -> Vec<LostStore> {
        let stores = [("the journal", JOURNAL_FILE), ("the archive", ARCHIVE_FILE)];
        let stores = stores.map(|(name, file)| LostStore { name, path: data.join(file) });
        let mut lost = Vec::from(stores);
        lost.retain(|store| is_missing(&store.path));
        if !made && lost.len() == 2 {
            lost.clear();
        }
        lost
    }
}

async fn blocking<T: Send + 'static>(
    open: impl FnOnce() -> Result<T, StartError> + Send + 'static,
) -> Result<T, StartError> {
    let opened = tokio::task::spawn_blocking(open).await;
    opened.map_err(|error| StartError::Spawn(error.to_string()))?
}

/// Opens both, unless one of the `lost` ones is missing beside another that holds something: a first
/// start that was cut short leaves one that holds nothing.
fn open_unless_lost(data: &Path, keys: Keys, lost: &[LostStore]) -> Result<Stores, StartError> {
    let (journal_file, archive_file) = (data.join(JOURNAL_FILE), data.join(ARCHIVE_FILE));
    let lost = |path: &Path| lost.iter().find(|store| store.path == path).cloned();
    let archive = |key| Archive::open(&archive_file, key).map_err(StartError::Archive);
    let journal = |key| {
        Journal::open(&journal_file, key, journal::Options::default()).map_err(StartError::Journal)
    };
    if let Some(lost) = lost(&journal_file) {
        let archive = archive(keys.archive)?;
        refuse_unless_blank(lost, archive.is_blank(), StartError::Archive)?;
        return Ok(Stores { journal: journal(keys.journal)?, archive });
    }
    let journal = journal(keys.journal)?;
    if let Some(lost) = lost(&archive_file) {
        refuse_unless_blank(lost, journal.is_blank(), StartError::Journal)?;
    }
    Ok(Stores { journal, archive: archive(keys.archive)? })
}

fn refuse_unless_blank(
    lost: LostStore,
    other_is_blank: impl Future<Output = Result<bool, JournalError>>,
    failed: fn(JournalError) -> StartError,
) -> Result<(), StartError> {
    let blank = Handle::current().block_on(other_is_blank).map_err(failed)?;
    if blank { Ok(()) } else { Err(StartError::StoreLost(lost)) }
}

/// Keeps the lost store's log, which SQLite would delete: newer entries may be in it alone.
fn keep_log(store: &LostStore) {
    let beside = |end: &str| {
        let mut name = OsString::from(store.path.as_os_str());
        name.push(end);
        PathBuf::from(name)
    };
    match fs::rename(beside("-wal"), beside("-wal.lost")) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            tracing::warn!(%error, "the log of a lost store could not be kept");
        }
        Ok(()) | Err(_) => {}
    }
}
