//! How many chat messages of each session are unread.

use std::collections::HashMap;

use engine::{Engine, SessionId, archive::Message};
use parking_lot::Mutex;

/// The number of unread messages; a session without any has no entry.
#[derive(Default)]
pub(crate) struct UnreadCounts(Mutex<HashMap<SessionId, u32>>);

impl UnreadCounts {
    pub fn get(&self, session: SessionId) -> u32 {
        self.0.lock().get(&session).copied().unwrap_or_default()
    }

    /// Counts a session's messages after the last read one, leaving out the technician's own.
    pub async fn count(&self, engine: &Engine, session: SessionId, technician: &str) {
        let mark = engine.journal().marked(&mark_name(session)).await.ok().flatten();
        let messages = match engine.archive().transcript(session).await {
            Ok(messages) => messages,
            Err(error) => return tracing::warn!(%error, "count unread messages"),
        };
        match unread(&messages, mark.as_deref(), technician) {
            0 => self.0.lock().remove(&session),
            new => self.0.lock().insert(session, new),
        };
    }
}

/// The name of the journal's mark that holds the guid of the last read message.
pub(crate) fn mark_name(session: SessionId) -> String {
    format!("read/{session}")
}

fn unread(messages: &[Message], mark: Option<&[u8]>, technician: &str) -> u32 {
    let read = mark.and_then(|mark| messages.iter().rposition(|m| m.guid.as_bytes() == mark));
    let new = messages.get(read.map_or(0, |place| place + 1)..).unwrap_or_default();
    let others = new.iter().filter(|message| message.subject != technician).count();
    u32::try_from(others).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use session::Timestamp;

    use super::*;

    #[test]
    fn unread_is_what_others_wrote_after_the_last_look() {
        let message = |guid: &str, subject: &str| Message {
            guid: guid.into(),
            at: Timestamp(0),
            subject: subject.into(),
            body: String::new(),
        };
        let chat = [message("a", "Maria"), message("b", "Anna"), message("c", "Maria")];
        assert_eq!(unread(&chat, None, "Anna"), 2);
        assert_eq!(unread(&chat, Some(b"a"), "Anna"), 1);
        assert_eq!(unread(&chat, Some(b"c"), "Anna"), 0);
        assert_eq!(unread(&[], Some(b"gone"), "Anna"), 0);
    }
}
