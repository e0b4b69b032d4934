//! Chat messages, kept for a day.

use rusqlite::{Connection, params};
use serve::Millis;
use wire::Pin;

use super::sessions::parse;
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

pub(super) fn insert(tx: &Connection, pin: &Pin, message: &Message) -> rusqlite::Result<()> {
    // `place` is a running number, which keeps messages of the same second in order.
    let sql = "INSERT INTO messages (guid, pin, sent_s, ttl_s, subject, body, place)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, (SELECT coalesce(max(place), 0) + 1 FROM messages))";
    let (sent, ttl) = (seconds(message.timestamp), seconds(message.ttl));
    let guid = message.guid.to_string();
    let row = params![guid, pin.expose(), sent, ttl, message.subject, message.body];
    tx.prepare_cached(sql)?.execute(row).map(drop)
}

pub(super) fn forget(tx: &Connection, before: Millis) -> rusqlite::Result<()> {
    tx.execute("DELETE FROM messages WHERE ttl_s <= ?1", [seconds(before.seconds())]).map(drop)
}

pub(super) fn load(connection: &Connection, now: Millis) -> rusqlite::Result<Vec<(Pin, Message)>> {
    let sql = "SELECT pin, guid, sent_s, ttl_s, subject, body FROM messages
               WHERE ttl_s > ?1 ORDER BY place";
    let mut statement = connection.prepare(sql)?;
    let message = |row: &rusqlite::Row<'_>| {
        let time = |column| row.get(column).map(|s: i64| u64::try_from(s).unwrap_or(0));
        let (guid, timestamp, ttl) = (parse(row, 1)?, time(2)?, time(3)?);
        let message = Message { guid, timestamp, ttl, subject: row.get(4)?, body: row.get(5)? };
        Ok((parse(row, 0)?, message))
    };
    statement.query_map([seconds(now.seconds())], message)?.collect()
}

fn seconds(since_1970: u64) -> i64 {
    i64::try_from(since_1970).unwrap_or(i64::MAX)
}
