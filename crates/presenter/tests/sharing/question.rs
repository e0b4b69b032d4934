//! The question to the customer: what leaves before they agreed, and what the broker may refuse.

use presenter::{consent::Choice, end_reason::EndReason};
use serde_json::json;

use crate::{PIN, broker::Broker, customer::Customer, invitation};

#[tokio::test(flavor = "multi_thread")]
async fn before_the_customer_agrees_nothing_leaves_but_that_they_are_asked() {
    let mut broker = Broker::start().await;
    let mut customer = Customer::start(invitation(&broker));
    let question = customer.questions.recv().await.unwrap();
    assert_eq!((question.pin.as_str(), question.requester.technician.as_str()), (PIN, "Anna"));
    assert_eq!(question.host, broker.addr.to_string());
    let (mut live, asking) = broker.question().await;
    assert_eq!((&asking["session_pin"], &asking["program"]["conf"]), (&json!(PIN), &json!("conf")));
    assert_eq!(asking.get("name"), None);
    customer.choose(Choice::Decline);
    assert_eq!(live.hear().await, json!({"type": "declined"}));
    drop(live);
    assert_eq!(customer.ended().await, EndReason::Declined);
    assert!(!broker.was_called());
    assert!(customer.told.try_recv().is_err(), "nothing was captured");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_broker_learns_that_the_customer_agreed_and_of_each_connection_that_asks_anew() {
    let mut broker = Broker::start().await;
    let mut customer = Customer::start(invitation(&broker));
    let (lost, _) = broker.question().await;
    drop(lost);
    let (mut live, again) = broker.question().await;
    assert_eq!(again["type"], "asking");
    customer.agrees().await;
    assert_eq!(live.hear().await, json!({"type": "agreed"}));
    broker.welcomed().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_wants_to_know_nothing_of_the_question_changes_nothing() {
    let mut broker = Broker::start().await;
    let mut customer = Customer::start(invitation(&broker));
    let (mut live, _) = broker.question().await;
    live.tell(&json!({"type": "refused", "code": "malformed", "error": "no"})).await;
    drop(live);
    customer.agrees().await;
    broker.welcomed().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_says_what_to_do() {
    for (code, ended) in [
        ("unknown_pin", EndReason::UnknownPin),
        ("pin_over", EndReason::PinOver),
        ("taken", EndReason::Taken),
        ("malformed", EndReason::NotItsProgram),
        ("blocked", EndReason::Blocked),
    ] {
        let mut broker = Broker::start().await;
        let mut customer = Customer::start(invitation(&broker));
        customer.agrees().await;
        let (mut live, _) = broker.live().await;
        live.tell(&json!({"type": "refused", "code": code, "error": "prose"})).await;
        let met = customer.ended().await;
        assert_eq!(met, ended);
        assert_eq!(met.exit_code(), 5);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_is_tried_again() {
    let mut broker = Broker::start().await;
    let mut customer = Customer::start(invitation(&broker));
    customer.agrees().await;
    let (mut live, _) = broker.live().await;
    live.tell(&json!({"type": "refused", "code": "too_many", "error": "prose"})).await;
    broker.welcomed().await;
}
