//! "Let customers on this network join": this computer only until then, and then an address that others
//! reach, at once, with nothing lost.

use std::time::Duration;

use console::{
    SettingsSource,
    reply::Reply,
    view::{Code, ConsoleView},
};
use port_tests::KeptPort;
use serde_json::{Value, json};

use crate::rig::{Page, Rig, Seen};

/// A name that no computer has; the tests' clients are told where it is.
const HOST: &str = "desk.example";

fn fixture(name: &str) -> String {
    format!("{}/../serve/tests/fixtures/test-only.{name}.pem", env!("CARGO_MANIFEST_DIR"))
}

/// A customer's browser, which knows where the name is and, where given, trusts a certificate.
fn browser(port: u16, pem: Option<&str>) -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder =
        reqwest::Client::builder().no_proxy().resolve(HOST, ([127, 0, 0, 1], port).into());
    let builder = match pem {
        Some(file) => {
            let pem = std::fs::read(file).unwrap();
            let trusted = reqwest::Certificate::from_pem(&pem).unwrap();
            // The fixture is localhost's.
            builder.tls_certs_only([trusted]).danger_accept_invalid_hostnames(true)
        }
        None => builder.tls_certs_only([]),
    };
    builder.build().unwrap()
}

async fn console(rig: &mut Rig, what: &str, holds: impl Fn(&ConsoleView) -> bool) -> ConsoleView {
    let look = |seen: &Seen| seen.console.clone().filter(|console| holds(console));
    rig.seen.until(what, look).await
}

async fn configure(rig: &Rig, changes: Value) {
    rig.ask(json!({ "do": "configure", "changes": changes })).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_switch_works_at_once_both_ways_and_no_link_or_hook_of_this_computer_is_lost() {
    let mut rig = Rig::start().await;
    let id = rig.session("Maria").await;
    let pin = rig.seen.pin(&id).await;
    console(&mut rig, "this computer only", |c| c.service.this_computer_only).await;
    let here = rig.seen.details[&id].pin.as_ref().unwrap().join_link.clone().unwrap();
    assert!(here.starts_with("http://127.0.0.1:"), "{here}");

    let kept = KeptPort::new();
    let port = kept.number();
    let there = format!("http://{HOST}:{port}");
    let on = json!({ "lan": true, "lan_listen": format!("127.0.0.1:{port}"), "lan_url": there });
    configure(&rig, on).await;
    let page = format!("{there}/");
    let open = |c: &ConsoleView| {
        !c.service.this_computer_only && c.service.join_page.as_deref() == Some(page.as_str())
    };
    let view = console(&mut rig, "the network's address", open).await;
    assert!(view.service.base_url.starts_with("http://127.0.0.1:"), "its own calls stay here");
    let link = rig.seen.detail(&id, "its link", |d| d.pin.as_ref()?.join_link.clone());
    assert_eq!(link.await, format!("{there}/join#{pin}"));
    let browser = browser(port, None);
    let page = browser.get(format!("{there}/join")).send().await.unwrap();
    assert_eq!(page.status(), 200);
    let asked = rig.ask(json!({ "do": "viewer_link", "session": id, "read_only": false })).await;
    let Reply::Link { url, .. } = asked else { panic!("no link") };
    assert!(url.starts_with(&format!("{there}/view#ticket=")), "a colleague's link leads in, too");

    let mut customer =
        Page::open(&format!("http://127.0.0.1:{port}"), &pin, "presenter", "Maria").await;
    rig.seen.event("presenter_online").await;
    rig.seen.label(&id, "Ready").await;
    rig.seen.armed(&id).await;

    configure(&rig, json!({ "lan": false })).await;
    console(&mut rig, "this computer only", |c| c.service.this_computer_only).await;
    customer.is_sent_away().await;
    assert!(browser.get(format!("{there}/join")).send().await.is_err());
    let link = rig.seen.detail(&id, "its link", |d| {
        d.pin.as_ref()?.join_link.clone().filter(|link| !link.contains(HOST))
    });
    assert_eq!(link.await, here, "the link of this computer is as it was");
    let _viewer = rig.page(&pin, "viewers", "Anna").await;
    rig.seen.event("viewer_joined").await;
    rig.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reload_has_it_trust_other_proxies_and_sends_no_customer_away() {
    let folder = tempfile::tempdir().unwrap();
    let (file, kept) = (folder.path().join("settings.toml"), KeptPort::new());
    let port = kept.number();
    let settings = format!("lan = true\nlan_listen = \"127.0.0.1:{port}\"\n");
    std::fs::write(&file, &settings).unwrap();
    let mut rig = Rig::start_in(folder, SettingsSource::file(&file)).await;
    let id = rig.session("Maria").await;
    let pin = rig.seen.pin(&id).await;
    let origin = format!("http://127.0.0.1:{port}");
    let _customer = Page::open(&origin, &pin, "presenter", "Maria").await;
    rig.seen.event("presenter_online").await;
    let browser = browser(port, None);
    let url = format!("{origin}/api/v1/session_pin?region=us-east-1");
    let mint = async |from: String| {
        let asked = browser.get(&url).header("x-forwarded-for", from);
        asked.send().await.unwrap().status().as_u16()
    };
    // Without a proxy that is trusted all of them are one.
    let mut came = Vec::new();
    for n in 0..241 {
        came.push(mint(format!("198.51.100.{n}")).await);
    }
    assert_eq!((came[239], came[240]), (200, 429));
    std::fs::write(&file, settings + "lan_trusted_proxies = [\"127.0.0.1\"]\n").unwrap();
    rig.app.reload().await;
    assert_eq!(mint("198.51.100.250".to_owned()).await, 200);
    assert!(rig.app.settings().lan_trusted_proxies == ["127.0.0.1"]);
    let pages = rig.app.broker().unwrap().handle();
    let facts = pages.facts(&pin.parse().unwrap()).unwrap();
    assert_eq!(facts.participants.len(), 1, "the customer is still connected");
    rig.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_an_address_it_takes_this_computers_own_and_keeps_its_port_over_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("settings.toml");
    let mut rig = Rig::start_in(folder, SettingsSource::file(&file)).await;
    configure(&rig, json!({ "lan": true, "lan_listen": "127.0.0.1:0" })).await;
    let base = rig.app.broker().unwrap().origin().to_owned();
    let page = |c: &ConsoleView| c.service.join_page.clone().filter(|page| !page.contains(&base));
    let first = console(&mut rig, "an address", |c| page(c).is_some()).await.service.join_page;
    rig.app.stop().await;
    let _port = KeptPort::given_back_by(first.as_ref().unwrap());
    let mut rig = Rig::start_in(rig.folder, SettingsSource::file(&file)).await;
    let again = console(&mut rig, "an address", |c| page(c).is_some()).await.service.join_page;
    assert_eq!(again, first);
    rig.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_certificate_customers_come_in_by_tls_and_the_console_needs_none() {
    let mut rig = Rig::start().await;
    let kept = KeptPort::new();
    let port = kept.number();
    let there = format!("https://{HOST}:{port}");
    let tls = json!({
        "lan": true, "lan_listen": format!("127.0.0.1:{port}"), "lan_url": there,
        "tls_cert": fixture("cert"), "tls_key": fixture("key"),
    });
    configure(&rig, tls).await;
    let secure =
        |c: &ConsoleView| c.service.join_page.as_deref().is_some_and(|p| p.starts_with(&there));
    console(&mut rig, "an https address", secure).await;
    let browser = browser(port, Some(&fixture("cert")));
    let page = browser.get(format!("{there}/join")).send().await.unwrap();
    assert_eq!(page.status(), 200);
    assert!(browser.get(there.replace("https", "http")).send().await.is_err(), "no plain http");
    // Allocates, and its hooks come.
    let id = rig.session("Maria").await;
    let pin = rig.seen.pin(&id).await;
    let _page = rig.page(&pin, "presenter", "Maria").await;
    rig.seen.event("presenter_online").await;
    rig.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_opened_is_said_with_its_remedy_and_changes_nothing() {
    let mut rig = Rig::start().await;
    let taken = serve::bind([127, 0, 0, 1].into(), serve::Port::Any).unwrap();
    let promised = json!({
        "lan": true, "lan_listen": taken.addr().to_string(), "lan_url": "http://desk.example/",
    });
    let wrong_key = json!({
        "lan": true, "lan_listen": "127.0.0.1:0",
        "tls_cert": fixture("cert"), "tls_key": fixture("cert"),
    });
    for (changes, named) in
        [(promised, taken.addr().to_string()), (wrong_key, "test-only.cert.pem".to_owned())]
    {
        let refused = rig.refused(json!({ "do": "configure", "changes": changes })).await;
        assert_eq!(refused.code, Code::CheckAddress);
        assert!(refused.text.starts_with("Let customers on this network join: "), "{refused:?}");
        assert!(refused.text.contains(&named) && !refused.remedy.is_empty(), "{refused:?}");
        assert!(!rig.app.settings().lan);
    }
    console(&mut rig, "this computer only", |c| c.service.this_computer_only).await;
    rig.session("Maria").await;
    rig.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_where_it_cannot_be_opened_goes_on_for_this_computer_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("settings.toml");
    let gone = "lan = true\nlan_listen = \"127.0.0.1:0\"\ntls_cert = \"/no/such.pem\"\ntls_key = \"/no/such.pem\"\n";
    std::fs::write(&file, gone).unwrap();
    let mut rig = Rig::start_in(folder, SettingsSource::file(&file)).await;
    let told = |c: &ConsoleView| {
        c.troubles.iter().any(|trouble| trouble.text.contains("/no/such.pem"))
            && c.service.this_computer_only
    };
    console(&mut rig, "the trouble", told).await;
    configure(&rig, json!({ "tls_cert": "", "tls_key": "" })).await;
    console(&mut rig, "no trouble", |c| c.troubles.is_empty()).await;
    rig.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_brokers_connections_are_set_while_it_runs() {
    let mut rig = Rig::start().await;
    let broker = rig.app.broker().unwrap().addr().to_string();
    configure(&rig, json!({ "broker_connections": 16 })).await;
    let silent = keep_silent_connections(broker);
    let is_full = |c: &ConsoleView| {
        let named = |text: &str| text.contains("broker") && text.contains("16 connections");
        c.troubles.iter().any(|trouble| named(&trouble.text))
    };
    console(&mut rig, "the trouble of a full broker", is_full).await;
    configure(&rig, json!({ "broker_connections": 500 })).await;
    console(&mut rig, "that there is room", |c| c.troubles.is_empty()).await;
    silent.abort();
    rig.app.stop().await;
}

/// Twenty connections that send nothing, until it is aborted. Each is sent away after a while, so there are ever new ones.
fn keep_silent_connections(to: String) -> tokio::task::JoinHandle<()> {
    tokio::spawn(async move {
        loop {
            let connect = |_| std::net::TcpStream::connect(&to).ok();
            let held: Vec<_> = (0..20).filter_map(connect).collect();
            tokio::time::sleep(Duration::from_secs(1)).await;
            drop(held);
        }
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listener_without_room_is_a_trouble_until_it_has_room_again() {
    let mut rig = Rig::start().await;
    let port = KeptPort::new();
    let listen = port.addr().to_string();
    configure(&rig, json!({ "listen": listen, "listener_connections": 16 })).await;
    let is_full = |c: &ConsoleView| {
        let named = |text: &str| text.contains("listener") && text.contains("16 connections");
        c.troubles.iter().any(|trouble| named(&trouble.text))
    };
    let silent = keep_silent_connections(listen);
    console(&mut rig, "the trouble of a full listener", is_full).await;
    silent.abort();
    console(&mut rig, "that it is over", |c| !is_full(c)).await;
    rig.app.stop().await;
}
