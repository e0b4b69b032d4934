//! How hooks are delivered: signed, and tried again where nobody answered.
#![allow(clippy::unwrap_used)]

mod common;
#[path = "common/console.rs"]
mod console;

use std::{net::Ipv4Addr, time::Duration};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    routing::post,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use common::{MINUTE, PATIENCE, Rig, broker, json_of};
use console::{Console, KEY};
use port_tests::KeptPort;
use ring::hmac;
use serde_json::json;
use serve::{Fault, FaultRule, Limits, Port, Server};
use tokio::sync::{Mutex, mpsc};
use uuid::Uuid;

/// Answers each POST with the next of these; with 200 when there is none left.
struct Receiver {
    server: Server,
    came: mpsc::UnboundedReceiver<(HeaderMap, Bytes)>,
}

type Answers = std::sync::Arc<Mutex<Vec<StatusCode>>>;

impl Receiver {
    fn answering(answers: &[StatusCode]) -> Self {
        Self::on(Port::Any, answers)
    }

    fn on(port: Port, answers: &[StatusCode]) -> Self {
        let (tell, came) = mpsc::unbounded_channel();
        let left = Answers::new(Mutex::new(answers.to_vec()));
        let take = move |State(left): State<Answers>, headers: HeaderMap, body: Bytes| async move {
            tell.send((headers, body)).unwrap();
            let mut left = left.lock().await;
            if left.is_empty() { StatusCode::OK } else { left.remove(0) }
        };
        let routes = Router::new().route("/hook", post(take)).with_state(left);
        let bound = serve::bind(Ipv4Addr::LOCALHOST.into(), port).unwrap();
        Self { server: Server::start(bound, routes, Limits::default(), None).unwrap(), came }
    }

    fn url(&self) -> String {
        format!("http://{}/hook", self.server.addr())
    }

    async fn next(&mut self) -> (HeaderMap, Bytes) {
        tokio::time::timeout(PATIENCE, self.came.recv()).await.expect("no hook came").unwrap()
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).unwrap_or_else(|| panic!("no {name}")).to_str().unwrap()
}

/// Arms the hook of a viewer's start and has it fire.
async fn fire(rig: &Rig, pin: &str, url: &str) -> common::Page {
    assert_eq!(rig.put_hook(pin, "viewer_started", url).await.status(), 200);
    rig.page(pin, "viewers").await
}

/// Lets all pauses of a minute go by, one after the other.
async fn a_minute_of_attempts(rig: &Rig) {
    for _ in 0..10 {
        rig.advance(Duration::from_secs(15)).await;
        tokio::task::yield_now().await;
    }
    rig.handle().idle().await;
}

#[tokio::test]
async fn a_delivery_is_signed_for_the_console_that_minted_the_session() {
    let (rig, mut receiver) = (broker().await, Receiver::answering(&[]));
    let capabilities = rig.http.get(rig.url("/x/capabilities")).header("deskhand-console", KEY);
    let capabilities = json_of(capabilities.send().await.unwrap()).await;
    assert_eq!((&capabilities["events"], &capabilities["chat"]), (&json!(true), &json!(true)));
    let secret = capabilities["webhook_secret"].as_str().unwrap().strip_prefix("whsec_").unwrap();
    let key = hmac::Key::new(hmac::HMAC_SHA256, &STANDARD.decode(secret).unwrap());
    assert_eq!(rig.get_json("/x/capabilities").await.get("webhook_secret"), None);

    let pin = console::mint(&rig, KEY).await;
    let mut console = Console::open(&rig, KEY).await;
    console.follow(&pin).await;
    let _page = fire(&rig, &pin, &receiver.url()).await;
    let (headers, body) = receiver.next().await;
    let (id, at) = (text(&headers, "webhook-id"), text(&headers, "webhook-timestamp"));
    let mut signed = format!("{id}.{at}.").into_bytes();
    signed.extend_from_slice(&body);
    let expected = format!("v1,{}", STANDARD.encode(hmac::sign(&key, &signed).as_ref()));
    assert_eq!(text(&headers, "webhook-signature"), expected);
    assert!(!id.contains(&pin));
    let state = console.state_where(|state| state["viewers"]["is"] == "online").await;
    assert_eq!(text(&headers, "deskhand-revision"), state["revision"].to_string());
    // A session without a console has nobody who could check a signature.
    let keyless = rig.mint().await;
    let _page = fire(&rig, &keyless, &receiver.url()).await;
    let (headers, _) = receiver.next().await;
    assert_eq!(headers.get("webhook-signature"), None);
    assert_ne!(text(&headers, "webhook-id"), id);
}

#[tokio::test]
async fn what_a_failing_server_did_not_take_is_tried_again_with_the_same_id() {
    let failing = [StatusCode::SERVICE_UNAVAILABLE, StatusCode::BAD_GATEWAY];
    let (rig, mut receiver) = (broker().await, Receiver::answering(&failing));
    let pin = rig.mint().await;
    let _page = fire(&rig, &pin, &receiver.url()).await;
    let (first, body) = receiver.next().await;
    for _ in 0..2 {
        let (again, same) = receiver.next().await;
        assert_eq!(text(&again, "webhook-id"), text(&first, "webhook-id"));
        assert_eq!(same, body);
    }
    a_minute_of_attempts(&rig).await;
    assert!(receiver.came.try_recv().is_err(), "the third one was answered");
}

#[tokio::test]
async fn a_receiver_that_comes_back_gets_what_it_missed_and_holds_up_nobody() {
    let (rig, mut other) = (broker().await, Receiver::answering(&[]));
    let port = KeptPort::new();
    let url = format!("http://{}/hook", port.addr());
    let (pin, another) = (rig.mint().await, rig.mint().await);
    let _missed = fire(&rig, &pin, &url).await;
    rig.handle().idle().await;
    let _taken = fire(&rig, &another, &other.url()).await;
    other.next().await;
    let mut back = Receiver::on(Port::Exactly(port.number()), &[]);
    assert!(String::from_utf8_lossy(&back.next().await.1).contains(&pin));
}

#[tokio::test]
async fn any_answer_of_the_receiver_ends_a_delivery() {
    for status in [StatusCode::NO_CONTENT, StatusCode::FOUND, StatusCode::TOO_MANY_REQUESTS] {
        let (rig, mut receiver) = (broker().await, Receiver::answering(&[status]));
        let pin = rig.mint().await;
        let _page = fire(&rig, &pin, &receiver.url()).await;
        receiver.next().await;
        rig.handle().idle().await;
        a_minute_of_attempts(&rig).await;
        assert!(receiver.came.try_recv().is_err(), "{status}");
    }
}

#[tokio::test]
async fn a_drop_of_the_fault_plan_is_lost_for_good_and_a_lost_answer_is_not() {
    let (rig, mut receiver) = (broker().await, Receiver::answering(&[]));
    let plan = |fault| {
        let rule = FaultRule { route: "deliver".into(), fault, after: 0, times: Some(1) };
        rig.handle().faults().set(vec![rule]);
    };
    let pin = rig.mint().await;
    plan(Fault::Drop);
    let _page = fire(&rig, &pin, &receiver.url()).await;
    rig.handle().idle().await;
    a_minute_of_attempts(&rig).await;
    assert!(receiver.came.try_recv().is_err());
    plan(Fault::DropAnswer);
    let _page = fire(&rig, &pin, &receiver.url()).await;
    let ((first, _), (again, _)) = (receiver.next().await, receiver.next().await);
    assert_eq!(text(&first, "webhook-id"), text(&again, "webhook-id"));
    plan(Fault::Status { code: 503 });
    let _page = fire(&rig, &pin, &receiver.url()).await;
    assert_ne!(text(&receiver.next().await.0, "webhook-id"), text(&first, "webhook-id"));
}

#[tokio::test]
async fn nothing_is_tried_again_once_the_pin_is_revoked_or_a_minute_is_over() {
    let failing = [StatusCode::INTERNAL_SERVER_ERROR; 20];
    let (rig, mut receiver) = (broker().await, Receiver::answering(&failing));
    let pin = rig.mint().await;
    let _page = fire(&rig, &pin, &receiver.url()).await;
    receiver.next().await;
    rig.handle().idle().await;
    rig.post("/x/revoke", &json!({ "session_pin": pin })).await;
    // One that was on its way already may still come.
    rig.handle().idle().await;
    while receiver.came.try_recv().is_ok() {}
    a_minute_of_attempts(&rig).await;
    assert!(receiver.came.try_recv().is_err());

    let pin = rig.mint().await;
    let _page = fire(&rig, &pin, &receiver.url()).await;
    let mut attempts = 0;
    receiver.next().await;
    for _ in 0..7 {
        rig.handle().idle().await;
        rig.advance(MINUTE).await;
        receiver.next().await;
        attempts += 1;
    }
    assert_eq!(attempts, 7);
    rig.advance(MINUTE).await;
    a_minute_of_attempts(&rig).await;
    assert!(receiver.came.try_recv().is_err(), "a minute was over");
}

#[tokio::test]
async fn a_console_is_told_which_deliveries_may_still_come() {
    let failing = [StatusCode::INTERNAL_SERVER_ERROR; 20];
    let (rig, mut receiver) = (broker().await, Receiver::answering(&failing));
    let pin = console::mint(&rig, KEY).await;
    let mut console = Console::open(&rig, KEY).await;
    console.follow(&pin).await;
    let _page = fire(&rig, &pin, &receiver.url()).await;
    let state = console.state_where(|state| state["viewers"]["is"] == "online").await;
    assert_eq!(state["under_way"], json!([0, 1, 0, 0]));
    receiver.next().await;
    for _ in 0..7 {
        rig.handle().idle().await;
        rig.advance(MINUTE).await;
        receiver.next().await;
    }
    // Nothing else has changed: it is told for this alone.
    let given_up = console.state_where(|state| state["under_way"] == json!([0, 0, 0, 0])).await;
    assert_eq!(given_up["happened"], json!([0, 1, 0, 0]));
    assert_eq!(given_up["revision"], state["revision"]);
}

/// Whoever is told that it has happened, for whatever other reason, would else take the hook for lost.
#[tokio::test]
async fn a_delivery_is_under_way_from_the_moment_at_which_its_event_has_happened() {
    let (rig, receiver) = (broker().await, Receiver::answering(&[]));
    let pin = rig.mint().await;
    assert_eq!(rig.put_hook(&pin, "viewer_started", &receiver.url()).await.status(), 200);
    let (handle, pin) = (rig.handle(), pin.parse().unwrap());
    let arrives = handle.page_arrives(&pin, wire::Side::Viewers, Uuid::new_v4(), "Anna");
    let mut arrives = std::pin::pin!(arrives);
    assert!(futures_util::poll!(arrives.as_mut()).is_pending(), "it isn't on the disk yet");
    let facts = handle.facts(&pin).unwrap();
    assert_eq!((facts.happened, facts.under_way), ([0, 1, 0, 0], Some([0, 1, 0, 0])));
    arrives.await.unwrap();
}
