//! Why a backup isn't written or restored, named by its cause.

use std::{
    io,
    path::{Path, PathBuf},
};

use store::{CopyError, StoreError};

use super::container::{Refused, refusal};
use crate::{lock::LockError, vault::VaultError};

/// What is done while a backup is written.
pub(super) const WRITING: &str = "write the backup";
/// What is done while one is restored.
pub(super) const RESTORING: &str = "restore the backup";

/// Why a backup isn't written or restored. Nothing was changed then.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// There is a file already: choose another name, or have it replaced.
    #[error("write the backup {}: there is a file of this name already", .0.display())]
    Taken(PathBuf),
    /// A file name is needed.
    #[error("write the backup {}: this is no file's name", .0.display())]
    NoFile(PathBuf),
    /// The passphrase is too easy to guess.
    #[error("seal the backup: the passphrase is too easy to guess ({0})")]
    WeakPassphrase(&'static str),
    /// There is nothing to back up.
    #[error("back up {}: there is no console's data in it", .0.display())]
    NoConsole(PathBuf),
    /// The file isn't a backup.
    #[error("open the backup {}: this is no backup of Deskhand", .0.display())]
    NotABackup(PathBuf),
    /// A newer Deskhand wrote it.
    #[error("open the backup {}: a newer version of Deskhand wrote it", .0.display())]
    TooNew(PathBuf),
    /// The passphrase is wrong.
    #[error("open the backup {}: the passphrase is wrong", .0.display())]
    WrongPassphrase(PathBuf),
    /// The file isn't as it was written.
    #[error("open the backup {}: it is damaged ({why})", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What was found.
        why: String,
    },
    /// The data folder has a console's data already.
    #[error("restore to {}: there is a console's data in it already", .0.display())]
    FolderTaken(PathBuf),
    /// A console uses the data folder, or it can't be used.
    #[error("{0}")]
    Folder(#[from] LockError),
    /// One of the databases.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// The key.
    #[error("{0}")]
    Key(#[from] VaultError),
    /// The file system refused.
    #[error("{doing} {}: {source}", path.display())]
    Io {
        /// What was being done.
        doing: &'static str,
        /// To which file or folder.
        path: PathBuf,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
    /// The old data was moved aside, but nothing could be put in its place.
    #[error(
        "restore to {}: {source}; the data that was there is now in {}",
        folder.display(),
        aside.display()
    )]
    LeftAside {
        /// The data folder, which is missing now.
        folder: PathBuf,
        /// Where its data is.
        aside: PathBuf,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
    /// Somebody ended the program.
    #[error("{0}: it was interrupted, and nothing was changed")]
    Stopped(&'static str),
}

impl BackupError {
    pub(super) fn io(doing: &'static str, path: &Path) -> impl Fn(io::Error) -> Self {
        move |source| Self::Io { doing, path: path.to_owned(), source }
    }

    /// An error while the backup at `path` is read.
    pub(super) fn reading(path: &Path) -> impl Fn(io::Error) -> Self {
        move |source| {
            let path = path.to_owned();
            match refusal(&source) {
                Some(Refused::NotABackup) => Self::NotABackup(path),
                Some(Refused::TooNew) => Self::TooNew(path),
                Some(Refused::WrongPassphrase) => Self::WrongPassphrase(path),
                Some(refused @ Refused::Damaged) => {
                    Self::Damaged { path, why: refused.to_string() }
                }
                None if source.kind() == io::ErrorKind::UnexpectedEof => {
                    Self::Damaged { path, why: "something is missing".to_owned() }
                }
                None => Self::Io { doing: "read the backup", path, source },
            }
        }
    }

    pub(super) fn copying(error: CopyError) -> Self {
        match error {
            CopyError::Store(error) => Self::Store(error),
            CopyError::Stopped => Self::Stopped(WRITING),
        }
    }
}
