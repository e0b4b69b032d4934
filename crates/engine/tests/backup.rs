//! A backup of a data folder that is being written, and what comes back from it elsewhere.
#![allow(clippy::unwrap_used)]

use std::{
    fs,
    num::NonZeroU32,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use engine::{
    SessionId,
    archive::{ARCHIVE_FILE, Archive, NoteKind},
    backup::{Backup, BackupError, Progress, Restore, Restored, StoreFile, Written},
    journal::{JOURNAL_FILE, Journal, Options as JournalOptions},
    lock::FolderLock,
    vault::{Options as VaultOptions, VAULT_FILE, Vault},
};
use secrecy::SecretString;
use session::Timestamp;
use tempfile::TempDir;
use wire::HookType;

const NOW: Timestamp = Timestamp(1_700_000_000_000);
const SESSION: SessionId = SessionId::from_bytes([1; 16]);
const NOTE: &str = "the printer jams";
const EVENTS: u32 = 2000;

fn keep(passphrase: Option<&str>) -> VaultOptions {
    VaultOptions {
        keyring: None,
        passphrase: passphrase.map(Into::into),
        iterations: NonZeroU32::MIN,
        ..VaultOptions::default()
    }
}

fn passphrase() -> SecretString {
    "correct horse battery".into()
}

/// A console's data folder, whose stores are open.
struct Console {
    home: TempDir,
    vault: Vault,
    journal: Journal,
    archive: Archive,
}

impl Console {
    async fn start() -> Self {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("data");
        fs::create_dir(&folder).unwrap();
        let vault = Vault::open(&folder, keep(None)).unwrap();
        let (journal, archive) = open(&folder, &vault);
        for _ in 0..EVENTS {
            drop(journal.append(SESSION, HookType::ViewerStarted, NOW));
        }
        journal.flush().await.unwrap();
        archive
            .set_note(SESSION, NoteKind::Closing, NOTE.into(), "tess".into(), NOW)
            .await
            .unwrap();
        Self { home, vault, journal, archive }
    }

    fn folder(&self) -> PathBuf {
        self.home.path().join("data")
    }

    fn file(&self) -> PathBuf {
        self.home.path().join("a.backup")
    }

    fn back_up(
        &self,
        to: &Path,
        replace: bool,
        progress: &mut dyn FnMut(Progress) -> bool,
    ) -> Result<Written, BackupError> {
        let (folder, passphrase) = (self.folder(), passphrase());
        let backup = Backup {
            folder: &folder,
            vault: &self.vault,
            stores: &StoreFile::ENGINE,
            files: vec![("settings.toml", b"lan = true\n".to_vec())],
            passphrase: &passphrase,
            iterations: NonZeroU32::MIN,
        };
        backup.write(to, replace, NOW, progress)
    }
}

fn open(folder: &Path, vault: &Vault) -> (Journal, Archive) {
    let journal = folder.join(JOURNAL_FILE);
    let journal = Journal::open(&journal, vault.journal_key(), JournalOptions::default()).unwrap();
    let archive = Archive::open(&folder.join(ARCHIVE_FILE), vault.archive_key()).unwrap();
    (journal, archive)
}

async fn restore_with(
    from: &Path,
    folder: &Path,
    passphrase: SecretString,
    replace: bool,
    key: Option<&str>,
) -> Result<Restored, BackupError> {
    let (from, folder, keep) = (from.to_owned(), folder.to_owned(), keep(key));
    let restored = tokio::task::spawn_blocking(move || {
        let restore = Restore {
            from: &from,
            passphrase: &passphrase,
            folder: &folder,
            stores: &StoreFile::ENGINE,
            files: &["settings.toml"],
            keep,
            replace,
            program: "a test",
            by: "Anna".into(),
        };
        restore.run(NOW, &mut |_| true)
    });
    restored.await.unwrap()
}

async fn restore(from: &Path, folder: &Path) -> Result<Restored, BackupError> {
    restore_with(from, folder, passphrase(), false, None).await
}

/// The names in a folder.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_there_comes_back_elsewhere_under_another_keeper() {
    let console = Console::start().await;
    let written = console.back_up(&console.file(), false, &mut |_| true).unwrap();
    let meta = fs::metadata(&written.path).unwrap();
    assert_eq!((meta.len(), meta.permissions().mode() & 0o777), (written.bytes, 0o600));
    assert_eq!(names(console.home.path()), ["a.backup", "data"], "nothing else is left");
    let bytes = fs::read(&written.path).unwrap();
    assert!(!bytes.windows(NOTE.len()).any(|w| w == NOTE.as_bytes()), "it is sealed");

    let other = tempfile::tempdir().unwrap();
    let folder = other.path().join("deep/data");
    fs::create_dir(other.path().join("deep")).unwrap();
    let restored =
        restore_with(&written.path, &folder, passphrase(), false, Some("the console's own"));
    let restored = restored.await.unwrap();
    assert_eq!((restored.made_at, &restored.aside), (NOW, &None));
    assert_eq!(names(&other.path().join("deep")), ["data"]);
    assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
    assert!(matches!(
        Vault::open(&folder, keep(None)),
        Err(engine::vault::VaultError::PassphraseNeeded)
    ));
    let vault = Vault::open(&folder, keep(Some("the console's own"))).unwrap();
    assert_eq!(vault.key_id(), console.vault.key_id());
    let (journal, archive) = open(&folder, &vault);
    let next = journal.append(SESSION, HookType::ViewerStarted, NOW).await.unwrap();
    assert_eq!(next, u64::from(EVENTS) + 1, "no event is missing");
    assert_eq!(archive.contents(SESSION).await.unwrap().notes[0].text, NOTE);
    let newest = &archive.audit_page(None, 1).await.unwrap()[0].entry;
    assert_eq!((newest.action.as_str(), newest.by.as_str()), ("backup_restored", "Anna"));
    assert_eq!(archive.verify_audit().await.unwrap().broken, None);
    assert_eq!(fs::read_to_string(folder.join("settings.toml")).unwrap(), "lan = true\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_of_one_moment_while_events_and_notes_are_written() {
    let console = Console::start().await;
    let (journal, archive) = (console.journal.clone(), console.archive.clone());
    let stop = tokio_util::sync::CancellationToken::new();
    let stopping = stop.clone();
    // Each note has the number of an event that was committed before it.
    let writing = tokio::spawn(async move {
        while !stopping.is_cancelled() {
            let seq = journal.append(SESSION, HookType::ViewerStarted, NOW).await.unwrap();
            let note = seq.to_string();
            archive.set_note(SESSION, NoteKind::Closing, note, "tess".into(), NOW).await.unwrap();
        }
    });
    let mut files = Vec::new();
    for number in 0..3 {
        let file = console.home.path().join(format!("{number}.backup"));
        let mut last = Progress { done: 0, total: 0 };
        let written = tokio::task::block_in_place(|| {
            console.back_up(&file, false, &mut |progress| {
                assert!(progress.done >= last.done && progress.done <= progress.total);
                last = progress;
                true
            })
        });
        files.push(written.unwrap().path);
        assert_eq!(last.done, last.total);
    }
    stop.cancel();
    writing.await.unwrap();
    for file in files {
        let folder = file.with_extension("data");
        restore(&file, &folder).await.unwrap();
        let (journal, archive) = open(&folder, &Vault::open(&folder, keep(None)).unwrap());
        let note = archive.contents(SESSION).await.unwrap().notes[0].text.clone();
        let next = journal.append(SESSION, HookType::ViewerStarted, NOW).await.unwrap();
        if let Ok(noted) = note.parse::<u64>() {
            assert!(next == noted + 1 || next == noted + 2, "{noted} was noted, {next} is next");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_wrong_with_the_file_nothing_is_touched() {
    let console = Console::start().await;
    let file = console.back_up(&console.file(), false, &mut |_| true).unwrap().path;
    let good = fs::read(&file).unwrap();
    let other = tempfile::tempdir().unwrap();
    let (folder, bad) = (other.path().join("data"), console.home.path().join("bad"));
    let restored = async |bytes: &[u8]| {
        fs::write(&bad, bytes).unwrap();
        let error = restore(&bad, &folder).await.unwrap_err();
        assert!(!folder.join(VAULT_FILE).exists() && !folder.join(ARCHIVE_FILE).exists());
        assert!(names(other.path()).iter().all(|name| name == "data"), "{:?}", names(other.path()));
        error
    };
    let mut altered = good.clone();
    altered[good.len() / 2] ^= 1;
    assert!(matches!(restored(&altered).await, BackupError::Damaged { .. }));
    for length in [61, good.len() / 2, good.len() - 1] {
        let error = restored(&good[..length]).await;
        assert!(matches!(error, BackupError::Damaged { .. }), "{length}: {error}");
    }
    assert!(matches!(restored(b"a text").await, BackupError::NotABackup(_)));
    let newer = [&good[..16], &[2], &good[17..]].concat();
    assert!(matches!(restored(&newer).await, BackupError::TooNew(_)));
    let wrong = restore_with(&file, &folder, "another passphrase".into(), false, None).await;
    assert!(matches!(wrong, Err(BackupError::WrongPassphrase(_))), "{wrong:?}");
    let none = restore(&console.home.path().join("none"), &folder).await;
    assert!(matches!(none, Err(BackupError::Io { .. })), "{none:?}");
    restore(&file, &folder).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consoles_data_is_moved_aside_only_when_that_is_asked_for_and_nobody_uses_it() {
    let console = Console::start().await;
    let file = console.back_up(&console.file(), false, &mut |_| true).unwrap().path;
    let other = tempfile::tempdir().unwrap();
    let folder = other.path().join("data");
    restore(&file, &folder).await.unwrap();
    fs::write(folder.join("mark"), "old").unwrap();
    let taken = restore(&file, &folder).await;
    assert!(matches!(taken, Err(BackupError::FolderTaken(_))), "{taken:?}");
    let lock = FolderLock::take(&folder, "deskhand", NOW).unwrap();
    let used = restore_with(&file, &folder, passphrase(), true, None).await;
    assert!(matches!(used, Err(BackupError::Folder(_))), "{used:?}");
    assert!(folder.join("mark").exists());
    drop(lock);
    for number in 0..2 {
        let restored = restore_with(&file, &folder, passphrase(), true, None).await.unwrap();
        let aside = restored.aside.unwrap();
        assert!(aside.join(VAULT_FILE).exists() && folder.join(VAULT_FILE).exists());
        assert_eq!(aside.join("mark").exists(), number == 0);
        assert!(!folder.join("mark").exists());
    }
    assert_eq!(names(other.path()).len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_that_cannot_be_written_leaves_nothing() {
    let console = Console::start().await;
    let file = console.file();
    fs::write(&file, "precious").unwrap();
    let taken = console.back_up(&file, false, &mut |_| true);
    assert!(matches!(taken, Err(BackupError::Taken(_))), "{taken:?}");
    let stopped = console.back_up(&file, true, &mut |progress| progress.done < progress.total / 2);
    assert!(matches!(stopped, Err(BackupError::Stopped(_))), "{stopped:?}");
    assert_eq!(fs::read_to_string(&file).unwrap(), "precious");
    assert_eq!(names(console.home.path()), ["a.backup", "data"]);
    for no_file in [console.folder(), console.home.path().join(".."), "/".into()] {
        let error = console.back_up(&no_file, true, &mut |_| true);
        assert!(matches!(error, Err(BackupError::NoFile(_))), "{error:?}");
    }
    let missing = console.home.path().join("missing/a.backup");
    let error = console.back_up(&missing, false, &mut |_| true);
    assert!(matches!(error, Err(BackupError::Io { .. })), "{error:?}");
    console.back_up(&file, true, &mut |_| true).unwrap();
    restore(&file, &console.home.path().join("new")).await.unwrap();
}
