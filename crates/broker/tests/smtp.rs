//! E-mail by SMTP, against a server that speaks just enough of it.
#![allow(clippy::unwrap_used)]

mod common;
#[path = "common/console.rs"]
mod console;

use broker::{Config, MailState, Rate, Smtp};
use common::{MINUTE, Rig, broker_with, json_of};
use console::{Console, KEY};
use mail_tests::{Does, server};
use port_tests::KeptPort;
use serde_json::{Value, json};
use tokio::sync::mpsc;

fn by(url: String) -> impl FnOnce(&mut Config) {
    let smtp = Smtp { url: url.into(), from: "Support <support@example.org>".into() };
    |config| config.smtp = Some(smtp)
}

/// Asks for a mail; its id.
async fn ask(rig: &Rig, pin: &str, to: &str) -> String {
    let body = json!({ "type": "viewer_started", "name": "Åsa", "session_pin": pin });
    let answer = rig.post(&format!("/email/{to}"), &body).await;
    assert_eq!(answer.status(), 200);
    json_of(answer).await["id"].as_str().unwrap().to_owned()
}

async fn send(url: String) -> MailState {
    let rig = broker_with(by(url)).await;
    let pin = rig.mint().await;
    ask(&rig, &pin, "john@example.com").await;
    rig.handle().idle().await;
    rig.handle().outbox()[0].state.clone()
}

/// The next state in which the only mail is as it should be.
async fn mail_where(console: &mut Console, holds: impl Fn(&Value) -> bool) -> Value {
    let state = console.state_where(|state| holds(&state["mails"][0])).await;
    state["mails"][0].clone()
}

/// Lets time go by until the only mail is in such a state.
async fn advance_until(rig: &Rig, holds: impl Fn(&MailState) -> bool) {
    let advancing = async {
        while !holds(&rig.handle().outbox()[0].state) {
            rig.advance(MINUTE).await;
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(common::PATIENCE, advancing).await.expect("it waits for ever");
}

fn lines(told: &mut mpsc::UnboundedReceiver<String>) -> Vec<String> {
    std::iter::from_fn(|| told.try_recv().ok()).collect()
}

#[tokio::test]
async fn a_mail_goes_to_the_smtp_server_and_is_marked_as_sent() {
    let (url, mut told) = server(&[], vec![Does::Take]).await;
    assert_eq!(send(url).await, MailState::Sent);
    let lines = lines(&mut told);
    for expected in [
        "MAIL FROM:<support@example.org>",
        "RCPT TO:<john@example.com>",
        "Subject: Your remote support session is ready",
        "Message-ID: <",
        "Date: Mon, 13 Nov 2023 22:13:20 +0000",
    ] {
        assert!(lines.iter().any(|line| line.starts_with(expected)), "{expected}: {lines:?}");
    }
}

#[tokio::test]
async fn a_mail_that_was_taken_is_not_sent_again_for_want_of_a_goodbye() {
    let (url, mut told) = server(&[], vec![Does::TakeWithoutGoodbye]).await;
    assert_eq!(send(url).await, MailState::Sent);
    let ids = lines(&mut told).into_iter().filter(|line| line.starts_with("Message-ID"));
    assert_eq!(ids.count(), 1);
}

#[tokio::test]
async fn a_mail_that_the_server_refuses_is_marked_as_failed_with_the_servers_words() {
    for (does, words) in [
        (Does::Answer("550 5.1.1 no such user"), "550 5.1.1 no such user"),
        (Does::AnswerData("552 too large"), "552 too large"),
        (Does::AnswerData("554-5.7.1 we think\r\n554 this is spam"), "554"),
    ] {
        let (url, _told) = server(&[], vec![does]).await;
        let state = send(url).await;
        assert!(matches!(&state, MailState::Failed(why) if why.starts_with(words)), "{state:?}");
    }
}

#[tokio::test]
async fn what_may_be_taken_later_is_tried_again_as_the_same_mail() {
    for (does, words) in [
        (Does::Answer("451 greylisted"), "451 greylisted"),
        (Does::AnswerData("452 the disk is full"), "452 the disk is full"),
        (Does::Drop, "the connection to the mail server failed"),
    ] {
        let (url, mut told) = server(&[], vec![does, Does::Take]).await;
        let rig = broker_with(by(url)).await;
        let pin = console::mint(&rig, KEY).await;
        let mut console = Console::open(&rig, KEY).await;
        console.follow(&pin).await;
        let id = ask(&rig, &pin, "john@example.com").await;
        let waits = mail_where(&mut console, |mail| mail["reason"].is_string()).await;
        assert_eq!((&waits["id"], &waits["state"]), (&json!(id), &json!("queued")));
        assert!(waits["reason"].as_str().unwrap().starts_with(words), "{waits}");
        advance_until(&rig, |state| *state == MailState::Sent).await;
        let taken = mail_where(&mut console, |mail| mail["state"] == "handed_over").await;
        assert_eq!(taken.get("reason"), None);
        let ids = lines(&mut told).into_iter().filter(|line| line.starts_with("Message-ID"));
        let ids: Vec<_> = ids.collect();
        assert!(ids.windows(2).all(|two| two[0] == two[1]), "{ids:?}");
    }
}

#[tokio::test]
async fn a_mail_server_that_is_not_there_fails_the_mail_in_the_end_and_not_the_call() {
    let gone = KeptPort::new();
    let rig = broker_with(by(format!("smtp://{}", gone.addr()))).await;
    let pin = console::mint(&rig, KEY).await;
    let mut console = Console::open(&rig, KEY).await;
    console.follow(&pin).await;
    ask(&rig, &pin, "john@example.com").await;
    mail_where(&mut console, |mail| mail["reason"].is_string()).await;
    advance_until(&rig, |state| matches!(state, MailState::Failed(_))).await;
    let refused = mail_where(&mut console, |mail| mail["state"] == "refused").await;
    assert!(refused["reason"].as_str().unwrap().contains("connection"), "{refused}");
}

#[tokio::test]
async fn a_restart_goes_on_with_what_waits() {
    let (url, _told) = server(&[], vec![Does::Answer("451 later"), Does::Take]).await;
    let rig = broker_with(by(url.clone())).await;
    let pin = rig.mint().await;
    ask(&rig, &pin, "john@example.com").await;
    rig.handle().idle().await;
    assert_eq!(rig.handle().outbox()[0].state, MailState::Waiting("451 later".into()));
    let rig = rig.restart_with(by(url)).await;
    rig.handle().idle().await;
    assert_eq!(rig.handle().outbox()[0].state, MailState::Sent);
}

/// A store as a broker leaves it that is killed while the mail server has an e-mail in its hands.
fn killed_while_it_sent(url: String) -> impl FnOnce(&mut Config) {
    |config| {
        let store = rusqlite::Connection::open(config.data.join("broker.db")).unwrap();
        assert_eq!(store.execute("UPDATE outbox SET state = 'sending'", []).unwrap(), 1);
        store.close().unwrap();
        by(url)(config);
    }
}

#[tokio::test]
async fn a_mail_that_was_being_handed_over_at_a_kill_is_not_sent_again_and_that_is_said() {
    let (url, mut told) = server(&[], vec![Does::Answer("451 later"), Does::Take]).await;
    let rig = broker_with(by(url.clone())).await;
    let pin = console::mint(&rig, KEY).await;
    ask(&rig, &pin, "john@example.com").await;
    rig.handle().idle().await;
    let before = lines(&mut told);
    assert!(before.iter().any(|line| line.starts_with("MAIL FROM")), "{before:?}");
    let rig = rig.restart_with(killed_while_it_sent(url)).await;
    let mut console = Console::open(&rig, KEY).await;
    let mail = console.follow(&pin).await["mails"][0].clone();
    assert_eq!(mail["state"], "refused");
    let reason = mail["reason"].as_str().unwrap();
    assert!(reason.contains("not known") && reason.contains("send it again"), "{reason}");
    rig.advance(MINUTE).await;
    rig.handle().idle().await;
    // The goodbye of the first attempt may come late.
    let after = lines(&mut told);
    assert!(!after.iter().any(|line| line.starts_with("MAIL FROM")), "{after:?}");
}

#[tokio::test]
async fn a_hooks_mail_that_is_not_sent_stands_refused_with_the_reason_once() {
    let (url, mut told) = server(&[], vec![Does::Take]).await;
    let rig = broker_with(|config| {
        by(url)(config);
        config.rates.local.mail_by_pin = Rate::new(1, 3_600);
    })
    .await;
    let pin = console::mint(&rig, KEY).await;
    let mut console = Console::open(&rig, KEY).await;
    console.follow(&pin).await;
    for to in ["john%40example.com", "john%40example.com", "john%40example.com", "nobody"] {
        let hook = rig.url(&format!("/email/{to}"));
        assert_eq!(rig.put_hook(&pin, "viewer_started", &hook).await.status(), 200);
        let page = rig.page(&pin, "viewers").await;
        rig.handle().idle().await;
        drop(page);
        // The page is gone, so that the next one is another viewer.
        rig.advance(2 * MINUTE).await;
    }
    let state = console
        .state_where(|state| state["mails"].as_array().is_some_and(|all| all.len() == 3))
        .await;
    let mails: Vec<_> = state["mails"].as_array().unwrap().iter().collect();
    assert_eq!(mails[0]["state"], "handed_over");
    assert_eq!(mails[1]["state"], "refused");
    assert!(mails[1]["reason"].as_str().unwrap().starts_with("too many e-mails"), "{state}");
    assert!(mails[2]["reason"].as_str().unwrap().contains("not an e-mail address"), "{state}");
    let sent = lines(&mut told).into_iter().filter(|line| line.starts_with("Message-ID"));
    assert_eq!(sent.count(), 1);
}

/// A store that refuses each first attempt, as a full disk would.
fn with_full_disk(url: String) -> impl FnOnce(&mut Config) {
    |config| {
        let store = rusqlite::Connection::open(config.data.join("broker.db")).unwrap();
        store
            .execute_batch(
                "CREATE TRIGGER full BEFORE UPDATE ON outbox
                 WHEN OLD.state = 'sending' AND NEW.state = 'sending'
                 BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END;",
            )
            .unwrap();
        store.close().unwrap();
        by(url)(config);
    }
}

#[tokio::test]
async fn a_mail_whose_attempt_the_disk_refuses_waits_and_is_tried_again() {
    let (url, mut told) = server(&[], vec![Does::Take]).await;
    let rig = broker_with(by(url.clone())).await.restart_with(with_full_disk(url)).await;
    let pin = console::mint(&rig, KEY).await;
    let mut console = Console::open(&rig, KEY).await;
    console.follow(&pin).await;
    ask(&rig, &pin, "john@example.com").await;
    let waits = mail_where(&mut console, |mail| mail["reason"].is_string()).await;
    assert!(waits["reason"].as_str().unwrap().contains("disk"), "{waits}");
    assert_eq!(lines(&mut told), Vec::<String>::new(), "it isn't sent unseen");
    advance_until(&rig, |state| *state == MailState::Sent).await;
}

#[tokio::test]
async fn a_mail_without_a_server_is_said_not_to_be_sent() {
    let rig = common::broker().await;
    let pin = console::mint(&rig, KEY).await;
    let mut console = Console::open(&rig, KEY).await;
    console.follow(&pin).await;
    ask(&rig, &pin, "john@example.com").await;
    let mail = mail_where(&mut console, |mail| mail["id"].is_string()).await;
    assert_eq!(
        (&mail["state"], &mail["reason"]),
        (&json!("not_sent"), &json!("no mail server is configured"))
    );
}

#[tokio::test]
async fn addresses_in_other_letters_are_sent_where_the_server_takes_them() {
    const UMLAUTS: &str = "j%C3%B6rg@m%C3%BCnchen.example";
    let sent_to = async |extensions, to: &str| {
        let (url, mut told) = server(extensions, vec![Does::Take]).await;
        let rig = broker_with(by(url)).await;
        let pin = rig.mint().await;
        ask(&rig, &pin, to).await;
        rig.handle().idle().await;
        let line = lines(&mut told).into_iter().find(|line| line.starts_with("RCPT TO"));
        (line, rig.handle().outbox()[0].state.clone())
    };
    // The domain needs nothing of the server.
    let (line, state) = sent_to(&[], "info@m%C3%BCnchen.example").await;
    assert_eq!(line.as_deref(), Some("RCPT TO:<info@xn--mnchen-3ya.example>"));
    assert_eq!(state, MailState::Sent);
    let (line, state) = sent_to(&["SMTPUTF8", "8BITMIME"], UMLAUTS).await;
    assert_eq!((line.is_some(), state), (true, MailState::Sent));
    let (line, state) = sent_to(&["8BITMIME"], UMLAUTS).await;
    assert_eq!(line, None);
    assert!(matches!(&state, MailState::Failed(why) if why.contains("SMTPUTF8")), "{state:?}");
}
