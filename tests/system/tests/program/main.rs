//! The customer's program as a file: the service is asked for it once, and the file is complete
//! or absent.

#![allow(clippy::unwrap_used)]

mod downloads;

use std::path::Path;

use deskhand_system_tests::{PATIENCE, PROGRAM, RunningEngine, World, all_armed, http};
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
struct Fixture {
    world: World,
    running: RunningEngine,
    id: SessionId,
    pin: wire::Pin,
    downloads: tempfile::TempDir,
}

impl Fixture {
    async fn new() -> Self {
        let world = World::new().await;
        let running = world.engine().await;
        let (id, pin) = running.armed_session().await;
        Self { world, running, id, pin, downloads: tempfile::tempdir().unwrap() }
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
        self.running.engine.save_program(self.id, place, "anna".into()).await
    }

    async fn until(&self, what: &str, holds: impl Fn(&Program) -> bool) -> Program {
        let snapshot = self.running.until(self.id, what, |s| holds(&s.record.program)).await;
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

    /// The sealed conf in the journal, which the next attempt uses.
    async fn sealed(&self) -> Option<ConfText> {
        let loaded = self.running.engine.journal().load().await.unwrap();
        let stored = loaded.sessions.into_iter().find(|stored| stored.session == self.id).unwrap();
        stored.secrets.and_then(|secrets| secrets.conf)
    }

    fn files(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.downloads.path()).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    /// Ends in good order and starts again.
    async fn restart(self) -> Self {
        let Self { world, running, id, pin, downloads } = self;
        running.stop().await;
        let running = world.engine().await;
        Self { world, running, id, pin, downloads }
    }

    async fn end(self) {
        self.running.stop().await;
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
    let fixture = Fixture::new().await;
    fixture.save().await.unwrap();
    let path = fixture.until_saved().await;
    assert_eq!(path, fixture.downloads.path().join("program.run").display().to_string());
    let file = std::fs::read(&path).unwrap();
    let parts = trailer::split(&file).unwrap().unwrap();
    assert_eq!(parts.program, PROGRAM);
    let conf = Payload::from_json(parts.payload).unwrap().conf;
    let pin = Conf::decode(&conf).unwrap().session_pin;
    assert_eq!(pin, fixture.pin.expose(), "it is this session's program");
    assert_eq!((fixture.calls(PARAMETERS), fixture.calls(EXE)), (1, 1));
    assert_eq!(fixture.sealed().await, None, "what it needed is kept nowhere");
    assert!(matches!(fixture.save().await, Err(CommandError::DoesNotFit(_))));

    let base = fixture.world.broker.base_url();
    let own = format!("{base}/session_parameters?session_pin={}", fixture.pin.expose());
    assert!(http().get(own).send().await.unwrap().status().is_client_error());
    let mut told = fixture.running.happened(fixture.id).await;
    // The broker's word, on a way of its own: it may come before or after.
    told.retain(|event| event != "ProgramDownloaded");
    assert!(told.ends_with(&["ProgramAsked".into(), "ProgramSaved".into()]), "{told:?}");
    fixture.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_while_the_service_is_asked_shows_that_it_may_be_taken_and_never_asks_again() {
    let fixture = Fixture::new().await;
    fixture.fails(PARAMETERS, NEVER, None);
    fixture.save().await.unwrap();
    fixture.until("it is being asked for", |p| matches!(p, Program::Asking { .. })).await;
    fixture.until_called(PARAMETERS).await;
    fixture.running.faults.kill_actors(1);
    fixture.world.presenter_joins(&fixture.pin).await;
    assert_eq!(fixture.until_gone().await, Gone::MaybeTaken);
    fixture.world.broker.handle().faults().clear();
    let fixture = fixture.restart().await;
    fixture.running.until(fixture.id, "it is back", all_armed).await;
    assert_eq!(fixture.until_gone().await, Gone::MaybeTaken);
    assert!(matches!(fixture.save().await, Err(CommandError::DoesNotFit(_))));
    assert_eq!(fixture.calls(PARAMETERS), 1);
    fixture.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_was_lost_on_its_way_may_have_given_it_away() {
    let fixture = Fixture::new().await;
    fixture.fails(PARAMETERS, Fault::DropAnswer, Some(1));
    fixture.save().await.unwrap();
    assert_eq!(fixture.until_gone().await, Gone::MaybeTaken);
    assert_eq!((fixture.calls(PARAMETERS), fixture.calls(EXE)), (1, 0));
    fixture.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_the_customer_has_taken_already_is_refused_for_good() {
    let fixture = Fixture::new().await;
    fixture.running.engine.client().session_parameters(&fixture.pin).await.unwrap();
    fixture.save().await.unwrap();
    assert!(matches!(
        fixture.until_gone().await,
        Gone::Refused { failure: Failure::Rejected { .. } }
    ));
    fixture.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_asked_where_no_file_could_be_saved_or_no_service_answers() {
    let fixture = Fixture::new().await;
    let save = |place: DownloadTarget| {
        fixture.running.engine.save_program(fixture.id, place, "anna".into())
    };
    let missing = DownloadTarget::in_folder(&fixture.downloads.path().join("missing"), "program");
    assert!(matches!(
        save(missing).await,
        Err(CommandError::DownloadTarget(DownloadTargetError::Folder { .. }))
    ));
    let taken = fixture.downloads.path().join("taken.exe");
    std::fs::write(&taken, "former").unwrap();
    let refused = save(DownloadTarget::file(&taken).unwrap()).await;
    assert!(matches!(refused, Err(CommandError::DownloadTarget(DownloadTargetError::Taken(_)))));
    fixture.fails("*", Fault::Drop, None);
    assert!(matches!(fixture.save().await, Err(CommandError::Call(_))));
    fixture.world.broker.handle().faults().clear();

    let snapshot = fixture.running.engine.snapshot(fixture.id).unwrap();
    assert_eq!(snapshot.record.program, Program::NotAsked);
    assert_eq!(fixture.calls(PARAMETERS), 0);
    assert_eq!(std::fs::read(&taken).unwrap(), b"former");
    fixture.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_asked_unless_the_disk_knows_of_it() {
    let fixture = Fixture::new().await;
    fixture.running.disk.set(Some(DiskFault::DiskFull));
    assert!(matches!(fixture.save().await, Err(CommandError::NotSaved(_))));
    fixture.until("it is not asked for", |program| *program == Program::NotAsked).await;
    fixture.running.disk.set(None);
    assert_eq!(fixture.calls(PARAMETERS), 0);
    fixture.save().await.unwrap();
    fixture.until_saved().await;
    assert_eq!(fixture.calls(PARAMETERS), 1);
    fixture.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_people_who_confirm_at_once_are_one_question() {
    let fixture = Fixture::new().await;
    let (first, second) = tokio::join!(fixture.save(), fixture.save());
    assert_eq!(first.is_ok() as u8 + second.is_ok() as u8, 1, "{first:?} {second:?}");
    fixture.until_saved().await;
    assert_eq!((fixture.calls(PARAMETERS), fixture.calls(EXE)), (1, 1));
    fixture.end().await;
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
