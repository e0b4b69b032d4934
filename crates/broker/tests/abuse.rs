//! What somebody does who wants to bring the broker down or shut others out, and what others notice of it.
#![allow(clippy::unwrap_used)]

mod common;

use broker::{Config, Control, Rate};
use common::{Rig, broker_with, client, json_of};
use reqwest::{Response, StatusCode};
use serde_json::{Value, json};
use serve::{Port, TrustedProxies};

const MINTER: &str = "2001:db8:1:7::1";

/// A broker that believes the tests' X-Forwarded-For and has a control API.
async fn rig() -> Rig {
    broker_with(|config| controlled(config, config.data.with_file_name("token"))).await
}

fn controlled(config: &mut Config, token_file: std::path::PathBuf) {
    config.trusted_proxies = TrustedProxies::new(["127.0.0.1".parse().unwrap()]);
    config.control = Some(Control { ip: [127, 0, 0, 1].into(), port: Port::Any, token_file });
}

async fn call(rig: &Rig, method: &str, ip: &str, path: &str, body: &Value) -> Response {
    let request = rig.http.request(method.parse().unwrap(), rig.url(path));
    request.header("x-forwarded-for", ip).body(body.to_string()).send().await.unwrap()
}

async fn mint(rig: &Rig, ip: &str) -> String {
    let answer = call(rig, "GET", ip, "/session_pin?region=us-east-1", &Value::Null).await;
    json_of(answer).await["session_pin"].as_str().unwrap().to_owned()
}

async fn report(rig: &Rig, ip: &str, pin: &str) -> StatusCode {
    let body = json!({ "user_agent": "test", "session_pin": pin });
    call(rig, "POST", ip, "/report_abuse", &body).await.status()
}

async fn is_blocked(rig: &Rig, ip: &str) -> bool {
    call(rig, "GET", ip, "/regions", &Value::Null).await.status() == StatusCode::FORBIDDEN
}

/// The control API's answer, with its status.
async fn control(rig: &Rig, token: &str, method: &str, path: &str) -> (u16, Value) {
    let url = format!("http://{}/control/{path}", rig.running.control_addr().unwrap());
    let request = client().request(method.parse().unwrap(), url).bearer_auth(token);
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), json_of(answer).await)
}

#[tokio::test]
async fn an_owner_is_blocked_and_counts_as_one_reporter_and_the_operator_lifts_the_block() {
    let folder = tempfile::tempdir().unwrap();
    let token_file = folder.path().join("token");
    let rig = broker_with(|config| controlled(config, token_file.clone())).await;
    // Three PINs of one owner, each from another /64.
    let pins =
        [mint(&rig, MINTER).await, mint(&rig, "2001:db8:1:8::1").await, mint(&rig, MINTER).await];
    for (n, pin) in pins.iter().enumerate() {
        assert_eq!(report(&rig, &format!("2001:db8:2:{n}::1"), pin).await, 200);
    }
    assert!(!is_blocked(&rig, MINTER).await, "one owner's reports count once");
    for (n, pin) in pins.iter().enumerate() {
        assert_eq!(report(&rig, &format!("2001:db8:{}::1", n + 3), pin).await, 200);
    }
    assert!(is_blocked(&rig, MINTER).await && is_blocked(&rig, "2001:db8:1:ffff::9").await);
    assert!(!is_blocked(&rig, "2001:db8:9::1").await);

    let rig = rig.restart_with(|config| controlled(config, token_file.clone())).await;
    assert!(is_blocked(&rig, MINTER).await, "also after a restart");
    let token = std::fs::read_to_string(&token_file).unwrap().trim().to_owned();
    let (status, listed) = control(&rig, &token, "GET", "blocks").await;
    assert_eq!((status, &listed["blocks"][0]["owner"]), (200, &json!("2001:db8:1::/48")));
    assert_eq!(listed["blocks"][0]["since_s"], common::START.seconds());
    let lift =
        async |owner: &str| control(&rig, &token, "DELETE", &format!("blocks/{owner}")).await.0;
    assert_eq!([lift("nobody").await, lift("2001:db8:9::/48").await], [400, 404]);
    assert_eq!([lift("2001:db8:1::/48").await, lift("2001:db8:1::/48").await], [200, 404]);
    assert!(!is_blocked(&rig, MINTER).await);
    let (_, listed) = control(&rig, &token, "GET", "blocks").await;
    assert_eq!(listed["blocks"], json!([]));

    let rig = rig.restart_with(|config| controlled(config, token_file)).await;
    assert!(!is_blocked(&rig, MINTER).await, "a block that was lifted is gone from the disk");
    assert!(rig.handle().blocks().is_empty());
}

#[tokio::test]
async fn an_owner_reports_only_so_often() {
    let rig = rig().await;
    let pin = mint(&rig, MINTER).await;
    let mut told = Vec::new();
    for n in 0..30 {
        told.push(report(&rig, &format!("2001:db8:2:{n}::1"), &pin).await.as_u16());
    }
    assert_eq!(told.iter().filter(|&&status| status == 200).count(), 20);
    assert_eq!(told.last(), Some(&429));
    assert_eq!(report(&rig, "2001:db8:3::1", &pin).await, 200);
}

#[tokio::test]
async fn guesses_from_many_addresses_are_refused_and_a_right_pin_is_served_meanwhile() {
    let rig = rig().await;
    let pin = mint(&rig, MINTER).await;
    let roster = async |ip: &str, pin: &str| {
        let body = json!({ "session_pin": pin });
        let answer = call(&rig, "POST", ip, "/x/roster", &body).await;
        (answer.status().as_u16(), answer.headers().get("retry-after").cloned())
    };
    // Only one from each, so that no answer is held back.
    let mut told = Vec::new();
    for n in 0..400 {
        told.push(roster(&format!("2001:db8:{:x}::1", n + 16), "000-00-0000").await.0);
    }
    assert_eq!(told.iter().filter(|&&status| status == 404).count(), 300);
    assert_eq!(told.last(), Some(&429));
    let (status, wait) = roster("2001:db8:10:9::1", &pin).await;
    assert_eq!((status, wait.unwrap().to_str().unwrap()), (429, "10"), "who has missed once waits");
    assert_eq!(roster("203.0.113.77", &pin).await.0, 200);
    rig.advance(std::time::Duration::from_secs(10)).await;
    assert_eq!(roster("2001:db8:10:9::1", &pin).await.0, 200);
}

#[tokio::test]
async fn an_email_takes_a_name_and_no_address() {
    let rig = rig().await;
    let pin = rig.mint().await;
    for name in ["PC infected! Go to bit.ly/3xQz9", "evil.com/pay", "go to my site", "a@b.example"]
    {
        let body = json!({ "type": "viewer_started", "name": name, "session_pin": pin });
        let refused = rig.post("/email/a@example.com", &body).await;
        assert_eq!(refused.status(), 400, "{name}");
        let text = refused.text().await.unwrap();
        assert!(text.contains("plain name") && !text.contains("bit.ly"), "{text}");
    }
    assert!(rig.handle().outbox().is_empty());
}

#[tokio::test]
async fn whoever_comes_back_as_another_page_has_no_more_chat_than_before() {
    let rig = broker_with(|config| {
        config.rates.local.chat = Rate::new(2, 10);
        config.rates.local.signals = Rate::new(1, 10);
    })
    .await;
    let pin = rig.mint().await;
    let chat = json!({ "type": "chat", "name": "A", "body": "hello" });
    for _ in 0..20 {
        let mut page = rig.page(&pin, "viewers").await;
        for _ in 0..3 {
            page.send(&chat).await;
        }
        assert_eq!(page.next_of("refused").await["code"], "too_many");
    }
    let transcript = rig.get_json(&format!("/chat?session_pin={pin}")).await;
    let told = transcript["chat"].as_array().unwrap().len();
    assert_eq!(told, 32, "two on each connection, and sixteen times as much from an IPv4 address");
    let mut page = rig.page(&pin, "viewers").await;
    for _ in 0..2 {
        page.send(&json!({ "type": "name", "name": "B" })).await;
    }
    assert_eq!(page.next_of("refused").await["code"], "too_many", "names are told to all");
}
