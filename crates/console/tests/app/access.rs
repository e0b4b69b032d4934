//! Who is at this console: the whole sign-in against the sandbox's real relying party, a software
//! authenticator in the place of the browser; and what the lock keeps away.

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

/// Every command by its name, with fields that fit.
fn every_command() -> Vec<Value> {
    let session = uuid::Uuid::nil();
    let of = |name: &str, fields: Value| {
        let mut command = fields;
        command["do"] = name.into();
        command
    };
    let on = |name: &str, mut fields: Value| {
        fields["session"] = session.to_string().into();
        of(name, fields)
    };
    vec![
        of("new_session", json!({})),
        on("again", json!({})),
        on("describe", json!({ "about": {} })),
        on("retry", json!({})),
        on("recheck", json!({})),
        on("show", json!({})),
        on("read", json!({})),
        on("mail", json!({ "to": "a@b.example", "to_customer": true, "when": "now" })),
        on("repeat_mail", json!({ "mail": 1 })),
        on("withdraw_mail", json!({ "mail": 1 })),
        on("viewer_link", json!({ "read_only": true })),
        on("open_viewer", json!({ "read_only": true })),
        on("save_program", json!({ "confirmed": true })),
        on("cancel_program", json!({})),
        on("close", json!({ "outcome": "resolved" })),
        on("note", json!({ "text": "x" })),
        on("tags", json!({ "tags": [] })),
        on("detail", json!({})),
        on("chat", json!({})),
        of("search", json!({ "query": "" })),
        on("export", json!({ "format": "text" })),
        of("export_sessions", json!({})),
        of("probe_regions", json!({})),
        of("settings", json!({})),
        of("configure", json!({ "changes": { "lock_after_min": 0 } })),
        of("test_reach", json!({})),
        of("outbox", json!({})),
        of("report_abuse", json!({ "pin": "AAA-AA-AAAA" })),
        of("create_profile", json!({ "name": "Mallory", "email": "m@evil.example" })),
        of("skip_profile", json!({})),
        of("sign_in", json!({})),
        of("ceremony_link", json!({})),
        of("cancel_ceremony", json!({})),
        of("lock", json!({})),
        of("passkeys", json!({})),
        of("add_passkey", json!({ "nickname": "x" })),
        of("delete_passkey", json!({ "id": "x", "confirmed": true })),
        of("set_aliases", json!({ "aliases": [], "hashing": true })),
        on("verify", json!({ "who": "customer", "user": "maria" })),
        on("cancel_verification", json!({ "verification": 1 })),
        of("mail_code", json!({ "user": "maria" })),
        on("override_gate", json!({ "reason": "known by voice" })),
        on("look_up_device", json!({ "login_session": "x" })),
        of("devices", json!({ "filter": "", "offset": 0 })),
        of("log_out_device", json!({ "login_session": "x", "confirmed": true })),
        of("services", json!({})),
        of("set_secret", json!({ "secret": "logintc_key", "value": "x" })),
        of("remove_secret", json!({ "secret": "logintc_key" })),
        of("test_connection", json!({ "service": "logintc" })),
        of("audit", json!({})),
        of("verify_audit", json!({})),
        of("export_audit", json!({})),
        on("picture", json!({ "picture": 1 })),
        on("delete_session", json!({ "confirmed": true })),
        of("backups", json!({})),
        of(
            "restore",
            json!({ "passphrase": "long enough to be taken", "path": "/x", "replace": true }),
        ),
        on("say", json!({ "text": "x" })),
        of("backup", json!({ "passphrase": "long enough to be taken" })),
        of("acknowledge_troubles", json!({})),
        of("quitting", json!({})),
        of("quit", json!({})),
    ]
}

/// The names that the protocol knows, out of what it says of one that it doesn't.
fn known_commands() -> BTreeSet<String> {
    let Err(error) = serde_json::from_value::<Command>(json!({ "do": "dance" })) else { panic!() };
    let text = error.to_string();
    let (_, names) = text.split_once("expected one of ").expect("the names are listed");
    names
        .split('`')
        .filter(|name| !name.is_empty() && !name.contains([',', ' ']))
        .map(String::from)
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn while_it_is_locked_every_command_but_signing_in_is_refused() {
    let all = every_command();
    let named: BTreeSet<String> =
        all.iter().map(|command| command["do"].as_str().unwrap().to_owned()).collect();
    assert_eq!(named, known_commands(), "each command is tried");
    let mut rig = Rig::start().await;
    let (mut browser, _) = person(&rig, "Anna").await;
    lock(&rig).await;
    let passes = ["sign_in", "ceremony_link", "cancel_ceremony", "lock", "quitting", "quit"];
    for command in all {
        if passes.contains(&command["do"].as_str().unwrap()) {
            continue;
        }
        let trouble = rig.refused(command.clone()).await;
        assert_eq!(trouble.code, Code::Locked, "{command}: {trouble:?}");
        assert_eq!(trouble.remedy, "Sign in.");
    }
    assert!(rig.desktop.0.lock().unwrap().is_empty());
    sign_in(&rig, &mut browser).await;
    let Reply::Settings { settings } = rig.ask(json!({ "do": "settings" })).await else { panic!() };
    assert_eq!(settings["lock_after_min"], 15, "nothing was changed");
    lock(&rig).await;
    rig.ask(json!({ "do": "quit" })).await;
    assert!(rig.seen.ended().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn while_it_is_locked_no_name_is_fed_or_told_and_afterwards_all_of_it_is() {
    let mut rig = Rig::start().await;
    let (mut browser, _) = person(&rig, "Anna Keller").await;
    let id = rig.session("Maria Lopez").await;
    let pin = rig.seen.pin(&id).await;
    assert_eq!(rig.seen.details[&id].by, "Anna Keller", "not {BY}, who gave the command");
    let mut notices = rig.app.notices("test");
    notices.read().await;

    lock(&rig).await;
    rig.seen.until("no row", |seen| seen.rows.is_empty().then_some(())).await;
    let before = rig.seen.texts.len();
    let mut customer = rig.page(&pin, "presenter", "Maria").await;
    customer.say("Maria", "my own words").await;
    // The hook came in, and the console counts; more isn't said.
    let mut now = Seen::new(rig.app.overview());
    let ready = |seen: &Seen| {
        let console = seen.console.as_ref()?;
        ((console.live, console.waiting) == (1, 0)).then_some(())
    };
    now.until("nobody is waited for any more", ready).await;
    let news = notices.read().await;
    assert!(!news.is_empty());
    for tell in &news {
        let Tell::Summary { text, .. } = tell else { panic!("{tell:?}") };
        assert!(!text.contains("Maria") && !text.contains("words"), "{text}");
    }
    // Who subscribes now is told no more than that either.
    let mut late = rig.app.subscribe();
    let first = late.next().await.unwrap();
    assert!(matches!(first[..], [Push::Console(_)]), "{first:?}");
    for text in &rig.seen.texts[before..] {
        assert!(!text.contains("Maria") && !text.contains(&pin), "{text}");
    }

    sign_in(&rig, &mut browser).await;
    let online = rig.seen.event("presenter_online").await;
    assert_eq!(online.name, "Maria Lopez");
    rig.seen.until("its row", |seen| seen.rows.contains_key(&id).then_some(())).await;
    let mut seqs: Vec<u64> = rig.seen.happenings.iter().map(|h| h.seq).collect();
    let told = seqs.len();
    seqs.dedup();
    assert_eq!(seqs.len(), told, "nothing is told twice");
    rig.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn not_now_is_remembered_and_can_be_changed() {
    let mut rig = Rig::start().await;
    let id = rig.session("Maria").await;
    assert_eq!(rig.seen.details[&id].by, BY, "as given, while nobody signs in");
    assert_eq!(rig.refused(json!({ "do": "lock" })).await.code, Code::Refused);
    assert_eq!(rig.refused(json!({ "do": "sign_in" })).await.code, Code::Refused);
    assert_eq!(rig.refused(json!({ "do": "passkeys" })).await.code, Code::Refused);
    rig.ask(json!({ "do": "skip_profile" })).await;
    access(&rig, AccessKind::Open).await;
    rig.app.screen_locked().await;
    access(&rig, AccessKind::Open).await;

    // The policy: nobody goes on without a passkey.
    rig.ask(json!({ "do": "configure", "changes": { "require_sign_in": true } })).await;
    let first = access(&rig, AccessKind::FirstStart).await;
    assert!(first.required);
    assert_eq!(rig.refused(json!({ "do": "skip_profile" })).await.code, Code::Refused);
    assert!(is_locked(&rig).await);
    person(&rig, "Anna").await;
    rig.ask(json!({ "do": "settings" })).await;
    rig.app.screen_locked().await;
    access(&rig, AccessKind::Locked).await;
    rig.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_profile_that_can_not_be_is_refused_before_a_page_opens() {
    let rig = Rig::start().await;
    let (email, long) = ("a@b.example", "x".repeat(500));
    for (name, email) in [
        ("", email),
        (" \u{202E} ", email),
        ("Anna", "nobody"),
        ("Anna", "a@b.example\r\nBcc: c@d.example"),
        (long.as_str(), email),
    ] {
        let command = json!({ "do": "create_profile", "name": name, "email": email });
        assert_eq!(rig.refused(command).await.code, Code::BadInput, "{name} {email}");
    }
    assert!(rig.desktop.1.lock().unwrap().is_empty());
    // Any script will do.
    page(&rig, profile("Жанна 花子 🔑")).await.begin().await;
    rig.app.stop().await;

    let rig = Rig::start_with(tempfile::tempdir().unwrap(), SettingsSource::nowhere(), |options| {
        options.pages = std::sync::Arc::new(console::app::NoPages);
    });
    let rig = rig.await;
    let trouble = rig.refused(profile("Anna")).await;
    assert_eq!(trouble.code, Code::SetUp);
    assert!(trouble.text.contains("without its page"), "{trouble:?}");
    rig.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn passkeys_are_listed_added_and_deleted_the_last_one_only_after_a_warning() {
    let rig = Rig::start().await;
    person(&rig, "Anna").await;
    let mut phone = browser(&rig).await;
    let tab = page(&rig, json!({ "do": "add_passkey", "nickname": "Phone" })).await;
    assert_eq!(tab.take(&mut phone).await.0, StatusCode::OK);
    access(&rig, AccessKind::SignedIn).await;
    let list = async |rig: &Rig| match rig.ask(json!({ "do": "passkeys" })).await {
        Reply::Passkeys { passkeys, aliases } => (passkeys, aliases),
        _ => panic!("no passkeys"),
    };
    let (passkeys, aliases) = list(&rig).await;
    let names: BTreeSet<&str> = passkeys.iter().map(|p| p.nickname.as_str()).collect();
    assert_eq!(names, BTreeSet::from(["First passkey", "Phone"]));
    assert!(passkeys.iter().all(|passkey| passkey.created_at.is_some()));
    assert_eq!((aliases.set_here.len(), aliases.set_at), (0, None));

    let of = |id: &str, confirmed: bool| json!({ "do": "delete_passkey", "id": id, "confirmed": confirmed });
    assert_eq!(rig.refused(of("no-such", true)).await.code, Code::NotFound);
    rig.ask(of(&passkeys[0].id, false)).await;
    let (left, _) = list(&rig).await;
    assert_eq!(left, passkeys[1..]);
    let trouble = rig.refused(of(&left[0].id, false)).await;
    assert!(trouble.text.contains("the last one") && trouble.text.contains("can't unlock"));
    rig.ask(of(&left[0].id, true)).await;
    assert_eq!(list(&rig).await.0, []);
    rig.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn aliases_are_checked_first_and_those_set_from_here_are_remembered() {
    let rig = Rig::start().await;
    person(&rig, "Bo").await;
    let set =
        |aliases: &[&str]| json!({ "do": "set_aliases", "aliases": aliases, "hashing": false });
    rig.ask(set(&["bo@help.example"])).await;
    person(&rig, "Anna").await;
    let many: Vec<String> = (0..11).map(|n| format!("a{n}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let long = "x".repeat(251);
    for wrong in [&many[..], &["a", "a"], &[""], &[long.as_str()]] {
        let trouble = rig.refused(set(wrong)).await;
        assert_eq!(trouble.code, Code::BadInput, "{trouble:?}");
        assert!(trouble.text.starts_with("Set the aliases: "), "{trouble:?}");
    }
    let taken = rig.refused(set(&["anna", "bo@help.example"])).await;
    assert!(taken.text.contains("belongs to somebody else"), "{taken:?}");
    rig.ask(set(&["anna", "anna@help.example"])).await;
    rig.ask(set(&[" anna.keller "])).await;
    let Reply::Passkeys { aliases, .. } = rig.ask(json!({ "do": "passkeys" })).await else {
        panic!()
    };
    assert_eq!(aliases.set_here, ["anna.keller"], "the last ones, all of them");
    assert!(aliases.set_at.is_some() && !aliases.hashing);
    rig.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_ends_what_only_who_is_signed_in_may_do() {
    let mut rig = Rig::start().await;
    let (mut browser, anna) = person(&rig, "Anna").await;
    let id = rig.session("Maria").await;
    let of = |reason: &str| json!({ "do": "override_gate", "session": id, "reason": reason });
    let long = "x".repeat(501);
    for reason in ["", "  x ", long.as_str()] {
        assert_eq!(rig.refused(of(reason)).await.code, Code::BadInput, "{reason}");
    }
    let tab = page(&rig, of("known by voice")).await;
    let asked = tab.begin().await;
    assert_eq!((&asked["do"], &asked["user_id"]), (&json!("sign_in"), &json!(anna)));
    assert!(!asked["text"].as_str().unwrap().contains("Maria"), "{asked}");
    let token = tab.use_passkey(&mut browser, &asked).await;
    lock(&rig).await;
    let body = json!({ "state": tab.state, "token": token });
    let answer = tab.post_as("/done", &body, &tab.origin).await;
    assert!(answer.is_none_or(|(status, _)| status == StatusCode::CONFLICT));
    assert!(is_locked(&rig).await);
    rig.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_override_takes_a_fresh_sign_in_opens_the_gate_and_is_in_the_audit_log() {
    let mut rig = Rig::start().await;
    let (mut anna, _) = person(&rig, "Anna Keller").await;
    let id = rig.session("Maria Lopez").await;
    rig.ask(json!({ "do": "configure", "changes": { "verify_gate": "require" } })).await;
    let link = || json!({ "do": "viewer_link", "session": id, "read_only": false });
    assert_eq!(rig.refused(link()).await.code, Code::Verify);
    let wish = json!({ "do": "override_gate", "session": id, "reason": "known by voice" });
    let tab = page(&rig, wish).await;
    assert_eq!(rig.refused(link()).await.code, Code::Verify, "asking is not signing");
    let (status, told) = tab.take(&mut anna).await;
    assert_eq!(status, StatusCode::OK, "{told}");
    access(&rig, AccessKind::SignedIn).await;
    assert!(matches!(rig.ask(link()).await, Reply::Link { .. }));
    let Reply::Audit { entries, .. } = rig.ask(json!({ "do": "audit" })).await else { panic!() };
    let entry = entries.iter().find(|entry| entry.action == "gate_overridden").unwrap();
    assert_eq!((entry.by.as_str(), entry.session.as_deref()), ("Anna Keller", Some(id.as_str())));
    assert!(entry.text.contains("known by voice"), "{}", entry.text);
    // It is of this session alone.
    let other = rig.session("Ben Okafor").await;
    let link = json!({ "do": "viewer_link", "session": other, "read_only": true });
    assert_eq!(rig.refused(link).await.code, Code::Verify);
}
