//! The events of a session, each recorded once: they feed notifications, the timeline, the log, the
//! audit log and headless output.
//!
//! Events come in groups, one file each. A group's file defines everything about its events: their
//! names and texts, and whether they notify and are audited. A stored event is a JSON object whose
//! `event` field has its name; `tests/fixtures/events.jsonl` holds one line of every event that was
//! ever stored, and all of them must stay readable.

mod arrival;
mod chat;
mod hook;
mod life;
mod mail_event;
mod presence;
mod program_event;
mod verification_event;
mod viewing;

pub use arrival::ArrivalEvent;
pub use chat::ChatEvent;
pub use hook::HookEvent;
pub use life::LifeEvent;
pub use mail_event::MailEvent;
pub use presence::{Overtaken, PresenceEvent};
pub use program_event::ProgramEvent;
use serde::{Deserialize, Serialize};
pub use verification_event::{VerificationChange, VerificationEvent};
pub use viewing::ViewingEvent;
use wire::{HookType, Side};

use crate::{Timestamp, time::same_time};

/// The facts that every group defines for each of its events.
pub trait EventFacts {
    /// The name under which it is stored, and by which scripts know it.
    fn name(&self) -> &'static str;

    /// Its text for somebody who may be looking elsewhere; it names the session `session`.
    fn notice(&self, session: &str) -> Notice;

    /// Its line in the session's own log.
    fn log_line(&self, log: &LogContext<'_>) -> LogLine;

    /// Its change of the presence, if any.
    fn presence_change(&self) -> Option<PresenceChange> {
        None
    }

    /// The hook whose event it is, if it is one's.
    fn hook(&self) -> Option<HookType> {
        None
    }

    /// Whether something newer of its side was told before it: then it says what was so, and not what is.
    fn overtaken(&self) -> Option<Overtaken> {
        None
    }

    /// When whoever went offline was last connected, where that is known.
    fn left(&self) -> Option<Timestamp> {
        None
    }

    /// The side of the session that it is about, if it is about one.
    fn side(&self) -> Option<Side> {
        match self.presence_change()? {
            PresenceChange::Reported(hook) => Some(hook.side()),
            PresenceChange::UnknownSince(_)
            | PresenceChange::Known { .. }
            | PresenceChange::SessionOver => None,
        }
    }

    /// Whether the session's log and timeline show it.
    fn is_logged(&self) -> bool {
        true
    }

    /// Whether somebody did something, or an action had a result. False for changes that only the
    /// console noticed, which must not bring a session to the top of a list.
    fn is_activity(&self) -> bool {
        true
    }

    /// Whether it says that messages of the chat have arrived.
    fn brings_messages(&self) -> bool {
        false
    }

    /// Its text in the audit log, if it belongs there. A person's actions are audited with their
    /// commands; this is for results that come later.
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

/// An event's change of the presence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PresenceChange {
    /// A hook reported that a side came or went.
    Reported(HookType),
    /// Both sides may have come or gone since then.
    UnknownSince(Timestamp),
    /// Both sides are known again after they were not: whether each is there.
    Known {
        /// Whether the presenter is online.
        presenter: bool,
        /// Whether a viewer is present.
        viewers: bool,
    },
    /// The session is over, and presence is no longer tracked.
    SessionOver,
}

/// The context that a log line needs beside its event.
pub struct LogContext<'a> {
    /// Who asked for the session.
    pub created_by: &'a str,
    /// The time that stands beside the line.
    pub at: Timestamp,
    /// Writes a time of day as people read it.
    pub clock: &'a dyn Fn(Timestamp) -> String,
}

impl LogContext<'_> {
    /// ` at 14:00`, unless the line's own time is the same for a reader: within seconds of it, or written alike.
    fn at_another_time(&self, word: &str, at: Timestamp) -> String {
        let clock = (self.clock)(at);
        let is_same = same_time(self.at, at) == self.at || clock == (self.clock)(self.at);
        if is_same { String::new() } else { format!(" {word} {clock}") }
    }
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
        // Untagged, since each group writes the `event` field itself: the groups are invisible in
        // the JSON, which is older than they are.
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(untagged, expecting = "no event that this version knows")]
        pub enum Event {
            $($(#[$doc])* $group($event),)+
        }

        impl Event {
            /// The facts that its group defines for it.
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
    /// The customer came a step further on their way to the program.
    Arrival(ArrivalEvent),
    /// Somebody came or went, or may have.
    Presence(PresenceEvent),
    /// A hook was lost or is armed again.
    Hook(HookEvent),
    /// An e-mail went further on its way, or didn't.
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
