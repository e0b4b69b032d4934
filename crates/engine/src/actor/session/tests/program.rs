use std::time::Duration;

use serde_json::json;
use session::{
    Failure, Input, Outcome, Program,
    program::{DownloadFailure, Gone},
};
use tokio::sync::oneshot;

use crate::{
    SessionId,
    actor::{
        message::SessionMessage,
        testing::{Running, Scripted, World},
    },
    error::CommandError,
    remote::DownloadTarget,
};

async fn save(world: &World, session: &Running) -> Result<(), CommandError> {
    let place = DownloadTarget::in_folder(world.folder(), "help");
    let (done, answer) = oneshot::channel();
    session.send(SessionMessage::SaveProgram { place, by: "anna".into(), done });
    answer.await.unwrap()
}

fn program(world: &World, id: SessionId) -> Program {
    world.record(id).program.clone()
}

fn parameters() -> Scripted {
    Scripted::json(&json!({ "success": true, "conf": "Y29uZg", "version": "1" }))
}

async fn conf_on_disk(world: &World, id: SessionId) -> Option<String> {
    let secrets = world.in_journal(id).await.secrets.unwrap();
    secrets.conf.map(|conf| conf.expose().to_owned())
}

#[tokio::test(start_paused = true)]
async fn the_program_is_asked_for_once_and_written_where_it_was_wanted() {
    let world = World::new().await;
    let session = world.live().await;
    save(&world, &session).await.unwrap();
    world.until(|| matches!(program(&world, session.id), Program::Saved { .. })).await;
    let Program::Saved { bytes, path, .. } = program(&world, session.id) else { unreachable!() };
    assert_eq!((bytes, std::fs::read(&path).unwrap()), (2, b"MZ".to_vec()));
    assert_eq!(world.services.names(), ["GET session_parameters", "GET session_exe"]);
    assert_eq!(world.services.calls()[1].query["conf"], "Y29uZg");
    assert_eq!(conf_on_disk(&world, session.id).await, None);
    let again = save(&world, &session).await;
    assert!(matches!(again, Err(CommandError::DoesNotFit(_))), "{again:?}");
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_none_is_taken_for_given_away_unless_it_says_no() {
    let cases = [
        (Scripted::status(401), Gone::Refused { failure: Failure::Unauthorized }),
        (Scripted::status(404), Gone::Refused { failure: Failure::Rejected { status: 404 } }),
        (Scripted::status(500), Gone::MaybeTaken),
        (Scripted::garbage(), Gone::MaybeTaken),
        (Scripted::HangsUp, Gone::MaybeTaken),
        (Scripted::Never, Gone::MaybeTaken),
        (Scripted::late(30, parameters()), Gone::MaybeTaken),
    ];
    let world = World::new().await;
    for (answer, expected) in cases {
        let session = world.live().await;
        world.services.next("GET session_parameters", answer.clone());
        save(&world, &session).await.unwrap();
        world.until(|| world.services.count("GET session_parameters") == 1).await;
        world.pass(Duration::from_secs(10)).await;
        world.until(|| !program(&world, session.id).is_under_way()).await;
        let Program::Gone { why, .. } = program(&world, session.id) else { panic!("{answer:?}") };
        assert_eq!(why, expected, "{answer:?}");
        let again = save(&world, &session).await;
        assert!(matches!(again, Err(CommandError::DoesNotFit(_))), "{answer:?}");
        assert_eq!(world.services.count("GET session_parameters"), 1, "{answer:?}");
        session.actor.stop_and_wait(None, None).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_service_that_was_not_there_to_be_asked_may_be_asked_again() {
    let world = World::new().await;
    let session = world.live().await;
    world.services.next("GET session_parameters", Scripted::Unreachable);
    save(&world, &session).await.unwrap();
    world.until(|| program(&world, session.id) == Program::NotAsked).await;
    save(&world, &session).await.unwrap();
    world.until(|| matches!(program(&world, session.id), Program::Saved { .. })).await;
}

#[tokio::test(start_paused = true)]
async fn nobody_is_asked_for_a_program_that_the_disk_does_not_know_of() {
    let world = World::new().await;
    let session = world.live().await;
    world.break_disk();
    let refused = save(&world, &session).await;
    assert!(matches!(refused, Err(CommandError::NotSaved(_))), "{refused:?}");
    world.until(|| program(&world, session.id) == Program::NotAsked).await;
    assert_eq!(world.services.count("GET session_parameters"), 0);
    world.mend_disk();
}

#[tokio::test(start_paused = true)]
async fn a_close_that_the_disk_refuses_costs_neither_the_conf_nor_a_running_download() {
    let close = || Input::Close { outcome: Outcome::Resolved, by: "anna".into() };
    let refused_close = async |world: &World, session: &Running| {
        world.settle().await;
        world.break_disk();
        let refused = world.order(session, close()).await;
        assert!(matches!(refused, Err(CommandError::NotSaved(_))), "{refused:?}");
        world.mend_disk();
    };
    let saved_once = async |world: &World, session: &Running| {
        world.until(|| matches!(program(world, session.id), Program::Saved { .. })).await;
        world.settle().await;
        assert_eq!(world.services.count("GET session_parameters"), 1);
        assert_eq!(conf_on_disk(world, session.id).await, None);
    };
    // It is kept for another try.
    let world = World::new().await;
    let session = world.live().await;
    world.services.next("GET session_exe", Scripted::status(500));
    save(&world, &session).await.unwrap();
    world.until(|| matches!(program(&world, session.id), Program::Kept { .. })).await;
    refused_close(&world, &session).await;
    assert!(matches!(program(&world, session.id), Program::Kept { .. }));
    session.tell(Input::Recheck);
    world.settle().await;
    assert_eq!(conf_on_disk(&world, session.id).await.as_deref(), Some("Y29uZg"));
    save(&world, &session).await.unwrap();
    saved_once(&world, &session).await;
    // The service is being asked for it.
    let world = World::new().await;
    let session = world.live().await;
    world.services.next("GET session_parameters", Scripted::late(2, parameters()));
    save(&world, &session).await.unwrap();
    refused_close(&world, &session).await;
    world.pass(Duration::from_secs(2)).await;
    saved_once(&world, &session).await;
}

#[tokio::test(start_paused = true)]
async fn what_the_service_gave_to_somebody_who_cancelled_is_kept_sealed() {
    let world = World::new().await;
    let session = world.live().await;
    world.services.next("GET session_parameters", Scripted::late(2, parameters()));
    save(&world, &session).await.unwrap();
    world.order(&session, Input::CancelProgram).await.unwrap();
    world.pass(Duration::from_secs(2)).await;
    let kept = |program| matches!(program, Program::Kept { why: DownloadFailure::Cancelled, .. });
    world.until(|| kept(program(&world, session.id))).await;
    world.settle().await;
    assert_eq!(conf_on_disk(&world, session.id).await.as_deref(), Some("Y29uZg"));
    assert_eq!(world.services.count("GET session_exe"), 0);
    save(&world, &session).await.unwrap();
    world.until(|| matches!(program(&world, session.id), Program::Saved { .. })).await;
    assert_eq!(world.services.count("GET session_parameters"), 1);
    world.settle().await;
    assert_eq!(conf_on_disk(&world, session.id).await, None);
}

#[tokio::test(start_paused = true)]
async fn a_second_wish_for_the_program_is_refused_while_it_is_on_its_way() {
    let world = World::new().await;
    let session = world.live().await;
    world.services.next("GET session_parameters", Scripted::Never);
    save(&world, &session).await.unwrap();
    let second = save(&world, &session).await;
    assert!(matches!(second, Err(CommandError::DoesNotFit(_))), "{second:?}");
    world.settle().await;
    assert_eq!(world.services.count("GET session_parameters"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_page_instead_of_a_program_leaves_no_file_and_can_be_tried_again() {
    let world = World::new().await;
    let session = world.live().await;
    let page = Scripted::Http { status: 200, kind: "text/html", body: "<h1>hello</h1>".into() };
    world.services.next("GET session_exe", page);
    save(&world, &session).await.unwrap();
    world.until(|| matches!(program(&world, session.id), Program::Kept { .. })).await;
    let files = std::fs::read_dir(world.folder()).unwrap();
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    let left: Vec<String> = names.filter(|name| name.contains("help")).collect();
    assert_eq!(left, Vec::<String>::new());
    save(&world, &session).await.unwrap();
    world.until(|| matches!(program(&world, session.id), Program::Saved { .. })).await;
}

#[tokio::test(start_paused = true)]
async fn a_download_that_goes_silent_is_given_up_and_kept() {
    let world = World::new().await;
    let session = world.live().await;
    world.services.next("GET session_exe", Scripted::Never);
    save(&world, &session).await.unwrap();
    world.until(|| world.services.count("GET session_exe") == 1).await;
    world.pass(Duration::from_secs(30)).await;
    let broken = DownloadFailure::Failed { failure: Failure::TimedOut };
    let kept = |program| matches!(program, Program::Kept { why, .. } if why == broken);
    world.until(|| kept(program(&world, session.id))).await;
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_stops_keeps_what_its_download_needs() {
    let world = World::new().await;
    let session = world.live().await;
    world.services.next("GET session_exe", Scripted::Never);
    save(&world, &session).await.unwrap();
    world.until(|| world.services.count("GET session_exe") == 1).await;
    session.actor.stop_and_wait(None, None).await.unwrap();
    let stored = world.in_journal(session.id).await;
    let kept = matches!(stored.record.program, Program::Kept { why: DownloadFailure::Stopped, .. });
    assert!(kept, "{:?}", stored.record.program);
    assert!(stored.secrets.unwrap().conf.is_some());
}
