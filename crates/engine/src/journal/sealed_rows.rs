//! All sealed rows, tried one by one. SQLite finds a row sound of which a byte was changed, so its own checks say
//! nothing of whether the row opens.

use std::{collections::BTreeMap, path::Path};

use rusqlite::{Connection, Row, types::Value};
use store::{SalvagedTable, StoreError, fault};

use super::{read, table};
use crate::vault::SealKey;

/// A table with sealed rows, and the columns to which each row is sealed.
struct Table {
    name: &'static str,
    key: &'static str,
    /// 0 where it has none.
    number: &'static str,
}

const TABLES: [Table; 7] = [
    Table { name: "marks", key: "key", number: "0" },
    Table { name: "events", key: "session", number: "seq" },
    Table { name: "sessions", key: "id", number: "applied_seq" },
    Table { name: "secrets", key: "session", number: "0" },
    Table { name: "happenings", key: "session", number: "seq" },
    Table { name: "killers", key: "session", number: "seq" },
    Table { name: "broker_copies", key: "session", number: "0" },
];

impl Table {
    /// Calls `take` with each row: its key, its number, and whether it opens.
    fn each(
        &self,
        connection: &Connection,
        seal: &SealKey,
        doing: &'static str,
        mut take: impl FnMut(&Row<'_>, bool) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        // An older version's schema has fewer tables.
        let sql = "SELECT EXISTS(SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?1)";
        let is_there = connection.query_row(sql, [self.name], |row| row.get::<_, bool>(0));
        if !is_there.map_err(fault(doing))? {
            return Ok(());
        }
        let Self { name, key, number } = self;
        let sql = format!("SELECT {key}, {number}, sealed FROM {name}");
        read::each(connection, &sql, doing, |row| take(row, self.opens(row, seal)))
    }

    fn opens(&self, row: &Row<'_>, seal: &SealKey) -> bool {
        let place = match row.get::<_, Value>(0) {
            Ok(Value::Text(mark)) => Some(table::sealed_to_mark(&mark)),
            Ok(Value::Blob(session)) => row.get::<_, u64>(1).ok().map(|number| {
                [self.name.as_bytes(), b"\0", &session, &number.to_le_bytes()].concat()
            }),
            Ok(_) | Err(_) => None,
        };
        let sealed = row.get_ref(2).ok().and_then(|sealed| sealed.as_blob().ok());
        place.zip(sealed).is_some_and(|(place, sealed)| seal.open(&place, sealed).is_ok())
    }
}

/// Tries every row.
///
/// # Errors
/// [`StoreError::Damaged`] with how many don't open, or why they can't be read.
pub(crate) fn check(
    connection: &Connection,
    seal: &SealKey,
    doing: &'static str,
) -> Result<(), StoreError> {
    let mut closed = 0u64;
    for table in &TABLES {
        table.each(connection, seal, doing, |_, opens| {
            closed += u64::from(!opens);
            Ok(())
        })?;
    }
    match closed {
        0 => Ok(()),
        1 => Err(read::damaged(doing, "1 of its rows can't be opened")),
        more => Err(read::damaged(doing, format!("{more} of its rows can't be opened"))),
    }
}

/// Whether any row opens: then the key is the journal's.
pub(super) fn any_opens(
    connection: &Connection,
    seal: &SealKey,
    doing: &'static str,
) -> Result<bool, StoreError> {
    let mut found = false;
    for table in &TABLES {
        table.each(connection, seal, doing, |_, opens| {
            found |= opens;
            Ok(())
        })?;
    }
    Ok(found)
}

/// Removes the rows that don't open from the journal at `path`, which is a copy, and counts them as missing.
pub(crate) fn drop_closed(
    path: &Path,
    seal: &SealKey,
    saved: &mut [SalvagedTable],
    doing: &'static str,
) -> Result<(), StoreError> {
    let connection = Connection::open(path).map_err(fault(doing))?;
    let mut dropped: BTreeMap<&str, u64> = BTreeMap::new();
    for table in &TABLES {
        let mut closed = Vec::new();
        table.each(&connection, seal, doing, |row, opens| {
            if !opens {
                let value = |column| row.get::<_, Value>(column).map_err(fault(doing));
                closed.push((value(0)?, value(1)?));
            }
            Ok(())
        })?;
        let Table { name, key, number } = table;
        let sql = format!("DELETE FROM {name} WHERE {key} IS ?1 AND {number} IS ?2");
        for place in &closed {
            connection.execute(&sql, [&place.0, &place.1]).map_err(fault(doing))?;
        }
        dropped.insert(name, closed.len() as u64);
    }
    for table in saved {
        let dropped = dropped.get(table.name.as_str()).copied().unwrap_or_default();
        table.rows = table.rows.saturating_sub(dropped);
        table.gaps += dropped;
    }
    Ok(())
}
