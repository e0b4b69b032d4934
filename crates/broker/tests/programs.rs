//! Delivering the presenter's program: which one, with what at its end, and how it can be recognised.
#![allow(clippy::unwrap_used)]

mod common;

use std::path::Path;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use broker::{Config, ProgramFile};
use common::{Rig, broker_with, json_of};
use reqwest::{Response, header::USER_AGENT};
use ring::{
    digest::{SHA256, digest},
    signature::{ED25519, UnparsedPublicKey},
};
use serde_json::{Value, json};
use wire::{
    ConfText,
    loginwithme::Conf,
    trailer::{self, Parts, Payload},
};

const LINUX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
const WINDOWS: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/140.0";

/// A broker that delivers these.
async fn delivering(folder: &Path, programs: &[(&str, &[u8])]) -> Rig {
    for (platform, bytes) in programs {
        std::fs::write(folder.join(format!("deskhand-presenter-{platform}")), bytes).unwrap();
    }
    broker_with(with_folder(folder)).await
}

fn with_folder(folder: &Path) -> impl FnOnce(&mut Config) {
    let programs = ProgramFile::in_folder(folder).unwrap();
    move |config| config.programs = programs
}

/// A program that is long enough to come in pieces.
fn program(first: &[u8]) -> Vec<u8> {
    first.iter().copied().chain((0..300_000).map(|i| (i % 253) as u8)).collect()
}

async fn exe(rig: &Rig, conf: &str, more: &str, agent: &str) -> Response {
    let conf: String = url::form_urlencoded::byte_serialize(conf.as_bytes()).collect();
    let url = rig.url(&format!("/session_exe?conf={conf}{more}"));
    rig.http.get(url).header(USER_AGENT, agent).send().await.unwrap()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whether the broker with this key signed these parts, as the presenter asks it.
fn is_good(parts: &Parts<'_>) -> bool {
    let mut sha256 = [0; 32];
    sha256.copy_from_slice(digest(&SHA256, parts.program).as_ref());
    let signed = trailer::signed_bytes(&sha256, parts.payload);
    UnparsedPublicKey::new(&ED25519, parts.public_key).verify(&signed, parts.signature).is_ok()
}

#[tokio::test]
async fn the_program_comes_with_the_conf_at_its_end_both_signed() {
    let folder = tempfile::tempdir().unwrap();
    let built = program(b"\x7fELF");
    let rig = delivering(folder.path(), &[("linux-x86_64", &built)]).await;
    let pin = rig.mint().await;
    let conf = rig.conf(&pin).await;
    let answer = exe(&rig, &conf, "&hide_progress=true&self_delete=false", LINUX).await;
    assert_eq!(answer.status(), 200);
    let headers = answer.headers().clone();
    let text = |name: &str| headers[name].to_str().unwrap().to_owned();
    assert_eq!(text("content-disposition"), "attachment; filename=\"deskhand-presenter.run\"");
    let file = answer.bytes().await.unwrap();
    let whole = digest(&SHA256, &file);
    assert_eq!(text("content-length"), file.len().to_string());
    assert_eq!(text("x-program-sha256"), hex(whole.as_ref()));
    assert_eq!(text("repr-digest"), format!("sha-256=:{}:", STANDARD.encode(whole)));

    let parts = trailer::split(&file).unwrap().unwrap();
    assert_eq!(parts.program, built);
    let payload = Payload { conf: ConfText::from(conf), hide_progress: true, self_delete: false };
    assert_eq!(Payload::from_json(parts.payload), Ok(payload));
    assert!(is_good(&parts));
    let info = rig.get_json("/x/program_info").await;
    assert_eq!(info["public_key"], hex(parts.public_key));
}

#[tokio::test]
async fn a_changed_program_or_conf_no_longer_fits_its_signature() {
    let folder = tempfile::tempdir().unwrap();
    let rig = delivering(folder.path(), &[("linux-x86_64", &program(b"\x7fELF"))]).await;
    let conf = rig.conf(&rig.mint().await).await;
    let file = exe(&rig, &conf, "", LINUX).await.bytes().await.unwrap().to_vec();
    let payload_at = trailer::split(&file).unwrap().unwrap().program.len() + 12;
    for at in [0, 1_000, payload_at] {
        let mut changed = file.clone();
        changed[at] ^= 1;
        assert!(!is_good(&trailer::split(&changed).unwrap().unwrap()), "byte {at}");
    }
}

#[tokio::test]
async fn the_key_that_signs_stays_the_same_after_a_restart_and_so_does_a_conf() {
    let folder = tempfile::tempdir().unwrap();
    let rig = delivering(folder.path(), &[("linux-x86_64", &program(b"\x7fELF"))]).await;
    let conf = rig.conf(&rig.mint().await).await;
    let before = rig.get_json("/x/program_info").await["public_key"].clone();
    let rig = rig.restart_with(with_folder(folder.path())).await;
    assert_eq!(rig.get_json("/x/program_info").await["public_key"], before);
    let file = exe(&rig, &conf, "", LINUX).await.bytes().await.unwrap();
    let parts = trailer::split(&file).unwrap().unwrap();
    assert!(is_good(&parts));
    assert_eq!(before, hex(parts.public_key));
}

#[tokio::test]
async fn only_a_conf_that_was_given_gets_a_program() {
    let folder = tempfile::tempdir().unwrap();
    let rig = delivering(folder.path(), &[("linux-x86_64", &program(b"\x7fELF"))]).await;
    let conf = rig.conf(&rig.mint().await).await;
    let mut forged = Conf::decode(&ConfText::from(conf)).unwrap();
    forged.unattended = true;
    for wrong in [forged.encode().expose(), "e30", "!!!", ""] {
        assert_eq!(exe(&rig, wrong, "", LINUX).await.status(), 400, "{wrong}");
    }
    assert_eq!(rig.get("/session_exe").await.status(), 400);
}

#[tokio::test]
async fn each_computer_gets_the_program_that_runs_on_it_or_hears_which_there_are() {
    let folder = tempfile::tempdir().unwrap();
    let (linux, windows) = (program(b"\x7fELF"), program(b"MZ"));
    let programs = [("linux-x86_64", &linux[..]), ("windows-x86_64.exe", &windows[..])];
    let rig = delivering(folder.path(), &programs).await;
    let get = |query: &'static str, agent: &'static str| {
        rig.http.get(rig.url(&format!("/x/program{query}"))).header(USER_AGENT, agent).send()
    };
    for (query, agent, built) in [
        ("", LINUX, &linux),
        ("", WINDOWS, &windows),
        ("?platform=windows-x86_64", LINUX, &windows),
    ] {
        let answer = get(query, agent).await.unwrap();
        assert_eq!(answer.bytes().await.unwrap(), built[..], "{query} {agent}");
    }
    let named = get("", WINDOWS).await.unwrap().headers()["content-disposition"].clone();
    assert_eq!(named, "attachment; filename=\"deskhand-presenter.exe\"");
    for (query, agent) in [
        ("", "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Safari/605.1.15"),
        ("?platform=linux-riscv64", LINUX),
    ] {
        let answer = get(query, agent).await.unwrap();
        assert_eq!(answer.status(), 404);
        let error = json_of(answer).await["error"].as_str().unwrap().to_owned();
        assert!(error.contains("linux-x86_64, windows-x86_64"), "{error}");
    }
    let info = rig.get_json("/x/program_info").await;
    let expected = |platform: &str, built: &[u8]| {
        let sha256 = hex(digest(&SHA256, built).as_ref());
        json!({ "platform": platform, "size": built.len(), "sha256": sha256 })
    };
    let expected = [expected("linux-x86_64", &linux), expected("windows-x86_64", &windows)];
    assert_eq!(info["platforms"], json!(expected));
}

#[tokio::test]
async fn a_program_that_is_replaced_is_read_anew_and_one_that_is_missing_is_said_to_be() {
    let folder = tempfile::tempdir().unwrap();
    let rig = delivering(folder.path(), &[("linux-x86_64", &program(b"one"))]).await;
    assert_eq!(rig.get_json("/x/capabilities").await["program"], true);
    rig.get("/x/program").await;
    let file = folder.path().join("deskhand-presenter-linux-x86_64");
    std::fs::write(&file, b"a new one of another length").unwrap();
    let answer = rig.get("/x/program").await;
    assert_eq!(answer.bytes().await.unwrap(), &b"a new one of another length"[..]);

    std::fs::remove_file(&file).unwrap();
    let capabilities = rig.get_json("/x/capabilities").await;
    assert_eq!((&capabilities["program"], &capabilities["screen"]), (&json!(false), &json!(true)));
    let answer = rig.get("/x/program").await;
    assert_eq!(answer.status(), 404);
    assert!(json_of(answer).await["error"].as_str().unwrap().contains("has no program"));
    assert_eq!(rig.get_json("/x/program_info").await["platforms"], Value::Array(vec![]));
}

#[tokio::test]
async fn a_file_that_carries_somebodys_conf_already_is_not_delivered() {
    let folder = tempfile::tempdir().unwrap();
    let used = [b"\x7fELF".to_vec(), trailer::append(b"{}", &[0; 64], &[0; 32])].concat();
    let rig = delivering(folder.path(), &[("linux-x86_64", &used)]).await;
    assert_eq!(rig.get("/x/program").await.status(), 404);
}
