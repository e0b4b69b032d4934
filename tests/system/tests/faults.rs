//! What happens when the disk or an actor fails: it is shown, retried, and nothing is lost
//! or doubled.

#![allow(clippy::unwrap_used)]

use deskhand_system_tests::{RunningEngine, World, all_armed};
use engine::{CommandError, SessionId, Snapshot, journal::Fault};
use session::{About, Failure, Input, Lamp, Life, Presenter, SessionStatus, mail};

fn is_online(snapshot: &engine::Snapshot) -> bool {
    matches!(snapshot.record.presenter, Presenter::Online { .. })
}

async fn times_told(running: &RunningEngine, id: SessionId, name: &str) -> usize {
    running.happened(id).await.iter().filter(|event| *event == name).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_the_disk_refuses_counts_is_shown_and_written_later_once() {
    let world = World::new().await;
    let running = world.engine().await;
    let (id, pin) = running.armed_session().await;
    running.disk.set(Some(Fault::DiskFull));
    world.presenter_joins(&pin).await;
    let shown = running.until(id, "it is online though the disk is full", is_online).await;
    assert!(shown.unsaved, "it says that it is not saved to disk");
    assert!(
        running.engine.health().journal_fails().unwrap().to_string().contains("the disk is full")
    );
    assert_eq!(times_told(&running, id, "PresenterOnline").await, 0, "nothing unsaved is told");

    running.disk.set(None);
    running.engine.tell(id, Input::Recheck);
    running.until(id, "it is saved", |s| !s.unsaved && all_armed(s)).await;
    assert_eq!(times_told(&running, id, "PresenterOnline").await, 1);
    running.stop().await;

    let running = world.engine().await;
    running.until(id, "it is back", all_armed).await;
    assert!(times_told(&running, id, "PresenterOnline").await >= 1);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hook_is_armed_again_while_the_disk_hangs() {
    let world = World::without_channel().await;
    let running = world.engine().await;
    let (id, pin) = running.armed_session().await;
    let revision = running.engine.snapshot(id).unwrap().revision;
    running.disk.set(Some(Fault::Hangs));
    let about = About { customer: "Maria".into(), ..About::default() };
    let described = running.engine.order(id, Input::Described(about));
    let watched = async {
        world.presenter_joins(&pin).await;
        // One revision for the hook that fired, and one for its arming.
        let again = |s: &engine::Snapshot| s.revision >= revision + 2 && all_armed(s);
        let armed = running.until(id, "it is armed again", again).await;
        assert!(armed.record.about.customer.is_empty(), "nothing is shown that isn't on disk");
        assert!(!is_online(&armed));
        running.disk.set(None);
    };
    let (saved, ()) = tokio::join!(described, watched);
    saved.unwrap();
    let s = running.until(id, "the event counts", is_online).await;
    assert_eq!(s.record.about.customer, "Maria");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_the_disk_refuses_is_not_acknowledged() {
    let world = World::new().await;
    let running = world.engine().await;
    let (id, _) = running.armed_session().await;
    running.disk.set(Some(Fault::DiskFull));
    let about = About { customer: "Maria".into(), ..About::default() };
    let refused = running.engine.order(id, Input::Described(about)).await;
    assert!(matches!(refused, Err(CommandError::NotSaved(_))));
    let refused = running.engine.create(About::default(), "anna".into(), None).await;
    assert!(refused.is_err());
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_actor_that_dies_is_back_with_its_event_and_the_others_never_notice() {
    let world = World::without_channel().await;
    let running = world.engine().await;
    let (id, pin) = running.armed_session().await;
    let (other, _) = running.armed_session().await;
    let before = running.engine.snapshot(other).unwrap().revision;
    running.faults.kill_actors(1);
    world.presenter_joins(&pin).await;
    // The restart makes the facts unknown: what happened around it isn't known for sure.
    running
        .until(id, "it is back", |s| {
            all_armed(s)
                && matches!(
                    SessionStatus::new(&s.record, deskhand_system_tests::now()),
                    SessionStatus::Unknown { .. }
                )
        })
        .await;
    assert_eq!(times_told(&running, id, "PresenterOnline").await, 1);
    assert_eq!(running.engine.snapshot(other).unwrap().revision, before);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_kills_its_actor_twice_is_set_aside() {
    let world = World::without_channel().await;
    let running = world.engine().await;
    let (id, pin) = running.armed_session().await;
    running.faults.kill_actors(2);
    world.presenter_joins(&pin).await;
    running
        .until(id, "it is back without the event", |s| {
            all_armed(s) && matches!(s.record.presenter, Presenter::Unknown { .. })
        })
        .await;
    assert_eq!(times_told(&running, id, "PresenterOnline").await, 0);
    let loaded = running.engine.journal().load().await.unwrap();
    let stored = loaded.sessions.iter().find(|stored| stored.session == id).unwrap();
    assert_eq!(stored.killers.len(), 1);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_service_fails_the_session_with_its_reason_and_a_retry_helps() {
    let world = World::new().await;
    let running = world.engine().await;
    let faults = world.broker.handle().faults();
    faults.set(vec![serve::FaultRule::always(
        "/api/v1/session_pin",
        serve::Fault::Status { code: 500 },
    )]);
    let id = running.engine.create(About::default(), "anna".into(), None).await.unwrap();
    running
        .until(id, "it has failed", |s| {
            matches!(s.record.life, Life::Failed { failure: Failure::Faulty { status: 500 }, .. })
        })
        .await;
    faults.clear();
    running.engine.order(id, Input::Retry { region: None }).await.unwrap();
    running.until(id, "the retry has armed it", all_armed).await;
    running.stop().await;
}

/// Orders an e-mail that is sent at once, and waits for its outcome.
async fn mailed(running: &RunningEngine, id: SessionId) -> mail::Status {
    let order = Input::MailOrdered {
        to: "maria@example.com".into(),
        template: mail::Template::ToCustomer,
        name: "Anna".into(),
        when: mail::When::Now,
        by: "anna".into(),
    };
    running.engine.order(id, order).await.unwrap();
    let settled = |s: &Snapshot| match s.record.mail.last().map(|order| order.status) {
        None | Some(mail::Status::Waiting | mail::Status::Held | mail::Status::Sending) => false,
        Some(
            mail::Status::Accepted { .. } | mail::Status::MaybeSent | mail::Status::Failed { .. },
        ) => true,
    };
    running.until(id, "the e-mail has come to its end", settled).await.record.mail[0].status
}

#[tokio::test(flavor = "multi_thread")]
async fn an_email_may_have_been_sent_where_the_service_took_it_and_hung_up() {
    // Our own broker would tell what has become of it.
    let world = World::without_channel().await;
    let running = world.engine().await;
    let (id, _) = running.armed_session().await;
    let faults = world.broker.handle().faults();
    let mut rules = faults.rules();
    rules.push(serve::FaultRule::always("/api/v1/email/{address}", serve::Fault::DropAnswer));
    faults.set(rules);
    assert_eq!(mailed(&running, id).await, mail::Status::MaybeSent);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_email_was_surely_not_sent_where_nothing_listens() {
    let world = World::new().await;
    let running = world.engine().await;
    let (id, _) = running.armed_session().await;
    let gone = world.broker.addr();
    world.broker.shutdown().await;
    // Held, so that no other test's server gets the port and answers.
    let held = tokio::net::TcpSocket::new_v4().unwrap();
    held.set_reuseaddr(true).unwrap();
    held.bind(gone).unwrap();
    let failed = mail::Status::Failed { failure: Failure::Unreachable };
    assert_eq!(mailed(&running, id).await, failed);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_a_service_is_away_nothing_is_claimed_of_a_session_whose_hooks_cannot_be_put() {
    let world = World::without_channel().await;
    let running = world.engine().await;
    let (id, pin) = running.armed_session().await;
    world.presenter_joins(&pin).await;
    running.until(id, "it is online", |s| is_online(s) && all_armed(s)).await;
    let faults = world.broker.handle().faults();
    faults.set(vec![serde_json::from_str(r#"{"route":"*","kind":"drop"}"#).unwrap()]);
    running.engine.tell(id, Input::Recheck);
    running
        .until(id, "nothing is known while it fails", |s| {
            matches!(
                (s.record.presenter, s.record.viewers),
                (Presenter::Unknown { .. }, session::Viewers::Unknown { .. })
            ) && s.lamps.iter().all(|lamp| matches!(lamp, Lamp::Failed { .. }))
        })
        .await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_was_away_leaves_nothing_known_in_any_session() {
    let world = World::without_channel().await;
    let running = world.engine().await;
    let (failing, pin) = running.armed_session().await;
    let (other, others_pin) = running.armed_session().await;
    for (id, pin) in [(failing, &pin), (other, &others_pin)] {
        world.presenter_joins(pin).await;
        running.until(id, "it is online", |s| is_online(s) && all_armed(s)).await;
    }
    let faults = world.broker.handle().faults();
    faults.set(vec![serve::FaultRule::always("/api/v1/hook/", serve::Fault::Drop)]);
    running.engine.tell(failing, Input::Recheck);
    // The waits between its tries add up to more than the time after which it is an outage.
    running
        .until(failing, "it was tried four times", |s| {
            s.lamps.iter().any(|lamp| matches!(lamp, Lamp::Failed { attempt: 4.., .. }))
        })
        .await;
    faults.clear();
    running
        .until(other, "the other one is unknown and armed", |s| {
            matches!(s.record.presenter, Presenter::Unknown { .. }) && all_armed(s)
        })
        .await;
    running.stop().await;
}
