//! The customer's program, carried by hand: the service is asked once, and a file is whole or isn't there.

#![allow(clippy::unwrap_used)]

use std::path::Path;

use deskhand_system_tests::{Desk, PATIENCE, PROGRAM, World, all_armed, http};
use engine::{
    CommandError, Progress, SessionId, Snapshot,
    journal::{Fault as DiskFault, JOURNAL_FILE},
    remote::{DownloadTarget, DownloadTargetError},
};
use serve::{Fault, FaultRule};
use session::{
    About, Failure, Input, Outcome, Program,
    program::{DownloadFailure, Gone},
};
use wire::{
    ConfText,
    loginwithme::Conf,
    trailer::{self, Payload},
};

const PARAMETERS: &str = "/api/v1/session_parameters";
const EXE: &str = "/api/v1/session_exe";
/// Longer than any test waits: such an answer never comes.
const NEVER: Fault = Fault::Delay { ms: 3_600_000 };

/// A world, a console in it, a session with a PIN, and a folder for its program.
struct Scene {
    world: World,
    desk: Desk,
    id: SessionId,
    pin: wire::Pin,
    downloads: tempfile::TempDir,
}

impl Scene {
    async fn new() -> Self {
        let world = World::new().await;
        let desk = world.engine().await;
        let (id, pin) = desk.armed_session().await;
        Self { world, desk, id, pin, downloads: tempfile::tempdir().unwrap() }
    }

    fn fails(&self, route: &str, fault: Fault, times: Option<u32>) {
        let route = route.to_owned();
        let rule = FaultRule { route, fault, after: 0, times };
        self.world.broker.handle().faults().set(vec![rule]);
    }

    fn calls(&self, route: &str) -> u64 {
        let counts = self.world.broker.handle().faults().counts();
        counts.get(route).map_or(0, |count| count.seen)
    }

    /// Waits until a call has arrived, so that its fault is used up.
    async fn until_called(&self, route: &str) {
        let arrived = async {
            while self.calls(route) == 0 {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, arrived).await.unwrap();
    }

    async fn save(&self) -> Result<(), CommandError> {
        let place = DownloadTarget::in_folder(self.downloads.path(), "program");
        self.desk.engine.save_program(self.id, place, "anna".into()).await
    }

    async fn until(&self, what: &str, holds: impl Fn(&Program) -> bool) -> Program {
        let snapshot = self.desk.until(self.id, what, |s| holds(&s.record.program)).await;
        snapshot.record.program.clone()
    }

    async fn until_kept(&self) -> DownloadFailure {
        match self.until("it is kept", |program| matches!(program, Program::Kept { .. })).await {
            Program::Kept { why, .. } => why,
            other => unreachable!("{other:?}"),
        }
    }

    async fn until_saved(&self) -> String {
        match self.until("it is saved", |program| matches!(program, Program::Saved { .. })).await {
            Program::Saved { path, .. } => path,
            other => unreachable!("{other:?}"),
        }
    }

    async fn until_gone(&self) -> Gone {
        match self.until("it is gone", |program| matches!(program, Program::Gone { .. })).await {
            Program::Gone { why, .. } => why,
            other => unreachable!("{other:?}"),
        }
    }

    /// What is sealed in the journal for the next try.
    async fn sealed(&self) -> Option<ConfText> {
        let loaded = self.desk.engine.journal().load().await.unwrap();
        let stored = loaded.sessions.into_iter().find(|stored| stored.session == self.id).unwrap();
        stored.secrets.and_then(|secrets| secrets.conf)
    }

    fn files(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.downloads.path()).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    /// Ends in good order and starts again.
    async fn restart(self) -> Self {
        let Self { world, desk, id, pin, downloads } = self;
        desk.stop().await;
        let desk = world.engine().await;
        Self { world, desk, id, pin, downloads }
    }

    async fn end(self) {
        self.desk.stop().await;
    }
}

/// Whether `text` is anywhere in the journal's files.
fn is_on_disk(folder: &Path, text: &str) -> bool {
    let journal = folder.join("console");
    let files = std::fs::read_dir(journal).unwrap().map(|entry| entry.unwrap().path());
    let journals =
        files.filter(|path| path.file_name().unwrap().to_string_lossy().starts_with(JOURNAL_FILE));
    let found: Vec<bool> = journals
        .map(|path| {
            let bytes = std::fs::read(path).unwrap();
            bytes.windows(text.len()).any(|window| window == text.as_bytes())
        })
        .collect();
    assert!(!found.is_empty(), "there is a journal");
    found.contains(&true)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_service_is_asked_once_and_the_customers_own_download_is_refused_from_then_on() {
    let scene = Scene::new().await;
    scene.save().await.unwrap();
    let path = scene.until_saved().await;
    assert_eq!(path, scene.downloads.path().join("program.run").display().to_string());
    let file = std::fs::read(&path).unwrap();
    let parts = trailer::split(&file).unwrap().unwrap();
    assert_eq!(parts.program, PROGRAM);
    let conf = Payload::from_json(parts.payload).unwrap().conf;
    let pin = Conf::decode(&conf).unwrap().session_pin;
    assert_eq!(pin, scene.pin.expose(), "it is this session's program");
    assert_eq!((scene.calls(PARAMETERS), scene.calls(EXE)), (1, 1));
    assert_eq!(scene.sealed().await, None, "what it needed is kept nowhere");
    assert!(matches!(scene.save().await, Err(CommandError::DoesNotFit(_))));

    let base = scene.world.broker.base_url();
    let own = format!("{base}/session_parameters?session_pin={}", scene.pin.expose());
    assert!(http().get(own).send().await.unwrap().status().is_client_error());
    let told = scene.desk.happened(scene.id).await;
    assert!(told.ends_with(&["ProgramAsked".into(), "ProgramSaved".into()]), "{told:?}");
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_download_keeps_what_it_needs_sealed_and_a_retry_by_hand_asks_nothing_twice() {
    let scene = Scene::new().await;
    scene.fails(EXE, Fault::Status { code: 503 }, Some(1));
    scene.save().await.unwrap();
    assert_eq!(
        scene.until_kept().await,
        DownloadFailure::Failed { failure: Failure::Faulty { status: 503 } }
    );
    let conf = scene.sealed().await.unwrap();
    assert!(!is_on_disk(scene.world.folder.path(), conf.expose()), "it is sealed");
    let snapshot = scene.desk.engine.snapshot(scene.id).unwrap();
    assert!(!format!("{snapshot:?}").contains(conf.expose()), "and printed nowhere");
    assert!(scene.files().is_empty());

    scene.save().await.unwrap();
    scene.until_saved().await;
    assert_eq!((scene.calls(PARAMETERS), scene.calls(EXE)), (1, 2));
    assert_eq!(scene.sealed().await, None, "saved, it is erased");
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_failed_download_needs_survives_a_restart() {
    let scene = Scene::new().await;
    scene.fails(EXE, Fault::Drop, Some(1));
    scene.save().await.unwrap();
    scene.until_kept().await;
    let scene = scene.restart().await;
    scene.until_kept().await;
    scene.save().await.unwrap();
    scene.until_saved().await;
    assert_eq!(scene.calls(PARAMETERS), 1);
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_console_that_is_ended_during_the_download_keeps_what_it_needs() {
    let scene = Scene::new().await;
    scene.fails(EXE, NEVER, Some(1));
    scene.save().await.unwrap();
    scene.until("it is being downloaded", |p| matches!(p, Program::Downloading { .. })).await;
    scene.until_called(EXE).await;
    let scene = scene.restart().await;
    assert_eq!(scene.until_kept().await, DownloadFailure::Stopped);
    assert!(scene.files().is_empty());
    scene.save().await.unwrap();
    scene.until_saved().await;
    assert_eq!(scene.calls(PARAMETERS), 1);
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_download_leaves_no_file_and_can_be_tried_again() {
    let scene = Scene::new().await;
    scene.fails(EXE, NEVER, Some(1));
    scene.save().await.unwrap();
    scene.until("it is being downloaded", |p| matches!(p, Program::Downloading { .. })).await;
    scene.until_called(EXE).await;
    scene.desk.engine.order(scene.id, Input::CancelProgram).await.unwrap();
    assert_eq!(scene.until_kept().await, DownloadFailure::Cancelled);
    assert!(scene.files().is_empty());
    scene.save().await.unwrap();
    scene.until_saved().await;
    assert_eq!(scene.files(), ["program.run"]);
    assert_eq!(scene.calls(PARAMETERS), 1);
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_while_the_service_is_asked_shows_that_it_may_be_taken_and_never_asks_again() {
    let scene = Scene::new().await;
    scene.fails(PARAMETERS, NEVER, None);
    scene.save().await.unwrap();
    scene.until("it is being asked for", |p| matches!(p, Program::Asking { .. })).await;
    scene.until_called(PARAMETERS).await;
    scene.desk.faults.kill_actors(1);
    scene.world.presenter_joins(&scene.pin).await;
    assert_eq!(scene.until_gone().await, Gone::MaybeTaken);
    scene.world.broker.handle().faults().clear();
    let scene = scene.restart().await;
    scene.desk.until(scene.id, "it is back", all_armed).await;
    assert_eq!(scene.until_gone().await, Gone::MaybeTaken);
    assert!(matches!(scene.save().await, Err(CommandError::DoesNotFit(_))));
    assert_eq!(scene.calls(PARAMETERS), 1);
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_was_lost_on_its_way_may_have_given_it_away() {
    let scene = Scene::new().await;
    scene.fails(PARAMETERS, Fault::DropAnswer, Some(1));
    scene.save().await.unwrap();
    assert_eq!(scene.until_gone().await, Gone::MaybeTaken);
    assert_eq!((scene.calls(PARAMETERS), scene.calls(EXE)), (1, 0));
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_the_customer_has_taken_already_is_refused_for_good() {
    let scene = Scene::new().await;
    scene.desk.engine.client().session_parameters(&scene.pin).await.unwrap();
    scene.save().await.unwrap();
    assert!(matches!(
        scene.until_gone().await,
        Gone::Refused { failure: Failure::Rejected { .. } }
    ));
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_asked_where_no_file_could_be_saved_or_no_service_answers() {
    let scene = Scene::new().await;
    let save =
        |place: DownloadTarget| scene.desk.engine.save_program(scene.id, place, "anna".into());
    let missing = DownloadTarget::in_folder(&scene.downloads.path().join("missing"), "program");
    assert!(matches!(
        save(missing).await,
        Err(CommandError::DownloadTarget(DownloadTargetError::Folder { .. }))
    ));
    let taken = scene.downloads.path().join("taken.exe");
    std::fs::write(&taken, "former").unwrap();
    let refused = save(DownloadTarget::file(&taken).unwrap()).await;
    assert!(matches!(refused, Err(CommandError::DownloadTarget(DownloadTargetError::Taken(_)))));
    scene.fails("*", Fault::Drop, None);
    assert!(matches!(scene.save().await, Err(CommandError::Call(_))));
    scene.world.broker.handle().faults().clear();

    let snapshot = scene.desk.engine.snapshot(scene.id).unwrap();
    assert_eq!(snapshot.record.program, Program::NotAsked);
    assert_eq!(scene.calls(PARAMETERS), 0);
    assert_eq!(std::fs::read(&taken).unwrap(), b"former");
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_asked_unless_the_disk_knows_of_it() {
    let scene = Scene::new().await;
    scene.desk.disk.set(Some(DiskFault::DiskFull));
    assert!(matches!(scene.save().await, Err(CommandError::NotSaved(_))));
    scene.until("it is not asked for", |program| *program == Program::NotAsked).await;
    scene.desk.disk.set(None);
    assert_eq!(scene.calls(PARAMETERS), 0);
    scene.save().await.unwrap();
    scene.until_saved().await;
    assert_eq!(scene.calls(PARAMETERS), 1);
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn closing_the_session_erases_what_a_failed_download_needs() {
    let scene = Scene::new().await;
    scene.fails(EXE, Fault::Status { code: 500 }, None);
    scene.save().await.unwrap();
    scene.until_kept().await;
    let close = Input::Close { outcome: Outcome::Resolved, by: "anna".into() };
    scene.desk.engine.order(scene.id, close).await.unwrap();
    assert_eq!(scene.until_gone().await, Gone::Ended);
    assert_eq!(scene.sealed().await, None);
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_people_who_confirm_at_once_are_one_question() {
    let scene = Scene::new().await;
    let (first, second) = tokio::join!(scene.save(), scene.save());
    assert_eq!(first.is_ok() as u8 + second.is_ok() as u8, 1, "{first:?} {second:?}");
    scene.until_saved().await;
    assert_eq!((scene.calls(PARAMETERS), scene.calls(EXE)), (1, 1));
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn how_far_a_download_is_is_shown_while_it_goes_on() {
    let halfway = server::Halfway::start().await;
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk::start(folder.path(), &halfway.base_url(), &halfway.regions()).await;
    let about = About::default();
    let id = desk.engine.create(about, "anna".into(), None).await.unwrap();
    desk.until(id, "it has a PIN", |s| s.pin.is_some()).await;
    let place = DownloadTarget::in_folder(folder.path(), "program");
    desk.engine.save_program(id, place, "anna".into()).await.unwrap();
    let half = Progress { bytes: server::HALF, total: Some(2 * server::HALF) };
    desk.until(id, "half of it is there", |s: &Snapshot| s.progress == Some(half)).await;
    halfway.go_on();
    let done = |s: &Snapshot| matches!(s.record.program, Program::Saved { bytes, .. } if bytes == 2 * server::HALF);
    let saved = desk.until(id, "it is saved", done).await;
    assert_eq!(saved.progress, None);
    desk.stop().await;
}

mod server {
    //! A service whose program comes in two halves, the second when it is told to.

    use std::{net::SocketAddr, sync::Arc};

    use axum::{
        Json, Router,
        body::{Body, Bytes},
        http::header,
        response::IntoResponse,
        routing::{get, put},
    };
    use serde_json::json;
    use tokio::sync::Notify;

    pub const HALF: u64 = 1_000;

    pub struct Halfway {
        addr: SocketAddr,
        rest: Arc<Notify>,
    }

    impl Halfway {
        pub async fn start() -> Self {
            let rest = Arc::new(Notify::new());
            let second = rest.clone();
            let exe = move || {
                let second = second.clone();
                async move {
                    let half = || Ok::<_, std::io::Error>(Bytes::from(vec![7; HALF as usize]));
                    let pieces = futures_util::stream::unfold(0, move |sent| {
                        let second = second.clone();
                        async move {
                            match sent {
                                0 => Some((half(), 1)),
                                1 => {
                                    second.notified().await;
                                    Some((half(), 2))
                                }
                                _ => None,
                            }
                        }
                    });
                    let headers = [
                        (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
                        (header::CONTENT_LENGTH, (2 * HALF).to_string()),
                    ];
                    (headers, Body::from_stream(pieces)).into_response()
                }
            };
            let parameters = json!({ "success": true, "conf": "eyJ9", "version": "1" });
            let pin = json!({ "success": true, "session_pin": "7W2-97-8570" });
            let routes = Router::new()
                .route("/api/v1/regions", get(|| async { Json(json!(["local"])) }))
                .route("/region/{region}", get(|| async { "" }))
                .route("/api/v1/session_pin", get(|| async { Json(pin) }))
                .route("/api/v1/hook/", put(|| async { Json(json!({ "success": true })) }))
                .route("/api/v1/session_parameters", get(|| async { Json(parameters) }))
                .route("/api/v1/session_exe", get(exe));
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let addr = listener.local_addr().unwrap();
            tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
            Self { addr, rest }
        }

        pub fn base_url(&self) -> String {
            format!("http://{}/api/v1", self.addr)
        }

        pub fn regions(&self) -> String {
            format!("http://{}/region/{{region}}", self.addr)
        }

        pub fn go_on(&self) {
            self.rest.notify_one();
        }
    }
}
