//! The journal's tables, how they are opened, and the names of places that rows are sealed for.

use std::path::Path;

use rusqlite::{Connection, OpenFlags, OptionalExtension as _};
use rusqlite_migration::M;

use crate::{
    SessionId,
    sqlite::{StoreError, fault, io_fault, migrate, private_file},
    vault::SealKey,
};

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
];

/// Opens the writer's connection and checks that `key` is the journal's.
pub(super) fn open(
    path: &Path,
    key: &SealKey,
    max_pages: Option<u32>,
) -> Result<Connection, StoreError> {
    private_file(path).map_err(io_fault(OPEN))?;
    let mut connection = Connection::open(path).map_err(fault(OPEN))?;
    configure(&connection).map_err(fault(OPEN))?;
    migrate(&mut connection, STEPS, OPEN)?;
    check_key(&connection, key)?;
    if let Some(pages) = max_pages {
        connection.pragma_update(None, "max_page_count", pages).map_err(fault(OPEN))?;
    }
    Ok(connection)
}

/// Opens a reader's connection.
pub(super) fn open_reader(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(fault(OPEN))?;
    connection.busy_timeout(super::writer::BUSY).map_err(fault(OPEN))?;
    Ok(connection)
}

fn configure(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(super::writer::BUSY)?;
    connection.set_prepared_statement_cache_capacity(32);
    let mode: String = connection.query_row("PRAGMA journal_mode=WAL", [], |row| row.get(0))?;
    debug_assert_eq!(mode, "wal");
    // FULL: in WAL mode only this makes each commit wait for the disk.
    connection.execute_batch(
        "PRAGMA synchronous=FULL; PRAGMA secure_delete=ON; PRAGMA temp_store=MEMORY;",
    )
}

const CHECK: &str = "journal/check";

fn check_key(connection: &Connection, key: &SealKey) -> Result<(), StoreError> {
    let found: Option<Vec<u8>> = connection
        .query_row("SELECT sealed FROM marks WHERE key = ?1", [CHECK], |row| row.get(0))
        .optional()
        .map_err(fault(OPEN))?;
    let place = place_of_mark(CHECK);
    match found {
        Some(sealed) => match key.open(&place, &sealed) {
            Ok(_) => Ok(()),
            Err(_) => Err(StoreError::WrongKey { doing: OPEN }),
        },
        None => {
            let sealed = key.seal(&place, b"").map_err(|_| no_random(OPEN))?;
            connection
                .execute("INSERT INTO marks(key, sealed) VALUES(?1, ?2)", (CHECK, sealed))
                .map(drop)
                .map_err(fault(OPEN))
        }
    }
}

pub(super) fn no_random(doing: &'static str) -> StoreError {
    StoreError::Io { doing, why: "the operating system gave no random bytes".to_owned() }
}

pub(super) fn place_of_mark(key: &str) -> Vec<u8> {
    [b"marks\0", key.as_bytes()].concat()
}

pub(super) fn place_of_event(seq: u64, session: SessionId) -> Vec<u8> {
    place(b"events\0", session, seq)
}

pub(super) fn place_of_happening(seq: u64, session: SessionId) -> Vec<u8> {
    place(b"happenings\0", session, seq)
}

pub(super) fn place_of_session(session: SessionId, applied_seq: u64) -> Vec<u8> {
    place(b"sessions\0", session, applied_seq)
}

pub(super) fn place_of_secrets(session: SessionId) -> Vec<u8> {
    place(b"secrets\0", session, 0)
}

pub(super) fn place_of_killer(session: SessionId, seq: u64) -> Vec<u8> {
    place(b"killers\0", session, seq)
}

fn place(table: &[u8], session: SessionId, number: u64) -> Vec<u8> {
    [table, session.as_bytes(), &number.to_le_bytes()].concat()
}
