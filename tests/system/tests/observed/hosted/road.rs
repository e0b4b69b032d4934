//! The way from the service to the listener, and what the console can know by what came along it.

use std::{
    collections::{HashMap, HashSet},
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::Bytes,
    extract::{OriginalUri, State},
    http::{Method, StatusCode},
};
use deskhand_system_tests::http;
use engine::Listener;
use serve::{Port, TrustedProxies};
use wire::{HookType, Side, loginwithme::HookBody};

use crate::plan::People;

/// The way from the service to the listener: it takes off the headers that only our own broker sends, and remembers
/// what arrived.
#[derive(Clone)]
pub struct Road {
    at: SocketAddr,
    /// One at a time, or nobody knows in which order they arrived.
    narrow: Arc<tokio::sync::Mutex<()>>,
    /// The listener; none while the road is broken.
    to: Arc<Mutex<Option<SocketAddr>>>,
    known: Arc<Mutex<Known>>,
    http: reqwest::Client,
}

/// What the console can know.
#[derive(Default)]
struct Known {
    last: HashMap<(String, Side), HookType>,
    /// The sides of which nothing has arrived since the last evidence.
    in_doubt: HashSet<(String, Side)>,
    delivered: u32,
}

impl Road {
    pub async fn start() -> Self {
        let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = socket.local_addr().unwrap();
        let (narrow, to, known) = (Arc::default(), Arc::default(), Arc::default());
        let road = Self { at, narrow, to, known, http: http() };
        let routes = Router::new().fallback(pass).with_state(road.clone());
        tokio::spawn(async move { axum::serve(socket, routes).await });
        road
    }

    pub fn listener(&self) -> Listener {
        let public_url = Some(format!("http://{}/", self.at).parse().unwrap());
        Listener {
            ip: [127, 0, 0, 1].into(),
            port: Port::Any,
            public_url,
            connections: None,
            trusted_proxies: TrustedProxies::default(),
        }
    }

    pub fn lead_to(&self, listener: Option<SocketAddr>) {
        *self.to.lock().unwrap() = listener;
    }

    /// From now on nothing is known before it arrives.
    pub fn events_may_have_been_missed(&self, sessions: &[People]) {
        let sides = [Side::Presenter, Side::Viewers];
        let both = |people: &People| sides.map(|side| (people.pin.expose().to_owned(), side));
        self.known.lock().unwrap().in_doubt.extend(sessions.iter().flat_map(both));
    }

    /// How many webhooks have arrived.
    pub fn delivered(&self) -> u32 {
        self.known.lock().unwrap().delivered
    }

    /// What can be known of a side.
    pub fn known_of(&self, people: &People, side: Side) -> &'static str {
        let (known, which) = (self.known.lock().unwrap(), (people.pin.expose().to_owned(), side));
        match known.last.get(&which) {
            _ if known.in_doubt.contains(&which) => "unknown",
            None => "never",
            Some(hook) if hook.is_started() => "online",
            Some(_) => "offline",
        }
    }
}

async fn pass(
    State(road): State<Road>,
    method: Method,
    OriginalUri(uri): OriginalUri,
    body: Bytes,
) -> StatusCode {
    let _alone = road.narrow.lock().await;
    let to = *road.to.lock().unwrap();
    let Some(to) = to else { return StatusCode::NOT_FOUND };
    let call = road.http.request(method, format!("http://{to}{uri}")).body(body.clone());
    let Ok(answer) = call.send().await else { return StatusCode::BAD_GATEWAY };
    if let (200, Ok(hook)) = (answer.status().as_u16(), serde_json::from_slice::<HookBody>(&body)) {
        let which = (hook.session_pin.expose().to_owned(), hook.hook.side());
        let mut known = road.known.lock().unwrap();
        known.in_doubt.remove(&which);
        known.last.insert(which, hook.hook);
        known.delivered += 1;
    }
    answer.status()
}
