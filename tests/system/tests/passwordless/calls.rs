//! A backend's calls against the sandbox, and the bytes that shipped clients look at.

use engine::remote::passwordless::PasskeyError;
use reqwest::{Method, Response, StatusCode};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use wire::passwordless::LimitError;

use crate::{ANNA, BEN, World, asked, client, secret};

#[tokio::test]
async fn testing_the_connection_tells_a_good_secret_from_a_wrong_one() {
    let world = World::new().await;
    world.client.ping().await.unwrap();
    let public = world.running.passwordless().api_key().to_owned();
    let good = world.running.passwordless().api_secret();
    let shorter = &good.expose_secret()[..42];
    for wrong in ["", "nonsense", "app:secret:", "a\nb", shorter, &public] {
        let error = client(&world.running, secret(wrong)).ping().await.unwrap_err();
        assert!(matches!(error, PasskeyError::Unauthorized(_)), "{wrong}: {error:?}");
    }
}

#[tokio::test]
async fn aliases_are_replaced_as_a_whole_and_belong_to_one_user() {
    let world = World::new().await;
    let mut anna = world.registered(ANNA).await;
    let set = |user, aliases: &[&str], hashing| {
        let aliases: Vec<String> = aliases.iter().map(|alias| (*alias).to_owned()).collect();
        let client = world.client.clone();
        async move { client.set_aliases(user, &aliases, hashing).await }
    };
    set(ANNA, &["anna", "keller"], true).await.unwrap();
    anna.sign_in(json!({ "alias": "keller" })).await.token();
    set(ANNA, &["anna"], false).await.unwrap();
    anna.sign_in(json!({ "alias": "anna" })).await.token();
    let gone = anna.begin(json!({ "alias": "keller" })).await;
    assert_eq!((gone.status.as_u16(), &gone.body["data"]["allowCredentials"]), (200, &json!([])));

    let taken = set(BEN, &["ben", "anna"], true).await.unwrap_err();
    assert!(matches!(taken, PasskeyError::AliasConflict(_)), "{taken:?}");
    let mut wanted = asked(BEN);
    wanted.aliases = vec!["anna".into()];
    let taken = world.client.register_token(&wanted).await.unwrap_err();
    assert!(matches!(taken, PasskeyError::AliasConflict(_)), "{taken:?}");
    set(BEN, &["keller"], true).await.unwrap();
    set(ANNA, &[], true).await.unwrap();
    set(BEN, &["ben", "anna"], true).await.unwrap();
}

#[tokio::test]
async fn what_goes_beyond_a_limit_is_not_sent_and_would_be_refused() {
    let world = World::new().await;
    let long = "x".repeat(251);
    let many: Vec<String> = (0..11).map(|n| n.to_string()).collect();
    for (aliases, limit) in
        [(vec![long.clone()], LimitError::LongAlias(1)), (many, LimitError::TooManyAliases)]
    {
        let error = world.client.set_aliases(ANNA, &aliases, true).await.unwrap_err();
        assert!(matches!(error, PasskeyError::Limit { limit: is, .. } if is == limit), "{error:?}");
        let body = json!({ "userId": ANNA, "aliases": aliases });
        let answer = as_backend(&world, Method::POST, "/alias", Some(body)).await;
        assert_eq!(answer.status(), 400);
        let problem: Value = answer.json().await.unwrap();
        assert!(problem["errors"]["aliases"][0].is_string(), "{problem}");
    }
    let body = json!({ "userId": "x".repeat(65), "username": "anna" });
    let answer = as_backend(&world, Method::POST, "/register/token", Some(body)).await;
    assert!(answer.json::<Value>().await.unwrap()["errors"]["userId"][0].is_string());
    let body = json!({ "userId": ANNA, "username": "anna", "attestation": "direct" });
    let answer = as_backend(&world, Method::POST, "/register/token", Some(body)).await;
    assert_eq!(answer.json::<Value>().await.unwrap()["errorCode"], "invalid_attestation");
}

async fn as_backend(world: &World, method: Method, path: &str, body: Option<Value>) -> Response {
    let stand_in = world.running.passwordless();
    let request =
        deskhand_system_tests::http().request(method, format!("{}{path}", stand_in.base_url()));
    let request = request.header("ApiSecret", stand_in.api_secret().expose_secret());
    let request = match body {
        Some(body) => request.json(&body),
        None => request,
    };
    request.send().await.unwrap()
}

#[tokio::test]
async fn names_are_read_in_any_case_and_the_older_ways_are_open() {
    let world = World::new().await;
    let mut browser = world.registered(ANNA).await;
    for query in ["?userId=", "?userid=", "?USERID="] {
        let path = format!("/credentials/list{query}{ANNA}");
        let answer = as_backend(&world, Method::GET, &path, None).await;
        let list: Value = answer.json().await.unwrap();
        assert_eq!(list["values"][0]["userId"], ANNA, "{query}");
        assert_eq!(list["values"][0]["rpid"], "localhost");
        assert!(list["values"][0]["lastUsedAt"].is_string());
    }
    // The document's names: `username`, `sessionId`, and spellings in between.
    let body = json!({ "username": ANNA, "rpId": "localhost", "ORIGIN": browser.origin });
    let begun = browser.post("/signin/begin", body).await.body;
    assert_eq!(begun["data"]["allowCredentials"].as_array().map(Vec::len), Some(1));
    let mut shown = browser.device.sign(&browser.origin, &begun["data"]).await.unwrap();
    let inner = shown["response"].as_object_mut().unwrap();
    let client_data = inner.remove("clientDataJson").unwrap();
    inner.insert("clientDataJSON".into(), client_data);
    let body = json!({ "sessionId": begun["session"], "response": shown });
    let answer = browser.post("/signin/complete", browser.on_page(body)).await;
    let verified = json!({ "Token": answer.token() });
    let answer = as_backend(&world, Method::POST, "/signin/verify", Some(verified)).await;
    assert_eq!(answer.headers()["content-type"], "application/json; charset=utf-8");
    let verified: Value = answer.json().await.unwrap();
    assert_eq!((&verified["rpId"], &verified["rpid"]), (&json!("localhost"), &json!("localhost")));
    assert_eq!((&verified["country"], &verified["device"]), (&json!(""), &json!("Other, Other")));
}

#[tokio::test]
async fn a_refusal_is_problem_json_and_says_which_header_it_misses() {
    let world = World::new().await;
    let base = world.running.passwordless().base_url();
    let http = deskhand_system_tests::http();
    for (path, header) in [
        ("/register/token", "ApiSecret"),
        ("/signin/verify", "ApiSecret"),
        ("/alias", "ApiSecret"),
        ("/credentials/list", "ApiSecret"),
        ("/credentials/delete", "ApiSecret"),
        ("/register/begin", "ApiKey"),
        ("/register/complete", "ApiKey"),
        ("/signin/begin", "ApiKey"),
        ("/signin/complete", "ApiKey"),
    ] {
        let answer = http.post(format!("{base}{path}")).json(&json!({})).send().await.unwrap();
        assert_eq!(answer.status(), 401, "{path}");
        assert_eq!(answer.headers()["www-authenticate"], header);
        assert_eq!(answer.headers()["content-type"], "application/problem+json");
        let problem: Value = answer.json().await.unwrap();
        assert_eq!(problem["status"], 401);
        assert!(problem["title"].as_str().unwrap().contains(header));
    }
    for body in ["", "{", "[]", "null", "\"x\"", "{\"token\":[1]}", "{\"rpid\":\"a\",\"RPID\":1}"] {
        for path in ["/register/begin", "/signin/begin", "/signin/complete", "/register/complete"] {
            let key = world.running.passwordless().api_key().to_owned();
            let request = http.post(format!("{base}{path}")).header("ApiKey", key);
            let answer = request.body(body).send().await.unwrap();
            assert_eq!(answer.status(), 400, "{path} {body}");
            assert_eq!(answer.headers()["content-type"], "application/problem+json");
        }
    }
}

#[tokio::test]
async fn a_page_may_call_what_browsers_call_and_nothing_else() {
    let world = World::new().await;
    let base = world.running.passwordless().base_url();
    let http = deskhand_system_tests::http();
    let ask = |method: Method, path: &str, origin: &str| {
        let request = http.request(method, format!("{base}{path}")).header("Origin", origin);
        let request = request.header("Access-Control-Request-Method", "POST");
        request
            .header("Access-Control-Request-Headers", "apikey,client-version,content-type")
            .send()
    };
    for origin in ["http://localhost:3000", "https://help.example.org"] {
        let answer = ask(Method::OPTIONS, "/signin/begin", origin).await.unwrap();
        assert_eq!(answer.status(), StatusCode::NO_CONTENT);
        let headers = answer.headers();
        assert_eq!(headers["access-control-allow-origin"], origin);
        assert_eq!(headers["access-control-allow-methods"], "POST");
        assert_eq!(headers["access-control-allow-headers"], "apikey,client-version,content-type");
        // A refusal can be read by the page too.
        let answer = ask(Method::POST, "/signin/begin", origin).await.unwrap();
        assert_eq!(answer.status(), 401);
        assert_eq!(answer.headers()["access-control-allow-origin"], origin);
    }
    for origin in ["http://evil.example", "null", "http://localhost.evil.example"] {
        let answer = ask(Method::OPTIONS, "/signin/begin", origin).await.unwrap();
        assert!(!answer.headers().contains_key("access-control-allow-origin"), "{origin}");
    }
    let answer = ask(Method::OPTIONS, "/signin/verify", "http://localhost:3000").await.unwrap();
    assert!(!answer.headers().contains_key("access-control-allow-origin"));
    let rebound = http.post(format!("{base}/signin/begin")).header("Host", "rebound.example");
    assert_eq!(rebound.send().await.unwrap().status(), 403);
}
