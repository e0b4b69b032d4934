//! The broker's own word beside its webhooks: whatever becomes of those, the console's states are the broker's.

#![allow(clippy::unwrap_used)]

mod hosted;
mod plan;
mod proof;

use std::path::Path;

use deskhand_system_tests::{RunningEngine, World, all_armed};
use engine::{SessionId, Snapshot};
use serve::{Fault, FaultRule};
use session::{ChatEvent, Event, Lamp, Presenter, SessionStatus};
use wire::{Side, shared_screen::Role};

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
async fn a_webhook_is_called_lost_only_when_the_broker_has_given_it_up() {
    let world = World::new().await;
    let running = world.engine().await;
    let (tried, tried_pin) = running.armed_session().await;
    let (lost, lost_pin) = running.armed_session().await;
    until_followed(&running, &[tried, lost]).await;
    let broker = world.broker.handle();
    // The hook of the one can't be put again, so its next event has no webhook at all.
    let no_hooks = FaultRule::always("/api/v1/hook/", Fault::Status { code: 503 });
    broker.faults().set(vec![no_hooks.clone()]);
    world.presenter_joins(&lost_pin).await;
    let is_used_up = |s: &Snapshot| is_ready(s) && matches!(s.lamps[0], Lamp::Failed { .. });
    running.until(lost, "its hook is used up", is_used_up).await;
    broker.idle().await;
    // The webhook of the other one is tried again and again.
    broker.faults().set(vec![on_deliveries(Fault::Status { code: 503 }, 0, None), no_hooks]);
    world.presenter_joins(&tried_pin).await;
    running.until(tried, "it is ready", is_ready).await;
    world.presenter_joins(&lost_pin).await;
    // By then it would have been the other one's turn, which was waited for before this one.
    running.until_happened(lost, "WebhookLost", 1).await;
    assert!(!running.happened(tried).await.contains(&"WebhookLost".to_owned()));
    while broker.facts(&tried_pin).unwrap().under_way != Some([0; 4]) {
        broker.advance(std::time::Duration::from_secs(15)).await;
        broker.idle().await;
        tokio::task::yield_now().await;
    }
    running.until_happened(tried, "WebhookLost", 1).await;
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

/// Copies the files of a folder into another one.
fn copy_files(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for file in std::fs::read_dir(from).unwrap() {
        let file = file.unwrap();
        if file.file_type().unwrap().is_file() {
            std::fs::copy(file.path(), to.join(file.file_name())).unwrap();
        }
    }
}

/// How many new messages were told.
async fn messages_told(running: &RunningEngine, id: SessionId) -> u32 {
    let happened = running.engine.journal().events_of(id).await.unwrap();
    let new = happened.iter().filter_map(|record| match &record.event {
        Event::Chat(ChatEvent::ChatArrived { messages, .. }) => Some(*messages),
        _ => None,
    });
    new.sum()
}

/// The numbers of its messages come again, also those of messages that the console has.
#[tokio::test(flavor = "multi_thread")]
async fn chat_is_told_once_each_when_the_brokers_store_is_put_back_from_a_copy() {
    let world = World::new().await;
    let running = world.engine().await;
    let (id, pin) = running.armed_session().await;
    let says = async |world: &World, bodies: &[&str]| {
        let page = world.presenter_joins(&pin).await;
        for body in bodies {
            world.broker.handle().page_says(&pin, page, "Maria", body).await.unwrap();
        }
    };
    let archived = async |count: u32| {
        let mut subscription = running.engine.subscribe();
        while messages_told(&running, id).await < count {
            subscription.changed().await;
        }
        assert_eq!(messages_told(&running, id).await, count);
    };
    says(&world, &["1"]).await;
    archived(1).await;
    let copy = tempfile::tempdir().unwrap();
    let world = world.restart_broker_after(|store| copy_files(store, copy.path())).await;
    says(&world, &["2", "3", "4"]).await;
    archived(4).await;
    let world = world.restart_broker_after(|store| copy_files(copy.path(), store)).await;
    // Fewer than the console has, and then more.
    says(&world, &["5", "6"]).await;
    archived(6).await;
    let world = world.restart_broker_after(|store| copy_files(copy.path(), store)).await;
    says(&world, &["7", "8", "9", "10", "11"]).await;
    archived(11).await;
    let chat = running.engine.archive().transcript(id).await.unwrap();
    let mut bodies: Vec<u32> = chat.iter().map(|message| message.body.parse().unwrap()).collect();
    bodies.sort_unstable();
    assert_eq!(bodies, (1..=11).collect::<Vec<_>>());
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
    let World { folder, broker, .. } = world;
    broker.shutdown().await;
    let is_unknown = |s: &Snapshot| matches!(word(s), SessionStatus::Unknown { .. });
    running.until(id, "it is unknown", is_unknown).await;
    running.stop().await;
    drop(folder);
}

/// A proxy whose broker is away answers everything with this, until it is dropped.
async fn answers_404(port: u16) -> tokio::task::JoinHandle<()> {
    use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await.unwrap();
    tokio::spawn(async move {
        while let Ok((mut connection, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut request = BufReader::new(&mut connection).lines();
                while let Ok(Some(line)) = request.next_line().await {
                    if line.is_empty() {
                        break;
                    }
                }
                let answer =
                    "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
                let _ = connection.write_all(answer.as_bytes()).await;
            });
        }
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_answers_for_a_broker_that_is_away_leaves_no_state_standing() {
    let world = World::new().await;
    let running = world.engine().await;
    let (id, pin) = running.armed_session().await;
    world.presenter_joins(&pin).await;
    running.until(id, "it is ready", is_ready).await;
    until_followed(&running, &[id]).await;
    let World { folder, broker, .. } = world;
    let port = broker.addr().port();
    broker.shutdown().await;
    let proxy = answers_404(port).await;
    let is_unknown = |s: &Snapshot| matches!(word(s), SessionStatus::Unknown { .. });
    running.until(id, "it is unknown", is_unknown).await;
    running.stop().await;
    proxy.abort();
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
    let World { folder, broker, .. } = world;
    broker.shutdown().await;
    running.until(id, "nobody tells it", |s| s.facts.is_none()).await;
    running.stop().await;
    drop(folder);
}
