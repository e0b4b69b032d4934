//! Which program has the place of the session's presenter, and when it is free for another.

use serde_json::json;

use crate::{
    common::{MINUTE, broker},
    program,
};

/// The customer said so in the program that held the place.
#[tokio::test]
async fn a_place_that_is_given_up_is_free_for_the_next_program_at_once() {
    let rig = broker().await;
    let pin = rig.mint().await;
    let conf = rig.conf(&pin).await;
    let mut viewer = rig.page(&pin, "viewers").await;
    // A viewer's word gives up nothing.
    viewer.send(&json!({ "type": "leave", "why": "moved" })).await;
    let mut first = program(&rig, &pin, Some(&conf)).await;
    assert_eq!(program(&rig, &pin, None).await.welcome["code"], "taken");
    first.send(&json!({ "type": "leave", "why": "moved" })).await;
    first.close(&rig).await;
    assert_eq!(program(&rig, &pin, None).await.welcome["type"], "welcome");
}

#[tokio::test]
async fn while_the_sessions_own_program_is_there_no_other_takes_its_place() {
    let rig = broker().await;
    let pin = rig.mint().await;
    let conf = rig.conf(&pin).await;
    let other = rig.mint().await;
    let foreign = rig.conf(&other).await;
    let wrong = program(&rig, &pin, Some(&foreign)).await;
    assert_eq!(wrong.welcome["code"], "malformed");
    let mut first = program(&rig, &pin, Some(&conf)).await;
    assert_eq!(first.welcome["type"], "welcome");
    assert_eq!(program(&rig, &pin, None).await.welcome["code"], "taken");
    assert_eq!(rig.page(&pin, "presenter").await.welcome["code"], "taken");
    // Not even one that has the conf as well, which comes with the PIN.
    assert_eq!(program(&rig, &pin, Some(&conf)).await.welcome["code"], "taken");
    first.next_of("other_program").await;
    assert_eq!(first.next_of("other_program").await["type"], "other_program");
    // Away for a moment, it keeps its place against those who only have the PIN.
    first.close(&rig).await;
    assert_eq!(program(&rig, &pin, None).await.welcome["code"], "taken");
    assert_eq!(rig.page(&pin, "presenter").await.welcome["code"], "taken");
    // Started again on the same computer, it goes on.
    let again = program(&rig, &pin, Some(&conf)).await;
    assert_eq!(again.welcome["type"], "welcome");
    again.close(&rig).await;
    rig.advance(MINUTE * 2).await;
    assert_eq!(rig.page(&pin, "presenter").await.welcome["type"], "welcome");
}

/// A neighbour with the PIN can fetch the session's program before the customer does.
#[tokio::test]
async fn a_program_without_a_conf_that_runs_keeps_its_place_too_until_its_customer_gives_it_up() {
    let rig = broker().await;
    let pin = rig.mint().await;
    let conf = rig.conf(&pin).await;
    let mut first = program(&rig, &pin, None).await;
    assert_eq!(program(&rig, &pin, Some(&conf)).await.welcome["code"], "taken");
    first.next_of("other_program").await;
    first.send(&json!({ "type": "leave", "why": "moved" })).await;
    first.close(&rig).await;
    assert_eq!(program(&rig, &pin, Some(&conf)).await.welcome["type"], "welcome");
}
