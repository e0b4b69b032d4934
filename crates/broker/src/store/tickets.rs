//! Viewers' links, by the hash of what they carry.

use rusqlite::{Connection, params};
use wire::{Pin, shared_screen::Role};

use super::sessions::parse;
use crate::hub::{credential::KeyHash, tickets::Ticket};

/// A ticket ends with its session.
pub(super) const TABLE: &str = "
    CREATE TABLE tickets (
        sha256 BLOB PRIMARY KEY,
        pin TEXT NOT NULL REFERENCES sessions(pin) ON DELETE CASCADE,
        control INTEGER NOT NULL,
        name TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX tickets_of_a_session ON tickets (pin);";

pub(super) fn insert(tx: &Connection, hash: &KeyHash, ticket: &Ticket) -> rusqlite::Result<()> {
    let sql = "INSERT INTO tickets (sha256, pin, control, name) VALUES (?1, ?2, ?3, ?4)";
    let control = ticket.role == Role::Control;
    let row = params![hash, ticket.pin.expose(), control, ticket.name];
    tx.prepare_cached(sql)?.execute(row).map(drop)
}

pub(super) fn delete(tx: &Connection, pin: &Pin) -> rusqlite::Result<()> {
    tx.execute("DELETE FROM tickets WHERE pin = ?1", [pin.expose()]).map(drop)
}

pub(super) fn load(connection: &Connection) -> rusqlite::Result<Vec<(KeyHash, Ticket)>> {
    let mut statement = connection.prepare("SELECT sha256, pin, control, name FROM tickets")?;
    let ticket = |row: &rusqlite::Row<'_>| {
        let role = if row.get(2)? { Role::Control } else { Role::Watch };
        Ok((row.get(0)?, Ticket { pin: parse(row, 1)?, role, name: row.get(3)? }))
    };
    statement.query_map([], ticket)?.collect()
}
