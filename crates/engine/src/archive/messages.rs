//! Transcripts: each message once by its guid, as its sender wrote it.

use rusqlite::{Connection, OptionalExtension as _, Row};
use rusqlite_migration::M;
use serde::{Deserialize, Serialize};
use session::Timestamp;
use store::fault;
use wire::loginwithme::ChatMessage;

use super::{
    Archive, ArchiveError, PAGE, READ,
    doc::{self, Kind},
    search,
};
use crate::SessionId;

pub(super) const TABLE: M<'static> = M::up(
    "CREATE TABLE messages(
         doc INTEGER PRIMARY KEY, session BLOB NOT NULL, guid TEXT NOT NULL,
         timestamp INTEGER NOT NULL, subject TEXT NOT NULL, body TEXT NOT NULL,
         UNIQUE(session, guid));",
);

/// Those of the customer's side, where the service tells. A customer may give themselves the technician's name...
pub(super) const SIDES: M<'static> =
    M::up("ALTER TABLE messages ADD COLUMN by_customer INTEGER NOT NULL DEFAULT 0;");

/// ...so those of the console's own are told apart by more than that.
pub(super) const OWN: M<'static> =
    M::up("ALTER TABLE messages ADD COLUMN by_console INTEGER NOT NULL DEFAULT 0;");

const SAVE: &str = "archive the transcript";

/// Who is known to have written a message, whatever its sender's name is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Writer {
    /// The customer's side.
    Customer,
    /// This console, or a viewer window of it.
    Console,
}

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
    /// Who wrote it; none where that isn't known.
    pub writer: Option<Writer>,
}

impl std::fmt::Debug for Message {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Chat texts are private and stay out of logs.
        f.debug_struct("Message").field("guid", &self.guid).finish_non_exhaustive()
    }
}

/// A page of a session's messages, in the order of their sending.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChatPage {
    pub messages: Vec<Message>,
    /// How many messages the session has before these.
    pub earlier: u32,
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
        self.save_chat(session, of_unknown_writer(messages)).await
    }

    /// As [`Self::save_messages`], each with who wrote it where that is known. A message that is archived already gets
    /// its writer where that has been told only now.
    ///
    /// # Errors
    /// An [`ArchiveError`]; none of them is archived then.
    pub async fn save_chat(
        &self,
        session: SessionId,
        messages: Vec<(ChatMessage, Option<Writer>)>,
    ) -> Result<Saved, ArchiveError> {
        self.write(SAVE, move |tx| save_chat(tx, session, messages)).await
    }

    /// The page of a session's messages that ends before the one with the guid `before`, or at the
    /// chat's end; none if the session has no such message.
    pub async fn chat(
        &self,
        session: SessionId,
        before: Option<String>,
    ) -> Result<Option<ChatPage>, ArchiveError> {
        self.read(move |c| match before {
            None => newest(c, session).map(Some),
            Some(guid) => doc_of(c, session, &guid)?.map(|doc| page(c, session, doc)).transpose(),
        })
        .await
    }

    /// How many messages a session has after the one with the guid `read` that aren't known to be the console's own.
    /// None or an unknown guid: of all.
    pub async fn unread(
        &self,
        session: SessionId,
        read: Option<String>,
    ) -> Result<u32, ArchiveError> {
        self.read(move |c| unread(c, session, read.as_deref())).await
    }

    /// A session's messages in the order of their sending.
    pub async fn transcript(&self, session: SessionId) -> Result<Vec<Message>, ArchiveError> {
        self.read(move |c| of_session(c, session)).await
    }
}

fn of_unknown_writer(messages: Vec<ChatMessage>) -> Vec<(ChatMessage, Option<Writer>)> {
    messages.into_iter().map(|message| (message, None)).collect()
}

fn save_chat(
    connection: &Connection,
    session: SessionId,
    mut messages: Vec<(ChatMessage, Option<Writer>)>,
) -> Result<Saved, ArchiveError> {
    // The index grows best in its own order.
    messages.sort_by_key(|(message, _)| message.timestamp);
    let mut guids = Vec::new();
    for (message, writer) in messages {
        if save_one(connection, session, &message, writer)? {
            guids.push(message.guid);
        }
    }
    let new = u32::try_from(guids.len()).unwrap_or(u32::MAX);
    Ok(Saved { new, total: count(connection, session)?, guids })
}

/// How many messages of a session there are.
pub(super) fn count(connection: &Connection, session: SessionId) -> Result<u32, ArchiveError> {
    connection
        .prepare_cached("SELECT count(*) FROM messages WHERE session = ?1")
        .and_then(|mut statement| statement.query_row([session.as_bytes()], |row| row.get(0)))
        .map_err(fault(READ))
}

fn save_one(
    connection: &Connection,
    session: SessionId,
    message: &ChatMessage,
    writer: Option<Writer>,
) -> Result<bool, ArchiveError> {
    let seconds = i64::try_from(message.timestamp).unwrap_or(i64::MAX);
    let (by_customer, by_console) =
        (writer == Some(Writer::Customer), writer == Some(Writer::Console));
    let sql = "SELECT 1 FROM messages WHERE session = ?1 AND guid = ?2";
    let known = connection
        .prepare_cached(sql)
        .and_then(|mut statement| statement.exists((session.as_bytes(), &message.guid)))
        .map_err(fault(SAVE))?;
    if known {
        if writer.is_some() {
            let sql = "UPDATE messages SET by_customer = ?3, by_console = ?4
                 WHERE session = ?1 AND guid = ?2 AND NOT (by_customer OR by_console)";
            let row = (session.as_bytes(), &message.guid, by_customer, by_console);
            connection
                .prepare_cached(sql)
                .and_then(|mut update| update.execute(row))
                .map_err(fault(SAVE))?;
        }
        return Ok(false);
    }
    let doc = doc::next(connection, Kind::Message, seconds.saturating_mul(1000), SAVE)?;
    let sql = "INSERT INTO messages(doc, session, guid, timestamp, subject, body, by_customer, by_console)
         VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    let ChatMessage { guid, subject, body, .. } = message;
    let id = session.as_bytes();
    let row = (doc, id, guid, seconds, subject, body, by_customer, by_console);
    connection
        .prepare_cached(sql)
        .and_then(|mut insert| insert.execute(row))
        .map_err(fault(SAVE))?;
    search::put(connection, doc)?;
    Ok(true)
}

pub(super) fn of_session(
    connection: &Connection,
    session: SessionId,
) -> Result<Vec<Message>, ArchiveError> {
    let sql = "SELECT guid, timestamp, subject, body, by_customer, by_console FROM messages
         WHERE session = ?1 ORDER BY doc";
    let mut statement = connection.prepare_cached(sql).map_err(fault(READ))?;
    let rows = statement.query_map([session.as_bytes()], read).map_err(fault(READ))?;
    rows.collect::<Result<_, _>>().map_err(fault(READ))
}

/// The newest page of a session's messages.
pub(super) fn newest(
    connection: &Connection,
    session: SessionId,
) -> Result<ChatPage, ArchiveError> {
    page(connection, session, i64::MAX)
}

fn page(
    connection: &Connection,
    session: SessionId,
    before: i64,
) -> Result<ChatPage, ArchiveError> {
    // The numbers are picked from an index, so that no text is read that isn't on the page.
    let sql = "SELECT guid, timestamp, subject, body, by_customer, by_console FROM messages WHERE doc IN (
             SELECT doc FROM messages WHERE session = ?1 AND doc < ?2 ORDER BY doc DESC LIMIT ?3
         ) ORDER BY doc";
    let mut statement = connection.prepare_cached(sql).map_err(fault(READ))?;
    let rows =
        statement.query_map((session.as_bytes(), before, PAGE), read).map_err(fault(READ))?;
    let messages: Vec<_> = rows.collect::<Result<_, _>>().map_err(fault(READ))?;
    let sql = "SELECT count(*) FROM messages WHERE session = ?1 AND doc < ?2";
    let up_to: u32 = connection
        .prepare_cached(sql)
        .and_then(|mut statement| {
            statement.query_row((session.as_bytes(), before), |row| row.get(0))
        })
        .map_err(fault(READ))?;
    let on_page = u32::try_from(messages.len()).unwrap_or(u32::MAX);
    Ok(ChatPage { messages, earlier: up_to.saturating_sub(on_page) })
}

fn unread(
    connection: &Connection,
    session: SessionId,
    read: Option<&str>,
) -> Result<u32, ArchiveError> {
    let read = read.map(|guid| doc_of(connection, session, guid)).transpose()?.flatten();
    let sql = "SELECT count(*) FROM messages WHERE session = ?1 AND doc > ?2 AND NOT by_console";
    connection
        .prepare_cached(sql)
        .and_then(|mut statement| {
            statement.query_row((session.as_bytes(), read.unwrap_or(-1)), |row| row.get(0))
        })
        .map_err(fault(READ))
}

fn doc_of(
    connection: &Connection,
    session: SessionId,
    guid: &str,
) -> Result<Option<i64>, ArchiveError> {
    let sql = "SELECT doc FROM messages WHERE session = ?1 AND guid = ?2";
    connection
        .prepare_cached(sql)
        .and_then(|mut statement| {
            statement.query_row((session.as_bytes(), guid), |row| row.get(0)).optional()
        })
        .map_err(fault(READ))
}

fn read(row: &Row<'_>) -> rusqlite::Result<Message> {
    let at = Timestamp(row.get::<_, i64>(1)?.saturating_mul(1000));
    let writer = match (row.get(4)?, row.get(5)?) {
        (true, _) => Some(Writer::Customer),
        (false, true) => Some(Writer::Console),
        (false, false) => None,
    };
    Ok(Message { guid: row.get(0)?, at, subject: row.get(2)?, body: row.get(3)?, writer })
}

#[cfg(test)]
pub(super) fn save(
    connection: &Connection,
    session: SessionId,
    messages: Vec<ChatMessage>,
) -> Result<Saved, ArchiveError> {
    save_chat(connection, session, of_unknown_writer(messages))
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

    #[test]
    fn unread_is_what_was_not_written_here_after_the_last_look() {
        let connection = in_memory();
        let chat = vec![
            (sample("a", 0, "Maria", ""), None),
            (sample("b", 0, "Anna", ""), Some(Writer::Console)),
            (sample("c", 0, "Maria", ""), Some(Writer::Customer)),
        ];
        save_chat(&connection, ONE, chat).unwrap();
        let unread = |session, read| unread(&connection, session, read).unwrap();
        assert_eq!(unread(ONE, None), 2);
        assert_eq!(unread(ONE, Some("a")), 1);
        assert_eq!(unread(ONE, Some("c")), 0);
        assert_eq!(unread(TWO, Some("gone")), 0);
        for (writer, count) in [(None, 1), (Some(Writer::Console), 0), (Some(Writer::Customer), 0)]
        {
            let namesake = vec![(sample("d", 1, "Anna", ""), writer)];
            save_chat(&connection, ONE, namesake).unwrap();
            assert_eq!(unread(ONE, Some("c")), count, "a name proves nothing: {writer:?}");
        }
        let last = of_session(&connection, ONE).unwrap().pop().unwrap();
        assert_eq!(last.writer, Some(Writer::Console), "who wrote it is told once");
    }

    #[test]
    fn pages_of_a_chat_go_back_to_its_first_message_and_leave_none_out() {
        let connection = in_memory();
        let count = u64::from(PAGE) * 2 + 1;
        let name = |n: u64| format!("message {n}");
        // Several in each second, as chats have them.
        let chat = (0..count).map(|n| sample(&name(n), n / 3, "Maria", "hello")).collect();
        save(&connection, ONE, chat).unwrap();
        save(&connection, TWO, vec![sample("other", 5, "Eve", "hello")]).unwrap();
        let mut before = i64::MAX;
        let mut found = Vec::new();
        for expected in [PAGE, PAGE, 1, 0] {
            let ChatPage { messages, earlier } = page(&connection, ONE, before).unwrap();
            assert_eq!(messages.len(), expected as usize);
            found.splice(0..0, messages.into_iter().map(|message| message.guid));
            assert_eq!(u64::from(earlier) + found.len() as u64, count);
            before = doc_of(&connection, ONE, &found[0]).unwrap().unwrap();
        }
        assert_eq!(found, (0..count).map(name).collect::<Vec<_>>());
        assert_eq!(doc_of(&connection, ONE, "other").unwrap(), None);
        assert_eq!(newest(&connection, TWO).unwrap().messages.len(), 1);
    }
}
