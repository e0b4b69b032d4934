//! Who somebody is, over JSON Lines: a script hands the links on, and a browser (in software) takes the steps.

use std::path::Path;

use authenticator_tests::Browser;
use sandbox::{Config, Sandbox};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use crate::process::Console;

/// Takes the step in the browser that `answer` has the link of.
async fn go_through(answer: &Value, browser: &mut Browser) {
    let link = answer["url"].as_str().unwrap_or_else(|| panic!("{answer}"));
    let (origin, state) = link.split_once("/#").unwrap();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let post = async |path: &str, mut body: Value| {
        body["state"] = state.into();
        let request = http.post(format!("{origin}{path}")).header("Origin", origin).json(&body);
        let response = request.send().await.unwrap().error_for_status().unwrap();
        serde_json::from_slice::<Value>(&response.bytes().await.unwrap()).unwrap()
    };
    let asked = post("/begin", json!({})).await;
    browser.origin = origin.to_owned();
    let used = match asked["do"].as_str().unwrap() {
        "register" => browser.register(asked["register_token"].as_str().unwrap(), "").await,
        "sign_in" => browser.sign_in(json!({})).await,
        other => panic!("{other}"),
    };
    post("/done", json!({ "token": used.token() })).await;
}

async fn access(console: &mut Console, is: &str) {
    let there = |line: &Value| line["push"] == "console" && line["access"]["is"] == is;
    console.until(is, there).await;
    console.forget();
}

fn bundle(home: &Path) -> String {
    let folder = home.join("pages");
    std::fs::create_dir(&folder).unwrap();
    for name in ["passkey.js", "passkey.css"] {
        std::fs::write(folder.join(name), "").unwrap();
    }
    folder.to_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_script_has_a_person_sign_in_whose_name_is_on_record_and_is_refused_while_it_is_locked() {
    let home = tempfile::tempdir().unwrap();
    let sandbox = Sandbox::start(Config::embedded(home.path().join("service"))).await.unwrap();
    let keys = sandbox.passwordless();
    let pages = bundle(home.path());
    let (url, key) = (keys.base_url(), keys.api_key());
    let words = ["--passwordless-url", &url, "--passwordless-key", key, "--pages", &pages];
    let mut console = Console::start(home.path(), &words).await;
    let secret = json!({
        "do": "set_secret", "secret": "passwordless_secret",
        "value": keys.api_secret().expose_secret(),
    });
    assert_eq!(console.ask(secret).await["reply"], "services");

    let mut browser = Browser::new(url.clone(), key);
    let profile =
        json!({ "do": "create_profile", "name": "Anna Keller", "email": "anna@help.example" });
    let link = console.ask(profile).await;
    go_through(&link, &mut browser).await;
    access(&mut console, "signed_in").await;
    let (_, detail) = console.new_session("Maria Lopez").await;
    assert_eq!(detail["by"], "Anna Keller");

    assert_eq!(console.ask(json!({ "do": "lock" })).await["reply"], "done");
    access(&mut console, "locked").await;
    let refused = console.ask(json!({ "do": "search", "query": "Maria" })).await;
    assert_eq!(refused["error"]["code"], "locked");
    let link = console.ask(json!({ "do": "sign_in" })).await;
    go_through(&link, &mut browser).await;
    access(&mut console, "signed_in").await;
    let audit = console.ask(json!({ "do": "verify_audit" })).await;
    assert_eq!(audit["check"]["broken"], Value::Null, "{audit}");
    console.quit().await;
    sandbox.shutdown().await;
}
