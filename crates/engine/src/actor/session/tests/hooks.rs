use std::time::Duration;

use session::{
    Delivery, DeliveryId, Event, Failure, Input, Lamp, Obstacle, Outcome, PresenceEvent, Presenter,
    Timer, Viewers,
};
use wire::HookType::{PresenterStarted, ViewerOffline, ViewerStarted};

use crate::{
    actor::{
        message::SessionMessage,
        testing::{HEARTBEAT, Scripted, World, committed},
    },
    clock::now,
    journal::Fault,
};

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn puts_a_hook_again_before_its_event_is_on_the_disk() {
    let world = World::new().await;
    let session = world.live().await;
    world.disk.set(Some(Fault::Hangs));
    session.send(SessionMessage::Received(ViewerStarted));
    world.until(|| world.services.count("PUT hook viewer_started") == 1).await;
    assert_eq!(world.record(session.id).viewers, Viewers::Never, "it isn't committed yet");
    world.mend_disk();
}

#[tokio::test(start_paused = true)]
async fn a_confirmed_hook_is_an_answer_of_the_service_where_it_is_the_first() {
    let world = World::new().await;
    assert_eq!(world.context.health.service(), None);
    let _session = world.live().await;
    assert_eq!(world.services.count("GET"), 0, "nothing but hooks was asked");
    let service = world.context.health.service();
    assert!(matches!(service, Some(crate::ServiceHealth::Answers { .. })), "{service:?}");
}

#[tokio::test(start_paused = true)]
async fn rearming_comes_before_all_that_waits_for_the_disk() {
    let world = World::new().await;
    let session = world.live().await;
    world.disk.set(Some(Fault::Hangs));
    // All of it wants effects: an end with its transcript, and every hook put again.
    session.send(SessionMessage::Committed {
        hook: ViewerStarted,
        delivery: Delivery::default(),
        seq: Some(1),
        at: now(),
    });
    session.send(SessionMessage::Committed {
        hook: ViewerOffline,
        delivery: Delivery::default(),
        seq: Some(2),
        at: now(),
    });
    session.tell(Input::Missed { since: now() });
    session.send(SessionMessage::Received(PresenterStarted));
    world.until(|| world.services.count("PUT") == 1).await;
    world.settle().await;
    assert_eq!(world.services.names(), ["PUT hook presenter_started"]);
    world.mend_disk();
    world.until(|| world.services.count("GET chat") == 1).await;
    world.until(|| world.services.count("PUT hook") >= 4).await;
    assert_eq!(world.services.names()[0], "PUT hook presenter_started");
}

#[tokio::test(start_paused = true)]
async fn a_hook_that_fires_while_its_put_is_under_way_is_put_once_more() {
    let world = World::new().await;
    let session = world.live().await;
    world.services.next("PUT hook viewer_started", Scripted::late(3, Scripted::ok()));
    session.send(SessionMessage::Received(ViewerStarted));
    world.until(|| world.services.count("PUT hook viewer_started") == 1).await;
    session.send(SessionMessage::Received(ViewerStarted));
    world.until(|| world.services.count("PUT hook viewer_started") == 2).await;
    world.until(|| world.is_armed(session.id)).await;
}

#[tokio::test(start_paused = true)]
async fn the_answer_to_an_older_put_makes_no_lamp_green() {
    let world = World::new().await;
    let session = world.live().await;
    world.services.next("PUT hook viewer_started", Scripted::late(5, Scripted::ok()));
    session.send(SessionMessage::Received(ViewerStarted));
    world.until(|| world.services.count("PUT hook viewer_started") == 1).await;
    world.services.always("PUT hook viewer_started", Scripted::status(404));
    session.tell(Input::Recheck);
    world.until(|| !world.is_armed(session.id)).await;
    world.pass(5 * SECOND).await;
    let lamp = &world.snapshot(session.id).lamps[ViewerStarted.index()];
    assert!(matches!(lamp, Lamp::Failed { .. }), "{lamp:?}");
}

#[tokio::test(start_paused = true)]
async fn a_hook_that_fails_is_put_again_and_told_as_lost_at_the_second_time() {
    let world = World::new().await;
    let session = world.live().await;
    world.services.always("PUT hook viewer_started", Scripted::status(503));
    session.send(SessionMessage::Received(ViewerStarted));
    world.until(|| world.services.count("PUT hook") == 1).await;
    world.settle().await;
    assert!(!world.happened(session.id).await.contains(&"HookLost".to_owned()));
    world.pass(SECOND / 2).await;
    world.until(|| world.services.count("PUT hook") == 2).await;
    world.settle().await;
    // Whether viewers came meanwhile would be told by this hook alone.
    assert!(
        world.happened(session.id).await.ends_with(&["HookLost".into(), "StatusUnknown".into()])
    );
    let lamp = world.snapshot(session.id).lamps[ViewerStarted.index()].clone();
    let Lamp::Failed { attempt: 2, failure, .. } = lamp else { panic!("{lamp:?}") };
    assert_eq!(failure, Failure::Faulty { status: 503 });
    world.services.mend();
    world.pass(SECOND).await;
    world.until(|| world.is_armed(session.id)).await;
    world.settle().await;
    let happened = world.happened(session.id).await;
    assert!(happened.contains(&"HookBack".to_owned()), "{happened:?}");
}

#[tokio::test(start_paused = true)]
async fn a_service_that_asks_to_wait_is_left_alone_for_so_long() {
    let world = World::new().await;
    let session = world.live().await;
    world.services.next("PUT hook", Scripted::TryLater { status: 429, seconds: 20 });
    session.send(SessionMessage::Received(ViewerStarted));
    world.until(|| world.services.count("PUT hook") == 1).await;
    world.settle().await;
    world.pass(14 * SECOND).await;
    assert_eq!(world.services.count("PUT hook"), 1);
    world.pass(7 * SECOND).await;
    world.until(|| world.is_armed(session.id)).await;
}

#[tokio::test(start_paused = true)]
async fn a_put_that_is_never_answered_fails_after_ten_seconds_and_is_made_again() {
    let world = World::new().await;
    let session = world.live().await;
    world.services.next("PUT hook", Scripted::Never);
    session.send(SessionMessage::Received(ViewerStarted));
    world.until(|| world.services.count("PUT hook") == 1).await;
    world.pass(10 * SECOND).await;
    let lamp = || world.snapshot(session.id).lamps[ViewerStarted.index()].clone();
    world.until(|| matches!(lamp(), Lamp::Failed { failure: Failure::TimedOut, .. })).await;
    world.pass(SECOND).await;
    world.until(|| world.is_armed(session.id)).await;
}

#[tokio::test(start_paused = true)]
async fn garbage_makes_no_lamp_green() {
    let world = World::new().await;
    let session = world.live().await;
    for (answer, expected) in [
        (Scripted::garbage(), Failure::Malformed),
        (Scripted::page(200), Failure::Malformed),
        (Scripted::status(302), Failure::Malformed),
        (Scripted::page(403), Failure::Blocked { by: Obstacle::Gateway { status: 403 } }),
    ] {
        world.services.next("PUT hook", answer.clone());
        session.send(SessionMessage::Received(ViewerStarted));
        let lamp = || world.snapshot(session.id).lamps[ViewerStarted.index()].clone();
        world.until(|| matches!(lamp(), Lamp::Failed { .. })).await;
        let Lamp::Failed { failure, .. } = lamp() else { unreachable!() };
        assert_eq!(failure, expected, "{answer:?}");
        session.tell(Input::Recheck);
        // The budget needs time to let so many go.
        world.pass(SECOND).await;
        world.until(|| world.is_armed(session.id)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn all_four_hooks_are_put_again_at_each_heartbeat() {
    let world = World::new().await;
    let session = world.live().await;
    for beats in 1..=3 {
        world.pass(HEARTBEAT).await;
        world.until(|| world.services.count("PUT hook") == 4 * beats).await;
        world.until(|| world.is_armed(session.id)).await;
    }
    // Chance makes a wait shorter by up to a quarter, never more.
    world.pass(HEARTBEAT / 4 * 3 - SECOND).await;
    assert_eq!(world.services.count("PUT hook"), 12);
}

#[tokio::test(start_paused = true)]
async fn what_is_on_screen_is_put_every_two_seconds_after_a_fault() {
    let world = World::new().await;
    let session = world.live().await;
    session.tell(Input::OnScreen(true));
    session.tell(Input::ServiceFails);
    world.until(|| world.services.count("PUT hook") == 4).await;
    world.settle().await;
    world.pass(2 * SECOND).await;
    world.until(|| world.services.count("PUT hook") == 8).await;
}

#[tokio::test(start_paused = true)]
async fn a_closed_session_puts_no_hook_not_even_one_that_fires() {
    let world = World::new().await;
    let session = world.live().await;
    let close = Input::Close { outcome: Outcome::Resolved, by: "anna".into() };
    world.order(&session, close).await.unwrap();
    session.send(SessionMessage::Received(ViewerStarted));
    world.pass(100 * SECOND).await;
    assert_eq!(world.services.count("PUT hook"), 0);
    let lamps = &world.snapshot(session.id).lamps;
    assert!(matches!(lamps[ViewerStarted.index()], Lamp::Consumed { .. }), "{lamps:?}");
}

#[tokio::test(start_paused = true)]
async fn a_committed_event_changes_the_record_and_is_told_once() {
    let world = World::new().await;
    let session = world.live().await;
    let seq = world.fire(session.id, PresenterStarted).await;
    let online = |record: &session::Record| matches!(record.presenter, Presenter::Online { .. });
    world.until_record(session.id, online).await;
    let stored = world.in_journal(session.id).await;
    assert_eq!((stored.applied_seq, stored.replay.len()), (seq, 0));
    let happened = world.happened(session.id).await;
    assert_eq!(happened.iter().filter(|event| *event == "PresenterOnline").count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_second_try_of_a_delivery_is_no_second_event_also_when_a_restart_lies_between() {
    let world = World::new().await;
    let session = world.live().await;
    let delivery = Delivery { revision: None, id: Some(DeliveryId(u64::MAX)) };
    let (journal, id) = (&world.context.journal, session.id);
    // On the disk, and not yet applied when the program ends: it comes back with its id.
    let seq = journal.append_reported(id, PresenterStarted, delivery, now()).await.unwrap();
    let stored = world.in_journal(id).await;
    let replay: Vec<_> = stored.replay.iter().map(|event| event.delivery).collect();
    assert_eq!(replay, [delivery]);
    for seq in [seq, seq + 1] {
        let hook = PresenterStarted;
        session.send(SessionMessage::Committed { hook, delivery, seq: Some(seq), at: now() });
    }
    world.until(|| world.record(id).joined).await;
    world.settle().await;
    let happened = world.happened(id).await;
    assert_eq!(happened.iter().filter(|event| *event == "PresenterOnline").count(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_event_that_the_disk_refused_counts_and_is_applied_once() {
    let world = World::new().await;
    let session = world.live().await;
    let at = now();
    session.send(SessionMessage::Committed {
        hook: PresenterStarted,
        delivery: Delivery::default(),
        seq: None,
        at,
    });
    world.until(|| world.record(session.id).joined).await;
    let seq = world.context.journal.append(session.id, PresenterStarted, at).await.unwrap();
    session.send(SessionMessage::Written { seq });
    session.tell(Input::Windows { open: 1 });
    let about = session::About { ticket: "T-1".into(), ..Default::default() };
    world.order(&session, Input::Described(about)).await.unwrap();
    assert_eq!(world.in_journal(session.id).await.replay, [], "it would be applied again");
}

#[tokio::test(start_paused = true)]
async fn events_of_the_time_before_a_start_are_applied_before_anything_else() {
    let world = World::new().await;
    let id = world.stored().await;
    let stored = world.in_journal(id).await;
    let mut start = world.fresh(None);
    let (first, second) = (now(), now().plus(SECOND));
    start.id = id;
    start.state = session::State::restored(stored.record);
    start.secrets = stored.secrets;
    start.replay = vec![committed(7, PresenterStarted, first), committed(8, ViewerStarted, second)];
    start.first = Input::Restored { since: second };
    let session = world.start(start).await;
    world.until(|| world.is_armed(session.id)).await;
    world.settle().await;
    let happened = world.happened(id).await;
    let new = &happened[happened.len() - 3..];
    assert_eq!(new, ["PresenterOnline", "ViewerJoined", "StatusUnknown"]);
    assert_eq!(world.in_journal(id).await.applied_seq, 8);
}

#[tokio::test(start_paused = true)]
async fn a_timer_that_was_replaced_is_ignored() {
    let world = World::new().await;
    let session = world.live().await;
    session.send(SessionMessage::Elapsed { timer: Timer::Heartbeat, generation: 0 });
    session.send(SessionMessage::Elapsed { timer: Timer::PinOver, generation: u64::MAX });
    world.settle().await;
    assert_eq!(world.services.count("PUT hook"), 0);
    assert!(world.record(session.id).is_live());
}

#[tokio::test(start_paused = true)]
async fn what_may_have_been_missed_makes_the_facts_unknown_and_puts_all_hooks() {
    let world = World::new().await;
    let session = world.live().await;
    world.fire(session.id, PresenterStarted).await;
    world.until(|| world.record(session.id).joined).await;
    world.until(|| world.is_armed(session.id)).await;
    world.services.forget_calls();
    let since = now();
    session.tell(Input::Missed { since });
    world.until_record(session.id, |r| r.presenter == Presenter::Unknown { since }).await;
    world.until(|| world.services.count("PUT hook") == 4).await;
    world.settle().await;
    let events = world.context.journal.events_of(session.id).await.unwrap();
    assert_eq!(
        events.last().unwrap().event,
        Event::Presence(PresenceEvent::StatusUnknown { since })
    );
}

#[tokio::test(start_paused = true)]
async fn a_pin_whose_life_is_over_has_no_hooks_and_is_shown_nowhere() {
    let life = Duration::from_millis(1);
    let world = World::with(|config| config.pin_life = life).await;
    let session = world.start(world.fresh(Some("here-1"))).await;
    // The end is by the wall clock, which no test stops.
    let over = |record: &session::Record| matches!(record.life, session::Life::Over { .. });
    while !world.context.bus.latest(session.id).is_some_and(|now| over(&now.record)) {
        world.pass(life).await;
    }
    assert!(world.snapshot(session.id).pin.is_none());
    assert!(world.snapshot(session.id).lamps.iter().all(|lamp| *lamp == Lamp::Off));
}
