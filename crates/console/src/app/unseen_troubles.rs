//! Troubles that stand until a person has acknowledged them, over all starts. They are kept in the
//! journal.

use engine::{StoreError, journal::Journal};

use super::{AuditEntry, Console};
use crate::{
    present::trouble,
    view::{Code, Trouble},
};

const KEPT_AS: &str = "console/unseen-troubles";

/// The troubles that nobody has acknowledged yet, oldest first.
///
/// # Errors
/// The journal can't be read.
pub(super) async fn read(journal: &Journal) -> Result<Vec<Trouble>, StoreError> {
    let kept = match journal.marked(KEPT_AS).await {
        Ok(None) => return Ok(Vec::new()),
        Ok(Some(kept)) => kept,
        // Which they were isn't known, but that there were some.
        Err(error @ StoreError::Damaged { .. }) => return Ok(vec![unreadable(&error)]),
        Err(error) => return Err(error),
    };
    Ok(serde_json::from_slice(&kept).unwrap_or_else(|error| vec![unreadable(&error)]))
}

fn unreadable(error: &impl std::fmt::Display) -> Trouble {
    tracing::warn!(%error, "the troubles of an earlier start can't be read");
    Trouble {
        code: Code::Internal,
        text: "An earlier start found a trouble that this version can't show.".into(),
        remedy: "Look at the audit log.".into(),
    }
}

/// Has the journal keep the troubles that nobody has acknowledged yet.
///
/// # Errors
/// The journal can't be written.
pub(super) async fn keep(journal: &Journal, unseen: &[Trouble]) -> Result<(), StoreError> {
    let text = serde_json::to_vec(unseen).unwrap_or_default();
    journal.mark(KEPT_AS, (!unseen.is_empty()).then_some(text.as_slice())).await
}

impl Console {
    /// Has `trouble` stand until a person acknowledges it, and records it in the audit log; both are
    /// on the disk when this answers true. If they can't be, it stands until the console ends.
    pub(super) async fn hold_up(&self, action: &'static str, trouble: Trouble) -> bool {
        let text = format!("{} {}", trouble.text, trouble.remedy);
        let entry = AuditEntry { by: "Deskhand".into(), action, text, session: None };
        let mut unseen = self.standing.unseen();
        if !unseen.contains(&trouble) {
            unseen.push(trouble.clone());
        }
        let kept = self.keep_unseen(unseen).await;
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

    /// A person has seen the troubles that stand until then.
    ///
    /// # Errors
    /// It could not be saved, so they stand still.
    pub(crate) async fn acknowledge_troubles(&self) -> Result<(), Trouble> {
        let failed = |error| trouble::of_store(&error);
        if let Some(engine) = self.engine.get().await {
            self.confirm_clock(&engine).await.map_err(failed)?;
        }
        self.keep_unseen(Vec::new()).await.map_err(failed)?;
        // That the log lost its end was among them.
        self.audit.accept();
        Ok(())
    }

    pub(super) async fn keep_unseen(&self, unseen: Vec<Trouble>) -> Result<(), StoreError> {
        let Some(engine) = self.engine.get().await else {
            return Err(StoreError::Closed { doing: "keep a trouble until it is seen" });
        };
        keep(engine.journal(), &unseen).await?;
        self.standing.set_unseen(unseen);
        self.updates.announce();
        Ok(())
    }
}
