//! Where the revisions of this run begin. They grow with every change of a session, so none of them is written; instead
//! each run has a range of its own, which is reserved when the store is opened. No clock is asked: it may be set back.

use rusqlite::Connection;
use wire::session_events::REVISIONS_OF_A_RUN;

pub(super) const TABLE: &str = "
    CREATE TABLE revision_ranges (
        only INTEGER PRIMARY KEY CHECK (only = 1),
        used INTEGER NOT NULL
    ) STRICT;";

/// 2^23 runs are left before SQLite's integers end.
const RANGE: i64 = REVISIONS_OF_A_RUN.cast_signed();

/// Reserves the next range, and returns where it begins.
pub(super) fn reserve(connection: &Connection) -> rusqlite::Result<u64> {
    let sql = "INSERT INTO revision_ranges (only, used) VALUES (1, 1)
               ON CONFLICT DO UPDATE SET used = used + 1 RETURNING used";
    let used: i64 = connection.query_row(sql, [], |row| row.get(0))?;
    // On the disk itself before the first revision is given: after a power cut the range must not be used again.
    connection.query_row("PRAGMA wal_checkpoint(FULL)", [], |_| Ok(()))?;
    Ok(used.saturating_mul(RANGE).unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_run_begins_after_all_that_the_run_before_it_could_give() {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(TABLE).unwrap();
        let (first, second) = (reserve(&connection).unwrap(), reserve(&connection).unwrap());
        assert_eq!(second - first, RANGE.unsigned_abs());
        assert!(first > 0);
    }
}
