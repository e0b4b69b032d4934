//! Deletes sessions that ended longer ago than the settings say.
//!
//! What a run deletes is in the audit log before it is done: one entry for each batch, with how many they are
//! and before when they ended, which says of any session whether it was among them. The entry names none:
//! the log keeps its entries for ever, and is not to be a list of what nobody wants kept.

mod clock_guard;

use std::{sync::Arc, time::Duration};

use engine::{CommandError, Engine, SessionId, StoreError, clock::now, journal::Journal};
use session::Timestamp;

use self::clock_guard::{DAY, KnownClock, LONGEST_PAUSE, Verdict, judge};
use super::{AuditEntry, Console, mark_name};
use crate::{
    present::trouble,
    view::{Code, Trouble},
    words,
};

/// What each trouble of it begins with.
const DOING: &str = "Old sessions are kept: ";

/// How often it is looked whether a day has passed: a computer that sleeps counts no time.
const LOOK: Duration = Duration::from_secs(600);

/// Under which the journal keeps what is known of the clock.
const CLOCK: &str = "console/retention-clock";

/// Deletes what is old, at the start and then once a day. A change of the setting waits for that: whoever
/// typed a digit too few has time to see it.
pub(super) async fn follow(console: Arc<Console>) {
    loop {
        let started = now();
        // Tried again tomorrow, or at the next start; until then it stands.
        tell(&console, delete_old(&console, started).await.err());
        // A clock that is set back, too, is looked at anew.
        while now().since(started) < DAY && started.since(now()) < DAY {
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                () = console.lifecycle.watch.stopping.cancelled() => return,
            }
        }
    }
}

/// What was promised to be deleted and is kept is a trouble, not a line in a log that nobody reads.
fn tell(console: &Console, trouble: Option<Trouble>) {
    if let Some(trouble) = &trouble {
        tracing::warn!(text = trouble.text, "old sessions are kept");
    }
    if console.standing.replace(|trouble| trouble.text.starts_with(DOING), trouble) {
        console.updates.announce();
    }
}

fn failed(error: &CommandError) -> Trouble {
    let trouble = trouble::of_command(error);
    Trouble { text: format!("{DOING}{}", trouble.text), ..trouble }
}

fn failed_store(error: StoreError) -> Trouble {
    failed(&CommandError::Archive(error))
}

/// It stands until a person has read it, and until then nothing is deleted.
fn jumped(console: &Console, from: Timestamp, to: Timestamp) -> Trouble {
    let [from, to] = [from, to].map(|at| words::date_and_time(at, &console.zone));
    Trouble {
        code: Code::BadInput,
        text: format!(
            "{DOING}this computer's clock says {to}, but Deskhand was last in use {from}, so the clock may be wrong. \
             Nothing is deleted."
        ),
        remedy: "Check the date of this computer. If it is wrong, set it right. If it is right, press “I \
                 have read this”: old sessions are deleted from the next day on."
            .into(),
    }
}

/// Whether the clock may be believed. If not and something would be deleted by it, that is told.
async fn is_plausible(
    console: &Console,
    now: Timestamp,
    before: Timestamp,
) -> Result<bool, Trouble> {
    let Some(engine) = console.engine.get().await else { return Ok(false) };
    let (journal, archive) = (engine.journal().clone(), engine.archive().clone());
    // What is told below takes it, too: held twice, it would shut out whoever replaces the engine for good.
    drop(engine);
    let known = known_clock(&journal).await.map_err(failed_store)?;
    let pause = match known {
        Some(_) => None,
        None => archive.newest_before_pause(LONGEST_PAUSE, now).await.map_err(failed_store)?,
    };
    let (from, to) = match judge(known, pause, now) {
        Verdict::Plausible(clock) => {
            keep_clock(&journal, clock).await.map_err(failed_store)?;
            console.withdraw_jump().await.map_err(failed_store)?;
            return Ok(true);
        }
        Verdict::Jumped { from, to } => (from, to),
    };
    let would_go = !archive.ended_before(before).await.map_err(failed_store)?.is_empty();
    let is_told = known.is_some_and(|known| known.jumped_to == Some(to));
    // Told before it is kept: what is kept and told nobody could not be told from what a person has read.
    if would_go && !is_told {
        let trouble = jumped(console, from, to);
        if !console.hold_up("clock_jumped", trouble.clone()).await {
            return Err(trouble);
        }
        let clock = KnownClock { last: from, jumped_to: Some(to), set_back: None };
        keep_clock(&journal, clock).await.map_err(failed_store)?;
    }
    Ok(false)
}

async fn known_clock(journal: &Journal) -> Result<Option<KnownClock>, StoreError> {
    let kept = journal.marked(CLOCK).await?;
    Ok(kept.and_then(|kept| serde_json::from_slice(&kept).ok()))
}

async fn keep_clock(journal: &Journal, clock: KnownClock) -> Result<(), StoreError> {
    journal.mark(CLOCK, serde_json::to_vec(&clock).ok().as_deref()).await
}

/// Deletes the sessions that ended longer before `now` than the settings say.
async fn delete_old(console: &Console, now: Timestamp) -> Result<(), Trouble> {
    let days = console.settings.current().keep_sessions_days;
    if days == 0 {
        return Ok(());
    }
    let kept = i64::from(days).saturating_mul(86_400_000);
    let before = Timestamp(now.0.saturating_sub(kept));
    if !is_plausible(console, now, before).await? {
        return Ok(());
    }
    // For each batch anew: the settings may replace the engine meanwhile.
    while let Some(engine) = console.engine.get().await {
        if !delete_batch(console, &engine, before).await.map_err(|error| failed(&error))? {
            break;
        }
    }
    Ok(())
}

/// Deletes the oldest of them; false if none is left that can be deleted.
async fn delete_batch(
    console: &Console,
    engine: &Engine,
    before: Timestamp,
) -> Result<bool, CommandError> {
    let old = engine.archive().ended_before(before).await.map_err(CommandError::Archive)?;
    let old: Vec<SessionId> =
        old.into_iter().filter(|id| engine.why_not_deleted(*id).is_none()).collect();
    if old.is_empty() {
        return Ok(false);
    }
    let ended = words::date_and_time(before, &console.zone);
    let number = match old.len() {
        1 => "1 session".to_owned(),
        more => format!("{more} sessions"),
    };
    let text = format!(
        "Deletes {number} that ended, or were started and never closed, before {ended}, as the settings say."
    );
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
    /// A person has read that the clock jumped, if it did: it counts as right.
    ///
    /// # Errors
    /// The journal can't be read or written.
    pub(super) async fn confirm_clock(&self, engine: &Engine) -> Result<(), StoreError> {
        match known_clock(engine.journal()).await? {
            Some(clock) if clock.jumped_to.is_some() => {
                keep_clock(engine.journal(), clock.confirmed()).await
            }
            Some(_) | None => Ok(()),
        }
    }

    /// The clock is plausible again, so nobody need read that it was not.
    async fn withdraw_jump(&self) -> Result<(), StoreError> {
        let unseen = self.standing.unseen();
        let (over, left): (Vec<_>, _) =
            unseen.into_iter().partition(|trouble| trouble.text.starts_with(DOING));
        if over.is_empty() { Ok(()) } else { self.keep_unseen(left).await }
    }

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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{App, Options, commands::Command, reply::Reply};

    /// Long enough for a loaded machine; only a failing test waits so long.
    const PATIENCE: Duration = Duration::from_secs(60);

    async fn ask(app: &App, command: serde_json::Value) -> Reply {
        let command: Command = serde_json::from_value(command).unwrap();
        app.command(command, "Anna").await.unwrap_or_else(|trouble| panic!("{trouble:?}"))
    }

    fn stands(console: &Console) -> bool {
        console.standing.list().iter().any(|trouble| trouble.text.starts_with(DOING))
    }

    #[test]
    fn a_run_that_failed_says_why_and_what_to_do() {
        let trouble = failed(&CommandError::Archive(engine::StoreError::DiskFull {
            doing: "delete a session",
        }));
        assert!(trouble.text.starts_with(DOING) && !trouble.remedy.is_empty(), "{trouble:?}");
    }

    async fn session(app: &App) -> SessionId {
        let Reply::Session { id } = ask(app, json!({ "do": "new_session" })).await else {
            panic!("no session was made")
        };
        id.parse().unwrap()
    }

    /// Waits until the session can be deleted, and the archive has that it is closed.
    async fn archived(engine: &Engine, id: SessionId) {
        let mut changes = engine.subscribe();
        let is_there = async || {
            let summary = engine.archive().summary(id).await.unwrap();
            let closed = summary.is_some_and(|summary| summary.closed_at.is_some());
            closed && engine.why_not_deleted(id).is_none()
        };
        let wait = async {
            while !is_there().await {
                // The archive itself tells nobody.
                let _ = tokio::time::timeout(Duration::from_millis(20), changes.changed()).await;
            }
        };
        tokio::time::timeout(PATIENCE, wait).await.unwrap();
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_ended_longer_ago_than_the_settings_say_is_deleted_and_counted_in_the_log() {
        let folder = tempfile::tempdir().unwrap();
        let app = App::start(Options::for_a_while(folder.path(), "a test")).await.unwrap();
        let console = app.console();
        let (old, other, live) = (session(&app).await, session(&app).await, session(&app).await);
        let engine = console.engine.get().await.unwrap();
        for id in [old, other] {
            ask(&app, json!({ "do": "close", "session": id.to_string(), "outcome": "resolved" }))
                .await;
            archived(&engine, id).await;
        }
        let kept = async || {
            let all = engine.archive().all_sessions().await.unwrap();
            all.iter().filter(|listed| [old, other].contains(&listed.summary.session)).count()
        };
        let later = |days: u64| now().plus(Duration::from_secs(days * 86_400));
        delete_old(console, later(10_000)).await.unwrap();
        assert_eq!(kept().await, 2, "without the setting, all are kept for ever");
        ask(&app, json!({ "do": "configure", "changes": { "keep_sessions_days": 30 } })).await;
        delete_old(console, later(29)).await.unwrap();
        assert_eq!(kept().await, 2, "they are not old enough");
        delete_old(console, later(3 * 365)).await.unwrap();
        assert!(stands(console), "that nothing is deleted is a trouble");
        assert_eq!(kept().await, 2, "the clock must be wrong");
        delete_old(console, later(31)).await.unwrap();
        assert!(!stands(console), "it was put right");
        assert_eq!(kept().await, 0);
        assert!(engine.snapshot(live).is_some() && engine.snapshot(old).is_none());
        assert!(engine.archive().summary(live).await.unwrap().is_some());
        let entries = engine.archive().audit_page(None, 50).await.unwrap();
        let texts = entries.iter().filter(|link| link.entry.action == "sessions_deleted");
        let texts: Vec<_> = texts.map(|link| link.entry.text.as_str()).collect();
        assert_eq!(texts.len(), 1, "{texts:?}");
        assert!(texts[0].starts_with("Deletes 2 sessions that ended, or were "), "{texts:?}");
        drop(engine);
        app.stop().await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_clock_years_ahead_deletes_nothing_before_a_person_has_read_it() {
        let folder = tempfile::tempdir().unwrap();
        let app = App::start(Options::for_a_while(folder.path(), "a test")).await.unwrap();
        let console = app.console();
        let engine = console.engine.get().await.unwrap();
        let later = |days: u64| now().plus(Duration::from_secs(days * 86_400));
        ask(&app, json!({ "do": "configure", "changes": { "keep_sessions_days": 30 } })).await;
        let old = session(&app).await;
        ask(&app, json!({ "do": "close", "session": old.to_string(), "outcome": "resolved" }))
            .await;
        archived(&engine, old).await;
        let is_kept = async || engine.archive().summary(old).await.unwrap().is_some();
        let unseen = || {
            let mut all = console.standing.unseen();
            all.retain(|trouble| trouble.text.starts_with(DOING));
            all
        };
        // The first run ever, and each further start with such a clock.
        let ahead = later(3 * 365);
        for _ in 0..3 {
            delete_old(console, ahead).await.unwrap();
            assert!(is_kept().await);
            assert_eq!(unseen().len(), 1, "{:?}", unseen());
        }
        let text = &unseen()[0].text;
        assert!(text.contains("the clock may be wrong") && text.contains("in use"), "{text}");
        ask(&app, json!({ "do": "acknowledge_troubles" })).await;
        assert!(!stands(console) && is_kept().await);
        delete_old(console, ahead.plus(DAY)).await.unwrap();
        assert!(!is_kept().await, "it is right after all");
        // It is believed once, not for ever, and a clock that is set back deletes nothing.
        assert_eq!(known_clock(engine.journal()).await.unwrap().unwrap().last, ahead.plus(DAY));
        drop(engine);
        app.stop().await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn where_nothing_would_be_deleted_no_clock_is_a_trouble() {
        let folder = tempfile::tempdir().unwrap();
        let app = App::start(Options::for_a_while(folder.path(), "a test")).await.unwrap();
        let console = app.console();
        ask(&app, json!({ "do": "configure", "changes": { "keep_sessions_days": 30 } })).await;
        for at in [now(), Timestamp(i64::MAX), Timestamp(0), Timestamp(i64::MIN)] {
            delete_old(console, at).await.unwrap();
            assert!(!stands(console), "{at:?}");
        }
        app.stop().await;
    }
}
