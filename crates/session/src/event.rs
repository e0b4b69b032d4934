//! What happened in a session, each thing once: events feed notifications, the timeline, the log, the audit
//! log and headless output.
//!
//! Events come in groups, one file each. A group's file says all that there is to say of its events: what they
//! are called, how they are told, whether they notify and whether they are audited. A stored event is a JSON
//! object whose `event` field has its name; `tests/fixtures/events.jsonl` holds one line of every event that was
//! ever stored, and all of them must stay readable.

mod chat;
mod hook;
mod life;
mod mail_event;
mod presence;
mod program_event;
mod verification_event;
mod viewing;

pub use chat::ChatEvent;
pub use hook::HookEvent;
pub use life::LifeEvent;
pub use mail_event::MailEvent;
pub use presence::PresenceEvent;
pub use program_event::ProgramEvent;
use serde::{Deserialize, Serialize};
pub use verification_event::{VerificationChange, VerificationEvent};
pub use viewing::ViewingEvent;
use wire::{HookType, Side};

use crate::Timestamp;

/// What every group says of each of its events.
pub trait EventFacts {
    /// The name under which it is stored, and by which scripts know it.
    fn name(&self) -> &'static str;

    /// How it is told to somebody who may not be looking, of the session called `session`.
    fn notice(&self, session: &str) -> Notice;

    /// Its line in the session's own log.
    fn log_line(&self, log: &LogContext<'_>) -> LogLine;

    /// What it changes in who is there, if it changes anything.
    fn presence_change(&self) -> Option<PresenceChange> {
        None
    }

    /// The side of the session that it is about, if it is about one.
    fn side(&self) -> Option<Side> {
        match self.presence_change()? {
            PresenceChange::Reported(hook) => Some(hook.side()),
            PresenceChange::UnknownSince(_) | PresenceChange::SessionOver => None,
        }
    }

    /// Whether the session's log and timeline show it.
    fn is_logged(&self) -> bool {
        true
    }

    /// Whether somebody did something, or an action had a result. False for what the console only noticed of
    /// its own knowledge, which must not bring a session to the top of a list.
    fn is_activity(&self) -> bool {
        true
    }

    /// Its text in the audit log, if it belongs there. What a person does is audited with the command that
    /// does it; this is for results that come later, by themselves.
    fn audit_text(&self) -> Option<String> {
        None
    }
}

/// An event in a sentence that names its session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// The sentence.
    pub text: String,
    /// Whether it is worth a notification (product.md, Notifications).
    pub notify: bool,
}

/// An event as the session's own log has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// The sentence.
    pub text: String,
    /// Whether it reports something that went wrong.
    pub is_failure: bool,
}

/// What an event changes in who is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PresenceChange {
    /// A hook reported that a side came or went.
    Reported(HookType),
    /// Both sides may have come or gone since then.
    UnknownSince(Timestamp),
    /// The session is over, and nobody is followed any more.
    SessionOver,
}

/// What a log line needs to know beside its event.
pub struct LogContext<'a> {
    /// Who asked for the session.
    pub created_by: &'a str,
    /// Writes a time of day as people read it.
    pub clock: &'a dyn Fn(Timestamp) -> String,
}

impl Notice {
    fn new(text: impl Into<String>, notify: bool) -> Self {
        Self { text: text.into(), notify }
    }

    /// Worth a notification.
    fn loud(text: impl Into<String>) -> Self {
        Self::new(text, true)
    }

    /// Not worth one.
    fn quiet(text: impl Into<String>) -> Self {
        Self::new(text, false)
    }
}

impl LogLine {
    fn new(text: impl Into<String>, is_failure: bool) -> Self {
        Self { text: text.into(), is_failure }
    }

    fn success(text: impl Into<String>) -> Self {
        Self::new(text, false)
    }

    fn failure(text: impl Into<String>) -> Self {
        Self::new(text, true)
    }
}

macro_rules! groups {
    ($($(#[$doc:meta])* $group:ident($event:ident),)+) => {
        /// One thing that happened in a session. No secret is in it.
        // Untagged, since each group writes the `event` field itself: the groups are invisible in the JSON,
        // which is older than they are.
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(untagged, expecting = "no event that this version knows")]
        pub enum Event {
            $($(#[$doc])* $group($event),)+
        }

        impl Event {
            /// What its group says of it.
            pub fn facts(&self) -> &dyn EventFacts {
                match self {
                    $(Self::$group(event) => event,)+
                }
            }
        }

        $(impl From<$event> for Event {
            fn from(event: $event) -> Self {
                Self::$group(event)
            }
        })+
    };
}

groups! {
    /// The session as such began, got its PIN or ended.
    Life(LifeEvent),
    /// Somebody came or went, or may have.
    Presence(PresenceEvent),
    /// A hook was lost or is armed again.
    Hook(HookEvent),
    /// An e-mail was sent or wasn't.
    Mail(MailEvent),
    /// Chat messages or the transcript arrived.
    Chat(ChatEvent),
    /// The customer's program was asked for, saved or given up.
    Program(ProgramEvent),
    /// A person was asked to prove who they are, or answered.
    Verification(VerificationEvent),
    /// Something was done about viewing the customer's screen.
    Viewing(ViewingEvent),
}
