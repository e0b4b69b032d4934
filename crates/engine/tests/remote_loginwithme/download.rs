//! The customer's program arrives whole or not at all.

use std::path::Path;

use engine::remote::{CallError, Download, DownloadTarget, LoginWithMe};
use session::{Failure, Obstacle};
use tempfile::TempDir;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use wire::ConfText;

use crate::{
    client, impatient,
    server::{Answer, Server, http, json},
};

const START: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 400\r\n\r\nMZ";

async fn download(client: &LoginWithMe, into: &Path) -> Result<Download, CallError> {
    let conf = ConfText::from("conf".to_owned());
    let into = DownloadTarget::file(into).unwrap();
    client.session_exe(&conf, false, true, &into, |_, _| {}, CancellationToken::new()).await
}

fn files(folder: &TempDir) -> Vec<String> {
    let entries = std::fs::read_dir(folder.path()).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

/// Sends the program's start and then nothing more.
async fn stalling() -> Server {
    Server::start(|_| std::future::ready(Answer::SendAndHold(START.to_vec()))).await
}

#[tokio::test]
async fn tells_how_far_it_is_and_ends_with_the_whole_file_under_its_name_alone() {
    let program = vec![7; 300_000];
    let server = Server::saying(http("200 OK", "application/octet-stream", &program)).await;
    let folder = tempfile::tempdir().unwrap();
    let into = folder.path().join("support.exe");
    let place = DownloadTarget::file(&into).unwrap();
    let (conf, mut told) = (ConfText::from("conf".to_owned()), Vec::new());
    let stop = CancellationToken::new();
    let done = client(&server.origin)
        .session_exe(&conf, false, true, &place, |done, total| told.push((done, total)), stop)
        .await;
    assert_eq!(done, Ok(Download::Complete { bytes: 300_000, path: into.clone() }));
    assert_eq!(std::fs::read(&into).unwrap(), program);
    assert_eq!(files(&folder), ["support.exe"]);
    assert_eq!(told.first(), Some(&(0, Some(300_000))));
    assert_eq!(told.last(), Some(&(300_000, Some(300_000))));
    assert!(told.is_sorted());
}

#[cfg(unix)]
#[tokio::test]
async fn the_file_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let server = Server::saying(http("200 OK", "application/octet-stream", b"MZ")).await;
    let folder = tempfile::tempdir().unwrap();
    let into = folder.path().join("support.exe");
    download(&client(&server.origin), &into).await.unwrap();
    assert_eq!(std::fs::metadata(&into).unwrap().permissions().mode() & 0o777, 0o600);
}

#[tokio::test]
async fn cancelling_leaves_no_file_and_hangs_up() {
    let mut server = stalling().await;
    let folder = tempfile::tempdir().unwrap();
    let into = folder.path().join("support.exe");
    let (conf, cancel) = (ConfText::from("conf".to_owned()), CancellationToken::new());
    let client = client(&server.origin);
    let halfway = |done, _| {
        if done == 2 {
            assert_eq!(files(&folder).len(), 1, "it is being written");
            cancel.cancel();
        }
    };
    let place = DownloadTarget::file(&into).unwrap();
    let ended = client.session_exe(&conf, false, true, &place, halfway, cancel.clone()).await;
    assert_eq!(ended, Ok(Download::Cancelled));
    assert_eq!(files(&folder), [""; 0]);
    server.gone.recv().await.unwrap();
}

#[tokio::test]
async fn cancelling_before_the_answer_writes_nothing() {
    let server = Server::silent().await;
    let folder = tempfile::tempdir().unwrap();
    let (conf, cancel) = (ConfText::from("conf".to_owned()), CancellationToken::new());
    cancel.cancel();
    let client = client(&server.origin);
    let into = DownloadTarget::in_folder(folder.path(), "support");
    let ended = client.session_exe(&conf, false, true, &into, |_, _| {}, cancel).await;
    assert_eq!(ended, Ok(Download::Cancelled));
    assert_eq!(files(&folder), [""; 0]);
}

#[tokio::test]
async fn dropping_the_call_leaves_no_file() {
    let server = stalling().await;
    let folder = tempfile::tempdir().unwrap();
    let into = DownloadTarget::in_folder(folder.path(), "support");
    let conf = ConfText::from("conf".to_owned());
    let client = client(&server.origin);
    let (begun, mut has_begun) = mpsc::unbounded_channel();
    let told = move |done, _| {
        if done == 2 {
            begun.send(()).unwrap();
        }
    };
    let call = client.session_exe(&conf, false, true, &into, told, CancellationToken::new());
    tokio::select! {
        _ = call => unreachable!("the rest never came"),
        begun = has_begun.recv() => begun.unwrap(),
    }
    assert_eq!(files(&folder), [""; 0]);
}

#[tokio::test]
async fn a_failure_leaves_no_file_and_the_former_one_as_it_was() {
    let page = http("200 OK", "text/html; charset=utf-8", b"<html>");
    let refusal = json(r#"{"success":false}"#);
    for (answer, failure) in [
        (START.to_vec(), Failure::Blocked { by: Obstacle::BrokeOff }),
        (page, Failure::Malformed),
        (refusal, Failure::Rejected { status: 200 }),
        (http("503 Busy", "text/plain", b""), Failure::Faulty { status: 503 }),
        (http("200 OK", "application/octet-stream", b""), Failure::Malformed),
    ] {
        let server = Server::saying(answer).await;
        let folder = tempfile::tempdir().unwrap();
        let into = folder.path().join("support.exe");
        std::fs::write(&into, "former").unwrap();
        let error = download(&client(&server.origin), &into).await.unwrap_err();
        assert_eq!(error.failure, failure, "{error}");
        assert_eq!(files(&folder), ["support.exe"]);
        assert_eq!(std::fs::read(&into).unwrap(), b"former");
    }
}

#[tokio::test]
async fn silence_in_the_middle_times_out_and_leaves_no_file() {
    let server = stalling().await;
    let folder = tempfile::tempdir().unwrap();
    let into = folder.path().join("support.exe");
    let error = download(&impatient(&server.origin), &into).await.unwrap_err();
    assert_eq!(error.failure, Failure::TimedOut);
    assert_eq!(files(&folder), [""; 0]);
}

#[tokio::test]
async fn a_folder_that_is_not_there_is_a_matter_of_storage() {
    let server = Server::saying(http("200 OK", "application/octet-stream", b"MZ")).await;
    let folder = tempfile::tempdir().unwrap();
    let into = folder.path().join("missing").join("support.exe");
    let error = download(&client(&server.origin), &into).await.unwrap_err();
    assert_eq!(error.failure, Failure::Storage);
    assert!(!error.to_string().contains("missing"), "{error}");
}

#[tokio::test]
async fn a_taken_name_is_never_overwritten_and_the_service_says_what_kind_of_file_it_is() {
    let named = "200 OK\r\nContent-Disposition: attachment; filename=\"a.sh\"";
    let server = Server::saying(http(named, "application/octet-stream", b"#!")).await;
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("support.sh"), "former").unwrap();
    let into = DownloadTarget::in_folder(folder.path(), "support");
    let conf = ConfText::from("conf".to_owned());
    let done = client(&server.origin)
        .session_exe(&conf, false, true, &into, |_, _| {}, CancellationToken::new())
        .await;
    let path = folder.path().join("support (2).sh");
    assert_eq!(done, Ok(Download::Complete { bytes: 2, path: path.clone() }));
    assert_eq!(std::fs::read(path).unwrap(), b"#!");
    assert_eq!(std::fs::read(folder.path().join("support.sh")).unwrap(), b"former");
}
