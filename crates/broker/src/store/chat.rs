//! Chat messages, kept for a day.

use rusqlite::{Connection, params};
use serve::Millis;
use wire::{Pin, Side};

use super::sessions::{name, parse};
use crate::hub::chat::Message;

pub(super) const TABLE: &str = "
    CREATE TABLE messages (
        guid TEXT PRIMARY KEY,
        pin TEXT NOT NULL REFERENCES sessions(pin) ON DELETE CASCADE,
        sent_s INTEGER NOT NULL,
        ttl_s INTEGER NOT NULL,
        subject TEXT NOT NULL,
        body TEXT NOT NULL,
        place INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX messages_by_session ON messages (pin, place);
    CREATE INDEX messages_by_ttl ON messages (ttl_s);";

/// Added by a later version: each message's place in its own session's chat, and the side that wrote it.
pub(super) const NUMBERS: &str = "
    ALTER TABLE messages ADD COLUMN number INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE messages ADD COLUMN side TEXT;
    UPDATE messages SET number = (SELECT count(*) FROM messages AS earlier
        WHERE earlier.pin = messages.pin AND earlier.place <= messages.place);
    UPDATE sessions SET messages = (SELECT count(*) FROM messages WHERE messages.pin = sessions.pin);";

/// Added by a later version: whether the session's own console wrote it.
pub(super) const BY_CONSOLE: &str =
    "ALTER TABLE messages ADD COLUMN by_console INTEGER NOT NULL DEFAULT 0;";

pub(super) fn insert(tx: &Connection, pin: &Pin, message: &Message) -> rusqlite::Result<()> {
    // `place` is a running number, which keeps messages of the same second in order.
    let sql =
        "INSERT INTO messages (guid, pin, sent_s, ttl_s, subject, body, number, side, by_console,
                                     place)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9,
                       (SELECT coalesce(max(place), 0) + 1 FROM messages))";
    let (sent, ttl) = (to_integer(message.timestamp), to_integer(message.ttl));
    let guid = message.guid.to_string();
    let (pin, number) = (pin.expose(), to_integer(message.number));
    let side = message.side.map(name);
    let Message { subject, body, by_console, .. } = message;
    let row = params![guid, pin, sent, ttl, subject, body, number, side, by_console];
    tx.prepare_cached(sql)?.execute(row)?;
    // Of the session, too: its messages are forgotten, and a number must not be given twice.
    let sql = "UPDATE sessions SET messages = max(messages, ?2) WHERE pin = ?1";
    tx.prepare_cached(sql)?.execute(params![pin, number]).map(drop)
}

pub(super) fn forget(tx: &Connection, before: Millis) -> rusqlite::Result<()> {
    tx.execute("DELETE FROM messages WHERE ttl_s <= ?1", [to_integer(before.seconds())]).map(drop)
}

pub(super) fn delete(tx: &Connection, pin: &Pin) -> rusqlite::Result<()> {
    tx.execute("DELETE FROM messages WHERE pin = ?1", [pin.expose()]).map(drop)
}

pub(super) fn load(connection: &Connection, now: Millis) -> rusqlite::Result<Vec<(Pin, Message)>> {
    let sql = "SELECT pin, guid, sent_s, ttl_s, subject, body, number, side, by_console
               FROM messages
               WHERE ttl_s > ?1 ORDER BY place";
    let mut statement = connection.prepare(sql)?;
    let message = |row: &rusqlite::Row<'_>| {
        let time = |column| row.get(column).map(from_integer);
        let (guid, timestamp, ttl) = (parse(row, 1)?, time(2)?, time(3)?);
        let (subject, body, number) = (row.get(4)?, row.get(5)?, from_integer(row.get(6)?));
        let side = match row.get::<_, Option<String>>(7)?.as_deref() {
            Some("presenter") => Some(Side::Presenter),
            Some("viewers") => Some(Side::Viewers),
            _ => None,
        };
        let by_console = row.get(8)?;
        let message = Message { guid, timestamp, ttl, subject, body, number, side, by_console };
        Ok((parse(row, 0)?, message))
    };
    statement.query_map([to_integer(now.seconds())], message)?.collect()
}

/// The number of each session's last message, also if that is forgotten.
pub(super) fn load_last_numbers(connection: &Connection) -> rusqlite::Result<Vec<(Pin, u64)>> {
    let sql = "SELECT pin, messages FROM sessions WHERE messages > 0";
    let mut statement = connection.prepare(sql)?;
    statement.query_map([], |row| Ok((parse(row, 0)?, from_integer(row.get(1)?))))?.collect()
}

/// As SQLite keeps it: its integers have a sign.
fn to_integer(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// What [`to_integer`] made.
fn from_integer(stored: i64) -> u64 {
    u64::try_from(stored).unwrap_or(0)
}
