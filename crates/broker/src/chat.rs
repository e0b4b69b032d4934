//! Chat messages as the broker keeps and answers them.

use serde::Serialize;
use uuid::Uuid;
use wire::Pin;

/// The most messages that a session holds; more are refused.
pub(crate) const MOST_MESSAGES: usize = 2_000;

/// One message. What people wrote doesn't show in logs.
#[derive(Clone, Serialize)]
pub(crate) struct Message {
    pub guid: Uuid,
    /// When it is forgotten, seconds since 1970.
    pub ttl: u64,
    /// When it was sent, seconds since 1970.
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

/// The answer to `GET /chat`, in the service's order of fields.
#[derive(Serialize)]
pub(crate) struct Transcript<'a> {
    success: bool,
    chat: Vec<Line<'a>>,
}

#[derive(Serialize)]
struct Line<'a> {
    guid: Uuid,
    ttl: u64,
    timestamp: u64,
    session_pin: &'a str,
    subject: &'a str,
    body: &'a str,
}

impl<'a> Transcript<'a> {
    pub fn of(pin: &'a Pin, messages: impl Iterator<Item = &'a Message>) -> Self {
        let line = |message: &'a Message| Line {
            guid: message.guid,
            ttl: message.ttl,
            timestamp: message.timestamp,
            session_pin: pin.expose(),
            subject: &message.subject,
            body: &message.body,
        };
        Self { success: true, chat: messages.map(line).collect() }
    }
}
