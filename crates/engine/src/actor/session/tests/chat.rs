use std::time::Duration;

use serde_json::json;
use session::{ChatEvent, Event, Failure, Input, Life, Outcome, Transcript};
use wire::HookType::{PresenterStarted, ViewerOffline, ViewerStarted};

use crate::{
    SessionId,
    actor::testing::{Running, Scripted, World},
};

fn chat(bodies: &[&str]) -> Scripted {
    let message = |body: &&str| {
        json!({ "guid": format!("guid of {body}"), "ttl": 86_400,
        "timestamp": 1_700_000_000, "subject": "customer", "body": body })
    };
    let messages: Vec<_> = bodies.iter().map(message).collect();
    Scripted::json(&json!({ "success": true, "chat": messages }))
}

fn close() -> Input {
    Input::Close { outcome: Outcome::Resolved, by: "anna".into() }
}

async fn with_customer(world: &World) -> Running {
    let session = world.live().await;
    world.fire(session.id, PresenterStarted).await;
    world.until(|| world.record(session.id).joined).await;
    world.settle().await;
    session
}

fn saved(transcript: &Transcript) -> Option<u32> {
    match transcript {
        Transcript::Saved { messages, .. } => Some(*messages),
        Transcript::NotYet | Transcript::Wanted { .. } => None,
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_is_archived_once_however_often_it_is_fetched() {
    let world = World::new().await;
    let session = with_customer(&world).await;
    world.services.always("GET chat", chat(&["hello"]));
    for polls in 1..=3 {
        world.pass(Duration::from_secs(10)).await;
        world.until(|| world.services.count("GET chat") == polls).await;
        let as_of = || world.snapshot(session.id).chat_as_of;
        world.until(|| as_of().is_some()).await;
        world.settle().await;
    }
    let happened = world.happened(session.id).await;
    assert_eq!(happened.iter().filter(|event| *event == "ChatArrived").count(), 1);
}

/// The names of those whose messages were told as somebody else's.
async fn others(world: &World, id: SessionId) -> Vec<Option<String>> {
    let events = world.context.journal.events_of(id).await.unwrap();
    let from = events.into_iter().filter_map(|record| {
        let Event::Chat(ChatEvent::ChatArrived { from, .. }) = record.event else { return None };
        Some(from)
    });
    from.collect()
}

#[tokio::test(start_paused = true)]
async fn what_was_written_here_is_nobody_elses_though_it_is_polled() {
    let world = World::new().await;
    let session = with_customer(&world).await;
    let saying = world.context.said.begin();
    world.services.always("GET chat", chat(&["hello"]));
    world.pass(Duration::from_secs(10)).await;
    world.until(|| world.services.count("GET chat") == 1).await;
    world.context.said.note(session.id, "guid of hello".into());
    drop(saying);
    world.until(|| world.snapshot(session.id).chat_as_of.is_some()).await;
    world.services.always("GET chat", chat(&["hello", "it is me"]));
    world.pass(Duration::from_secs(10)).await;
    world.until(|| world.services.count("GET chat") == 2).await;
    world.settle().await;
    assert_eq!(others(&world, session.id).await, [None, Some("customer".into())]);
}

#[tokio::test(start_paused = true)]
async fn why_a_chat_could_not_be_fetched_stands_until_it_could() {
    let world = World::new().await;
    let session = with_customer(&world).await;
    world.services.next("GET chat", Scripted::status(503));
    let failure = || world.snapshot(session.id).chat_failure;
    world.pass(Duration::from_secs(10)).await;
    world.until(|| failure() == Some(Failure::Faulty { status: 503 })).await;
    world.settle().await;
    world.pass(Duration::from_secs(10)).await;
    world.until(|| failure().is_none()).await;
}

#[tokio::test(start_paused = true)]
async fn the_chat_on_screen_is_fetched_every_two_seconds() {
    let world = World::new().await;
    let session = with_customer(&world).await;
    session.tell(Input::OnScreen(true));
    world.settle().await;
    world.pass(Duration::from_secs(2)).await;
    world.until(|| world.services.count("GET chat") == 1).await;
}

fn ends_pins(world: &World) {
    let able = json!({ "success": true, "revoke": true });
    world.services.always("GET x/capabilities", Scripted::json(&able));
}

fn revoked(life: &Life) -> Option<bool> {
    match life {
        Life::Closed { revoked, .. } => *revoked,
        Life::Allocating | Life::Failed { .. } | Life::Live(_) | Life::Over { .. } => None,
    }
}

#[tokio::test(start_paused = true)]
async fn a_closed_session_ends_its_pin_first_and_saves_its_transcript_then() {
    let world = World::new().await;
    ends_pins(&world);
    world.services.always("GET chat", chat(&["one", "two"]));
    let session = with_customer(&world).await;
    world.services.forget_calls();
    world.order(&session, close()).await.unwrap();
    world.until_record(session.id, |record| saved(&record.transcript) == Some(2)).await;
    let names = world.services.names();
    assert_eq!(names, ["GET x/capabilities", "POST x/revoke", "GET chat"]);
    assert_eq!(revoked(&world.record(session.id).life), Some(true));
    world.settle().await;
    assert!(
        world.in_journal(session.id).await.secrets.is_none(),
        "nobody shall find the PIN later"
    );
}

#[tokio::test(start_paused = true)]
async fn a_transcript_that_is_missing_keeps_the_pin_here_and_ends_it_at_the_service() {
    let world = World::new().await;
    ends_pins(&world);
    let session = with_customer(&world).await;
    world.services.always("GET chat", Scripted::status(500));
    world.order(&session, close()).await.unwrap();
    let failed = Transcript::Wanted { failed: 1 };
    world.until_record(session.id, |record| record.transcript == failed).await;
    assert_eq!(revoked(&world.record(session.id).life), Some(true));
    world.settle().await;
    assert!(world.in_journal(session.id).await.secrets.unwrap().pin.is_some());
    world.services.mend();
    ends_pins(&world);
    world.pass(Duration::from_secs(1)).await;
    world.until(|| saved(&world.record(session.id).transcript) == Some(0)).await;
    world.settle().await;
    assert!(world.in_journal(session.id).await.secrets.is_none());
}

#[tokio::test(start_paused = true)]
async fn an_end_of_a_pin_that_fails_is_tried_again() {
    let world = World::new().await;
    let session = with_customer(&world).await;
    for (way, capabilities) in [("not able to say", 503), ("not able to end it", 200)] {
        let able = json!({ "success": true, "revoke": true });
        let answer =
            if capabilities == 200 { Scripted::json(&able) } else { Scripted::status(503) };
        world.services.always("GET x/capabilities", answer);
        world.services.always("POST x/revoke", Scripted::status(503));
        world.services.forget_calls();
        if way == "not able to say" {
            world.order(&session, close()).await.unwrap();
        } else {
            world.pass(Duration::from_secs(20)).await;
        }
        world.until(|| world.services.count("GET x/capabilities") > 0).await;
        world.settle().await;
        assert_eq!(revoked(&world.record(session.id).life), None, "{way}");
    }
    world.services.mend();
    ends_pins(&world);
    world.pass(Duration::from_secs(20)).await;
    world.until_record(session.id, |record| revoked(&record.life) == Some(true)).await;
    let happened = world.happened(session.id).await;
    for kind in ["PinNotEnded", "PinEnded"] {
        assert_eq!(happened.iter().filter(|event| *event == kind).count(), 1, "{happened:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_unreadable_transcript_is_fetched_again_and_told_as_failed_once() {
    let world = World::new().await;
    let session = with_customer(&world).await;
    world.fire(session.id, ViewerStarted).await;
    world.services.always("GET chat", Scripted::garbage());
    world.fire(session.id, ViewerOffline).await;
    let failed = |wanted: u32| Transcript::Wanted { failed: wanted };
    world.until_record(session.id, |record| record.transcript == failed(1)).await;
    world.pass(Duration::from_secs(20)).await;
    world.until_record(session.id, |record| record.transcript == failed(2)).await;
    world.services.mend();
    world.pass(Duration::from_secs(20)).await;
    world.until(|| saved(&world.record(session.id).transcript).is_some()).await;
    world.settle().await;
    let happened = world.happened(session.id).await;
    assert_eq!(happened.iter().filter(|event| *event == "TranscriptFailed").count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_chat_that_never_comes_is_given_up_after_fifteen_seconds() {
    let world = World::new().await;
    let session = with_customer(&world).await;
    world.services.next("GET chat", Scripted::Never);
    world.order(&session, close()).await.unwrap();
    world.until(|| world.services.count("GET chat") == 1).await;
    world.pass(Duration::from_secs(14)).await;
    assert_eq!(world.record(session.id).transcript, Transcript::Wanted { failed: 0 });
    world.pass(Duration::from_secs(1)).await;
    let failed = Transcript::Wanted { failed: 1 };
    world.until_record(session.id, |record| record.transcript == failed).await;
}

#[tokio::test(start_paused = true)]
async fn a_transcript_that_the_archive_refuses_is_saved_when_it_takes_it() {
    let world = World::new().await;
    world.services.always("GET chat", chat(&["kept"]));
    let session = with_customer(&world).await;
    world.context.faults.lock_archive(true);
    world.order(&session, close()).await.unwrap();
    let failed = Transcript::Wanted { failed: 1 };
    world.until_record(session.id, |record| record.transcript == failed).await;
    assert!(world.context.health.archive_fails().is_some());
    world.context.faults.lock_archive(false);
    world.pass(Duration::from_secs(1)).await;
    world.until(|| saved(&world.record(session.id).transcript) == Some(1)).await;
    assert_eq!(world.context.health.archive_fails(), None);
}

#[tokio::test(start_paused = true)]
async fn a_service_that_fails_a_call_is_shown_as_failing_until_it_answers() {
    let world = World::new().await;
    let session = with_customer(&world).await;
    world.services.next("GET chat", Scripted::status(502));
    world.order(&session, close()).await.unwrap();
    let service = || world.context.health.service();
    let failure = Failure::Faulty { status: 502 };
    let fails = |known| matches!(known, Some(crate::ServiceHealth::Fails { failure: f, .. }) if f == failure);
    world.until(|| fails(service())).await;
    let failed = Transcript::Wanted { failed: 1 };
    world.until_record(session.id, |record| record.transcript == failed).await;
    world.pass(Duration::from_secs(1)).await;
    world.until(|| matches!(service(), Some(crate::ServiceHealth::Answers { .. }))).await;
}
