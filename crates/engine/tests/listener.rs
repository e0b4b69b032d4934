//! The webhook listener with a real journal: what is acknowledged, refused, told and written later.
#![allow(clippy::unwrap_used)]

use std::{sync::Arc, time::Duration};

use engine::{
    SessionId, hooks,
    journal::{Fault, Faults, JOURNAL_FILE, Journal, JournalError, Options},
    token::HookToken,
    vault::SealKey,
    watch::Watch,
};
use parking_lot::Mutex;
use secrecy::SecretBox;
use session::{Delivery, Timestamp};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};
use wire::HookType;

const HOOK: HookType = HookType::PresenterStarted;

/// What the receiver was told.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Call {
    Received,
    Committed(Option<u64>),
    Written(u64),
    Disk { fails: bool },
}

/// Remembers its calls, and panics at the first commit if it shall.
#[derive(Clone, Default)]
struct Recorder {
    calls: Arc<Mutex<Vec<Call>>>,
    panics: Arc<Mutex<bool>>,
    deliveries: Arc<Mutex<Vec<Delivery>>>,
}

impl hooks::Receiver for Recorder {
    fn received(&self, _: SessionId, _: HookType) {
        self.calls.lock().push(Call::Received);
    }

    fn committed(
        &self,
        _: SessionId,
        _: HookType,
        delivery: Delivery,
        seq: Option<u64>,
        _: Timestamp,
    ) {
        self.deliveries.lock().push(delivery);
        assert!(!std::mem::take(&mut *self.panics.lock()), "a fault was asked for");
        self.calls.lock().push(Call::Committed(seq));
    }

    fn written(&self, _: SessionId, seq: u64) {
        self.calls.lock().push(Call::Written(seq));
    }

    fn disk(&self, failure: Option<&JournalError>) {
        self.calls.lock().push(Call::Disk { fails: failure.is_some() });
    }
}

/// A listener on loopback.
struct Listener {
    url_path: String,
    port: u16,
    told: Recorder,
    disk: Faults,
    watch: Watch,
    routes: hooks::Routes,
    _folder: TempDir,
}

impl Listener {
    async fn start() -> Self {
        Self::start_by(async |router| {
            let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let port = socket.local_addr().unwrap().port();
            tokio::spawn(async move { axum::serve(socket, router).await });
            port
        })
        .await
    }

    /// With the limits that the console has, where everybody on loopback counts as one stranger.
    async fn start_limited() -> Self {
        Self::start_by(async |router| {
            let bound = serve::bind([127, 0, 0, 1].into(), serve::Port::Any).unwrap();
            let door = serve::PeerPolicy { counts_loopback: true, ..Default::default() };
            let server = serve::Server::start_at(door, bound, router, hooks::limits(None), None);
            server.unwrap().addr().port()
        })
        .await
    }

    /// `serve` serves the routes, and answers at which port.
    async fn start_by(serve: impl AsyncFnOnce(axum::Router) -> u16) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let key = SealKey::new(&SecretBox::new(Box::new([1; 32])));
        let disk = Faults::default();
        let options = Options { faults: disk.clone(), ..Options::default() };
        let journal = Journal::open(&folder.path().join(JOURNAL_FILE), key, options).unwrap();
        let tokens = [1, 2, 3, 4].map(|n| HookToken::from_bytes([n; 32]));
        let routes = hooks::Routes::default();
        routes.open(SessionId::from_bytes([1; 16]), &tokens);
        let (told, watch) = (Recorder::default(), Watch::new(|| {}));
        let router =
            hooks::router(routes.clone(), Default::default(), journal, told.clone(), &watch);
        let port = serve(router).await;
        let place = HookType::ALL.iter().position(|&hook| hook == HOOK).unwrap();
        let url_path = format!("/hook/{}", tokens[place].expose());
        Self { url_path, port, told, disk, watch, routes, _folder: folder }
    }

    /// Posts as the service does; answers the status.
    fn post(&self, path: &str) -> impl Future<Output = u16> + use<> {
        self.post_with(path, "")
    }

    /// As [`Self::post`], with further lines of headers.
    fn post_with(&self, path: &str, headers: &str) -> impl Future<Output = u16> + use<> {
        let (request, port) = (
            format!(
                "POST {path} HTTP/1.1\r\nHost: a\r\n{headers}Content-Length: 2\r\nConnection: close\r\n\r\n{{}}"
            ),
            self.port,
        );
        async move {
            let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
            stream.write_all(request.as_bytes()).await.unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.unwrap();
            answer.split(' ').nth(1).unwrap().parse().unwrap()
        }
    }

    async fn post_hook(&self) -> u16 {
        self.post(&self.url_path).await
    }

    fn calls(&self) -> Vec<Call> {
        self.told.calls.lock().clone()
    }

    /// Waits until the receiver was told so.
    async fn is_told(&self, call: &Call) {
        while !self.calls().contains(call) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_event_is_told_at_once_and_acknowledged_once_it_is_on_the_disk() {
    let listener = Listener::start().await;
    assert_eq!(listener.post_hook().await, 200);
    assert_eq!(listener.calls(), [Call::Received, Call::Committed(Some(1))]);
    assert_eq!(listener.post("/hook/unknown").await, 404);
    assert_eq!(listener.post("/reach/unknown").await, 404);
    assert_eq!(listener.post("/hook/reach/unknown").await, 404);
}

#[tokio::test(start_paused = true)]
async fn what_may_be_a_session_that_cannot_be_read_is_to_be_sent_again() {
    let listener = Listener::start().await;
    let unknown = format!("/hook/{}", HookToken::from_bytes([9; 32]).expose());
    assert_eq!(listener.post(&unknown).await, 404);
    listener.routes.some_are_unread();
    assert_eq!(listener.post(&unknown).await, 503);
    assert_eq!(listener.post("/hook/unknown").await, 404, "nobody has such a token");
    assert_eq!(listener.post_hook().await, 200, "others go on");
    assert_eq!(listener.calls(), [Call::Received, Call::Committed(Some(1))]);
}

#[tokio::test(start_paused = true)]
async fn what_the_disk_refuses_counts_all_the_same_and_is_written_when_the_disk_takes_it() {
    let listener = Listener::start().await;
    listener.disk.set(Some(Fault::DiskFull));
    assert_eq!(listener.post_hook().await, 503);
    let refused = [Call::Received, Call::Disk { fails: true }, Call::Committed(None)];
    assert_eq!(listener.calls()[..3], refused);
    listener.disk.set(None);
    listener.is_told(&Call::Disk { fails: false }).await;
    assert!(listener.calls().contains(&Call::Written(1)));
    assert_eq!(listener.post_hook().await, 200);
    assert_eq!(listener.calls().last(), Some(&Call::Committed(Some(2))));
}

#[tokio::test]
async fn a_token_has_at_most_1024_events_that_are_not_on_the_disk() {
    const MOST: usize = 1_024;
    let listener = Listener::start().await;
    listener.disk.set(Some(Fault::Hangs));
    // One after the other, and each hangs up once it is on its way to the disk: a process has only so many files.
    for sent in 1..=MOST {
        let post = tokio::spawn(listener.post(&listener.url_path));
        while listener.calls().len() < sent {
            tokio::task::yield_now().await;
        }
        post.abort();
    }
    assert_eq!(listener.post_hook().await, 429);
    assert_eq!(
        listener.calls(),
        vec![Call::Received; MOST + 1],
        "the hook is put again all the same"
    );
    listener.disk.set(None);
    listener.is_told(&Call::Committed(Some(MOST as u64))).await;
    assert_eq!(listener.post_hook().await, 200);
    let committed: Vec<_> =
        listener.calls().into_iter().filter(|call| matches!(call, Call::Committed(_))).collect();
    let in_order: Vec<_> = (1..=MOST as u64 + 1).map(|seq| Call::Committed(Some(seq))).collect();
    assert_eq!(committed, in_order);
}

#[tokio::test(start_paused = true)]
async fn a_receiver_that_panics_costs_one_answer_and_is_a_trouble() {
    let listener = Listener::start().await;
    *listener.told.panics.lock() = true;
    assert_eq!(listener.post_hook().await, 503);
    while listener.watch.unwell().is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(
        listener.watch.unwell()[0]
            .doing
            .starts_with("tell the sessions what their webhooks report")
    );
    assert_eq!(listener.post_hook().await, 200);
    assert_eq!(listener.calls().last(), Some(&Call::Committed(Some(2))));
}

#[tokio::test]
async fn a_try_of_the_same_delivery_is_known_by_its_headers() {
    let listener = Listener::start().await;
    let headers = [
        "Webhook-Id: msg_1\r\n",
        "webhook-id: msg_1\r\ndeskhand-revision: 7\r\n",
        "webhook-id: msg_2\r\n",
        "webhook-id: \r\ndeskhand-revision: many\r\n",
        "",
    ];
    for line in headers {
        assert_eq!(listener.post_with(&listener.url_path, line).await, 200);
    }
    let told = listener.told.deliveries.lock().clone();
    let ids: Vec<_> = told.iter().map(|delivery| delivery.id).collect();
    assert!(ids[0].is_some() && ids[0] == ids[1] && ids[1] != ids[2], "{ids:?}");
    assert_eq!(
        told.iter().map(|one| one.revision).collect::<Vec<_>>(),
        [None, Some(7), None, None, None]
    );
    assert_eq!(ids[3..], [None, None]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_hooks_from_one_address_are_kept_though_nobody_waits_for_an_answer() {
    let listener = Listener::start_limited().await;
    let post =
        format!("POST {} HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{{}}", listener.url_path);
    for _ in 0..1_000 {
        let mut stream = TcpStream::connect(("127.0.0.1", listener.port)).await.unwrap();
        stream.write_all(post.as_bytes()).await.unwrap();
    }
    let kept =
        || listener.calls().iter().filter(|call| matches!(call, Call::Committed(Some(_)))).count();
    let all = async {
        while kept() < 1_000 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    assert!(tokio::time::timeout(Duration::from_secs(60), all).await.is_ok(), "{} kept", kept());
}

#[test]
fn the_listener_has_paces_that_lose_nothing() {
    let limits = hooks::limits(Some(100));
    assert_eq!((limits.bodies, limits.connections), (serve::Bodies::Ignored, 100));
    assert_eq!(limits.paces, Some(serve::Paces::OF_WEBHOOKS));
}
