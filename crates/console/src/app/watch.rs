//! Follows the engine for the whole console: counts what was not read, learns of the service.

use std::sync::{Arc, atomic::Ordering};

use engine::{Engine, SessionId, archive::Message, journal::EventRecord};
use session::Event;
use tokio::sync::watch;

use super::{Inner, Tested, reach, side::Join, verification_audit::VerificationAudit};
use crate::view::Reach;

/// Happenings are read this many at a time.
const PAGE: u32 = 500;

/// Follows every engine of this console until it stops.
pub(super) async fn follow(inner: Arc<Inner>) {
    let mut epoch = inner.epoch.subscribe();
    let mut verifications = VerificationAudit::default();
    loop {
        follow_one(&inner, &mut epoch, &mut verifications).await;
        if inner.stopping.is_cancelled() {
            return;
        }
    }
}

async fn follow_one(
    inner: &Inner,
    epoch: &mut watch::Receiver<u64>,
    verifications: &mut VerificationAudit,
) {
    epoch.mark_unchanged();
    let subscription = inner.engine.read().await.as_ref().map(Engine::subscribe);
    let Some(mut subscription) = subscription else {
        tokio::select! {
            _ = epoch.changed() => {}
            () = inner.stopping.cancelled() => {}
        }
        return;
    };
    count_all(inner).await;
    verifications.read_on(inner).await;
    loop {
        let changes = tokio::select! {
            changes = subscription.changed() => changes,
            _ = epoch.changed() => return,
            () = inner.stopping.cancelled() => return,
        };
        if changes.happened {
            read_on(inner).await;
            verifications.read_on(inner).await;
        }
    }
}

/// Counts the unread messages of every session that goes on.
async fn count_all(inner: &Inner) {
    let guard = inner.engine.read().await;
    let Some(engine) = guard.as_ref() else { return };
    for snapshot in engine.snapshots() {
        if snapshot.record.is_live() {
            count(inner, engine, snapshot.id).await;
        }
    }
    inner.tell_change();
}

async fn read_on(inner: &Inner) {
    let guard = inner.engine.read().await;
    let Some(engine) = guard.as_ref() else { return };
    loop {
        let from = inner.newest.load(Ordering::Acquire);
        let happenings = match engine.events_after(from, PAGE).await {
            Ok(happenings) => happenings,
            Err(error) => return tracing::warn!(%error, "read what happened"),
        };
        let Some(last) = happenings.last().map(|happening| happening.seq) else { return };
        for EventRecord { session, event, .. } in &happenings {
            if let Event::Chat(chat) = event
                && chat.adds_messages()
            {
                count(inner, engine, *session).await;
                inner.tell_change();
            }
        }
        inner.newest.store(last, Ordering::Release);
    }
}

/// Counts a session's messages after the last one read, without the technician's own.
pub(crate) async fn count(inner: &Inner, engine: &Engine, session: SessionId) {
    let mark = engine.journal().marked(&mark_name(session)).await.ok().flatten();
    let technician = inner.technician();
    let messages = match engine.archive().transcript(session).await {
        Ok(messages) => messages,
        Err(error) => return tracing::warn!(%error, "count unread messages"),
    };
    let new = unread(&messages, mark.as_deref(), &technician);
    inner.side(|side| match new {
        0 => side.unread.remove(&session),
        new => side.unread.insert(session, new),
    });
}

/// Where the last message that was read is noted, by its guid.
pub(crate) fn mark_name(session: SessionId) -> String {
    format!("read/{session}")
}

fn unread(messages: &[Message], mark: Option<&[u8]>, technician: &str) -> u32 {
    let read = mark.and_then(|mark| messages.iter().rposition(|m| m.guid.as_bytes() == mark));
    let new = messages.get(read.map_or(0, |place| place + 1)..).unwrap_or_default();
    let others = new.iter().filter(|message| message.subject != technician).count();
    u32::try_from(others).unwrap_or(u32::MAX)
}

/// Asks a configured service what it has beside the nine calls, and tests the way from it to us.
pub(crate) async fn learn_of_service(inner: Arc<Inner>) {
    let learn = async {
        let (settings, epoch) = (inner.settings(), *inner.epoch.borrow());
        let client = inner.engine.read().await.as_ref().map(|engine| engine.client().clone());
        let Some(client) = client else { return };
        if let Some(base_url) = &settings.base_url
            && let Some(capabilities) = inner.capabilities(&client).await
            && let Some(path) = capabilities.join_path
            && path.starts_with('/')
            && path.contains("{pin}")
        {
            let origin = crate::settings::origin(base_url);
            let join = Join { page: format!("{origin}/"), template: format!("{origin}{path}") };
            inner.side(|side| {
                if *inner.epoch.borrow() == epoch {
                    side.join = Some(join);
                }
            });
            inner.tell_change();
        }
        let unknown = {
            let guard = inner.engine.read().await;
            let Some(engine) = guard.as_ref() else { return };
            let known = inner.side(|side| reach::known(engine, &side.tested));
            reach::has_public_url(engine) || known == Reach::Unknown
        };
        if unknown && inner.side(|side| side.tested == Tested::Not) {
            reach::test(&inner).await;
        }
    };
    tokio::select! {
        () = learn => {}
        () = inner.stopping.cancelled() => {}
    }
}

#[cfg(test)]
mod tests {
    use session::Timestamp;

    use super::*;

    #[test]
    fn unread_is_what_others_wrote_after_the_last_look() {
        let message = |guid: &str, subject: &str| Message {
            guid: guid.into(),
            at: Timestamp(0),
            subject: subject.into(),
            body: String::new(),
        };
        let chat = [message("a", "Maria"), message("b", "Anna"), message("c", "Maria")];
        assert_eq!(unread(&chat, None, "Anna"), 2);
        assert_eq!(unread(&chat, Some(b"a"), "Anna"), 1);
        assert_eq!(unread(&chat, Some(b"c"), "Anna"), 0);
        assert_eq!(unread(&[], Some(b"gone"), "Anna"), 0);
    }
}
