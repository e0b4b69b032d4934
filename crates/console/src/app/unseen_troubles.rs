//! Troubles that stand until a person has acknowledged them, over all starts. They are kept in the
//! journal.

#[cfg(test)]
mod tests;

use engine::{StoreError, journal::Journal};
use uuid::Uuid;

use super::{AuditEntry, Console, lost_data, retention, standing_troubles::Unseen};
use crate::{
    present::trouble,
    view::{Code, Trouble},
};

const KEPT_AS: &str = "console/unseen-troubles";
const ACKNOWLEDGE: &str = "acknowledge the troubles";

/// The troubles that nobody has acknowledged yet, oldest first.
///
/// # Errors
/// The journal can't be read.
pub(super) async fn read(journal: &Journal) -> Result<Vec<Unseen>, StoreError> {
    let kept = match journal.marked(KEPT_AS).await {
        Ok(None) => return Ok(Vec::new()),
        Ok(Some(kept)) => kept,
        // Which they were isn't known, but that there were some.
        Err(error @ StoreError::Damaged { .. }) => return Ok(vec![unreadable(&error)]),
        Err(error) => return Err(error),
    };
    Ok(serde_json::from_slice(&kept).unwrap_or_else(|error| vec![unreadable(&error)]))
}

fn unreadable(error: &impl std::fmt::Display) -> Unseen {
    tracing::warn!(%error, "the troubles of an earlier start can't be read");
    Unseen::new(Trouble {
        code: Code::Internal,
        text: "An earlier start found a trouble that this version can't show.".into(),
        remedy: "Look at the audit log.".into(),
    })
}

/// Has the journal keep the troubles that nobody has acknowledged yet.
///
/// # Errors
/// The journal can't be written.
pub(super) async fn keep(journal: &Journal, unseen: &[Unseen]) -> Result<(), StoreError> {
    let text = serde_json::to_vec(unseen).unwrap_or_default();
    journal.mark(KEPT_AS, (!unseen.is_empty()).then_some(text.as_slice())).await
}

impl Console {
    /// Has `trouble` stand until a person acknowledges it, and records it in the audit log; both are
    /// on the disk when this answers true. If they can't be, it stands until the console ends.
    pub(super) async fn hold_up(&self, action: &'static str, trouble: Trouble) -> bool {
        let text = format!("{} {}", trouble.text, trouble.remedy);
        let entry = AuditEntry { by: "Deskhand".into(), action, text, session: None };
        let kept = self.add_unseen(trouble.clone()).await;
        let recorded = self.audit.record(entry).await;
        match (kept, recorded) {
            (Ok(()), Ok(())) => true,
            (kept, _) => {
                if let Err(error) = kept {
                    tracing::error!(%error, text = trouble.text, "keep a trouble until it is seen");
                    self.standing.add(trouble);
                    self.updates.announce();
                }
                false
            }
        }
    }

    async fn add_unseen(&self, trouble: Trouble) -> Result<(), StoreError> {
        let _changing = self.standing.changing.lock().await;
        let mut unseen = self.standing.unseen();
        if !unseen.iter().any(|known| known.trouble == trouble) {
            unseen.push(Unseen::new(trouble));
        }
        self.keep_unseen(unseen).await
    }

    /// A person has read the troubles with these ids, as the console's view has them.
    ///
    /// # Errors
    /// None is named, or one that doesn't stand, or it could not be saved: then all of them stand still.
    pub(crate) async fn acknowledge_troubles(
        &self,
        ids: &[String],
        by: &str,
    ) -> Result<(), Trouble> {
        let _changing = self.standing.changing.lock().await;
        let unseen = self.standing.unseen();
        let named = named(ids, &unseen)?;
        let (seen, left): (Vec<_>, Vec<_>) =
            unseen.into_iter().partition(|unseen| named.contains(&unseen.id));
        let failed = |error| trouble::of_store(&error);
        let seen: Vec<Trouble> = seen.into_iter().map(|unseen| unseen.trouble).collect();
        if seen.iter().any(retention::is_told)
            && let Some(engine) = self.engine.get().await
        {
            self.confirm_clock(&engine).await.map_err(failed)?;
        }
        self.keep_unseen(left).await.map_err(failed)?;
        if seen.iter().any(lost_data::says_log_is_cut) {
            self.audit.accept();
        }
        let texts: Vec<&str> = seen.iter().map(|trouble| trouble.text.as_str()).collect();
        let text = format!("Has read: {}", texts.join(" "));
        let action = "troubles_acknowledged";
        let entry = AuditEntry { by: by.to_owned(), action, text, session: None };
        // It counts as done; that the log can't be written stands as a trouble.
        let _ = self.audit.record(entry).await;
        Ok(())
    }

    /// Withdraws those that are over, so that nobody need read them any more.
    pub(super) async fn withdraw_unseen(
        &self,
        is_over: impl Fn(&Trouble) -> bool,
    ) -> Result<(), StoreError> {
        let _changing = self.standing.changing.lock().await;
        let (over, left): (Vec<_>, Vec<_>) =
            self.standing.unseen().into_iter().partition(|unseen| is_over(&unseen.trouble));
        if over.is_empty() { Ok(()) } else { self.keep_unseen(left).await }
    }

    async fn keep_unseen(&self, unseen: Vec<Unseen>) -> Result<(), StoreError> {
        let Some(engine) = self.engine.get().await else {
            return Err(StoreError::Closed { doing: "keep a trouble until it is seen" });
        };
        keep(engine.journal(), &unseen).await?;
        self.standing.set_unseen(unseen);
        self.updates.announce();
        Ok(())
    }
}

/// The ids of those that are named, all of which stand.
fn named(ids: &[String], unseen: &[Unseen]) -> Result<Vec<Uuid>, Trouble> {
    if ids.is_empty() {
        return Err(trouble::bad_input(
            &format!("{ACKNOWLEDGE}: none is named, so nobody can have read it"),
            "name in `troubles` the `id` of each that was read, as `console` has it",
        ));
    }
    let stands = |id: &String| {
        let id = id.parse().ok().filter(|id| unseen.iter().any(|unseen| unseen.id == *id));
        id.ok_or_else(|| {
            trouble::bad_input(
                &format!("{ACKNOWLEDGE}: one that is named doesn't stand, or goes by itself"),
                "it may be over, or acknowledged already: see which stand now",
            )
        })
    };
    ids.iter().map(stands).collect()
}
