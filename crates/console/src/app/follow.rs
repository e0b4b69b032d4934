//! Follows the engine for the whole console: counts unread messages, and learns about the service.

use std::{sync::Arc, time::Duration};

use engine::{Engine, SessionId, journal::EventRecord, remote::Capabilities};
use session::Event;
use tokio::sync::watch;

use super::{Console, engine_slot::JoinAddress, verification_audit::VerificationAudit};

/// How many events are read at a time.
const PAGE: u32 = 500;
/// Between two looks at what the service can do, while it has told nothing.
const LEARN_AGAIN: Duration = Duration::from_secs(5);

/// Follows every engine of this console until it stops.
pub(super) async fn follow(console: Arc<Console>) {
    let mut generation = console.engine.generations();
    let mut verifications = VerificationAudit::default();
    loop {
        follow_one(&console, &mut generation, &mut verifications).await;
        if console.lifecycle.watch.stopping.is_cancelled() {
            return;
        }
    }
}

async fn follow_one(
    console: &Console,
    generation: &mut watch::Receiver<u64>,
    verifications: &mut VerificationAudit,
) {
    generation.mark_unchanged();
    let subscription = console.engine.get().await.map(|engine| engine.subscribe());
    let Some(mut subscription) = subscription else {
        tokio::select! {
            _ = generation.changed() => {}
            () = console.lifecycle.watch.stopping.cancelled() => {}
        }
        return;
    };
    count_all(console).await;
    verifications.read_on(&console.engine, &console.audit).await;
    loop {
        let changes = tokio::select! {
            changes = subscription.changed() => changes,
            _ = generation.changed() => return,
            () = console.lifecycle.watch.stopping.cancelled() => return,
        };
        count_again(console, changes.snapshots.iter().map(|snapshot| snapshot.id)).await;
        if changes.happened {
            read_on(console).await;
            verifications.read_on(&console.engine, &console.audit).await;
        }
    }
}

/// Counts the unread messages of every live session.
async fn count_all(console: &Console) {
    let Some(engine) = console.engine.get().await else { return };
    for snapshot in engine.snapshots() {
        if snapshot.record.is_live() {
            count(console, &engine, snapshot.id).await;
        }
    }
    console.updates.announce();
}

/// Counts what is unread anew: who wrote a message may be told only after the message itself.
async fn count_again(console: &Console, changed: impl Iterator<Item = SessionId>) {
    let Some(engine) = console.engine.get().await else { return };
    for session in changed {
        let before = console.unread.get(session);
        if before > 0 {
            count(console, &engine, session).await;
            if console.unread.get(session) != before {
                console.updates.announce();
            }
        }
    }
}

async fn read_on(console: &Console) {
    let Some(engine) = console.engine.get().await else { return };
    loop {
        let from = console.updates.newest();
        let happenings = match engine.journal().events_after(from, PAGE).await {
            Ok(happenings) => happenings,
            Err(error) => return tracing::warn!(%error, "read what happened"),
        };
        let Some(last) = happenings.last().map(|happening| happening.seq) else { return };
        for EventRecord { session, event, .. } in &happenings {
            if let Event::Chat(chat) = event
                && chat.adds_messages()
            {
                count(console, &engine, *session).await;
                console.updates.announce();
            }
        }
        console.updates.set_newest(last);
    }
}

async fn count(console: &Console, engine: &Engine, session: SessionId) {
    console.unread.count(engine, session).await;
}

/// Asks a configured service for its capabilities beyond the nine calls, until it has told some: at first it may be away,
/// or a proxy answers for it.
pub(crate) async fn learn_of_service(console: Arc<Console>) {
    tokio::select! {
        () = learn(&console) => {}
        () = console.lifecycle.watch.stopping.cancelled() => {}
    }
}

async fn learn(console: &Console) {
    let slot = &console.engine;
    let mut generations = slot.generations();
    let generation = *generations.borrow_and_update();
    let Some(base_url) = console.settings.current().base_url.clone() else { return };
    let mut told = None;
    loop {
        let Some(client) = slot.client().await else { return };
        let able = slot.capabilities(&client).await;
        if able != told {
            let join = able.as_ref().and_then(|able| join_address(&base_url, able));
            if !slot.learned(generation, |known| known.join = join) {
                return;
            }
            console.updates.announce();
        }
        if able.as_ref().is_some_and(|able| *able != Capabilities::default()) {
            return;
        }
        told = able;
        tokio::select! {
            () = tokio::time::sleep(LEARN_AGAIN) => {}
            _ = generations.changed() => return,
        }
    }
}

/// Where customers join, if the service has a page for them.
fn join_address(base_url: &str, able: &Capabilities) -> Option<JoinAddress> {
    let path = able.join_path.as_ref()?;
    if !path.starts_with('/') || !path.contains("{pin}") {
        return None;
    }
    let origin = crate::settings::origin(base_url);
    Some(JoinAddress { page: format!("{origin}/"), template: format!("{origin}{path}") })
}
