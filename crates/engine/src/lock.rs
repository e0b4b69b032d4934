//! One owner of the data folder: the lock is held before anything in the folder is opened.
//!
//! The lock is the operating system's, so it ends with the process however that ends; the text in
//! the file only names the holder.

use std::{
    fs::{self, File, TryLockError},
    io::{self, Read as _, Seek as _, Write as _},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use session::Timestamp;

/// The lock's file within the data folder.
pub const LOCK_FILE: &str = "lock";

/// The data folder is ours until this is dropped.
#[derive(Debug)]
pub struct FolderLock {
    file: File,
    folder: PathBuf,
}

/// Who holds a data folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Its process id.
    pub pid: u32,
    /// Its name, such as `deskhand` or `deskhand headless`.
    pub program: String,
    /// When it took the lock.
    pub since: Timestamp,
}

/// Why a data folder could not be locked.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another engine runs on it: end that one, or use another folder.
    #[error("open the data folder {}: {} uses it", folder.display(), named(holder.as_ref()))]
    Held {
        folder: PathBuf,
        /// Who has it; none if its file can't be read.
        holder: Option<Holder>,
    },
    /// The file system refused.
    #[error("lock the data folder {}: {source}", folder.display())]
    Io {
        folder: PathBuf,
        #[source]
        source: io::Error,
    },
}

fn named(holder: Option<&Holder>) -> String {
    match holder {
        Some(Holder { pid, program, .. }) => format!("{program} (process {pid})"),
        None => "another program".to_owned(),
    }
}

impl FolderLock {
    /// Takes `folder` (made if it isn't there, for its owner only) for `program`, at `now`.
    ///
    /// # Errors
    /// [`LockError::Held`] names the holder; [`LockError::Io`] else.
    pub fn take(folder: &Path, program: &str, now: Timestamp) -> Result<Self, LockError> {
        let failed = |source| LockError::Io { folder: folder.to_owned(), source };
        make_private_folder(folder).map_err(failed)?;
        let mut file = open(&folder.join(LOCK_FILE)).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(LockError::Held { folder: folder.to_owned(), holder: read(&mut file) });
            }
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        let holder = Holder { pid: std::process::id(), program: program.to_owned(), since: now };
        write(&mut file, &holder).map_err(failed)?;
        Ok(Self { file, folder: folder.to_owned() })
    }

    /// The folder that is locked.
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

impl Drop for FolderLock {
    fn drop(&mut self) {
        // The name goes before the lock, so that no later holder's name is wiped.
        let _ = self.file.set_len(0);
        let _ = self.file.unlock();
    }
}

fn make_private_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    // 0700 below: the folder holds customers' names, and no other account may list it.
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

fn open(path: &Path) -> io::Result<File> {
    let mut options = fs::OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn read(file: &mut File) -> Option<Holder> {
    let mut text = String::new();
    // Whatever stands in the file, it is not read without end.
    file.take(4096).read_to_string(&mut text).ok()?;
    serde_json::from_str(&text).ok()
}

fn write(file: &mut File, holder: &Holder) -> io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    file.write_all(&serde_json::to_vec(holder)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_000);

    #[test]
    fn the_second_owner_is_refused_and_told_who_is_first() {
        let dir = tempfile::tempdir().unwrap();
        let first = FolderLock::take(dir.path(), "deskhand headless", NOW).unwrap();
        let error = FolderLock::take(dir.path(), "deskhand", Timestamp(2_000)).unwrap_err();
        assert!(error.to_string().contains("deskhand headless (process "), "{error}");
        let LockError::Held { holder: Some(holder), .. } = error else { panic!("{error}") };
        assert_eq!((holder.pid, holder.since), (std::process::id(), NOW));
        drop(first);
        FolderLock::take(dir.path(), "deskhand", NOW).unwrap();
    }

    #[test]
    fn a_lock_file_left_behind_by_a_killed_program_locks_nothing() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(LOCK_FILE), r#"{"pid":1,"program":"x","since":0}"#).unwrap();
        FolderLock::take(dir.path(), "deskhand", NOW).unwrap();
    }

    #[test]
    fn garbage_in_the_lock_file_hides_the_name_only() {
        let dir = tempfile::tempdir().unwrap();
        let _first = FolderLock::take(dir.path(), "deskhand", NOW).unwrap();
        fs::write(dir.path().join(LOCK_FILE), "garbage").unwrap();
        let error = FolderLock::take(dir.path(), "deskhand", NOW).unwrap_err();
        assert!(matches!(error, LockError::Held { holder: None, .. }), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn a_folder_made_here_is_for_its_owner_only() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("a/b");
        let lock = FolderLock::take(&folder, "deskhand", NOW).unwrap();
        assert_eq!(fs::metadata(lock.folder()).unwrap().permissions().mode() & 0o777, 0o700);
    }
}
