//! Deletes sessions that ended longer ago than the settings say.
//!
//! What a run deletes is in the audit log before it is done: one entry for each batch, with how many they are
//! and before when they ended, which says of any session whether it was among them. The entry names none:
//! the log keeps its entries for ever, and is not to be a list of what nobody wants kept.

mod clock_guard;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use engine::{
    CommandError, Engine, SessionId, StoreError, archive::Archive, clock::now, journal::Journal,
};
use jiff::tz::TimeZone;
use session::Timestamp;

use self::clock_guard::{DAY, KnownClock, Verdict, judge, longest_pause};
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
        if console.settings.current().keep_sessions_days == 0
            && let Err(error) = note_clock(&console, started).await
        {
            tracing::warn!(%error, "note what the clock says");
        }
        // A clock that is set back, too, is looked at anew.
        while now().since(started) < DAY && started.since(now()) < DAY {
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                () = console.lifecycle.watch.stopping.cancelled() => return,
            }
        }
    }
}

/// Whether it is one of those that are told here.
pub(super) fn is_told(trouble: &Trouble) -> bool {
    trouble.text.starts_with(DOING)
}

/// What was promised to be deleted and is kept is a trouble, not a line in a log that nobody reads.
fn tell(console: &Console, trouble: Option<Trouble>) {
    if let Some(trouble) = &trouble {
        tracing::warn!(text = trouble.text, "old sessions are kept");
    }
    if console.standing.replace(is_told, trouble) {
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
fn jumped(
    zone: &TimeZone,
    (from, to): (Timestamp, Timestamp),
    longest: Duration,
    is_first: bool,
) -> Trouble {
    let [from, to] = [from, to].map(|at| words::date_and_time(at, zone));
    let days = longest.as_secs() / DAY.as_secs();
    let why = if is_first {
        format!(
            "no session was started for over {days} days after {from}, so this computer's clock, now {to}, is or was \
             wrong, or nobody worked"
        )
    } else {
        format!(
            "this computer's clock says {to}, over {days} days after {from}, when Deskhand last found it plausible, so it \
             may be wrong"
        )
    };
    Trouble {
        code: Code::BadInput,
        text: format!("{DOING}{why}. Nothing is deleted."),
        remedy: "Check the date of this computer. If it is wrong, set it right. If it is right, press “I have read \
                 this”: old sessions are deleted from the next day on."
            .into(),
    }
}

/// Whether the clock may be believed. If not and something would be deleted by it, that is told.
async fn is_plausible(
    console: &Console,
    now: Timestamp,
    before: Timestamp,
    longest: Duration,
) -> Result<bool, Trouble> {
    let Some(engine) = console.engine.get().await else { return Ok(false) };
    let (journal, archive) = (engine.journal().clone(), engine.archive().clone());
    // What is told below takes it, too: held twice, it would shut out whoever replaces the engine for good.
    drop(engine);
    let known = known_clock(&journal).await.map_err(failed_store)?;
    let (from, to) = match judged(known, &archive, longest, now).await.map_err(failed_store)? {
        Verdict::Plausible(clock) => {
            keep_clock(&journal, clock).await.map_err(failed_store)?;
            console.withdraw_unseen(is_told).await.map_err(failed_store)?;
            return Ok(true);
        }
        Verdict::Jumped { from, to } => (from, to),
    };
    let old = archive.ended_before(before, now).await.map_err(failed_store)?;
    // What a person was told may be lost with the mark that keeps it: then it is told again.
    let stands = console.standing.unseen().iter().any(|unseen| is_told(&unseen.trouble));
    let is_known = stands && known.is_some_and(|known| known.jumped_to == Some(to));
    // Told before it is kept: what is kept and told nobody could not be told from what a person has read.
    if !old.is_empty() && !is_known {
        let trouble = jumped(&console.zone, (from, to), longest, known.is_none());
        if !console.hold_up("clock_jumped", trouble.clone()).await {
            return Err(trouble);
        }
        let clock = KnownClock { last: from, jumped_to: Some(to), set_back: None };
        keep_clock(&journal, clock).await.map_err(failed_store)?;
    }
    Ok(false)
}

async fn judged(
    known: Option<KnownClock>,
    archive: &Archive,
    longest: Duration,
    now: Timestamp,
) -> Result<Verdict, StoreError> {
    let pause = match known {
        Some(_) => None,
        None => archive.newest_before_pause(longest, now).await?,
    };
    Ok(judge(known, pause, longest, now))
}

/// Where nothing is to be deleted, notes all the same that the clock is plausible: turned on later, deletion begins
/// with a clock that is known.
async fn note_clock(console: &Console, now: Timestamp) -> Result<(), StoreError> {
    let Some(engine) = console.engine.get().await else { return Ok(()) };
    let (journal, archive) = (engine.journal().clone(), engine.archive().clone());
    drop(engine);
    match judged(known_clock(&journal).await?, &archive, longest_pause(0), now).await? {
        Verdict::Plausible(clock) => keep_clock(&journal, clock).await,
        Verdict::Jumped { .. } => Ok(()),
    }
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
    if !is_plausible(console, now, before, longest_pause(days)).await? {
        return Ok(());
    }
    // For each batch anew: the settings may replace the engine meanwhile.
    let mut kept = BTreeMap::new();
    while let Some(engine) = console.engine.get().await {
        let batch = delete_batch(console, &engine, before, now, &mut kept);
        if !batch.await.map_err(|error| failed(&error))? {
            break;
        }
    }
    kept.into_values().next().map_or(Ok(()), |error| Err(failed(&error)))
}

/// Deletes the oldest of them; false if none is left that can be deleted. `kept` has those that can't be, and why.
async fn delete_batch(
    console: &Console,
    engine: &Engine,
    before: Timestamp,
    now: Timestamp,
    kept: &mut BTreeMap<SessionId, CommandError>,
) -> Result<bool, CommandError> {
    let old = engine.archive().ended_before(before, now).await.map_err(CommandError::Archive)?;
    let can_go = |id: &SessionId| engine.why_not_deleted(*id).is_none() && !kept.contains_key(id);
    let old: Vec<SessionId> = old.into_iter().filter(can_go).collect();
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
    let (mut deleted, mut stopped) = (Vec::new(), Ok(true));
    for id in &old {
        if console.lifecycle.watch.stopping.is_cancelled() {
            stopped = Ok(false);
            break;
        }
        match engine.delete_by_rule(*id).await {
            Ok(()) => deleted.push(*id),
            // A damaged one keeps no other.
            Err(error @ CommandError::Archive(StoreError::Damaged { .. })) => {
                kept.insert(*id, error);
            }
            Err(error) => {
                stopped = Err(error);
                break;
            }
        }
    }
    record_kept(console, old.len() - deleted.len(), &ended).await;
    if !deleted.is_empty() {
        engine.empty_logs().await?;
        console.forget_deleted(engine, &deleted).await;
    }
    stopped
}

/// Records that of the sessions which the log says are deleted, some were not.
async fn record_kept(console: &Console, number: usize, ended: &str) {
    if number > 0 {
        let number = words::count(u32::try_from(number).unwrap_or(u32::MAX), "session", "sessions");
        let text = format!("It was not done: kept {number} that ended before {ended}.");
        let entry = AuditEntry { by: "Deskhand".into(), action: "not_done", text, session: None };
        console.audit.record_or_warn(entry).await;
    }
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
