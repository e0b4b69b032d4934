//! The services' secrets: kept, used, never given back; and tests of the connection with them.

use std::sync::{Arc, Mutex};

use axum::{
    Router,
    body::Body,
    extract::State,
    http::{HeaderMap, Response, Uri},
};
use console::{
    SettingsSource,
    reply::Reply,
    view::{Code, ConnectionView, Identity, IdentityServiceView, Trouble},
};
use port_tests::KeptPort;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use crate::rig::{BY, Rig};

const DOMAIN: &str = "0123456789abcdef0123456789abcdef01234567";

fn key() -> String {
    "k3Y9".repeat(16)
}

async fn services(rig: &Rig) -> Vec<IdentityServiceView> {
    let Reply::Services { services } = rig.ask(json!({ "do": "services" })).await else {
        panic!("no services")
    };
    services
}

async fn service(rig: &Rig, which: Identity) -> IdentityServiceView {
    services(rig).await.into_iter().find(|view| view.service == which).unwrap()
}

async fn test(rig: &Rig, service: &str) -> ConnectionView {
    let asked = rig.ask(json!({ "do": "test_connection", "service": service })).await;
    let Reply::Connection { connection } = asked else { panic!("no connection") };
    connection
}

fn set(secret: &str, value: &str) -> Value {
    json!({ "do": "set_secret", "secret": secret, "value": value })
}

/// A server that answers everything alike and remembers what it was asked.
struct Answers {
    base_url: String,
    asked: Arc<Mutex<Vec<(String, HeaderMap)>>>,
    task: tokio::task::JoinHandle<()>,
}

type Asked = Arc<Mutex<Vec<(String, HeaderMap)>>>;

impl Answers {
    async fn start(status: u16, kind: &'static str, body: &'static str) -> Self {
        let asked = Asked::default();
        let answer = move |State(asked): State<Asked>, uri: Uri, headers: HeaderMap| async move {
            asked.lock().unwrap().push((uri.to_string(), headers));
            Response::builder()
                .status(status)
                .header("content-type", kind)
                .body(Body::from(body))
                .unwrap()
        };
        let routes = Router::new().fallback(answer).with_state(asked.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}", listener.local_addr().unwrap());
        let task = tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        Self { base_url, asked, task }
    }
}

impl Drop for Answers {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_console_has_the_sandbox_for_all_three_and_nothing_is_missing() {
    let rig = Rig::start().await;
    let all = services(&rig).await;
    assert_eq!(all.len(), 3);
    for view in all {
        assert!(view.sandbox && !view.has_secret && view.missing.is_none(), "{view:?}");
        assert!(view.base_url.starts_with("http://127.0.0.1:"), "{view:?}");
    }
    rig.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_is_kept_with_who_and_when_used_and_never_given_back() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("settings.toml");
    let rig = Rig::start_in(folder, SettingsSource::file(&file)).await;
    let server = Answers::start(200, "application/json", r#"{"status":"OK"}"#).await;
    rig.ask(json!({ "do": "configure", "changes": {
        "logintc_url": server.base_url, "logintc_domain": DOMAIN } }))
        .await;
    let view = service(&rig, Identity::Logintc).await;
    assert!(view.missing.unwrap().text.contains("its API key is not set"));
    let none = test(&rig, "logintc").await;
    assert_eq!(none.trouble.unwrap().code, Code::SetUp);

    let Reply::Services { services } = rig.ask(set("logintc_key", &format!(" {}\n", key()))).await
    else {
        panic!("no services")
    };
    assert!(services.iter().all(|view| view.missing.is_none()), "{services:?}");
    test(&rig, "logintc").await;
    let said = format!("LoginTC key=\"{}\"", key());
    {
        let asked = server.asked.lock().unwrap();
        assert_eq!(asked[0].0, "/ping");
        assert_eq!(asked[0].1["authorization"], said.as_str());
    }
    rig.app.stop().await;

    // After a restart it is there, and no answer has it.
    let rig = Rig::start_in(rig.folder, SettingsSource::file(&file)).await;
    let view = service(&rig, Identity::Logintc).await;
    assert!(view.has_secret && view.secret_set_at.is_some() && view.secret_set_by == BY);
    for command in ["services", "settings", "audit", "export_audit"] {
        let reply = serde_json::to_string(&rig.ask(json!({ "do": command })).await).unwrap();
        assert!(!reply.contains(&key()), "{command} gives the key away");
    }
    rig.ask(json!({ "do": "remove_secret", "secret": "logintc_key" })).await;
    let view = service(&rig, Identity::Logintc).await;
    assert!(!view.has_secret && view.missing.is_some() && view.secret_set_by.is_empty());
    assert_eq!(test(&rig, "logintc").await.trouble.unwrap().code, Code::SetUp);
    rig.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_sandbox_is_used_a_secret_is_kept_and_said_to_wait() {
    let rig = Rig::start().await;
    rig.ask(set("logintc_key", &key())).await;
    let view = service(&rig, Identity::Logintc).await;
    assert!(view.sandbox && view.has_secret);
    assert!(view.missing.unwrap().text.contains("not used until an address is set"));
    rig.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_shape_is_refused_keeps_what_was_there_and_is_not_repeated() {
    let rig = Rig::start().await;
    rig.ask(set("logintc_key", &key())).await;
    let before = service(&rig, Identity::Logintc).await;
    let wrong = format!("{}x", key());
    let refused = rig.refused(set("logintc_key", &wrong)).await;
    assert_eq!(refused.code, Code::BadInput);
    assert!(!format!("{refused:?}").contains(&wrong));
    let public = format!("desk:public:{}", "0a".repeat(16));
    let refused = rig.refused(set("passwordless_secret", &public)).await;
    assert!(refused.text.contains("public key") && !format!("{refused:?}").contains(&public));
    assert_eq!(service(&rig, Identity::Logintc).await, before);
    let Reply::Audit { entries, .. } = rig.ask(json!({ "do": "audit" })).await else {
        panic!("no log")
    };
    let told: Vec<_> = entries.iter().rev().map(|line| line.action.as_str()).collect();
    assert_eq!(told, ["secret_set", "secret_set", "not_done", "secret_set", "not_done"]);
    rig.app.stop().await;
}

async fn failed(service: &str, status: u16, kind: &'static str, body: &'static str) -> Trouble {
    let rig = Rig::start().await;
    let server = Answers::start(status, kind, body).await;
    rig.ask(json!({ "do": "configure", "changes": {
        "logintc_url": server.base_url, "logintc_domain": DOMAIN,
        "rocketchat_url": server.base_url, "rocketchat_user": "u1",
        "passwordless_url": server.base_url, "passwordless_key": "desk:public:1" } }))
        .await;
    let secret = format!("desk:secret:{}", "0a".repeat(16));
    rig.ask(set("passwordless_secret", &secret)).await;
    rig.ask(set("logintc_key", &key())).await;
    rig.ask(set("rocketchat_token", &key())).await;
    let tested = test(&rig, service).await;
    rig.app.stop().await;
    tested.trouble.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_is_not_accepted_says_that_it_may_be_revoked() {
    for service in ["logintc", "passwordless", "rocketchat"] {
        let trouble = failed(service, 401, "application/json", r#"{"x":"some prose"}"#).await;
        assert_eq!(trouble.code, Code::SignInAgain, "{trouble:?}");
        assert!(trouble.remedy.contains("revoked"), "{trouble:?}");
        assert!(!format!("{trouble:?}").contains("prose"), "{trouble:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_instead_of_the_service_says_to_check_the_address() {
    for service in ["logintc", "passwordless", "rocketchat"] {
        let trouble = failed(service, 200, "text/html", "<html>Welcome</html>").await;
        assert_eq!(trouble.code, Code::CheckAddress, "{service}: {trouble:?}");
        assert!(!trouble.remedy.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_domain_is_told_from_a_wrong_key() {
    let body = r#"{"errors":[{"code":"api.error.notfound.domain","message":"some prose"}]}"#;
    let trouble = failed("logintc", 404, "application/json", body).await;
    assert!(trouble.text.contains("no such domain"), "{trouble:?}");
    assert!(!format!("{trouble:?}").contains("prose"));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_at_the_address_says_so() {
    let rig = Rig::start().await;
    let nobody = KeptPort::new();
    let gone = format!("http://{}", nobody.addr());
    rig.ask(json!({ "do": "configure", "changes": {
        "rocketchat_url": gone, "rocketchat_user": "u1" } }))
        .await;
    rig.ask(set("rocketchat_token", &key())).await;
    let trouble = test(&rig, "rocketchat").await.trouble.unwrap();
    assert_eq!(trouble.code, Code::CheckNetwork, "{trouble:?}");
    rig.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn services_of_ones_own_work_by_their_addresses_ids_and_secrets_alone() {
    let folder = tempfile::tempdir().unwrap();
    let config = sandbox::Config::embedded(folder.path());
    let elsewhere = sandbox::Sandbox::start(config).await.unwrap();
    let (phones, chat, keys) =
        (elsewhere.logintc(), elsewhere.rocketchat(), elsewhere.passwordless());
    let rig = Rig::start().await;
    let changes = json!({
        "logintc_url": phones.base_url(), "logintc_domain": phones.domain(),
        "rocketchat_url": chat.base_url(), "rocketchat_user": chat.user_id(),
        "passwordless_url": keys.base_url(), "passwordless_key": keys.api_key(),
    });
    rig.ask(json!({ "do": "configure", "changes": changes })).await;
    for view in services(&rig).await {
        assert!(view.missing.is_some() && !view.sandbox, "{view:?}");
    }
    for (secret, value) in [
        ("logintc_key", phones.key()),
        ("rocketchat_token", chat.token()),
        ("passwordless_secret", keys.api_secret()),
    ] {
        rig.ask(set(secret, value.expose_secret())).await;
    }
    for view in services(&rig).await {
        assert!(view.missing.is_none() && view.has_secret && view.page.is_none(), "{view:?}");
    }
    for service in ["logintc", "rocketchat", "passwordless"] {
        let tested = test(&rig, service).await;
        assert!(tested.trouble.is_none() && !tested.works.is_empty(), "{tested:?}");
    }
    rig.ask(set("logintc_key", &key())).await;
    let refused = test(&rig, "logintc").await.trouble.unwrap();
    assert_eq!(refused.code, Code::SignInAgain, "{refused:?}");
    rig.app.stop().await;
    elsewhere.shutdown().await;
}
