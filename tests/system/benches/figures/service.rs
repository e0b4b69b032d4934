//! A remote-support service that answers at once, fires hooks, and measures by its own clock.
//!
//! The connection to it can be made slow ([`link`]) or uneven ([`LinkQuality`]).

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{
    Json, Router,
    extract::{Path, Query, State},
    http::header::HOST,
    routing::{get, put},
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::{mpsc, watch},
    time::{Instant, sleep_until},
};

use crate::{
    child::{self, Child},
    spread::{SplitMix64, micros},
};

/// Its regions and how far they are, in ms.
pub const REGIONS: [(&str, u64); 5] = [("a", 24), ("b", 31), ("c", 88), ("d", 140), ("e", 205)];

/// The service in a process of its own, and its origin.
pub fn start() -> (Child, String) {
    let mut child = Child::playing("service");
    let origin = child.says();
    (child, origin)
}

/// A client whose connections stay warm.
pub fn warm_client() -> reqwest::Client {
    // For the crypto provider.
    let _ = deskhand_system_tests::http();
    reqwest::Client::builder().no_proxy().build().unwrap()
}

/// What its handlers share.
#[derive(Clone)]
struct Shared {
    /// Where presenter_started goes, and how often it was put.
    put: Arc<watch::Sender<(String, u64)>>,
    /// Fires the hooks, one at a time and on warm connections.
    client: Arc<tokio::sync::Mutex<reqwest::Client>>,
    weather: Arc<Mutex<LinkQuality>>,
    asked: Arc<[AtomicU64; REGIONS.len()]>,
}

/// The jitter of the connections to the regions.
#[derive(Clone, Copy, Default, serde::Deserialize)]
pub struct LinkQuality {
    /// The most milliseconds that a round trip takes longer, evenly distributed.
    pub jitter: f64,
    /// The percentage of round trips that take ten times the jitter longer.
    pub spikes: f64,
    /// The seed, so that every run has the same random numbers.
    pub seed: u64,
}

pub async fn serve() {
    let shared = Shared {
        put: Arc::new(watch::channel(Default::default()).0),
        client: Arc::new(tokio::sync::Mutex::new(warm_client())),
        weather: Arc::default(),
        asked: Arc::default(),
    };
    let names = REGIONS.map(|(name, _)| name);
    let pin = || async { Json(json!({"success": true, "session_pin": "7W2-97-8570"})) };
    let routes = Router::new()
        .route("/api/v1/regions", get(move || async move { Json(json!(names)) }))
        .route("/api/v1/session_pin", get(pin))
        .route("/api/v1/chat", get(|| async { Json(json!({"success": true, "chat": []})) }))
        .route("/api/v1/hook/", put(put_hook))
        .route("/raw/", put(|Json(_): Json<Value>| async { Json(json!({"success": true})) }))
        .route("/region/{name}", get(region))
        .route("/weather", get(set_link_quality))
        .route("/newest", get(newest))
        .route("/link", get(make_link))
        .route("/measure", get(measure))
        .with_state(shared);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    child::say(format!("http://{}", listener.local_addr().unwrap()));
    axum::serve(listener, routes).await.unwrap();
}

async fn region(State(shared): State<Shared>, Path(name): Path<String>) {
    let Some(place) = REGIONS.iter().position(|(region, _)| *region == name) else { return };
    let LinkQuality { jitter, spikes, seed } = *shared.weather.lock().unwrap();
    let turn = shared.asked[place].fetch_add(1, Ordering::Relaxed);
    // Each region has chance of its own, whatever the order in which they are asked.
    let mut chance = SplitMix64(seed ^ ((place as u64) << 56) ^ (turn << 16));
    let mut ms = REGIONS[place].1 as f64 + jitter * chance.next();
    if chance.next() * 100.0 < spikes {
        ms += 10.0 * jitter;
    }
    tokio::time::sleep(Duration::from_secs_f64(ms / 1e3)).await;
}

async fn set_link_quality(State(shared): State<Shared>, Query(weather): Query<LinkQuality>) {
    *shared.weather.lock().unwrap() = weather;
    shared.asked.iter().for_each(|asked| asked.store(0, Ordering::Relaxed));
}

async fn put_hook(State(shared): State<Shared>, Json(body): Json<Value>) -> Json<Value> {
    if body["type"] == "presenter_started" {
        let url = body["url"].as_str().unwrap().to_owned();
        shared.put.send_modify(|put| *put = (url, put.1 + 1));
    }
    Json(json!({"success": true}))
}

async fn newest(State(shared): State<Shared>) -> String {
    let mut seen = shared.put.subscribe();
    seen.wait_for(|put| put.1 > 0).await.unwrap().0.clone()
}

#[derive(serde::Deserialize)]
struct MeasureQuery {
    rounds: usize,
    /// The link that events go through; `None` for loopback.
    via: Option<SocketAddr>,
    /// After each event, in ms: until the answer to its PUT has come home.
    #[serde(default)]
    pause: u64,
}

async fn measure(
    State(shared): State<Shared>,
    Query(asked): Query<MeasureQuery>,
) -> Json<Vec<f64>> {
    let client = shared.client.lock().await;
    let mut seen = shared.put.subscribe();
    let body = json!({"type": "presenter_started", "name": "Maria", "session_pin": "7W2-97-8570"});
    let mut took = Vec::new();
    for _ in 0..asked.rounds {
        let (url, times) = seen.borrow_and_update().clone();
        let mut url: url::Url = url.parse().unwrap();
        let host = format!("{}:{}", url.host_str().unwrap(), url.port().unwrap());
        if let Some(via) = asked.via {
            url.set_port(Some(via.port())).unwrap();
        }
        let start = Instant::now();
        let posted = client.post(url).header(HOST, host).json(&body).send();
        let (answer, armed) = tokio::join!(posted, async {
            let armed = seen.wait_for(|put| put.1 > times).await.is_ok();
            took.push(micros(start.elapsed()));
            armed
        });
        assert!(armed && answer.unwrap().status() == 200);
        tokio::time::sleep(Duration::from_millis(asked.pause)).await;
    }
    Json(took)
}

#[derive(serde::Deserialize)]
struct Link {
    to: SocketAddr,
    ms: u64,
}

/// Creates a link to `to` whose round trip takes `ms`, and returns its address.
async fn make_link(Query(Link { to, ms }): Query<Link>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let way = Duration::from_millis(ms) / 2;
    tokio::spawn(async move {
        while let Ok((near, _)) = listener.accept().await {
            let far = TcpStream::connect(to).await.unwrap();
            near.set_nodelay(true).unwrap();
            far.set_nodelay(true).unwrap();
            let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
            // A new connection costs a round trip before it carries anything.
            let stands = Instant::now() + 2 * way;
            tokio::spawn(carry(near_in, far_out, way, stands));
            tokio::spawn(carry(far_in, near_out, way, stands));
        }
    });
    address.to_string()
}

/// Carries one direction of a connection, each piece `way` later than it came.
async fn carry(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, way: Duration, stands: Instant) {
    let (piece, mut pieces) = mpsc::unbounded_channel();
    let take = async move {
        let mut bytes = vec![0; 16 << 10];
        while let Ok(length @ 1..) = from.read(&mut bytes).await {
            let due = Instant::now().max(stands) + way;
            if piece.send((due, bytes[..length].to_vec())).is_err() {
                return;
            }
        }
    };
    let give = async move {
        while let Some((due, bytes)) = pieces.recv().await {
            sleep_until(due).await;
            if to.write_all(&bytes).await.is_err() {
                return;
            }
        }
    };
    tokio::join!(take, give);
}
