//! The data folder: who has it, whether it can be written to, and whether its key opens its stores.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use engine::{
    archive::{ARCHIVE_FILE, Archive},
    clock::now,
    journal::{JOURNAL_FILE, Journal, Options as JournalOptions},
    lock::{FolderLock, LockError},
    vault::{Options as VaultOptions, OsKeyring, VAULT_FILE, Vault},
};

use super::{Check, Failed, Global};

/// Looks at the data folder and what is in it.
pub(super) async fn look(global: &Global) -> Result<Vec<Check>, Failed> {
    let folder = global.data()?;
    let mut options = VaultOptions { passphrase: global.passphrase()?, ..VaultOptions::default() };
    if global.no_keyring {
        options.keyring = None;
    } else {
        options.keyring = Some(Arc::new(OsKeyring));
    }
    let looked = tokio::task::spawn_blocking(move || look_at(&folder, options));
    looked.await.map_err(|error| Failed::internal(&error))
}

fn look_at(folder: &Path, options: VaultOptions) -> Vec<Check> {
    const NAME: &str = "data folder";
    let shown = folder.display();
    let _lock = match FolderLock::take(folder, "deskhand doctor", now()) {
        Ok(lock) => lock,
        // That console has looked at everything here itself.
        Err(error @ LockError::Held { .. }) => {
            let text = format!("a console runs on it: {error}");
            let remedy = "Its stores were not looked at. Quit it to have them looked at, too.";
            return vec![Check::warning(NAME, text, remedy)];
        }
        Err(error @ LockError::Io { .. }) => {
            let remedy = "Make it writable for you, or choose another with --data.";
            return vec![Check::failed(NAME, error.to_string(), remedy)];
        }
    };
    let mut checks = vec![match write_probe(folder) {
        Ok(()) => Check::ok(NAME, format!("{shown} can be written to, and nobody else has it")),
        Err(error) => {
            let remedy = "Free some space, or make the folder writable for you.";
            Check::failed(NAME, format!("write to {shown}: {error}"), remedy)
        }
    }];
    if folder.join(VAULT_FILE).exists() {
        checks.extend(stores(folder, options));
    } else {
        checks
            .push(Check::ok("stores", "none yet: the first start makes key, journal and archive"));
    }
    checks
}

fn write_probe(folder: &Path) -> std::io::Result<()> {
    use std::io::Write as _;
    let mut probe = tempfile::NamedTempFile::new_in(folder)?;
    probe.write_all(&[0; 4096])?;
    probe.as_file().sync_all()
}

fn stores(folder: &Path, options: VaultOptions) -> Vec<Check> {
    let vault = match Vault::open(folder, options) {
        Ok(vault) => vault,
        Err(error) => return vec![Check::failed("key", error.to_string(), "")],
    };
    let mut checks = vec![Check::ok(
        "key",
        match vault.keeper() {
            engine::vault::Keeper::Keyring => "in the system's keyring",
            engine::vault::Keeper::KeyFile => {
                "in a file in the data folder, which does not protect against somebody who copies the folder"
            }
            engine::vault::Keeper::Passphrase => "wrapped by a passphrase",
        },
    )];
    let exists = |file: &str| Some(folder.join(file)).filter(|path: &PathBuf| path.exists());
    if let Some(path) = exists(JOURNAL_FILE) {
        let opened = Journal::open(&path, vault.journal_key(), JournalOptions::default());
        checks.push(opened.map_or_else(
            |error| Check::failed("journal", error.to_string(), ""),
            |_| Check::ok("journal", "it opens"),
        ));
    }
    if let Some(path) = exists(ARCHIVE_FILE) {
        checks.push(archive(&path, &vault));
    }
    checks
}

fn archive(path: &Path, vault: &Vault) -> Check {
    match Archive::open(path, vault.archive_key()) {
        Ok(_) => Check::ok("archive", "it opens"),
        Err(error) => Check::failed("archive", error.to_string(), ""),
    }
}
