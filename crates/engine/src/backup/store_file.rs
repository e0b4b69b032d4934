//! The databases of a data folder, as backups, checks and the rescue of damaged ones see them.

use std::{fs, io, path::Path};

use store::{Interrupt, SalvagedTable, Snapshot, StoreError, StoreKey};

use crate::{journal::sealed_rows, vault::Vault};

/// A database of the data folder.
#[derive(Debug, Clone, Copy)]
pub struct StoreFile {
    /// Its path within the data folder, with `/`.
    pub path: &'static str,
    /// Its name for people.
    pub name: &'static str,
    /// What is done when it is looked through, such as "check the journal for damage".
    pub checking: &'static str,
    /// What is done when it is damaged, such as "save what can be read of the journal".
    pub salvaging: &'static str,
    /// What is done when it is copied, such as "back up the journal".
    pub backing_up: &'static str,
    /// What is done when its copy is looked at, such as "restore the journal".
    pub restoring: &'static str,
    /// The purpose of its key; none where the file as a whole isn't encrypted.
    pub purpose: Option<&'static str>,
    /// The newest version of its schema.
    pub version: usize,
}

impl StoreFile {
    /// The journal and the archive, which every console has.
    pub const ENGINE: [Self; 2] = [
        Self {
            path: crate::journal::JOURNAL_FILE,
            name: "journal",
            checking: "check the journal for damage",
            salvaging: "save what can be read of the journal",
            backing_up: "back up the journal",
            restoring: "restore the journal",
            purpose: None,
            version: crate::journal::JOURNAL_VERSION,
        },
        Self {
            path: crate::archive::ARCHIVE_FILE,
            name: "archive",
            checking: "check the archive for damage",
            salvaging: "save what can be read of the archive",
            backing_up: "back up the archive",
            restoring: "restore the archive",
            purpose: Some("archive"),
            version: crate::archive::ARCHIVE_VERSION,
        },
    ];

    /// The version of its schema as it is in `folder`. Blocks.
    ///
    /// # Errors
    /// A [`StoreError`].
    pub fn version_in(&self, folder: &Path, vault: &Vault) -> Result<usize, StoreError> {
        let key = self.key(vault);
        Snapshot::begin(&folder.join(self.path), key.as_ref(), self.backing_up)?.version()
    }

    /// Looks at all pages and indexes of the one in `folder`, and tries all sealed rows, beside a console that may
    /// write to it.
    /// Takes long where there are many. Blocks.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] with what was found first, `TooNew`, or why it can't be looked at.
    pub fn check_in(&self, folder: &Path, vault: &Vault) -> Result<(), StoreError> {
        let snapshot = self.snapshot_in(folder, vault)?;
        snapshot.check_all()?;
        if !self.is_journal() {
            return Ok(());
        }
        let seal = vault.journal_key();
        snapshot.look(|connection| sealed_rows::check(connection, &seal, self.checking))
    }

    /// As [`Self::check_in`], but without comparing indexes with their tables. `begins` is given what cuts it
    /// short, with an error that is none of damage.
    ///
    /// # Errors
    /// As [`Self::check_in`].
    pub fn quick_check_in(
        &self,
        folder: &Path,
        vault: &Vault,
        begins: impl FnOnce(Interrupt),
    ) -> Result<(), StoreError> {
        let snapshot = self.snapshot_in(folder, vault)?;
        begins(snapshot.interrupt());
        snapshot.check()
    }

    /// Whether there is no file of it in `folder`, or one without a byte.
    pub fn is_missing_in(&self, folder: &Path) -> bool {
        is_missing(&folder.join(self.path))
    }

    fn snapshot_in(&self, folder: &Path, vault: &Vault) -> Result<Snapshot, StoreError> {
        let key = self.key(vault);
        let snapshot = Snapshot::begin(&folder.join(self.path), key.as_ref(), self.checking)?;
        if snapshot.version()? > self.version {
            return Err(StoreError::TooNew { doing: self.checking });
        }
        Ok(snapshot)
    }

    /// Copies what can be read of the one in `folder` to the folder `to`. Of the journal, rows that don't open are left
    /// out and counted as gaps. Blocks.
    ///
    /// # Errors
    /// [`StoreError`] if nothing can be read of it, or the copy can't be written.
    pub fn salvage(
        &self,
        folder: &Path,
        to: &Path,
        vault: &Vault,
    ) -> Result<Vec<SalvagedTable>, StoreError> {
        let to = to.join(self.path);
        if let Some(parent) = to.parent() {
            store::private_folder(parent)?;
        }
        let reindex =
            (self.path == crate::archive::ARCHIVE_FILE).then_some(crate::archive::REINDEX);
        let key = self.key(vault);
        let mut saved =
            store::salvage(&folder.join(self.path), &to, key.as_ref(), reindex, self.salvaging)?;
        if self.is_journal() {
            sealed_rows::drop_closed(&to, &vault.journal_key(), &mut saved, self.salvaging)?;
        }
        Ok(saved)
    }

    fn is_journal(&self) -> bool {
        self.path == crate::journal::JOURNAL_FILE
    }

    /// Its key; none where the file as a whole isn't encrypted.
    pub(super) fn key(&self, vault: &Vault) -> Option<StoreKey> {
        self.purpose.map(|purpose| vault.subkey(purpose))
    }
}

/// Whether there is no file, or one without a byte. One that can't be looked at isn't missing: opening
/// it says what is wrong.
pub(crate) fn is_missing(path: &Path) -> bool {
    match fs::metadata(path) {
        Ok(found) => found.is_file() && found.len() == 0,
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    }
}
