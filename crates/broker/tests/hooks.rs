//! The hooks' semantics over real HTTP and WebSockets, with the clock advanced.
#![allow(clippy::unwrap_used)]

mod common;

use std::time::Duration;

use common::{MINUTE, Page, Receiver, broker, broker_with, json_of};
use serde_json::json;
use serve::{Fault, FaultRule};

const BIT: Duration = Duration::from_millis(1);

#[tokio::test]
async fn a_started_hook_fires_with_type_name_and_pin_and_only_once_until_it_is_put_again() {
    let (rig, mut receiver) = (broker().await, Receiver::start());
    let pin = rig.mint().await;
    rig.arm_all(&pin, &receiver).await;
    let _first = rig.page(&pin, "presenter").await;
    let body = receiver.expect("presenter_started").await;
    assert_eq!(body, json!({ "type": "presenter_started", "name": "Maria", "session_pin": pin }));

    let _second = rig.page(&pin, "presenter").await;
    rig.handle().idle().await;
    receiver.expect_nothing();

    rig.put_hook(&pin, "presenter_started", &receiver.url("again")).await;
    let _third = rig.page(&pin, "presenter").await;
    receiver.expect("again").await;
}

/// An idle connection may be closed by its other end just when it is used, and what was lost so is lost for good.
#[tokio::test]
async fn each_hook_comes_on_a_connection_of_its_own() {
    let (rig, mut receiver) = (broker().await, Receiver::start());
    let pin = rig.mint().await;
    rig.arm_all(&pin, &receiver).await;
    let _customer = rig.page(&pin, "presenter").await;
    receiver.expect("presenter_started").await;
    rig.handle().idle().await;
    let _viewer = rig.page(&pin, "viewers").await;
    receiver.expect("viewer_started").await;
    assert_eq!(receiver.connections(), 2);
}

#[tokio::test]
async fn five_reloads_are_five_started_events_and_no_offline_event() {
    let (rig, mut receiver) = (broker().await, Receiver::start());
    let pin = rig.mint().await;
    rig.arm_all(&pin, &receiver).await;
    for _ in 0..5 {
        let page = rig.page(&pin, "presenter").await;
        receiver.expect("presenter_started").await;
        rig.put_hook(&pin, "presenter_started", &receiver.url("presenter_started")).await;
        page.close(&rig).await;
        rig.advance(Duration::from_secs(30)).await;
    }
    receiver.expect_nothing();
}

#[tokio::test]
async fn a_page_that_reconnects_with_its_id_has_resumed_which_is_no_event() {
    let (rig, mut receiver) = (broker().await, Receiver::start());
    let pin = rig.mint().await;
    rig.arm_all(&pin, &receiver).await;
    let page = rig.page(&pin, "viewers").await;
    assert_eq!(page.welcome["resumed"], false);
    receiver.expect("viewer_started").await;
    rig.put_hook(&pin, "viewer_started", &receiver.url("viewer_started")).await;
    let id = page.id;
    page.close(&rig).await;
    rig.advance(MINUTE).await;
    let again = Page::open(&rig, &pin, "viewers", id).await;
    assert_eq!(again.welcome["resumed"], true);
    rig.advance(MINUTE * 10).await;
    receiver.expect_nothing();
}

#[tokio::test]
async fn offline_fires_after_more_than_60_seconds_and_once_per_going_offline() {
    let (rig, mut receiver) = (broker().await, Receiver::start());
    let pin = rig.mint().await;
    rig.arm_all(&pin, &receiver).await;
    let page = rig.page(&pin, "presenter").await;
    receiver.expect("presenter_started").await;
    page.close(&rig).await;
    rig.advance(MINUTE).await;
    receiver.expect_nothing();
    rig.advance(BIT).await;
    receiver.expect("presenter_offline").await;
    rig.put_hook(&pin, "presenter_offline", &receiver.url("presenter_offline")).await;
    rig.advance(MINUTE * 60).await;
    receiver.expect_nothing();
}

#[tokio::test]
async fn viewer_offline_fires_only_when_all_viewers_have_gone() {
    let (rig, mut receiver) = (broker().await, Receiver::start());
    let pin = rig.mint().await;
    rig.arm_all(&pin, &receiver).await;
    let one = rig.page(&pin, "viewers").await;
    receiver.expect("viewer_started").await;
    let two = rig.page(&pin, "viewers").await;
    one.close(&rig).await;
    rig.advance(MINUTE * 5).await;
    receiver.expect_nothing();
    two.close(&rig).await;
    rig.advance(MINUTE + BIT).await;
    let body = receiver.expect("viewer_offline").await;
    assert_eq!(body["type"], "viewer_offline");
}

#[tokio::test]
async fn offline_does_not_fire_for_a_side_whose_started_hook_had_not_fired() {
    let (rig, mut receiver) = (broker().await, Receiver::start());
    let pin = rig.mint().await;
    rig.put_hook(&pin, "viewer_offline", &receiver.url("viewer_offline")).await;
    rig.page(&pin, "viewers").await.close(&rig).await;
    rig.advance(MINUTE * 2).await;
    receiver.expect_nothing();
}

#[tokio::test]
async fn an_offline_hook_that_is_armed_after_the_fact_does_not_fire_for_it() {
    let (rig, mut receiver) = (broker().await, Receiver::start());
    let pin = rig.mint().await;
    rig.put_hook(&pin, "viewer_started", &receiver.url("viewer_started")).await;
    let page = rig.page(&pin, "viewers").await;
    receiver.expect("viewer_started").await;
    page.close(&rig).await;
    rig.advance(MINUTE * 2).await;
    rig.put_hook(&pin, "viewer_offline", &receiver.url("viewer_offline")).await;
    rig.advance(MINUTE * 60).await;
    receiver.expect_nothing();
}

#[tokio::test]
async fn putting_a_hook_again_edits_where_it_goes() {
    let (rig, mut receiver) = (broker().await, Receiver::start());
    let pin = rig.mint().await;
    rig.put_hook(&pin, "viewer_started", &receiver.url("old")).await;
    rig.put_hook(&pin, "viewer_started", &receiver.url("new")).await;
    let _page = rig.page(&pin, "viewers").await;
    receiver.expect("new").await;
    rig.handle().idle().await;
    receiver.expect_nothing();
}

#[tokio::test]
async fn hooks_and_who_was_there_survive_a_restart_and_the_minute_starts_anew() {
    let (rig, mut receiver) = (broker().await, Receiver::start());
    let pin = rig.mint().await;
    rig.arm_all(&pin, &receiver).await;
    let presenter = rig.page(&pin, "presenter").await;
    receiver.expect("presenter_started").await;
    let viewer = rig.page(&pin, "viewers").await;
    receiver.expect("viewer_started").await;
    rig.put_hook(&pin, "viewer_started", &receiver.url("viewer_started")).await;

    let rig = rig.restart().await;
    rig.advance(Duration::from_secs(50)).await;
    let again = Page::open(&rig, &pin, "viewers", viewer.id).await;
    assert_eq!(again.welcome["resumed"], true, "the same page, so no event");
    rig.advance(Duration::from_secs(11)).await;
    receiver.expect("presenter_offline").await;
    receiver.expect_nothing();
    drop(presenter);
}

#[tokio::test]
async fn a_consumed_hook_stays_consumed_after_a_restart() {
    let (rig, mut receiver) = (broker().await, Receiver::start());
    let pin = rig.mint().await;
    rig.arm_all(&pin, &receiver).await;
    let _page = rig.page(&pin, "viewers").await;
    receiver.expect("viewer_started").await;
    let rig = rig.restart().await;
    let _new = rig.page(&pin, "viewers").await;
    rig.handle().idle().await;
    receiver.expect_nothing();
}

#[tokio::test]
async fn held_deliveries_go_out_in_order_when_they_are_released() {
    let rig = broker_with(|config| config.hold_deliveries = true).await;
    let mut receiver = Receiver::start();
    let pin = rig.mint().await;
    rig.arm_all(&pin, &receiver).await;
    let _presenter = rig.page(&pin, "presenter").await;
    rig.handle().idle().await;
    receiver.expect_nothing();
    rig.handle().release_deliveries();
    receiver.expect("presenter_started").await;
    let _viewer = rig.page(&pin, "viewers").await;
    receiver.expect("viewer_started").await;
}

#[tokio::test]
async fn a_receiver_that_fails_is_not_tried_again() {
    let (rig, mut receiver) = (broker().await, Receiver::start());
    let pin = rig.mint().await;
    let nowhere = receiver.url("x").replace("/hook/", "/nothing/");
    rig.put_hook(&pin, "viewer_started", &nowhere).await;
    let _page = rig.page(&pin, "viewers").await;
    rig.handle().idle().await;
    rig.advance(MINUTE).await;
    receiver.expect_nothing();
}

#[tokio::test]
async fn the_brokers_own_email_call_works_as_a_hook_url() {
    let rig = broker().await;
    let pin = rig.mint().await;
    let url = rig.url("/email/loginwithme%40example.com");
    let put = rig.put_hook(&pin, "viewer_started", &url).await;
    assert_eq!(put.status(), 200);
    let _page = rig.page(&pin, "viewers").await;
    rig.handle().idle().await;
    let outbox = rig.handle().outbox();
    assert_eq!(outbox.len(), 1);
    assert_eq!(outbox[0].to, "loginwithme@example.com");
    assert!(outbox[0].body.contains("Maria") && outbox[0].body.contains(&format!("/join#{pin}")));
}

#[tokio::test]
async fn the_fault_plan_drops_doubles_and_reorders_deliveries() {
    let (rig, mut receiver) = (broker().await, Receiver::start());
    let pin = rig.mint().await;
    let faults = rig.handle().faults();
    let plan = |fault| {
        faults.set(vec![FaultRule { route: "deliver".into(), fault, after: 0, times: Some(1) }]);
    };
    let start_viewer = async |path: &str| {
        rig.put_hook(&pin, "viewer_started", &receiver.url(path)).await;
        let page = rig.page(&pin, "viewers").await;
        rig.handle().idle().await;
        page
    };
    plan(Fault::Drop);
    let _a = start_viewer("dropped").await;
    plan(Fault::Reorder);
    let _b = start_viewer("first").await;
    let _c = start_viewer("second").await;
    plan(Fault::Duplicate);
    let _d = start_viewer("twice").await;
    for path in ["second", "first", "twice", "twice"] {
        receiver.expect(path).await;
    }
    receiver.expect_nothing();
}

#[tokio::test]
async fn hooks_can_be_put_for_a_live_pin_only() {
    let (rig, receiver) = (broker().await, Receiver::start());
    let pin = rig.mint().await;
    rig.advance(Duration::from_secs(86_400)).await;
    let late = rig.put_hook(&pin, "viewer_started", &receiver.url("x")).await;
    assert_eq!(late.status(), 410);
    let answer = json_of(late).await;
    assert_eq!(answer["success"], false);
    assert!(!answer.to_string().contains(&pin));
}
