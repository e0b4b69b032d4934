//! Which sessions our own broker may still have the chat of, though they are over and their PINs are erased here: so
//! that whoever deletes such a session has it deleted there, too, as soon as the broker can be reached.

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension as _, Row};
use secrecy::zeroize::Zeroizing;
use serde::{Deserialize, Serialize};
use session::Timestamp;
use store::{StoreError, fault};
use wire::Pin;

use super::{Answer, Journal, JournalError, read, table};
use crate::{SessionId, vault::SealKey};

const KEEP: &str = "note what the broker has of a session";
const READ: &str = "read what the broker has of sessions";
/// The broker keeps each message for a day, and the last can be written at the end of the PIN's life. By its own clock.
const KEPT_THERE: Duration = Duration::from_secs(2 * 86_400);

/// A session of which the broker may have a copy.
#[derive(Debug, Clone)]
pub(crate) struct BrokerCopy {
    pub session: SessionId,
    pub pin: Pin,
    /// The session is deleted here.
    pub is_deleted: bool,
    /// Until when the broker may have it.
    pub until: Timestamp,
}

#[derive(Default)]
struct Copies {
    known: Vec<BrokerCopy>,
    /// Those whose row can't be read.
    damaged: Vec<SessionId>,
}

#[derive(Serialize, Deserialize)]
struct Sealed<'a> {
    #[serde(borrow)]
    pin: &'a str,
    until: Timestamp,
}

/// Keeps the PIN of a session that our own broker has told of, before its secrets are erased.
pub(super) fn keep(
    connection: &Connection,
    key: &SealKey,
    session: SessionId,
) -> Result<(), StoreError> {
    let sql = "SELECT id, applied_seq, sealed FROM sessions WHERE id = ?1";
    let id = session.as_bytes();
    let stored = connection
        .query_row(sql, [id], |row| Ok(read::record(session, row, key)))
        .optional()
        .map_err(fault(KEEP))?;
    // What can't be read can't be deleted there, and is erased here all the same.
    let Some(Ok(stored)) = stored else { return Ok(()) };
    let Some(allocation) = stored.record.allocation() else { return Ok(()) };
    if stored.record.observed.revision == 0 {
        return Ok(());
    }
    let sql = "SELECT session, sealed FROM secrets WHERE session = ?1";
    let secrets = connection
        .query_row(sql, [id], |row| Ok(read::secrets(session, row, key)))
        .optional()
        .map_err(fault(KEEP))?;
    let Some(Ok(secrets)) = secrets else { return Ok(()) };
    let Some(pin) = secrets.pin else { return Ok(()) };
    let sealed = Sealed { pin: pin.expose(), until: allocation.expires.plus(KEPT_THERE) };
    let plain = serde_json::to_vec(&sealed)
        .map(Zeroizing::new)
        .map_err(|e| StoreError::Damaged { doing: KEEP, why: e.to_string() })?;
    let sealed = key
        .seal(&table::sealed_to_broker_copy(session), &plain)
        .map_err(|_| table::no_random(KEEP))?;
    let sql = "INSERT INTO broker_copies(session, sealed) VALUES(?1, ?2) ON CONFLICT DO NOTHING";
    connection.execute(sql, (id, sealed)).map_err(fault(KEEP)).map(drop)
}

/// The session is deleted here, and is to be deleted there.
pub(super) fn mark_deleted(connection: &Connection, session: SessionId) -> Result<(), StoreError> {
    let sql = "UPDATE broker_copies SET deleted = 1 WHERE session = ?1";
    connection.execute(sql, [session.as_bytes()]).map_err(fault(KEEP)).map(drop)
}

pub(super) fn forget(connection: &Connection, session: SessionId) -> Result<(), StoreError> {
    let sql = "DELETE FROM broker_copies WHERE session = ?1";
    connection.execute(sql, [session.as_bytes()]).map_err(fault(KEEP)).map(drop)
}

/// Those that can be read; the others are forgotten, since nobody can have them deleted.
fn load(connection: &Connection, key: &SealKey) -> Result<Copies, StoreError> {
    let mut copies = Copies::default();
    read::each(connection, "SELECT session, deleted, sealed FROM broker_copies", READ, |row| {
        let session = read::session_of(row, 0)?;
        match copy(session, row, key) {
            Ok(copy) => copies.known.push(copy),
            Err(error) => {
                tracing::warn!(%session, %error, "it can't be deleted at the broker");
                copies.damaged.push(session);
            }
        }
        Ok(())
    })?;
    Ok(copies)
}

fn copy(session: SessionId, row: &Row<'_>, key: &SealKey) -> Result<BrokerCopy, StoreError> {
    let is_deleted = row.get(1).map_err(fault(READ))?;
    let place = table::sealed_to_broker_copy(session);
    let plain = key.open(&place, read::blob(row, 2, READ)?);
    let plain = plain.map_err(|error| read::damaged(READ, error))?;
    let sealed: Option<Sealed<'_>> = serde_json::from_slice(&plain).ok();
    let copy = sealed.and_then(|Sealed { pin, until }| {
        Some(BrokerCopy { session, pin: pin.parse().ok()?, is_deleted, until })
    });
    copy.ok_or_else(|| read::damaged(READ, "a row of an unknown form"))
}

impl Journal {
    /// The sessions that are over and of which our own broker may have a copy.
    pub(crate) async fn broker_copies(&self) -> Result<Vec<BrokerCopy>, JournalError> {
        let key = self.key.clone();
        let copies = self.readers.read(READ, move |connection| load(connection, &key)).await?;
        for damaged in copies.damaged {
            self.forget_broker_copy(damaged).await?;
        }
        Ok(copies.known)
    }

    /// The broker has no copy of it any more.
    pub(crate) fn forget_broker_copy(&self, session: SessionId) -> Answer<()> {
        self.writer.write(KEEP, move |ledger| ledger.forget_broker_copy(session))
    }
}
