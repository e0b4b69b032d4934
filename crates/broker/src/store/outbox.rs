//! E-mails that were asked for, sent or not.

use rusqlite::{Connection, params};
use serve::Millis;
use uuid::Uuid;
use wire::Pin;

use super::sessions::parse;
use crate::hub::outbox::{Mail, MailState};

pub(super) const TABLE: &str = "
    CREATE TABLE outbox (
        id TEXT PRIMARY KEY,
        at_ms INTEGER NOT NULL,
        recipient TEXT NOT NULL,
        subject TEXT NOT NULL,
        body TEXT NOT NULL,
        state TEXT NOT NULL,
        reason TEXT
    ) STRICT;";

/// Added by a later version: the session that an e-mail is about.
pub(super) const PIN: &str = "ALTER TABLE outbox ADD COLUMN pin TEXT;";

pub(super) fn insert(tx: &Connection, mail: &Mail) -> rusqlite::Result<()> {
    let sql = "INSERT INTO outbox (id, at_ms, recipient, subject, body, state, reason, pin)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    let (state, reason) = mail.state.as_columns();
    let (id, at) = (mail.id.to_string(), mail.at.0);
    let pin = mail.pin.as_ref().map(Pin::expose);
    let row = params![id, at, mail.to, mail.subject, mail.body, state, reason, pin];
    tx.execute(sql, row).map(drop)
}

pub(super) fn update(tx: &Connection, id: Uuid, state: &MailState) -> rusqlite::Result<()> {
    let (state, reason) = state.as_columns();
    let sql = "UPDATE outbox SET state = ?2, reason = ?3 WHERE id = ?1";
    tx.execute(sql, params![id.to_string(), state, reason]).map(drop)
}

pub(super) fn forget(tx: &Connection, before: Millis) -> rusqlite::Result<()> {
    tx.execute("DELETE FROM outbox WHERE at_ms < ?1", [before.0]).map(drop)
}

pub(super) fn delete(tx: &Connection, pin: &Pin) -> rusqlite::Result<()> {
    tx.execute("DELETE FROM outbox WHERE pin = ?1", [pin.expose()]).map(drop)
}

pub(super) fn load(connection: &Connection) -> rusqlite::Result<Vec<Mail>> {
    let sql = "SELECT id, at_ms, recipient, subject, body, state, reason, pin FROM outbox
               ORDER BY at_ms";
    let mut statement = connection.prepare(sql)?;
    let mail = |row: &rusqlite::Row<'_>| {
        let state: String = row.get(5)?;
        Ok(Mail {
            id: parse(row, 0)?,
            pin: row.get::<_, Option<String>>(7)?.and_then(|pin| pin.parse().ok()),
            at: Millis(row.get(1)?),
            to: row.get(2)?,
            subject: row.get(3)?,
            body: row.get(4)?,
            state: MailState::from_columns(&state, row.get(6)?),
        })
    };
    statement.query_map([], mail)?.collect()
}
