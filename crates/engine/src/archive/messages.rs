//! Transcripts: each message once by its guid, as its sender wrote it.

use rusqlite::{Connection, OptionalExtension as _, Row};
use rusqlite_migration::M;
use serde::{Deserialize, Serialize};
use session::Timestamp;
use store::fault;
use wire::{Side, loginwithme::ChatMessage};

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

/// Those of the customer's side, where the service tells. A customer may give themselves the technician's name.
pub(super) const SIDES: M<'static> =
    M::up("ALTER TABLE messages ADD COLUMN by_customer INTEGER NOT NULL DEFAULT 0;");

/// Those that the service says a viewer wrote, and those that were written in this console: the service named each by
/// its guid, maybe after it was archived already.
pub(super) const ORIGINS: M<'static> = M::up(
    "ALTER TABLE messages ADD COLUMN by_viewer INTEGER NOT NULL DEFAULT 0;
     CREATE TABLE written_here(session BLOB NOT NULL, guid TEXT NOT NULL, PRIMARY KEY(session, guid))
         WITHOUT ROWID;
     CREATE TRIGGER written_here_deleted BEFORE INSERT ON written_here
         WHEN EXISTS(SELECT 1 FROM deleted WHERE session = NEW.session)
         BEGIN SELECT RAISE(IGNORE); END;",
);

const SAVE: &str = "archive the transcript";
const COLUMNS: &str = "guid, timestamp, subject, body, by_customer, by_viewer, EXISTS(
     SELECT 1 FROM written_here AS here
     WHERE here.session = messages.session AND here.guid = messages.guid)";

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
    /// Who wrote it, whatever its sender's name is.
    pub author: Author,
}

/// Who wrote a message, by its way and never by a name: anybody may take any.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Author {
    /// Somebody on the customer's side, by the service's word.
    Customer,
    /// The technician, in this console: the service's answer named the message.
    Technician,
    /// A viewer, by the service's word: the technician in a viewer window, or somebody else who watches.
    Viewer,
    /// It isn't known.
    Unknown,
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
        self.save_chat(session, of_unknown_side(messages)).await
    }

    /// As [`Self::save_messages`], each with the side that wrote it where that is known.
    ///
    /// # Errors
    /// An [`ArchiveError`]; none of them is archived then.
    pub async fn save_chat(
        &self,
        session: SessionId,
        messages: Vec<(ChatMessage, Option<Side>)>,
    ) -> Result<Saved, ArchiveError> {
        self.write(SAVE, move |tx| save_chat(tx, session, messages)).await
    }

    /// Notes that a message was written in this console; it may be archived before or after that.
    ///
    /// # Errors
    /// An [`ArchiveError`]; who wrote it stays unknown then.
    pub async fn note_written_here(
        &self,
        session: SessionId,
        guid: String,
    ) -> Result<(), ArchiveError> {
        self.write(SAVE, move |tx| note_written_here(tx, session, &guid)).await
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

    /// How many messages a session has after the one with the guid `read`, those that `own` wrote left out: those written in this console, and those of that name that aren't known to be the customer's.
    /// None or an unknown guid: of all.
    pub async fn unread(
        &self,
        session: SessionId,
        read: Option<String>,
        own: String,
    ) -> Result<u32, ArchiveError> {
        self.read(move |c| unread(c, session, read.as_deref(), &own)).await
    }

    /// A session's messages in the order of their sending.
    pub async fn transcript(&self, session: SessionId) -> Result<Vec<Message>, ArchiveError> {
        self.read(move |c| of_session(c, session)).await
    }
}

fn of_unknown_side(messages: Vec<ChatMessage>) -> Vec<(ChatMessage, Option<Side>)> {
    messages.into_iter().map(|message| (message, None)).collect()
}

fn save_chat(
    connection: &Connection,
    session: SessionId,
    mut messages: Vec<(ChatMessage, Option<Side>)>,
) -> Result<Saved, ArchiveError> {
    // The index grows best in its own order.
    messages.sort_by_key(|(message, _)| message.timestamp);
    let mut guids = Vec::new();
    for (message, side) in messages {
        if save_one(connection, session, &message, side)? {
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
    side: Option<Side>,
) -> Result<bool, ArchiveError> {
    let seconds = i64::try_from(message.timestamp).unwrap_or(i64::MAX);
    let sql = "SELECT 1 FROM messages WHERE session = ?1 AND guid = ?2";
    let known = connection
        .prepare_cached(sql)
        .and_then(|mut statement| statement.exists((session.as_bytes(), &message.guid)))
        .map_err(fault(SAVE))?;
    let (by_customer, by_viewer) = (side == Some(Side::Presenter), side == Some(Side::Viewers));
    if known {
        // It may have been fetched before the service told its side.
        let sql = "UPDATE messages SET by_customer = ?3, by_viewer = ?4
             WHERE session = ?1 AND guid = ?2 AND NOT by_customer AND NOT by_viewer";
        if side.is_some() {
            let row = (session.as_bytes(), &message.guid, by_customer, by_viewer);
            connection
                .prepare_cached(sql)
                .and_then(|mut update| update.execute(row))
                .map_err(fault(SAVE))?;
        }
        return Ok(false);
    }
    let doc = doc::next(connection, Kind::Message, seconds.saturating_mul(1000), SAVE)?;
    let sql =
        "INSERT INTO messages(doc, session, guid, timestamp, subject, body, by_customer, by_viewer)
         VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    let ChatMessage { guid, subject, body, .. } = message;
    let (id, sides) = (session.as_bytes(), (by_customer, by_viewer));
    connection
        .prepare_cached(sql)
        .and_then(|mut insert| {
            insert.execute((doc, id, guid, seconds, subject, body, sides.0, sides.1))
        })
        .map_err(fault(SAVE))?;
    search::put(connection, doc)?;
    Ok(true)
}

fn note_written_here(
    connection: &Connection,
    session: SessionId,
    guid: &str,
) -> Result<(), ArchiveError> {
    let sql = "INSERT OR IGNORE INTO written_here VALUES(?1, ?2)";
    connection
        .prepare_cached(sql)
        .and_then(|mut insert| insert.execute((session.as_bytes(), guid)))
        .map(drop)
        .map_err(fault(SAVE))
}

pub(super) fn of_session(
    connection: &Connection,
    session: SessionId,
) -> Result<Vec<Message>, ArchiveError> {
    let sql = format!("SELECT {COLUMNS} FROM messages WHERE session = ?1 ORDER BY doc");
    let mut statement = connection.prepare_cached(&sql).map_err(fault(READ))?;
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
    let sql = format!(
        "SELECT {COLUMNS} FROM messages WHERE doc IN (
             SELECT doc FROM messages WHERE session = ?1 AND doc < ?2 ORDER BY doc DESC LIMIT ?3
         ) ORDER BY doc"
    );
    let mut statement = connection.prepare_cached(&sql).map_err(fault(READ))?;
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
    own: &str,
) -> Result<u32, ArchiveError> {
    let read = read.map(|guid| doc_of(connection, session, guid)).transpose()?.flatten();
    let sql = "SELECT count(*) FROM messages WHERE session = ?1 AND doc > ?2
         AND (subject <> ?3 OR by_customer)
         AND NOT EXISTS(
             SELECT 1 FROM written_here AS here
             WHERE here.session = messages.session AND here.guid = messages.guid)";
    connection
        .prepare_cached(sql)
        .and_then(|mut statement| {
            statement.query_row((session.as_bytes(), read.unwrap_or(-1), own), |row| row.get(0))
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
    let author = match (row.get(4)?, row.get(5)?, row.get(6)?) {
        (true, _, _) => Author::Customer,
        (false, _, true) => Author::Technician,
        (false, true, false) => Author::Viewer,
        (false, false, false) => Author::Unknown,
    };
    Ok(Message { guid: row.get(0)?, at, subject: row.get(2)?, body: row.get(3)?, author })
}

#[cfg(test)]
pub(super) fn save(
    connection: &Connection,
    session: SessionId,
    messages: Vec<ChatMessage>,
) -> Result<Saved, ArchiveError> {
    save_chat(connection, session, of_unknown_side(messages))
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
    fn unread_is_what_others_wrote_after_the_last_look() {
        let connection = in_memory();
        let chat = vec![
            sample("a", 0, "Maria", ""),
            sample("b", 0, "Anna", ""),
            sample("c", 0, "Maria", ""),
        ];
        save(&connection, ONE, chat).unwrap();
        let unread = |session, read| unread(&connection, session, read, "Anna").unwrap();
        assert_eq!(unread(ONE, None), 2);
        assert_eq!(unread(ONE, Some("a")), 1);
        assert_eq!(unread(ONE, Some("c")), 0);
        assert_eq!(unread(TWO, Some("gone")), 0);
        let namesake = vec![(sample("d", 1, "Anna", ""), Some(Side::Presenter))];
        save_chat(&connection, ONE, namesake).unwrap();
        assert_eq!(unread(ONE, Some("c")), 1, "the customer has the technician's name");
        // The technician has another name by now.
        save(&connection, ONE, vec![sample("e", 2, "Tess", "")]).unwrap();
        assert_eq!(unread(ONE, Some("d")), 1);
        note_written_here(&connection, ONE, "e").unwrap();
        assert_eq!(unread(ONE, Some("d")), 0);
    }

    #[test]
    fn who_wrote_a_message_is_known_by_its_way_in_whichever_order_it_becomes_known() {
        let connection = in_memory();
        let anna = |guid| sample(guid, 1, "Anna", "");
        note_written_here(&connection, ONE, "first noted").unwrap();
        let sides = [
            ("customer", Some(Side::Presenter)),
            ("viewer", Some(Side::Viewers)),
            ("first noted", Some(Side::Viewers)),
            ("noted later", Some(Side::Viewers)),
            ("polled", None),
            ("polled first", None),
        ];
        let told = sides.map(|(guid, side)| (anna(guid), side)).to_vec();
        save_chat(&connection, ONE, told.clone()).unwrap();
        note_written_here(&connection, ONE, "noted later").unwrap();
        note_written_here(&connection, ONE, "noted later").unwrap();
        note_written_here(&connection, TWO, "polled").unwrap();
        let late = vec![(anna("polled first"), Some(Side::Presenter))];
        assert_eq!(save_chat(&connection, ONE, late).unwrap().new, 0);
        // Polled again, nothing that is known is forgotten.
        let polled = told.into_iter().map(|(message, _)| message).collect();
        save(&connection, ONE, polled).unwrap();
        let all = of_session(&connection, ONE).unwrap();
        let authors: Vec<_> = all.iter().map(|one| (one.guid.as_str(), one.author)).collect();
        let expected = [
            ("customer", Author::Customer),
            ("viewer", Author::Viewer),
            ("first noted", Author::Technician),
            ("noted later", Author::Technician),
            ("polled", Author::Unknown),
            ("polled first", Author::Customer),
        ];
        assert_eq!(authors, expected);
        assert_eq!(newest(&connection, ONE).unwrap().messages, all);
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
