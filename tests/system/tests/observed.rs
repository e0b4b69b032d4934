//! The broker's own word beside its webhooks: whatever becomes of those, the console's states are the broker's.

#![allow(clippy::unwrap_used)]

use std::time::Duration;

use deskhand_system_tests::{RunningEngine, World, all_armed};
use engine::{SessionId, Snapshot};
use serve::{Fault, FaultRule};
use session::{Presenter, SessionStatus, Viewers};
use uuid::Uuid;
use wire::{Pin, Side, shared_screen::Role};

fn word(snapshot: &Snapshot) -> SessionStatus {
    SessionStatus::new(&snapshot.record, engine::clock::now())
}

fn is_ready(snapshot: &Snapshot) -> bool {
    matches!(word(snapshot), SessionStatus::Ready { .. })
}

fn on_deliveries(fault: Fault, after: u32, times: Option<u32>) -> FaultRule {
    FaultRule { route: "deliver".into(), fault, after, times }
}

/// Waits until the broker itself tells the states of these sessions.
async fn until_followed(running: &RunningEngine, sessions: &[SessionId]) {
    for id in sessions {
        running.until(*id, "the broker tells its state", |s| s.record.observed.revision > 0).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_that_is_lost_leaves_no_false_state_and_the_log_says_so() {
    let world = World::new().await;
    let running = world.engine().await;
    let (id, pin) = running.armed_session().await;
    until_followed(&running, &[id]).await;
    world.broker.handle().faults().set(vec![on_deliveries(Fault::Drop, 0, Some(1))]);
    let page = world.presenter_joins(&pin).await;
    running.until(id, "it is ready though its webhook was lost", is_ready).await;
    running.until_happened(id, "WebhookLost", 1).await;
    let happened = running.happened(id).await;
    assert_eq!(happened.iter().filter(|event| *event == "PresenterOnline").count(), 1);

    // The next webhook arrives, and its event is told once.
    world.broker.handle().page_leaves(&pin, page).await;
    world.over_a_minute_passes().await;
    let is_offline = |s: &Snapshot| matches!(s.record.presenter, Presenter::Offline { .. });
    running.until(id, "it is offline", |s| is_offline(s) && all_armed(s)).await;
    let happened = running.happened(id).await;
    assert_eq!(happened.iter().filter(|event| *event == "PresenterOffline").count(), 1);
    assert_eq!(happened.iter().filter(|event| *event == "WebhookLost").count(), 1);
    running.stop().await;
    world.broker.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_who_leaves_is_not_counted_as_active_until_a_minute_is_over() {
    let world = World::new().await;
    let running = world.engine().await;
    let (id, pin) = running.armed_session().await;
    world.presenter_joins(&pin).await;
    let viewer = world.viewer_joins(&pin).await;
    let is_active = |s: &Snapshot| matches!(word(s), SessionStatus::Active { .. });
    running.until(id, "it is active", is_active).await;
    world.broker.handle().page_leaves(&pin, viewer).await;
    let left = running.until(id, "nobody watches", is_ready).await;
    assert_eq!(left.record.active_since, None);
    running.stop().await;
    world.broker.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn chat_arrives_at_once_and_names_its_sender() {
    let world = World::new().await;
    let running = world.engine().await;
    let (id, pin) = running.armed_session().await;
    until_followed(&running, &[id]).await;
    let page = world.presenter_joins(&pin).await;
    for body in ["I can't start it", "are you there?"] {
        world.broker.handle().page_says(&pin, page, "Maria", body).await.unwrap();
    }
    // The session isn't on screen: without the broker's word it would be polled much later.
    running.until(id, "both are in the archive", |s| s.record.observed.chat_number == 2).await;
    let chat = running.engine.archive().transcript(id).await.unwrap();
    let bodies: Vec<_> = chat.iter().map(|message| message.body.as_str()).collect();
    assert_eq!(bodies, ["I can't start it", "are you there?"]);
    let told = running.engine.journal().events_of(id).await.unwrap();
    let told: Vec<_> = told
        .iter()
        .filter(|record| record.event.facts().name() == "chat_arrived")
        .map(|record| record.event.facts().notice("HD-1"))
        .collect();
    assert!(told.iter().all(|notice| notice.notify && notice.text.ends_with("from Maria")));
    assert!(!told.is_empty());
    running.stop().await;
    world.broker.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_restart_of_either_side_the_brokers_first_word_makes_the_state_known() {
    let world = World::new().await;
    let running = world.engine().await;
    let (id, pin) = running.armed_session().await;
    world.presenter_joins(&pin).await;
    running.until(id, "it is ready", is_ready).await;
    // Killed, as far as the journal can tell: nothing is said at the end.
    running.stop().await;
    let running = world.engine().await;
    running.until(id, "it is known again", is_ready).await;
    assert_eq!(running.happened(id).await.iter().filter(|e| *e == "PresenterOnline").count(), 1);

    let world = world.restart_broker().await;
    world.presenter_joins(&pin).await;
    running.until(id, "it is known again", |s| is_ready(s) && all_armed(s)).await;
    running.stop().await;
    world.broker.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_broker_is_gone_nothing_is_claimed_that_nobody_can_know() {
    let world = World::new().await;
    let running = world.engine().await;
    let (id, pin) = running.armed_session().await;
    world.presenter_joins(&pin).await;
    running.until(id, "it is ready", is_ready).await;
    until_followed(&running, &[id]).await;
    let World { folder, broker } = world;
    broker.shutdown().await;
    let is_unknown = |s: &Snapshot| matches!(word(s), SessionStatus::Unknown { .. });
    running.until(id, "it is unknown", is_unknown).await;
    running.stop().await;
    drop(folder);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_connected_is_told_at_each_change_and_by_nobody_once_the_broker_is_gone() {
    let world = World::new().await;
    let running = world.engine().await;
    let (id, pin) = running.armed_session().await;
    let names = |s: &Snapshot| {
        let participants = s.facts.iter().flat_map(|facts| &facts.participants);
        participants.map(|one| (one.side, one.name.clone(), one.role)).collect::<Vec<_>>()
    };
    let maria = || (Side::Presenter, "Maria".to_owned(), None);
    let anna = || (Side::Viewers, "Anna".to_owned(), Some(Role::Control));
    world.presenter_joins(&pin).await;
    running.until(id, "the customer is there", |s| names(s) == [maria()]).await;
    let first = world.viewer_joins(&pin).await;
    world.viewer_joins(&pin).await;
    running.until(id, "two watch", |s| names(s) == [maria(), anna(), anna()]).await;
    world.broker.handle().page_leaves(&pin, first).await;
    running.until(id, "one watches", |s| names(s) == [maria(), anna()]).await;
    // Another program with the same PIN takes the place of the first.
    world.presenter_joins(&pin).await;
    running.until_happened(id, "SecondProgram", 1).await;
    let World { folder, broker } = world;
    broker.shutdown().await;
    running.until(id, "nobody tells it", |s| s.facts.is_none()).await;
    running.stop().await;
    drop(folder);
}

/// A small generator: the same seed gives the same run.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}

/// A session's customer and viewer, as the test made them.
struct Pages {
    id: SessionId,
    pin: Pin,
    pages: [Option<Uuid>; 2],
    ever: [bool; 2],
}

impl Pages {
    async fn toggle(&mut self, world: &World, side: Side) {
        let place = usize::from(side == Side::Viewers);
        match self.pages[place].take() {
            Some(page) => {
                world.broker.handle().page_leaves(&self.pin, page).await;
            }
            None => {
                let page = match side {
                    Side::Presenter => world.presenter_joins(&self.pin).await,
                    Side::Viewers => world.viewer_joins(&self.pin).await,
                };
                self.pages[place] = Some(page);
                self.ever[place] = true;
            }
        }
    }

    /// Whether the console has both sides as the broker does.
    fn is_stated(&self, snapshot: &Snapshot) -> bool {
        let record = &snapshot.record;
        let presenter = match record.presenter {
            Presenter::Never => (false, false),
            Presenter::Online { .. } => (true, true),
            Presenter::Offline { .. } => (false, true),
            Presenter::Unknown { .. } => return false,
        };
        let viewers = match record.viewers {
            Viewers::Never => (false, false),
            Viewers::Some { .. } => (true, true),
            Viewers::None { .. } => (false, true),
            Viewers::Unknown { .. } => return false,
        };
        let is = |place: usize| (self.pages[place].is_some(), self.ever[place]);
        presenter == is(0)
            && viewers == is(1)
            && record.observed.presenter_left.is_none()
            && record.observed.viewers_left.is_none()
    }
}

fn faults(chance: &mut Chance) -> Vec<FaultRule> {
    (0..40)
        .map(|_| {
            let fault = match chance.below(6) {
                0 | 1 => Fault::Drop,
                2 => Fault::Delay { ms: chance.below(400) },
                3 => Fault::Duplicate,
                4 => Fault::DropAnswer,
                _ => Fault::Status { code: 503 },
            };
            on_deliveries(fault, 1, Some(1))
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_becomes_of_the_webhooks_no_state_is_false_at_rest() {
    let world = World::new().await;
    let running = world.engine().await;
    let mut sessions = Vec::new();
    for _ in 0..20 {
        let (id, pin) = running.armed_session().await;
        sessions.push(Pages { id, pin, pages: [None; 2], ever: [false; 2] });
    }
    let mut chance = Chance(13);
    for _minute in 0..3 {
        world.broker.handle().faults().set(faults(&mut chance));
        for _ in 0..40 {
            let at = usize::try_from(chance.below(20)).unwrap();
            let side = if chance.below(2) == 0 { Side::Presenter } else { Side::Viewers };
            sessions[at].toggle(&world, side).await;
        }
        world.broker.handle().advance(Duration::from_secs(61)).await;
    }
    let faults: u64 = world.broker.handle().faults().counts().values().map(|one| one.faults).sum();
    assert!(faults > 20, "{faults} faults were made");
    world.broker.handle().faults().clear();
    for session in &sessions {
        running.until(session.id, "it is as the broker has it", |s| session.is_stated(s)).await;
    }
    running.stop().await;
    world.broker.shutdown().await;
}
