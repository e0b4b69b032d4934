use std::time::Duration;

use session::{About, Delivery, Input, Lamp};
use tokio::sync::oneshot;
use wire::HookType::ViewerStarted;

use crate::{
    actor::{
        message::SessionMessage,
        testing::{Scripted, World},
    },
    error::CommandError,
    journal::Fault,
};

fn described(ticket: &str) -> Input {
    Input::Described(About { ticket: ticket.into(), ..About::default() })
}

#[tokio::test(start_paused = true)]
async fn a_command_is_answered_only_once_it_is_on_the_disk() {
    let world = World::new().await;
    let session = world.live().await;
    world.disk.set(Some(Fault::Hangs));
    let (done, mut answer) = oneshot::channel();
    session.send(SessionMessage::Command(described("T-1"), done));
    world.settle().await;
    assert!(answer.try_recv().is_err(), "it isn't on the disk");
    assert_eq!(world.record(session.id).about.ticket, "", "nobody is shown what may not be kept");
    world.mend_disk();
    answer.await.unwrap().unwrap();
    assert_eq!(world.in_journal(session.id).await.record.about.ticket, "T-1");
}

#[tokio::test(start_paused = true)]
async fn what_happened_though_the_disk_refused_it_is_shown_as_unsaved_and_written_with_the_next_turn()
 {
    let world = World::new().await;
    let session = world.live().await;
    world.break_disk();
    session.tell(described("T-1"));
    world.until(|| world.snapshot(session.id).unsaved).await;
    let snapshot = world.snapshot(session.id);
    assert_eq!((snapshot.unsaved, snapshot.record.about.ticket.as_str()), (true, "T-1"));
    assert!(world.context.health.journal_fails().is_some());
    world.mend_disk();
    session.tell(Input::Windows { open: 1 });
    world.until(|| !world.snapshot(session.id).unsaved).await;
    assert_eq!(world.in_journal(session.id).await.record.about.ticket, "T-1");
    assert_eq!(world.context.health.journal_fails(), None);
}

#[tokio::test(start_paused = true)]
async fn a_command_that_the_disk_refuses_leaves_everything_as_it_was() {
    let world = World::new().await;
    let able = serde_json::json!({ "success": true, "revoke": true });
    world.services.always("GET x/capabilities", Scripted::json(&able));
    let session = world.live().await;
    world.services.forget_calls();
    let before = world.snapshot(session.id).record.clone();
    world.break_disk();
    let close = || Input::Close { outcome: session::Outcome::Resolved, by: "anna".into() };
    for input in [close(), described("T-1")] {
        let refused = world.order(&session, input).await;
        assert!(matches!(refused, Err(CommandError::NotSaved(_))), "{refused:?}");
        assert_eq!(world.snapshot(session.id).record, before);
    }
    world.pass(Duration::from_secs(5)).await;
    let begun = ["GET chat", "GET x/capabilities", "POST x/revoke"];
    assert_eq!(begun.map(|call| world.services.count(call)), [0; 3]);
    world.mend_disk();
    session.tell(Input::Windows { open: 1 });
    world.until(|| !world.snapshot(session.id).unsaved).await;
    assert_eq!(world.in_journal(session.id).await.record.life, before.life);
    world.order(&session, close()).await.unwrap();
    assert!(matches!(world.in_journal(session.id).await.record.life, session::Life::Closed { .. }));
}

#[tokio::test(start_paused = true)]
async fn what_happens_beside_a_refused_command_stays_and_a_later_command_does_too() {
    let world = World::new().await;
    let session = world.live().await;
    world.disk.set(Some(Fault::Hangs));
    let order = |ticket| {
        let (done, answer) = oneshot::channel();
        session.send(SessionMessage::Command(described(ticket), done));
        answer
    };
    let first = order("T-1");
    world.settle().await;
    // These go with the next transaction.
    session.send(SessionMessage::Received(ViewerStarted));
    session.send(SessionMessage::Committed {
        hook: ViewerStarted,
        delivery: Delivery::default(),
        seq: Some(1),
        at: crate::clock::now(),
    });
    let second = order("T-2");
    world.settle().await;
    world.break_disk();
    assert!(matches!(first.await.unwrap(), Err(CommandError::NotSaved(_))));
    assert!(matches!(second.await.unwrap(), Err(CommandError::NotSaved(_))));
    let snapshot = world.snapshot(session.id);
    assert_eq!(snapshot.record.about.ticket, "");
    assert!(snapshot.record.joined, "the hook counts");
    world.mend_disk();
    order("T-3").await.unwrap().unwrap();
    let stored = world.in_journal(session.id).await.record;
    assert_eq!((stored.about.ticket.as_str(), stored.joined), ("T-3", true));
    assert_eq!(stored, *world.snapshot(session.id).record);
}

#[tokio::test(start_paused = true)]
async fn a_lamp_does_not_wait_for_the_disk() {
    let world = World::new().await;
    let session = world.live().await;
    world.services.always("PUT hook", Scripted::Never);
    world.disk.set(Some(Fault::Hangs));
    session.tell(described("T-1"));
    session.send(SessionMessage::Received(ViewerStarted));
    let lamp = || world.snapshot(session.id).lamps[ViewerStarted.index()].clone();
    world.until(|| matches!(lamp(), Lamp::Rearming { .. })).await;
    world.mend_disk();
}

#[tokio::test(start_paused = true)]
async fn turns_that_come_while_the_disk_writes_go_with_the_next_transaction() {
    let world = World::new().await;
    let session = world.live().await;
    world.disk.set(Some(Fault::Hangs));
    let mut answers = Vec::new();
    for ticket in ["T-1", "T-2", "T-3"] {
        let (done, answer) = oneshot::channel();
        session.send(SessionMessage::Command(described(ticket), done));
        answers.push(answer);
    }
    world.settle().await;
    world.mend_disk();
    for answer in answers {
        answer.await.unwrap().unwrap();
    }
    assert_eq!(world.in_journal(session.id).await.record.about.ticket, "T-3");
}

#[tokio::test(start_paused = true)]
async fn the_last_turn_is_on_the_disk_when_a_session_has_ended() {
    let world = World::new().await;
    let session = world.live().await;
    world.break_disk();
    session.tell(described("T-9"));
    world.until(|| world.snapshot(session.id).unsaved).await;
    world.mend_disk();
    session.actor.stop_and_wait(None, None).await.unwrap();
    assert_eq!(world.in_journal(session.id).await.record.about.ticket, "T-9");
}

#[tokio::test(start_paused = true)]
async fn no_timer_of_a_session_that_ended_runs_on() {
    let world = World::new().await;
    let session = world.live().await;
    session.actor.stop_and_wait(None, None).await.unwrap();
    world.services.forget_calls();
    world.pass(Duration::from_secs(86_400)).await;
    assert_eq!(world.services.names(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn the_panic_of_an_effect_ends_the_actor_instead_of_leaving_it_waiting() {
    let world = World::new().await;
    world.services.next("GET session_pin", Scripted::Panics);
    let session = world.start(world.fresh(Some("here-1"))).await;
    session.ended.await.unwrap();
    assert_eq!(world.in_journal(session.id).await.record.life, session::Life::Allocating);
}
