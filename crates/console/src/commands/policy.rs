//! What the dispatcher must know of a command: whether it may be given while the console is locked, and what of it
//! goes into the audit log.

use engine::SessionId;

use super::parse_id;
use crate::app::AuditEntry;

/// What the dispatcher must know of a command. The handler of a command may rely on it.
#[derive(Debug)]
pub(super) struct Policy {
    pub while_locked: WhileLocked,
    pub audit: AuditPolicy,
}

/// Whether a command may be given while the console is locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WhileLocked {
    Allowed,
    /// Only as long as nobody has a profile here: the command makes the first one, or does without.
    AllowedAtFirstStart,
    Refused,
}

/// What of a command is recorded in the audit log, and when.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum AuditPolicy {
    /// Nothing: the command only reads, or what it does is in the session's own record.
    Nothing,
    /// The handler records it, since the entry depends on the outcome.
    ByHandler,
    /// It is recorded once it is done, and done even if it can't be recorded.
    After(Act),
    /// It must not happen unseen: it is recorded first, and refused if it can't be recorded.
    Before(Act),
}

/// What an audit entry says of a command.
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

    /// Adds the session that the entry is about.
    pub fn about(self, session: &str) -> Self {
        // A command whose session's id can't be one is refused anyway, so there is nothing to record.
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

    /// The entry for the log, with who gave the command.
    pub fn entry(&self, by: &str) -> AuditEntry {
        let Self { action, text, session } = self.clone();
        AuditEntry { by: by.to_owned(), action, text, session }
    }
}
