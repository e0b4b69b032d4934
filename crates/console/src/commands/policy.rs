//! The dispatcher's rules for a command: whether it may be given while the console is locked, and
//! which entry it makes in the audit log.

use engine::SessionId;

use super::parse_id;
use crate::app::AuditEntry;

/// The dispatcher's rules for a command. The command's handler may rely on them.
#[derive(Debug)]
pub(super) struct Policy {
    pub while_locked: WhileLocked,
    pub audit: AuditPolicy,
}

/// Whether a command may be given while the console is locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WhileLocked {
    Allowed,
    /// Only while nobody has a profile here: the command makes the first one, or does without.
    AllowedAtFirstStart,
    Refused,
}

/// Which entry a command makes in the audit log, and when.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum AuditPolicy {
    /// The command only reads, or the session's own record has its effect.
    Nothing,
    /// The handler records it, since the entry depends on the outcome.
    ByHandler,
    /// The act is recorded afterwards, and counts as done even if it can't be recorded.
    After(Act),
    /// The act must not happen unseen: it is recorded first, and refused if it can't be recorded.
    Before(Act),
}

/// The content of a command's audit entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Act {
    pub action: &'static str,
    pub text: String,
    pub session: Option<SessionId>,
}

impl Policy {
    pub const fn refused_while_locked(audit: AuditPolicy) -> Self {
        Self { while_locked: WhileLocked::Refused, audit }
    }

    pub const fn allowed_at_first_start(audit: AuditPolicy) -> Self {
        Self { while_locked: WhileLocked::AllowedAtFirstStart, audit }
    }

    pub const fn allowed_while_locked(audit: AuditPolicy) -> Self {
        Self { while_locked: WhileLocked::Allowed, audit }
    }
}

impl AuditPolicy {
    pub fn after(action: &'static str, text: impl Into<String>) -> Self {
        Self::After(Act { action, text: text.into(), session: None })
    }

    pub fn before(action: &'static str, text: impl Into<String>) -> Self {
        Self::Before(Act { action, text: text.into(), session: None })
    }

    /// Adds the session that the entry concerns.
    pub fn about(self, session: &str) -> Self {
        // A command with an invalid session id is refused anyway, so there is nothing to record.
        let Ok(id) = parse_id(session) else { return Self::Nothing };
        match self {
            Self::After(act) => Self::After(act.about(id)),
            Self::Before(act) => Self::Before(act.about(id)),
            Self::Nothing => Self::Nothing,
            Self::ByHandler => Self::ByHandler,
        }
    }
}

impl Act {
    fn about(self, id: SessionId) -> Self {
        Self { session: Some(id), ..self }
    }

    /// The entry for the log, with the person who gave the command.
    pub fn entry(&self, by: &str) -> AuditEntry {
        let Self { action, text, session } = self.clone();
        AuditEntry { by: by.to_owned(), action, text, session }
    }
}
