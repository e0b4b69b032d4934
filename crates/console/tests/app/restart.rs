//! What survives a restart, and who may have the folder.

use std::sync::Arc;

use console::{App, AppError, SettingsSource, view::Code};
use port_tests::KeptPort;
use serde_json::json;

use crate::rig::{Opened, Rig, Seen, options};

#[tokio::test(flavor = "multi_thread")]
async fn a_live_session_is_there_again_armed_and_as_its_broker_says() {
    let mut rig = Rig::start().await;
    let id = rig.session("Maria").await;
    let pin = rig.seen.pin(&id).await;
    let link = rig.seen.details[&id].pin.as_ref().unwrap().join_link.clone();
    let page = rig.page(&pin, "presenter", "Maria").await;
    rig.seen.label(&id, "Ready").await;
    rig.app.stop().await;
    let _port = KeptPort::given_back_by(link.as_ref().unwrap());
    drop(page);

    let mut rig = Rig::start_in(rig.folder, SettingsSource::nowhere()).await;
    rig.ask(json!({ "do": "show", "session": id })).await;
    rig.seen.armed(&id).await;
    // The customer's page was gone with the broker, which says so before a minute is over.
    rig.seen.label(&id, "Customer offline").await;
    assert_eq!(rig.seen.pin(&id).await, pin);
    assert_eq!(rig.seen.details[&id].pin.as_ref().unwrap().join_link, link);
    let _page = rig.page(&pin, "presenter", "Maria").await;
    rig.seen.event("presenter_online").await;
    rig.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn broker_and_sandbox_are_where_they_were_after_a_restart() {
    let rig = Rig::start().await;
    let before: serde_json::Value = {
        let text = std::fs::read(rig.folder.path().join("data/ports.json")).unwrap();
        serde_json::from_slice(&text).unwrap()
    };
    let servers = ["broker", "sandbox_logintc", "sandbox_rocketchat", "sandbox_passwordless"];
    let kept: Vec<_> =
        servers.map(|server| u16::try_from(before[server].as_u64().unwrap()).unwrap()).into();
    let answers = |port: u16| tokio::net::TcpStream::connect(("127.0.0.1", port));
    for port in &kept {
        answers(*port).await.unwrap();
    }
    rig.app.stop().await;
    let _ports: Vec<_> = kept
        .iter()
        .map(|port| KeptPort::given_back_by(&format!("http://127.0.0.1:{port}/")))
        .collect();
    let rig = Rig::start_in(rig.folder, SettingsSource::nowhere()).await;
    let text = std::fs::read(rig.folder.path().join("data/ports.json")).unwrap();
    assert_eq!(serde_json::from_slice::<serde_json::Value>(&text).unwrap(), before);
    for port in &kept {
        answers(*port).await.unwrap();
    }
    rig.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_second_console_on_a_folder_is_refused_and_told_who_is_first() {
    let rig = Rig::start().await;
    let again = options(rig.folder.path(), SettingsSource::nowhere(), Arc::new(Opened::default()));
    let Err(error) = App::start(again).await else { panic!("it started") };
    assert_eq!((error.code(), error.exit_code()), (Code::AlreadyRunning, 3));
    assert!(error.to_string().contains("a test (process "), "{error}");
    assert!(matches!(error, AppError::Folder(_)));
    rig.app.stop().await;
    let again = options(rig.folder.path(), SettingsSource::nowhere(), Arc::new(Opened::default()));
    App::start(again).await.unwrap().stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_can_resume_and_skips_nothing_that_happened() {
    let mut rig = Rig::start().await;
    rig.session("Maria").await;
    rig.seen.event("pin_ready").await;
    let first: Vec<u64> = rig.seen.happenings.iter().map(|h| h.seq).collect();
    rig.app.stop().await;
    let mut from_start =
        options(rig.folder.path(), SettingsSource::nowhere(), Arc::new(Opened::default()));
    from_start.from_seq = Some(0);
    let app = App::start(from_start).await.unwrap();
    let mut seen = Seen::new(app.subscribe());
    seen.event("status_unknown").await;
    let all: Vec<u64> = seen.happenings.iter().map(|h| h.seq).collect();
    assert_eq!(all[..first.len()], first);
    assert!(all.windows(2).all(|pair| pair[0] < pair[1]), "{all:?}");
    app.stop().await;
}
