//! How many chat messages of each session are unread.

use std::collections::HashMap;

use engine::{
    Engine, SessionId,
    archive::{Message, Writer},
};
use parking_lot::Mutex;

/// The number of unread messages; a session without any has no entry.
#[derive(Default)]
pub(crate) struct UnreadCounts(Mutex<HashMap<SessionId, u32>>);

impl UnreadCounts {
    pub fn get(&self, session: SessionId) -> u32 {
        self.0.lock().get(&session).copied().unwrap_or_default()
    }

    pub fn forget(&self, session: SessionId) {
        self.0.lock().remove(&session);
    }

    /// Counts a session's messages after the last read one, leaving out those that are known to be written here.
    pub async fn count(&self, engine: &Engine, session: SessionId) {
        let mark = engine.journal().marked(&mark_name(session)).await.ok().flatten();
        let read = mark.and_then(|mark| String::from_utf8(mark).ok());
        match engine.archive().unread(session, read).await {
            Ok(0) => {
                self.0.lock().remove(&session);
            }
            Ok(new) => {
                self.0.lock().insert(session, new);
            }
            Err(error) => tracing::warn!(%error, "count unread messages"),
        }
    }

    /// A session's newest unread message, and how many are unread; none where all are read, or where that can't be
    /// looked up now.
    pub async fn newest(&self, engine: &Engine, session: SessionId) -> Option<(Message, u32)> {
        self.count(engine, session).await;
        let unread = self.get(session);
        let page = engine.archive().chat(session, None).await.ok().flatten()?;
        let is_others = |message: &Message| message.writer != Some(Writer::Console);
        let newest = page.messages.into_iter().rfind(is_others)?;
        (unread > 0).then_some((newest, unread))
    }
}

/// The name of the journal's mark that holds the guid of the last read message.
pub(crate) fn mark_name(session: SessionId) -> String {
    format!("read/{session}")
}
