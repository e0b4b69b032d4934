//! The audit log together with its anchor: the newest entry's place and hash, kept in the journal, by
//! which a log that lost its end is noticed.
//!
//! The anchor follows each entry, so after a crash it may be behind, never ahead.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use store::StoreError;

use crate::{
    archive::{Archive, AuditAnchor, AuditEntry, AuditLink, AuditReport},
    journal::Journal,
};

const ANCHOR: &str = "archive/audit-anchor";

/// The audit log and its anchor. Clones are the same one.
#[derive(Clone)]
pub struct AuditTrail {
    archive: Archive,
    journal: Journal,
    /// Whether the log has the anchor's entry. If not, the anchor stays where it is, so that each check
    /// finds the loss, until somebody accepts it.
    holds: Arc<AtomicBool>,
}

impl AuditTrail {
    /// Looks whether the log still has the newest entry that is known to have been written.
    ///
    /// # Errors
    /// Archive or journal can't be read.
    pub async fn open(archive: Archive, journal: Journal) -> Result<Self, StoreError> {
        let trail = Self { archive, journal, holds: Arc::new(AtomicBool::new(true)) };
        let anchor = match trail.anchor().await {
            // Which entry must be there isn't known any more: nobody can say that none is missing.
            Err(StoreError::Damaged { .. }) => {
                trail.holds.store(false, Ordering::Relaxed);
                return Ok(trail);
            }
            anchor => anchor?,
        };
        if let Some(anchor) = anchor {
            let holds = match trail.archive.audit_hash(anchor.seq).await {
                Ok(found) => found == Some(anchor.hash),
                // A damaged page of the log must not cost the rest of the archive.
                Err(StoreError::Damaged { .. }) => false,
                Err(error) => return Err(error),
            };
            trail.holds.store(holds, Ordering::Relaxed);
        }
        Ok(trail)
    }

    /// Whether the log had the newest known entry when it was opened, or its loss was accepted.
    pub fn holds(&self) -> bool {
        self.holds.load(Ordering::Relaxed)
    }

    /// Takes the log as it is from now on.
    pub fn accept(&self) {
        self.holds.store(true, Ordering::Relaxed);
    }

    /// Appends an entry; it is on disk when this returns.
    ///
    /// # Errors
    /// Nothing is appended then.
    pub async fn append(&self, entry: AuditEntry) -> Result<AuditLink, StoreError> {
        let link = self.archive.append_audit(entry).await?;
        if self.holds() {
            let anchor = AuditAnchor { seq: link.seq, hash: link.hash };
            // Not waited for: it goes with the journal's next group, and may be behind.
            drop(self.journal.mark(ANCHOR, Some(&anchor.to_bytes())));
        }
        Ok(link)
    }

    /// Looks through the whole log, up to the first broken link or to the end that it must have.
    ///
    /// # Errors
    /// Archive or journal can't be read. A broken link is no error: the report names it.
    pub async fn verify(&self) -> Result<AuditReport, StoreError> {
        // The anchor of the newest entry may be on its way. If it can't be written, the one before counts.
        let _ = self.journal.flush().await;
        // Read first, so that an entry appended meanwhile is not missed.
        let anchor = self.anchor().await?;
        self.archive.verify_audit_to(anchor).await
    }

    async fn anchor(&self) -> Result<Option<AuditAnchor>, StoreError> {
        let kept = self.journal.marked(ANCHOR).await?;
        Ok(kept.and_then(|kept| AuditAnchor::from_bytes(&kept)))
    }
}
