//! Writing a backup, while the console runs or not.

use std::{
    fs::File,
    io::{self, BufWriter, Read as _, Write},
    num::NonZeroU32,
    path::{Path, PathBuf},
};

use secrecy::SecretString;
use session::Timestamp;
use store::{Snapshot, SnapshotGroup};
use tempfile::{NamedTempFile, TempDir};

use super::{
    container::SealedWriter,
    contents::{Contents, FileEntry, write_text},
    error::{BackupError, WRITING},
    passphrase::check_passphrase,
    progress::{OnProgress, Progress},
    store_file::StoreFile,
};
use crate::{archive::ARCHIVE_FILE, vault::Vault};

/// What goes into a backup, and how it is sealed.
pub struct Backup<'a> {
    /// The data folder.
    pub folder: &'a Path,
    /// Its key.
    pub vault: &'a Vault,
    /// Its databases; those that aren't there are left out.
    pub stores: &'a [StoreFile],
    /// Other files by their path within the data folder, such as the settings.
    pub files: Vec<(&'static str, Vec<u8>)>,
    /// What the backup is sealed with.
    pub passphrase: &'a SecretString,
    /// How often the passphrase is hashed: at least 600,000 but in tests.
    pub iterations: NonZeroU32,
}

/// A backup that is on the disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Where it is.
    pub path: PathBuf,
    /// How many bytes it has.
    pub bytes: u64,
}

impl Backup<'_> {
    /// Writes it to the file `to`, whole or not at all. A file of this name is replaced only if
    /// `replace` is set. Blocks.
    ///
    /// # Errors
    /// [`BackupError`]; there is no new file then.
    pub fn write(
        self,
        to: &Path,
        replace: bool,
        now: Timestamp,
        progress: OnProgress<'_>,
    ) -> Result<Written, BackupError> {
        check_passphrase(self.passphrase)?;
        let into = target_folder(to, replace)?;
        let failed = BackupError::io(WRITING, to);
        // Beside the backup and not in the data folder: a copy that fills the disk there would keep
        // the console from saving events. The copies are encrypted as the databases are.
        let copies = tempfile::Builder::new().prefix(".deskhand-backup-").tempdir_in(into);
        let copies = copies.map_err(&failed)?;
        store::private_folder(copies.path())?;
        let file = NamedTempFile::new_in(copies.path()).map_err(&failed)?;
        let to_file = BufWriter::new(file.as_file());
        let sealed =
            SealedWriter::new(to_file, self.passphrase, self.iterations).map_err(&failed)?;
        let buffered = self.write_entries(sealed, &copies, now, &failed, progress)?;
        drop(buffered);
        file.as_file().sync_all().map_err(&failed)?;
        let bytes = file.as_file().metadata().map_err(&failed)?.len();
        let kept = if replace { file.persist(to) } else { file.persist_noclobber(to) };
        kept.map_err(|error| match error.error.kind() {
            io::ErrorKind::AlreadyExists => BackupError::Taken(to.to_owned()),
            _ => failed(error.error),
        })?;
        sync_folder(into).map_err(&failed)?;
        Ok(Written { path: to.to_owned(), bytes })
    }

    fn write_entries<W: Write>(
        &self,
        mut sealed: SealedWriter<W>,
        copies: &TempDir,
        now: Timestamp,
        failed: &impl Fn(io::Error) -> BackupError,
        progress: OnProgress<'_>,
    ) -> Result<W, BackupError> {
        let program = env!("CARGO_PKG_VERSION").to_owned();
        let contents = Contents { made_at: now, program, key: self.vault.export() };
        write_text(&mut sealed, &contents).map_err(failed)?;
        for (path, bytes) in &self.files {
            let entry = FileEntry { path: (*path).to_owned(), length: bytes.len() as u64 };
            write_text(&mut sealed, &entry).map_err(failed)?;
            sealed.write_all(bytes).map_err(failed)?;
        }
        let snapshots = self.snapshots()?;
        let mut sizes = snapshots.iter().map(|(_, snapshot)| snapshot.size());
        // Each is copied, and then sealed.
        let total = 2 * sizes.try_fold(0, |sum, size| Ok::<_, BackupError>(sum + size?))?;
        let mut done = 0;
        let mut advance = |more: u64| {
            if progress(Progress { done: more, total }) {
                Ok(())
            } else {
                Err(BackupError::Stopped(WRITING))
            }
        };
        for (store, snapshot) in snapshots {
            let copy = copies.path().join("copy.db");
            let key = store.key(self.vault);
            snapshot
                .copy_to(&copy, key.as_ref(), &mut |copied| advance(done + copied).is_ok())
                .map_err(BackupError::copying)?;
            // The original's log may be emptied again.
            drop(snapshot);
            done += copy.metadata().map_err(failed)?.len();
            done += seal_file(&mut sealed, store.path, &copy, failed, &mut |n| advance(done + n))?;
            std::fs::remove_file(&copy).map_err(failed)?;
        }
        sealed.finish().map_err(failed)
    }

    /// The databases as they are now. Journal and archive are of one moment; the broker's comes after the
    /// journal's, so that it knows every PIN that the journal has.
    fn snapshots(&self) -> Result<Vec<(&StoreFile, Snapshot)>, BackupError> {
        let present = |store: &&StoreFile| self.folder.join(store.path).exists();
        let archive = self.stores.iter().filter(present).find(|store| store.path == ARCHIVE_FILE);
        let archive = archive.ok_or_else(|| BackupError::NoConsole(self.folder.to_owned()))?;
        let path = self.folder.join(archive.path);
        let key = archive.key(self.vault);
        let _group = SnapshotGroup::hold(&path, key.as_ref(), archive.backing_up)?;
        let begin = |store: &'_ StoreFile| {
            let key = store.key(self.vault);
            Snapshot::begin(&self.folder.join(store.path), key.as_ref(), store.backing_up)
        };
        let stores = self.stores.iter().filter(present);
        stores.map(|store| Ok((store, begin(store)?))).collect()
    }
}

/// Seals a file's bytes; answers how many.
fn seal_file(
    sealed: &mut impl Write,
    path: &str,
    file: &Path,
    failed: &impl Fn(io::Error) -> BackupError,
    advance: &mut dyn FnMut(u64) -> Result<(), BackupError>,
) -> Result<u64, BackupError> {
    let mut from = File::open(file).map_err(failed)?;
    let length = from.metadata().map_err(failed)?.len();
    let entry = FileEntry { path: path.to_owned(), length };
    write_text(sealed, &entry).map_err(failed)?;
    let mut block = vec![0; 1 << 20];
    let mut done = 0;
    loop {
        let read = from.read(&mut block).map_err(failed)?;
        if read == 0 {
            return Ok(length);
        }
        sealed.write_all(&block[..read]).map_err(failed)?;
        done += read as u64;
        advance(done)?;
    }
}

/// The folder that the backup goes to.
fn target_folder(to: &Path, replace: bool) -> Result<&Path, BackupError> {
    if to.file_name().is_none() || to.is_dir() {
        return Err(BackupError::NoFile(to.to_owned()));
    }
    if !replace && to.symlink_metadata().is_ok() {
        return Err(BackupError::Taken(to.to_owned()));
    }
    Ok(to.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new(".")))
}

/// Makes a rename in this folder durable.
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    // Elsewhere a folder can't be opened, and a rename is durable by itself.
    #[cfg(unix)]
    File::open(folder)?.sync_all()?;
    #[cfg(not(unix))]
    let _ = folder;
    Ok(())
}
