//! Deletes sessions that ended longer ago than the settings say.
//!
//! What a run deletes is in the audit log before it is done: one entry for each batch, with how many they are
//! and before when they ended, which says of any session whether it was among them. The entry names none:
//! the log keeps its entries for ever, and is not to be a list of what nobody wants kept.

use std::{sync::Arc, time::Duration};

use engine::{CommandError, Engine, SessionId, clock::now};
use session::Timestamp;

use super::{AuditEntry, Console, mark_name};
use crate::words;

/// How long a day is, for the setting and between two runs.
const DAY: Duration = Duration::from_secs(86_400);
/// How often it is looked whether a day has passed: a computer that sleeps counts no time.
const LOOK: Duration = Duration::from_secs(600);

/// Deletes what is old, at the start and then once a day. A change of the setting waits for that: whoever
/// typed a digit too few has time to see it.
pub(super) async fn follow(console: Arc<Console>) {
    loop {
        let started = now();
        delete_old(&console, started).await;
        while now().since(started) < DAY {
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                () = console.lifecycle.watch.stopping.cancelled() => return,
            }
        }
    }
}

/// Deletes the sessions that ended longer before `now` than the settings say.
async fn delete_old(console: &Console, now: Timestamp) {
    let days = console.settings.current().keep_sessions_days;
    if days == 0 {
        return;
    }
    let kept = i64::from(days).saturating_mul(86_400_000);
    let before = Timestamp(now.0.saturating_sub(kept));
    // For each batch anew: the settings may replace the engine meanwhile.
    while let Some(engine) = console.engine.get().await {
        match delete_batch(console, &engine, before).await {
            Ok(true) => {}
            Ok(false) => return,
            // Tried again tomorrow, or at the next start.
            Err(error) => return tracing::warn!(%error, "delete old sessions"),
        }
    }
}

/// Deletes the oldest of them; false if none is left that can be deleted.
async fn delete_batch(
    console: &Console,
    engine: &Engine,
    before: Timestamp,
) -> Result<bool, CommandError> {
    let old = engine.archive().ended_before(before).await.map_err(CommandError::Archive)?;
    let old: Vec<SessionId> = old.into_iter().filter(|id| engine.can_be_deleted(*id)).collect();
    if old.is_empty() {
        return Ok(false);
    }
    let ended = words::date_and_time(before, &console.zone);
    let number = old.len();
    let text = format!("Deletes {number} sessions that ended before {ended}, as the settings say.");
    let entry =
        AuditEntry { by: "Deskhand".into(), action: "sessions_deleted", text, session: None };
    // Nothing is deleted unseen; that the log can't be written stands as a trouble.
    if console.audit.record(entry).await.is_err() {
        return Ok(false);
    }
    for id in &old {
        if console.lifecycle.watch.stopping.is_cancelled() {
            return Ok(false);
        }
        engine.delete_by_rule(*id).await?;
    }
    engine.empty_logs().await?;
    console.forget_deleted(engine, &old).await;
    Ok(true)
}

impl Console {
    /// Forgets what the console itself knows of sessions that were deleted.
    pub(crate) async fn forget_deleted(&self, engine: &Engine, deleted: &[SessionId]) {
        for id in deleted {
            self.unread.forget(*id);
            if let Err(error) = engine.journal().mark(&mark_name(*id), None).await {
                tracing::warn!(%error, "forget up to where a deleted session was read");
            }
        }
        let shown = |on_screen: &mut Option<SessionId>| {
            let gone = on_screen.is_some_and(|id| deleted.contains(&id));
            if gone {
                *on_screen = None;
            }
            gone
        };
        self.updates.on_screen.send_if_modified(shown);
        self.updates.announce();
    }
}
