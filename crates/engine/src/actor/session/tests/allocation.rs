use std::time::Duration;

use serde_json::json;
use session::{Failure, Input, Life, LifeEvent, Outcome};
use wire::HookType;

use crate::actor::testing::{PIN, Scripted, World, region};

const TEN_SECONDS: Duration = Duration::from_secs(10);

fn failure(life: &Life) -> Option<Failure> {
    match life {
        Life::Failed { failure, .. } => Some(*failure),
        Life::Allocating | Life::Live(_) | Life::Over { .. } | Life::Closed { .. } => None,
    }
}

#[tokio::test(start_paused = true)]
async fn allocates_in_the_region_chosen_by_hand_and_then_puts_all_four_hooks() {
    let world = World::new().await;
    let session = world.start(world.fresh(Some("there-2"))).await;
    world.until(|| world.is_armed(session.id)).await;
    let calls = world.services.calls();
    assert_eq!(calls[0].name, "GET session_pin");
    assert_eq!(calls[0].query["region"], "there-2");
    let hooks: Vec<&str> = calls[1..].iter().map(|call| call.name.as_str()).collect();
    let expected = HookType::ALL.map(|hook| format!("PUT hook {hook}"));
    assert_eq!(hooks, expected);
    assert!(calls[1..].iter().all(|call| call.body["session_pin"] == PIN));
    let urls: std::collections::HashSet<_> =
        calls[1..].iter().map(|call| call.body["url"].as_str().unwrap()).collect();
    assert_eq!(urls.len(), 4, "each hook has a secret of its own");
    assert_eq!(world.snapshot(session.id).pin.as_ref().unwrap().expose(), PIN);
}

#[tokio::test(start_paused = true)]
async fn allocates_in_the_fastest_region_where_none_was_chosen() {
    let world = World::new().await;
    world.services.always(
        "GET region/here-1",
        Scripted::Late(Duration::from_millis(80), Box::new(Scripted::ok())),
    );
    world.services.always(
        "GET region/there-2",
        Scripted::Late(Duration::from_millis(30), Box::new(Scripted::ok())),
    );
    let session = world.start(world.fresh(None)).await;
    world.until(|| world.services.count("GET region/") == 2).await;
    for _ in 0..20 {
        world.pass(Duration::from_millis(10)).await;
    }
    world.until_record(session.id, |record| matches!(record.life, Life::Live(_))).await;
    let record = world.record(session.id);
    assert_eq!(record.allocation().unwrap().region, region("there-2"));
}

/// A session whose race `there-2` wins by far, and whose PIN the service gives as scripted.
async fn raced(world: &World, answers: [Scripted; 2]) -> crate::actor::testing::Running {
    let late = |ms| Scripted::Late(Duration::from_millis(ms), Box::new(Scripted::ok()));
    world.services.always("GET region/here-1", late(80));
    world.services.always("GET region/there-2", late(60));
    for answer in answers {
        world.services.next("GET session_pin", answer);
    }
    let session = world.start(world.fresh(None)).await;
    world.until(|| world.services.count("GET region/") == 2).await;
    for _ in 0..30 {
        world.pass(Duration::from_millis(10)).await;
    }
    session
}

#[tokio::test(start_paused = true)]
async fn where_the_fastest_region_fails_the_next_best_is_asked_and_that_is_told() {
    let world = World::new().await;
    let pin = Scripted::json(&json!({ "success": true, "session_pin": PIN }));
    let session = raced(&world, [Scripted::status(503), pin]).await;
    world.until_record(session.id, |record| matches!(record.life, Life::Live(_))).await;
    let record = world.record(session.id);
    assert_eq!(record.allocation().unwrap().region, region("here-1"));
    let choice = world.context.archive.region(session.id).await.unwrap().unwrap();
    assert_eq!(choice.region, region("here-1"));
    assert_eq!(choice.reason, session::region::Reason::NextBest { failed: region("there-2") });
    let told = world.context.journal.events_of(session.id).await.unwrap();
    let failure = Failure::Faulty { status: 503 };
    let expected =
        LifeEvent::RegionFailed { region: region("there-2"), next: region("here-1"), failure };
    assert!(told.iter().any(|told| told.event == expected.clone().into()), "{told:?}");
}

#[tokio::test(start_paused = true)]
async fn however_a_region_says_that_it_gives_no_pin_the_next_best_is_asked() {
    for answer in [
        Scripted::TryLater { status: 503, seconds: 7 },
        Scripted::TryLater { status: 429, seconds: 7 },
        Scripted::status(404),
        Scripted::status(400),
        Scripted::json(&json!({ "success": false })),
        Scripted::garbage(),
    ] {
        let world = World::new().await;
        let pin = Scripted::json(&json!({ "success": true, "session_pin": PIN }));
        let session = raced(&world, [answer.clone(), pin]).await;
        let has_ended = |life: &Life| failure(life).is_some() || matches!(life, Life::Live(_));
        world.until_record(session.id, |record| has_ended(&record.life)).await;
        let record = world.record(session.id);
        let given_by = record.allocation().map(|allocation| allocation.region.clone());
        assert_eq!(given_by, Some(region("here-1")), "{answer:?}");
        let told = world.happened(session.id).await;
        assert!(told.contains(&"RegionFailed".to_owned()), "{answer:?}: {told:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn where_no_region_gives_a_pin_or_none_would_the_allocation_fails() {
    for (answers, calls) in [
        ([Scripted::status(503), Scripted::status(502)], 2),
        ([Scripted::status(401), Scripted::ok()], 1),
        ([Scripted::Unreachable, Scripted::ok()], 1),
    ] {
        let world = World::new().await;
        let session = raced(&world, answers).await;
        world.until_record(session.id, |record| failure(&record.life).is_some()).await;
        assert_eq!(world.services.count("GET session_pin"), calls);
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_or_unreadable_pin_fails_the_allocation_by_what_helps() {
    let cases = [
        (Scripted::status(401), Failure::Unauthorized),
        (Scripted::status(404), Failure::Rejected { status: 404 }),
        (
            Scripted::TryLater { status: 429, seconds: 7 },
            Failure::RateLimited { retry_after_ms: Some(7_000) },
        ),
        (Scripted::status(500), Failure::Faulty { status: 500 }),
        (Scripted::garbage(), Failure::Malformed),
        (
            Scripted::json(&json!({ "success": true, "session_pin": "../etc/passwd" })),
            Failure::Malformed,
        ),
        (Scripted::json(&json!({ "success": false })), Failure::Rejected { status: 200 }),
        (Scripted::Unreachable, Failure::Unreachable),
        (Scripted::HangsUp, Failure::NoAnswer),
    ];
    let world = World::new().await;
    for (answer, expected) in cases {
        world.services.next("GET session_pin", answer.clone());
        if matches!(answer, Scripted::HangsUp) {
            // It is asked once more.
            world.services.next("GET session_pin", answer.clone());
        }
        let session = world.start(world.fresh(Some("here-1"))).await;
        world.until_record(session.id, |record| failure(&record.life).is_some()).await;
        assert_eq!(failure(&world.record(session.id).life), Some(expected), "{answer:?}");
        assert_eq!(world.services.count("PUT hook"), 0, "{answer:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_pin_that_never_comes_is_given_up_after_ten_seconds() {
    let world = World::new().await;
    world.services.next("GET session_pin", Scripted::Never);
    let session = world.start(world.fresh(Some("here-1"))).await;
    world.until(|| world.services.count("GET session_pin") == 1).await;
    world.pass(TEN_SECONDS - Duration::from_millis(10)).await;
    assert_eq!(world.record(session.id).life, Life::Allocating);
    world.pass(Duration::from_millis(20)).await;
    world.until_record(session.id, |record| failure(&record.life).is_some()).await;
    assert_eq!(failure(&world.record(session.id).life), Some(Failure::TimedOut));
}

#[tokio::test(start_paused = true)]
async fn a_pin_that_comes_late_but_in_time_counts() {
    let world = World::new().await;
    let pin = Scripted::json(&json!({ "success": true, "session_pin": PIN }));
    world.services.next("GET session_pin", Scripted::late(9, pin));
    let session = world.start(world.fresh(Some("here-1"))).await;
    world.until(|| world.services.count("GET session_pin") == 1).await;
    world.pass(Duration::from_secs(9)).await;
    world.until(|| world.is_armed(session.id)).await;
}

#[tokio::test(start_paused = true)]
async fn a_failed_allocation_is_tried_again_only_when_somebody_says_so() {
    let world = World::new().await;
    world.services.next("GET session_pin", Scripted::status(503));
    let session = world.start(world.fresh(Some("here-1"))).await;
    world.until_record(session.id, |record| failure(&record.life).is_some()).await;
    world.pass(Duration::from_secs(3_600)).await;
    assert_eq!(world.services.count("GET session_pin"), 1);
    world.order(&session, Input::Retry { region: Some(region("there-2")) }).await.unwrap();
    world.until(|| world.is_armed(session.id)).await;
    assert_eq!(world.services.count("GET session_pin"), 2);
}

#[tokio::test(start_paused = true)]
async fn a_pin_that_comes_after_the_session_was_closed_is_ended_and_no_hook_put() {
    let world = World::new().await;
    let pin = Scripted::json(&json!({ "success": true, "session_pin": PIN }));
    world.services.next("GET session_pin", Scripted::late(5, pin));
    world.services.always(
        "GET x/capabilities",
        Scripted::json(&json!({
            "success": true, "revoke": true
        })),
    );
    let session = world.start(world.fresh(Some("here-1"))).await;
    world.until(|| world.services.count("GET session_pin") == 1).await;
    let close = Input::Close { outcome: Outcome::Unknown, by: "anna".into() };
    world.order(&session, close).await.unwrap();
    world.pass(Duration::from_secs(5)).await;
    world.until(|| world.services.count("POST x/revoke") == 1).await;
    world.settle().await;
    assert_eq!(world.services.count("PUT hook"), 0);
    let revoke = world.services.calls().into_iter().find(|call| call.name == "POST x/revoke");
    assert_eq!(revoke.unwrap().body["session_pin"], PIN);
}

#[tokio::test(start_paused = true)]
async fn a_pin_is_on_the_disk_before_its_hooks_are_put() {
    let world = World::new().await;
    world.services.next(
        "GET session_pin",
        Scripted::late(
            1,
            Scripted::json(&json!({
                "success": true, "session_pin": PIN
            })),
        ),
    );
    let session = world.start(world.fresh(Some("here-1"))).await;
    world.until(|| world.services.count("GET session_pin") == 1).await;
    world.disk.set(Some(crate::journal::Fault::Hangs));
    world.pass(Duration::from_secs(1)).await;
    assert_eq!(world.services.count("PUT hook"), 0);
    world.mend_disk();
    world.until(|| world.is_armed(session.id)).await;
    let stored = world.in_journal(session.id).await;
    assert_eq!(stored.secrets.unwrap().pin.unwrap().expose(), PIN);
}
