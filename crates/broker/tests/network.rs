//! The endpoint for strangers on the network: customers come in by it, and nobody gets further than that.
#![allow(clippy::unwrap_used)]

mod common;

use broker::{Network, Rate};
use common::{HOOKS, Page, Receiver, Rig, broker, broker_with, endpoint, json_of};
use reqwest::{Response, StatusCode};
use serde_json::{Value, json};
use serve::TlsFiles;

/// A broker that is open to the network, and the origin there.
async fn open() -> (Rig, String) {
    let mut rig = broker().await;
    rig.running.open_to_network(endpoint()).await.unwrap();
    let origin = rig.handle().customers_origin();
    (rig, origin)
}

/// A call from the network.
async fn call(rig: &Rig, origin: &str, method: &str, path: &str, body: &Value) -> Response {
    let url = format!("{origin}/api/v1{path}");
    let request = rig.http.request(method.parse().unwrap(), url);
    request.body(body.to_string()).send().await.unwrap()
}

async fn put(rig: &Rig, origin: &str, pin: &str, url: &str) -> StatusCode {
    let body = json!({ "type": "viewer_started", "url": url, "session_pin": pin });
    call(rig, origin, "PUT", "/hook/", &body).await.status()
}

async fn mint(rig: &Rig, origin: &str) -> String {
    let answer = call(rig, origin, "GET", "/session_pin?region=us-east-1", &Value::Null).await;
    json_of(answer).await["session_pin"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_customer_of_the_network_joins_and_the_console_hears_of_it() {
    let ((rig, origin), mut receiver) = (open().await, Receiver::start());
    let pin = rig.mint().await;
    rig.arm_all(&pin, &receiver).await;
    assert_eq!(rig.running.join_url_template(), format!("{origin}/join#{{pin}}"));
    assert_ne!(origin, rig.running.origin());
    let page = rig.http.get(format!("{origin}/join")).send().await.unwrap();
    assert_eq!(page.status(), 200);
    let mut customer = Page::open_at(&origin, &pin, "presenter", "Maria").await;
    assert_eq!(customer.welcome["type"], "welcome");
    receiver.expect("presenter_started").await;

    let mut running = rig.running;
    running.close_to_network().await;
    assert_eq!(customer.next_of("bye").await["code"], "restarting");
    assert!(rig.http.get(format!("{origin}/join")).send().await.is_err(), "nobody comes in");
    assert!(running.join_url_template().starts_with(running.origin()));
}

#[tokio::test]
async fn hooks_that_the_network_puts_never_lead_to_this_machine_or_a_private_network() {
    let ((rig, origin), mut receiver) = (open().await, Receiver::start());
    let theirs = mint(&rig, &origin).await;
    for inside in [
        receiver.url("x"),
        receiver.url("x").replace("127.0.0.1", "localhost"),
        "http://[::1]:80/".to_owned(),
        "http://192.168.1.1/".to_owned(),
        "http://169.254.169.254/latest/meta-data".to_owned(),
    ] {
        assert_eq!(put(&rig, &origin, &theirs, &inside).await, 400, "{inside}");
        // Nor by way of somebody on this machine.
        let refused = rig.put_hook(&theirs, "viewer_started", &inside).await;
        assert_eq!(refused.status(), 400, "{inside}");
    }
    assert_eq!(put(&rig, &origin, &theirs, "https://hooks.example.com/x").await, 200);
    let ours = rig.mint().await;
    let armed = rig.put_hook(&ours, "viewer_started", &receiver.url("ours")).await;
    assert_eq!(armed.status(), 200, "the console's own hooks still lead here");
    let _page = Page::open_at(&origin, &ours, "viewers", "Anna").await;
    receiver.expect("ours").await;
}

#[tokio::test]
async fn a_customer_who_knows_the_pin_cannot_turn_the_consoles_hooks_away_or_send_mail() {
    let ((rig, origin), mut receiver) = (open().await, Receiver::start());
    let pin = rig.mint().await;
    rig.arm_all(&pin, &receiver).await;
    let own_mail = format!("{origin}/api/v1/email/x@example.com");
    for url in ["https://hooks.example.com/stolen", own_mail.as_str()] {
        assert_eq!(put(&rig, &origin, &pin, url).await, 403, "{url}");
    }
    let mail = json!({ "type": "viewer_started", "name": "Anna", "session_pin": pin });
    let sent = call(&rig, &origin, "POST", "/email/x@example.com", &mail).await;
    assert_eq!(sent.status(), 403);
    assert!(!sent.text().await.unwrap().contains(&pin));
    let _customer = Page::open_at(&origin, &pin, "presenter", "Maria").await;
    receiver.expect(HOOKS[0]).await;
    assert!(rig.handle().outbox().is_empty());
    let ours = rig.post("/email/x@example.com", &mail).await;
    assert_eq!(ours.status(), 200);
    let body = &rig.handle().outbox()[0].body;
    assert!(body.contains(&format!("{origin}/join#{pin}")), "a mail's link leads in from outside");
}

#[tokio::test]
async fn the_network_has_limits_of_its_own_and_the_console_keeps_its_room() {
    let mut rig = broker_with(|config| {
        // Everybody who can't be told from others is one address, and has an owner's share: four times as much.
        config.rates.remote.mint = Rate::new(1, 600);
        config.rates.remote.mail_by_pin = Rate::new(1, 3_600);
    })
    .await;
    rig.running.open_to_network(endpoint()).await.unwrap();
    let origin = rig.handle().customers_origin();
    let theirs = mint(&rig, &origin).await;
    for _ in 0..3 {
        mint(&rig, &origin).await;
    }
    let fifth = call(&rig, &origin, "GET", "/session_pin?region=us-east-1", &Value::Null).await;
    assert_eq!(fifth.status(), 429);
    let mail = json!({ "type": "viewer_started", "name": "A", "session_pin": theirs });
    let send = async || call(&rig, &origin, "POST", "/email/a@example.com", &mail).await.status();
    assert_eq!([send().await, send().await], [200, 429]);
    for _ in 0..5 {
        rig.mint().await;
    }
}

#[tokio::test]
async fn proxies_are_trusted_from_now_on_and_nobody_is_disconnected() {
    let mut rig = broker_with(|config| config.rates.remote.mint = Rate::new(1, 600)).await;
    rig.running.open_to_network(endpoint()).await.unwrap();
    let origin = rig.handle().customers_origin();
    let pin = rig.mint().await;
    let mut page = Page::open_at(&origin, &pin, "presenter", "Maria").await;
    let url = format!("{origin}/api/v1/session_pin?region=us-east-1");
    let mint = async |from: &str| {
        let asked = rig.http.get(&url).header("x-forwarded-for", from);
        asked.send().await.unwrap().status().as_u16()
    };
    for n in 1..5 {
        assert_eq!(mint(&format!("198.51.100.{n}")).await, 200);
    }
    assert_eq!(mint("198.51.100.5").await, 429, "all of them are one");
    let proxies = ["127.0.0.1".parse().unwrap()];
    rig.running.trust_network_proxies(serve::TrustedProxies::new(proxies));
    assert_eq!([mint("198.51.100.2").await, mint("198.51.100.3").await], [200, 200]);
    rig.running.trust_network_proxies(serve::TrustedProxies::default());
    assert_eq!(mint("198.51.100.4").await, 429);
    page.send(&json!({ "type": "chat", "name": "Maria", "body": "still here" })).await;
    assert_eq!(page.next_of("chat").await["message"]["body"], "still here");
}

#[tokio::test]
async fn customers_behind_a_trusted_proxy_are_told_apart_and_an_untrusted_one_speaks_for_nobody() {
    for (trusted, of_the_next) in [(true, 200), (false, 429)] {
        let mut rig = broker_with(|config| config.rates.remote.mint = Rate::new(1, 600)).await;
        let proxies = trusted.then(|| "127.0.0.1".parse().unwrap());
        let trusted_proxies = serve::TrustedProxies::new(proxies);
        rig.running.open_to_network(Network { trusted_proxies, ..endpoint() }).await.unwrap();
        let url =
            format!("{}/api/v1/session_pin?region=us-east-1", rig.handle().customers_origin());
        let mint = async |from: &str| {
            let asked = rig.http.get(&url).header("x-forwarded-for", from);
            asked.send().await.unwrap().status().as_u16()
        };
        for _ in 0..4 {
            assert_eq!(mint("198.51.100.1").await, 200);
        }
        assert_eq!(mint("198.51.100.1").await, 429);
        assert_eq!(mint("198.51.100.2").await, of_the_next, "trusted: {trusted}");
    }
}

#[tokio::test]
async fn strangers_reports_do_not_shut_the_console_out_of_its_own_broker() {
    let rig = broker_with(|config| {
        config.trusted_proxies = serve::TrustedProxies::new(["127.0.0.1".parse().unwrap()]);
    })
    .await;
    let pins = [rig.mint().await, rig.mint().await, rig.mint().await];
    for (i, pin) in pins.iter().enumerate() {
        let body = json!({ "user_agent": "test", "session_pin": pin }).to_string();
        let report = rig.http.post(rig.url("/report_abuse")).body(body);
        let from = report.header("x-forwarded-for", format!("198.51.100.{i}"));
        assert_eq!(from.send().await.unwrap().status(), 200);
    }
    assert_eq!(rig.get("/regions").await.status(), 200);
}

#[tokio::test]
async fn the_endpoint_speaks_tls_where_it_has_a_certificate_and_says_what_is_wrong_with_one() {
    let mut rig = broker().await;
    let file = |name: &str| {
        format!("{}/../serve/tests/fixtures/test-only.{name}.pem", env!("CARGO_MANIFEST_DIR"))
    };
    let tls = |cert: &str, key: &str| Some(TlsFiles::new(file(cert), file(key)));
    let wrong = Network { tls: tls("cert", "cert"), ..endpoint() };
    let refused = rig.running.open_to_network(wrong).await.unwrap_err();
    assert!(refused.to_string().contains("test-only.cert.pem"), "{refused}");
    assert_eq!(rig.handle().customers_origin(), rig.running.origin());

    rig.running.open_to_network(Network { tls: tls("cert", "key"), ..endpoint() }).await.unwrap();
    let origin = rig.handle().customers_origin();
    assert!(origin.starts_with("https://127.0.0.1:"), "{origin}");
    let pem = std::fs::read(file("cert")).unwrap();
    let trusted = reqwest::Certificate::from_pem(&pem).unwrap();
    let client = reqwest::Client::builder().no_proxy().tls_certs_only([trusted]).build().unwrap();
    assert_eq!(client.get(format!("{origin}/join")).send().await.unwrap().status(), 200);
    assert_eq!(rig.get("/regions").await.status(), 200, "this machine goes on without");
}

#[tokio::test]
async fn a_listener_is_called_where_hooks_may_go_and_nowhere_else() {
    let ((rig, origin), mut receiver) = (open().await, Receiver::start());
    assert_eq!(rig.get_json("/x/capabilities").await["reach"], true);
    let nonce = "0123456789abcdef0123456789abcdef";
    let listener = receiver.url("").replace("/hook/", "");
    let reach = |url: String| json!({ "url": url });
    for odd in [
        format!("{listener}/reach/{}", "x".repeat(32)),
        format!("{listener}/reach/{nonce}?a=b"),
        format!("{listener}/reach/{nonce}/"),
        format!("{listener}/hook/{nonce}"),
        format!("ftp://example.com/reach/{nonce}"),
    ] {
        assert_eq!(rig.post("/x/reach", &reach(odd.clone())).await.status(), 400, "{odd}");
    }
    let inside = reach(format!("{listener}/hook/reach/{nonce}"));
    let refused = call(&rig, &origin, "POST", "/x/reach", &inside).await;
    assert_eq!(refused.status(), 400, "not from the network");
    let reached = json_of(rig.post("/x/reach", &inside).await).await;
    assert_eq!(reached, json!({ "success": true, "answered": true }));
    receiver.expect(&format!("reach/{nonce}")).await;
    receiver.expect_nothing();
}

#[tokio::test]
async fn a_listener_is_called_only_so_often() {
    let rig = broker_with(|config| config.rates.local.reach = Rate::new(1, 60)).await;
    // Nothing listens there.
    let body = json!({ "url": "http://127.0.0.1:9/reach/0123456789abcdef0123456789abcdef" });
    let reach = async || rig.post("/x/reach", &body).await;
    assert_eq!(json_of(reach().await).await, json!({ "success": true, "answered": false }));
    for _ in 0..3 {
        assert_eq!(reach().await.status(), 200);
    }
    assert_eq!(reach().await.status(), 429);
    rig.advance(common::MINUTE).await;
    assert_eq!(reach().await.status(), 200);
}
