//! A broker on a network is no open relay, no oracle for PINs and no way into its own network.
#![allow(clippy::unwrap_used)]

mod common;

use std::time::Duration;

use broker::{Rate, TargetPolicy};
use common::{MINUTE, Receiver, Rig, broker, broker_with};
use futures_util::{SinkExt as _, StreamExt as _};
use reqwest::Response;
use serde_json::{Value, json};
use serve::{Pace, Paces, TrustedProxies};
use tokio_tungstenite::{
    connect_async,
    tungstenite::{Message, client::IntoClientRequest as _},
};
use uuid::Uuid;

/// A broker that believes the tests' X-Forwarded-For.
async fn behind_a_proxy() -> Rig {
    broker_with(|config| {
        config.trusted_proxies = TrustedProxies::new(["127.0.0.1".parse().unwrap()]);
    })
    .await
}

async fn call(rig: &Rig, method: &str, ip: &str, path: &str, body: &Value) -> Response {
    let method = method.parse().unwrap();
    let request = rig.http.request(method, rig.url(path)).header("x-forwarded-for", ip);
    request.body(body.to_string()).send().await.unwrap()
}

async fn mint_from(rig: &Rig, ip: &str) -> String {
    let answer = call(rig, "GET", ip, "/session_pin?region=us-east-1", &Value::Null).await;
    common::json_of(answer).await["session_pin"].as_str().unwrap().to_owned()
}

async fn report(rig: &Rig, ip: &str, pin: &str) -> Response {
    let body = json!({ "user_agent": "test", "session_pin": pin });
    call(rig, "POST", ip, "/report_abuse", &body).await
}

#[tokio::test]
async fn the_program_is_sent_to_nobody_without_end() {
    let rig = broker_with(|config| {
        config.trusted_proxies = TrustedProxies::new(["127.0.0.1".parse().unwrap()]);
        config.rates.remote.downloads = Rate::new(2, 600);
    })
    .await;
    let from = async |ip: &str| {
        let path = "/x/program?platform=linux-x86_64";
        call(&rig, "GET", ip, path, &Value::Null).await.status().as_u16()
    };
    // An office behind one IPv4 address has what an owner of many networks has: four times as many as one of these.
    let one = "203.0.113.7";
    for _ in 0..8 {
        assert_ne!(from(one).await, 429);
    }
    assert_eq!(from(one).await, 429);
    assert_ne!(from("203.0.113.8").await, 429, "others are sent it");
    let mut refused = 0;
    for _ in 0..3 {
        refused += u16::from(from("2001:db8:2:1::1").await == 429);
    }
    assert_eq!(std::mem::take(&mut refused), 1);
    for subnet in 0..10 {
        refused += u16::from(from(&format!("2001:db8:1:{subnet}::1")).await == 429);
    }
    assert_eq!(refused, 2, "an owner of many networks has four times as many as one");
}

#[tokio::test]
async fn three_reports_of_three_pins_from_three_addresses_block_who_minted_them_for_good() {
    let rig = behind_a_proxy().await;
    let minter = "203.0.113.7";
    let pins = [
        mint_from(&rig, minter).await,
        mint_from(&rig, minter).await,
        mint_from(&rig, minter).await,
    ];
    for (i, pin) in pins.iter().enumerate() {
        assert_eq!(call(&rig, "GET", minter, "/regions", &Value::Null).await.status(), 200);
        let answer = report(&rig, &format!("198.51.100.{i}"), pin).await;
        assert_eq!(answer.headers()["content-type"], "text/html; charset=UTF-8");
        assert_eq!(answer.text().await.unwrap(), "{\n    \"success\": true\n}");
    }
    assert_eq!(call(&rig, "GET", minter, "/regions", &Value::Null).await.status(), 403);
    let proxies = TrustedProxies::new(["127.0.0.1".parse().unwrap()]);
    let rig = rig.restart_with(|config| config.trusted_proxies = proxies).await;
    assert_eq!(call(&rig, "GET", minter, "/regions", &Value::Null).await.status(), 403);
    assert_eq!(call(&rig, "GET", "203.0.113.8", "/regions", &Value::Null).await.status(), 200);
}

#[tokio::test]
async fn one_reporter_cannot_block_anybody_nor_can_many_with_one_pin() {
    let rig = behind_a_proxy().await;
    let minter = "203.0.113.7";
    let first = mint_from(&rig, minter).await;
    for i in 0..5 {
        let pin = mint_from(&rig, minter).await;
        report(&rig, "198.51.100.1", &pin).await;
        report(&rig, &format!("198.51.100.{i}"), &first).await;
    }
    assert_eq!(call(&rig, "GET", minter, "/regions", &Value::Null).await.status(), 200);
}

#[tokio::test]
async fn guessing_pins_is_refused_after_a_while_for_the_guesser_alone() {
    let rig = broker_with(|config| {
        config.trusted_proxies = TrustedProxies::new(["127.0.0.1".parse().unwrap()]);
        config.rates.remote.guesses = Rate::new(4, 900);
        config.rates.remote.guess_delay = Duration::ZERO;
    })
    .await;
    let pin = mint_from(&rig, "203.0.113.7").await;
    let path = |pin: &str| format!("/chat?session_pin={pin}");
    for _ in 0..4 {
        let wrong = call(&rig, "GET", "198.51.100.1", &path("AAA-AA-AAAA"), &Value::Null).await;
        assert_eq!(wrong.status(), 404);
    }
    let right = call(&rig, "GET", "198.51.100.1", &path(&pin), &Value::Null).await;
    assert_eq!(right.status(), 429);
    assert_eq!(right.headers()["retry-after"], "900");
    let other = call(&rig, "GET", "203.0.113.7", &path(&pin), &Value::Null).await;
    assert_eq!(other.status(), 200);
    rig.advance(MINUTE * 15).await;
    let later = call(&rig, "GET", "198.51.100.1", &path(&pin), &Value::Null).await;
    assert_eq!(later.status(), 200);
}

#[tokio::test]
async fn minting_and_email_are_limited_by_client_and_by_pin() {
    let rig = broker_with(|config| {
        config.rates.local.mint = Rate::new(1, 600);
        config.rates.local.mail_by_pin = Rate::new(2, 3_600);
        config.rates.local.mail_by_client = Rate::new(3, 3_600);
    })
    .await;
    let pins = [rig.mint().await, rig.mint().await];
    let _ = [rig.mint().await, rig.mint().await];
    assert_eq!(rig.get("/session_pin?region=us-east-1").await.status(), 429);
    let mail = async |pin: &str| {
        let body = json!({ "type": "viewer_started", "name": "A", "session_pin": pin });
        rig.post("/email/a@example.com", &body).await.status().as_u16()
    };
    assert_eq!([mail(&pins[0]).await, mail(&pins[0]).await, mail(&pins[0]).await], [200, 200, 429]);
    assert_eq!([mail(&pins[1]).await, mail(&pins[1]).await], [200, 429]);
    assert_eq!(rig.handle().outbox().len(), 3);
    rig.advance(MINUTE * 60).await;
    assert_eq!(mail(&pins[1]).await, 200);
}

#[tokio::test]
async fn hooks_to_this_machine_or_a_private_network_are_refused_unless_allowed() {
    let rig = broker_with(|config| config.hook_targets = TargetPolicy::default().into()).await;
    let pin = rig.mint().await;
    for inside in [
        "http://127.0.0.1:80/",
        "http://localhost/",
        "http://[::1]/",
        "http://10.0.0.1/",
        "http://169.254.169.254/latest/meta-data",
        "http://192.168.1.1/",
        "http://0.0.0.0/",
        "file:///etc/passwd",
        "http://user:password@example.com/",
    ] {
        let put = rig.put_hook(&pin, "viewer_started", inside).await;
        assert_eq!(put.status(), 400, "{inside}");
        let text = put.text().await.unwrap();
        assert!(!text.contains(inside), "the answer repeats nothing");
    }
    let own = rig.url("/email/a@example.com");
    assert_eq!(rig.put_hook(&pin, "viewer_started", &own).await.status(), 200);
}

#[tokio::test]
async fn the_address_is_judged_again_when_the_hook_is_delivered() {
    // The hook was put while loopback was allowed; the next run of the broker doesn't allow it.
    let (rig, mut receiver) = (broker().await, Receiver::start());
    let pin = rig.mint().await;
    let named = receiver.url("x").replace("127.0.0.1", "localhost");
    assert_eq!(rig.put_hook(&pin, "viewer_started", &named).await.status(), 200);
    rig.put_hook(&pin, "presenter_started", &receiver.url("y")).await;
    let rig = rig.restart_with(|config| config.hook_targets = TargetPolicy::default().into()).await;
    let _pages = [rig.page(&pin, "viewers").await, rig.page(&pin, "presenter").await];
    rig.handle().idle().await;
    receiver.expect_nothing();
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let (rig, mut receiver) = (broker().await, Receiver::start());
    let target = receiver.url("inside");
    let away = axum::Router::new().route(
        "/",
        axum::routing::post(move || async move { axum::response::Redirect::temporary(&target) }),
    );
    let bound = serve::bind([127, 0, 0, 1].into(), serve::Port::Any).unwrap();
    let url = format!("http://{}/", bound.addr());
    let _server = serve::Server::start(bound, away, serve::Limits::default(), None).unwrap();
    let pin = rig.mint().await;
    rig.put_hook(&pin, "viewer_started", &url).await;
    let _page = rig.page(&pin, "viewers").await;
    rig.handle().idle().await;
    receiver.expect_nothing();
}

#[tokio::test]
async fn a_receiver_that_never_answers_is_given_up_and_holds_up_nobody_else() {
    let rig =
        broker_with(|config| config.durations.hook_timeout = Duration::from_millis(300)).await;
    let mut receiver = Receiver::start();
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let pin = rig.mint().await;
    let url = format!("http://{}/", silent.local_addr().unwrap());
    rig.put_hook(&pin, "viewer_started", &url).await;
    rig.put_hook(&pin, "presenter_started", &receiver.url("other")).await;
    let _viewer = rig.page(&pin, "viewers").await;
    let _presenter = rig.page(&pin, "presenter").await;
    receiver.expect("other").await;
    rig.handle().idle().await;
}

#[tokio::test]
async fn this_machine_is_refused_by_its_public_address_and_name_as_by_loopback() {
    let nonce = "0123456789abcdef0123456789abcdef";
    for (public, here) in [
        ("http://93.184.216.34:8080", "http://93.184.216.34:9"),
        ("https://support.example.invalid", "http://support.example.invalid:9"),
    ] {
        for allowed in [false, true] {
            let rig = broker_with(|config| {
                config.public_url = public.parse().ok();
                config.hook_targets = TargetPolicy { loopback: allowed, private: true }.into();
                config.durations.hook_timeout = Duration::from_millis(1);
            })
            .await;
            let host = rig.running.addr().to_string();
            let call = async |method: reqwest::Method, path: &str, body: Value| {
                let url = format!("http://{host}/api/v1{path}");
                rig.http.request(method, url).body(body.to_string()).send().await.unwrap()
            };
            let minted = call(reqwest::Method::GET, "/session_pin?region=us-east-1", Value::Null);
            let pin = common::json_of(minted.await).await["session_pin"].clone();
            let hook = json!({ "type": "viewer_started", "url": here, "session_pin": pin });
            let expected = if allowed { 200 } else { 400 };
            let put = call(reqwest::Method::PUT, "/hook/", hook).await.status();
            assert_eq!(put, expected, "{here}");
            let reach = json!({ "url": format!("{here}/reach/{nonce}") });
            let reached = call(reqwest::Method::POST, "/x/reach", reach).await.status();
            assert_eq!(reached, expected, "{here}");
        }
    }
}

#[tokio::test]
async fn who_says_too_much_has_said_what_came_before_the_end() {
    let none = Pace { each: Duration::ZERO, at_once: 0, patience: Duration::ZERO };
    let messages = Pace { each: MINUTE * 60, ..none };
    let paces = Paces { connections: none, requests: none, messages, reads: none };
    let rig = broker_with(|config| {
        config.trusted_proxies = TrustedProxies::new(["127.0.0.1".parse().unwrap()]);
        config.limits.paces = Some(paces);
    })
    .await;
    let pin = rig.mint().await;
    let url = format!("{}/live", rig.running.origin().replace("http", "ws"));
    let mut request = url.into_client_request().unwrap();
    request.headers_mut().insert("x-forwarded-for", "203.0.113.7".parse().unwrap());
    let (mut socket, _) = connect_async(request).await.unwrap();
    let (page, name) = (Uuid::new_v4(), "Maria");
    let hello = json!({
        "type": "hello", "session_pin": pin, "side": "presenter", "page": page, "name": name,
    });
    let said = ["one", "two"].map(|body| json!({ "type": "chat", "name": name, "body": body }));
    // Without reading in between, so that no answer to a ping counts.
    for message in [&hello, &said[0], &said[1]] {
        socket.send(Message::text(message.to_string())).await.unwrap();
    }
    while let Some(Ok(_)) = socket.next().await {}
    let chat = rig.get_json(&format!("/chat?session_pin={pin}")).await;
    let bodies: Vec<_> = chat["chat"].as_array().unwrap().iter().map(|one| &one["body"]).collect();
    assert_eq!(bodies, ["one", "two"]);
}

#[tokio::test]
async fn minting_ends_where_as_many_sessions_are_kept_as_may_be_and_says_so() {
    let most = |config: &mut broker::Config| config.rates.local.sessions_in_all = 2;
    let rig = broker_with(most).await;
    let pin = rig.mint().await;
    rig.mint().await;
    let revoked = rig.post("/x/revoke", &json!({ "session_pin": pin })).await;
    assert_eq!(revoked.status(), 200);
    let is_refused = async |rig: &Rig| {
        let refused = rig.get("/session_pin?region=us-east-1").await;
        assert_eq!(refused.status(), 507);
        let why = common::json_of(refused).await["error"].as_str().unwrap().to_owned();
        assert!(
            why.contains("as many sessions as it may") && why.contains("try again later"),
            "{why}"
        );
    };
    is_refused(&rig).await;
    // What is stored counts as it did.
    let rig = rig.restart_with(most).await;
    is_refused(&rig).await;
    rig.advance(MINUTE * 60 * 24 * 4).await;
    rig.mint().await;
}
