//! The command that backs the console up while it runs.

use std::path::PathBuf;

use engine::{backup::check_passphrase, clock::now};
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
    app::{App, Console},
    parameters::Secret,
    present::{remedy, trouble},
    reply::Reply,
    view::Trouble,
    words,
};

/// Commands over backups. Restoring is a program of its own, `deskhand restore`, since no console may run then.
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
}

const DOING: &str = "write the backup";

impl BackupCommand {
    pub(super) fn policy(&self, _: &Settings) -> Policy {
        let Self::Backup { path, .. } = self;
        let path =
            path.as_deref().map_or("the downloads".to_owned(), |path| words::plain(path, 300));
        let text = format!("Writes a backup to {path}.");
        Policy::refused_while_locked(AuditPolicy::before("backup_written", text))
    }

    pub(super) async fn carry_out(self, app: &App, _by: &str) -> CommandResult {
        let Self::Backup { passphrase, path, replace } = self;
        let console = app.console();
        check_passphrase(&passphrase.0).map_err(|error| failed(&error))?;
        let under_way = console.begin_backup().ok_or_else(|| {
            refused(&format!("{DOING}: another one is being written"), "Wait until it is done.")
        })?;
        let to = target(console, path)?;
        // Tracked, so that the console's end waits until its files are closed.
        let written = console.lifecycle.watch.tasks.spawn_blocking(move || {
            under_way.write(&to, replace, &passphrase.0).map_err(|error| failed(&error))
        });
        let written = written.await.map_err(|_| trouble::stopping())??;
        Ok(Reply::Backup { path: written.path.display().to_string(), bytes: written.bytes })
    }

    /// The command as a window's page may give it, which names no place on the disk.
    pub(super) fn without_path(self) -> Self {
        let Self::Backup { passphrase, .. } = self;
        Self::Backup { passphrase, path: None, replace: false }
    }
}

fn target(console: &Console, path: Option<String>) -> Result<PathBuf, Trouble> {
    match path.filter(|path| !path.trim().is_empty()) {
        Some(path) => std::path::absolute(path).map_err(|error| {
            trouble::bad_input(&format!("{DOING}: {error}"), "Give the path of a file.")
        }),
        None => {
            let stamp = words::date_and_time(now(), &console.zone).replace([' ', ':'], "-");
            Ok(downloads(DOING)?.join(format!("deskhand-{stamp}.backup")))
        }
    }
}

fn failed(error: &engine::backup::BackupError) -> Trouble {
    trouble::new(error, remedy::of_backup(error))
}
