//! The index: which row has which grams, and where each row stands in the order of hits.
//!
//! An FTS5 table that keeps no texts. Its rows are numbered by *place*: session, then time, so that the rows of one
//! session are neighbours. What belongs to a row is deleted with it, also from the file.

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension as _};
use rusqlite_migration::M;
use store::fault;

use super::row::{self, Row};
use crate::{
    SessionId,
    archive::{ArchiveError, READ, damaged, doc},
};

/// The first index, of whole words only. Frozen.
pub(in crate::archive) const WORDS: M<'static> = M::up(
    "CREATE VIEW searchable(doc, subject, ticket, text) AS
         SELECT doc, subject, '', body FROM messages
         UNION ALL SELECT doc, '', '', text FROM notes
         UNION ALL SELECT doc, customer, ticket, contact FROM sessions;
     CREATE VIRTUAL TABLE search USING fts5(
         subject, ticket, text, content='searchable', content_rowid='doc', columnsize=0,
         tokenize='unicode61 remove_diacritics 2', prefix='1 2 3 4 5 6 7 8');",
);

/// What was archived before is only noted here, and indexed while the console runs ([`index_pending`]).
///
/// The old index is emptied before it is dropped: a DROP keeps all that it drops in memory until it is through.
pub(in crate::archive) const GRAMS: M<'static> = M::up(
    "DELETE FROM search_data;
     DROP TABLE search;
     DROP VIEW searchable;
     CREATE TABLE ordinals(ordinal INTEGER PRIMARY KEY, session BLOB NOT NULL UNIQUE);
     CREATE TABLE places(place INTEGER PRIMARY KEY, doc INTEGER NOT NULL UNIQUE);
     CREATE TABLE pending(doc INTEGER PRIMARY KEY);
     CREATE VIRTUAL TABLE search USING fts5(
         grams, content='', columnsize=0, detail=none, tokenize='ascii', prefix='1 2');
     INSERT INTO search(search, rank) VALUES('secure-delete', 1);
     INSERT INTO ordinals(session) SELECT id FROM sessions ORDER BY doc;
     INSERT OR IGNORE INTO ordinals(session)
         SELECT session FROM messages GROUP BY session ORDER BY min(doc);
     INSERT OR IGNORE INTO ordinals(session)
         SELECT session FROM notes GROUP BY session ORDER BY min(doc);
     INSERT INTO pending(doc)
         SELECT doc FROM messages UNION ALL SELECT doc FROM notes UNION ALL SELECT doc FROM sessions;",
);

/// The index is a set of segments, of which each write adds one; two of a size are enough to be merged.
pub(in crate::archive) const MERGED: M<'static> =
    M::up("INSERT INTO search(search, rank) VALUES('usermerge', 2);");

/// Begins an empty index anew: every row is noted, and indexed while the console runs ([`index_pending`]).
pub(crate) const REINDEX: &str =
    "DELETE FROM places; DELETE FROM ordinals; DELETE FROM pending;
     INSERT INTO search(search, rank) VALUES('secure-delete', 1);
     INSERT INTO search(search, rank) VALUES('usermerge', 2);
     INSERT INTO ordinals(session) SELECT id FROM sessions ORDER BY doc;
     INSERT OR IGNORE INTO ordinals(session)
         SELECT session FROM messages GROUP BY session ORDER BY min(doc);
     INSERT OR IGNORE INTO ordinals(session)
         SELECT session FROM notes GROUP BY session ORDER BY min(doc);
     INSERT INTO pending(doc)
         SELECT doc FROM messages UNION ALL SELECT doc FROM notes UNION ALL SELECT doc FROM sessions;";

const SAVE: &str = "index for the search";
/// From the top: 20 bits of the session's ordinal, 33 of seconds since 1970, 10 that count within both.
const ORDINAL_SHIFT: u32 = 43;
const SECOND_SHIFT: u32 = 10;
const LAST_SECOND: i64 = (1 << (ORDINAL_SHIFT - SECOND_SHIFT)) - 1;

/// The ordinal of the session to which a place belongs; later sessions have larger ones.
pub(super) const fn ordinal(place: i64) -> i64 {
    place >> ORDINAL_SHIFT
}

/// The first place of a session, which is past all places of the sessions before it.
pub(super) const fn first_place(ordinal: i64) -> i64 {
    ordinal.saturating_mul(1 << ORDINAL_SHIFT)
}

/// Puts a row into the index, as the tables have it now.
pub(in crate::archive) fn put(connection: &Connection, doc: i64) -> Result<(), ArchiveError> {
    let Some(row) = row::of_doc(connection, doc)? else { return Ok(()) };
    let ordinal = ordinal_of(connection, row.session)?;
    let place = free_place(connection, ordinal, doc::at_ms(doc) / 1000)?;
    let run = |sql: &str| connection.prepare_cached(sql).map_err(fault(SAVE));
    run("INSERT INTO places(place, doc) VALUES(?1, ?2)")?
        .execute([place, doc])
        .map_err(fault(SAVE))?;
    run("INSERT INTO search(rowid, grams) VALUES(?1, ?2)")?
        .execute((place, grams(&row)))
        .map(drop)
        .map_err(fault(SAVE))
}

/// Takes a row out, if it is in. It must be called before the row is changed or deleted: the index keeps no texts,
/// so the tables say what is taken out.
pub(in crate::archive) fn remove(connection: &Connection, doc: i64) -> Result<(), ArchiveError> {
    let run = |sql: &str| connection.prepare_cached(sql).map_err(fault(SAVE));
    run("DELETE FROM pending WHERE doc = ?1")?.execute([doc]).map_err(fault(SAVE))?;
    let place: Option<i64> = run("DELETE FROM places WHERE doc = ?1 RETURNING place")?
        .query_row([doc], |row| row.get(0))
        .optional()
        .map_err(fault(SAVE))?;
    let (Some(place), Some(row)) = (place, row::of_doc(connection, doc)?) else { return Ok(()) };
    run("INSERT INTO search(search, rowid, grams) VALUES('delete', ?1, ?2)")?
        .execute((place, grams(&row)))
        .map(drop)
        .map_err(fault(SAVE))
}

/// Forgets where a session stood; its rows must be out already.
pub(in crate::archive) fn forget(
    connection: &Connection,
    session: SessionId,
) -> Result<(), ArchiveError> {
    let sql = "DELETE FROM ordinals WHERE session = ?1";
    connection.execute(sql, [session.as_bytes()]).map(drop).map_err(fault(SAVE))
}

/// Indexes up to `most` of the rows that an older version archived, the newest first; false once none is left.
pub(in crate::archive) fn index_pending(
    connection: &Connection,
    most: u32,
) -> Result<bool, ArchiveError> {
    let sql =
        "DELETE FROM pending WHERE doc IN (SELECT doc FROM pending ORDER BY doc DESC LIMIT ?1)
         RETURNING doc";
    let mut statement = connection.prepare_cached(sql).map_err(fault(SAVE))?;
    let docs = statement.query_map([most], |row| row.get(0)).map_err(fault(SAVE))?;
    let docs: Vec<i64> = docs.collect::<Result<_, _>>().map_err(fault(SAVE))?;
    docs.iter().try_for_each(|doc| put(connection, *doc))?;
    Ok(!docs.is_empty())
}

/// Merges about `pages` pages of the index's segments; false once none of them need it.
pub(in crate::archive) fn merge(connection: &Connection, pages: u32) -> Result<bool, ArchiveError> {
    let before = connection.total_changes();
    let sql = "INSERT INTO search(search, rank) VALUES('merge', ?1)";
    connection.execute(sql, [pages]).map_err(fault(SAVE))?;
    // The command itself counts as one change, so one alone means that nothing was left to merge.
    Ok(connection.total_changes() - before > 1)
}

/// How much of all rows is in the index, in percent; none once no row of an older version waits.
pub(super) fn indexed(connection: &Connection) -> Result<Option<u8>, ArchiveError> {
    let count = |sql: &str| -> Result<u64, ArchiveError> {
        let mut count = connection.prepare_cached(sql).map_err(fault(READ))?;
        count.query_row([], |row| row.get(0)).map_err(fault(READ))
    };
    // Rows that came since are in both numbers, so it can only grow.
    let waiting = count("SELECT count(*) FROM pending")?;
    if waiting == 0 {
        return Ok(None);
    }
    let done = count("SELECT count(*) FROM places")?;
    // Not yet 100 while one waits.
    Ok(u8::try_from(done * 100 / (done + waiting)).ok())
}

fn grams(row: &Row) -> String {
    let mut grams = BTreeSet::new();
    for field in row.fields() {
        field.folded.add_grams(&mut grams);
    }
    grams.into_iter().collect::<Vec<_>>().join(" ")
}

fn ordinal_of(connection: &Connection, session: SessionId) -> Result<i64, ArchiveError> {
    let sql = "SELECT ordinal FROM ordinals WHERE session = ?1";
    let mut find = connection.prepare_cached(sql).map_err(fault(SAVE))?;
    let known = find.query_row([session.as_bytes()], |row| row.get(0)).optional();
    if let Some(known) = known.map_err(fault(SAVE))? {
        return Ok(known);
    }
    let sql = "INSERT INTO ordinals(session) VALUES(?1)";
    connection.execute(sql, [session.as_bytes()]).map_err(fault(SAVE))?;
    Ok(connection.last_insert_rowid())
}

fn free_place(connection: &Connection, ordinal: i64, second: i64) -> Result<i64, ArchiveError> {
    let sql = "SELECT max(place) FROM places WHERE place BETWEEN ?1 AND ?2";
    let mut newest = connection.prepare_cached(sql).map_err(fault(SAVE))?;
    let mut second = second.clamp(0, LAST_SECOND);
    loop {
        let first = first_place(ordinal) | second << SECOND_SHIFT;
        let last = first | ((1 << SECOND_SHIFT) - 1);
        let newest: Option<i64> =
            newest.query_row([first, last], |row| row.get(0)).map_err(fault(SAVE))?;
        match newest {
            None => return Ok(first),
            Some(newest) if newest < last => return Ok(newest + 1),
            // So many in one second: borrow from the one before, which is there also at the end of time.
            Some(_) if second > 0 => second -= 1,
            Some(_) => return Err(damaged("no place is left in the search index")),
        }
    }
}
