//! Unusual input and conditions: hooks with odd bodies, floods, a computer that slept, an archive
//! that doesn't take the transcript.

#![allow(clippy::unwrap_used)]

use deskhand_system_tests::{PATIENCE, RunningEngine, World, all_armed, http};
use engine::{SessionId, Snapshot, journal};
use serve::{Fault, FaultRule};
use session::{Input, Outcome, Presenter, SessionStatus, Transcript, Viewers};
use tokio::task::JoinSet;
use wire::{HookType, Side};

/// The URL of a session's hook, which only the service knows.
async fn hook_url(running: &RunningEngine, id: SessionId, hook: HookType) -> String {
    let loaded = running.engine.journal().load().await.unwrap();
    let stored = loaded.sessions.into_iter().find(|stored| stored.session == id).unwrap();
    let tokens = stored.secrets.unwrap().tokens;
    format!("{}hook/{}", running.engine.hook_base(), tokens[hook.index()].expose())
}

fn chat_fails(world: &World) -> serve::FaultPlan {
    let faults = world.broker.handle().faults();
    faults.set(vec![FaultRule::always("/api/v1/chat", Fault::Status { code: 503 })]);
    faults
}

fn waits_for_its_transcript(snapshot: &Snapshot) -> bool {
    matches!(snapshot.record.transcript, Transcript::Wanted { failed } if failed > 0)
}

async fn times_told(running: &RunningEngine, id: SessionId, name: &str) -> usize {
    running.happened(id).await.iter().filter(|event| *event == name).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_good_token_the_event_counts_whatever_the_body_says() {
    let world = World::new().await;
    let running = world.engine().await;
    let (id, _) = running.armed_session().await;
    let (other, _) = running.armed_session().await;
    let url = hook_url(&running, id, HookType::PresenterStarted).await;
    let bodies: [&[u8]; 6] = [
        b"",
        b"{\"type\":\"viewer_offline\",\"session_pin\":\"AAA-AA-AAAA\"",
        b"{\"type\":\"viewer_offline\",\"session_pin\":\"AAA-AA-AAAA\",\"name\":[{}]}",
        b"[[[[null]]]]",
        b"<html>\0</html>",
        &[0xff, 0xfe, 0x00],
    ];
    for (n, body) in bodies.into_iter().enumerate() {
        let answer = http().post(&url).body(body.to_vec()).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{body:?}");
        running.until_happened(id, "PresenterOnline", n + 1).await;
    }
    assert_eq!(running.happened(other).await, ["Created", "PinReady"]);
    assert_eq!(
        times_told(&running, id, "ViewersGone").await,
        0,
        "the token says which hook, not the body"
    );
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_on_one_token_waits_for_the_disk_and_another_session_goes_on() {
    let world = World::new().await;
    let running = world.engine().await;
    let (flooded, _) = running.armed_session().await;
    let (other, _) = running.armed_session().await;
    let url = hook_url(&running, flooded, HookType::PresenterStarted).await;
    let others = hook_url(&running, other, HookType::PresenterStarted).await;
    // Nothing is committed while the disk hangs.
    running.disk.set(Some(journal::Fault::Hangs));
    let client = http();
    let mut flood = JoinSet::new();
    for _ in 0..100 {
        let call = client.post(&url).body("{}");
        flood.spawn(async move { call.send().await.unwrap().status().as_u16() });
    }
    let before = running.engine.snapshot(other).unwrap().revision;
    let calm = tokio::spawn(async move { client.post(&others).send().await.unwrap().status() });
    // The other session's hook is accepted and armed again, in spite of the flood.
    running.until(other, "its hook is put again", |s| s.revision > before).await;
    assert!(!calm.is_finished(), "it waits for the disk only");
    running.disk.set(None);
    assert_eq!(calm.await.unwrap(), 200);
    while let Some(status) = flood.join_next().await {
        assert_eq!(status.unwrap(), 200, "whoever sends it may have hung up, so none is refused");
    }
    running.until_happened(other, "PresenterOnline", 1).await;
    running.until_happened(flooded, "PresenterOnline", 100).await;
    assert_eq!(times_told(&running, flooded, "PresenterOnline").await, 100);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_sleep_or_a_set_clock_every_hook_is_put_and_nothing_is_taken_for_known() {
    let world = World::without_channel().await;
    let running = world.engine().await;
    let (id, pin) = running.armed_session().await;
    world.presenter_joins(&pin).await;
    world.viewer_joins(&pin).await;
    running
        .until(id, "it is active", |s| {
            matches!(
                SessionStatus::new(&s.record, engine::clock::now()),
                SessionStatus::Active { .. }
            ) && all_armed(s)
        })
        .await;
    let plan = world.broker.handle().faults();
    let put = || plan.counts().get("/api/v1/hook/").map_or(0, |count| count.seen);
    let (before, since) = (put(), engine::clock::now());
    running.engine.missed(since);
    running
        .until(id, "all is put again and both facts are unknown since then", |s| {
            s.record.presenter == Presenter::Unknown { since }
                && s.record.viewers == Viewers::Unknown { since }
                && put() >= before + 4
                && all_armed(s)
        })
        .await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transcript_that_was_not_fetched_yet_is_fetched_at_the_next_start() {
    let world = World::new().await;
    let running = world.engine().await;
    let (ended, pin) = running.armed_session().await;
    let (closed, closed_pin) = running.armed_session().await;
    let viewer = world.viewer_joins(&pin).await;
    running.until_happened(ended, "ViewerJoined", 1).await;
    running.until(ended, "its hook is armed again", all_armed).await;
    let faults = chat_fails(&world);
    let broker = world.broker.handle();
    broker.page_says(&pin, viewer, "Anna", "before the end").await.unwrap();
    let customer = world.presenter_joins(&closed_pin).await;
    broker.page_says(&closed_pin, customer, "Maria", "thank you").await.unwrap();
    broker.page_leaves(&pin, viewer).await;
    world.over_a_minute_passes().await;
    running.until(ended, "its transcript can't be fetched", waits_for_its_transcript).await;
    let close = Input::Close { outcome: Outcome::Resolved, by: "anna".into() };
    running.engine.order(closed, close).await.unwrap();
    running.until(closed, "its transcript can't be fetched", waits_for_its_transcript).await;
    running.stop().await;

    faults.clear();
    let running = world.engine().await;
    for id in [ended, closed] {
        running
            .until(id, "its transcript is saved", |s| {
                matches!(s.record.transcript, Transcript::Saved { messages: 1, .. })
            })
            .await;
        assert_eq!(running.engine.archive().transcript(id).await.unwrap().len(), 1);
        running.until_happened(id, "TranscriptSaved", 1).await;
    }
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_that_is_locked_is_shown_tried_again_and_has_each_message_once() {
    let world = World::new().await;
    let running = world.engine().await;
    let (id, pin) = running.armed_session().await;
    let viewer = world.viewer_joins(&pin).await;
    let broker = world.broker.handle();
    broker.page_says(&pin, viewer, "Anna", "one").await.unwrap();
    running.until_happened(id, "ViewerJoined", 1).await;
    running.engine.tell(id, Input::OnScreen(true));
    running.until_happened(id, "ChatArrived", 1).await;
    running.faults.lock_archive(true);
    broker.page_says(&pin, viewer, "Anna", "two").await.unwrap();
    running.until(id, "its hook is armed again", all_armed).await;
    broker.page_leaves(&pin, viewer).await;
    world.over_a_minute_passes().await;
    running.until(id, "its transcript isn't archived", waits_for_its_transcript).await;
    running.until_happened(id, "TranscriptFailed", 1).await;
    let mut subscription = running.engine.subscribe();
    let shown = async {
        let fails =
            || running.engine.health().archive_fails().map_or_else(String::new, |e| e.to_string());
        while !fails().contains("another program holds the database") {
            subscription.changed().await;
        }
    };
    tokio::time::timeout(PATIENCE, shown).await.expect("it is shown");

    running.faults.lock_archive(false);
    running
        .until(id, "it is saved", |s| {
            matches!(s.record.transcript, Transcript::Saved { messages: 2, .. })
        })
        .await;
    let kept = running.engine.archive().transcript(id).await.unwrap();
    let bodies: Vec<_> = kept.iter().map(|message| message.body.as_str()).collect();
    assert_eq!(bodies, ["one", "two"]);
    assert_eq!(times_told(&running, id, "TranscriptSaved").await, 1);
    let page = uuid::Uuid::new_v4();
    broker.page_arrives(&pin, Side::Viewers, page, "Anna").await.unwrap();
    running.until_happened(id, "ViewerJoined", 2).await;
    assert_eq!(running.engine.archive().transcript(id).await.unwrap().len(), 2, "nothing twice");
    running.stop().await;
}
