//! What becomes of an e-mail, from the mail server's words to the session: the real broker hands it over, the real
//! engine follows it on the event channel.

#![allow(clippy::unwrap_used)]

use std::time::Duration;

use broker::MailState as Outbox;
use deskhand_system_tests::{RunningEngine, World};
use engine::{SessionId, Snapshot};
use mail_tests::{Does, server};
use serve::{Fault, FaultRule};
use session::{
    Input,
    mail::{Order, Status, Template, When},
};
use wire::session_events::MailState;

/// A mail server that gives the next of these answers to each mail's recipient, and takes every mail after the last
/// of them. Its URL.
async fn mail_server(answers: &[&'static str]) -> String {
    let refused = answers.iter().map(|answer| Does::Answer(answer));
    server(&[], refused.chain([Does::Take]).collect()).await.0
}

async fn order(running: &RunningEngine, id: SessionId, to: &str) {
    let order = Input::MailOrdered {
        to: to.into(),
        template: Template::ToCustomer,
        name: "Anna".into(),
        when: When::Now,
        by: "anna".into(),
    };
    running.engine.order(id, order).await.unwrap();
}

fn first(snapshot: &Snapshot) -> &Order {
    &snapshot.record.mail[0]
}

fn is(order: &Order, state: MailState) -> bool {
    matches!(order.status, Status::Accepted { .. })
        && order.fate.as_ref().is_some_and(|fate| fate.state == state)
}

/// Waits until the first mail of a session has this fate; the mail server's words.
async fn until_fate(running: &RunningEngine, id: SessionId, state: MailState) -> String {
    let came = |s: &Snapshot| s.record.mail.first().is_some_and(|order| is(order, state));
    let snapshot = running.until(id, "the e-mail has come so far", came).await;
    first(&snapshot).fate.as_ref().unwrap().reason.clone()
}

async fn times(running: &RunningEngine, id: SessionId, name: &str) -> usize {
    running.happened(id).await.iter().filter(|event| *event == name).count()
}

/// Moves the broker's clock until its first mail is as it should be.
async fn advance_until(world: &World, state: &Outbox) {
    let advancing = async {
        while world.broker.handle().outbox()[0].state != *state {
            world.broker.handle().advance(Duration::from_secs(60)).await;
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(deskhand_system_tests::PATIENCE, advancing).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_told_with_the_mail_servers_words_and_the_mail_can_be_sent_again() {
    let url = mail_server(&["550 5.1.1 no such user"]).await;
    let world = World::with_mail_server(url).await;
    let running = world.engine().await;
    let (id, _) = running.armed_session().await;
    order(&running, id, "maria@example.com").await;
    let words = until_fate(&running, id, MailState::Refused).await;
    assert!(words.starts_with("550 5.1.1 no such user"), "{words}");
    running.until_happened(id, "MailRefused", 1).await;

    running.engine.order(id, Input::MailRepeated { id: 1 }).await.unwrap();
    until_fate(&running, id, MailState::HandedOver).await;
    running.until_happened(id, "MailHandedOver", 1).await;
    assert_eq!(world.broker.handle().outbox().len(), 2);
    // One that was taken is not sent twice.
    running.engine.order(id, Input::MailRepeated { id: 1 }).await.unwrap();
    assert!(is(first(&running.engine.snapshot(id).unwrap()), MailState::HandedOver));
    assert_eq!(times(&running, id, "MailSent").await, 2, "the service accepted it twice");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_became_of_it_while_the_console_was_away_comes_with_the_first_word() {
    let url = mail_server(&["451 4.3.0 try again later", "451 4.3.0 later still"]).await;
    let world = World::with_mail_server(url).await;
    let running = world.engine().await;
    let (id, _) = running.armed_session().await;
    order(&running, id, "maria@example.com").await;
    running.until_happened(id, "MailDelayed", 1).await;
    let words = until_fate(&running, id, MailState::Queued).await;
    assert!(words.contains("451"), "{words}");
    running.stop().await;

    advance_until(&world, &Outbox::Sent).await;
    let running = world.engine().await;
    until_fate(&running, id, MailState::HandedOver).await;
    running.until_happened(id, "MailHandedOver", 1).await;
    assert_eq!(times(&running, id, "MailDelayed").await, 1);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_whose_order_had_no_answer_is_known_by_the_brokers_word_all_the_same() {
    let world = World::with_mail_server(mail_server(&[]).await).await;
    let running = world.engine().await;
    let (id, _) = running.armed_session().await;
    running.until(id, "the broker tells its state", |s| s.facts.is_some()).await;
    world.broker.handle().faults().set(vec![FaultRule {
        times: Some(1),
        ..FaultRule::always("/api/v1/email/{address}", Fault::DropAnswer)
    }]);
    order(&running, id, "maria@example.com").await;
    until_fate(&running, id, MailState::HandedOver).await;
    assert_eq!(times(&running, id, "MailFailed").await, 1);
    assert_eq!(world.broker.handle().outbox().len(), 1);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_channel_a_mail_is_accepted_and_no_more_is_claimed() {
    let world = World::without_channel().await;
    let running = world.engine().await;
    let (id, _) = running.armed_session().await;
    order(&running, id, "maria@example.com").await;
    let accepted = |s: &Snapshot| {
        s.record.mail.first().is_some_and(|order| matches!(order.status, Status::Accepted { .. }))
    };
    let snapshot = running.until(id, "the service has accepted it", accepted).await;
    assert_eq!(first(&snapshot).fate, None);
    assert!(!first(&snapshot).can_be_repeated());
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_in_other_letters_reaches_the_mail_server_or_the_reason_is_told() {
    let world = World::with_mail_server(mail_server(&[]).await).await;
    let running = world.engine().await;
    let (id, _) = running.armed_session().await;
    order(&running, id, "info@münchen.example").await;
    until_fate(&running, id, MailState::HandedOver).await;
    assert_eq!(world.broker.handle().outbox()[0].to, "info@xn--mnchen-3ya.example");
    let (id, _) = running.armed_session().await;
    order(&running, id, "jörg@münchen.example").await;
    let words = until_fate(&running, id, MailState::Refused).await;
    assert!(words.contains("SMTPUTF8"), "{words}");
    running.stop().await;
}
