//! `deskhand backup` and `deskhand restore`: a console's data in one encrypted file, and back.
//!
//! A backup is written beside a running console, of which nothing is asked. A restore needs a data
//! folder that no console uses.

use std::{
    io::IsTerminal as _,
    path::{Path, PathBuf},
};

use clap::Args;
use engine::{
    StartError, Stores,
    archive::{ARCHIVE_FILE, ARCHIVE_VERSION, Archive, AuditEntry},
    backup::{BackupError, OnProgress, Restored, StoreFile, Written, check_passphrase},
    clock::now,
    lock::{FolderLock, LockError},
    vault::{Keeper, Options as VaultOptions, VAULT_FILE, Vault},
};
use jiff::tz::TimeZone;
use secrecy::SecretString;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use super::{End, Failed, Global, passphrase, vault_options};
use crate::{
    app::{AppError, restore_backup, write_backup},
    present::{remedy, trouble},
    view::Trouble,
    words,
};

/// The flags of `deskhand backup`.
#[derive(Debug, Clone, Args)]
pub struct BackupFlags {
    /// The file to write
    file: PathBuf,
    /// Replace the file if there is one of this name
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    sealed: Sealed,
}

/// The flags of `deskhand restore`.
#[derive(Debug, Clone, Args)]
pub struct RestoreFlags {
    /// The file that deskhand backup has written
    file: PathBuf,
    /// Move a console's data that is in the data folder aside, to a folder beside it
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    sealed: Sealed,
}

#[derive(Debug, Clone, Args)]
struct Sealed {
    /// A file whose first line is the backup's passphrase; without it, the terminal asks for it, or it is
    /// the first line of standard input
    #[arg(long, env = "DESKHAND_BACKUP_PASSPHRASE_FILE", value_name = "FILE")]
    backup_passphrase_file: Option<PathBuf>,
}

/// Writes a backup.
pub(super) async fn write(
    global: &Global,
    flags: BackupFlags,
    stop: &CancellationToken,
) -> Result<End, Failed> {
    let folder = global.data()?;
    if !folder.join(VAULT_FILE).exists() {
        return Err(failed(BackupError::NoConsole(folder)));
    }
    let Some(passphrase) = read_passphrase(&flags.sealed, true, stop).await? else {
        return Ok(End::Interrupted);
    };
    check_passphrase(&passphrase).map_err(failed)?;
    let console = StoppedOrRunning {
        folder,
        keep: vault_options(global)?,
        settings: global.settings_source()?.load()?.stored,
        by: global.settings()?.technician,
    };
    let to = std::path::absolute(&flags.file)
        .map_err(|error| Failed::usage(format!("write the backup: {error}")))?;
    let work =
        move |progress: OnProgress<'_>| console.write(&passphrase, (&to, flags.force), progress);
    let Some(Written { path, bytes }) = run("Backing up", work, stop).await? else {
        return Ok(End::Interrupted);
    };
    println!("The backup is in {} ({bytes} bytes).", path.display());
    Ok(End::Done)
}

/// Restores a backup.
pub(super) async fn restore(
    global: &Global,
    flags: RestoreFlags,
    stop: &CancellationToken,
) -> Result<End, Failed> {
    let folder = global.data()?;
    let keep = vault_options(global)?;
    let by = global.settings()?.technician;
    let Some(passphrase) = read_passphrase(&flags.sealed, false, stop).await? else {
        return Ok(End::Interrupted);
    };
    let into = folder.clone();
    let work = move |progress: OnProgress<'_>| {
        let from = (flags.file.as_path(), &passphrase);
        Ok(restore_backup(from, (&into, flags.force), keep, by, progress)?)
    };
    let Some(restored) = run("Restoring", work, stop).await? else {
        return Ok(End::Interrupted);
    };
    say_restored(&folder, &restored);
    Ok(End::Done)
}

fn say_restored(folder: &Path, restored: &Restored) {
    let made = words::date_and_time(restored.made_at, &TimeZone::system());
    println!("The backup of {made} is restored to {}.", folder.display());
    if let Some(aside) = &restored.aside {
        println!("The data that was there before is in {}.", aside.display());
    }
    println!(
        "{}",
        match restored.keeper {
            Keeper::Keyring => "The system's keyring has its key.",
            Keeper::KeyFile => "Its key is in a file in this folder.",
            Keeper::Passphrase => "Its key is wrapped by the passphrase of --passphrase-file.",
        }
    );
}

/// The folder of a console that may be running.
struct StoppedOrRunning {
    folder: PathBuf,
    keep: VaultOptions,
    settings: serde_json::Map<String, serde_json::Value>,
    by: String,
}

impl StoppedOrRunning {
    /// Writes the backup, with an entry in the audit log before it. Blocks.
    fn write(
        self,
        passphrase: &SecretString,
        (to, replace): (&Path, bool),
        progress: OnProgress<'_>,
    ) -> Result<Written, Stopped> {
        let lock = match FolderLock::take(&self.folder, "deskhand backup", now()) {
            Ok(lock) => Some(lock),
            // It may go on: what is read is of one moment.
            Err(LockError::Held { .. }) => None,
            Err(error) => return Err(BackupError::from(error).into()),
        };
        let vault = Vault::open(&self.folder, self.keep.clone()).map_err(BackupError::from)?;
        if lock.is_none() {
            same_version(&self.folder, &vault)?;
        }
        // Otherwise an empty archive would be made in the place of one that is gone.
        if let Some(lost) = Stores::lost(&self.folder, vault.stores_made()).into_iter().next() {
            return Err(AppError::from(StartError::StoreLost(lost)).into());
        }
        let archive = Archive::open(&self.folder.join(ARCHIVE_FILE), vault.archive_key())
            .map_err(|error| AppError::from(StartError::Archive(error)))?;
        let text = format!("Writes a backup to {}.", words::plain(&to.display().to_string(), 300));
        self.record(&archive, "backup_written", &text)?;
        let folder = (self.folder.as_path(), &vault);
        let written = write_backup(folder, &self.settings, passphrase, (to, replace), progress);
        if let Err(error) = &written {
            let text = trouble::sentence(&format!("It was not done: {text} {error}"));
            self.record(&archive, "not_done", &text)?;
        }
        Ok(written?)
    }

    fn record(&self, archive: &Archive, action: &str, text: &str) -> Result<(), Stopped> {
        let (action, text) = (action.to_owned(), text.to_owned());
        let entry = AuditEntry { at: now(), by: self.by.clone(), action, text, session: None };
        let recorded = Handle::current().block_on(archive.append_audit(entry));
        recorded.map_err(|error| AppError::from(StartError::Archive(error)))?;
        Ok(())
    }
}

/// Refuses a running console of another version: opening its archive would change the archive's schema.
fn same_version(folder: &Path, vault: &Vault) -> Result<(), Stopped> {
    let [_, archive] = StoreFile::ENGINE;
    if archive.version_in(folder, vault).map_err(BackupError::from)? == ARCHIVE_VERSION {
        return Ok(());
    }
    let text = "back up the running console: it is of another version of Deskhand";
    Err(Failed::general(trouble::sentence(text), "Restart it, then try again.").into())
}

/// Why the work ended without a result.
enum Stopped {
    Interrupted,
    Failed(Failed),
}

impl From<BackupError> for Stopped {
    fn from(error: BackupError) -> Self {
        match error {
            BackupError::Stopped(_) => Self::Interrupted,
            other => Self::Failed(failed(other)),
        }
    }
}

impl From<AppError> for Stopped {
    fn from(error: AppError) -> Self {
        Self::Failed(error.into())
    }
}

impl From<Failed> for Stopped {
    fn from(failed: Failed) -> Self {
        Self::Failed(failed)
    }
}

/// Runs the work off the async threads; none if it was interrupted. A terminal shows its progress.
async fn run<T: Send + 'static>(
    doing: &'static str,
    work: impl FnOnce(OnProgress<'_>) -> Result<T, Stopped> + Send + 'static,
    stop: &CancellationToken,
) -> Result<Option<T>, Failed> {
    let stop = stop.clone();
    let shows = std::io::stderr().is_terminal();
    let mut last = None;
    let done = tokio::task::spawn_blocking(move || {
        let result = work(&mut |progress| {
            let percent = progress.percent();
            if shows && last.replace(percent) != Some(percent) {
                eprint!("\r{doing}: {percent} %");
            }
            !stop.is_cancelled()
        });
        if shows {
            eprintln!();
        }
        result
    });
    match done.await.map_err(|error| Failed::internal(&error))? {
        Ok(result) => Ok(Some(result)),
        Err(Stopped::Interrupted) => Ok(None),
        Err(Stopped::Failed(failed)) => Err(failed),
    }
}

async fn read_passphrase(
    flags: &Sealed,
    new: bool,
    stop: &CancellationToken,
) -> Result<Option<SecretString>, Failed> {
    match &flags.backup_passphrase_file {
        Some(file) => super::flags::first_line(file).map(Some),
        None => passphrase::ask("The backup's passphrase", new, stop).await,
    }
}

fn failed(error: BackupError) -> Failed {
    let code = match &error {
        BackupError::Taken(_)
        | BackupError::NoFile(_)
        | BackupError::WeakPassphrase(_)
        | BackupError::FolderTaken(_) => 2,
        BackupError::Folder(LockError::Held { .. }) => 3,
        BackupError::WrongPassphrase(_) | BackupError::Key(_) => 4,
        BackupError::Folder(LockError::Io { .. })
        | BackupError::Store(_)
        | BackupError::Io { .. }
        | BackupError::LeftAside { .. } => 6,
        BackupError::NoConsole(_)
        | BackupError::NotABackup(_)
        | BackupError::TooNew(_)
        | BackupError::Damaged { .. }
        | BackupError::Stopped(_) => 1,
    };
    let Trouble { text, remedy, .. } = trouble::new(&error, remedy::of_backup(&error));
    Failed { code, text, remedy }
}
