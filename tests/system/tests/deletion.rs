//! A session that is deleted here is deleted at the broker, too, whenever that can be reached.

#![allow(clippy::unwrap_used)]

use deskhand_system_tests::{RunningEngine, World};
use engine::{SessionId, Snapshot};
use serve::{Fault, FaultRule};
use session::{Input, Life, Outcome};
use wire::Pin;

/// A session with a chat that is closed, and has nothing left to do.
async fn closed(world: &World, running: &RunningEngine) -> (SessionId, Pin) {
    let (id, pin) = running.armed_session().await;
    running.until(id, "the broker tells its state", |s| s.record.observed.revision > 0).await;
    let page = world.presenter_joins(&pin).await;
    world.broker.handle().page_says(&pin, page, "Maria", "my printer").await.unwrap();
    running.until(id, "it is in the archive", |s| s.record.observed.chat_number == 1).await;
    let close = Input::Close { outcome: Outcome::Resolved, by: "anna".into() };
    running.engine.order(id, close).await.unwrap();
    running.until(id, "its PIN was ended and is erased", |s| s.pin.is_none() && is_ended(s)).await;
    (id, pin)
}

/// Whether it is closed, and it was tried to end its PIN: before, it can't be deleted.
fn is_ended(snapshot: &Snapshot) -> bool {
    matches!(snapshot.record.life, Life::Closed { revoked: Some(_), .. })
}

async fn messages(world: &World, pin: &Pin) -> usize {
    let url = format!("{}/chat?session_pin={}", world.broker.base_url(), pin.expose());
    let answer = deskhand_system_tests::http().get(url).send().await.unwrap();
    let chat: serde_json::Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    chat["chat"].as_array().unwrap().len()
}

async fn until_deleted(world: &World, pin: &Pin) {
    let waiting = async {
        while messages(world, pin).await > 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(deskhand_system_tests::PATIENCE, waiting).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_deleted_here_is_deleted_at_the_broker() {
    let world = World::new().await;
    let running = world.engine().await;
    let (kept, kept_pin) = closed(&world, &running).await;
    let (id, pin) = closed(&world, &running).await;
    assert_eq!(messages(&world, &pin).await, 1);
    running.engine.delete_session(id).await.unwrap();
    until_deleted(&world, &pin).await;
    assert_eq!(messages(&world, &kept_pin).await, 1);
    // Also one that only the archive has any more.
    running.stop().await;
    let running = world.engine().await;
    running.engine.delete_session(kept).await.unwrap();
    until_deleted(&world, &kept_pin).await;
    running.stop().await;
    world.broker.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_was_away_is_told_when_it_is_back_over_restarts_of_either_side() {
    let world = World::new().await;
    let running = world.engine().await;
    let (id, pin) = closed(&world, &running).await;
    let (other, other_pin) = closed(&world, &running).await;
    let fails = |route: &str| FaultRule::always(route, Fault::Status { code: 503 });
    world.broker.handle().faults().set(vec![fails("/api/v1/x/delete")]);
    running.engine.delete_session(id).await.unwrap();
    running.stop().await;
    assert_eq!(messages(&world, &pin).await, 1);

    let running = world.engine().await;
    running.engine.delete_session(other).await.unwrap();
    let world = world.restart_broker().await;
    for pin in [&pin, &other_pin] {
        until_deleted(&world, pin).await;
    }
    running.stop().await;
    world.broker.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_service_without_extensions_nothing_is_kept_and_nothing_is_asked() {
    let world = World::without_channel().await;
    let running = world.engine().await;
    let (id, pin) = running.armed_session().await;
    let page = world.presenter_joins(&pin).await;
    world.broker.handle().page_says(&pin, page, "Maria", "my printer").await.unwrap();
    let close = Input::Close { outcome: Outcome::Resolved, by: "anna".into() };
    running.engine.order(id, close).await.unwrap();
    running.until(id, "it was tried to end its PIN", is_ended).await;
    running.engine.delete_session(id).await.unwrap();
    running.stop().await;
    let counts = world.broker.handle().faults().counts();
    assert!(!counts.keys().any(|route| route.ends_with("/x/delete")), "{counts:?}");
    assert_eq!(messages(&world, &pin).await, 1);
    world.broker.shutdown().await;
}
