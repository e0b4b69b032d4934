//! The chat of one session: messages that are kept for a day.

use std::sync::Arc;

use serde::Serialize;
use serve::Millis;
use uuid::Uuid;
use wire::{Side, session_events::NumberedMessage};

/// How many messages a session holds, and how many bytes of what people wrote; more are refused.
const MOST_MESSAGES: usize = 2_000;
const MOST_BYTES: usize = 512 * 1024;

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
    /// Its place in the session's chat, from 1 on.
    #[serde(skip)]
    pub number: u64,
    /// The side that wrote it; unknown for messages of earlier versions.
    #[serde(skip)]
    pub side: Option<Side>,
    /// Whether the session's own console wrote it, or a viewer window of it.
    #[serde(skip)]
    pub by_console: bool,
}

impl std::fmt::Debug for Message {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Message").field("guid", &self.guid).finish_non_exhaustive()
    }
}

/// Who writes a message, by what they have shown. A name proves nothing: anybody may take any.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Author {
    pub side: Side,
    /// They have the key with which the session was minted.
    pub is_console: bool,
}

/// The messages of one session, oldest first.
#[derive(Debug, Default)]
pub(crate) struct ChatLog {
    /// Shared with whoever reads them: all are taken at once, and nobody may wait for that.
    messages: Vec<Arc<Message>>,
    /// Of all that was written in them.
    bytes: usize,
    /// The number of the last message, also if that is forgotten by now.
    last: u64,
    /// The number of the last message that is on disk. A later one may be lost yet, and its number given again.
    saved: u64,
}

impl ChatLog {
    /// Continues a chat whose last message had this number.
    pub fn continue_after(&mut self, last: u64) {
        self.last = self.last.max(last);
        self.saved = self.last;
    }

    /// A message that was stored.
    pub fn restore(&mut self, message: Message) {
        self.continue_after(message.number);
        self.push(message);
    }

    /// A message that isn't saved yet, and has the next number.
    pub fn add(&mut self, message: Message) {
        self.last = message.number;
        self.push(message);
    }

    fn push(&mut self, message: Message) {
        self.bytes += message.written();
        self.messages.push(Arc::new(message));
    }

    /// The number of the next message.
    pub const fn next_number(&self) -> u64 {
        self.last + 1
    }

    /// The messages up to this one are on disk.
    pub fn mark_saved(&mut self, number: u64) {
        self.saved = self.saved.max(number);
    }

    /// The number of the last message that is on disk.
    pub const fn last_saved(&self) -> u64 {
        self.saved
    }

    pub const fn is_full(&self) -> bool {
        self.messages.len() >= MOST_MESSAGES || self.bytes >= MOST_BYTES
    }

    /// The messages that can still be fetched.
    pub fn current(&self, now: Millis) -> impl Iterator<Item = &Arc<Message>> {
        self.messages.iter().filter(move |message| message.ttl > now.seconds())
    }

    /// From which number on a console has to be sent messages that has them up to this one. A number that isn't this
    /// message's own any more, as after the store was put back from a copy, says nothing: the console tells what it
    /// has already by the messages' ids.
    pub fn position(&self, number: u64, guid: Option<&str>) -> u64 {
        let Some(guid) = guid else { return number.min(self.saved) };
        let mut known = self.messages.iter().filter(|one| one.number == number);
        if known.any(|one| one.guid.to_string() == guid) { number } else { 0 }
    }

    /// At most `most` messages that are on disk and come after the one with this number.
    pub fn after(&self, number: u64, most: usize, now: Millis) -> Vec<NumberedMessage> {
        let new = self.current(now).filter(|one| one.number > number && one.number <= self.saved);
        new.take(most).map(|one| one.numbered()).collect()
    }

    /// When the last message can't be fetched any more; `None` if there is none.
    pub fn last_ends(&self) -> Option<Millis> {
        let ends = self.messages.iter().map(|message| message.ttl).max()?;
        Some(Millis(i64::try_from(ends.saturating_mul(1_000)).unwrap_or(i64::MAX)))
    }

    /// Forgets all messages; the next one has the next number all the same.
    pub fn empty(&mut self) {
        self.messages.clear();
        self.bytes = 0;
    }

    pub fn forget_old(&mut self, now: Millis) {
        self.messages.retain(|message| message.ttl > now.seconds());
        self.bytes = self.messages.iter().map(|message| message.written()).sum();
    }
}

impl Message {
    /// How many bytes people wrote.
    const fn written(&self) -> usize {
        self.subject.len() + self.body.len()
    }

    fn numbered(&self) -> NumberedMessage {
        NumberedMessage {
            number: self.number,
            guid: self.guid.to_string(),
            timestamp: self.timestamp,
            subject: self.subject.clone(),
            body: self.body.clone(),
            side: self.side,
            by_console: self.by_console,
        }
    }
}

/// A message as the pages of a session get it: who wrote it, beside what the service's own call says.
#[derive(Serialize)]
pub(super) struct ShownMessage<'a> {
    #[serde(flatten)]
    message: &'a Message,
    /// Nothing for messages of earlier versions.
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<Writer>,
}

/// Who wrote a message, by what they have shown.
#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
enum Writer {
    Customer,
    /// They have the key with which the session was minted.
    Technician,
    Viewer,
}

impl<'a> ShownMessage<'a> {
    pub fn new(message: &'a Message) -> Self {
        let by = match message.side {
            _ if message.by_console => Some(Writer::Technician),
            Some(Side::Presenter) => Some(Writer::Customer),
            Some(Side::Viewers) => Some(Writer::Viewer),
            None => None,
        };
        Self { message, by }
    }
}

#[cfg(test)]
#[path = "chat_test.rs"]
mod tests;
