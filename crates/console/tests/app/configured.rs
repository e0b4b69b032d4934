//! A broker that runs by itself and is configured by its base URL: the same console, the same story.

use std::path::Path;

use broker::{Broker, Config, Rates, Running, TargetPolicy};
use console::{
    SettingsSource,
    reply::Reply,
    view::{Code, LampKind, Reach, ServiceKind},
};
use port_tests::KeptPort;
use serde_json::{Map, Value, json};

use crate::{
    rig::{BY, GONE, Page, Rig, Seen},
    service::Service,
};

/// As `deskhand-broker` starts where nobody but this machine reaches it.
async fn broker(folder: &Path) -> Running {
    let mut config = Config::network(folder.join("broker"));
    config.hook_targets = TargetPolicy { loopback: true, private: false }.into();
    config.rates = Rates::embedded().into();
    Broker::start(config).await.unwrap()
}

fn flags(flags: Value) -> SettingsSource {
    let Value::Object(flags) = flags else { panic!("not an object") };
    SettingsSource::nowhere().with(flags)
}

async fn reach(rig: &mut Rig) -> Reach {
    let known = |seen: &Seen| {
        let reach = seen.console.as_ref()?.listener.reach;
        (reach != Reach::Unknown).then_some(reach)
    };
    rig.seen.until("the reach", known).await
}

/// Until all four hooks are put and confirmed, whatever colour their lamps have.
async fn lamps(rig: &mut Rig, lamp: LampKind) -> String {
    let made = rig.ask(json!({ "do": "new_session" })).await;
    let Reply::Session { id } = made else { panic!("no session was made") };
    rig.ask(json!({ "do": "show", "session": id })).await;
    let all = |d: &console::view::SessionDetail| {
        d.hooks.iter().all(|hook| hook.lamp == lamp && hook.checked_at.is_some()).then_some(())
    };
    rig.seen.detail(&id, "four lamps", all).await;
    id
}

#[tokio::test(flavor = "multi_thread")]
async fn from_a_pin_to_the_archived_transcript_at_a_broker_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let broker = broker(folder.path()).await;
    let mut rig = Rig::start_in(folder, flags(json!({ "base_url": broker.base_url() }))).await;
    assert!(rig.app.broker().is_none(), "none of its own runs beside it");
    let id = rig.session("Maria Lopez").await;
    let pin = rig.seen.pin(&id).await;
    let service = rig.seen.console.clone().unwrap().service;
    assert_eq!((service.kind, service.base_url), (ServiceKind::Configured, broker.base_url()));
    let link = rig.seen.detail(&id, "its link", |d| d.pin.as_ref()?.join_link.clone()).await;
    assert_eq!(link, format!("{}/join#{pin}", broker.origin()), "by the broker's own word");

    let mut customer = Page::open(broker.origin(), &pin, "presenter", "Maria").await;
    rig.seen.event("presenter_online").await;
    let viewer = Page::open(broker.origin(), &pin, "viewers", "Anna").await;
    rig.seen.label(&id, "Active").await;
    rig.seen.armed(&id).await;
    customer.say("Maria", "the printer is on fire").await;
    viewer.close().await;
    broker.handle().idle().await;
    broker.handle().advance(GONE).await;
    rig.seen.label(&id, "Ended").await;
    let saved = rig.seen.event("transcript_saved").await;
    assert_eq!(saved.text, "Transcript of Maria Lopez's session saved (1 message)");

    // What this broker doesn't show by its API is not offered.
    let refused = rig.refused(json!({ "do": "outbox" })).await;
    assert_eq!(refused.code, Code::BadInput);
    rig.app.stop().await;
    broker.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_customers_join_is_learnt_also_from_a_broker_that_comes_later() {
    let folder = tempfile::tempdir().unwrap();
    let port = KeptPort::new();
    let base_url = format!("http://127.0.0.1:{}/api/v1", port.number());
    let mut rig = Rig::start_in(folder, flags(json!({ "base_url": base_url }))).await;
    // What takes longer than the first try to learn it.
    rig.ask(json!({ "do": "new_session" })).await;
    rig.seen.event("allocation_failed").await;
    let broker_folder = tempfile::tempdir().unwrap();
    let config = Config {
        port: serve::Port::Exactly(port.number()),
        ..Config::network(broker_folder.path().join("broker"))
    };
    let broker = Broker::start(config).await.unwrap();
    let page = |seen: &Seen| seen.console.as_ref()?.service.join_page.clone();
    assert_eq!(rig.seen.until("where customers join", page).await, format!("{}/", broker.origin()));
    rig.app.stop().await;
    broker.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_can_calls_the_listener_itself_and_the_answer_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let broker = broker(folder.path()).await;
    let mut rig = Rig::start_in(folder, flags(json!({ "base_url": broker.base_url() }))).await;
    let asked = rig.ask(json!({ "do": "test_reach" })).await;
    let Reply::Reach { reach: found, text } = asked else { panic!("no answer") };
    assert_eq!(found, Reach::Reachable);
    assert!(text.contains("the service's call came in"), "{text}");
    assert_eq!(reach(&mut rig).await, Reach::Reachable);
    rig.app.stop().await;
    broker.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_no_hook_can_come_no_lamp_is_ever_green_and_it_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let broker = broker(folder.path()).await;
    // Nothing listens there; the broker is told to send hooks there all the same.
    let dead = json!({ "base_url": broker.base_url(), "public_url": "http://127.0.0.1:9/" });
    let mut rig = Rig::start_in(folder, flags(dead)).await;
    assert_eq!(reach(&mut rig).await, Reach::Unreachable);
    let id = lamps(&mut rig, LampKind::ArmedUnreachable).await;
    let console = rig.seen.console.clone().unwrap();
    let trouble = &console.troubles[0];
    assert!(trouble.text.contains("cannot reach this console"), "{trouble:?}");
    let asked = rig.ask(json!({ "do": "test_reach" })).await;
    let Reply::Reach { text, .. } = asked else { panic!("no answer") };
    assert!(text.contains("the service called and nothing answered"), "{text}");
    rig.ask(json!({ "do": "recheck", "session": id })).await;
    rig.app.stop().await;
    assert!(rig.seen.texts.iter().all(|text| !text.contains("\"lamp\":\"armed\"")));
    broker.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_cannot_call_is_not_asked_and_what_was_not_proved_is_said() {
    let service = Service::start();
    let folder = tempfile::tempdir().unwrap();
    let mut rig = Rig::start_in(folder, flags(json!({ "base_url": service.base_url() }))).await;
    let asked = rig.ask(json!({ "do": "test_reach" })).await;
    let Reply::Reach { text, .. } = asked else { panic!("no answer") };
    assert!(text.contains("a call from this computer came in"), "{text}");
    assert!(text.contains("whether a firewall keeps it away is not known"), "{text}");
    let id = rig.session("Maria").await;
    rig.seen
        .detail(&id, "no join link", |d| d.pin.as_ref()?.join_link.is_none().then_some(()))
        .await;
    rig.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_hosted_services_terms_are_shown_once_and_who_accepted_them_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("settings.toml");
    let rig = Rig::start_in(folder, SettingsSource::file(&file)).await;
    let hosted = Map::from_iter([("base_url".into(), json!("https://www.loginwith.me/api/v1"))]);
    let refused = rig.refused(json!({ "do": "configure", "changes": hosted })).await;
    assert!(refused.text.contains("licence terms are not accepted yet"), "{refused:?}");
    let shown: String = refused.remedy.split_whitespace().collect();
    let terms: String = console::settings::LICENCE_TERMS.split_whitespace().collect();
    assert!(shown.contains(terms.trim_end_matches('.')), "{}", refused.remedy);

    rig.ask(json!({ "do": "configure", "changes": { "licence_consent": true } })).await;
    let kept = rig.app.settings();
    assert_eq!(kept.licence_consent_by.as_deref(), Some(BY));
    assert!(kept.licence_consent_at.is_some());
    // From now on it is only a setting; nothing is called here.
    kept.layer(&hosted).unwrap();
    rig.app.stop().await;
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.contains("licence_consent_by") && text.contains(BY), "{text}");
    let rig = Rig::start_in(rig.folder, SettingsSource::file(&file)).await;
    assert_eq!(rig.app.settings(), kept);
    rig.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_public_url_set_while_it_runs_is_tested_at_once_and_its_lamps_are_never_green_before() {
    let folder = tempfile::tempdir().unwrap();
    let mut rig = Rig::start_in(folder, SettingsSource::nowhere()).await;
    assert_eq!(reach(&mut rig).await, Reach::Reachable);
    let kept = KeptPort::new();
    let port = kept.number();
    let good = json!({ "listen": format!("127.0.0.1:{port}"), "public_url": format!("http://localhost:{port}/") });
    rig.ask(json!({ "do": "configure", "changes": good })).await;
    let tested = |seen: &Seen| {
        let listener = &seen.console.as_ref()?.listener;
        let public = listener.public_url.as_ref()?.starts_with("http://localhost");
        (public && listener.reach == Reach::Reachable).then_some(())
    };
    rig.seen.until("a test that came", tested).await;
    rig.ask(json!({ "do": "configure", "changes": { "public_url": "http://127.0.0.1:9/" } })).await;
    let failed =
        |seen: &Seen| (seen.console.as_ref()?.listener.reach == Reach::Unreachable).then_some(());
    rig.seen.until("a test that did not", failed).await;
    lamps(&mut rig, LampKind::ArmedUnreachable).await;
    rig.app.stop().await;
}
