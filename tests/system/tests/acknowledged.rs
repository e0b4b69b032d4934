//! Nothing acknowledged is lost: an engine in a process of its own is killed again and again while
//! a service fires its hooks; every event that got its 200 happened, and each happened once.

#![allow(clippy::unwrap_used)]

use std::{
    path::Path,
    process::{Child, Command},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use axum::{Json, Router, extract::State, routing::get};
use deskhand_system_tests::{PATIENCE, RunningEngine, http};
use serde_json::{Value, json};
use session::event::{Event, PresenceEvent};
use tokio::{sync::watch, task::JoinSet};

/// Tells the test binary to be the engine that gets killed; its value is the folder and
/// the service.
const ROLE: &str = "DESKHAND_TEST_ENGINE";

/// The number of kills. `./bench` sets more.
fn kills() -> usize {
    std::env::var("DESKHAND_TEST_KILLS").map_or(20, |kills| kills.parse().unwrap())
}

/// A service that never fires by itself: it only remembers where the hooks go.
#[derive(Clone)]
struct Service {
    hooks: Arc<watch::Sender<Vec<(String, String)>>>,
}

impl Service {
    async fn start() -> (Self, String) {
        let service = Self { hooks: Arc::new(watch::channel(Vec::new()).0) };
        let routes = Router::new()
            .route("/api/v1/regions", get(|| async { Json(json!(["us-east-1"])) }))
            .route(
                "/api/v1/session_pin",
                get(|| async { Json(json!({"success": true, "session_pin": "7W2-97-8570"})) }),
            )
            .route("/api/v1/chat", get(|| async { Json(json!({"success": true, "chat": []})) }))
            .route("/api/v1/hook/", axum::routing::put(put_hook))
            .route("/region/{name}", get(|| async { "" }))
            .with_state(service.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        (service, origin)
    }

    /// Waits until all four hooks were put since the last [`Service::forget`].
    async fn armed(&self) {
        let mut hooks = self.hooks.subscribe();
        let all = |hooks: &Vec<(String, String)>| {
            let mut types: Vec<_> = hooks.iter().map(|(hook, _)| hook.clone()).collect();
            types.sort();
            types.dedup();
            types.len() == 4
        };
        let armed = tokio::time::timeout(PATIENCE, hooks.wait_for(all)).await;
        armed.expect("the engine puts all four hooks after each start").unwrap();
    }

    fn forget(&self) {
        self.hooks.send_replace(Vec::new());
    }
}

async fn put_hook(State(service): State<Service>, Json(body): Json<Value>) -> Json<Value> {
    let text = |key: &str| body[key].as_str().unwrap().to_owned();
    service.hooks.send_modify(|hooks| hooks.push((text("type"), text("url"))));
    Json(json!({"success": true}))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_engine_that_gets_killed() {
    // Without its role this is no test: it is the child of the one below.
    let Ok(role) = std::env::var(ROLE) else { return };
    let (folder, origin) = role.split_once('|').unwrap();
    let running = engine_on(Path::new(folder), origin).await;
    if running.engine.snapshots().is_empty() {
        running.engine.create(session::About::default(), "anna".into(), None).await.unwrap();
    }
    std::future::pending::<()>().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kills_lose_no_acknowledged_event_and_tell_each_once() {
    let folder = tempfile::tempdir().unwrap();
    let (service, origin) = Service::start().await;
    let acknowledged = Arc::new(AtomicUsize::new(0));
    for kill in 0..kills() {
        service.forget();
        let mut engine = Killed(spawn(folder.path(), &origin));
        service.armed().await;
        let enough = fire(&service, acknowledged.clone(), kill + 1);
        let mut firing =
            tokio::time::timeout(PATIENCE, enough).await.expect("events are acknowledged");
        engine.0.kill().unwrap();
        engine.0.wait().unwrap();
        // Every request that was under way has its answer by now or never gets one.
        firing.shutdown().await;
    }

    service.forget();
    let running = engine_on(folder.path(), &origin).await;
    running.engine.hooks_tried().await;
    let id = running.engine.snapshots()[0].id;
    let told = running.engine.journal().events_of(id).await.unwrap();
    let told = told
        .iter()
        .filter(|h| matches!(h.event, Event::Presence(PresenceEvent::PresenterOnline { .. })))
        .count();
    // The next sequence number tells how many events the journal ever committed.
    let next = running
        .engine
        .journal()
        .append(id, wire::HookType::PresenterStarted, deskhand_system_tests::now())
        .await
        .unwrap();
    let committed = usize::try_from(next).unwrap() - 1;
    let acknowledged = acknowledged.load(Ordering::SeqCst);
    assert!(committed >= acknowledged, "{acknowledged} were acknowledged, {committed} are there");
    assert_eq!(told, committed, "each committed event is told once");
    println!(
        "F9 engine, {} kills: {acknowledged} events acknowledged, {committed} committed, {told} told (aim 0 lost, each once)",
        kills()
    );
    running.stop().await;
}

/// Fires on eight connections until `enough` more are acknowledged, and goes on until the answer is
/// shut down.
async fn fire(service: &Service, acknowledged: Arc<AtomicUsize>, enough: usize) -> JoinSet<()> {
    let goal = acknowledged.load(Ordering::SeqCst) + enough;
    let done = Arc::new(tokio::sync::Notify::new());
    let client = http();
    let mut firing = JoinSet::new();
    for _ in 0..8 {
        let (acknowledged, done, client) = (acknowledged.clone(), done.clone(), client.clone());
        let mut hooks = service.hooks.subscribe();
        firing.spawn(async move {
            let body = r#"{"type":"presenter_started","name":"Maria","session_pin":"7W2-97-8570"}"#;
            loop {
                let started = |(hook, _): &&(String, String)| hook == "presenter_started";
                let newest = hooks.borrow_and_update().iter().rfind(started).cloned();
                let Some((_, url)) = newest else { return };
                match client.post(&url).body(body).send().await {
                    Ok(answer) => {
                        let told = answer.status() == 200;
                        if told && acknowledged.fetch_add(1, Ordering::SeqCst) + 1 >= goal {
                            done.notify_one();
                        }
                    }
                    // A PUT of the engine that was killed before may have come late: its address is
                    // gone, and the new one's follows.
                    Err(_) if hooks.changed().await.is_err() => return,
                    Err(_) => {}
                }
            }
        });
    }
    done.notified().await;
    firing
}

async fn engine_on(folder: &Path, origin: &str) -> RunningEngine {
    RunningEngine::start(
        folder,
        &format!("{origin}/api/v1"),
        &format!("{origin}/region/{{region}}"),
    )
    .await
}

fn spawn(folder: &Path, origin: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "the_engine_that_gets_killed", "--nocapture"])
        .env(ROLE, format!("{}|{origin}", folder.display()))
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap()
}

/// A child process that is killed even if the test fails.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
