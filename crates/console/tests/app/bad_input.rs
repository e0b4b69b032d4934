//! Services, ports and files that are not as they should be: it is said, it can be mended, nothing is lost.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    sync::Arc,
};

use console::{
    App, SettingsSource,
    reply::Reply,
    view::{Code, SessionDetail, StateKind, Trouble},
};
use serde_json::{Value, json};

use crate::{
    rig::{Opened, Rig, options},
    service::{PIN, Pins, Service},
};

fn at(service: &Service) -> SettingsSource {
    let Value::Object(flags) = json!({ "base_url": service.base_url(), "probe_rounds": 1 }) else {
        panic!("not an object")
    };
    SettingsSource::nowhere().with(flags)
}

async fn on_screen(rig: &Rig) -> String {
    let Reply::Session { id } = rig.ask(json!({ "do": "new_session" })).await else {
        panic!("no session was made")
    };
    rig.ask(json!({ "do": "show", "session": id })).await;
    id
}

async fn failure(rig: &mut Rig, id: &str) -> Trouble {
    let failed = |detail: &SessionDetail| {
        let failed = detail.row.state.kind == StateKind::Failed;
        failed.then(|| detail.failure.clone()).flatten()
    };
    rig.seen.detail(id, "the failure", failed).await
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_answered_instead_of_a_pin_the_session_says_why_and_can_be_tried_again() {
    for (answer, code, reason) in [
        (Pins::Page, Code::CheckAddress, "what answers is not what the service documents"),
        (Pins::Fault, Code::ServiceFault, "the service has a fault (500)"),
        (Pins::Nothing, Code::TryAgain, "the service closed the connection without an answer"),
        (Pins::Half, Code::TryAgain, "the service's answer broke off"),
        (Pins::Shapeless, Code::CheckAddress, "what answers is not what the service documents"),
    ] {
        let service = Service::start();
        service.give(answer);
        let mut rig = Rig::start_in(tempfile::tempdir().unwrap(), at(&service)).await;
        let id = on_screen(&rig).await;
        let why = failure(&mut rig, &id).await;
        assert_eq!(why.code, code, "{answer:?}: {why:?}");
        assert!(why.text.contains(reason) && !why.remedy.is_empty(), "{answer:?}: {why:?}");
        assert!(rig.seen.details[&id].pin.is_none());

        service.give(Pins::Good);
        rig.ask(json!({ "do": "retry", "session": id })).await;
        rig.seen.armed(&id).await;
        assert_eq!(rig.seen.pin(&id).await, PIN);
        rig.app.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn with_all_regions_dead_it_says_so_and_one_can_be_chosen_by_hand() {
    let service = Service::start();
    service.regions_answer(false);
    let mut rig = Rig::start_in(tempfile::tempdir().unwrap(), at(&service)).await;
    let id = on_screen(&rig).await;
    let why = failure(&mut rig, &id).await;
    assert_eq!(why.code, Code::ChooseRegion, "{why:?}");
    assert!(why.text.contains("no region answers"), "{why:?}");
    rig.ask(json!({ "do": "retry", "session": id, "region": "eu-west-2" })).await;
    rig.seen.armed(&id).await;
    assert_eq!(rig.seen.details[&id].region.as_deref(), Some("eu-west-2"));
    rig.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_listeners_port_is_taken_another_is_and_the_hooks_follow() {
    let mut rig = Rig::start().await;
    let id = rig.session("Maria").await;
    let pin = rig.seen.pin(&id).await;
    let address = rig.seen.console.as_ref().unwrap().listener.address.clone().unwrap();
    rig.app.stop().await;
    let _taken = std::net::TcpListener::bind(&address).unwrap();

    let mut rig = Rig::start_in(rig.folder, SettingsSource::nowhere()).await;
    rig.ask(json!({ "do": "show", "session": id })).await;
    rig.seen.armed(&id).await;
    assert_ne!(rig.seen.console.as_ref().unwrap().listener.address.as_ref(), Some(&address));
    let _page = rig.page(&pin, "presenter", "Maria").await;
    rig.seen.event("presenter_online").await;
    rig.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_port_was_promised_by_a_public_url_it_fails_visibly_instead() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let promised = json!({ "listen": address, "public_url": "https://hooks.example.org/" });
    let Value::Object(flags) = promised.clone() else { panic!("not an object") };
    let folder = tempfile::tempdir().unwrap();
    let source = SettingsSource::nowhere().with(flags);
    let started = App::start(options(folder.path(), source, Arc::new(Opened::default()))).await;
    let Err(error) = started else { panic!("it started") };
    assert_eq!((error.code(), error.exit_code()), (Code::CheckAddress, 5));
    assert!(error.to_string().contains(&address), "{error}");

    // As a change it is refused, and the console goes on where it was.
    let mut rig = Rig::start_in(folder, SettingsSource::nowhere()).await;
    let refused = rig.refused(json!({ "do": "configure", "changes": promised })).await;
    assert_eq!(refused.code, Code::CheckAddress);
    assert!(refused.text.contains(&address), "{refused:?}");
    rig.session("Maria").await;
    rig.app.stop().await;
}

/// Another program that holds a file, as SQLite's own locks see it.
struct Holder(Child);

impl Holder {
    fn from_file(file: &Path) -> Self {
        const HOLD: &str = "import fcntl, sys\n\
            f = open(sys.argv[1], 'r+b')\n\
            fcntl.lockf(f, fcntl.LOCK_EX)\n\
            print('held', flush=True)\n\
            sys.stdin.read()\n";
        let mut child = Command::new("/usr/bin/python3")
            .args(["-c", HOLD])
            .arg(file)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "held\n");
        Self(child)
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_that_another_program_holds_is_named_and_nothing_in_it_is_lost() {
    let mut rig = Rig::start().await;
    let id = rig.session("Maria").await;
    rig.ask(json!({ "do": "note", "session": id, "text": "Spooler stuck" })).await;
    rig.app.stop().await;
    let archive = rig.folder.path().join("data").join(engine::archive::ARCHIVE_FILE);
    let holder = Holder::from_file(&archive);
    let again = options(rig.folder.path(), SettingsSource::nowhere(), Arc::new(Opened::default()));
    let Err(error) = App::start(again).await else { panic!("it started") };
    assert_eq!((error.code(), error.exit_code()), (Code::FreeSpace, 6));
    assert!(error.to_string().contains("another program holds the database"), "{error}");
    drop(holder);

    let mut rig = Rig::start_in(rig.folder, SettingsSource::nowhere()).await;
    rig.ask(json!({ "do": "show", "session": id })).await;
    rig.seen.detail(&id, "the note", |d| (d.note == "Spooler stuck").then_some(())).await;
    rig.seen.armed(&id).await;
    rig.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_database_asks_for_a_copy_and_one_of_a_newer_version_for_an_update() {
    let Rig { folder, app, .. } = Rig::start().await;
    app.stop().await;
    let refused = async || {
        let again = options(folder.path(), SettingsSource::nowhere(), Arc::new(Opened::default()));
        let Err(error) = App::start(again).await else { panic!("it started") };
        assert!(!error.trouble().remedy.is_empty(), "{error}");
        (error.code(), error.exit_code())
    };
    let data = folder.path().join("data");
    for file in [engine::journal::JOURNAL_FILE, engine::archive::ARCHIVE_FILE] {
        let path = data.join(file);
        let sound = fs::read(&path).unwrap();
        fs::write(&path, [0x5a; 8192]).unwrap();
        assert_eq!(refused().await, (Code::RestoreCopy, 6), "{file}");
        fs::write(&path, sound).unwrap();
    }

    let path = data.join(engine::journal::JOURNAL_FILE);
    let mut journal = fs::read(&path).unwrap();
    // SQLite's file format has the schema's version there.
    journal[60..64].copy_from_slice(&9_999_u32.to_be_bytes());
    fs::write(&path, journal).unwrap();
    assert_eq!(refused().await, (Code::UpdateApp, 6));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_that_fails_at_the_broker_leaves_no_sandbox_behind() {
    let folder = tempfile::tempdir().unwrap();
    let begin = async || {
        let desktop = Arc::new(Opened::default());
        App::start(options(folder.path(), SettingsSource::nowhere(), desktop)).await
    };
    let broker = folder.path().join("data/broker");
    std::fs::create_dir_all(folder.path().join("data")).unwrap();
    std::fs::write(&broker, "a file where its folder should be").unwrap();
    assert!(begin().await.is_err());
    std::fs::remove_file(&broker).unwrap();
    let app = begin().await.unwrap();
    assert!(app.sandbox(|_| ()).await.is_some(), "its store is still held");
    app.stop().await;
}
