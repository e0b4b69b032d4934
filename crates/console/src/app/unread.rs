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
        let unread = self.of(engine, session, technician).await.len();
        match u32::try_from(unread).unwrap_or(u32::MAX) {
            0 => self.0.lock().remove(&session),
            new => self.0.lock().insert(session, new),
        };
    }

    /// A session's messages after the last read one, without the technician's own; none if they can't be read now.
    pub async fn of(&self, engine: &Engine, session: SessionId, technician: &str) -> Vec<Message> {
        let mark = engine.journal().marked(&mark_name(session)).await.ok().flatten();
        match engine.archive().transcript(session).await {
            Ok(messages) => unread(messages, mark.as_deref(), technician),
            Err(error) => {
                tracing::warn!(%error, "look for unread messages");
                Vec::new()
            }
        }
    }
}

/// The name of the journal's mark that holds the guid of the last read message.
pub(crate) fn mark_name(session: SessionId) -> String {
    format!("read/{session}")
}

fn unread(mut messages: Vec<Message>, mark: Option<&[u8]>, technician: &str) -> Vec<Message> {
    let read = mark.and_then(|mark| messages.iter().rposition(|m| m.guid.as_bytes() == mark));
    messages.drain(..read.map_or(0, |place| place + 1));
    messages.retain(|message| message.subject != technician);
    messages
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
        let found = |mark: Option<&[u8]>| -> Vec<String> {
            let left = unread(chat.to_vec(), mark, "Anna");
            left.into_iter().map(|message| message.guid).collect()
        };
        assert_eq!(found(None), ["a", "c"]);
        assert_eq!(found(Some(b"a")), ["c"]);
        assert_eq!(found(Some(b"c")), [""; 0]);
        assert_eq!(
            found(Some(b"gone")),
            ["a", "c"],
            "what was read last is gone: nothing is known to be read"
        );
    }
}
