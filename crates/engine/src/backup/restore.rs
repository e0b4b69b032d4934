//! Restoring a backup to a data folder, whole or not at all.

use std::{
    fs::{self, File},
    io::{self, BufReader, Read, Write as _},
    path::{Path, PathBuf},
};

use secrecy::SecretString;
use session::Timestamp;
use store::Snapshot;
use tempfile::TempDir;
use tokio::runtime::Handle;

use super::{
    container::SealedReader,
    contents::{Contents, FileEntry, read_text},
    error::{BackupError, RESTORING},
    progress::{OnProgress, Progress},
    store_file::StoreFile,
    write::sync_folder,
};
use crate::{
    archive::{ARCHIVE_FILE, Archive, AuditEntry},
    journal::{self, JOURNAL_FILE, Journal},
    lock::{FolderLock, LOCK_FILE},
    vault::{Keeper, Options, VAULT_FILE, Vault},
};

/// A backup, and where it is restored to.
pub struct Restore<'a> {
    /// The file.
    pub from: &'a Path,
    /// What it is sealed with.
    pub passphrase: &'a SecretString,
    /// The data folder.
    pub folder: &'a Path,
    /// The databases that this program knows.
    pub stores: &'a [StoreFile],
    /// The other files that this program knows, by their path within the data folder.
    pub files: &'a [&'static str],
    /// Who keeps the key from now on.
    pub keep: Options,
    /// Whether a console's data that is in the folder is moved aside.
    pub replace: bool,
    /// The program that restores, for whoever finds the folder locked.
    pub program: &'a str,
    /// Who restores it, for the audit log.
    pub by: String,
}

/// A data folder that was restored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// When the backup was made.
    pub made_at: Timestamp,
    /// Where the data is that was in the folder before.
    pub aside: Option<PathBuf>,
    /// Who keeps the key now.
    pub keeper: Keeper,
}

/// A backup that was restored beside the data folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Staged {
    /// When the backup was made.
    pub made_at: Timestamp,
    /// Where it is until it takes the data folder's place.
    pub folder: PathBuf,
}

/// A backup's file, opened with its passphrase.
struct Sealed {
    from: SealedReader<BufReader<File>>,
    /// In bytes.
    total: u64,
}

/// A folder that is ready to be put in its place; it is removed when dropped.
struct Unpacked {
    new: TempDir,
    lock: FolderLock,
    made_at: Timestamp,
    keeper: Keeper,
}

/// Puts a backup that [`Restore::stage`] restored in the place of the data folder, whose contents are moved
/// aside; answers where to, or none if there was nothing to put. To be called before anything in the folder is
/// opened. Cut short, it goes on with the next call. Blocks.
///
/// # Errors
/// [`BackupError`]; but for [`BackupError::LeftAside`], the data folder is as it was.
pub fn take_staged(
    folder: &Path,
    program: &str,
    now: Timestamp,
) -> Result<Option<PathBuf>, BackupError> {
    let folder = std::path::absolute(folder).map_err(BackupError::io(RESTORING, folder))?;
    let staged = staged_beside(&folder);
    if !staged.join(VAULT_FILE).exists() {
        return Ok(None);
    }
    let _lock = FolderLock::take(&folder, program, now)?;
    put_in_place(&staged, &folder, now)
}

/// A name that is known at the next start; what has it is complete.
fn staged_beside(folder: &Path) -> PathBuf {
    let mut name = folder.file_name().unwrap_or_default().to_owned();
    name.push(".restored");
    folder.with_file_name(name)
}

impl Restore<'_> {
    /// Restores it. Blocks, on a thread within a runtime.
    ///
    /// # Errors
    /// [`BackupError`]; but for [`BackupError::LeftAside`], the data folder is as it was.
    pub fn run(self, now: Timestamp, progress: OnProgress<'_>) -> Result<Restored, BackupError> {
        let sealed = self.open()?;
        let folder = self.folder()?;
        let lock = FolderLock::take(&folder, self.program, now)?;
        if !self.replace && has_console(&folder) {
            return Err(BackupError::FolderTaken(folder));
        }
        let Unpacked { new, lock: new_lock, made_at, keeper } =
            self.unpack(sealed, &folder, now, progress)?;
        let aside = put_in_place(new.path(), &folder, now)?;
        let _ = new.keep();
        // One that waits for a start would take the place of this one then.
        let _ = fs::remove_dir_all(staged_beside(&folder));
        drop((new_lock, lock));
        Ok(Restored { made_at, aside, keeper })
    }

    /// Restores it, checked to the end, to a folder beside the data folder, which a console uses and may go on
    /// using: [`take_staged`] puts it in the place of the data folder. Blocks, on a thread within a runtime.
    ///
    /// # Errors
    /// [`BackupError`]; nothing was changed then.
    pub fn stage(self, now: Timestamp, progress: OnProgress<'_>) -> Result<Staged, BackupError> {
        let sealed = self.open()?;
        let folder = self.folder()?;
        if !self.replace {
            return Err(BackupError::FolderTaken(folder));
        }
        let Unpacked { new, lock, made_at, .. } = self.unpack(sealed, &folder, now, progress)?;
        drop(lock);
        let staged = staged_beside(&folder);
        let failed = BackupError::io("make a folder in", folder.parent().unwrap_or(&folder));
        if staged.exists() {
            // One that was restored before and never put in its place.
            fs::remove_dir_all(&staged).map_err(&failed)?;
        }
        sync_folder(new.path()).map_err(&failed)?;
        fs::rename(new.path(), &staged).map_err(&failed)?;
        let _ = new.keep();
        sync_folder(folder.parent().unwrap_or(&folder)).map_err(&failed)?;
        Ok(Staged { made_at, folder: staged })
    }

    fn open(&self) -> Result<Sealed, BackupError> {
        let failed = BackupError::reading(self.from);
        let file = File::open(self.from).map_err(&failed)?;
        let total = file.metadata().map_err(&failed)?.len();
        let from = SealedReader::new(BufReader::new(file), self.passphrase).map_err(&failed)?;
        Ok(Sealed { from, total })
    }

    fn folder(&self) -> Result<PathBuf, BackupError> {
        std::path::absolute(self.folder).map_err(BackupError::io(RESTORING, self.folder))
    }

    /// Unpacks and checks it in a folder beside the data folder.
    fn unpack(
        &self,
        sealed: Sealed,
        folder: &Path,
        now: Timestamp,
        progress: OnProgress<'_>,
    ) -> Result<Unpacked, BackupError> {
        let new = self.new_folder(folder)?;
        // A folder that nobody can use until it is in its place.
        let lock = FolderLock::take(new.path(), self.program, now)?;
        let contents = self.write_files(sealed, new.path(), progress)?;
        let vault = Vault::import(new.path(), &contents.key, self.keep.clone())?;
        self.check(new.path(), &vault, contents.made_at, now)?;
        Ok(Unpacked { new, lock, made_at: contents.made_at, keeper: vault.keeper() })
    }

    /// A folder beside the data folder, so that a rename is enough at the end.
    fn new_folder(&self, folder: &Path) -> Result<TempDir, BackupError> {
        let parent = folder.parent().unwrap_or(folder);
        let made = tempfile::Builder::new().prefix(".deskhand-restore-").tempdir_in(parent);
        let made = made.map_err(BackupError::io("make a folder in", parent))?;
        store::private_folder(made.path())?;
        Ok(made)
    }

    /// Writes all files to `new`, up to the end of the backup.
    fn write_files(
        &self,
        Sealed { mut from, total }: Sealed,
        new: &Path,
        progress: OnProgress<'_>,
    ) -> Result<Contents, BackupError> {
        let reading = BackupError::reading(self.from);
        let contents = read_text::<Contents>(&mut from).map_err(&reading)?;
        let contents = contents.ok_or_else(|| self.damaged("it is empty"))?;
        let mut done = 0;
        while let Some(entry) = read_text::<FileEntry>(&mut from).map_err(&reading)? {
            let stores = self.stores.iter().map(|store| store.path);
            let mut known = stores.chain(self.files.iter().copied());
            let Some(path) = known.find(|path| *path == entry.path) else {
                // Written by this format, so by a version that has more files.
                return Err(BackupError::TooNew(self.from.to_owned()));
            };
            let to = new.join(path);
            let mut file = create(&to).map_err(BackupError::io("write", &to))?;
            let mut left = entry.length;
            let mut block = vec![0; 1 << 20];
            while left > 0 {
                let wanted = usize::try_from(left).unwrap_or(usize::MAX).min(block.len());
                from.read_exact(&mut block[..wanted]).map_err(&reading)?;
                file.write_all(&block[..wanted]).map_err(BackupError::io("write", &to))?;
                left -= wanted as u64;
                done += wanted as u64;
                if !progress(Progress { done: done.min(total), total }) {
                    return Err(BackupError::Stopped(RESTORING));
                }
            }
            file.sync_all().map_err(BackupError::io("write", &to))?;
        }
        Ok(contents)
    }

    /// Opens every database with its key and looks at all of its pages; then notes in the audit log that
    /// it was restored.
    fn check(
        &self,
        new: &Path,
        vault: &Vault,
        made_at: Timestamp,
        now: Timestamp,
    ) -> Result<(), BackupError> {
        for store in self.stores {
            let path = new.join(store.path);
            if !path.exists() {
                if StoreFile::ENGINE.iter().any(|engine| engine.path == store.path) {
                    return Err(self.damaged("a database is missing"));
                }
                continue;
            }
            let key = store.purpose.map(|purpose| vault.subkey(purpose));
            let snapshot = Snapshot::begin(&path, key.as_ref(), store.restoring)?;
            if snapshot.version()? > store.version {
                return Err(BackupError::TooNew(self.from.to_owned()));
            }
            snapshot.check()?;
        }
        let options = journal::Options::default();
        drop(Journal::open(&new.join(JOURNAL_FILE), vault.journal_key(), options)?);
        let archive = Archive::open(&new.join(ARCHIVE_FILE), vault.archive_key())?;
        let text = format!("Restored a backup of {}.", moment(made_at));
        let entry = AuditEntry {
            at: now,
            by: self.by.clone(),
            action: "backup_restored".into(),
            text,
            session: None,
        };
        Handle::current().block_on(archive.append_audit(entry))?;
        Ok(vault.remember_stores()?)
    }

    fn damaged(&self, why: &str) -> BackupError {
        BackupError::Damaged { path: self.from.to_owned(), why: why.to_owned() }
    }
}

/// A time in UTC, to the second.
fn moment(at: Timestamp) -> String {
    let at = jiff::Timestamp::from_millisecond(at.0).unwrap_or_default();
    at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// Whether the folder has a console's data, or parts of it.
fn has_console(folder: &Path) -> bool {
    // A lock alone comes from looking at it.
    let other = |entry: io::Result<fs::DirEntry>| {
        entry.map_or(true, |entry| entry.file_name() != LOCK_FILE)
    };
    folder.join(VAULT_FILE).exists()
        || fs::read_dir(folder).is_ok_and(|mut entries| entries.any(other))
}

fn create(path: &Path) -> io::Result<File> {
    if let Some(folder) = path.parent() {
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(folder)?;
    }
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Puts the new folder in the place of the data folder, whose contents are moved aside if there are any;
/// answers where to.
fn put_in_place(new: &Path, folder: &Path, now: Timestamp) -> Result<Option<PathBuf>, BackupError> {
    let failed = BackupError::io("replace", folder);
    let parent = folder.parent().unwrap_or(folder);
    sync_folder(new).map_err(&failed)?;
    if !has_console(folder) {
        // The lock's file is all that is in it; a folder is renamed only over an empty one.
        let _ = fs::remove_file(folder.join(LOCK_FILE));
        fs::rename(new, folder).map_err(&failed)?;
        sync_folder(parent).map_err(&failed)?;
        return Ok(None);
    }
    let aside = free_name(folder, now);
    fs::rename(folder, &aside).map_err(&failed)?;
    if let Err(source) = fs::rename(new, folder) {
        return Err(match fs::rename(&aside, folder) {
            Ok(()) => failed(source),
            Err(_) => BackupError::LeftAside { folder: folder.to_owned(), aside, source },
        });
    }
    sync_folder(parent).map_err(&failed)?;
    Ok(Some(aside))
}

/// A name beside the data folder that says when its contents were moved aside.
fn free_name(folder: &Path, now: Timestamp) -> PathBuf {
    let at = jiff::Timestamp::from_millisecond(now.0).unwrap_or_default();
    let mut name = folder.file_name().unwrap_or_default().to_owned();
    name.push(format!(".before-restore-{}", at.strftime("%Y%m%dT%H%M%SZ")));
    let first = folder.with_file_name(&name);
    let numbered = (2..).map(|number| {
        let mut name = name.clone();
        name.push(format!("-{number}"));
        folder.with_file_name(name)
    });
    std::iter::once(first).chain(numbered).find(|path| !path.exists()).unwrap_or_default()
}
