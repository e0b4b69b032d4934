//! Transcripts: each message once by its guid, as its sender wrote it.

use rusqlite::{Connection, Row};
use rusqlite_migration::M;
use serde::{Deserialize, Serialize};
use session::Timestamp;
use store::fault;
use wire::loginwithme::ChatMessage;

use super::{
    Archive, ArchiveError, READ,
    doc::{self, Kind},
    search::{self, IndexedText},
};
use crate::SessionId;

pub(super) const TABLE: M<'static> = M::up(
    "CREATE TABLE messages(
         doc INTEGER PRIMARY KEY, session BLOB NOT NULL, guid TEXT NOT NULL,
         timestamp INTEGER NOT NULL, subject TEXT NOT NULL, body TEXT NOT NULL,
         UNIQUE(session, guid));",
);

const SAVE: &str = "archive the transcript";

/// The result of saving messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Saved {
    /// Messages that the archive didn't have.
    pub new: u32,
    /// Messages of the session that it has now.
    pub total: u32,
    /// The guids of those that it didn't have, oldest first.
    pub guids: Vec<String>,
}

/// An archived message. Its name and text are untrusted.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Its identity.
    pub guid: String,
    /// When it was sent; the service gives full seconds.
    pub at: Timestamp,
    /// The sender's self-chosen name.
    pub subject: String,
    /// The text.
    pub body: String,
}

impl std::fmt::Debug for Message {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Chat texts are private and stay out of logs.
        f.debug_struct("Message").field("guid", &self.guid).finish_non_exhaustive()
    }
}

impl Archive {
    /// Archives messages, each once by its guid, all in one transaction.
    ///
    /// # Errors
    /// An [`ArchiveError`]; none of them is archived then.
    pub async fn save_messages(
        &self,
        session: SessionId,
        messages: Vec<ChatMessage>,
    ) -> Result<Saved, ArchiveError> {
        self.write("archive the transcript", move |tx| save(tx, session, messages)).await
    }

    /// A session's messages in the order of their sending.
    pub async fn transcript(&self, session: SessionId) -> Result<Vec<Message>, ArchiveError> {
        self.read(move |c| of_session(c, session)).await
    }
}

pub(super) fn save(
    connection: &Connection,
    session: SessionId,
    mut messages: Vec<ChatMessage>,
) -> Result<Saved, ArchiveError> {
    // The index grows best in its own order.
    messages.sort_by_key(|message| message.timestamp);
    let mut guids = Vec::new();
    for message in messages {
        if save_one(connection, session, &message)? {
            guids.push(message.guid);
        }
    }
    let sql = "SELECT count(*) FROM messages WHERE session = ?1";
    let total = connection
        .prepare_cached(sql)
        .and_then(|mut statement| statement.query_row([session.as_bytes()], |row| row.get(0)))
        .map_err(fault(SAVE))?;
    let new = u32::try_from(guids.len()).unwrap_or(u32::MAX);
    Ok(Saved { new, total, guids })
}

fn save_one(
    connection: &Connection,
    session: SessionId,
    message: &ChatMessage,
) -> Result<bool, ArchiveError> {
    let seconds = i64::try_from(message.timestamp).unwrap_or(i64::MAX);
    let sql = "SELECT 1 FROM messages WHERE session = ?1 AND guid = ?2";
    let known = connection
        .prepare_cached(sql)
        .and_then(|mut statement| statement.exists((session.as_bytes(), &message.guid)))
        .map_err(fault(SAVE))?;
    if known {
        return Ok(false);
    }
    let doc = doc::next(connection, Kind::Message, seconds.saturating_mul(1000), SAVE)?;
    let sql = "INSERT INTO messages(doc, session, guid, timestamp, subject, body)
         VALUES(?1, ?2, ?3, ?4, ?5, ?6)";
    let ChatMessage { guid, subject, body, .. } = message;
    connection
        .prepare_cached(sql)
        .and_then(|mut insert| {
            insert.execute((doc, session.as_bytes(), guid, seconds, subject, body))
        })
        .map_err(fault(SAVE))?;
    search::put(connection, doc, &IndexedText { subject, ticket: "", text: body })?;
    Ok(true)
}

pub(super) fn of_session(
    connection: &Connection,
    session: SessionId,
) -> Result<Vec<Message>, ArchiveError> {
    let sql = "SELECT guid, timestamp, subject, body FROM messages WHERE session = ?1 ORDER BY doc";
    let mut statement = connection.prepare_cached(sql).map_err(fault(READ))?;
    let rows = statement.query_map([session.as_bytes()], read).map_err(fault(READ))?;
    rows.collect::<Result<_, _>>().map_err(fault(READ))
}

fn read(row: &Row<'_>) -> rusqlite::Result<Message> {
    let at = Timestamp(row.get::<_, i64>(1)?.saturating_mul(1000));
    Ok(Message { guid: row.get(0)?, at, subject: row.get(2)?, body: row.get(3)? })
}

#[cfg(test)]
pub(super) fn sample(guid: &str, timestamp: u64, subject: &str, body: &str) -> ChatMessage {
    ChatMessage { guid: guid.into(), ttl: 0, timestamp, subject: subject.into(), body: body.into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::in_memory;

    const ONE: SessionId = SessionId::from_bytes([1; 16]);
    const TWO: SessionId = SessionId::from_bytes([2; 16]);

    fn counts(saved: Saved) -> (u32, u32) {
        (saved.new, saved.total)
    }

    #[test]
    fn each_message_is_there_once_however_often_it_is_fetched() {
        let connection = in_memory();
        let chat = vec![sample("a", 5, "Maria", "hello"), sample("b", 6, "Tess", "hi")];
        let saved = save(&connection, ONE, chat.clone()).unwrap();
        assert_eq!((saved.new, saved.total, saved.guids), (2, 2, vec!["a".into(), "b".into()]));
        let more = [chat.clone(), chat, vec![sample("c", 7, "Maria", "bye")]].concat();
        assert_eq!(counts(save(&connection, ONE, more.clone()).unwrap()), (1, 3));
        assert_eq!(counts(save(&connection, ONE, more).unwrap()), (0, 3));
        // A guid is an identity within its session only.
        let other = vec![sample("a", 5, "Eve", "hello")];
        assert_eq!(counts(save(&connection, TWO, other).unwrap()), (1, 1));
    }

    #[test]
    fn a_transcript_is_in_the_order_of_sending_and_word_for_word() {
        let connection = in_memory();
        let odd = "<b>\u{202e}\0 'quoted' 😀";
        let chat = vec![
            sample("late", 9, "x", odd),
            sample("first of a second", 5, "x", ""),
            sample("second of a second", 5, "x", ""),
            sample("absurd", u64::MAX, "x", ""),
        ];
        save(&connection, ONE, chat).unwrap();
        let transcript = of_session(&connection, ONE).unwrap();
        let guids: Vec<_> = transcript.iter().map(|message| message.guid.as_str()).collect();
        assert_eq!(guids, ["first of a second", "second of a second", "late", "absurd"]);
        assert_eq!((transcript[2].body.as_str(), transcript[2].at), (odd, Timestamp(9_000)));
    }
}
