//! The services as a test scripts them: each call gets the answer that is next for it, or a
//! good one.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use axum::http;
use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use reqwest::{Method, Request, Response};
use serde_json::{Value, json};
use session::Failure;

use super::PIN;
use crate::remote::{LoginTc, LoginWithMeConfig, http::StandIn, logintc};

/// A service's scripted answer.
#[derive(Debug, Clone)]
pub(in crate::actor) enum Scripted {
    /// A status and a body with its content type.
    Http { status: u16, kind: &'static str, body: String },
    /// With `Retry-After`, in seconds.
    TryLater { status: u16, seconds: u32 },
    /// Another answer, after a while.
    Late(Duration, Box<Scripted>),
    /// Nothing, ever.
    Never,
    /// There is no service to answer.
    Unreachable,
    /// The connection ends without an answer.
    HangsUp,
    /// A bug in this console's client.
    Panics,
}

impl Scripted {
    pub fn json(value: &Value) -> Self {
        Self::Http { status: 200, kind: "application/json", body: value.to_string() }
    }

    pub fn ok() -> Self {
        Self::json(&json!({ "success": true }))
    }

    /// As the service answers itself: JSON, which claims neither success nor failure.
    pub fn status(status: u16) -> Self {
        Self::Http { status, kind: "application/json", body: r#"{"error":"no"}"#.into() }
    }

    /// As something before the service answers.
    pub fn page(status: u16) -> Self {
        Self::Http { status, kind: "text/html", body: "<h1>no</h1>".into() }
    }

    /// A success whose body is cut off.
    pub fn garbage() -> Self {
        Self::Http { status: 200, kind: "application/json", body: "{\"success\": tr".into() }
    }

    pub fn late(seconds: u64, answer: Self) -> Self {
        Self::Late(Duration::from_secs(seconds), Box::new(answer))
    }

    async fn give(self) -> Result<Response, (Failure, String)> {
        let response = http::Response::builder();
        let built = match self {
            Self::Http { status, kind, body } => {
                response.status(status).header("content-type", kind).body(body)
            }
            Self::TryLater { status, seconds } => {
                response.status(status).header("retry-after", seconds).body(String::new())
            }
            Self::Late(after, answer) => {
                tokio::time::sleep(after).await;
                return Box::pin(answer.give()).await;
            }
            Self::Never => std::future::pending().await,
            Self::Unreachable => return Err((Failure::Unreachable, "nobody is there".into())),
            Self::HangsUp => return Err((Failure::NoAnswer, "it hung up".into())),
            Self::Panics => panic!("a bug in the client"),
        };
        Ok(built.unwrap().into())
    }
}

/// A call as it came.
#[derive(Debug, Clone)]
pub(in crate::actor) struct Call {
    /// Such as `PUT hook viewer_started` or `GET chat`.
    pub name: String,
    pub query: HashMap<String, String>,
    pub body: Value,
}

/// All services that the actors call.
#[derive(Debug, Default)]
pub(in crate::actor) struct MockServices {
    calls: Mutex<Vec<Call>>,
    next: Mutex<HashMap<&'static str, VecDeque<Scripted>>>,
    always: Mutex<HashMap<&'static str, Scripted>>,
}

impl MockServices {
    /// The next call whose name begins with `call` gets `answer`; later calls get the next
    /// scripted answer.
    pub fn next(&self, call: &'static str, answer: Scripted) {
        self.next.lock().entry(call).or_default().push_back(answer);
    }

    /// Every call whose name begins with `call` and for which nothing is next gets `answer`.
    pub fn always(&self, call: &'static str, answer: Scripted) {
        self.always.lock().insert(call, answer);
    }

    /// From now on every call succeeds again.
    pub fn mend(&self) {
        self.next.lock().clear();
        self.always.lock().clear();
    }

    pub fn calls(&self) -> Vec<Call> {
        self.calls.lock().clone()
    }

    /// The names of the calls so far, in their order.
    pub fn names(&self) -> Vec<String> {
        self.calls.lock().iter().map(|call| call.name.clone()).collect()
    }

    /// How many calls so far have a name that begins with `call`.
    pub fn count(&self, call: &str) -> usize {
        self.calls.lock().iter().filter(|made| made.name.starts_with(call)).count()
    }

    pub fn forget_calls(&self) {
        self.calls.lock().clear();
    }

    fn scripted(&self, name: &str) -> Option<Scripted> {
        let mut next = self.next.lock();
        let waiting = next.iter_mut().filter(|(call, _)| name.starts_with(**call));
        // The more a script says of a call, the more it is meant.
        let meant = waiting.max_by_key(|(call, _)| call.len());
        meant.and_then(|(_, answers)| answers.pop_front()).or_else(|| {
            let always = self.always.lock();
            let meant = always.iter().filter(|(call, _)| name.starts_with(**call));
            meant.max_by_key(|(call, _)| call.len()).map(|(_, answer)| answer.clone())
        })
    }
}

impl StandIn for MockServices {
    fn answer(&self, request: Request) -> BoxFuture<'_, Result<Response, (Failure, String)>> {
        let call = call(&request);
        let name = call.name.clone();
        self.calls.lock().push(call);
        let answer = self.scripted(&name).unwrap_or_else(|| good(&name));
        Box::pin(answer.give())
    }
}

fn call(request: &Request) -> Call {
    let body = request.body().and_then(reqwest::Body::as_bytes).unwrap_or_default();
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let path = request.url().path().trim_start_matches("/api/v1/").trim_matches('/').to_owned();
    let mut name = format!("{} {path}", request.method());
    if path == "hook" {
        name = format!("{name} {}", body["type"].as_str().unwrap());
    } else if path.starts_with("tc/") {
        name = match *request.method() {
            Method::POST => "ask phone".into(),
            Method::DELETE => "cancel phone".into(),
            _ => "poll phone".into(),
        };
    }
    let query = request.url().query_pairs().into_owned().collect();
    Call { name, query, body }
}

fn good(name: &str) -> Scripted {
    match name {
        "GET regions" => Scripted::json(&json!(["here-1", "there-2"])),
        "GET session_pin" => Scripted::json(&json!({ "success": true, "session_pin": PIN })),
        "GET chat" => Scripted::json(&json!({ "success": true, "chat": [] })),
        "GET session_parameters" => {
            Scripted::json(&json!({ "success": true, "conf": "Y29uZg", "version": "1" }))
        }
        "GET session_exe" => {
            Scripted::Http { status: 200, kind: "application/octet-stream", body: "MZ".into() }
        }
        "GET x/capabilities" => Scripted::status(404),
        "ask phone" | "poll phone" => {
            Scripted::json(&json!({ "id": QUESTION, "state": "pending" }))
        }
        // Hooks, e-mails, revoking, timing a region, taking a push back.
        _ => Scripted::ok(),
    }
}

/// The verification service's name of each question.
pub(in crate::actor) const QUESTION: &str = "8fa7f2c0b1b0d0b6a7a0c7cb2f3d9a0f7a1c3e5b";

pub(super) fn address() -> LoginWithMeConfig {
    LoginWithMeConfig::parse("http://service.test/api/v1", "http://service.test/region/{region}")
        .unwrap()
}

pub(super) fn logintc(services: Arc<MockServices>) -> LoginTc {
    let service = logintc::LoginTcConfig {
        base_url: "http://service.test/tc".parse().unwrap(),
        domain: "0123456789abcdef0123456789abcdef01234567".into(),
        key: "k".repeat(64).into(),
    };
    LoginTc::to(service, services)
}
