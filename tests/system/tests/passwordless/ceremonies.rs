//! Registrations and sign-ins: those that succeed, and each way in which one fails.

use authenticator_tests::{Browser, Device};
use engine::remote::passwordless::PasskeyError;
use passkey::crypto::iana::Algorithm;
use serde_json::{Value, json};
use wire::passwordless::{SignInKind, UserVerification};

use crate::{ANNA, BEN, NOW, World, asked, secret};

#[tokio::test]
async fn a_passkey_is_made_and_signs_in_by_id_by_alias_and_by_neither() {
    for algorithm in [Algorithm::ES256, Algorithm::EdDSA] {
        let world = World::new().await;
        let mut browser = world.browser();
        browser.device = Device::new(algorithm);
        let mut wanted = asked(ANNA);
        wanted.aliases = vec!["anna@example.org".into()];
        let token = world.register_token(&wanted).await;
        let made = browser.register(&token, "Work laptop").await;
        let made = world.client.verify(&secret(made.token())).await.unwrap();
        assert_eq!((made.success, &made.kind), (true, &SignInKind::PasskeyRegister));

        world.pass(60);
        let all = [json!({ "userId": ANNA }), json!({ "alias": "anna@example.org" }), json!({})];
        for who in all {
            let shown = browser.sign_in(who).await;
            let signed_in = world.client.verify(&secret(shown.token())).await.unwrap();
            assert!(signed_in.success);
            assert_eq!(signed_in.kind, SignInKind::PasskeySignin);
            assert_eq!(signed_in.user_id, ANNA);
            assert_eq!(signed_in.rp_id, "localhost");
            assert_eq!(signed_in.origin, "http://localhost:3000");
            assert_eq!(signed_in.nickname, "Work laptop");
            assert_eq!(signed_in.device, "Other, Other");
            assert_eq!(signed_in.country, "");
            assert_eq!(signed_in.timestamp.as_millisecond(), NOW + 60_000);
            assert_eq!(signed_in.expires_at.as_millisecond(), NOW + 180_000);
            assert_eq!(signed_in.credential_id, made.credential_id);
            assert_ne!(signed_in.token_id, made.token_id);
        }
        let passkeys = world.client.credentials(ANNA).await.unwrap();
        assert_eq!(passkeys.len(), 1);
        let (passkey, at) = (&passkeys[0], |ms| jiff::Timestamp::from_millisecond(ms).ok());
        assert_eq!(
            (passkey.id.as_str(), passkey.nickname.as_str()),
            (made.credential_id.as_str(), "Work laptop")
        );
        assert_eq!((passkey.created_at, passkey.last_used_at), (at(NOW), at(NOW + 60_000)));
        world.running.shutdown().await;
    }
}

#[tokio::test]
async fn a_device_that_has_a_passkey_of_the_user_makes_no_other() {
    let world = World::new().await;
    let mut browser = world.registered(ANNA).await;
    let token = world.register_token(&asked(ANNA)).await;
    let begun = browser.post("/register/begin", browser.on_page(json!({ "token": token }))).await;
    let id = &world.client.credentials(ANNA).await.unwrap()[0].id;
    assert_eq!(begun.body["data"]["excludeCredentials"][0]["id"], **id);
    assert!(browser.device.make(&browser.origin, &begun.body["data"]).await.is_err());
}

#[tokio::test]
async fn a_passkey_can_not_be_handed_in_twice() {
    let world = World::new().await;
    let mut browser = world.browser();
    let begun = begin(&world, &browser).await;
    let made = browser.device.make(&browser.origin, &begun["data"]).await.unwrap();
    browser.complete_registration(&begun["session"], made.clone(), "").await.token();
    // Without attestation nothing is signed, so a page can put the old key beside the
    // new challenge.
    let begun = begin(&world, &browser).await;
    let mut other = Device::new(Algorithm::ES256);
    let mut again = other.make(&browser.origin, &begun["data"]).await.unwrap();
    again["id"] = made["id"].clone();
    again["response"]["AttestationObject"] = made["response"]["AttestationObject"].clone();
    let answer = browser.complete_registration(&begun["session"], again, "").await;
    assert_eq!(answer.code(), "fido2_invalid_registration");
    assert_eq!(world.client.credentials(ANNA).await.unwrap().len(), 1);
}

async fn begin(world: &World, browser: &Browser) -> Value {
    let token = world.register_token(&asked(ANNA)).await;
    browser.post("/register/begin", browser.on_page(json!({ "token": token }))).await.body
}

#[tokio::test]
async fn a_registration_for_another_page_challenge_or_session_is_refused_and_used_up() {
    let world = World::new().await;
    let mut browser = world.browser();
    let refused = "fido2_invalid_registration";

    let begun = begin(&world, &browser).await;
    let elsewhere = browser.device.make("http://localhost:3001", &begun["data"]).await.unwrap();
    let answer = browser.complete_registration(&begun["session"], elsewhere.clone(), "").await;
    assert_eq!(answer.code(), refused);
    let answer = browser.complete_registration(&begun["session"], elsewhere, "").await;
    assert_eq!(answer.code(), "invalid_token", "the session was used");

    let (one, other) = (begin(&world, &browser).await, begin(&world, &browser).await);
    let made = browser.device.make(&browser.origin, &one["data"]).await.unwrap();
    let answer = browser.complete_registration(&other["session"], made, "").await;
    assert_eq!(answer.code(), refused, "the challenge is another session's");

    let begun = begin(&world, &browser).await;
    let mut made = browser.device.make(&browser.origin, &begun["data"]).await.unwrap();
    made["id"] = "AAAA".into();
    let answer = browser.complete_registration(&begun["session"], made, "").await;
    assert_eq!(answer.code(), refused, "the id is another");
    assert_eq!(world.client.credentials(ANNA).await.unwrap(), []);
}

#[tokio::test]
async fn a_sign_in_for_another_relying_party_is_refused() {
    let world = World::new().await;
    let mut browser = world.browser();
    browser.origin = "https://login.example.org".into();
    browser.rp_id = "example.org".into();
    let token = world.register_token(&asked(ANNA)).await;
    browser.register(&token, "").await.token();
    let mut begun = browser.begin(json!({ "userId": ANNA })).await.body;
    begun["data"]["rpId"] = "login.example.org".into();
    let shown = browser.device.sign(&browser.origin, &begun["data"]).await.unwrap();
    let answer = browser.complete_sign_in(&begun["session"], shown).await;
    assert_eq!(answer.code(), "signin_complete_error");

    // The same with a session that was begun there: the passkey belongs to the domain above.
    browser.rp_id = "login.example.org".into();
    let begun = browser.begin(json!({ "userId": ANNA })).await.body;
    let shown = browser.device.sign(&browser.origin, &begun["data"]).await.unwrap();
    let answer = browser.complete_sign_in(&begun["session"], shown).await;
    assert_eq!(answer.code(), "signin_complete_error");

    for (origin, rp_id) in [
        ("https://login.example.org", "example.com"),
        ("https://login.example.org", "org"),
        ("https://evilexample.org", "example.org"),
        ("http://login.example.org", "example.org"),
    ] {
        (browser.origin, browser.rp_id) = (origin.into(), rp_id.into());
        let answer = browser.begin(json!({})).await;
        assert_eq!((answer.status.as_u16(), answer.code()), (400, ""), "{origin} {rp_id}");
        assert!(answer.body["errors"].is_object());
    }
}

#[tokio::test]
async fn a_sign_in_on_another_page_replayed_or_changed_is_refused() {
    let world = World::new().await;
    let mut browser = world.registered(ANNA).await;
    let begun = browser.begin(json!({ "userId": ANNA })).await.body;
    let shown = browser.device.sign("http://localhost:3001", &begun["data"]).await.unwrap();
    let answer = browser.complete_sign_in(&begun["session"], shown).await;
    assert_eq!(answer.code(), "signin_complete_error");

    let begun = browser.begin(json!({ "userId": ANNA })).await.body;
    let shown = browser.device.sign(&browser.origin, &begun["data"]).await.unwrap();
    browser.complete_sign_in(&begun["session"], shown.clone()).await.token();
    let answer = browser.complete_sign_in(&begun["session"], shown.clone()).await;
    assert_eq!(answer.code(), "invalid_token", "the session was used");
    let fresh = browser.begin(json!({ "userId": ANNA })).await.body;
    let answer = browser.complete_sign_in(&fresh["session"], shown).await;
    assert_eq!(answer.code(), "signin_complete_error", "the challenge was another");

    for field in ["signature", "authenticatorData", "clientDataJson"] {
        let begun = browser.begin(json!({ "userId": ANNA })).await.body;
        let mut shown = browser.device.sign(&browser.origin, &begun["data"]).await.unwrap();
        let text = shown["response"][field].as_str().unwrap().to_owned();
        let at = text.len() / 2;
        let letter = if &text[at..=at] == "A" { "B" } else { "A" };
        shown["response"][field] = format!("{}{letter}{}", &text[..at], &text[at + 1..]).into();
        let answer = browser.complete_sign_in(&begun["session"], shown).await;
        assert_eq!(answer.code(), "signin_complete_error", "{field}");
    }
}

#[tokio::test]
async fn a_counter_that_goes_back_is_refused() {
    let world = World::new().await;
    let mut browser = world.registered(ANNA).await;
    for _ in 0..3 {
        browser.sign_in(json!({})).await.token();
    }
    let counted = browser.device.passkey().counter.unwrap();
    browser.device.passkey().counter = Some(counted - 1);
    assert_eq!(browser.sign_in(json!({})).await.code(), "signin_complete_error");
    // The device goes on counting, as one that wasn't copied does.
    browser.sign_in(json!({})).await.token();
}

#[tokio::test]
async fn a_required_verification_can_not_be_left_out() {
    let world = World::new().await;
    let mut browser = world.registered(ANNA).await;
    let asked_for = json!({ "userId": ANNA, "userVerification": "required" });
    browser.sign_in(asked_for.clone()).await.token();
    let mut begun = browser.begin(asked_for).await.body;
    assert_eq!(begun["data"]["userVerification"], "required");
    begun["data"]["userVerification"] = "discouraged".into();
    let shown = browser.device.sign(&browser.origin, &begun["data"]).await.unwrap();
    let answer = browser.complete_sign_in(&begun["session"], shown).await;
    assert_eq!(answer.code(), "signin_complete_error");

    let mut wanted = asked(BEN);
    wanted.user_verification = UserVerification::Required;
    let token = world.register_token(&wanted).await;
    let mut other = world.browser();
    let mut begun =
        other.post("/register/begin", other.on_page(json!({ "token": token }))).await.body;
    let selection = &mut begun["data"]["authenticatorSelection"]["userVerification"];
    assert_eq!(selection.take(), "required");
    *selection = "discouraged".into();
    let made = other.device.make(&other.origin, &begun["data"]).await.unwrap();
    let answer = other.complete_registration(&begun["session"], made, "").await;
    assert_eq!(answer.code(), "fido2_invalid_registration");
}

#[tokio::test]
async fn a_deleted_passkey_and_one_of_somebody_else_sign_nobody_in() {
    let world = World::new().await;
    let (mut anna, mut ben) = (world.registered(ANNA).await, world.registered(BEN).await);
    let begun = anna.begin(json!({ "userId": ANNA })).await.body;
    let mut data = begun["data"].clone();
    data["allowCredentials"] = json!([]);
    let shown = ben.device.sign(&ben.origin, &data).await.unwrap();
    let answer = ben.complete_sign_in(&begun["session"], shown).await;
    assert_eq!(answer.code(), "signin_complete_error");

    let begun = anna.begin(json!({})).await.body;
    let mut shown = anna.device.sign(&anna.origin, &begun["data"]).await.unwrap();
    shown["response"]["userHandle"] = "QmVu".into();
    let answer = anna.complete_sign_in(&begun["session"], shown).await;
    assert_eq!(answer.code(), "signin_complete_error");

    let id = world.client.credentials(ANNA).await.unwrap().remove(0).id;
    world.client.delete_credential(&id).await.unwrap();
    assert_eq!(world.client.credentials(ANNA).await.unwrap(), []);
    assert_eq!(anna.sign_in(json!({})).await.code(), "unknown_credential");
    ben.sign_in(json!({ "userId": BEN })).await.token();
    // The answer to a begin doesn't reveal whether a user was deleted.
    let begun = anna.begin(json!({ "userId": ANNA })).await;
    assert_eq!((begun.status.as_u16(), &begun.body["data"]["allowCredentials"]), (200, &json!([])));
}

#[tokio::test]
async fn passkeys_aliases_and_keys_outlive_a_restart_and_so_does_what_was_begun() {
    let world = World::new().await;
    let mut browser = world.registered(ANNA).await;
    world.client.set_aliases(ANNA, &["anna".into()], false).await.unwrap();
    let begun = browser.begin(json!({ "alias": "anna" })).await.body;
    let used = browser.sign_in(json!({})).await.token().to_owned();
    world.client.verify(&secret(&used)).await.unwrap();
    let before = world.running.passwordless().api_key().to_owned();
    let world = world.restarted().await;
    assert_eq!(world.running.passwordless().api_key(), before);
    let shown = browser.device.sign(&browser.origin, &begun["data"]).await.unwrap();
    let answer = browser.complete_sign_in(&begun["session"], shown).await;
    assert_eq!(world.client.verify(&secret(answer.token())).await.unwrap().user_id, ANNA);
    assert!(matches!(
        world.client.verify(&secret(&used)).await,
        Err(PasskeyError::InvalidToken(_))
    ));
}
