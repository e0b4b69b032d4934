//! The chat of one session: messages that are kept for a day.

use serde::Serialize;
use serve::Millis;
use uuid::Uuid;

/// How many messages a session holds; more are refused.
const MOST_MESSAGES: usize = 2_000;

/// One message. What people wrote doesn't show in logs.
#[derive(Clone, Serialize)]
pub(crate) struct Message {
    pub guid: Uuid,
    /// When it expires, in seconds since 1970. The hosted service gives this moment the name `ttl`.
    pub ttl: u64,
    /// When it was sent, in seconds since 1970.
    pub timestamp: u64,
    /// The sender's self-chosen name.
    pub subject: String,
    pub body: String,
}

impl std::fmt::Debug for Message {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Message").field("guid", &self.guid).finish_non_exhaustive()
    }
}

/// The messages of one session, oldest first.
#[derive(Debug, Default)]
pub(crate) struct ChatLog(Vec<Message>);

impl ChatLog {
    pub fn add(&mut self, message: Message) {
        self.0.push(message);
    }

    pub const fn is_full(&self) -> bool {
        self.0.len() >= MOST_MESSAGES
    }

    /// The messages that can still be fetched.
    pub fn current(&self, now: Millis) -> impl Iterator<Item = &Message> {
        self.0.iter().filter(move |message| message.ttl > now.seconds())
    }

    pub fn forget_old(&mut self, now: Millis) {
        self.0.retain(|message| message.ttl > now.seconds());
    }
}
