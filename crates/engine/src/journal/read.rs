//! Reading the journal. A row is unsealed for the table and key under which it was found, so one
//! that was moved or altered counts as damaged.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension as _, Row};
use secrecy::zeroize::Zeroizing;
use serde::de::DeserializeOwned;
use session::{Delivery, Event, Record};
use store::{StoreError, fault};

use super::{
    Committed, EventRecord, KILLS_TO_SET_ASIDE, Killer, Loaded, SessionSecrets, Stored,
    table::{self, SealedEvent, SealedWebhook},
};
use crate::{
    SessionId,
    vault::{Digest, SealKey},
};

pub(super) const LOAD: &str = "read the sessions from the journal";
pub(super) const EVENTS: &str = "read what happened from the journal";
pub(super) const MINTED: &str = "look a PIN up in the journal";
pub(super) const MARKS: &str = "read a mark from the journal";

/// Events in order, without those whose rows don't open.
#[derive(Default)]
pub(super) struct Events {
    pub readable: Vec<EventRecord>,
    pub unreadable: Vec<(u64, StoreError)>,
}

pub(super) fn load(connection: &Connection, key: &SealKey) -> Result<Loaded, StoreError> {
    // One snapshot: a turn that is written meanwhile is seen whole or not at all.
    let snapshot = connection.unchecked_transaction().map_err(fault(LOAD))?;
    let mut found: BTreeMap<SessionId, Result<Stored, StoreError>> = BTreeMap::new();
    each(&snapshot, "SELECT id, applied_seq, sealed FROM sessions", LOAD, |row| {
        let session = session_of(row, 0)?;
        found.insert(session, record(session, row, key));
        Ok(())
    })?;
    each(&snapshot, "SELECT session, sealed FROM secrets", LOAD, |row| {
        let session = session_of(row, 0)?;
        // They are erased with their session, so one that isn't there was lost.
        let lost = || Err(damaged(LOAD, "only its secrets are left"));
        found.entry(session).or_insert_with(lost);
        add(&mut found, session, |stored| {
            stored.secrets = Some(secrets(session, row, key)?);
            Ok(())
        });
        Ok(())
    })?;
    each(&snapshot, "SELECT session, seq, kills, sealed FROM killers", LOAD, |row| {
        let session = session_of(row, 0)?;
        add(&mut found, session, |stored| {
            stored.killers.push(killer(session, row, key)?);
            Ok(())
        });
        Ok(())
    })?;
    let replay = "SELECT events.seq, events.session, events.sealed FROM events
         JOIN sessions ON sessions.id = events.session
         WHERE events.seq > sessions.applied_seq ORDER BY events.seq";
    each(&snapshot, replay, LOAD, |row| {
        add(&mut found, session_of(row, 1)?, |stored| {
            let (seq, SealedWebhook { hook, at, revision, id }) = event(row, key)?;
            let aside = |k: &Killer| k.seq == seq && k.kills >= KILLS_TO_SET_ASIDE;
            if !stored.killers.iter().any(aside) {
                stored.replay.push(Committed {
                    seq,
                    hook,
                    at,
                    delivery: Delivery { revision, id },
                });
            }
            Ok(())
        });
        Ok(())
    })?;
    Ok(sort(found))
}

/// Adds a row to its session; a row that doesn't open damages its session and no other.
fn add(
    found: &mut BTreeMap<SessionId, Result<Stored, StoreError>>,
    session: SessionId,
    put: impl FnOnce(&mut Stored) -> Result<(), StoreError>,
) {
    if let Some(slot) = found.get_mut(&session)
        && let Ok(stored) = slot
        && let Err(error) = put(stored)
    {
        *slot = Err(error);
    }
}

fn sort(found: BTreeMap<SessionId, Result<Stored, StoreError>>) -> Loaded {
    let mut loaded = Loaded::default();
    for (session, outcome) in found {
        match outcome {
            Ok(stored) => loaded.sessions.push(stored),
            Err(error) => loaded.damaged.push((session, error)),
        }
    }
    loaded.sessions.sort_by_key(|stored| (stored.record.created, stored.session));
    loaded
}

pub(super) fn record(
    session: SessionId,
    row: &Row<'_>,
    key: &SealKey,
) -> Result<Stored, StoreError> {
    let applied_seq: u64 = row.get(1).map_err(fault(LOAD))?;
    let place = table::sealed_to_session(session, applied_seq);
    let record: Record = unseal(key, &place, row, 2, LOAD)?;
    let (replay, killers) = (Vec::new(), Vec::new());
    Ok(Stored { session, record, secrets: None, applied_seq, replay, killers })
}

pub(super) fn secrets(
    session: SessionId,
    row: &Row<'_>,
    key: &SealKey,
) -> Result<SessionSecrets, StoreError> {
    let sealed = blob(row, 1, LOAD)?;
    let plain =
        key.open(&table::sealed_to_secrets(session), sealed).map_err(|e| damaged(LOAD, e))?;
    SessionSecrets::from_plain(&plain).ok_or_else(|| damaged(LOAD, "secrets of an unknown form"))
}

fn killer(session: SessionId, row: &Row<'_>, key: &SealKey) -> Result<Killer, StoreError> {
    let seq: u64 = row.get(1).map_err(fault(LOAD))?;
    let kills: u32 = row.get(2).map_err(fault(LOAD))?;
    let why: String = unseal(key, &table::sealed_to_killer(session, seq), row, 3, LOAD)?;
    Ok(Killer { seq, kills, why })
}

/// An event from a row of seq, session, sealed.
pub(super) fn event(row: &Row<'_>, key: &SealKey) -> Result<(u64, SealedWebhook), StoreError> {
    let seq: u64 = row.get(0).map_err(fault(LOAD))?;
    let place = table::sealed_to_webhook(seq, session_of(row, 1)?);
    Ok((seq, unseal(key, &place, row, 2, LOAD)?))
}

pub(super) fn events_after(
    connection: &Connection,
    key: &SealKey,
    seq: u64,
    limit: u32,
) -> Result<Events, StoreError> {
    // Without a limit: rows that don't open don't count, so that whoever gets fewer than asked for has all.
    let sql = "SELECT seq, session, sealed FROM happenings WHERE seq > ?1 ORDER BY seq";
    let mut statement = connection.prepare_cached(sql).map_err(fault(EVENTS))?;
    let mut rows = statement.query([seq]).map_err(fault(EVENTS))?;
    read_events(&mut rows, key, limit as usize)
}

pub(super) fn events_of(
    connection: &Connection,
    key: &SealKey,
    session: SessionId,
) -> Result<Events, StoreError> {
    let sql = "SELECT seq, session, sealed FROM happenings WHERE session = ?1 ORDER BY seq";
    let mut statement = connection.prepare_cached(sql).map_err(fault(EVENTS))?;
    let mut rows = statement.query([session.as_bytes()]).map_err(fault(EVENTS))?;
    read_events(&mut rows, key, usize::MAX)
}

/// Whether no session and no event was ever kept.
pub(super) fn is_blank(connection: &Connection) -> Result<bool, StoreError> {
    let sql = "SELECT NOT EXISTS(SELECT 1 FROM sessions) AND NOT EXISTS(SELECT 1 FROM events)
         AND NOT EXISTS(SELECT 1 FROM happenings)";
    connection.query_row(sql, [], |row| row.get(0)).map_err(fault(LOAD))
}

fn read_events(
    rows: &mut rusqlite::Rows<'_>,
    key: &SealKey,
    most: usize,
) -> Result<Events, StoreError> {
    let mut found = Events::default();
    while found.readable.len() < most
        && let Some(row) = rows.next().map_err(fault(EVENTS))?
    {
        let seq: u64 = row.get(0).map_err(fault(EVENTS))?;
        match happening(seq, row, key) {
            Ok(event) => found.readable.push(event),
            Err(error) => found.unreadable.push((seq, error)),
        }
    }
    Ok(found)
}

fn happening(seq: u64, row: &Row<'_>, key: &SealKey) -> Result<EventRecord, StoreError> {
    let session = session_of(row, 1)?;
    let place = table::sealed_to_event(seq, session);
    let SealedEvent::<Event> { at, happened } = unseal(key, &place, row, 2, EVENTS)?;
    Ok(EventRecord { seq, session, at, event: happened })
}

pub(super) fn minted(connection: &Connection, digest: &Digest) -> Result<bool, StoreError> {
    connection
        .query_row("SELECT EXISTS(SELECT 1 FROM minted WHERE digest = ?1)", [digest], |row| {
            row.get(0)
        })
        .map_err(fault(MINTED))
}

pub(super) fn mark(
    connection: &Connection,
    key: &SealKey,
    name: &str,
) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
    let sealed: Option<Vec<u8>> = connection
        .query_row("SELECT sealed FROM marks WHERE key = ?1", [name], |row| row.get(0))
        .optional()
        .map_err(fault(MARKS))?;
    let open = |sealed: Vec<u8>| key.open(&table::sealed_to_mark(name), &sealed);
    sealed.map(open).transpose().map_err(|e| damaged(MARKS, e))
}

pub(super) fn each(
    connection: &Connection,
    sql: &str,
    doing: &'static str,
    mut take: impl FnMut(&Row<'_>) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let mut statement = connection.prepare(sql).map_err(fault(doing))?;
    let mut rows = statement.query([]).map_err(fault(doing))?;
    while let Some(row) = rows.next().map_err(fault(doing))? {
        take(row)?;
    }
    Ok(())
}

pub(super) fn session_of(row: &Row<'_>, column: usize) -> Result<SessionId, StoreError> {
    row.get(column).map(SessionId::from_bytes).map_err(fault(LOAD))
}

fn unseal<T: DeserializeOwned>(
    key: &SealKey,
    place: &[u8],
    row: &Row<'_>,
    column: usize,
    doing: &'static str,
) -> Result<T, StoreError> {
    let plain = key.open(place, blob(row, column, doing)?).map_err(|e| damaged(doing, e))?;
    // serde's own text may quote the row, so it is dropped.
    serde_json::from_slice(&plain).map_err(|_| damaged(doing, "a row of an unknown form"))
}

pub(super) fn blob<'a>(
    row: &'a Row<'_>,
    column: usize,
    doing: &'static str,
) -> Result<&'a [u8], StoreError> {
    row.get_ref(column)
        .map_err(fault(doing))?
        .as_blob()
        .map_err(|_| damaged(doing, "a row of an unknown form"))
}

pub(super) fn damaged(doing: &'static str, why: impl ToString) -> StoreError {
    StoreError::Damaged { doing, why: why.to_string() }
}
