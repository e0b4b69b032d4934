//! Events of the chat and its transcript.

use serde::{Deserialize, Serialize};

use super::{EventFacts, LogContext, LogLine, Notice};
use crate::{
    Failure,
    text::{count, plain_name},
};

/// Chat messages or the transcript arrived.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, strum::IntoStaticStr)]
#[serde(rename_all = "snake_case", tag = "event")]
#[strum(serialize_all = "snake_case")]
pub enum ChatEvent {
    /// New chat messages were archived.
    ChatArrived {
        /// How many are new.
        messages: u32,
        /// The name that the sender of the newest one gave, unless it is known to be written here.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<String>,
    },
    /// The transcript is in the archive.
    TranscriptSaved {
        /// How many messages it has.
        messages: u32,
    },
    /// The transcript is not saved yet; it is tried again.
    TranscriptFailed {
        /// Why it is not saved.
        failure: Failure,
    },
}

impl ChatEvent {
    /// Whether the archive may have more messages than before it.
    pub const fn adds_messages(&self) -> bool {
        match self {
            Self::ChatArrived { .. } | Self::TranscriptSaved { .. } => true,
            Self::TranscriptFailed { .. } => false,
        }
    }
}

impl EventFacts for ChatEvent {
    fn name(&self) -> &'static str {
        self.into()
    }

    fn notice(&self, session: &str) -> Notice {
        match self {
            Self::ChatArrived { messages, from: None } => Notice::quiet(format!(
                "{session}: {}",
                count(*messages, "new message", "new messages")
            )),
            Self::ChatArrived { messages, from: Some(from) } => Notice::loud(format!(
                "{session}: {} from {}",
                count(*messages, "new message", "new messages"),
                sender(from)
            )),
            // A transcript without messages is no news.
            Self::TranscriptSaved { messages } => Notice::new(
                format!(
                    "Transcript of {session}'s session saved ({})",
                    count(*messages, "message", "messages")
                ),
                *messages > 0,
            ),
            Self::TranscriptFailed { .. } => {
                Notice::loud("Transcript not saved yet; it is tried again")
            }
        }
    }

    fn brings_messages(&self) -> bool {
        match self {
            Self::ChatArrived { .. } => true,
            Self::TranscriptSaved { .. } | Self::TranscriptFailed { .. } => false,
        }
    }

    fn log_line(&self, _: &LogContext<'_>) -> LogLine {
        match self {
            Self::ChatArrived { messages, .. } => {
                LogLine::success(count(*messages, "chat message", "chat messages"))
            }
            Self::TranscriptSaved { messages } => LogLine::success(format!(
                "Transcript saved ({})",
                count(*messages, "message", "messages")
            )),
            Self::TranscriptFailed { failure } => LogLine::failure(format!(
                "Transcript not saved yet ({}); it is tried again",
                failure.reason()
            )),
        }
    }

    // The messages themselves are shown instead.
    fn is_logged(&self) -> bool {
        match self {
            Self::ChatArrived { .. } => false,
            Self::TranscriptSaved { .. } | Self::TranscriptFailed { .. } => true,
        }
    }
}

/// A sender's name as people read it: untrusted, and it may be empty.
fn sender(name: &str) -> String {
    let name = plain_name(name);
    if name.is_empty() { "somebody without a name".to_owned() } else { name }
}
