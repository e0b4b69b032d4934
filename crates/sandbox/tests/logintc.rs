//! LoginTC's stand-in, asked as its clients ask: exact bytes, codes that are good once, time,
//! restarts, strangers.
#![allow(clippy::unwrap_used)]

use std::{path::Path, time::Duration};

use reqwest::{Method, StatusCode};
use sandbox::{Config, Running, Sandbox, logintc::Logintc};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use serve::{Clock, Millis};
use tempfile::TempDir;

struct Rig {
    running: Running,
    logintc: Logintc,
    http: reqwest::Client,
    data: TempDir,
    /// With a device.
    maria: String,
    /// Without.
    tom: String,
}

impl Rig {
    async fn new() -> Self {
        let data = tempfile::tempdir().unwrap();
        let running = start(data.path(), false, Millis(1_800_000_000_000)).await;
        let logintc = running.logintc();
        let maria = logintc.add_user("maria.lopez", true).await.unwrap().unwrap();
        let tom = logintc.add_user("tom.baker", false).await.unwrap().unwrap();
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().no_proxy().tls_certs_only([]).build().unwrap();
        Self { running, logintc, http, data, maria, tom }
    }

    async fn call(&self, method: Method, path: &str, body: &str) -> (StatusCode, String) {
        let key = format!("LoginTC key=\"{}\"", self.logintc.key().expose_secret());
        let url = format!("{}{path}", self.logintc.base_url());
        let request = self.http.request(method, url).header("authorization", key);
        let answer = request.body(body.to_owned()).send().await.unwrap();
        (answer.status(), answer.text().await.unwrap())
    }

    fn sessions(&self) -> String {
        format!("/domains/{}/sessions", self.logintc.domain())
    }

    async fn create(&self, body: &Value) -> (StatusCode, Value) {
        let (status, text) = self.call(Method::POST, &self.sessions(), &body.to_string()).await;
        (status, serde_json::from_str(&text).unwrap())
    }

    /// The id of a push to Maria.
    async fn push(&self) -> String {
        let (status, session) = self.create(&json!({ "user": { "id": self.maria } })).await;
        assert_eq!((status, &session["state"]), (StatusCode::OK, &json!("pending")));
        session["id"].as_str().unwrap().to_owned()
    }

    async fn state(&self, session: &str) -> Value {
        let path = format!("{}/{session}", self.sessions());
        let (_, text) = self.call(Method::GET, &path, "").await;
        let answer: Value = serde_json::from_str(&text).unwrap();
        if answer["state"].is_null() {
            answer["errors"][0]["code"].clone()
        } else {
            answer["state"].clone()
        }
    }

    /// The state of a session that is opened with a code.
    async fn with_code(&self, user: &str, kind: &str, code: &str) -> Value {
        let (status, session) = self.create(&json!({ "user": { "id": user }, kind: code })).await;
        assert_eq!(status, StatusCode::OK);
        session["state"].clone()
    }
}

async fn start(data: &Path, examples: bool, at: Millis) -> Running {
    let mut config = Config::embedded(data);
    config.clock = Clock::frozen(at);
    config.examples = examples;
    Sandbox::start(config).await.unwrap()
}

fn error_code(answer: &(StatusCode, String)) -> (u16, String) {
    let body: Value = serde_json::from_str(&answer.1).unwrap();
    let error = &body["errors"][0];
    assert!(error["message"].is_string(), "a shipped client reads it: {body}");
    (answer.0.as_u16(), error["code"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn a_session_is_compact_json_with_its_id_first_and_no_line_end() {
    let rig = Rig::new().await;
    let body = json!({ "user": { "username": "maria.lopez" }, "attributes": [] }).to_string();
    let (status, text) = rig.call(Method::POST, &rig.sessions(), &body).await;
    let id = rig.logintc.next_push().await.unwrap().id;
    assert_eq!((id.len(), id.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))), (40, true));
    assert_eq!((status.as_u16(), text), (200, format!(r#"{{"id":"{id}","state":"pending"}}"#)));
    let (_, text) = rig.call(Method::GET, &format!("{}/{id}", rig.sessions()), "").await;
    assert_eq!(text, format!(r#"{{"id":"{id}","state":"pending"}}"#));
}

#[tokio::test]
async fn the_phone_decides_once() {
    let rig = Rig::new().await;
    for (approve, word) in [(true, "approved"), (false, "denied")] {
        let session = rig.push().await;
        assert!(rig.logintc.answer(&session, approve).await.unwrap());
        assert!(!rig.logintc.answer(&session, !approve).await.unwrap(), "it was answered before");
        assert_eq!(rig.state(&session).await, word);
    }
    assert!(rig.logintc.pending().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_cancelled_session_is_gone_from_the_phone_too() {
    let rig = Rig::new().await;
    let session = rig.push().await;
    let path = format!("{}/{session}", rig.sessions());
    let done = rig.call(Method::DELETE, &path, "").await;
    assert_eq!(done, (StatusCode::OK, String::new()), "a shipped client fails on 204");
    assert!(!rig.logintc.answer(&session, true).await.unwrap());
    let gone = (404, "api.error.notfound.session".to_owned());
    assert_eq!(error_code(&rig.call(Method::DELETE, &path, "").await), gone);
    assert_eq!(error_code(&rig.call(Method::GET, &path, "").await), gone);
}

#[tokio::test]
async fn a_session_ends_by_the_shared_clock() {
    let rig = Rig::new().await;
    let session = rig.push().await;
    rig.running.advance(Duration::from_secs(299));
    assert_eq!(rig.state(&session).await, "pending");
    rig.running.advance(Duration::from_secs(1));
    assert_eq!(rig.state(&session).await, "api.error.notfound.session");
    assert!(!rig.logintc.answer(&session, true).await.unwrap());
}

#[tokio::test]
async fn whoever_has_no_device_gets_no_push() {
    let rig = Rig::new().await;
    let body = json!({ "user": { "id": rig.tom } }).to_string();
    let answer = rig.call(Method::POST, &rig.sessions(), &body).await;
    assert_eq!(error_code(&answer), (404, "api.error.notfound.token".to_owned()));
    assert_eq!(rig.logintc.otp(&rig.tom).await.unwrap(), None);
    rig.logintc.set_device(&rig.tom, true).await.unwrap();
    assert_eq!(rig.call(Method::POST, &rig.sessions(), &body).await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_one_time_password_is_good_once_and_only_for_its_owner() {
    let rig = Rig::new().await;
    let otp = rig.logintc.otp(&rig.maria).await.unwrap().unwrap();
    assert_eq!(otp.len(), 6);
    assert_eq!(rig.with_code(&rig.tom, "otp", &otp).await, "denied");
    assert_eq!(rig.with_code(&rig.maria, "otp", &otp).await, "approved");
    assert_eq!(rig.with_code(&rig.maria, "otp", &otp).await, "denied");
    assert!(rig.logintc.pending().await.unwrap().is_empty(), "no push goes with a code");
}

#[tokio::test]
async fn a_bypass_code_is_good_once_without_a_device_and_wins_over_a_password() {
    let rig = Rig::new().await;
    let code = rig.logintc.add_bypass_code(&rig.tom).await.unwrap();
    assert_eq!(code.len(), 9);
    assert_eq!(rig.with_code(&rig.tom, "bypasscode", &code).await, "approved");
    assert_eq!(rig.with_code(&rig.tom, "bypasscode", &code).await, "denied");
    let otp = rig.logintc.otp(&rig.maria).await.unwrap().unwrap();
    let both = json!({ "user": { "id": rig.maria }, "otp": otp, "bypasscode": "000000000" });
    assert_eq!(rig.create(&both).await.1["state"], "denied");
    assert_eq!(rig.logintc.otp(&rig.maria).await.unwrap().unwrap(), otp, "it was not looked at");
}

#[tokio::test]
async fn a_mailed_code_needs_the_switch_and_the_id_and_ends_after_ten_minutes() {
    let rig = Rig::new().await;
    let mail = async |user: &str, body: &str| {
        let path = format!("/domains/{}/users/{user}/otp", rig.logintc.domain());
        rig.call(Method::POST, &path, body).await
    };
    let email = r#"{"deliverableOTPType":"EMAIL"}"#;
    let disabled = error_code(&mail(&rig.tom, email).await);
    assert_eq!(disabled, (403, "api.error.forbidden.otp.email".to_owned()));
    rig.logintc.set_mail(true).await.unwrap();
    let by_name = error_code(&mail("tom.baker", email).await);
    assert_eq!(by_name, (404, "api.error.notfound.user".to_owned()));
    assert_eq!(mail(&rig.tom, r#"{"deliverableOTPType":"SMS"}"#).await.0, StatusCode::BAD_REQUEST);
    for _ in 0..2 {
        assert_eq!(mail(&rig.tom, email).await.0, StatusCode::OK);
    }
    let codes = rig.logintc.mailed(&rig.tom).await.unwrap();
    assert_eq!(codes.iter().map(String::len).collect::<Vec<_>>(), [8, 8]);
    assert_eq!(rig.with_code(&rig.tom, "otp", &codes[0]).await, "approved");
    assert_eq!(rig.with_code(&rig.tom, "otp", &codes[0]).await, "denied");
    rig.running.advance(Duration::from_secs(600));
    assert_eq!(rig.with_code(&rig.tom, "otp", &codes[1]).await, "denied");
    assert!(rig.logintc.mailed(&rig.tom).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_wrong_or_revoked_key_and_a_wrong_domain_are_refused() {
    let rig = Rig::new().await;
    let url = format!("{}/ping", rig.logintc.base_url());
    let key = rig.logintc.key();
    let key = key.expose_secret();
    for wrong in [String::new(), key.to_owned(), format!("LoginTC key=\"{}\"", "a".repeat(64))] {
        let request = rig.http.get(&url).header("authorization", wrong);
        assert_eq!(request.send().await.unwrap().status(), StatusCode::UNAUTHORIZED);
    }
    let ping = rig.call(Method::GET, "/ping", "").await;
    assert_eq!(ping, (StatusCode::OK, r#"{"status":"OK"}"#.to_owned()));
    let path = format!("/domains/{}/sessions", "0".repeat(40));
    let wrong_domain = error_code(&rig.call(Method::POST, &path, "{}").await);
    assert_eq!(wrong_domain, (404, "api.error.notfound.domain".to_owned()));
    rig.logintc.set_revoked(true).await.unwrap();
    let revoked = error_code(&rig.call(Method::GET, "/ping", "").await);
    assert_eq!(revoked, (401, "api.error.unauthorized".to_owned()));
}

#[tokio::test]
async fn garbage_is_refused_and_asks_nobody() {
    let rig = Rig::new().await;
    let maria = &rig.maria;
    let long = "v".repeat(256);
    for body in [
        "".to_owned(),
        "{".to_owned(),
        "[]".to_owned(),
        "\0\u{1}".to_owned(),
        r#"{"user":{}}"#.to_owned(),
        r#"{"user":"maria.lopez"}"#.to_owned(),
        format!(r#"{{"user":{{"id":"{maria}"}},"otp":123456}}"#),
        format!(r#"{{"user":{{"id":"{maria}"}},"attributes":[{{"key":"k","value":"{long}"}}]}}"#),
        format!(r#"{{"user":{{"id":"{maria}"}},"attributes":{}}}"#, "[".repeat(5000)),
    ] {
        let answer = rig.call(Method::POST, &rig.sessions(), &body).await;
        assert_eq!(error_code(&answer), (400, "api.error.invalid".to_owned()), "{body}");
    }
    for user in [json!({ "id": "' OR 1=1 --" }), json!({ "username": ".*" })] {
        let answer = rig.create(&json!({ "user": user })).await;
        assert_eq!(answer.1["errors"][0]["code"], "api.error.notfound.user");
    }
    assert!(rig.logintc.pending().await.unwrap().is_empty());
}

#[tokio::test]
async fn any_accept_and_content_type_are_taken_and_unknown_fields_ignored() {
    let rig = Rig::new().await;
    let key = format!("LoginTC key=\"{}\"", rig.logintc.key().expose_secret());
    let url = format!("{}{}", rig.logintc.base_url(), rig.sessions());
    for (accept, content) in
        [("image/png", "text/plain"), ("", "application/x-www-form-urlencoded")]
    {
        let request = rig.http.post(&url).header("authorization", &key).header("accept", accept);
        let body =
            json!({ "user": { "id": rig.maria, "more": 1 }, "ipAddress": "10.0.0.1", "x": [] });
        let request = request.header("content-type", content).body(body.to_string());
        assert_eq!(request.send().await.unwrap().status(), StatusCode::OK);
    }
}

#[tokio::test]
async fn everything_survives_a_restart() {
    let rig = Rig::new().await;
    let (open, answered) = (rig.push().await, rig.push().await);
    rig.logintc.answer(&answered, true).await.unwrap();
    let bypass = rig.logintc.add_bypass_code(&rig.tom).await.unwrap();
    let before = (rig.logintc.domain().to_owned(), rig.logintc.key().expose_secret().to_owned());
    let Rig { running, logintc, http, data, maria, tom } = rig;
    drop(logintc);
    running.shutdown().await;
    let running = start(data.path(), true, Millis(1_800_000_000_000)).await;
    let logintc = running.logintc();
    let rig = Rig { running, logintc, http, data, maria, tom };
    let after = (rig.logintc.domain().to_owned(), rig.logintc.key().expose_secret().to_owned());
    assert_eq!(before, after);
    assert_eq!(rig.state(&open).await, "pending");
    assert_eq!(rig.state(&answered).await, "approved");
    assert_eq!(rig.with_code(&rig.tom, "bypasscode", &bypass).await, "approved");
    assert_eq!(rig.logintc.add_user("maria.lopez", true).await.unwrap(), None, "the name is taken");
    let (_, shown) = phone(&rig, Method::GET, "state", None).await;
    assert_eq!(
        shown["users"].as_array().unwrap().len(),
        2,
        "examples come at the first start only"
    );
}

#[tokio::test]
async fn there_are_people_to_try() {
    let data = tempfile::tempdir().unwrap();
    let running = start(data.path(), true, Millis(0)).await;
    let pushes = running.logintc();
    assert_eq!(pushes.add_user("anna.keller", true).await.unwrap(), None);
    assert_eq!(pushes.add_user("tom.baker", false).await.unwrap(), None);
    running.shutdown().await;
}

/// As the page does it; the origin is the page's.
async fn phone(rig: &Rig, method: Method, path: &str, body: Option<Value>) -> (StatusCode, Value) {
    let url = format!("{}/{path}", rig.logintc.phone_url());
    let mut request = rig.http.request(method, url);
    if let Some(body) = body {
        request = request.json(&body);
    }
    let answer = request.send().await.unwrap();
    let (status, text) = (answer.status(), answer.text().await.unwrap());
    (status, serde_json::from_str(&text).unwrap_or_default())
}

#[tokio::test]
async fn the_page_shows_pushes_with_their_attributes_and_answers_them() {
    let rig = Rig::new().await;
    let markup = "<img src=x onerror=alert(1)>";
    let attributes = json!([{ "key": "Reason", "value": markup }]);
    rig.create(&json!({ "user": { "id": rig.maria }, "attributes": attributes })).await;
    rig.running.advance(Duration::from_secs(10));
    let (_, shown) = phone(&rig, Method::GET, "state", None).await;
    let push = &shown["pushes"][0];
    assert_eq!((&push["user"], &push["attributes"]), (&json!(rig.maria), &attributes));
    assert_eq!((&push["seconds_ago"], &push["seconds_left"]), (&json!(10), &json!(290)));
    let id = push["id"].as_str().unwrap();
    let path = format!("pushes/{id}");
    let approve = json!({ "approve": true });
    assert_eq!(phone(&rig, Method::POST, &path, Some(approve.clone())).await.0, 204);
    assert_eq!(phone(&rig, Method::POST, &path, Some(approve)).await.0, 409);
    assert_eq!(rig.state(id).await, "approved");
}

#[tokio::test]
async fn the_page_adds_people_phones_and_codes() {
    let rig = Rig::new().await;
    let add = async |name: &str| {
        let body = json!({ "username": name, "device": false });
        phone(&rig, Method::POST, "users", Some(body)).await
    };
    let (status, added) = add("zoë").await;
    assert_eq!(status, 200);
    let id = added["id"].as_str().unwrap();
    for wrong in ["zoë", "  ", "a\u{0}b"] {
        let (status, answer) = add(wrong).await;
        assert!(status == 409 && answer["error"].is_string(), "{wrong:?}");
    }
    let device = Some(json!({ "device": true }));
    assert_eq!(phone(&rig, Method::POST, &format!("users/{id}/device"), device).await.0, 204);
    assert!(rig.logintc.otp(id).await.unwrap().is_some());
    let bypass = Some(json!({}));
    assert_eq!(
        phone(&rig, Method::POST, &format!("users/{id}/bypass"), bypass.clone()).await.0,
        204
    );
    assert_eq!(phone(&rig, Method::POST, "users/nobody/bypass", bypass).await.0, 409);
    let (_, shown) = phone(&rig, Method::GET, "state", None).await;
    let zoe = shown["users"].as_array().unwrap().iter().find(|user| user["id"] == id).unwrap();
    let code = zoe["bypass"][0].as_str().unwrap();
    assert_eq!(rig.with_code(id, "bypasscode", code).await, "approved");
}

#[tokio::test]
async fn no_foreign_page_presses_a_button_or_reads_a_code() {
    let rig = Rig::new().await;
    let session = rig.push().await;
    let url = |path: &str| format!("{}{path}", rig.logintc.phone_url());
    for (name, value) in [("origin", "http://evil.example"), ("sec-fetch-site", "cross-site")] {
        let body = json!({ "approve": true });
        let press =
            rig.http.post(url(&format!("/pushes/{session}"))).header(name, value).json(&body);
        assert_eq!(press.send().await.unwrap().status(), StatusCode::FORBIDDEN);
        let read = rig.http.get(url("/state")).header(name, value);
        assert_eq!(read.send().await.unwrap().status(), StatusCode::FORBIDDEN);
    }
    let rebound = rig.http.get(url("/state")).header("host", "evil.example");
    assert_eq!(rebound.send().await.unwrap().status(), StatusCode::FORBIDDEN);
    assert_eq!(rig.state(&session).await, "pending");
}

#[tokio::test]
async fn the_page_has_nothing_inline_and_says_so() {
    let rig = Rig::new().await;
    for (path, kind) in
        [("", "text/html"), ("/phone.js", "text/javascript"), ("/phone.css", "text/css")]
    {
        let url = format!("{}{path}", rig.logintc.phone_url());
        let answer = rig.http.get(url).send().await.unwrap();
        let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
        assert!(header("content-type").starts_with(kind));
        let policy = header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; script-src 'self';"), "{policy}");
        assert!(!policy.contains("unsafe"));
        let text = answer.text().await.unwrap();
        for inline in
            ["innerHTML", "insertAdjacentHTML", "style=\"", "onclick", "<style", "document.write"]
        {
            assert!(!text.contains(inline), "{inline} in {path}");
        }
    }
}
