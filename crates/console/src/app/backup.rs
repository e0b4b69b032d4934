//! What of a data folder goes into a backup, and comes back from it.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use engine::{
    backup::{
        Backup, BackupError, OnProgress, Progress, Restore, Restored, Staged, StoreFile, Written,
        forget_aside,
    },
    clock::now,
    vault::{ITERATIONS, Options as VaultOptions, Vault},
};
use parking_lot::Mutex;
use secrecy::SecretString;
use serde_json::{Map, Value};

use super::{AuditEntry, Console, ports::PORTS_FILE};
use crate::{
    settings::{SETTINGS_FILE, as_file},
    view::{Code, Trouble},
    words,
};

/// The store of the broker that comes along.
pub(super) const BROKER_STORE: StoreFile = StoreFile {
    path: "broker/broker.db",
    name: "broker's store",
    checking: "check the broker's store for damage",
    salvaging: "save what can be read of the broker's store",
    backing_up: "back up the broker's store",
    restoring: "restore the broker's store",
    purpose: Some("broker store"),
    version: broker::STORE_VERSION,
};

/// The store of the sandbox that comes along.
pub(super) const SANDBOX_STORE: StoreFile = StoreFile {
    path: "sandbox/sandbox.db",
    name: "sandbox's store",
    checking: "check the sandbox's store for damage",
    salvaging: "save what can be read of the sandbox's store",
    backing_up: "back up the sandbox's store",
    restoring: "restore the sandbox's store",
    purpose: Some("sandbox store"),
    version: sandbox::STORE_VERSION,
};

/// All databases, in the order in which they are copied.
pub(crate) const STORES: [StoreFile; 4] =
    [StoreFile::ENGINE[0], StoreFile::ENGINE[1], BROKER_STORE, SANDBOX_STORE];

/// Other files of a data folder that a backup has.
pub(crate) const KEPT_FILES: [&str; 2] = [SETTINGS_FILE, PORTS_FILE];

/// The backup that is being written or restored, if one is.
#[derive(Default)]
pub(crate) struct BackupProgress(Mutex<Option<u8>>);

/// One backup is being written or restored while this exists.
pub(crate) struct UnderWay(Arc<Console>);

impl Console {
    /// Begins to write or to restore a backup; none while another one is under way.
    pub(crate) fn begin_backup(self: &Arc<Self>) -> Option<UnderWay> {
        let mut percent = self.backup.0.lock();
        if percent.is_some() {
            return None;
        }
        *percent = Some(0);
        drop(percent);
        self.updates.announce();
        Some(UnderWay(self.clone()))
    }

    /// The percentage of the backup that is being written or restored.
    pub(crate) fn backup_percent(&self) -> Option<u8> {
        *self.backup.0.lock()
    }
}

impl UnderWay {
    /// Writes the backup to `to`. Blocks; the console's end stops it.
    ///
    /// # Errors
    /// [`BackupError`].
    pub fn write(
        &self,
        to: &Path,
        replace: bool,
        passphrase: &SecretString,
    ) -> Result<Written, BackupError> {
        let console = &self.0;
        let folder = (console.folder.path.as_path(), &console.folder.vault);
        let settings = console.settings.stored();
        let progress: OnProgress<'_> = &mut |progress| self.goes_on(progress);
        write_backup(folder, &settings, passphrase, (to, replace), progress)
    }
}

impl UnderWay {
    /// Restores the backup `from` beside the data folder; it takes the folder's place at the next start, which
    /// stands as a trouble until then. Blocks, on a thread within a runtime; the console's end stops it.
    ///
    /// # Errors
    /// [`BackupError`].
    pub fn restore(
        &self,
        from: &Path,
        replace: bool,
        passphrase: &SecretString,
        by: String,
    ) -> Result<Staged, BackupError> {
        let console = &self.0;
        let restore = Restore {
            from,
            passphrase,
            folder: &console.folder.path,
            stores: &STORES,
            files: &KEPT_FILES,
            keep: console.folder.keep.clone(),
            replace,
            program: "deskhand",
            by,
        };
        let staged = restore.stage(now(), &mut |progress| self.goes_on(progress))?;
        console.standing.add(waits_for_start());
        Ok(staged)
    }

    /// Shows how far it is; false once the console ends.
    fn goes_on(&self, progress: Progress) -> bool {
        let console = &self.0;
        let percent = Some(progress.percent());
        // Each change is pushed to all subscribers, so small steps are left out.
        if std::mem::replace(&mut *console.backup.0.lock(), percent) != percent {
            console.updates.announce();
        }
        !console.lifecycle.watch.stopping.is_cancelled()
    }
}

fn waits_for_start() -> Trouble {
    Trouble {
        code: Code::TryAgain,
        text: "A restored backup will take the place of this data at the next start.".into(),
        remedy: "Quit Deskhand and start it again: what is done until then isn't in the backup."
            .into(),
    }
}

/// Has the audit log say where the data is in whose place a restored backup was put. It is remembered until the log has it.
pub(super) async fn record_in_place(console: &Console, asides: &[PathBuf]) {
    for aside in asides {
        let aside = words::plain(&aside.display().to_string(), 300);
        let text =
            format!("A restored backup took the place of the old data, which is now in {aside}.");
        tracing::info!(text);
        let by = "Deskhand".into();
        let entry = AuditEntry { by, action: "backup_in_place", text, session: None };
        if let Err(trouble) = console.audit.record(entry).await {
            tracing::warn!(text = trouble.text, "record where the old data is");
            return;
        }
    }
    let folder = console.folder.path.clone();
    let _ = tokio::task::spawn_blocking(move || forget_aside(&folder)).await;
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        *self.0.backup.0.lock() = None;
        self.0.updates.announce();
    }
}

/// Writes a backup of `folder` and of the settings that are stored. Blocks.
///
/// # Errors
/// [`BackupError`].
pub(crate) fn write_backup(
    (folder, vault): (&Path, &Vault),
    settings: &Map<String, Value>,
    passphrase: &SecretString,
    (to, replace): (&Path, bool),
    progress: OnProgress<'_>,
) -> Result<Written, BackupError> {
    let mut files = vec![(SETTINGS_FILE, as_file(settings).unwrap_or_default().into_bytes())];
    // Without them, links that were given out lead nowhere after a restore.
    if let Ok(ports) = std::fs::read(folder.join(PORTS_FILE)) {
        files.push((PORTS_FILE, ports));
    }
    let backup =
        Backup { folder, vault, stores: &STORES, files, passphrase, iterations: ITERATIONS };
    backup.write(to, replace, now(), progress)
}

/// Restores the backup `from` to `folder`. Blocks, on a thread within a runtime.
///
/// # Errors
/// [`BackupError`].
pub(crate) fn restore_backup(
    (from, passphrase): (&Path, &SecretString),
    (folder, replace): (&Path, bool),
    keep: VaultOptions,
    by: String,
    progress: OnProgress<'_>,
) -> Result<Restored, BackupError> {
    let restore = Restore {
        from,
        passphrase,
        folder,
        stores: &STORES,
        files: &KEPT_FILES,
        keep,
        replace,
        program: "deskhand restore",
        by,
    };
    restore.run(now(), progress)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_paths_are_those_of_the_servers_stores() {
        let path = |folder: &str, file: &str| format!("{folder}/{file}");
        assert_eq!(STORES[2].path, path("broker", broker::STORE_FILE));
        assert_eq!(STORES[3].path, path("sandbox", sandbox::STORE_FILE));
    }
}
