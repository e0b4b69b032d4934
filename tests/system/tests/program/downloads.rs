//! The program's file: it is complete or absent, whatever ends its download.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_download_keeps_what_it_needs_sealed_and_a_retry_by_hand_asks_nothing_twice() {
    let fixture = Fixture::new().await;
    fixture.fails(EXE, Fault::Status { code: 503 }, Some(1));
    fixture.save().await.unwrap();
    assert_eq!(
        fixture.until_kept().await,
        DownloadFailure::Failed { failure: Failure::Faulty { status: 503 } }
    );
    let conf = fixture.sealed().await.unwrap();
    assert!(!is_on_disk(fixture.world.folder.path(), conf.expose()), "it is sealed");
    let snapshot = fixture.running.engine.snapshot(fixture.id).unwrap();
    assert!(!format!("{snapshot:?}").contains(conf.expose()), "and printed nowhere");
    assert!(fixture.files().is_empty());

    fixture.save().await.unwrap();
    fixture.until_saved().await;
    assert_eq!((fixture.calls(PARAMETERS), fixture.calls(EXE)), (1, 2));
    assert_eq!(fixture.sealed().await, None, "saved, it is erased");
    fixture.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_failed_download_needs_survives_a_restart() {
    let fixture = Fixture::new().await;
    fixture.fails(EXE, Fault::Status { code: 503 }, Some(1));
    fixture.save().await.unwrap();
    fixture.until_kept().await;
    let fixture = fixture.restart().await;
    fixture.until_kept().await;
    fixture.save().await.unwrap();
    fixture.until_saved().await;
    assert_eq!(fixture.calls(PARAMETERS), 1);
    fixture.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_console_that_is_ended_during_the_download_keeps_what_it_needs() {
    let fixture = Fixture::new().await;
    fixture.fails(EXE, NEVER, Some(1));
    fixture.save().await.unwrap();
    fixture.until("it is being downloaded", |p| matches!(p, Program::Downloading { .. })).await;
    fixture.until_called(EXE).await;
    let fixture = fixture.restart().await;
    assert_eq!(fixture.until_kept().await, DownloadFailure::Stopped);
    assert!(fixture.files().is_empty());
    fixture.save().await.unwrap();
    fixture.until_saved().await;
    assert_eq!(fixture.calls(PARAMETERS), 1);
    fixture.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_download_leaves_no_file_and_can_be_tried_again() {
    let fixture = Fixture::new().await;
    fixture.fails(EXE, NEVER, Some(1));
    fixture.save().await.unwrap();
    fixture.until("it is being downloaded", |p| matches!(p, Program::Downloading { .. })).await;
    fixture.until_called(EXE).await;
    fixture.running.engine.order(fixture.id, Input::CancelProgram).await.unwrap();
    assert_eq!(fixture.until_kept().await, DownloadFailure::Cancelled);
    assert!(fixture.files().is_empty());
    fixture.save().await.unwrap();
    fixture.until_saved().await;
    assert_eq!(fixture.files(), ["program.run"]);
    assert_eq!(fixture.calls(PARAMETERS), 1);
    fixture.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn closing_the_session_erases_what_a_failed_download_needs() {
    let fixture = Fixture::new().await;
    fixture.fails(EXE, Fault::Status { code: 500 }, None);
    fixture.save().await.unwrap();
    fixture.until_kept().await;
    let close = Input::Close { outcome: Outcome::Resolved, by: "anna".into() };
    fixture.running.engine.order(fixture.id, close).await.unwrap();
    assert_eq!(fixture.until_gone().await, Gone::Ended);
    assert_eq!(fixture.sealed().await, None);
    fixture.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn how_far_a_download_is_is_shown_while_it_goes_on() {
    let halfway = server::Halfway::start().await;
    let folder = tempfile::tempdir().unwrap();
    let running =
        RunningEngine::start(folder.path(), &halfway.base_url(), &halfway.regions()).await;
    let about = About::default();
    let id = running.engine.create(about, "anna".into(), None).await.unwrap();
    running.until(id, "it has a PIN", |s| s.pin.is_some()).await;
    let place = DownloadTarget::in_folder(folder.path(), "program");
    running.engine.save_program(id, place, "anna".into()).await.unwrap();
    let half = Progress { bytes: server::HALF, total: Some(2 * server::HALF) };
    running.until(id, "half of it is there", |s: &Snapshot| s.progress == Some(half)).await;
    halfway.go_on();
    let done = |s: &Snapshot| matches!(s.record.program, Program::Saved { bytes, .. } if bytes == 2 * server::HALF);
    let saved = running.until(id, "it is saved", done).await;
    assert_eq!(saved.progress, None);
    running.stop().await;
}
