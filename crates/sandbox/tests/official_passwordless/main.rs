//! Passwordless.dev's stand-in against its makers' own clients: those of a backend in Node and Python, and the
//! one of a page in headless Chromium with a virtual authenticator.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod backend;
mod browser;

use backend::Backend;
use browser::Page;
use browser_tests::Driver;
use sandbox::{Config, Running, Sandbox};
use serde_json::{Value, json};
use tempfile::TempDir;

const ANNA: &str = "107fb578-9559-4540-a0e2-f82ad78852f7";
const BEN: &str = "c8a32e5b-46d3-4808-ae10-16d3e26ff6f9";

async fn sandbox() -> (TempDir, Running) {
    let folder = tempfile::tempdir().unwrap();
    let running = Sandbox::start(Config::embedded(folder.path())).await.unwrap();
    (folder, running)
}

#[tokio::test]
async fn node_and_chromium_register_sign_in_and_delete() {
    whole_story(Backend::Node).await;
}

#[tokio::test]
async fn python_and_chromium_register_sign_in_and_delete() {
    whole_story(Backend::Python).await;
}

/// All that a backend and a page do together.
async fn whole_story(backend: Backend) {
    let (_folder, running) = sandbox().await;
    let service = running.passwordless();
    let ask = |call: &'static str, asked: Value| backend.ok(&service, call, asked);
    let driver = Driver::start();
    let page = Page::open(&driver, &service).await;
    let verify = |token: String| ask("verify", json!({ "token": token }));

    let wanted = json!({ "userId": ANNA, "username": "anna@example.org", "aliases": ["anna"] });
    let token = ask("register_token", wanted).await;
    let made = verify(page.token("register", json!([token, "Work laptop"])).await).await;
    assert_eq!(made["type"], "passkey_register");

    for (call, args) in [
        ("signinWithId", json!([ANNA])),
        ("signinWithAlias", json!(["anna"])),
        ("signinWithDiscoverable", json!([])),
    ] {
        let signed_in = verify(page.token(call, args).await).await;
        assert_eq!(signed_in["success"], true, "{call}");
        assert_eq!(signed_in["userId"], ANNA, "{call}");
        assert_eq!(signed_in["type"], "passkey_signin", "{call}");
        assert_eq!(signed_in["rpId"], "localhost", "{call}");
    }

    let listed = ask("credentials", json!({ "userId": ANNA })).await;
    assert_eq!(listed.as_array().unwrap().len(), 1);
    assert_eq!(listed[0]["rpid"], "localhost");
    ask("set_aliases", json!({ "userId": ANNA, "aliases": ["keller"], "hashing": false })).await;
    page.token("signinWithAlias", json!(["keller"])).await;

    ask("delete", json!({ "id": listed[0]["descriptor"]["id"] })).await;
    assert_eq!(ask("credentials", json!({ "userId": ANNA })).await, json!([]));
    let error = page.error("signinWithDiscoverable", json!([])).await;
    assert_eq!(
        (&error["from"], &error["errorCode"]),
        (&json!("server"), &json!("unknown_credential"))
    );
    page.close().await;
    running.shutdown().await;
}

#[tokio::test]
async fn a_page_can_read_why_it_is_refused() {
    let (_folder, running) = sandbox().await;
    let service = running.passwordless();
    let driver = Driver::start();
    let page = Page::open(&driver, &service).await;
    let wrong = page.error("register", json!(["verify_AAAA", "x"])).await;
    assert_eq!((&wrong["status"], &wrong["errorCode"]), (&json!(400), &json!("invalid_token")));
    let asked = json!({ "userId": ANNA, "username": "anna" });
    let token = Backend::Node.ok(&service, "register_token", asked).await;
    running.advance(std::time::Duration::from_secs(121));
    let late = page.error("register", json!([token, "x"])).await;
    assert_eq!((&late["status"], &late["errorCode"]), (&json!(403), &json!("expired_token")));
    page.close().await;
    let stranger = Page::open_with(&driver, &service.base_url(), "app:public:00").await;
    let refused = stranger.error("signinWithDiscoverable", json!([])).await;
    assert_eq!(refused["status"], 401);
    stranger.close().await;
    running.shutdown().await;
}

#[tokio::test]
async fn backends_read_why_they_are_refused() {
    let (_folder, running) = sandbox().await;
    let service = running.passwordless();
    for backend in [Backend::Node, Backend::Python] {
        let refused = |call, asked| backend.problem(&service, call, asked);
        let set =
            |user, aliases: Value| json!({ "userId": user, "aliases": aliases, "hashing": true });
        backend.ok(&service, "set_aliases", set(ANNA, json!(["anna"]))).await;
        let taken = refused("set_aliases", set(BEN, json!(["anna"]))).await;
        assert_eq!(taken["status"], 409, "{taken}");
        let long = refused("set_aliases", set(ANNA, json!(["x".repeat(251)]))).await;
        assert_eq!(long["status"], 400);
        assert!(long["errors"]["aliases"][0].is_string(), "{long}");
        let unknown =
            backend.wrong_secret(&service, "credentials", json!({ "userId": ANNA })).await;
        assert_eq!(unknown["status"], 401, "{unknown}");
    }
    // The Node client turns every refusal of a token into null.
    let forged = json!({ "token": "verify_AAAA" });
    assert_eq!(Backend::Node.ok(&service, "verify", forged.clone()).await, Value::Null);
    assert_eq!(Backend::Python.problem(&service, "verify", forged).await["status"], 400);
    running.shutdown().await;
}
