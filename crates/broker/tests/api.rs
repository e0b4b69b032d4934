//! The documented calls over HTTP: answers to the byte, and what bad input gets.
#![allow(clippy::unwrap_used)]

mod common;

use std::time::Duration;

use common::{MINUTE, broker, broker_with, client, json_of};
use reqwest::{Response, header::HeaderMap};
use serde_json::{Value, json};

const JSON: &str = "application/json; charset=utf-8";

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).map(|value| value.to_str().unwrap())
}

/// Content type, declared length and text of an answer.
async fn parts(response: Response) -> (String, usize, String) {
    assert_eq!(response.status(), 200);
    let kind = header(response.headers(), "content-type").unwrap().to_owned();
    let length = header(response.headers(), "content-length").unwrap().parse().unwrap();
    (kind, length, response.text().await.unwrap())
}

#[tokio::test]
async fn session_pin_and_hook_answer_the_recorded_44_and_23_bytes() {
    let rig = broker().await;
    let (kind, length, text) = parts(rig.get("/session_pin?region=us-east-1").await).await;
    assert_eq!((kind.as_str(), length), (JSON, 44));
    let pin =
        serde_json::from_str::<Value>(&text).unwrap()["session_pin"].as_str().unwrap().to_owned();
    assert_eq!(text, format!(r#"{{"success":true,"session_pin":"{pin}"}}"#));
    let put = rig.put_hook(&pin, "viewer_started", "http://127.0.0.1:9/x").await;
    let (kind, length, text) = parts(put).await;
    assert_eq!((kind.as_str(), length), (JSON, 23));
    assert_eq!(text, "{\n    \"success\": true\n}");
}

#[tokio::test]
async fn whoever_only_looks_at_a_link_uses_nothing_up() {
    let rig = broker().await;
    let pin = rig.mint().await;
    let path = format!("/session_parameters?session_pin={pin}");
    for looked_at in [
        path.as_str(),
        "/session_pin?region=us-east-1",
        "/session_exe?conf=YWJj",
        &format!("/x/program?session_pin={pin}"),
    ] {
        let head = rig.http.head(rig.url(looked_at)).send().await.unwrap();
        assert_eq!(head.status(), 405, "{looked_at}");
        assert_eq!(head.headers()["allow"], "GET");
    }
    assert_eq!(rig.get(&path).await.status(), 200, "the conf is still to be had");
}

#[tokio::test]
async fn session_parameters_have_the_recorded_shape_and_are_given_once_even_after_a_restart() {
    let rig = broker().await;
    let pin = rig.mint().await;
    let path = format!("/session_parameters?session_pin={pin}");
    let (kind, length, text) = parts(rig.get(&path).await).await;
    assert_eq!((kind.as_str(), length), (JSON, text.len()));
    assert!(text.starts_with("{\n    \"success\": true,\n    \"conf\": \""));
    let answer: wire::loginwithme::SessionParameters = serde_json::from_str(&text).unwrap();
    let conf = wire::loginwithme::Conf::decode(&answer.conf).unwrap();
    assert_eq!((conf.session_pin.as_str(), conf.version), (pin.as_str(), answer.version));
    assert_eq!(conf.ttl, common::START.seconds() + 86_400);

    assert_eq!(rig.get(&path).await.status(), 409);
    let rig = rig.restart().await;
    assert_eq!(rig.get(&path).await.status(), 409);
}

#[tokio::test]
async fn session_url_is_the_viewers_page_of_this_broker() {
    let rig = broker().await;
    let pin = rig.mint().await;
    for (query, un, ro) in [
        ("", "", "false"),
        ("&ro=false", "", "false"),
        ("&ro=true", "", "true"),
        ("&un=Anna%20%26%20Bo&ro=true", "Anna+%26+Bo", "true"),
    ] {
        let answer = rig.get_json(&format!("/session_url?session_pin={pin}{query}")).await;
        let expected = format!("{}/view?session_pin={pin}&un={un}&ro={ro}", rig.running.origin());
        assert_eq!(answer, json!({ "success": true, "url": expected }));
    }
}

#[tokio::test]
async fn regions_are_listed_and_each_answers_its_probe() {
    let rig = broker_with(|config| {
        config.regions.iter_mut().for_each(|region| region.latency = Duration::from_millis(1));
    })
    .await;
    let (kind, length, text) = parts(rig.get("/regions").await).await;
    assert_eq!((kind.as_str(), length), (JSON, 95));
    for region in serde_json::from_str::<Vec<String>>(&text).unwrap() {
        let url = rig.running.region_url_template().replace("{region}", &region);
        assert_eq!(rig.http.get(url).send().await.unwrap().text().await.unwrap(), region);
    }
    let unknown = rig.running.region_url_template().replace("{region}", "mars-1");
    assert_eq!(rig.http.get(unknown).send().await.unwrap().status(), 404);
}

#[tokio::test]
async fn an_empty_chat_is_an_empty_list_and_a_transcript_outlives_the_pin_for_its_day() {
    let rig = broker().await;
    let pin = rig.mint().await;
    let path = format!("/chat?session_pin={pin}");
    assert_eq!(rig.get_json(&path).await, json!({ "success": true, "chat": [] }));

    rig.advance(Duration::from_secs(86_000)).await;
    let id = uuid::Uuid::new_v4();
    let typed: wire::Pin = pin.parse().unwrap();
    rig.handle().page_arrives(&typed, wire::Side::Viewers, id, "Anna").await.unwrap();
    rig.handle().page_says(&typed, id, "space man@¿", "Oh, hi. 👋").await.unwrap();
    let text = rig.get(&path).await.text().await.unwrap();
    assert!(
        text.is_ascii() && text.contains(r"space man@\u00bf") && text.contains(r"\ud83d\udc4b")
    );
    let sent = common::START.seconds() + 86_000;
    let message = &serde_json::from_str::<Value>(&text).unwrap()["chat"][0];
    assert_eq!((&message["timestamp"], &message["ttl"]), (&json!(sent), &json!(sent + 86_400)));
    assert_eq!(message["session_pin"], pin);

    let rig = rig.restart().await;
    rig.advance(Duration::from_secs(86_399)).await;
    assert_eq!(rig.get_json(&path).await["chat"].as_array().unwrap().len(), 1);
    rig.advance(Duration::from_secs(1)).await;
    assert_eq!(rig.get_json(&path).await["chat"], json!([]), "a day later it is gone");
}

#[tokio::test]
async fn email_lies_in_the_outbox_with_the_right_link_for_each_direction() {
    let rig = broker().await;
    let pin = rig.mint().await;
    for kind in ["presenter_started", "viewer_started"] {
        let body = json!({ "type": kind, "name": "John", "session_pin": pin });
        let answer = rig.post("/email/john@example.com", &body).await;
        assert_eq!(header(answer.headers(), "content-type"), Some(JSON));
        let answer = json_of(answer).await;
        assert_eq!(answer["success"], true);
        // The hosted service gives none; by this one the event channel says what becomes of the mail.
        let id = answer["id"].as_str().unwrap().to_owned();
        assert!(rig.handle().outbox().iter().any(|mail| mail.id.to_string() == id));
    }
    let rig = rig.restart().await;
    let outbox = rig.handle().outbox();
    assert!(outbox[0].body.contains("/view?session_pin=") && !outbox[0].body.contains("/join#"));
    assert!(outbox[1].body.contains(&format!("/join#{pin}")) && !outbox[1].body.contains("/view?"));
    assert!(outbox.iter().all(|mail| mail.to == "john@example.com" && mail.state.word() == "kept"));
}

#[tokio::test]
async fn email_is_refused_for_what_it_must_not_carry() {
    let rig = broker().await;
    let pin = rig.mint().await;
    let long = "x".repeat(65);
    for (address, kind, name) in [
        ("john", "viewer_started", "John"),
        ("a@b.c%0d%0aBcc:d@e.f", "viewer_started", "John"),
        ("john@example.com", "viewer_offline", "John"),
        ("john@example.com", "nonsense", "John"),
        ("john@example.com", "viewer_started", "see http://evil.example"),
        ("john@example.com", "viewer_started", "a\r\nBcc: x"),
        ("john@example.com", "viewer_started", &long),
    ] {
        let body = json!({ "type": kind, "name": name, "session_pin": pin });
        let answer = rig.post(&format!("/email/{address}"), &body).await;
        assert_eq!(answer.status(), 400, "{address} {kind} {name}");
    }
    let dead = json!({ "type": "viewer_started", "name": "John", "session_pin": "7W2-97-8570" });
    assert_eq!(rig.post("/email/john@example.com", &dead).await.status(), 404);
    assert!(rig.handle().outbox().is_empty());
}

#[tokio::test]
async fn bad_input_of_every_kind_gets_a_4xx_that_repeats_none_of_it() {
    let rig = broker().await;
    let pin = rig.mint().await;
    let url = "http://127.0.0.1:9/x";
    for body in [
        "".to_owned(),
        "{".into(),
        "[]".into(),
        "null".into(),
        "\u{0}\u{1}".into(),
        format!("[{pin}"),
        json!({ "type": "viewer_started", "url": url }).to_string(),
        json!({ "type": "viewer_started", "session_pin": pin }).to_string(),
        json!({ "url": url, "session_pin": pin }).to_string(),
        json!({ "type": "viewer_gone", "url": url, "session_pin": pin }).to_string(),
        json!({ "type": 1, "url": url, "session_pin": pin }).to_string(),
        json!({ "type": "viewer_started", "url": "nowhere", "session_pin": pin }).to_string(),
        json!({ "type": "viewer_started", "url": url, "session_pin": pin.to_lowercase() + "x" })
            .to_string(),
        json!({ "type": "viewer_started", "url": url, "session_pin": ["7W2-97-8570"] }).to_string(),
    ] {
        let answer = rig.http.put(rig.url("/hook/")).body(body.clone()).send().await.unwrap();
        assert_eq!(answer.status(), 400, "{body}");
        let text = answer.text().await.unwrap();
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap()["success"], false);
        assert!(!text.contains(&pin), "{text}");
    }
    for query in ["", "?session_pin=", "?session_pin=7w2-97-8570", "?session_pin=%FF%00", "?=&&%"] {
        for call in ["/chat", "/session_url", "/session_parameters"] {
            assert_eq!(rig.get(&format!("{call}{query}")).await.status(), 400, "{call}{query}");
        }
    }
    for query in ["", "?region=", "?region=mars-1", "?region=../x"] {
        assert_eq!(rig.get(&format!("/session_pin{query}")).await.status(), 400, "{query}");
    }
    assert_eq!(rig.get(&format!("/session_url?session_pin={pin}&ro=maybe")).await.status(), 400);
}

#[tokio::test]
async fn unknown_calls_and_methods_are_refused_and_garbage_paths_do_no_harm() {
    let rig = broker().await;
    assert_eq!(rig.get("/nothing").await.status(), 404);
    assert_eq!(rig.get("/x/nothing").await.status(), 404);
    assert_eq!(rig.get("/%FF%FE").await.status(), 404);
    assert_eq!(rig.get("/email/%FF").await.status(), 405);
    let broken = rig.http.post(rig.url("/email/%FF%FE")).body("{}").send().await.unwrap();
    assert_eq!(broken.status(), 400);
    let wrong_method = rig.http.delete(rig.url("/hook/")).send().await.unwrap();
    assert_eq!(wrong_method.status(), 405);
}

#[tokio::test]
async fn a_body_over_64_kib_gets_413_and_a_foreign_host_403() {
    let rig = broker().await;
    let big = rig.http.put(rig.url("/hook/")).body(vec![b' '; 65_537]).send().await.unwrap();
    assert_eq!(big.status(), 413);
    for path in ["/api/v1/regions", "/", "/join", "/live", "/nothing"] {
        let url = format!("{}{path}", rig.running.origin());
        let foreign = rig.http.get(url).header("host", "rebound.example:80").send().await.unwrap();
        assert_eq!(foreign.status(), 403, "{path}");
    }
}

const RECORDED: [&str; 4] = [
    "/regions",
    "/session_pin?region=us-east-1",
    "/session_url?session_pin=PIN",
    "/session_parameters?session_pin=PIN",
];

#[tokio::test]
async fn with_compat_cors_the_star_is_where_it_was_recorded_and_nowhere_else() {
    let rig = broker_with(|config| config.compat_cors = true).await;
    let pin = rig.mint().await;
    let allowed = |response: &Response| {
        header(response.headers(), "access-control-allow-origin").map(str::to_owned)
    };
    for path in RECORDED {
        let answer = rig.get(&path.replace("PIN", &pin)).await;
        assert_eq!(allowed(&answer).as_deref(), Some("*"), "{path}");
    }
    let put = rig.put_hook(&pin, "viewer_started", "http://127.0.0.1:9/x").await;
    assert_eq!(allowed(&put).as_deref(), Some("*"));
    let body = json!({ "type": "viewer_started", "name": "A", "session_pin": pin });
    assert_eq!(allowed(&rig.get(&format!("/chat?session_pin={pin}")).await), None);
    assert_eq!(allowed(&rig.post("/email/a@example.com", &body).await), None);
    assert_eq!(allowed(&rig.post("/report_abuse", &body).await), None);
    let request = rig.http.request(reqwest::Method::OPTIONS, rig.url("/hook/"));
    let answer = request.header("origin", "https://any.example").send().await.unwrap();
    assert_eq!((answer.status().as_u16(), allowed(&answer).as_deref()), (204, Some("*")));
    assert_eq!(header(answer.headers(), "access-control-allow-methods"), Some("GET, PUT"));
}

#[tokio::test]
async fn by_default_only_this_brokers_own_origin_is_allowed_and_foreign_pages_are_refused() {
    let rig = broker().await;
    let pin = rig.mint().await;
    let own = rig.running.origin().to_owned();
    for path in RECORDED {
        let answer = rig.get(&path.replace("PIN", &pin)).await;
        assert_eq!(header(answer.headers(), "access-control-allow-origin"), Some(own.as_str()));
    }
    for (name, value, status) in [
        ("origin", "https://evil.example", 403),
        ("origin", "null", 403),
        ("sec-fetch-site", "cross-site", 403),
        ("origin", own.as_str(), 200),
    ] {
        let request = rig.http.get(rig.url("/regions")).header(name, value);
        assert_eq!(request.send().await.unwrap().status(), status, "{name}: {value}");
    }
}

#[tokio::test]
async fn a_revoked_pin_is_over_for_everything_but_its_transcript() {
    let rig = broker().await;
    let capabilities = rig.get_json("/x/capabilities").await;
    assert_eq!(capabilities["revoke"], true);
    let pin = rig.mint().await;
    let mut page = rig.page(&pin, "presenter").await;
    assert_eq!(rig.post("/x/revoke", &json!({ "session_pin": pin })).await.status(), 200);
    assert_eq!(page.next_of("bye").await["code"], "revoked");
    let rig = rig.restart().await;
    assert_eq!(rig.get(&format!("/session_url?session_pin={pin}")).await.status(), 410);
    assert_eq!(rig.get(&format!("/session_parameters?session_pin={pin}")).await.status(), 410);
    assert_eq!(rig.get(&format!("/chat?session_pin={pin}")).await.status(), 200);
    let late = rig.page(&pin, "presenter").await;
    assert_eq!(late.welcome["code"], "pin_over");
}

#[tokio::test]
async fn a_pin_ends_after_its_day_and_its_pages_are_told() {
    let rig = broker().await;
    let pin = rig.mint().await;
    let mut page = rig.page(&pin, "viewers").await;
    rig.advance(Duration::from_secs(86_400)).await;
    assert_eq!(page.next_of("bye").await["code"], "expired");
    assert_eq!(rig.get(&format!("/session_url?session_pin={pin}")).await.status(), 410);
    rig.advance(MINUTE * 60 * 24 * 4).await;
    let rig = rig.restart().await;
    let status = rig.get(&format!("/session_url?session_pin={pin}")).await.status();
    assert_eq!(status, 404, "days later it is forgotten");
}

#[tokio::test]
async fn the_store_is_unreadable_without_its_key_and_pins_are_in_no_file() {
    let rig = broker_with(|config| {
        config.store_key = Some(broker::StoreKey::new(Box::new([7; 32])));
    })
    .await;
    let pin = rig.mint().await;
    let secret = "http://127.0.0.1:9/hook/very-secret-token";
    rig.put_hook(&pin, "viewer_started", secret).await;
    rig.handle().idle().await;
    for file in std::fs::read_dir(rig.folder.path().join("data")).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        for text in [pin.as_str(), "very-secret-token", "SQLite format"] {
            assert!(!bytes.windows(text.len()).any(|part| part == text.as_bytes()), "{text}");
        }
    }
    assert_eq!(json_of(rig.get("/regions").await).await.as_array().unwrap().len(), 5);
    drop(client());
}
