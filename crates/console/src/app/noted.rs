//! What goes into the audit log: who did what, and to which session.
//!
//! What could not be written is not forgotten: it stands as a trouble, and the next entry that can be
//! written says how many there were.

use engine::{
    SessionId, StoreError,
    archive::{Archive, AuditEntry},
    clock::now,
};

use super::Inner;
use crate::{
    present::trouble,
    view::{Code, Trouble},
};

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Noted {
    /// Who did it.
    pub by: String,
    /// What, for programs: `signed_in`, `viewer_opened` and so on.
    pub action: &'static str,
    /// What, in a sentence. No secret.
    pub text: String,
    /// The session that it was about.
    pub session: Option<SessionId>,
}

/// Where it is written, and how much wasn't.
#[derive(Default)]
pub(crate) struct Log {
    /// None before the start and after the end. Its own way to the archive: whoever notes something may
    /// hold the engine.
    archive: Option<Archive>,
    /// Entries that could not be written since the last that could.
    missed: u32,
}

impl Log {
    /// Writes to `archive` from now on; to none at the end.
    pub fn write_to(&mut self, archive: Option<&Archive>) {
        self.archive = archive.cloned();
    }
}

impl Inner {
    /// Appends to the audit log; it is on disk when this returns.
    ///
    /// # Errors
    /// It could not be written, which stands as a trouble then. What must not happen unseen (an
    /// override, an export) is refused; for the rest the answer may be let go.
    pub(crate) async fn note(&self, noted: Noted) -> Result<(), Trouble> {
        let (archive, mut missed) =
            self.side(|side| (side.log.archive.clone(), std::mem::take(&mut side.log.missed)));
        let archive = archive.ok_or_else(trouble::stopping)?;
        let before = missed;
        let Noted { by, action, text, session } = noted;
        let deed = AuditEntry { at: now(), by, action: action.to_owned(), text, session };
        let failed = append(&archive, deed, &mut missed).await.err();
        if failed.is_none() && before == 0 {
            return Ok(());
        }
        let trouble = failed.map(|error| {
            tracing::error!(action, %error, "write the audit log");
            not_noted(&error)
        });
        self.side(|side| {
            let more = missed.saturating_add(u32::from(trouble.is_some()));
            side.log.missed = side.log.missed.saturating_add(more);
            side.standing.retain(|trouble| !is_not_noted(trouble));
            side.standing.extend(trouble.clone());
        });
        self.tell_change();
        trouble.map_or(Ok(()), Err)
    }
}

/// Appends `deed`, and before it how many were missed, which are none then.
async fn append(archive: &Archive, deed: AuditEntry, missed: &mut u32) -> Result<(), StoreError> {
    if *missed > 0 {
        let gap = AuditEntry {
            at: deed.at,
            by: "Deskhand".into(),
            action: "not_noted".into(),
            text: format!(
                "Before this, {missed} of what was done or asked for could not be written."
            ),
            session: None,
        };
        archive.append_audit(gap).await?;
        *missed = 0;
    }
    archive.append_audit(deed).await.map(drop)
}

/// What a trouble with the audit log begins with.
const NOT_NOTED: &str = "The audit log is not written. ";

fn not_noted(error: &StoreError) -> Trouble {
    let Trouble { code, text, remedy } = trouble::from_text(
        trouble::store_code(error).unwrap_or(Code::TryAgain),
        &error.to_string(),
    );
    Trouble { code, text: format!("{NOT_NOTED}{text}"), remedy }
}

fn is_not_noted(trouble: &Trouble) -> bool {
    trouble.text.starts_with(NOT_NOTED)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use engine::desktop::Headless;
    use serde_json::json;

    use super::*;
    use crate::{App, Options, SettingsSource, app::NoPages, command::Reply};

    async fn app(folder: &std::path::Path) -> App {
        let options = Options {
            data: folder.join("data"),
            settings: SettingsSource::nowhere(),
            desktop: Arc::new(Headless),
            program: "a test",
            passphrase: None,
            use_keyring: false,
            broker_control: false,
            unattended: false,
            from_seq: None,
            pages: Arc::new(NoPages),
            in_the_browser: std::time::Duration::from_secs(60),
            forget_profiles: false,
        };
        App::start(options).await.unwrap()
    }

    async fn give(app: &App, command: serde_json::Value) -> Result<Reply, Trouble> {
        app.command(serde_json::from_value(command).unwrap(), "Anna").await
    }

    fn standing(app: &App) -> usize {
        app.inner().side(|side| side.standing.iter().filter(|t| is_not_noted(t)).count())
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn with_a_full_disk_nothing_happens_unseen_and_what_was_missed_is_counted() {
        let folder = tempfile::tempdir().unwrap();
        let app = app(folder.path()).await;
        let archive = app.inner().side(|side| side.log.archive.clone()).unwrap();
        archive.limit_pages(Some(1)).await.unwrap();
        let filler = |length| Noted {
            by: "Anna".into(),
            action: "filled",
            text: "x".repeat(length),
            session: None,
        };
        let mut filled = 0;
        // To the last byte: where a long entry has no room, a short one may have some.
        for length in [1_000, 1] {
            while app.inner().note(filler(length)).await.is_ok() {
                filled += 1;
                assert!(filled < 1_000, "the disk is never full");
            }
        }
        assert_eq!(standing(&app), 1);
        let refused = give(&app, json!({ "do": "export_audit" })).await.err().unwrap();
        assert!(refused.text.starts_with(NOT_NOTED), "{refused:?}");
        let guards = json!({ "do": "configure", "changes": { "verify_gate": "warn" } });
        assert!(give(&app, guards).await.is_err());
        assert_eq!(app.settings().verify_gate, crate::view::GatePolicy::Off);
        // What need not be noted first is done.
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
