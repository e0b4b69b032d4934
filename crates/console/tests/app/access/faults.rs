//! What goes wrong between the browser, the service and this console: each is named, and unlocks nothing.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_minutes_off_is_named() {
    let rig = Rig::start().await;
    let (mut browser, _) = person(&rig, "Anna").await;
    lock(&rig).await;
    // The service's clock runs ahead: its tokens are new to itself, and of the future here.
    rig.app.sandbox(|sandbox| sandbox.advance(10 * MINUTE)).await.unwrap();
    let tab = page(&rig, json!({ "do": "sign_in" })).await;
    assert_eq!(tab.take(&mut browser).await.0, StatusCode::CONFLICT);
    assert!(failure(&rig).await.remedy.contains("clock"));
    // The token has ended by the service's own clock.
    let tab = page(&rig, json!({ "do": "sign_in" })).await;
    let asked = tab.begin().await;
    let token = tab.use_passkey(&mut browser, &asked).await;
    rig.app.sandbox(|sandbox| sandbox.advance(10 * MINUTE)).await.unwrap();
    assert_eq!(tab.done(&token).await.0, StatusCode::CONFLICT);
    assert!(failure(&rig).await.remedy.contains("clock"));
    assert!(is_locked(&rig).await);
    rig.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_in_the_browser_says_what_to_do_and_can_be_tried_again_there() {
    let mut rig = Rig::start().await;
    let mut browser = browser(&rig).await;
    let tab = page(&rig, profile("Anna")).await;
    tab.begin().await;
    for (why, said, remedy) in [
        ("cancelled", "was cancelled in the browser", "Try again"),
        ("unsupported", "can't use passkeys", "another browser"),
        ("failed", "could not do it", "See the page"),
    ] {
        let (status, _) = tab.post("/failed", json!({ "why": why })).await;
        assert_eq!(status, StatusCode::NO_CONTENT);
        let named = |seen: &Seen| {
            let trouble = seen.console.as_ref()?.access.ceremony.as_ref()?.trouble.clone()?;
            trouble.text.contains(said).then_some(trouble)
        };
        let trouble = rig.seen.until(said, named).await;
        assert!(trouble.remedy.contains(remedy), "{trouble:?}");
    }
    let (status, _) = tab.post("/failed", json!({ "why": "<script>" })).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    // The same page, once more.
    assert_eq!(tab.take(&mut browser).await.0, StatusCode::OK);
    access(&rig, AccessKind::SignedIn).await;

    // Given up here: the page is told, and nothing of it is left.
    lock(&rig).await;
    let tab = page(&rig, json!({ "do": "sign_in" })).await;
    rig.ask(json!({ "do": "cancel_ceremony" })).await;
    access(&rig, AccessKind::Locked).await;
    let body = json!({ "state": tab.state });
    let answer = tab.post_as("/begin", &body, &tab.origin).await;
    assert!(answer.is_none_or(|(status, _)| status == StatusCode::CONFLICT));
    assert_eq!(rig.refused(json!({ "do": "ceremony_link" })).await.code, Code::NotFound);
    rig.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_is_loaded_again_or_in_another_browser_uses_nothing_up() {
    let rig = Rig::start().await;
    let (mut browser, _) = person(&rig, "Anna").await;
    lock(&rig).await;
    let tab = page(&rig, json!({ "do": "sign_in" })).await;
    // A messenger's preview, a reload, a second browser: they load the page, and ask what it is for.
    for _ in 0..40 {
        let html = tab.http.get(&tab.origin).send().await.unwrap();
        assert_eq!(html.status(), StatusCode::OK);
        let (status, offer) = tab.post("/offer", json!({})).await;
        assert_eq!((status, &offer["do"]), (StatusCode::OK, &json!("sign_in")), "{offer}");
        assert!(offer.get("register_token").is_none() && offer.get("api_key").is_none());
    }
    // Begun in one browser and left; begun in another, which goes through with it.
    tab.begin().await;
    let asked = tab.begin().await;
    // Somebody gives up in the first meanwhile.
    tab.post("/failed", json!({ "why": "cancelled" })).await;
    let token = tab.use_passkey(&mut browser, &asked).await;
    assert_eq!(tab.done(&token).await.0, StatusCode::OK);
    access(&rig, AccessKind::SignedIn).await;
    // A page that is still open is told that its step is over, or finds nobody.
    let body = json!({ "state": tab.state });
    for path in ["/offer", "/begin"] {
        let answer = tab.post_as(path, &body, &tab.origin).await;
        assert!(answer.is_none_or(|(status, _)| status == StatusCode::CONFLICT), "{path}");
    }
    rig.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_pages_of_one_step_can_not_make_two_passkeys() {
    let rig = Rig::start().await;
    let (_, _) = person(&rig, "Anna").await;
    let tab = page(&rig, json!({ "do": "add_passkey", "nickname": "Phone" })).await;
    let (one, two) = (tab.begin().await, tab.begin().await);
    assert!(one["register_token"].is_string());
    assert_eq!(one, two, "the service takes its token once");
    tab.post("/failed", json!({ "why": "failed" })).await;
    assert_ne!(tab.begin().await["register_token"], one["register_token"]);
    rig.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_from_the_browser_in_time_ends_the_step() {
    let rig = Rig::start_with(tempfile::tempdir().unwrap(), SettingsSource::nowhere(), |options| {
        options.in_the_browser = Duration::from_millis(20);
    });
    let rig = rig.await;
    rig.ask(profile("Anna")).await;
    let trouble = failure(&rig).await;
    assert!(trouble.text.contains("nothing came from the browser in time"), "{trouble:?}");
    assert!(trouble.remedy.contains("copy the link"), "{trouble:?}");
    rig.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_is_down_or_refuses_the_secret_is_told_apart_and_unlocks_nothing() {
    let rig = Rig::start().await;
    let (mut browser, _) = person(&rig, "Anna").await;
    lock(&rig).await;
    for (code, shown) in [(503, Code::ServiceFault), (401, Code::SetUp)] {
        fault(&rig, VERIFY, Fault::Status { code }).await;
        let tab = page(&rig, json!({ "do": "sign_in" })).await;
        let (status, told) = tab.take(&mut browser).await;
        assert_eq!(status, StatusCode::CONFLICT, "{told}");
        let trouble = failure(&rig).await;
        assert_eq!(trouble.code, shown, "{trouble:?}");
        assert!(!trouble.remedy.is_empty());
        assert!(is_locked(&rig).await);
        rig.ask(json!({ "do": "cancel_ceremony" })).await;
    }
    rig.app.sandbox(|sandbox| sandbox.faults().clear()).await.unwrap();
    sign_in(&rig, &mut browser).await;
    // Before the browser has asked for anything, too.
    fault(&rig, "/register/token", Fault::Status { code: 503 }).await;
    let tab = page(&rig, json!({ "do": "add_passkey", "nickname": "Phone" })).await;
    assert_eq!(tab.post("/begin", json!({})).await.0, StatusCode::CONFLICT);
    assert_eq!(failure(&rig).await.code, Code::ServiceFault);
    rig.app.stop().await;
}
