//! Data that was there before and is gone, replaced or damaged.

use std::{fs, path::Path, sync::Arc};

use console::{App, AppError, SettingsSource, reply::Reply, view::Code};
use engine::{
    SessionId,
    archive::Archive,
    journal::EventRecord,
    vault::{Options as VaultOptions, Vault},
};
use serde_json::json;
use session::{Event, LifeEvent, Timestamp};

use crate::rig::{Opened, Rig, Seen, options};

async fn not_started(folder: &Path) -> AppError {
    let options = options(folder, SettingsSource::nowhere(), Arc::new(Opened::default()));
    match App::start(options).await {
        Ok(_) => panic!("it started"),
        Err(error) => error,
    }
}

/// The folder of a console that had a session, and has ended.
async fn used() -> tempfile::TempDir {
    let mut rig = Rig::start().await;
    rig.session("Maria").await;
    rig.app.stop().await;
    rig.folder
}

async fn accepting(folder: tempfile::TempDir) -> Rig {
    Rig::start_with(folder, SettingsSource::nowhere(), |options| options.accept_lost_data = true)
        .await
}

async fn actions(rig: &Rig) -> Vec<String> {
    let Reply::Audit { entries, .. } = rig.ask(json!({ "do": "audit" })).await else {
        panic!("no log")
    };
    entries.into_iter().map(|entry| entry.action).collect()
}

async fn broken(rig: &Rig) -> bool {
    let Reply::AuditCheck { check } = rig.ask(json!({ "do": "verify_audit" })).await else {
        panic!("no check")
    };
    check.broken.is_some()
}

fn unacknowledged(seen: &Seen) -> Option<Code> {
    let console = seen.console.as_ref()?;
    (console.unacknowledged == 1).then(|| console.troubles[0].code)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_is_gone_or_empty_is_never_made_anew_unasked() {
    for lost in [&["archive.db"][..], &["journal.db"], &["archive.db", "journal.db"]] {
        for empty in [false, true] {
            let folder = used().await;
            for name in lost {
                let file = folder.path().join("data").join(name);
                if empty { fs::write(file, "") } else { fs::remove_file(file) }.unwrap();
            }
            for _ in 0..2 {
                let error = not_started(folder.path()).await;
                assert_eq!((error.code(), error.exit_code()), (Code::RestoreCopy, 6), "{error}");
                assert!(error.to_string().contains("missing or empty"), "{error}");
            }
            let mut rig = accepting(folder).await;
            assert_eq!(rig.seen.until("the trouble", unacknowledged).await, Code::RestoreCopy);
            assert!(actions(&rig).await.contains(&"lost_data_accepted".to_owned()));
            assert!(!broken(&rig).await);
            rig.app.stop().await;
            let rig = Rig::start_in(rig.folder, SettingsSource::nowhere()).await;
            rig.app.stop().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_start_that_was_cut_short_is_no_loss() {
    let rig = Rig::start().await;
    rig.app.stop().await;
    let data = rig.folder.path().join("data");
    let vault = data.join("vault.json");
    let text = fs::read_to_string(&vault).unwrap();
    fs::write(&vault, text.replace("\"stores_made\": true", "\"stores_made\": false")).unwrap();
    fs::remove_file(data.join("archive.db")).unwrap();
    let rig = Rig::start_in(rig.folder, SettingsSource::nowhere()).await;
    assert!(!broken(&rig).await);
    rig.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_copy_in_the_archives_place_is_noticed_until_somebody_has_seen_it() {
    let mut rig = Rig::start().await;
    rig.session("Maria").await;
    rig.app.stop().await;
    let file = rig.folder.path().join("data/archive.db");
    let older = fs::read(&file).unwrap();
    let mut rig = Rig::start_in(rig.folder, SettingsSource::nowhere()).await;
    rig.session("Ben").await;
    assert!(!broken(&rig).await);
    rig.app.stop().await;
    fs::write(&file, older).unwrap();

    for _ in 0..2 {
        let mut started = Rig::start_in(rig.folder, SettingsSource::nowhere()).await;
        let told = |seen: &Seen| seen.console.as_ref().filter(|c| c.unacknowledged > 0).map(drop);
        started.seen.until("the trouble", told).await;
        assert!(broken(&started).await);
        assert!(actions(&started).await.contains(&"audit_log_cut".to_owned()));
        started.app.stop().await;
        rig = started;
    }
    let rig = Rig::start_in(rig.folder, SettingsSource::nowhere()).await;
    rig.acknowledge_troubles().await;
    assert!(!broken(&rig).await, "somebody took it as it is, which the log says");
    rig.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_clean_end_each_file_is_complete_by_itself() {
    let folder = used().await;
    let data = folder.path().join("data");
    let mut databases = 0;
    for place in [data.clone(), data.join("broker"), data.join("sandbox")] {
        for file in fs::read_dir(place).unwrap() {
            let file = file.unwrap();
            let name = file.file_name().into_string().unwrap();
            databases += u32::from(name.ends_with(".db"));
            let left = name.ends_with("-wal") && file.metadata().unwrap().len() > 0;
            assert!(!left, "{name} still holds what its database doesn't");
        }
    }
    assert_eq!(databases, 4);
}

/// Changes bytes in the middle of the first pages, as a failing disk does.
fn damage(file: &Path) {
    let mut bytes = fs::read(file).unwrap();
    let end = bytes.len().min(3 * 4096);
    bytes[64..end].fill(0xA5);
    fs::write(file, bytes).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_broker_or_sandbox_does_not_block_the_console() {
    for name in ["broker/broker.db", "sandbox/sandbox.db"] {
        let folder = used().await;
        damage(&folder.path().join("data").join(name));
        let mut rig = Rig::start_in(folder, SettingsSource::nowhere()).await;
        let told = |seen: &Seen| {
            let troubles = &seen.console.as_ref()?.troubles;
            let about = troubles.iter().find(|trouble| trouble.code == Code::RestoreCopy)?;
            Some(about.clone())
        };
        let trouble = rig.seen.until("the trouble", told).await;
        assert!(trouble.text.starts_with("Start the "), "{trouble:?}");
        assert_eq!(rig.seen.rows.len(), 1, "the session is there");
        rig.app.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_journal_or_archive_asks_for_a_copy() {
    for name in ["archive.db", "journal.db"] {
        let folder = used().await;
        let file = folder.path().join("data").join(name);
        damage(&file);
        let error = not_started(folder.path()).await;
        assert_eq!((error.code(), error.exit_code()), (Code::RestoreCopy, 6), "{error}");
    }
}

/// The troubles with what is to be restored.
fn to_restore(seen: &Seen) -> Option<Vec<String>> {
    let troubles = &seen.console.as_ref()?.troubles;
    let texts = troubles.iter().filter(|trouble| trouble.code == Code::RestoreCopy);
    let texts: Vec<_> = texts.map(|trouble| trouble.text.clone()).collect();
    (!texts.is_empty()).then_some(texts)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_page_that_a_start_does_not_read_is_named_soon_after_it() {
    const PAGE: usize = 4096;
    let mut rig = Rig::start().await;
    let id = rig.session("Maria").await;
    let note = |n: usize| format!("{n} {}", "the printer jams ".repeat(1_000));
    for n in 0..8 {
        rig.ask(json!({ "do": "note", "session": id, "text": note(n) })).await;
    }
    rig.app.stop().await;
    let file = rig.folder.path().join("data/archive.db");
    let mut bytes = fs::read(&file).unwrap();
    // Of the last pages, which the earlier notes fill, but for the newest rows.
    let start = bytes.len() / PAGE * 3 / 4 * PAGE;
    bytes[start..start + PAGE].fill(0xff);
    fs::write(&file, bytes).unwrap();

    let mut rig = Rig::start_in(rig.folder, SettingsSource::nowhere()).await;
    let troubles = rig.seen.until("the trouble", to_restore).await;
    assert!(troubles[0].starts_with("Check the archive for damage"), "{troubles:?}");
    rig.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_servers_store_that_is_gone_is_made_anew_but_not_in_silence() {
    let stores = [("broker", "broker/broker.db"), ("sandbox", "sandbox/sandbox.db")];
    for ((name, file), with_ports) in stores.into_iter().flat_map(|s| [(s, false), (s, true)]) {
        let folder = used().await;
        fs::remove_file(folder.path().join("data").join(file)).unwrap();
        if with_ports {
            fs::remove_file(folder.path().join("data/ports.json")).unwrap();
        }
        let mut rig = Rig::start_in(folder, SettingsSource::nowhere()).await;
        let troubles = rig.seen.until("the trouble", to_restore).await;
        assert_eq!(troubles.len(), 1, "{troubles:?}");
        assert!(troubles[0].starts_with(&format!("Open the {name}'s store")), "{troubles:?}");
        assert!(actions(&rig).await.contains(&"store_made_anew".to_owned()));
        rig.acknowledge_troubles().await;
        rig.app.stop().await;
        let rig = Rig::start_in(rig.folder, SettingsSource::nowhere()).await;
        let entries = actions(&rig).await;
        let told = entries.iter().filter(|action| *action == "store_made_anew").count();
        assert_eq!(told, 1, "it is there again");
        rig.app.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_that_is_older_than_the_archive_is_noticed_and_gives_no_number_out_again() {
    let folder = used().await;
    let data = folder.path().join("data");
    let options = VaultOptions { keyring: None, ..VaultOptions::default() };
    let vault = Vault::open(&data, options).unwrap();
    let archive = Archive::open(&data.join("archive.db"), vault.archive_key()).unwrap();
    let event = EventRecord {
        seq: 5_000,
        session: SessionId::from_bytes([7; 16]),
        at: Timestamp(1),
        event: Event::Life(LifeEvent::Created),
    };
    archive.save_events(vec![event]).await.unwrap();
    archive.close().await;
    drop((archive, vault));

    let mut rig = Rig::start_in(folder, SettingsSource::nowhere()).await;
    let told = |seen: &Seen| {
        let console = seen.console.as_ref()?;
        let older = console.troubles.iter().find(|trouble| trouble.text.contains("older than"))?;
        (console.unacknowledged == 1).then_some(older.code)
    };
    assert_eq!(rig.seen.until("the trouble", told).await, Code::RestoreCopy);
    assert!(actions(&rig).await.contains(&"journal_older".to_owned()));
    rig.session("Ben").await;
    let created = rig.seen.event("created").await;
    assert!(created.seq > 5_000, "{created:?}");
    rig.app.stop().await;
    let mut rig = Rig::start_in(rig.folder, SettingsSource::nowhere()).await;
    rig.seen.until("the trouble, until a person has seen it", told).await;
    rig.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_that_nobody_knows_any_more_is_said() {
    let rig = Rig::start().await;
    rig.app.stop().await;
    fs::remove_file(rig.folder.path().join("data/ports.json")).unwrap();
    let mut rig = Rig::start_in(rig.folder, SettingsSource::nowhere()).await;
    let told = |seen: &Seen| {
        let troubles = &seen.console.as_ref()?.troubles;
        troubles.iter().any(|trouble| trouble.text.contains("ports.json")).then_some(())
    };
    rig.seen.until("the trouble", told).await;
    rig.app.stop().await;
    let mut rig = Rig::start_in(rig.folder, SettingsSource::nowhere()).await;
    let none = |seen: &Seen| seen.console.as_ref()?.troubles.is_empty().then_some(());
    rig.seen.until("no trouble, since it is known again", none).await;
    rig.app.stop().await;
}
