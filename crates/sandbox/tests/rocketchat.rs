//! Rocket.Chat's stand-in over its own socket, body by body.
#![allow(clippy::unwrap_used)] // a test that can't go on has failed

use std::time::Duration;

use reqwest::{Client, RequestBuilder, StatusCode};
use sandbox::{
    Config, Running, Sandbox,
    rocketchat::{PERMISSIONS, Rocketchat, SecondFactor},
};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use serve::{Clock, Millis};
use tempfile::TempDir;
use wire::rocketchat::DeviceSession;

const START: Millis = Millis(1_764_000_000_000);
const MINUTE: Duration = Duration::from_secs(60);
const ID: &str = "uBNL9dTjJ4s6Pjp4K";
const INFO: &str = "sessions/info.admin?sessionId=uBNL9dTjJ4s6Pjp4K";

struct Rig {
    running: Running,
    chat: Rocketchat,
    client: Client,
    folder: TempDir,
}

impl Rig {
    async fn start() -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), false).await
    }

    async fn start_in(folder: TempDir, examples: bool) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut config = Config::embedded(folder.path());
        (config.clock, config.examples) = (Clock::frozen(START), examples);
        let running = Sandbox::start(config).await.unwrap();
        let client = Client::builder().user_agent("first").no_proxy().build().unwrap();
        Self { chat: running.rocketchat(), running, client, folder }
    }

    fn signed(&self, request: RequestBuilder) -> RequestBuilder {
        request
            .header("X-User-Id", self.chat.user_id())
            .header("X-Auth-Token", self.chat.token().expose_secret())
    }

    fn get(&self, path: &str) -> RequestBuilder {
        self.signed(self.client.get(format!("{}/api/v1/{path}", self.chat.base_url())))
    }

    fn post(&self, path: &str, body: &Value) -> RequestBuilder {
        let url = format!("{}/api/v1/{path}", self.chat.base_url());
        self.signed(self.client.post(url)).json(body)
    }

    /// With the authenticator's code; later calls are remembered.
    fn coded(&self, request: RequestBuilder) -> RequestBuilder {
        request.header("x-2fa-code", self.chat.authenticator_code().expose_secret())
    }

    async fn put(&self, sessions: &[(&str, &str, &str)]) {
        let sessions = sessions.iter().map(|(id, name, app)| session(id, name, app));
        self.chat.put_sessions(sessions.collect()).await.unwrap();
    }
}

/// The document's own session, of another id, person and app.
fn session(id: &str, name: &str, app: &str) -> DeviceSession {
    let documented = include_str!("../../wire/fixtures/rocketchat/info.admin.json");
    let mut session: DeviceSession = serde_json::from_str(documented).unwrap();
    session.session_id = id.to_owned();
    if name != "Rod" {
        session.user_id = format!("id-of-{name}");
        session.user.username = format!("login-of-{name}");
    }
    (session.user.name, session.device.name) = (name.to_owned(), app.to_owned());
    session
}

async fn answer(request: RequestBuilder) -> (u16, Value) {
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

fn ids(body: &Value) -> Vec<&str> {
    body["sessions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["sessionId"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn answers_each_documented_case_with_its_documented_body() {
    let rig = Rig::start().await;
    rig.put(&[(ID, "Rod", "Chrome")]).await;
    let documented = |text: &str| -> Value { serde_json::from_str(text).unwrap() };

    let bare = rig.client.get(format!("{}/api/v1/{INFO}", rig.chat.base_url()));
    let not_in = json!({"status":"error","message":"You must be logged in to do this."});
    assert_eq!(answer(bare).await, (401, not_in));
    let required = include_str!("../../wire/fixtures/rocketchat/totp-required.json");
    assert_eq!(answer(rig.get(INFO)).await, (400, documented(required)));
    let invalid = include_str!("../../wire/fixtures/rocketchat/totp-invalid.json");
    let wrong = rig.get(INFO).header("x-2fa-code", "12345");
    assert_eq!(answer(wrong).await, (400, documented(invalid)));
    let mut found = documented(include_str!("../../wire/fixtures/rocketchat/info.admin.json"));
    found["loginAt"] = "2025-11-24T16:00:00.000Z".into();
    assert_eq!(answer(rig.coded(rig.get(INFO))).await, (200, found));
    let missing = json!({"success":false,"error":"Session not found"});
    assert_eq!(answer(rig.get("sessions/info.admin?sessionId=nobody")).await, (404, missing));
    for wrong in ["sessions/info.admin", "sessions/info.admin?sessionId=a&more=b"] {
        let (status, body) = answer(rig.get(wrong)).await;
        assert_eq!((status, &body["errorType"]), (400, &json!("invalid-params")), "{body}");
    }
    rig.chat.grant(PERMISSIONS[0], false).await.unwrap();
    let refused = json!({
        "success": false,
        "error": "User does not have the permissions required for this action [error-unauthorized]",
    });
    assert_eq!(answer(rig.get(INFO)).await, (403, refused));
    rig.chat.revoke_token().await.unwrap();
    assert_eq!(answer(rig.get(INFO)).await.0, 401);
    rig.running.shutdown().await;
}

#[tokio::test]
async fn checks_come_in_the_services_order() {
    let rig = Rig::start().await;
    rig.chat.grant(PERMISSIONS[0], false).await.unwrap();
    // Parameters before permission, permission before the second factor, that before the handler.
    assert_eq!(answer(rig.get("sessions/info.admin")).await.1["errorType"], "invalid-params");
    assert_eq!(answer(rig.get("sessions/info.admin?sessionId=(")).await.0, 403);
    rig.chat.grant(PERMISSIONS[0], true).await.unwrap();
    let unread = answer(rig.get("sessions/info.admin?sessionId=(")).await.1;
    assert_eq!(unread["errorType"], "totp-required");
    // The limit before the parameters; whoever isn't logged in isn't counted.
    for _ in 0..7 {
        answer(rig.get("sessions/info.admin")).await;
    }
    assert_eq!(answer(rig.get("sessions/info.admin")).await.0, 429);
    let bare = rig.client.get(format!("{}/api/v1/{INFO}", rig.chat.base_url()));
    assert_eq!(answer(bare).await.0, 401);
    rig.running.shutdown().await;
}

#[tokio::test]
async fn ten_calls_a_minute_for_each_route_and_the_headers_say_so() {
    let rig = Rig::start().await;
    let header = |answer: &reqwest::Response, name: &str| -> i64 {
        answer.headers()[name].to_str().unwrap().parse().unwrap()
    };
    for left in (0..10).rev() {
        let answer = rig.get("sessions/list").send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        assert_eq!(header(&answer, "x-ratelimit-limit"), 10);
        assert_eq!(header(&answer, "x-ratelimit-remaining"), left);
    }
    rig.running.advance(MINUTE / 2);
    let refused = rig.get("sessions/list").send().await.unwrap();
    assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(header(&refused, "x-ratelimit-reset"), START.after(MINUTE).0);
    let body: Value = refused.json().await.unwrap();
    let error = body["error"].as_str().unwrap();
    assert!(error.contains("wait 30 seconds") && error.ends_with("[error-too-many-requests]"));
    assert_eq!(answer(rig.get("me")).await.0, 200, "another route");
    rig.running.advance(MINUTE / 2);
    assert_eq!(answer(rig.get("sessions/list")).await.0, 200);
    rig.running.shutdown().await;
}

#[tokio::test]
async fn a_good_code_is_remembered_for_this_user_agent_for_half_an_hour() {
    let rig = Rig::start().await;
    rig.put(&[(ID, "Rod", "Chrome")]).await;
    assert_eq!(answer(rig.coded(rig.get(INFO))).await.0, 200);
    rig.running.advance(Duration::from_secs(1800));
    assert_eq!(answer(rig.get(INFO)).await.0, 200);
    let other = Client::builder().user_agent("second").no_proxy().build().unwrap();
    let elsewhere = rig.signed(other.get(format!("{}/api/v1/{INFO}", rig.chat.base_url())));
    assert_eq!(answer(elsewhere).await.1["errorType"], "totp-required");
    rig.running.advance(Duration::from_millis(1));
    assert_eq!(answer(rig.get(INFO)).await.1["errorType"], "totp-required");
    rig.running.shutdown().await;
}

#[tokio::test]
async fn a_code_of_the_neighbouring_step_is_good_and_a_backup_code_once() {
    let rig = Rig::start().await;
    rig.put(&[(ID, "Rod", "Chrome")]).await;
    let coded = |code: &SecretString| rig.get(INFO).header("x-2fa-code", code.expose_secret());
    let early = rig.chat.authenticator_code();
    rig.running.advance(Duration::from_secs(90));
    assert_eq!(answer(coded(&early)).await.1["errorType"], "totp-invalid");
    let late = rig.chat.authenticator_code();
    rig.running.advance(Duration::from_secs(30));
    assert_eq!(answer(coded(&late)).await.0, 200);
    let backup = rig.chat.backup_codes().await.unwrap();
    rig.running.advance(MINUTE * 31);
    assert_eq!(answer(coded(&backup[0])).await.0, 200);
    rig.running.advance(MINUTE * 31);
    assert_eq!(answer(coded(&backup[0])).await.1["errorType"], "totp-invalid");
    assert_eq!(rig.chat.backup_codes().await.unwrap().len(), backup.len() - 1);
    rig.running.shutdown().await;
}

#[tokio::test]
async fn a_mailed_code_goes_out_once_and_is_good_once() {
    let rig = Rig::start().await;
    rig.put(&[(ID, "Rod", "Chrome")]).await;
    rig.chat.set_second_factor(SecondFactor::Email, &SecretString::default()).await.unwrap();
    for sent in [true, false] {
        let (status, body) = answer(rig.get(INFO)).await;
        let details = json!({"method":"email","codeGenerated":sent,"availableMethods":["email"]});
        assert_eq!((status, &body["details"]), (400, &details));
    }
    let code = rig.chat.mailed_code().await.unwrap().unwrap();
    let coded = || rig.get(INFO).header("x-2fa-code", code.expose_secret());
    assert_eq!(answer(coded()).await.0, 200);
    rig.running.advance(MINUTE * 31);
    assert_eq!(answer(coded()).await.1["errorType"], "totp-invalid");
    rig.running.shutdown().await;
}

#[tokio::test]
async fn the_asked_id_is_a_regular_expression_over_more_than_the_id() {
    let rig = Rig::start().await;
    rig.put(&[("newest", "Rod", "Chrome"), (ID, "Rod", "Chrome")]).await;
    let find = |id: &str| rig.get("sessions/info.admin").query(&[("sessionId", id)]);
    let first = answer(rig.coded(find("ubnl9DTJ"))).await.1;
    assert_eq!(first["sessionId"], ID, "a part in another case is enough");
    for other in [".", "chrome", "rYhzFRd2"] {
        assert_eq!(answer(find(other)).await.1["sessionId"], "newest", "{other}");
    }
    for bad in ["(", "[a", "(a{1000}){1000}"] {
        let (status, body) = answer(find(bad)).await;
        assert_eq!((status, &body["success"]), (400, &json!(false)), "{body}");
    }
    rig.running.shutdown().await;
}

#[tokio::test]
async fn everybodys_sessions_are_paged_filtered_and_sorted() {
    let rig = Rig::start().await;
    rig.put(&[
        ("s1", "María", "Firefox"),
        ("s2", "田中 浩", "Chrome"),
        ("s3", "Rod", "Safari (beta)"),
    ])
    .await;
    let list = |query: &[(&str, &str)]| rig.get("sessions/list.all").query(query);
    let all = answer(rig.coded(list(&[]))).await.1;
    assert_eq!((ids(&all), &all["total"]), (vec!["s1", "s2", "s3"], &json!(3)), "newest first");
    let page = answer(list(&[("count", "1"), ("offset", "1")])).await.1;
    assert_eq!((ids(&page), &page["total"], &page["count"]), (vec!["s2"], &json!(3), &json!(1)));
    for (filter, expected) in [("maría", "s1"), ("田中", "s2"), ("(beta", "s3"), ("S2", "s2")] {
        assert_eq!(ids(&answer(list(&[("filter", filter)])).await.1), [expected], "{filter}");
    }
    let none = answer(list(&[("filter", ".*")])).await.1;
    assert_eq!(none["total"], 0, "a filter is no pattern");
    let sorted = answer(list(&[("sort", r#"{"device.name":-1}"#)])).await.1;
    assert_eq!(ids(&sorted), ["s3", "s1", "s2"]);
    let bad = answer(list(&[("sort", r#"{"password":1}"#)])).await;
    assert_eq!(bad, (400, json!({"success":false,"error":"error-invalid-sort-keys"})));
    rig.running.shutdown().await;
}

#[tokio::test]
async fn a_session_that_is_logged_out_is_gone_also_after_a_restart() {
    let rig = Rig::start().await;
    rig.put(&[(ID, "Rod", "Chrome"), ("other", "Rod", "Chrome")]).await;
    let body = json!({ "sessionId": "other" });
    rig.chat.grant(PERMISSIONS[1], false).await.unwrap();
    assert_eq!(answer(rig.post("sessions/logout", &body)).await.0, 403);
    rig.chat.grant(PERMISSIONS[1], true).await.unwrap();
    let needed = answer(rig.post("sessions/logout", &body)).await.1;
    assert_eq!(needed["errorType"], "totp-required");
    let done = answer(rig.coded(rig.post("sessions/logout", &body))).await;
    assert_eq!(done, (200, json!({ "sessionId": "other", "success": true })));
    assert_eq!(answer(rig.post("sessions/logout", &body)).await.0, 404);
    rig.running.shutdown().await;
    let rig = Rig::start_in(rig.folder, false).await;
    assert_eq!(answer(rig.get(INFO)).await.0, 200, "the second factor is remembered");
    assert_eq!(answer(rig.get("sessions/info.admin?sessionId=other")).await.0, 404);
    rig.running.shutdown().await;
}

#[tokio::test]
async fn a_person_signs_in_sees_their_own_sessions_and_logs_one_out() {
    let rig = Rig::start_in(tempfile::tempdir().unwrap(), true).await;
    let url = |path: &str| format!("{}/api/v1/{path}", rig.chat.base_url());
    let sign_in = |password: &str| {
        let body = json!({ "user": "rod", "password": password });
        rig.client.post(url("login")).json(&body)
    };
    assert_eq!(answer(sign_in("wrong")).await.0, 401);
    let (status, data) = answer(sign_in("sandbox")).await;
    assert_eq!((status, &data["status"]), (200, &json!("success")));
    let own = |request: RequestBuilder| {
        let text = |name: &str| data["data"][name].as_str().unwrap().to_owned();
        request.header("X-User-Id", text("userId")).header("X-Auth-Token", text("authToken"))
    };
    assert_eq!(answer(own(rig.client.get(url("me")))).await.1["username"], "rod");
    assert_eq!(answer(own(rig.client.get(url("sessions/list.all")))).await.0, 403);
    let list = answer(own(rig.client.get(url("sessions/list")))).await.1;
    let newest = &list["sessions"][0];
    assert_eq!((&newest["userId"], newest.get("_user")), (&data["data"]["userId"], None));
    let body = json!({ "sessionId": newest["sessionId"] });
    assert_eq!(answer(own(rig.client.post(url("sessions/logout.me")).json(&body))).await.0, 200);
    assert_eq!(answer(own(rig.client.get(url("me")))).await.0, 401, "its token is gone too");
    rig.running.shutdown().await;
}

#[tokio::test]
async fn the_page_takes_nothing_from_elsewhere_and_shows_foreign_pages_nothing() {
    let rig = Rig::start_in(tempfile::tempdir().unwrap(), true).await;
    let page = rig.client.get(rig.chat.base_url()).send().await.unwrap();
    let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    let data = || rig.client.get(format!("{}/page/workspace", rig.chat.base_url()));
    let (_, shown) = answer(data()).await;
    assert_eq!(shown["sessions"].as_array().unwrap().len(), 30);
    let own = shown["people"].as_array().unwrap().iter().find(|p| p["code"].is_string()).unwrap();
    assert_eq!(own["code"], *rig.chat.authenticator_code().expose_secret());
    let foreign = data().header("origin", "https://evil.example").send().await.unwrap();
    assert_eq!(foreign.status(), StatusCode::FORBIDDEN);
    rig.running.shutdown().await;
}
