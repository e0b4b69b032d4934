//! Settings: kept, changed while it runs, and set aside when they are damaged.

use std::{fs, sync::Arc};

use console::{App, SettingsSource, reply::Reply, view::Code};
use port_tests::KeptPort;
use serde_json::json;

use crate::rig::{Opened, Rig, options};

#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_in_force_at_once_and_survives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("settings.toml");
    let mut rig = Rig::start_in(folder, SettingsSource::file(&file)).await;
    rig.ask(json!({ "do": "configure", "changes": { "technician": "Bo", "probe_rounds": 2 } }))
        .await;
    let named = |seen: &crate::rig::Seen| {
        seen.console.as_ref().filter(|console| console.technician == "Bo").map(drop)
    };
    rig.seen.until("the new name", named).await;
    rig.app.stop().await;
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.contains("technician = \"Bo\"") && !text.contains("heartbeat"), "{text}");

    let mut rig = Rig::start_in(rig.folder, SettingsSource::file(&file)).await;
    rig.seen.until("the kept name", named).await;
    assert_eq!(rig.app.settings().probe_rounds, 2);
    rig.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_that_cannot_be_changes_nothing_and_is_named() {
    let rig = Rig::start().await;
    let before = rig.app.settings();
    for (changes, field) in [
        (json!({ "technician": "Bo", "probe_rounds": 99 }), "probe_rounds"),
        (json!({ "technician": "desk Hand" }), "technician"),
        (json!({ "base_url": "https://www.loginwith.me/api/v1" }), "base_url"),
        (json!({ "no_such_thing": 1 }), "no_such_thing"),
        (json!({ "technician": "deskHand" }), "technician"),
        (json!({ "technician": "Deskhand" }), "technician"),
        (json!({ "public_url": "ftp://x" }), "public_url"),
    ] {
        let refused = rig.refused(json!({ "do": "configure", "changes": changes })).await;
        assert_eq!(refused.code, Code::BadInput);
        assert!(refused.text.contains(field) && !refused.remedy.is_empty(), "{refused:?}");
    }
    assert_eq!(rig.app.settings(), before);
    rig.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_listener_moves_without_a_restart_and_live_sessions_are_armed_there() {
    let mut rig = Rig::start().await;
    let id = rig.session("Maria").await;
    let pin = rig.seen.pin(&id).await;
    let port = KeptPort::new();
    let listen = port.addr().to_string();
    rig.ask(json!({ "do": "configure", "changes": { "listen": listen } })).await;
    let moved = |seen: &crate::rig::Seen| {
        let address = seen.console.as_ref()?.listener.address.clone()?;
        (address == listen).then_some(())
    };
    rig.seen.until("the new address", moved).await;
    rig.seen.label(&id, "Waiting").await;
    rig.seen.armed(&id).await;
    let _page = rig.page(&pin, "presenter", "Maria").await;
    rig.seen.event("presenter_online").await;
    let other = json!({ "base_url": "http://127.0.0.1:1/api/v1" });
    let refused = rig.refused(json!({ "do": "configure", "changes": other })).await;
    assert_eq!(refused.code, Code::Refused, "live sessions belong to their service");
    rig.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn damaged_settings_keep_the_gate_shut_and_are_said_until_somebody_has_seen_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("settings.toml");
    let damaged = "verify_gate = \"require\"\nlan = maybe\ncompany = \"ACME\"\n";
    fs::write(&file, damaged).unwrap();
    let told = |seen: &crate::rig::Seen| {
        let console = seen.console.as_ref()?;
        let about =
            |text: &str| text.starts_with("Read the settings: line 2") && text.contains("corrupt-");
        (console.unacknowledged == 1 && about(&console.troubles[0].text)).then_some(())
    };
    let mut folder = folder;
    for _ in 0..3 {
        let mut rig = Rig::start_in(folder, SettingsSource::file(&file)).await;
        assert_eq!(rig.app.settings().verify_gate, console::view::GatePolicy::Require);
        assert_eq!(rig.app.settings().company, "ACME");
        rig.seen.until("the trouble", told).await;
        rig.app.stop().await;
        folder = rig.folder;
    }
    let mut rig = Rig::start_in(folder, SettingsSource::file(&file)).await;
    rig.acknowledge_troubles().await;
    let seen = |seen: &crate::rig::Seen| {
        let console = seen.console.as_ref()?;
        (console.unacknowledged == 0 && console.troubles.is_empty()).then_some(())
    };
    rig.seen.until("no trouble", seen).await;
    let Reply::Audit { entries, .. } = rig.ask(json!({ "do": "audit" })).await else {
        panic!("no log")
    };
    let actions: Vec<_> = entries.iter().map(|entry| entry.action.as_str()).collect();
    assert_eq!(actions, ["troubles_acknowledged", "settings_damaged"]);
    rig.app.stop().await;
    let rig = Rig::start_in(rig.folder, SettingsSource::file(&file)).await;
    assert_eq!(rig.app.settings().verify_gate, console::view::GatePolicy::Require);
    let names = fs::read_dir(rig.folder.path()).unwrap().map(|entry| entry.unwrap().path());
    let kept: Vec<_> = names.filter(|name| name.to_string_lossy().contains(".corrupt-")).collect();
    assert_eq!(kept.len(), 1);
    assert_eq!(fs::read_to_string(&kept[0]).unwrap(), damaged);
    rig.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn damaged_settings_are_kept_aside_and_said() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("settings.toml");
    fs::write(&file, "technician = [").unwrap();
    let mut rig = Rig::start_in(folder, SettingsSource::file(&file)).await;
    let told = |seen: &crate::rig::Seen| {
        let troubles = &seen.console.as_ref()?.troubles;
        troubles.iter().find(|trouble| trouble.text.contains("corrupt-")).cloned()
    };
    let trouble = rig.seen.until("the trouble", told).await;
    assert_eq!(trouble.code, Code::BadInput);
    let names = fs::read_dir(rig.folder.path()).unwrap().map(|e| e.unwrap().file_name());
    let kept: Vec<_> = names.filter(|n| n.to_string_lossy().contains(".corrupt-")).collect();
    assert_eq!(kept.len(), 1);
    rig.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_by_hand_with_an_error_stops_the_start_and_stays_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("by-hand.toml");
    fs::write(&file, "heartbeat_s = 1\n").unwrap();
    let source = SettingsSource::file_by_hand(&file);
    let started = App::start(options(folder.path(), source, Arc::new(Opened::default()))).await;
    let Err(error) = started else { panic!("it started") };
    assert_eq!((error.code(), error.exit_code()), (Code::BadInput, 2));
    assert!(error.to_string().contains("heartbeat_s"), "{error}");
    assert_eq!(fs::read_to_string(&file).unwrap(), "heartbeat_s = 1\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_are_answered_with_their_defaults() {
    let rig = Rig::start().await;
    let Reply::Settings { settings } = rig.ask(json!({ "do": "settings" })).await else {
        panic!("no settings")
    };
    assert_eq!(settings["probe_rounds"], 3);
    assert_eq!(settings["listen"], "127.0.0.1:0");
    rig.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn licence_consent_by_a_flag_is_recorded_once_with_who_and_when() {
    let flag = || {
        let consent = serde_json::Map::from_iter([("licence_consent".to_owned(), true.into())]);
        SettingsSource::nowhere().with(consent)
    };
    let rig = Rig::start_in(tempfile::tempdir().unwrap(), flag()).await;
    let first = rig.app.settings();
    assert!(first.licence_consent_at.is_some() && first.licence_consent_by.is_some());
    rig.app.stop().await;
    let rig = Rig::start_in(rig.folder, flag()).await;
    rig.ask(json!({ "do": "configure", "changes": { "company": "ACME" } })).await;
    let second = rig.app.settings();
    assert_eq!(second.licence_consent_at, first.licence_consent_at);
    assert_eq!(second.licence_consent_by, first.licence_consent_by);
    let accepted = async |rig: &Rig| {
        let Reply::Audit { entries, .. } = rig.ask(json!({ "do": "audit" })).await else {
            panic!("no log")
        };
        entries.iter().filter(|entry| entry.action == "licence_accepted").count()
    };
    assert_eq!(accepted(&rig).await, 1);
    rig.app.stop().await;
    // Withdrawn and given again, it is another consent.
    let rig = Rig::start_in(rig.folder, SettingsSource::nowhere()).await;
    rig.app.stop().await;
    let rig = Rig::start_in(rig.folder, flag()).await;
    assert_eq!(accepted(&rig).await, 2);
    rig.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_written_into_the_file_by_hand_survives_a_change_and_is_taken_up_by_a_reload() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("settings.toml");
    let rig = Rig::start_in(folder, SettingsSource::file(&file)).await;
    rig.ask(json!({ "do": "configure", "changes": { "company": "ACME" } })).await;
    fs::write(&file, "verify_gate = \"require\"\ntheme = \"light\"\n").unwrap();
    rig.ask(json!({ "do": "configure", "changes": { "theme": "dark" } })).await;
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.contains("verify_gate = \"require\"") && text.contains("dark"), "{text}");
    assert!(!text.contains("ACME"), "somebody took it out: {text}");
    assert_eq!(rig.app.settings().verify_gate, console::view::GatePolicy::default());
    rig.app.reload().await;
    assert_eq!(rig.app.settings().verify_gate, console::view::GatePolicy::Require);
    assert_eq!(rig.app.settings().company, "");
    rig.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_was_damaged_meanwhile_is_kept_aside_before_a_change() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("settings.toml");
    let mut rig = Rig::start_in(folder, SettingsSource::file(&file)).await;
    rig.ask(json!({ "do": "configure", "changes": { "company": "ACME" } })).await;
    let damaged = "verify_gate = \"require\"\nlan = may\n";
    fs::write(&file, damaged).unwrap();
    rig.ask(json!({ "do": "configure", "changes": { "theme": "dark" } })).await;
    let told = |seen: &crate::rig::Seen| {
        let console = seen.console.as_ref()?;
        (console.unacknowledged == 1 && console.troubles[0].text.contains("corrupt-")).then_some(())
    };
    rig.seen.until("the trouble", told).await;
    let text = fs::read_to_string(&file).unwrap();
    for kept in ["verify_gate = \"require\"", "dark", "ACME"] {
        assert!(text.contains(kept), "{text}");
    }
    let names = fs::read_dir(rig.folder.path()).unwrap().map(|entry| entry.unwrap().path());
    let kept: Vec<_> = names.filter(|name| name.to_string_lossy().contains(".corrupt-")).collect();
    assert_eq!(fs::read_to_string(&kept[0]).unwrap(), damaged);
    rig.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_change_leaves_the_file_byte_for_byte_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("settings.toml");
    let rig = Rig::start_in(folder, SettingsSource::file(&file)).await;
    rig.ask(json!({ "do": "configure", "changes": { "company": "ACME" } })).await;
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = taken.local_addr().unwrap().to_string();
    // The second can't be read as a whole, and what can be read of it doesn't stand in it so.
    for text in
        ["# mine\ncompany = \"ACME\"\n", "company = \"ACME\"\nlan = may\nverify_gate = \"req"]
    {
        fs::write(&file, text).unwrap();
        let wrong = json!({ "do": "configure", "changes": { "heartbeat_s": 0 } });
        assert_eq!(rig.refused(wrong).await.code, Code::BadInput);
        assert_eq!(fs::read_to_string(&file).unwrap(), text);
        let fails = json!({ "do": "configure", "changes": { "listen": listen } });
        rig.refused(fails).await;
        assert_eq!(fs::read_to_string(&file).unwrap(), text);
    }
    rig.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_by_hand_with_an_error_is_not_written_over() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("by-hand.toml");
    fs::write(&file, "company = \"ACME\"\n").unwrap();
    let rig = Rig::start_in(folder, SettingsSource::file_by_hand(&file)).await;
    let half = "company = \"ACME\"\nverify_gate = \"req";
    fs::write(&file, half).unwrap();
    let refused = rig.refused(json!({ "do": "configure", "changes": { "theme": "dark" } })).await;
    assert_eq!(refused.code, Code::BadInput);
    assert!(refused.text.contains("file has an error"), "{refused:?}");
    assert_eq!(fs::read_to_string(&file).unwrap(), half);
    rig.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_settings_file_that_is_gone_keeps_the_guards_shut_and_unsets_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("settings.toml");
    let rig = Rig::start_in(folder, SettingsSource::file(&file)).await;
    rig.ask(json!({ "do": "configure", "changes": { "company": "ACME" } })).await;
    fs::remove_file(&file).unwrap();
    rig.app.reload().await;
    assert_eq!(rig.app.settings().company, "ACME", "nobody unset it");
    rig.app.stop().await;

    let mut rig = Rig::start_in(rig.folder, SettingsSource::file(&file)).await;
    let told = |seen: &crate::rig::Seen| {
        let console = seen.console.as_ref()?;
        let about = |text: &str| text.starts_with("Read the settings: the settings' file is gone");
        (console.unacknowledged == 1 && about(&console.troubles[0].text)).then_some(())
    };
    rig.seen.until("the trouble", told).await;
    assert_eq!(rig.app.settings().verify_gate, console::view::GatePolicy::Require);
    rig.app.stop().await;
    let rig = Rig::start_in(rig.folder, SettingsSource::file(&file)).await;
    assert_eq!(rig.app.settings().verify_gate, console::view::GatePolicy::Require, "until set");
    rig.app.stop().await;
}
