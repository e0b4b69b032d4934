//! What to do about files that a person names: backups and downloads.

use std::io;

use engine::{StoreError, backup::BackupError, remote::DownloadTargetError};

use super::{Remedy, of_lock, of_store, of_vault};
use crate::view::Code;

/// For a full disk that a backup is written or restored to.
const ROOM_THERE: Remedy = (Code::FreeSpace, "Free some space there, or choose another disk.");

pub fn of_backup(error: &BackupError) -> Remedy {
    match error {
        BackupError::Taken(_) => {
            (Code::BadInput, "Choose another name, or have the file replaced (--force).")
        }
        BackupError::NoFile(_) => (Code::BadInput, "Give the name of a file in a folder."),
        BackupError::WeakPassphrase(_) => {
            (Code::BadInput, "Choose a longer one, such as four random words.")
        }
        BackupError::NoConsole(_) => {
            (Code::NotFound, "Name the console's data folder with --data.")
        }
        BackupError::NotABackup(_) => {
            (Code::BadInput, "Choose a file that deskhand backup has written.")
        }
        BackupError::TooNew(_) => {
            (Code::UpdateApp, "Restore the backup with the newer version of Deskhand.")
        }
        BackupError::WrongPassphrase(_) => {
            (Code::UnlockKey, "Enter it again; without it the backup can't be opened.")
        }
        BackupError::Damaged { .. } => {
            (Code::RestoreCopy, "Copy the file again from where it came, or use another backup.")
        }
        BackupError::FolderTaken(_) => (
            Code::AlreadyRunning,
            "Choose another folder with --data, or have its data moved aside (--force).",
        ),
        BackupError::Folder(error) => of_lock(error),
        // Nothing is tried again by itself here.
        BackupError::Store(StoreError::DiskFull { .. }) => ROOM_THERE,
        BackupError::Store(error) => of_store(error),
        BackupError::Key(error) => of_vault(error),
        BackupError::Io { source, .. } => of_file(source),
        BackupError::LeftAside { .. } => (Code::RestoreCopy, "Rename that folder back by hand."),
        BackupError::Stopped(_) => (Code::TryAgain, "Start it again."),
    }
}

fn of_file(error: &io::Error) -> Remedy {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => ROOM_THERE,
        io::ErrorKind::NotFound => (Code::BadInput, "Check the path."),
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            (Code::FreeSpace, "Choose a folder that you may write to.")
        }
        _ => (Code::FreeSpace, "Check the disk and the folder's permissions."),
    }
}

pub const fn of_download_target(error: &DownloadTargetError) -> Remedy {
    match error {
        DownloadTargetError::Taken(_) => (Code::BadInput, "Choose another name."),
        DownloadTargetError::NoName(_) => (Code::BadInput, "Give a folder or a file in one."),
        DownloadTargetError::Folder { .. } => {
            (Code::FreeSpace, "Choose a folder that is there and takes files.")
        }
    }
}
