//! Who is at this console: the whole sign-in against the sandbox's real relying party, a software
//! authenticator in the place of the browser; and what the lock keeps away.

mod faults;
mod locked;
mod profiles;

use std::{collections::BTreeSet, time::Duration};

use authenticator_tests::Browser;
use console::{
    SettingsSource,
    app::Tell,
    commands::Command,
    reply::Reply,
    view::{AccessKind, AccessView, CeremonyStep, CeremonyView, Code, Purpose, Push, Trouble},
};
use reqwest::StatusCode;
use serde_json::{Value, json};
use serve::{Fault, FaultRule};

use crate::rig::{BY, Rig, Seen};

const VERIFY: &str = "/signin/verify";
const MINUTE: Duration = Duration::from_secs(60);

/// The page in the browser, by hand.
struct Tab {
    origin: String,
    state: String,
    http: reqwest::Client,
}

impl Tab {
    fn open(link: &str) -> Self {
        let (page, state) = link.split_once("/#").expect("the state is in the fragment");
        assert!(page.starts_with("http://localhost:"), "{page}");
        assert_eq!(state.len(), 43, "256 bits");
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { origin: page.to_owned(), state: state.to_owned(), http }
    }

    async fn post(&self, path: &str, mut body: Value) -> (StatusCode, Value) {
        body["state"] = self.state.clone().into();
        self.post_as(path, &body, &self.origin).await.expect("the page is served")
    }

    /// None if nobody answers at that port any more.
    async fn post_as(&self, path: &str, body: &Value, from: &str) -> Option<(StatusCode, Value)> {
        let request = self.http.post(format!("{}{path}", self.origin)).header("Origin", from);
        let response = request.json(body).send().await.ok()?;
        let status = response.status();
        let bytes = response.bytes().await.unwrap();
        Some((status, serde_json::from_slice(&bytes).unwrap_or_default()))
    }

    async fn begin(&self) -> Value {
        let (status, asked) = self.post("/begin", json!({})).await;
        assert_eq!(status, StatusCode::OK, "{asked}");
        asked
    }

    async fn done(&self, token: &str) -> (StatusCode, Value) {
        self.post("/done", json!({ "token": token })).await
    }

    /// What the official client does with what the page was asked; answers the token.
    async fn use_passkey(&self, browser: &mut Browser, asked: &Value) -> String {
        let text = |name: &str| asked[name].as_str().unwrap_or_default().to_owned();
        browser.base_url = text("api_url");
        browser.api_key = text("api_key");
        browser.origin.clone_from(&self.origin);
        let answer = match asked["do"].as_str().unwrap() {
            "register" => browser.register(&text("register_token"), &text("nickname")).await,
            "sign_in" if asked["user_id"].is_null() => browser.sign_in(json!({})).await,
            "sign_in" => browser.sign_in(json!({ "userId": text("user_id") })).await,
            other => panic!("{other}"),
        };
        answer.token().to_owned()
    }

    /// The whole step, as a person takes it.
    async fn take(&self, browser: &mut Browser) -> (StatusCode, Value) {
        let asked = self.begin().await;
        let token = self.use_passkey(browser, &asked).await;
        self.done(&token).await
    }
}

async fn browser(rig: &Rig) -> Browser {
    rig.app
        .sandbox(|sandbox| {
            let service = sandbox.passwordless();
            Browser::new(service.base_url(), service.api_key())
        })
        .await
        .unwrap()
}

/// Gives a command that opens a page.
async fn page(rig: &Rig, command: Value) -> Tab {
    let Reply::Link { url, .. } = rig.ask(command).await else { panic!("no link") };
    assert_eq!(rig.desktop.1.lock().unwrap().last(), Some(&url), "the browser was opened");
    Tab::open(&url)
}

fn profile(name: &str) -> Value {
    json!({ "do": "create_profile", "name": name, "email": "someone@help.example" })
}

/// Makes a profile and its passkey; whoever made it is signed in.
async fn person(rig: &Rig, name: &str) -> (Browser, String) {
    let mut browser = browser(rig).await;
    let (status, told) = page(rig, profile(name)).await.take(&mut browser).await;
    assert_eq!(status, StatusCode::OK, "{told}");
    let access = access(rig, AccessKind::SignedIn).await;
    let person = access.person.unwrap();
    assert_eq!(person.name, name);
    (browser, person.id)
}

async fn access(rig: &Rig, is: AccessKind) -> AccessView {
    let of_kind = |seen: &Seen| {
        let access = &seen.console.as_ref()?.access;
        (access.is == is && access.ceremony.is_none()).then(|| access.clone())
    };
    // As it is now, not as it was when somebody last looked.
    Seen::new(rig.app.subscribe()).until(&format!("{is:?}"), of_kind).await
}

async fn lock(rig: &Rig) {
    rig.ask(json!({ "do": "lock" })).await;
    access(rig, AccessKind::Locked).await;
}

async fn sign_in(rig: &Rig, browser: &mut Browser) {
    let (status, told) = page(rig, json!({ "do": "sign_in" })).await.take(browser).await;
    assert_eq!(status, StatusCode::OK, "{told}");
    access(rig, AccessKind::SignedIn).await;
}

/// How the step in the browser failed.
async fn failure(rig: &Rig) -> Trouble {
    let failed = |seen: &Seen| {
        let ceremony = seen.console.as_ref()?.access.ceremony.as_ref()?;
        let failed = ceremony.step == CeremonyStep::Failed;
        failed.then(|| ceremony.trouble.clone()).flatten()
    };
    Seen::new(rig.app.subscribe()).until("a failed step", failed).await
}

async fn is_locked(rig: &Rig) -> bool {
    rig.refused(json!({ "do": "settings" })).await.code == Code::Locked
}

async fn fault(rig: &Rig, route: &str, fault: Fault) {
    let rule = FaultRule { route: route.into(), fault, after: 0, times: None };
    rig.app.sandbox(|sandbox| sandbox.faults().set(vec![rule])).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_profile_is_made_with_its_passkey_and_whoever_has_that_unlocks() {
    let mut rig = Rig::start().await;
    assert_eq!(access(&rig, AccessKind::FirstStart).await.people, []);
    let mut browser = browser(&rig).await;
    let tab = page(&rig, profile("Anna Keller")).await;
    let Reply::Link { url, .. } = rig.ask(json!({ "do": "ceremony_link" })).await else { panic!() };
    assert_eq!(url, format!("{}/#{}", tab.origin, tab.state));
    let waits: CeremonyView = rig
        .seen
        .until("a step in the browser", |s| s.console.as_ref()?.access.ceremony.clone())
        .await;
    assert_eq!((waits.purpose, waits.step), (Purpose::CreateProfile, CeremonyStep::Waiting));
    assert_eq!(waits.text, "Create a passkey for Anna Keller");
    let asked = tab.begin().await;
    assert_eq!((&asked["do"], &asked["text"]), (&json!("register"), &json!(waits.text)));
    assert_eq!(waits.trouble, None);
    let token = tab.use_passkey(&mut browser, &asked).await;
    assert_eq!(tab.done(&token).await.0, StatusCode::OK);
    let anna = access(&rig, AccessKind::SignedIn).await;
    assert_eq!(anna.person.as_ref().unwrap().name, "Anna Keller");
    assert_eq!(anna.people, [anna.person.clone().unwrap()]);

    lock(&rig).await;
    // By name, and by whatever passkey of this console there is.
    let id = anna.person.unwrap().id;
    for command in [json!({ "do": "sign_in", "person": id }), json!({ "do": "sign_in" })] {
        let tab = page(&rig, command).await;
        assert_eq!(tab.take(&mut browser).await.0, StatusCode::OK);
        access(&rig, AccessKind::SignedIn).await;
        lock(&rig).await;
    }

    // After a start, somebody must sign in.
    rig.app.stop().await;
    let rig = Rig::start_in(rig.folder, SettingsSource::nowhere()).await;
    let access = access(&rig, AccessKind::Locked).await;
    assert_eq!(access.person.unwrap().id, id);
    assert!(is_locked(&rig).await);
    sign_in(&rig, &mut browser).await;
    rig.app.stop().await;

    // Who has lost the passkey gives the profile up.
    let rig = Rig::start_with(rig.folder, SettingsSource::nowhere(), |o| o.forget_profiles = true);
    let rig = rig.await;
    self::access(&rig, AccessKind::FirstStart).await;
    rig.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_is_ours_alone_and_may_speak_to_nobody_but_the_service() {
    let rig = Rig::start().await;
    let tab = page(&rig, profile("Anna")).await;
    let asked = tab.begin().await;
    let service = asked["api_url"].as_str().unwrap();
    for (path, kind) in
        [("/", "text/html"), ("/passkey.js", "text/javascript"), ("/passkey.css", "text/css")]
    {
        let got = tab.http.get(format!("{}{path}", tab.origin)).send().await.unwrap();
        let header = |name: &str| got.headers()[name].to_str().unwrap().to_owned();
        assert_eq!(got.status(), StatusCode::OK);
        assert!(header("content-type").starts_with(kind));
        let policy = header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; script-src 'self';"), "{policy}");
        assert!(policy.contains(&format!("connect-src 'self' {service};")), "{policy}");
        assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
        assert_eq!(header("referrer-policy"), "no-referrer");
        assert_eq!(header("x-content-type-options"), "nosniff");
        assert_eq!(header("cache-control"), "no-store");
    }
    let missing = tab.http.get(format!("{}/bindings.js", tab.origin)).send().await.unwrap();
    assert_eq!(missing.status(), StatusCode::NOT_FOUND);
    let rebound = tab.http.get(&tab.origin).header("Host", "evil.example").send().await.unwrap();
    assert_eq!(rebound.status(), StatusCode::FORBIDDEN);
    rig.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forged_a_second_and_another_windows_callback_unlock_nothing() {
    let rig = Rig::start().await;
    let (mut browser, _) = person(&rig, "Anna").await;
    lock(&rig).await;
    let before = page(&rig, json!({ "do": "sign_in" })).await;
    let tab = page(&rig, json!({ "do": "sign_in" })).await;

    // Another window's state, a guessed one, none; a foreign page with the right one; no JSON.
    let right = json!({ "state": tab.state, "token": "verify_x" });
    for body in [
        json!({ "state": before.state, "token": "verify_x" }),
        json!({ "state": "A".repeat(43), "token": "verify_x" }),
        json!({ "state": "", "token": "verify_x" }),
    ] {
        for path in ["/begin", "/done"] {
            let (status, told) = tab.post_as(path, &body, &tab.origin).await.unwrap();
            assert_eq!(status, StatusCode::FORBIDDEN, "{path} {body}");
            assert!(told["text"].is_string() && told["remedy"].is_string(), "{told}");
        }
    }
    for from in ["http://evil.example", "null", "http://localhost:1"] {
        let (status, _) = tab.post_as("/done", &right, from).await.unwrap();
        assert_eq!(status, StatusCode::FORBIDDEN, "{from}");
    }
    let (status, _) = tab.post_as("/done", &json!([1]), &tab.origin).await.unwrap();
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert_eq!(tab.done("verify_x").await.0, StatusCode::CONFLICT, "before it was begun");
    assert!(is_locked(&rig).await);

    // The step is still there for whoever it belongs to; it is ended once.
    let asked = tab.begin().await;
    let token = tab.use_passkey(&mut browser, &asked).await;
    assert_eq!(tab.done(&token).await.0, StatusCode::OK);
    access(&rig, AccessKind::SignedIn).await;
    lock(&rig).await;
    let again = json!({ "state": tab.state, "token": token });
    let answer = tab.post_as("/done", &again, &tab.origin).await;
    assert!(answer.is_none_or(|(status, _)| status == StatusCode::CONFLICT));
    assert!(is_locked(&rig).await);

    // The token of before, in a step of its own.
    let replay = page(&rig, json!({ "do": "sign_in" })).await;
    replay.begin().await;
    let (status, told) = replay.done(&token).await;
    assert_eq!(status, StatusCode::CONFLICT, "{told}");
    failure(&rig).await;
    assert!(is_locked(&rig).await);
    // One that was never given out.
    let forged = page(&rig, json!({ "do": "sign_in" })).await;
    forged.begin().await;
    assert_eq!(forged.done("verify_forged").await.0, StatusCode::CONFLICT);
    assert_eq!(failure(&rig).await.code, Code::SignInAgain);
    assert!(is_locked(&rig).await);
    rig.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_persons_passkey_unlocks_nothing_and_it_is_said() {
    let rig = Rig::start().await;
    let (_, anna) = person(&rig, "Anna").await;
    let (mut browser, bo) = person(&rig, "Bo").await;
    assert_eq!(access(&rig, AccessKind::SignedIn).await.people.len(), 2);
    lock(&rig).await;
    let tab = page(&rig, json!({ "do": "sign_in", "person": anna })).await;
    let mut asked = tab.begin().await;
    assert_eq!(asked["user_id"], anna);
    asked["user_id"] = bo.into();
    let token = tab.use_passkey(&mut browser, &asked).await;
    let (status, told) = tab.done(&token).await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert!(told["text"].as_str().unwrap().contains("somebody else"), "{told}");
    let trouble = failure(&rig).await;
    assert!(trouble.text.contains("somebody else") && !trouble.remedy.is_empty(), "{trouble:?}");
    assert!(is_locked(&rig).await);

    // A passkey that was made for no profile of this console: that of a step that was given up.
    let mut stranger = self::browser(&rig).await;
    sign_in(&rig, &mut browser).await;
    let tab = page(&rig, profile("Mallory")).await;
    let asked = tab.begin().await;
    tab.use_passkey(&mut stranger, &asked).await;
    rig.ask(json!({ "do": "cancel_ceremony" })).await;
    lock(&rig).await;
    let tab = page(&rig, json!({ "do": "sign_in" })).await;
    assert_eq!(tab.take(&mut stranger).await.0, StatusCode::CONFLICT);
    assert!(failure(&rig).await.text.contains("nobody at this console"));
    assert!(is_locked(&rig).await);
    rig.app.stop().await;
}
