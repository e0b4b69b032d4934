//! By what a session's presenter is known again: kept sealed, and no longer than the session's PIN.

use super::{Answer, Journal, JournalError, ledger::Ledger};
use crate::SessionId;

const KEEP: &str = "remember the key of a customer's program";

impl Journal {
    /// Keeps it, in the place of an earlier one; of a session whose secrets were erased nothing is kept.
    pub fn keep_pairing(&self, session: SessionId, kept: &[u8]) -> Answer<()> {
        let kept = kept.to_vec();
        self.writer.write(KEEP, move |ledger| ledger.keep_pairing(session, &kept))
    }

    /// What is kept of a session.
    ///
    /// # Errors
    /// A [`JournalError`].
    pub async fn pairing(&self, session: SessionId) -> Result<Option<Vec<u8>>, JournalError> {
        self.marked(&mark_of(session)).await
    }
}

impl Ledger {
    fn keep_pairing(&mut self, session: SessionId, kept: &[u8]) -> Result<(), JournalError> {
        if self.has_secrets(session)? { self.mark(&mark_of(session), Some(kept)) } else { Ok(()) }
    }

    pub(super) fn erase_pairing(&mut self, session: SessionId) -> Result<(), JournalError> {
        self.mark(&mark_of(session), None)
    }
}

fn mark_of(session: SessionId) -> String {
    format!("pairing/{session}")
}
