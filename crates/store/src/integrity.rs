//! Whether a database is damaged.

use rusqlite::Connection;

use crate::{StoreError, fault};

/// Looks at all pages of a database for damage; takes long where there are many. Blocks.
///
/// # Errors
/// [`StoreError::Damaged`] with the first thing found, or whatever keeps it from looking.
pub fn check_integrity(connection: &Connection, doing: &'static str) -> Result<(), StoreError> {
    let found: String = connection
        .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
        .map_err(fault(doing))?;
    undamaged_if_ok(&found, doing)
}

/// The verdict of SQLite's checks, whose own words are for the log.
pub(crate) fn undamaged_if_ok(found: &str, doing: &'static str) -> Result<(), StoreError> {
    if found == "ok" {
        return Ok(());
    }
    tracing::warn!(doing, found, "a database is damaged");
    Err(StoreError::Damaged { doing, why: "a page of it is damaged".to_owned() })
}
