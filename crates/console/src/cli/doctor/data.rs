//! The data folder: who holds it, whether it is writable, whether its key opens its stores, whether
//! its audit log is unbroken, and what the three identity services still need.

use std::{fmt::Display, path::Path};

use engine::{
    LostStore, StartError, StoreError, Stores,
    archive::{ARCHIVE_FILE, Archive, ArchiveError, AuditReport},
    audit_trail::AuditTrail,
    backup::StoreFile,
    clock::now,
    journal::{JOURNAL_FILE, Journal, Options as JournalOptions},
    lock::{FolderLock, LockError},
    vault::{Keeper, Options as VaultOptions, VAULT_FILE, Vault},
};

use super::{super::vault_options, Check, Failed, Found, Global};
use crate::{
    Settings,
    app::{AppError, STORES, StoredSecrets, gone_servers},
    present::{
        self,
        identity_services::missing,
        remedy::{self, RESTORE_OR_SALVAGE, Remedy},
        trouble,
    },
    view::{Identity, Trouble},
};

const UNDAMAGED: &str = "it opens, and no page of it is damaged";

/// Checks the data folder and its contents.
pub(super) async fn look(global: &Global) -> Result<Vec<Check>, Failed> {
    let folder = global.data()?;
    let options = vault_options(global)?;
    let settings = global.settings()?;
    // Opening stores and asking the keyring may block.
    let looked = tokio::task::spawn_blocking(move || look_at(&folder, options, &settings));
    looked.await.map_err(|error| Failed::internal(&error))
}

fn look_at(folder: &Path, options: VaultOptions, settings: &Settings) -> Vec<Check> {
    const NAME: &str = "data folder";
    let shown = folder.display();
    let _lock = match FolderLock::take(folder, "deskhand doctor", now()) {
        Ok(lock) => lock,
        Err(error @ LockError::Held { .. }) => {
            let text = format!("a console runs on it: {error}");
            let remedy = "Only its databases were looked at. Quit it to have the rest looked at.";
            let mut checks = vec![Check::warning(NAME, text, remedy)];
            checks.extend(stores(folder, options, settings, true));
            return checks;
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
        checks.extend(stores(folder, options, settings, false));
    } else {
        checks
            .push(Check::ok("stores", "none yet: the first start makes key, journal and archive"));
        checks.extend(services(settings, &StoredSecrets::default()));
    }
    checks
}

fn write_probe(folder: &Path) -> std::io::Result<()> {
    use std::io::Write as _;
    let mut probe = tempfile::NamedTempFile::new_in(folder)?;
    probe.write_all(&[0; 4096])?;
    probe.as_file().sync_all()
}

fn stores(folder: &Path, options: VaultOptions, settings: &Settings, running: bool) -> Vec<Check> {
    let vault = match Vault::open(folder, options) {
        Ok(vault) => vault,
        Err(error) => return vec![failed("key", &error, remedy::of_vault(&error))],
    };
    let mut checks = vec![Check::ok("key", kept_by(vault.keeper()))];
    let lost = Stores::lost(folder, vault.stores_made());
    let gone = gone_servers(folder, settings);
    for store in &STORES {
        let path = folder.join(store.path);
        if let Some(lost) = lost.iter().find(|lost| lost.path == path) {
            checks.push(lost_store(store.name, lost));
            continue;
        }
        if gone.iter().any(|gone| gone.path == store.path) {
            checks.push(gone_server(*store));
            continue;
        }
        if store.is_missing_in(folder) {
            continue;
        }
        checks.push(match store.check_in(folder, &vault) {
            Ok(()) => Check::ok(store.name, UNDAMAGED),
            Err(error @ StoreError::Damaged { .. }) => {
                Check::failed(store.name, error.to_string(), RESTORE_OR_SALVAGE)
            }
            Err(error) => failed(store.name, &error, remedy::of_store(&error)),
        });
    }
    let mut kept = StoredSecrets::default();
    // A console that runs has read these when it started.
    if !running && checks.iter().all(|check| check.found != Found::Failed) {
        match contents(folder, &vault, &mut kept) {
            Ok(audit) => checks.extend(audit),
            Err((name, error)) => checks.push(failed(name, &error, remedy::of_store(&error))),
        }
    }
    if !running {
        checks.extend(services(settings, &kept));
    }
    checks
}

const fn kept_by(keeper: Keeper) -> &'static str {
    match keeper {
        Keeper::Keyring => "in the system's keyring",
        Keeper::KeyFile => {
            "in a file in the data folder, which does not protect against somebody who copies the folder"
        }
        Keeper::Passphrase => "wrapped by a passphrase",
    }
}

/// The next start makes it anew, and says so.
fn gone_server(store: StoreFile) -> Check {
    Check::warning(
        store.name,
        "it is missing or empty, though it was made here before",
        "PINs, links and profiles that only it knew no longer work. If you have a backup from before, restore it.",
    )
}

fn lost_store(name: &'static str, store: &LostStore) -> Check {
    let error = AppError::from(StartError::StoreLost(store.clone()));
    let Trouble { text, remedy, .. } = error.trouble();
    Check::failed(name, text, remedy)
}

/// Opens journal and archive as a console does: the services' secrets, and the audit log's check.
fn contents(
    folder: &Path,
    vault: &Vault,
    kept: &mut StoredSecrets,
) -> Result<Option<Check>, (&'static str, StoreError)> {
    let (journal, archive) = (folder.join(JOURNAL_FILE), folder.join(ARCHIVE_FILE));
    if !journal.exists() || !archive.exists() {
        return Ok(None);
    }
    // This runs outside of the async threads, so it may block.
    let wait = tokio::runtime::Handle::current();
    let of_journal = |error| ("journal", error);
    let of_archive = |error| ("archive", error);
    let journal = Journal::open(&journal, vault.journal_key(), JournalOptions::default());
    let journal = journal.map_err(of_journal)?;
    *kept = wait.block_on(StoredSecrets::read(&journal)).map_err(of_journal)?;
    let archive = Archive::open(&archive, vault.archive_key()).map_err(of_archive)?;
    let trail = wait.block_on(AuditTrail::open(archive, journal)).map_err(of_archive)?;
    Ok(Some(audit(wait.block_on(trail.verify()))))
}

fn failed(name: &'static str, error: &impl Display, remedy: Remedy) -> Check {
    Check::failed(name, error.to_string(), trouble::sentence(remedy.1))
}

fn audit(report: Result<AuditReport, ArchiveError>) -> Check {
    const NAME: &str = "audit log";
    let check = match report {
        Ok(report) => present::audit_report::check(&report),
        Err(error) => return failed(NAME, &error, remedy::of_store(&error)),
    };
    match check.broken {
        None => Check::ok(NAME, check.text),
        // Sessions work all the same; this concerns the person who looks after the console.
        Some(_) => Check::warning(
            NAME,
            check.text,
            "Somebody who has the key changed it, or the disk did. Compare it with an earlier export.",
        ),
    }
}

/// A line for each service: it is the sandbox, is set up, or lacks something. Sessions
/// work without them.
fn services(settings: &Settings, kept: &StoredSecrets) -> Vec<Check> {
    let look = |service: Identity| {
        let name = match service {
            Identity::Passwordless => "passkeys",
            Identity::Logintc => "verification",
            Identity::Rocketchat => "devices",
        };
        match (missing(service, settings, kept.get(service).is_some()), service.address(settings)) {
            (Some(Trouble { text, remedy, .. }), _) => Check::warning(name, text, remedy),
            (None, Some(address)) => Check::ok(name, format!("set up for {address}")),
            (None, None) => Check::ok(name, "the built-in sandbox stands in for the service"),
        }
    };
    Identity::ALL.into_iter().map(look).collect()
}

#[cfg(test)]
mod tests {
    use engine::{SessionId, archive::NoteKind};
    use session::Timestamp;
    use wire::HookType;

    use super::*;

    const PAGE: usize = 4096;

    fn options() -> VaultOptions {
        VaultOptions { keyring: None, ..VaultOptions::default() }
    }

    /// A data folder whose stores have more pages than a start reads.
    async fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let vault = Vault::open(folder.path(), options()).unwrap();
        let path = folder.path().join(JOURNAL_FILE);
        let journal = Journal::open(&path, vault.journal_key(), JournalOptions::default()).unwrap();
        let session = SessionId::from_bytes([1; 16]);
        for _ in 0..1000 {
            drop(journal.append(session, HookType::ViewerStarted, Timestamp(1)));
        }
        journal.flush().await.unwrap();
        let archive =
            Archive::open(&folder.path().join(ARCHIVE_FILE), vault.archive_key()).unwrap();
        let text = "the printer jams ".repeat(1000);
        archive
            .set_note(session, NoteKind::Closing, text, "tess".into(), Timestamp(1))
            .await
            .unwrap();
        folder
    }

    fn overwrite_a_page(path: &Path) {
        let mut bytes = std::fs::read(path).unwrap();
        // Neither one of the first pages, which every start reads, nor the last, which has the
        // newest rows.
        let start = bytes.len() / PAGE * 3 / 4 * PAGE;
        bytes[start..start + PAGE].fill(0xff);
        std::fs::write(path, bytes).unwrap();
    }

    async fn checked(folder: &Path, name: &'static str) -> Check {
        let folder = folder.to_owned();
        let looked =
            tokio::task::spawn_blocking(move || look_at(&folder, options(), &Settings::default()));
        let checks = looked.await.unwrap();
        checks.into_iter().find(|check| check.check == name).unwrap()
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_servers_store_without_a_byte_is_a_warning() {
        let folder = folder().await;
        std::fs::create_dir(folder.path().join("broker")).unwrap();
        std::fs::write(folder.path().join("broker/broker.db"), "").unwrap();
        assert_eq!(checked(folder.path(), "broker's store").await.found, Found::Warning);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_damaged_page_of_any_of_the_four_stores_fails() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let options_of_app = crate::Options::for_a_while(folder.path(), "a test");
        crate::App::start(options_of_app).await.unwrap().stop().await;
        for store in STORES {
            let path = data.join(store.path);
            let sound = std::fs::read(&path).unwrap();
            let found = checked(&data, store.name).await;
            assert_eq!((found.found, found.text.as_str()), (Found::Ok, UNDAMAGED));
            overwrite_a_page(&path);
            let damaged = checked(&data, store.name).await;
            assert_eq!(damaged.found, Found::Failed, "{damaged:?}");
            let doing = format!("{}: ", store.checking);
            assert!(damaged.text.starts_with(&doing), "{damaged:?}");
            assert_eq!(damaged.remedy, RESTORE_OR_SALVAGE);
            std::fs::write(&path, sound).unwrap();
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_store_that_opens_but_has_a_damaged_page_fails() {
        for (name, file) in [("journal", JOURNAL_FILE), ("archive", ARCHIVE_FILE)] {
            let folder = folder().await;
            let sound = checked(folder.path(), name).await;
            assert_eq!((sound.found, sound.text.as_str()), (Found::Ok, UNDAMAGED));
            overwrite_a_page(&folder.path().join(file));
            let damaged = checked(folder.path(), name).await;
            assert_eq!(damaged.found, Found::Failed);
            let doing = format!("check the {name} for damage: ");
            assert!(damaged.text.starts_with(&doing), "{}", damaged.text);
            assert_eq!(damaged.remedy, RESTORE_OR_SALVAGE);
        }
    }
}
