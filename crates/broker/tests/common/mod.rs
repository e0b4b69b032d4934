//! A broker on a free port, a receiver of hooks, and pages that talk to it.
#![allow(dead_code, clippy::unwrap_used)] // each test file uses its own part of this

mod receiver;

use std::{path::PathBuf, time::Duration};

use broker::{Broker, Config, Handle, Network, Running};
use futures_util::{SinkExt as _, StreamExt as _, stream::SplitSink};
use port_tests::KeptPort;
use reqwest::{Response, StatusCode};
use serde_json::{Value, json};
use serve::{Clock, Millis, Port, TrustedProxies};
use tempfile::TempDir;
use tokio::{net::TcpStream, sync::mpsc};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async, tungstenite};
use tokio_util::task::AbortOnDropHandle;
use uuid::Uuid;

pub use self::receiver::Receiver;

/// Long enough for a loaded machine; only a failing test waits so long.
pub const PATIENCE: Duration = Duration::from_secs(60);
pub const MINUTE: Duration = Duration::from_secs(60);
/// Monday, 2023-11-13 22:13:20 UTC.
pub const START: Millis = Millis(1_699_913_600_000);

pub struct Rig {
    pub running: Running,
    pub http: reqwest::Client,
    pub folder: TempDir,
    /// Its port, over restarts too.
    port: KeptPort,
}

/// An embedded broker whose clock stands still.
pub async fn broker() -> Rig {
    broker_with(|_| {}).await
}

pub async fn broker_with(adjust: impl FnOnce(&mut Config)) -> Rig {
    let folder = tempfile::tempdir().unwrap();
    let port = KeptPort::new();
    let running = start(folder.path().join("data"), &port, adjust).await;
    Rig { running, http: client(), folder, port }
}

async fn start(data: PathBuf, port: &KeptPort, adjust: impl FnOnce(&mut Config)) -> Running {
    let mut config = Config::embedded(data);
    config.port = Port::Exactly(port.number());
    config.clock = Clock::frozen(START);
    adjust(&mut config);
    Broker::start(config).await.unwrap()
}

pub fn client() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let plain = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
    // An idle connection may be closed just when it is used.
    plain.timeout(PATIENCE).pool_max_idle_per_host(0).build().unwrap()
}

impl Rig {
    pub fn handle(&self) -> Handle {
        self.running.handle()
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.running.base_url())
    }

    /// Ends the broker and starts it again on the same folder and port.
    pub async fn restart_with(self, adjust: impl FnOnce(&mut Config)) -> Self {
        let now = self.handle().now();
        self.running.shutdown().await;
        let again = |config: &mut Config| {
            config.clock = Clock::frozen(now);
            adjust(config);
        };
        let data = self.folder.path().join("data");
        let running = start(data, &self.port, again).await;
        Self { running, http: client(), folder: self.folder, port: self.port }
    }

    pub async fn restart(self) -> Self {
        self.restart_with(|_| {}).await
    }

    pub async fn get(&self, path: &str) -> Response {
        self.http.get(self.url(path)).send().await.unwrap()
    }

    pub async fn get_json(&self, path: &str) -> Value {
        json_of(self.get(path).await).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Response {
        self.http.post(self.url(path)).body(body.to_string()).send().await.unwrap()
    }

    pub async fn put(&self, path: &str, body: &Value) -> Response {
        self.http.put(self.url(path)).body(body.to_string()).send().await.unwrap()
    }

    /// The session's conf; it is given once.
    pub async fn conf(&self, pin: &str) -> String {
        let answer = self.get_json(&format!("/session_parameters?session_pin={pin}")).await;
        answer["conf"].as_str().unwrap().to_owned()
    }

    pub async fn mint(&self) -> String {
        let answer = self.get_json("/session_pin?region=us-east-1").await;
        answer["session_pin"].as_str().unwrap().to_owned()
    }

    pub async fn put_hook(&self, pin: &str, hook: &str, url: &str) -> Response {
        let body = json!({ "type": hook, "url": url, "session_pin": pin });
        self.http.put(self.url("/hook/")).body(body.to_string()).send().await.unwrap()
    }

    /// Arms all four hooks, each at a path of its own name.
    pub async fn arm_all(&self, pin: &str, receiver: &Receiver) {
        for hook in HOOKS {
            let armed = self.put_hook(pin, hook, &receiver.url(hook)).await;
            assert_eq!(armed.status(), StatusCode::OK);
        }
    }

    /// Moves the clock, and waits until what fell due has been delivered.
    pub async fn advance(&self, by: Duration) {
        self.handle().advance(by).await;
        self.handle().idle().await;
    }

    /// A presenter's program that shares its screen.
    pub async fn program(&self, pin: &str) -> Page {
        let mut page = Page::connect(self, Uuid::new_v4()).await;
        page.greet(&json!({
            "session_pin": pin, "side": "presenter", "name": "Maria",
            "program": { "version": "1.0.0", "platform": "linux-x86_64" },
        }))
        .await;
        page
    }

    pub async fn page(&self, pin: &str, side: &str) -> Page {
        Page::open(self, pin, side, Uuid::new_v4()).await
    }
}

pub const HOOKS: [&str; 4] =
    ["presenter_started", "viewer_started", "presenter_offline", "viewer_offline"];

pub async fn json_of(response: Response) -> Value {
    serde_json::from_slice(&response.bytes().await.unwrap()).unwrap()
}

/// The endpoint for the network, on this computer.
pub fn endpoint() -> Network {
    Network {
        ip: [127, 0, 0, 1].into(),
        port: Port::Any,
        tls: None,
        public_url: None,
        trusted_proxies: TrustedProxies::default(),
    }
}

pub type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// A page as a browser would open it: it answers pings, however long its test is at something else.
pub struct Page {
    to: SplitSink<Socket, tungstenite::Message>,
    came: mpsc::UnboundedReceiver<tungstenite::Message>,
    /// Reads what comes. Dropped with the page, which hangs up.
    reading: AbortOnDropHandle<()>,
    pub id: Uuid,
    pub welcome: Value,
}

impl Page {
    pub async fn open(rig: &Rig, pin: &str, side: &str, id: Uuid) -> Self {
        Self::named(rig, pin, side, id, "Maria").await
    }

    pub async fn named(rig: &Rig, pin: &str, side: &str, id: Uuid, name: &str) -> Self {
        Self::connect(rig, id).await.hello(pin, side, name).await
    }

    /// A page that comes in at another endpoint.
    pub async fn open_at(origin: &str, pin: &str, side: &str, name: &str) -> Self {
        Self::connect_at(origin, Uuid::new_v4()).await.hello(pin, side, name).await
    }

    async fn hello(mut self, pin: &str, side: &str, name: &str) -> Self {
        let hello = json!({
            "type": "hello", "session_pin": pin, "side": side, "page": self.id, "name": name,
        });
        self.send(&hello).await;
        self.welcome = self.next().await;
        self
    }

    /// Says hello with these fields beside its id.
    pub async fn greet(&mut self, fields: &Value) {
        let mut hello = fields.clone();
        hello["type"] = json!("hello");
        hello["page"] = json!(self.id);
        self.send(&hello).await;
        self.welcome = self.next().await;
    }

    /// What this viewer shows to be given a stream.
    pub fn watch(&self) -> Value {
        json!({ "type": "watch", "key": self.welcome["watch_key"] })
    }

    /// The next roster for which this holds.
    pub async fn roster_where(&mut self, holds: impl Fn(&Value) -> bool) -> Value {
        loop {
            let roster = self.next_of("presence").await;
            if holds(&roster) {
                return roster;
            }
        }
    }

    pub async fn connect(rig: &Rig, id: Uuid) -> Self {
        Self::connect_at(rig.running.origin(), id).await
    }

    async fn connect_at(origin: &str, id: Uuid) -> Self {
        let url = format!("{}/live", origin.replace("http", "ws"));
        let (to, mut from) = connect_async(url).await.unwrap().0.split();
        let (tell, came) = mpsc::unbounded_channel();
        let reading = AbortOnDropHandle::new(tokio::spawn(async move {
            while let Some(Ok(message)) = from.next().await {
                if tell.send(message).is_err() {
                    return;
                }
            }
        }));
        Self { to, came, reading, id, welcome: Value::Null }
    }

    /// Reads and answers nothing any more, without hanging up.
    pub fn falls_silent(&self) {
        self.reading.abort();
    }

    pub async fn send(&mut self, message: &Value) {
        self.to.send(tungstenite::Message::text(message.to_string())).await.unwrap();
    }

    /// The next message; `Null` when the connection has ended.
    pub async fn next(&mut self) -> Value {
        tokio::time::timeout(PATIENCE, self.read()).await.expect("nothing was told")
    }

    /// As [`Page::next`], for whoever waits until the test ends.
    pub async fn read(&mut self) -> Value {
        loop {
            match self.came.recv().await {
                Some(tungstenite::Message::Text(text)) => {
                    return serde_json::from_str(&text).unwrap();
                }
                Some(tungstenite::Message::Close(_)) | None => return Value::Null,
                Some(_) => {}
            }
        }
    }

    /// The next message of this type.
    pub async fn next_of(&mut self, kind: &str) -> Value {
        loop {
            let message = self.next().await;
            assert!(!message.is_null(), "the connection ended before a {kind} came");
            if message["type"] == kind {
                return message;
            }
        }
    }

    /// Closes the page and waits until the broker has taken note.
    pub async fn close(mut self, rig: &Rig) {
        let _ = self.to.send(tungstenite::Message::Close(None)).await;
        while self.came.recv().await.is_some() {}
        rig.handle().idle().await;
    }
}

/// A socket of `/screen`.
pub struct Stream(pub Socket);

impl Stream {
    /// Opens a socket and says what it is for.
    pub async fn open(origin: &str, hello: &Value) -> Self {
        let (socket, _) =
            connect_async(format!("{}/screen", origin.replace("http", "ws"))).await.unwrap();
        let mut stream = Self(socket);
        stream.0.send(tungstenite::Message::text(hello.to_string())).await.unwrap();
        stream
    }

    /// Both ends of a stream, joined.
    pub async fn pair(rig: &Rig, viewer: &Page, presenter: &mut Page) -> (Self, Self) {
        let mut seen = Self::open(rig.running.origin(), &viewer.watch()).await;
        let told = presenter.next_of("viewer").await;
        let mut shown = Self::open(rig.running.origin(), &present(&told)).await;
        assert_eq!(shown.answer().await["type"], "joined");
        assert_eq!(seen.answer().await["type"], "joined");
        (seen, shown)
    }

    /// The broker's answer.
    pub async fn answer(&mut self) -> Value {
        match self.next().await {
            Some(tungstenite::Message::Text(text)) => serde_json::from_str(&text).unwrap(),
            other => panic!("no answer but {other:?}"),
        }
    }

    pub async fn send(&mut self, bytes: Vec<u8>) {
        self.0.send(tungstenite::Message::binary(bytes)).await.unwrap();
    }

    /// The next binary message.
    pub async fn bytes(&mut self) -> Vec<u8> {
        match self.next().await {
            Some(tungstenite::Message::Binary(bytes)) => bytes.to_vec(),
            other => panic!("no bytes but {other:?}"),
        }
    }

    /// Waits for the end; answers the reason that the broker gave.
    pub async fn end(&mut self) -> String {
        loop {
            match self.next().await {
                Some(tungstenite::Message::Close(frame)) => {
                    return frame.map_or_else(String::new, |frame| frame.reason.to_string());
                }
                Some(_) => {}
                None => return "cut".to_owned(),
            }
        }
    }

    async fn next(&mut self) -> Option<tungstenite::Message> {
        let read = async {
            loop {
                match self.0.next().await {
                    Some(Ok(tungstenite::Message::Ping(_) | tungstenite::Message::Pong(_))) => {}
                    Some(Ok(message)) => return Some(message),
                    Some(Err(_)) | None => return None,
                }
            }
        };
        tokio::time::timeout(PATIENCE, read).await.expect("nothing came")
    }
}

/// What the presenter says when it dials for a viewer that it was told of.
pub fn present(told: &Value) -> Value {
    json!({ "type": "present", "stream": told["stream"] })
}
