//! The ways in and out: hooks with broken bodies, hooks that come while the engine starts, time that
//! passes without the process, and a way to the listener that breaks and is mended.

#![allow(clippy::unwrap_used)]

use std::{
    io::{Read as _, Write as _},
    net::{Shutdown, SocketAddr, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use deskhand_system_tests::{RunningEngine, World, all_armed, http};
use engine::{
    Listener, SessionId, Snapshot,
    reach::{Proof, Way},
};
use port_tests::KeptPort;
use serve::{Fault, FaultRule, Port, TrustedProxies};
use session::{Input, Lamp, Presenter, Viewers};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpSocket, TcpStream as AsyncStream},
};
use wire::HookType;

/// The path of a session's hook, which only the service knows.
async fn hook_path(running: &RunningEngine, id: SessionId, hook: HookType) -> String {
    let loaded = running.engine.journal().load().await.unwrap();
    let stored = loaded.sessions.into_iter().find(|stored| stored.session == id).unwrap();
    format!("/hook/{}", stored.secrets.unwrap().tokens[hook.index()].expose())
}

async fn post(running: &RunningEngine, id: SessionId, hook: HookType) {
    let path = hook_path(running, id, hook).await;
    let url = format!("http://{}{path}", running.engine.listener());
    assert_eq!(http().post(url).body("{}").send().await.unwrap().status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hook_counts_and_is_put_again_whatever_becomes_of_its_body() {
    let world = World::new().await;
    let running = world.engine().await;
    let (id, _) = running.armed_session().await;
    let path = hook_path(&running, id, HookType::PresenterStarted).await;
    let at = running.engine.listener();
    let plan = world.broker.handle().faults();
    let put = || plan.counts().get("/api/v1/hook/").map_or(0, |count| count.seen);
    let bodies = [
        "Content-Length: 100\r\n\r\n{\"type\":".to_owned(),
        format!("Content-Length: 70000\r\n\r\n{}", "x".repeat(70_000)),
        format!("Transfer-Encoding: chunked\r\n\r\n11170\r\n{}\r\n0\r\n\r\n", "x".repeat(70_000)),
        "Transfer-Encoding: chunked\r\n\r\nno length\r\n".to_owned(),
    ];
    let mut kept = Vec::new();
    for (n, body) in bodies.iter().enumerate() {
        let before = put();
        let mut socket = TcpStream::connect(at).unwrap();
        let request = format!("POST {path} HTTP/1.1\r\nHost: {at}\r\n{body}");
        // The listener may have answered and closed before all was sent.
        let _ = socket.write_all(request.as_bytes());
        if n == 0 {
            socket.shutdown(Shutdown::Write).unwrap();
        }
        running.until_happened(id, "PresenterOnline", n + 1).await;
        running.until(id, "its hook is put again", |s| put() > before && all_armed(s)).await;
        kept.push(socket);
    }
    // One whose body never comes counts as well, and is answered when its time is over.
    let mut slow = TcpStream::connect(at).unwrap();
    let head = format!("POST {path} HTTP/1.1\r\nHost: {at}\r\nContent-Length: 2\r\n\r\n");
    slow.write_all(head.as_bytes()).unwrap();
    running.until_happened(id, "PresenterOnline", bodies.len() + 1).await;
    let status = tokio::task::spawn_blocking(move || {
        let mut status = [0; 12];
        slow.read_exact(&mut status).unwrap();
        status
    });
    assert_eq!(&status.await.unwrap(), b"HTTP/1.1 200");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_hook_that_comes_while_the_engine_starts_is_answered_by_ignorance() {
    let (world, port) = (World::new().await, KeptPort::new());
    let running = world.engine_at(&port).await;
    let mut paths = Vec::new();
    for _ in 0..24 {
        let (id, _) = running.armed_session().await;
        paths.push(hook_path(&running, id, HookType::PresenterStarted).await);
    }
    let at = running.engine.listener();
    running.stop().await;

    let started = Arc::new(AtomicBool::new(false));
    let over = started.clone();
    let sender = tokio::spawn(async move {
        let mut statuses = Vec::new();
        while !over.load(Ordering::SeqCst) || statuses.is_empty() {
            let socket = TcpSocket::new_v4().unwrap();
            // From another address: a socket that dials a free port of its own may meet itself.
            socket.bind("127.0.0.2:0".parse().unwrap()).unwrap();
            // Nobody listens yet.
            let Ok(mut stream) = socket.connect(at).await else { continue };
            let path: &String = &paths[statuses.len() % paths.len()];
            let head = format!("POST {path} HTTP/1.1\r\nHost: {at}\r\nContent-Length: 0\r\n");
            let request = format!("{head}Connection: close\r\n\r\n");
            stream.write_all(request.as_bytes()).await.unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.unwrap();
            statuses.push(answer.get(9..12).unwrap_or("nothing").to_owned());
        }
        statuses
    });
    let running = world.engine_at(&port).await;
    started.store(true, Ordering::SeqCst);
    let statuses = sender.await.unwrap();
    assert!(statuses.iter().all(|status| status == "200"), "{statuses:?}");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waited_while_the_process_was_stopped_is_never_taken_for_the_present() {
    use HookType::{PresenterOffline, PresenterStarted, ViewerOffline, ViewerStarted};
    let world = World::without_channel().await;
    let running = world.engine().await;
    let (scrambled, _) = running.armed_session().await;
    let (clear, _) = running.armed_session().await;
    for id in [scrambled, clear] {
        post(&running, id, PresenterStarted).await;
        post(&running, id, ViewerStarted).await;
        running.until(id, "both are there", |s| s.record.is_active() && all_armed(s)).await;
    }
    running.faults.let_time_pass_unseen(Duration::from_secs(65));
    // Whatever looks first tells every session, also those that no hook waits for.
    post(&running, scrambled, PresenterStarted).await;
    running.until_happened(clear, "StatusUnknown", 1).await;
    post(&running, scrambled, PresenterOffline).await;
    running
        .until(scrambled, "which of them was last isn't known", |s| {
            matches!(s.record.presenter, Presenter::Unknown { .. })
        })
        .await;
    running.until_happened(scrambled, "PresenterOffline", 1).await;
    // Hooks whose order decides nothing say what is so.
    post(&running, clear, PresenterOffline).await;
    post(&running, clear, ViewerOffline).await;
    running
        .until(clear, "both are gone", |s| {
            matches!(
                (s.record.presenter, s.record.viewers),
                (Presenter::Offline { .. }, Viewers::None { .. })
            )
        })
        .await;
    running.stop().await;
}

/// Stands between the service and the listener, as a reverse proxy does.
struct Proxy {
    at: SocketAddr,
    /// The listener; none while the way is broken.
    to: Arc<Mutex<Option<SocketAddr>>>,
}

impl Proxy {
    async fn start() -> Self {
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = socket.local_addr().unwrap();
        let to = Arc::<Mutex<Option<SocketAddr>>>::default();
        let target = to.clone();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = socket.accept().await {
                let target = *target.lock().unwrap();
                tokio::spawn(async move {
                    let Some(target) = target else {
                        let bad = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
                        let _ = stream.write_all(bad).await;
                        // What was sent here is read, or a reset would cost the answer.
                        let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
                        return;
                    };
                    if let Ok(mut listener) = AsyncStream::connect(target).await {
                        let _ = tokio::io::copy_bidirectional(&mut stream, &mut listener).await;
                    }
                });
            }
        });
        Self { at, to }
    }

    fn lead_to(&self, listener: Option<SocketAddr>) {
        *self.to.lock().unwrap() = listener;
    }
}

fn is_online(snapshot: &Snapshot) -> bool {
    matches!(snapshot.record.presenter, Presenter::Online { .. }) && all_armed(snapshot)
}

async fn behind(world: &World, proxy: &Proxy) -> RunningEngine {
    let public_url = Some(format!("http://{}/", proxy.at).parse().unwrap());
    let listener = Listener {
        ip: [127, 0, 0, 1].into(),
        port: Port::Any,
        public_url,
        connections: None,
        trusted_proxies: TrustedProxies::default(),
    };
    world.engine_with(listener).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_way_that_was_broken_at_the_start_is_proved_by_a_hook_that_arrives() {
    // A service that calls by itself to test the way would prove it as well, maybe after the hook.
    let (world, proxy) = (World::without_channel().await, Proxy::start().await);
    let running = behind(&world, &proxy).await;
    running.until_way("it is broken", |way| matches!(way, Way::Broken { .. })).await;
    let (id, pin) = running.armed_session().await;
    proxy.lead_to(Some(running.engine.listener()));
    world.presenter_joins(&pin).await;
    running.until_way("it works", |way| matches!(way, Way::Works { by: Proof::Hook, .. })).await;
    running
        .until(id, "the presenter is online", |s| {
            matches!(s.record.presenter, Presenter::Online { .. }) && all_armed(s)
        })
        .await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn presence_does_not_outlive_the_way_by_which_it_would_change() {
    let (world, proxy) = (World::without_channel().await, Proxy::start().await);
    let running = behind(&world, &proxy).await;
    running.faults.test_way_only_when_asked();
    proxy.lead_to(Some(running.engine.listener()));
    let (id, pin) = running.armed_session().await;
    world.presenter_joins(&pin).await;
    world.viewer_joins(&pin).await;
    running.until(id, "both are there", |s| s.record.is_active() && all_armed(s)).await;
    proxy.lead_to(None);
    running.engine.test_reach().await.unwrap_err();
    running.until_way("it is broken", |way| matches!(way, Way::Broken { .. })).await;
    running
        .until(id, "nothing is taken for known", |s| {
            matches!(
                (s.record.presenter, s.record.viewers),
                (Presenter::Unknown { .. }, Viewers::Unknown { .. })
            )
        })
        .await;
    // Mended without a word: a test finds it, for which nothing asks but time that passed unseen.
    proxy.lead_to(Some(running.engine.listener()));
    running.faults.let_time_pass_unseen(Duration::from_secs(60));
    running.until_way("it works", |way| matches!(way, Way::Works { .. })).await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_an_outage_of_the_service_the_way_is_tested_at_once() {
    let (world, proxy) = (World::without_channel().await, Proxy::start().await);
    let running = behind(&world, &proxy).await;
    running.faults.test_way_only_when_asked();
    proxy.lead_to(Some(running.engine.listener()));
    let (id, _) = running.armed_session().await;
    running.engine.test_reach().await.unwrap();
    let faults = world.broker.handle().faults();
    let usual = faults.rules();
    let away = FaultRule::always("/api/v1/hook/", Fault::Drop);
    faults.set([usual.clone(), vec![away]].concat());
    running.engine.tell(id, Input::Recheck);
    // The waits between its tries add up to more than the time after which it is an outage.
    running
        .until(id, "it was tried four times", |s| {
            s.lamps.iter().any(|lamp| matches!(lamp, Lamp::Failed { attempt: 4.., .. }))
        })
        .await;
    proxy.lead_to(None);
    running.engine.test_reach().await.unwrap_err();
    running.until_way("it is broken", |way| matches!(way, Way::Broken { .. })).await;
    proxy.lead_to(Some(running.engine.listener()));
    faults.set(usual);
    running.until_way("it works", |way| matches!(way, Way::Works { .. })).await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn presence_that_the_broker_itself_tells_stays_known_while_no_hook_can_arrive() {
    let (world, proxy) = (World::new().await, Proxy::start().await);
    let running = behind(&world, &proxy).await;
    proxy.lead_to(Some(running.engine.listener()));
    let (id, pin) = running.armed_session().await;
    world.presenter_joins(&pin).await;
    running.until(id, "it is online", is_online).await;
    // The channel may be faster: a hook that arrives later would prove the way again.
    world.broker.handle().idle().await;
    proxy.lead_to(None);
    running.engine.test_reach().await.unwrap_err();
    running.until_way("it is broken", |way| matches!(way, Way::Broken { .. })).await;
    // What the broker tells next comes behind the news of the way.
    world.viewer_joins(&pin).await;
    running.until(id, "both are there", |s| s.record.is_active()).await;
    assert!(!running.happened(id).await.iter().any(|event| event == "StatusUnknown"));
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_session_whose_hooks_cannot_arrive_nothing_is_claimed_from_the_begin() {
    let (world, proxy) = (World::without_channel().await, Proxy::start().await);
    let running = behind(&world, &proxy).await;
    running.until_way("it is broken", |way| matches!(way, Way::Broken { .. })).await;
    let (id, pin) = running.armed_session().await;
    running
        .until(id, "whether anybody is there isn't known", |s| {
            matches!(
                (s.record.presenter, s.record.viewers),
                (Presenter::Unknown { .. }, Viewers::Unknown { .. })
            )
        })
        .await;
    proxy.lead_to(Some(running.engine.listener()));
    world.presenter_joins(&pin).await;
    running
        .until(id, "a hook tells", |s| matches!(s.record.presenter, Presenter::Online { .. }))
        .await;
    running.stop().await;
}
