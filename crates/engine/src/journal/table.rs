//! The journal's schema, how its file is opened, and the place to which each row is sealed.
//!
//! A row is sealed together with its table and key, so that one which was moved does not open.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension as _};
use rusqlite_migration::M;
use serde::{Deserialize, Serialize};
use session::{DeliveryId, Timestamp};
use store::{Definition, Durability, Sharing, StoreError, WriteConnection, fault};
use wire::HookType;

use super::sealed_rows;
use crate::{SessionId, vault::SealKey};

const OPEN: &str = "open the journal";

/// Frozen once released: add to the end.
const STEPS: &[M<'static>] = &[
    M::up(
        "CREATE TABLE marks(key TEXT PRIMARY KEY, sealed BLOB NOT NULL) WITHOUT ROWID;
     CREATE TABLE events(seq INTEGER PRIMARY KEY, session BLOB NOT NULL, sealed BLOB NOT NULL);
     CREATE TABLE sessions(
         id BLOB PRIMARY KEY, applied_seq INTEGER NOT NULL, sealed BLOB NOT NULL);
     CREATE TABLE secrets(session BLOB PRIMARY KEY, sealed BLOB NOT NULL);
     CREATE TABLE happenings(
         seq INTEGER PRIMARY KEY, session BLOB NOT NULL, sealed BLOB NOT NULL);
     CREATE INDEX happenings_of ON happenings(session);
     CREATE TABLE killers(
         session BLOB, seq INTEGER, kills INTEGER NOT NULL, sealed BLOB NOT NULL,
         PRIMARY KEY(session, seq)) WITHOUT ROWID;",
    ),
    // Every PIN that this console ever had, as a digest: it outlives the session and its secrets.
    M::up("CREATE TABLE minted(digest BLOB PRIMARY KEY) WITHOUT ROWID;"),
    // The sessions of which our own broker may have a copy.
    M::up(
        "CREATE TABLE broker_copies(session BLOB PRIMARY KEY, deleted INTEGER NOT NULL DEFAULT 0,
         sealed BLOB NOT NULL) WITHOUT ROWID;",
    ),
];

/// A hook event, as sealed.
#[derive(Serialize, Deserialize)]
pub(super) struct SealedWebhook {
    pub hook: HookType,
    pub at: Timestamp,
    /// Older rows have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<u64>,
    /// The delivery's; older rows have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<DeliveryId>,
}

/// An event of a session, as sealed.
#[derive(Serialize, Deserialize)]
pub(super) struct SealedEvent<E> {
    pub at: Timestamp,
    pub happened: E,
}

/// The journal's file. Its rows are sealed one by one, so the file itself is not encrypted.
pub(super) const JOURNAL: Definition = Definition {
    opening: OPEN,
    migrations: STEPS,
    sharing: Sharing::Shared,
    // An event is acknowledged to the service once it is committed, and never sent again.
    durability: Durability::PowerCut,
    settings: "PRAGMA secure_delete=ON; PRAGMA temp_store=MEMORY;",
    statements: 32,
};

/// Opens the writer's connection and checks that `key` is the journal's.
pub(super) fn open(
    path: &Path,
    key: &SealKey,
    max_pages: Option<u32>,
) -> Result<WriteConnection, StoreError> {
    let connection = JOURNAL.open(path, None)?;
    check_key(&connection, key)?;
    if let Some(pages) = max_pages {
        connection.pragma_update(None, "max_page_count", pages).map_err(fault(OPEN))?;
    }
    Ok(connection)
}

const CHECK: &str = "journal/check";

fn check_key(connection: &Connection, key: &SealKey) -> Result<(), StoreError> {
    let found: Option<Vec<u8>> = connection
        .query_row("SELECT sealed FROM marks WHERE key = ?1", [CHECK], |row| row.get(0))
        .optional()
        .map_err(fault(OPEN))?;
    let place = sealed_to_mark(CHECK);
    match found {
        Some(sealed) if key.open(&place, &sealed).is_ok() => return Ok(()),
        // Where other rows open, it is this one that was damaged.
        Some(_) if !sealed_rows::any_opens(connection, key, OPEN)? => {
            return Err(StoreError::WrongKey { doing: OPEN });
        }
        Some(_) => tracing::warn!("the mark by which the journal's key is known can't be read"),
        None => {}
    }
    let sealed = key.seal(&place, b"").map_err(|_| no_random(OPEN))?;
    let sql = "INSERT INTO marks(key, sealed) VALUES(?1, ?2)
         ON CONFLICT(key) DO UPDATE SET sealed = ?2";
    connection.execute(sql, (CHECK, sealed)).map(drop).map_err(fault(OPEN))
}

pub(super) fn no_random(doing: &'static str) -> StoreError {
    StoreError::Io { doing, why: "the operating system gave no random bytes".to_owned() }
}

pub(super) fn sealed_to_mark(key: &str) -> Vec<u8> {
    [b"marks\0", key.as_bytes()].concat()
}

pub(super) fn sealed_to_webhook(seq: u64, session: SessionId) -> Vec<u8> {
    place(b"events\0", session, seq)
}

pub(super) fn sealed_to_event(seq: u64, session: SessionId) -> Vec<u8> {
    place(b"happenings\0", session, seq)
}

pub(super) fn sealed_to_session(session: SessionId, applied_seq: u64) -> Vec<u8> {
    place(b"sessions\0", session, applied_seq)
}

pub(super) fn sealed_to_secrets(session: SessionId) -> Vec<u8> {
    place(b"secrets\0", session, 0)
}

pub(super) fn sealed_to_broker_copy(session: SessionId) -> Vec<u8> {
    place(b"broker_copies\0", session, 0)
}

pub(super) fn sealed_to_killer(session: SessionId, seq: u64) -> Vec<u8> {
    place(b"killers\0", session, seq)
}

fn place(table: &[u8], session: SessionId, number: u64) -> Vec<u8> {
    [table, session.as_bytes(), &number.to_le_bytes()].concat()
}
