//! A service with the documented calls alone, which fires nothing by itself: it only remembers where the
//! hooks go, and answers what a test wants it to.
#![allow(dead_code)] // each test uses its own part of this

use std::{sync::Arc, time::Duration};

use axum::{
    Json, Router,
    body::Body,
    extract::State,
    http::StatusCode,
    response::{IntoResponse as _, Response},
    routing::{get, put},
};
use futures_util::StreamExt as _;
use serde_json::{Value, json};
use serve::{CutConnection, Limits, Port, Server};
use tokio::sync::watch;

const PATIENCE: Duration = Duration::from_secs(60);
pub const PIN: &str = "7W2-97-8570";

/// What is answered to a request for a PIN.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pins {
    /// A PIN.
    Good,
    /// A web page.
    Page,
    /// 500.
    Fault,
    /// The connection is closed without a word.
    Nothing,
    /// The beginning of an answer.
    Half,
    /// JSON with something else than a PIN.
    Shapeless,
}

#[derive(Clone)]
pub struct Service(Arc<Inner>);

struct Inner {
    base_url: String,
    pins: watch::Sender<Pins>,
    /// Whether the regions answer.
    regions: watch::Sender<bool>,
    hooks: watch::Sender<Vec<(String, String)>>,
}

impl Service {
    pub fn start() -> Self {
        let bound = serve::bind([127, 0, 0, 1].into(), Port::Any).unwrap();
        let service = Self(Arc::new(Inner {
            base_url: format!("http://{}/api/v1", bound.addr()),
            pins: watch::Sender::new(Pins::Good),
            regions: watch::Sender::new(true),
            hooks: watch::Sender::new(Vec::new()),
        }));
        let routes = Router::new()
            .route("/api/v1/regions", get(|| async { Json(json!(["us-east-1", "eu-west-2"])) }))
            .route("/api/v1/session_pin", get(session_pin))
            .route("/api/v1/hook/", put(put_hook))
            .route("/api/v1/chat", get(|| async { Json(json!({ "success": true, "chat": [] })) }))
            .route("/region/{name}", get(region))
            .with_state(service.clone());
        // Dropped, it runs until the test's runtime ends.
        drop(Server::start(bound, routes, Limits::default(), None).unwrap());
        service
    }

    pub fn base_url(&self) -> &str {
        &self.0.base_url
    }

    pub fn give(&self, pins: Pins) {
        self.0.pins.send_replace(pins);
    }

    pub fn regions_answer(&self, answer: bool) {
        self.0.regions.send_replace(answer);
    }

    /// Where the newest hook of this type goes, once it was put.
    pub async fn hook(&self, hook: &str) -> String {
        let mut hooks = self.0.hooks.subscribe();
        let of_type = |hooks: &Vec<(String, String)>| hooks.iter().any(|(name, _)| name == hook);
        let put = tokio::time::timeout(PATIENCE, hooks.wait_for(of_type)).await;
        let hooks = put.expect("the hook was not put").unwrap();
        hooks.iter().rfind(|(name, _)| name == hook).unwrap().1.clone()
    }
}

async fn session_pin(State(service): State<Service>) -> Response {
    let pins = *service.0.pins.borrow();
    match pins {
        Pins::Good => Json(json!({ "success": true, "session_pin": PIN })).into_response(),
        Pins::Page => "<!doctype html><title>Wi-Fi: please sign in</title>".into_response(),
        Pins::Fault => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        Pins::Nothing => {
            let mut cut = StatusCode::OK.into_response();
            cut.extensions_mut().insert(CutConnection);
            cut
        }
        Pins::Half => {
            let cut = std::io::Error::other("cut");
            let pieces = [Ok("{\"success\":true,\"session_p"), Err(cut)];
            // What there is goes out while the rest isn't there yet.
            let pieces = futures_util::stream::iter(pieces).then(async |piece| {
                tokio::task::yield_now().await;
                piece
            });
            Body::from_stream(pieces).into_response()
        }
        Pins::Shapeless => {
            Json(json!({ "success": true, "session_pin": "<script>1</script>" })).into_response()
        }
    }
}

async fn region(State(service): State<Service>) -> Response {
    let mut answer = StatusCode::OK.into_response();
    if !*service.0.regions.borrow() {
        answer.extensions_mut().insert(CutConnection);
    }
    answer
}

async fn put_hook(State(service): State<Service>, Json(body): Json<Value>) -> Json<Value> {
    let text = |key: &str| body[key].as_str().unwrap().to_owned();
    service.0.hooks.send_modify(|hooks| hooks.push((text("type"), text("url"))));
    Json(json!({ "success": true }))
}
