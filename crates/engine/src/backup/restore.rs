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
    in_place::{
        forget_aside, has_console, is_cut_short, put_in_place, remove_staged, remove_unfinished,
        stage, unfinished_beside,
    },
    progress::{OnProgress, Progress},
    store_file::StoreFile,
};
use crate::{
    archive::{ARCHIVE_FILE, Archive, AuditEntry},
    journal::{self, JOURNAL_FILE, Journal},
    lock::FolderLock,
    vault::{Keeper, Options, Vault},
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

impl Restore<'_> {
    /// Restores it. Blocks, on a thread within a runtime.
    ///
    /// # Errors
    /// [`BackupError`]; but for [`BackupError::LeftAside`], the data folder is as it was.
    pub fn run(self, now: Timestamp, progress: OnProgress<'_>) -> Result<Restored, BackupError> {
        let sealed = self.open()?;
        let folder = self.folder()?;
        let mut lock = FolderLock::take(&folder, self.program, now)?;
        if is_cut_short(&folder) {
            // Else what an earlier restore moved aside would be known to nobody.
            put_in_place(&folder, now, &mut |_| ())?;
            drop(lock);
            lock = FolderLock::take(&folder, self.program, now)?;
        }
        if !self.replace && has_console(&folder) {
            return Err(BackupError::FolderTaken(folder));
        }
        remove_unfinished(&folder);
        let Unpacked { new, lock: new_lock, made_at, keeper } =
            self.unpack(sealed, &folder, now, progress)?;
        // By way of the name that the next start knows: it goes on if this is cut short.
        stage(new, &folder)?;
        let aside = match put_in_place(&folder, now, &mut |_| ()) {
            Ok(aside) => aside,
            Err(error @ BackupError::LeftAside { .. }) => return Err(error),
            Err(error) => {
                remove_staged(&folder)?;
                return Err(error);
            }
        };
        forget_aside(&folder);
        drop((new_lock, lock));
        Ok(Restored { made_at, aside, keeper })
    }

    /// Restores it, checked to the end, to a folder beside the data folder, which a console uses and may go on
    /// using: [`super::take_staged`] puts it in the place of the data folder. Blocks, on a thread within a runtime.
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
        let staged = stage(new, &folder)?;
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
        let new = Self::new_folder(folder)?;
        // A folder that nobody can use until it is in its place.
        let lock = FolderLock::take(new.path(), self.program, now)?;
        let contents = self.write_files(sealed, new.path(), progress)?;
        let vault = Vault::import(new.path(), &contents.key, self.keep.clone())?;
        self.check(new.path(), &vault, contents.made_at, now)?;
        Ok(Unpacked { new, lock, made_at: contents.made_at, keeper: vault.keeper() })
    }

    /// A folder beside the data folder, so that a rename is enough at the end.
    fn new_folder(folder: &Path) -> Result<TempDir, BackupError> {
        let made = unfinished_beside(folder)?;
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
