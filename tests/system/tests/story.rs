//! The main job, headless: from a PIN to the archived transcript, with every hook over real HTTP.

#![allow(clippy::unwrap_used)]

use deskhand_system_tests::{World, all_armed, http};
use session::{
    About, Input, Outcome, Presenter, SessionStatus, Transcript, Viewers,
    event::{Event, LifeEvent},
    region::Choice,
};

fn word(snapshot: &engine::Snapshot) -> SessionStatus {
    SessionStatus::new(&snapshot.record, engine::clock::now())
}

#[tokio::test(flavor = "multi_thread")]
async fn from_a_pin_to_the_archived_transcript_and_live_again() {
    let world = World::new().await;
    let running = world.engine().await;
    let (id, pin) = running.armed_session().await;
    let broker = world.broker.handle();

    let customer = world.presenter_joins(&pin).await;
    running
        .until(id, "it is ready", |s| {
            matches!(word(s), SessionStatus::Ready { .. }) && all_armed(s)
        })
        .await;
    let viewer = world.viewer_joins(&pin).await;
    running
        .until(id, "it is active", |s| {
            matches!(word(s), SessionStatus::Active { .. }) && all_armed(s)
        })
        .await;
    broker.page_says(&pin, customer, "Maria", "hey! it is the printer again").await.unwrap();
    broker.page_says(&pin, viewer, "Anna", "Oh, hi. How are you?").await.unwrap();

    broker.page_leaves(&pin, viewer).await;
    world.over_a_minute_passes().await;
    let ended = running
        .until(id, "it has ended and its transcript is saved", |s| {
            matches!(word(s), SessionStatus::Ended { may_still_run: true, .. })
                && matches!(s.record.transcript, Transcript::Saved { messages: 2, .. })
        })
        .await;
    assert!(matches!(ended.record.presenter, Presenter::Online { .. }));

    running.until(id, "viewer_started is armed again", all_armed).await;
    let viewer = world.viewer_joins(&pin).await;
    running
        .until(id, "it is live again", |s| {
            matches!(word(s), SessionStatus::Active { .. }) && all_armed(s)
        })
        .await;
    broker.page_says(&pin, viewer, "Anna", "one more thing").await.unwrap();
    broker.page_leaves(&pin, viewer).await;
    world.over_a_minute_passes().await;
    running
        .until(id, "the archive has grown by one", |s| {
            matches!(s.record.transcript, Transcript::Saved { messages: 3, .. })
        })
        .await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn five_reloads_are_five_events_and_each_hook_is_armed_again() {
    let world = World::new().await;
    let running = world.engine().await;
    let (id, pin) = running.armed_session().await;
    let mut page = world.presenter_joins(&pin).await;
    for starts in 1..=5 {
        // Wait for the event first: only a lamp that is green after it shows that the hook was
        // armed again.
        running.until_happened(id, "PresenterOnline", starts).await;
        running.until(id, "presenter_started is armed again", all_armed).await;
        world.broker.handle().page_leaves(&pin, page).await;
        page = world.presenter_joins(&pin).await;
    }
    running.until_happened(id, "PresenterOnline", 6).await;
    // The event is in the journal before the snapshot that shows it.
    let is_ready = |snapshot: &engine::Snapshot| {
        all_armed(snapshot) && matches!(word(snapshot), SessionStatus::Ready { .. })
    };
    running.until(id, "it is ready and all is armed", is_ready).await;
    let gone =
        running.happened(id).await.into_iter().filter(|name| name == "PresenterOffline").count();
    assert_eq!(gone, 0, "a reload within 60 s is no end");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_presenter_that_goes_is_offline_after_a_minute() {
    let world = World::new().await;
    let running = world.engine().await;
    let (id, pin) = running.armed_session().await;
    let page = world.presenter_joins(&pin).await;
    running
        .until(id, "it is ready", |s| {
            matches!(word(s), SessionStatus::Ready { .. }) && all_armed(s)
        })
        .await;
    world.broker.handle().page_leaves(&pin, page).await;
    world.over_a_minute_passes().await;
    running
        .until(id, "the presenter is offline", |s| {
            matches!(word(s), SessionStatus::PresenterOffline { .. })
        })
        .await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_restart_sessions_are_rearmed_and_their_facts_unknown_until_the_next_event() {
    let world = World::without_channel().await;
    let running = world.engine().await;
    let (first, pin) = running.armed_session().await;
    let (second, _) = running.armed_session().await;
    world.presenter_joins(&pin).await;
    running
        .until(first, "it is ready", |s| {
            matches!(word(s), SessionStatus::Ready { .. }) && all_armed(s)
        })
        .await;
    running.stop().await;

    let running = world.engine().await;
    running.engine.hooks_tried().await;
    let snapshot = running.until(first, "its hooks are armed again", all_armed).await;
    assert!(matches!(word(&snapshot), SessionStatus::Unknown { .. }));
    assert_eq!(snapshot.pin.as_ref(), Some(&pin));
    running.until(second, "its hooks are armed again", all_armed).await;
    world.presenter_joins(&pin).await;
    running
        .until(first, "the presenter is known again", |s| {
            matches!(s.record.presenter, Presenter::Online { .. })
                && matches!(s.record.viewers, Viewers::Unknown { .. })
        })
        .await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hook_that_the_broker_lost_comes_back_and_what_hangs_on_it_is_unknown() {
    let world = World::without_channel().await;
    let running = world.engine().await;
    let (id, pin) = running.armed_session().await;
    world.presenter_joins(&pin).await;
    running
        .until(id, "it is ready", |s| {
            matches!(word(s), SessionStatus::Ready { .. }) && all_armed(s)
        })
        .await;
    let faults = world.broker.handle().faults();
    let before = faults.rules();
    let fails = serve::FaultRule {
        route: "/api/v1/hook/".into(),
        fault: serve::Fault::Status { code: 503 },
        after: 0,
        times: None,
    };
    faults.set(before.iter().cloned().chain([fails]).collect());
    running.engine.tell(id, Input::OnScreen(true));
    running.engine.tell(id, Input::Recheck);
    // Each hook's: what hangs on one that was put before the fault ended isn't unknown.
    let none_armed = |s: &engine::Snapshot| {
        !s.lamps.iter().any(|lamp| matches!(lamp, session::Lamp::Armed { .. }))
    };
    running.until(id, "all lamps show the failure", none_armed).await;
    faults.set(before);
    let back = running.until(id, "all is armed again", all_armed).await;
    assert!(matches!(back.record.presenter, Presenter::Unknown { .. }));
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn closing_saves_the_transcript_and_ends_the_pin_on_our_own_broker() {
    let world = World::new().await;
    let running = world.engine().await;
    let (id, pin) = running.armed_session().await;
    let customer = world.presenter_joins(&pin).await;
    world.broker.handle().page_says(&pin, customer, "Maria", "thank you").await.unwrap();
    running
        .engine
        .order(id, Input::Close { outcome: Outcome::Resolved, by: "anna".into() })
        .await
        .unwrap();
    running
        .until(id, "the PIN is revoked and the transcript saved", |s| {
            matches!(word(s), SessionStatus::Closed { pin_valid_until: None, .. })
                && matches!(s.record.transcript, Transcript::Saved { messages: 1, .. })
        })
        .await;
    let page = uuid::Uuid::new_v4();
    let refused = world
        .broker
        .handle()
        .page_arrives(&pin, wire::Side::Presenter, page, "Maria")
        .await
        .is_err();
    assert!(refused, "a revoked PIN lets nobody in");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pin_that_nobody_used_in_a_day_is_noted_and_no_secret_is_in_what_happened() {
    let world = World::new().await;
    let running = world.engine().await;
    let (id, pin) = running.armed_session().await;
    running.engine.tell(id, Input::Elapsed(session::Timer::Heartbeat));
    world.presenter_joins(&pin).await;
    running.until(id, "it is ready", |s| matches!(word(s), SessionStatus::Ready { .. })).await;
    let happenings = running.engine.journal().events_of(id).await.unwrap();
    assert!(happenings.iter().any(|h| matches!(h.event, Event::Life(LifeEvent::PinReady { .. }))));
    let printed = format!("{happenings:?} {:?}", running.engine.snapshot(id));
    assert!(!printed.contains(pin.expose()), "what happened and a snapshot print no PIN");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_restarts_keeps_links_and_hooks() {
    let world = World::new().await;
    let running = world.engine().await;
    let (id, pin) = running.armed_session().await;
    let world = world.restart_broker().await;
    running.engine.tell(id, Input::Recheck);
    world.presenter_joins(&pin).await;
    running
        .until(id, "the presenter is online", |s| {
            matches!(s.record.presenter, Presenter::Online { .. })
        })
        .await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_token_a_large_body_and_a_foreign_host_are_refused() {
    let world = World::new().await;
    let running = world.engine().await;
    let (id, _) = running.armed_session().await;
    let at = running.engine.listener();
    let client = http();
    let unknown = client.post(format!("http://{at}/hook/{}", "A".repeat(43))).send().await.unwrap();
    assert_eq!(unknown.status(), 404);
    let large = client
        .post(format!("http://{at}/hook/{}", "A".repeat(43)))
        .body(vec![b'x'; 65 * 1024])
        .send()
        .await
        .unwrap();
    assert_eq!(large.status(), 413);
    let foreign = client
        .post(format!("http://{at}/hook/x"))
        .header("host", "evil.example")
        .send()
        .await
        .unwrap();
    assert_eq!(foreign.status(), 403);
    assert_eq!(running.happened(id).await, ["Created", "PinReady"]);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_region_chosen_by_hand_is_kept_as_that() {
    let world = World::new().await;
    let running = world.engine().await;
    let region: wire::Region = "eu-west-2".parse().unwrap();
    let chosen = Some(region.clone());
    let id = running.engine.create(About::default(), "anna".into(), chosen).await.unwrap();
    running.until(id, "all four hooks are armed", all_armed).await;
    let kept = running.engine.archive().region(id).await.unwrap();
    assert_eq!(kept, Some(Choice::by_hand(region)));
    running.stop().await;
}
