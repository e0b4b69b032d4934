//! The commands that back the console up and restore a backup while it runs.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
    time::UNIX_EPOCH,
};

use engine::{
    backup::{BackupError, check_passphrase},
    clock::now,
};
use serde::Deserialize;
use strum::VariantNames;
use ts_rs::TS;

use super::{
    CommandResult,
    customer_program::downloads,
    policy::{AuditPolicy, Policy},
    refused,
};
use crate::{
    Settings,
    app::{App, BackupUnderWay, Console},
    parameters::Secret,
    present::{remedy, trouble},
    reply::{BackupFile, Reply},
    view::Trouble,
    words,
};

/// Commands over backups.
#[derive(Clone, Deserialize, TS, VariantNames)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
#[strum(serialize_all = "snake_case")]
pub enum BackupCommand {
    /// Writes all of this console's data to one encrypted file, and goes on meanwhile. Answers `backup`.
    Backup {
        /// What opens the file again; at least 12 characters.
        #[ts(as = "String")]
        passphrase: Secret,
        /// The file; none for a new one in the downloads.
        #[serde(default)]
        #[ts(optional)]
        path: Option<String>,
        /// Whether a file of this name is replaced.
        #[serde(default)]
        #[ts(optional, as = "Option<bool>")]
        replace: bool,
    },
    /// The backups in the downloads, the newest first. Answers `backups`.
    Backups,
    /// Restores a backup, checked to its end, beside this console's data, whose place it takes at the next start.
    /// The data of now is moved aside then. Answers `restored`.
    Restore {
        /// What it was sealed with.
        #[ts(as = "String")]
        passphrase: Secret,
        /// The file.
        path: String,
        /// A person has confirmed that the data of now is moved aside; else the command is refused.
        #[serde(default)]
        replace: bool,
        /// Whether `path` is a name in the downloads.
        #[serde(skip)]
        #[ts(skip)]
        in_downloads: bool,
    },
}

const BACKING_UP: &str = "write the backup";
const RESTORING: &str = "restore the backup";
const LISTING: &str = "look for backups";
/// How the name of a backup ends that the console named itself.
const ENDING: &str = ".backup";

impl BackupCommand {
    pub(super) fn policy(&self, _: &Settings) -> Policy {
        Policy::refused_while_locked(match self {
            Self::Backup { path, .. } => {
                let path = path.as_deref().map_or("the downloads".to_owned(), shown);
                AuditPolicy::before("backup_written", format!("Writes a backup to {path}."))
            }
            Self::Restore { path, replace: true, .. } => {
                let text = format!(
                    "Restores the backup {}, to take the place of this data at the next start.",
                    shown(path)
                );
                AuditPolicy::before("backup_restored", text)
            }
            Self::Backups | Self::Restore { replace: false, .. } => AuditPolicy::Nothing,
        })
    }

    pub(super) async fn carry_out(self, app: &App, by: &str) -> CommandResult {
        let console = app.console();
        match self {
            Self::Backup { passphrase, path, replace } => {
                back_up(console, passphrase, path, replace).await
            }
            Self::Backups => {
                let listed = tokio::task::spawn_blocking(list).await;
                listed.map_err(|_| trouble::stopping())?
            }
            Self::Restore { passphrase, path, replace, in_downloads } => {
                let from = file(&path, in_downloads)?;
                restore(console, passphrase, from, replace, by.to_owned()).await
            }
        }
    }

    /// The command as a window's page may give it, which names no place on the disk.
    pub(super) fn without_path(self) -> Self {
        match self {
            Self::Backup { passphrase, .. } => {
                Self::Backup { passphrase, path: None, replace: false }
            }
            Self::Backups => Self::Backups,
            Self::Restore { passphrase, path, replace, .. } => {
                let name = Path::new(&path).file_name().unwrap_or_default();
                let path = name.to_string_lossy().into_owned();
                Self::Restore { passphrase, path, replace, in_downloads: true }
            }
        }
    }
}

fn shown(path: &str) -> String {
    words::plain(path, 300)
}

async fn back_up(
    console: &Arc<Console>,
    passphrase: Secret,
    path: Option<String>,
    replace: bool,
) -> CommandResult {
    check_passphrase(&passphrase.0).map_err(|error| failed(&error))?;
    let to = target(console, path)?;
    let written =
        run(console, BACKING_UP, move |under_way| under_way.write(&to, replace, &passphrase.0));
    let written = written.await?;
    Ok(Reply::Backup { path: written.path.display().to_string(), bytes: written.bytes })
}

async fn restore(
    console: &Arc<Console>,
    passphrase: Secret,
    from: PathBuf,
    replace: bool,
    by: String,
) -> CommandResult {
    if !replace {
        let text =
            "it is not confirmed. The backup replaces this console's data, which is moved aside";
        let remedy = "If that is meant, give the command again with replace: true.";
        return Err(refused(&format!("{RESTORING}: {text}"), remedy));
    }
    let restored = run(console, RESTORING, move |under_way| {
        under_way.restore(&from, replace, &passphrase.0, by)
    });
    Ok(Reply::Restored { made_at: restored.await?.made_at.0 })
}

/// Runs the work of one backup off the async threads.
async fn run<T: Send + 'static>(
    console: &Arc<Console>,
    doing: &str,
    work: impl FnOnce(&BackupUnderWay) -> Result<T, BackupError> + Send + 'static,
) -> Result<T, Trouble> {
    let under_way = console.begin_backup().ok_or_else(|| {
        let text = format!("{doing}: another one is being written or restored");
        refused(&text, "Wait until it is done.")
    })?;
    // Tracked, so that the console's end waits until its files are closed.
    let tasks = &console.lifecycle.watch.tasks;
    let done = tasks.spawn_blocking(move || work(&under_way).map_err(|error| failed(&error)));
    done.await.map_err(|_| trouble::stopping())?
}

fn target(console: &Console, path: Option<String>) -> Result<PathBuf, Trouble> {
    match path.filter(|path| !path.trim().is_empty()) {
        Some(path) => absolute(BACKING_UP, &path),
        None => {
            let stamp = words::date_and_time(now(), &console.zone).replace([' ', ':'], "-");
            Ok(downloads(BACKING_UP)?.join(format!("deskhand-{stamp}{ENDING}")))
        }
    }
}

fn file(path: &str, in_downloads: bool) -> Result<PathBuf, Trouble> {
    if in_downloads { Ok(downloads(RESTORING)?.join(path)) } else { absolute(RESTORING, path) }
}

fn absolute(doing: &str, path: &str) -> Result<PathBuf, Trouble> {
    std::path::absolute(path).map_err(|error| {
        trouble::bad_input(&format!("{doing}: {error}"), "Give the path of a file.")
    })
}

fn list() -> CommandResult {
    let folder = downloads(LISTING)?;
    let mut backups = backups_in(&folder).map_err(|source| {
        let doing = "look for backups in";
        failed(&BackupError::Io { doing, path: folder.clone(), source })
    })?;
    backups.sort_by_key(|backup| std::cmp::Reverse(backup.at));
    Ok(Reply::Backups { folder: folder.display().to_string(), backups })
}

fn backups_in(folder: &Path) -> io::Result<Vec<BackupFile>> {
    let mut backups = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let (Ok(name), Ok(found)) = (entry.file_name().into_string(), entry.metadata()) else {
            continue;
        };
        if !name.ends_with(ENDING) || !found.is_file() {
            continue;
        }
        let at = found.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
        let at = i64::try_from(at.as_millis()).unwrap_or(i64::MAX);
        backups.push(BackupFile { name, at, bytes: found.len() });
    }
    Ok(backups)
}

fn failed(error: &BackupError) -> Trouble {
    trouble::new(error, remedy::of_backup(error))
}
