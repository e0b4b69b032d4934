//! Tokens: how long, how often and for which calls they are valid.

use engine::remote::passwordless::PasskeyError;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use crate::{ANNA, World, asked, secret};

#[tokio::test]
async fn a_verify_token_is_good_once_and_for_two_minutes() {
    let world = World::new().await;
    let mut browser = world.registered(ANNA).await;
    let token = secret(browser.sign_in(json!({})).await.token());
    world.pass(120);
    world.client.verify(&token).await.unwrap();
    let again = world.client.verify(&token).await;
    assert!(matches!(again, Err(PasskeyError::InvalidToken(_))), "{again:?}");

    let late = secret(browser.sign_in(json!({})).await.token());
    world.pass(121);
    let late = world.client.verify(&late).await.unwrap_err();
    assert!(matches!(late, PasskeyError::ExpiredToken(_)), "{late:?}");
    assert!(late.to_string().contains("too late"), "{late}");
}

#[tokio::test]
async fn a_register_token_is_good_until_its_end_and_a_session_once() {
    let world = World::new().await;
    let mut browser = world.browser();
    let token = world.register_token(&asked(ANNA)).await;
    let first = browser.post("/register/begin", browser.on_page(json!({ "token": token }))).await;
    assert_eq!(first.status, 200);
    world.pass(100);
    let begun = browser.post("/register/begin", browser.on_page(json!({ "token": token }))).await;
    let made = browser.device.make(&browser.origin, &begun.body["data"]).await.unwrap();
    let late = browser.complete_registration(&first.body["session"], made.clone(), "").await;
    assert_eq!(late.code(), "fido2_invalid_registration");
    world.pass(21);
    let over = browser.post("/register/begin", browser.on_page(json!({ "token": token }))).await;
    assert_eq!((over.status.as_u16(), over.code()), (403, "expired_token"));
    world.pass(100);
    let over = browser.complete_registration(&begun.body["session"], made, "").await;
    assert_eq!((over.status.as_u16(), over.code()), (403, "expired_token"));
}

#[tokio::test]
async fn a_forged_misplaced_or_missing_token_is_told_apart() {
    let world = World::new().await;
    let browser = world.browser();
    let register = world.register_token(&asked(ANNA)).await;
    let begun = browser.begin(json!({})).await;
    let session = begun.body["session"].as_str().unwrap();
    let verify = |token: String| {
        let client = world.client.clone();
        async move { client.verify(&secret(&token)).await.unwrap_err() }
    };
    for wrong in [&register, session, "verify_AAAA", "verify_", "", "verify_%%%", "é"] {
        let error = verify(wrong.to_owned()).await;
        assert!(matches!(error, PasskeyError::InvalidToken(_)), "{wrong}: {error:?}");
    }
    let code = async |token: Value| {
        let body = browser.on_page(json!({ "token": token }));
        browser.post("/register/begin", body).await.code().to_owned()
    };
    assert_eq!(code(Value::Null).await, "missing_token");
    assert_eq!(code(json!("verify_AAAA")).await, "invalid_token");
    assert_eq!(code(json!("register_+/")).await, "invalid_token_format");
    assert_eq!(code(json!(format!("{register}A"))).await, "invalid_token");
    // A sign-in's session doesn't complete a registration.
    let made = json!({ "id": "AA", "response": { "attestationObject": "", "clientDataJSON": "" } });
    let answer = browser.complete_registration(&begun.body["session"], made, "").await;
    assert_eq!(answer.code(), "invalid_token");
}

#[tokio::test]
async fn a_backend_can_say_when_a_register_token_ends() {
    let world = World::new().await;
    let (browser, http) = (world.browser(), deskhand_system_tests::http());
    let stand_in = world.running.passwordless();
    let ask = |expires_at: &str| {
        let body = json!({ "UserId": ANNA, "userName": "anna", "expiresAt": expires_at });
        let request = http.post(format!("{}/register/token", stand_in.base_url()));
        request.header("ApiSecret", stand_in.api_secret().expose_secret()).json(&body).send()
    };
    let at = jiff::Timestamp::from_millisecond(crate::NOW + 3_600_000).unwrap().to_string();
    for at in [at.as_str(), at.trim_end_matches('Z')] {
        let answer: Value = ask(at).await.unwrap().json().await.unwrap();
        let token = json!({ "token": answer["token"] });
        assert_eq!(browser.post("/register/begin", browser.on_page(token)).await.status, 200);
    }
    let answer = ask("2001-01-01T00:00:00Z").await.unwrap();
    let token = json!({ "token": answer.json::<Value>().await.unwrap()["token"] });
    let over = browser.post("/register/begin", browser.on_page(token)).await;
    assert_eq!(over.code(), "expired_token");
    assert_eq!(ask("soon").await.unwrap().status(), 400);
}
