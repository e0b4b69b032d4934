//! The audit log: who did what, and to which session.
//!
//! Entries that could not be written are counted. The failure stands as a trouble, and the next
//! entry that can be written is preceded by one with the number of missing entries.

use std::sync::Arc;

use engine::{
    SessionId, StoreError,
    archive::{self, AuditReport},
    audit_trail::AuditTrail,
    clock::now,
};

use parking_lot::Mutex;

use super::{standing_troubles::StandingTroubles, updates::Updates};
use crate::{
    present::{remedy, trouble},
    view::Trouble,
    words,
};

/// What somebody did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AuditEntry {
    /// Who did it.
    pub by: String,
    /// The kind of act, for programs: `signed_in`, `viewer_opened` and so on.
    pub action: &'static str,
    /// What was done, in a sentence. It must hold no secret.
    pub text: String,
    /// The session that the act concerned.
    pub session: Option<SessionId>,
}

/// The log that entries are written to, and how many could not be written.
pub(crate) struct AuditLog {
    writer: Mutex<Writer>,
    standing: Arc<StandingTroubles>,
    updates: Arc<Updates>,
}

struct Writer {
    /// None once the console has ended. It bypasses the engine, since a caller may hold the
    /// engine's lock.
    trail: Option<AuditTrail>,
    /// How many entries could not be written since the last one that could.
    missed: u32,
}

impl AuditLog {
    pub fn new(trail: AuditTrail, standing: Arc<StandingTroubles>, updates: Arc<Updates>) -> Self {
        let writer = Writer { trail: Some(trail), missed: 0 };
        Self { writer: Mutex::new(writer), standing, updates }
    }

    /// Sets the log that entries are written to from now on; none at the end.
    pub fn write_to(&self, trail: Option<AuditTrail>) {
        self.writer.lock().trail = trail;
    }

    /// Takes the log as it is, though it may have lost its end.
    pub fn accept(&self) {
        self.writer.lock().trail.iter().for_each(AuditTrail::accept);
    }

    /// Looks through the whole log.
    ///
    /// # Errors
    /// It can't be read, or the console is ending.
    pub async fn verify(&self) -> Result<AuditReport, Trouble> {
        let trail = self.writer.lock().trail.clone().ok_or_else(trouble::stopping)?;
        trail.verify().await.map_err(|error| trouble::of_store(&error))
    }

    /// Appends to the audit log; the entry is on disk when this returns.
    ///
    /// # Errors
    /// The entry could not be written, which also stands as a trouble. An act that must not happen
    /// unseen (an override, an export) has to be refused then; other callers may ignore the error.
    pub async fn record(&self, entry: AuditEntry) -> Result<(), Trouble> {
        // The count is taken, so that only one of two simultaneous entries reports the gap.
        let (trail, mut missed) = {
            let mut writer = self.writer.lock();
            (writer.trail.clone(), std::mem::take(&mut writer.missed))
        };
        let trail = trail.ok_or_else(trouble::stopping)?;
        let before = missed;
        let AuditEntry { by, action, text, session } = entry;
        let stored =
            archive::AuditEntry { at: now(), by, action: action.to_owned(), text, session };
        let failed = append(&trail, stored, &mut missed).await.err();
        if failed.is_none() && before == 0 {
            return Ok(());
        }
        let trouble = failed.map(|error| {
            tracing::error!(action, %error, "write the audit log");
            not_written(&error)
        });
        // Added rather than set: another entry may have failed meanwhile.
        let more = missed.saturating_add(u32::from(trouble.is_some()));
        {
            let mut writer = self.writer.lock();
            writer.missed = writer.missed.saturating_add(more);
        }
        self.standing.remove(is_not_written);
        if let Some(trouble) = &trouble {
            self.standing.add(trouble.clone());
        }
        self.updates.announce();
        trouble.map_or(Ok(()), Err)
    }

    /// Records an act that happens anyway: a full disk must neither keep a person out nor keep the
    /// console unlocked.
    pub async fn record_or_warn(&self, entry: AuditEntry) {
        if let Err(trouble) = self.record(entry).await {
            tracing::warn!(text = trouble.text, "record what was done");
        }
    }
}

/// Appends `entry`, preceded by an entry with the number of missing ones, if there are any.
async fn append(
    trail: &AuditTrail,
    entry: archive::AuditEntry,
    missed: &mut u32,
) -> Result<(), StoreError> {
    if *missed > 0 {
        let gap = archive::AuditEntry {
            at: entry.at,
            by: "Deskhand".into(),
            action: "not_noted".into(),
            text: format!(
                "Before this, {} could not be written.",
                words::count(*missed, "entry", "entries")
            ),
            session: None,
        };
        trail.append(gap).await?;
        *missed = 0;
    }
    trail.append(entry).await.map(drop)
}

/// The beginning of every trouble with the audit log.
const NOT_WRITTEN: &str = "The audit log can't be written. ";

fn not_written(error: &StoreError) -> Trouble {
    let Trouble { code, text, remedy } = trouble::new(error, remedy::of_store(error));
    Trouble { code, text: format!("{NOT_WRITTEN}{text}"), remedy }
}

fn is_not_written(trouble: &Trouble) -> bool {
    trouble.text.starts_with(NOT_WRITTEN)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{App, Options, commands::Command, reply::Reply};

    async fn app(folder: &std::path::Path) -> App {
        App::start(Options::for_a_while(folder, "a test")).await.unwrap()
    }

    async fn give(app: &App, command: serde_json::Value) -> Result<Reply, Trouble> {
        app.command(serde_json::from_value::<Command>(command).unwrap(), "Anna").await
    }

    fn standing(app: &App) -> usize {
        let all = app.console().standing.list();
        all.iter().filter(|trouble| trouble.text.starts_with(NOT_WRITTEN)).count()
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn with_a_full_disk_nothing_happens_unseen_and_what_was_missed_is_counted() {
        let folder = tempfile::tempdir().unwrap();
        let app = app(folder.path()).await;
        let archive = app.console().engine.get().await.unwrap().archive().clone();
        archive.limit_pages(Some(1)).await.unwrap();
        let filler = |length| AuditEntry {
            by: "Anna".into(),
            action: "filled",
            text: "x".repeat(length),
            session: None,
        };
        let mut filled = 0;
        // Fills the disk to its last byte: where a long entry has no room, a short one may
        // still fit.
        for length in [1_000, 1] {
            while app.console().audit.record(filler(length)).await.is_ok() {
                filled += 1;
                assert!(filled < 1_000, "the disk is never full");
            }
        }
        assert_eq!(standing(&app), 1);
        let refused = give(&app, json!({ "do": "export_audit" })).await.err().unwrap();
        assert!(refused.text.starts_with(NOT_WRITTEN), "{refused:?}");
        let guards = json!({ "do": "configure", "changes": { "verify_gate": "warn" } });
        assert!(give(&app, guards).await.is_err());
        assert_eq!(app.settings().verify_gate, crate::view::GatePolicy::Off);
        // Acts that need not be recorded first are carried out.
        let long = "x".repeat(60);
        give(&app, json!({ "do": "configure", "changes": { "company": long } })).await.unwrap();
        assert_eq!((app.settings().company, standing(&app)), (long, 1));

        archive.limit_pages(None).await.unwrap();
        give(&app, json!({ "do": "configure", "changes": { "company": "ACME" } })).await.unwrap();
        assert_eq!(standing(&app), 0);
        let newest = archive.audit_page(None, 2).await.unwrap();
        assert_eq!(newest[0].entry.action, "settings_changed");
        assert_eq!(newest[1].entry.action, "not_noted");
        assert!(newest[1].entry.text.contains("Before this, "), "{newest:?}");
        assert_eq!(archive.verify_audit().await.unwrap().broken, None);
        app.stop().await;
    }
}
