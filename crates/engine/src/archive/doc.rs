//! The number of a searchable row: newest first is largest first, over all kinds of rows.
//!
//! From the top: 43 bits of milliseconds since 1970, 2 of the kind, 18 that count within both.

use rusqlite::Connection;
use store::fault;

use super::ArchiveError;

const KIND_SHIFT: u32 = 18;
const TIME_SHIFT: u32 = 20;
const LAST_MS: i64 = (1 << 43) - 2;

/// The kind of a searchable row, encoded in its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Session = 0,
    Note = 1,
    Message = 2,
}

/// The kind of row that has the number `doc`; none for an unknown kind.
pub(super) fn kind(doc: i64) -> Option<Kind> {
    match (doc >> KIND_SHIFT) & 3 {
        0 => Some(Kind::Session),
        1 => Some(Kind::Note),
        2 => Some(Kind::Message),
        _ => None,
    }
}

/// When the row with the number `doc` is from, in milliseconds since 1970.
pub(super) fn at_ms(doc: i64) -> i64 {
    doc >> TIME_SHIFT
}

/// A number that `table` hasn't given yet, for a row from `at_ms`.
pub(super) fn next(
    connection: &Connection,
    kind: Kind,
    at_ms: i64,
    doing: &'static str,
) -> Result<i64, ArchiveError> {
    let table = match kind {
        Kind::Session => "sessions",
        Kind::Note => "notes",
        Kind::Message => "messages",
    };
    let sql = format!("SELECT max(doc) FROM {table} WHERE doc BETWEEN ?1 AND ?2");
    let mut statement = connection.prepare_cached(&sql).map_err(fault(doing))?;
    // Times come from services and other clocks; one outside of the range would make the
    // number negative.
    let mut at_ms = at_ms.clamp(0, LAST_MS);
    loop {
        let first = at_ms << TIME_SHIFT | (kind as i64) << KIND_SHIFT;
        let last = first | ((1 << KIND_SHIFT) - 1);
        let newest: Option<i64> =
            statement.query_row((first, last), |row| row.get(0)).map_err(fault(doing))?;
        match newest {
            None => return Ok(first),
            Some(newest) if newest < last => return Ok(newest + 1),
            Some(_) if at_ms == LAST_MS => return Err(super::damaged("no row number is left")),
            // A quarter of a million in one millisecond: borrow from the next.
            Some(_) => at_ms += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn newer_rows_have_larger_numbers_whatever_their_kind() {
        let connection = crate::archive::in_memory();
        let next = |kind, at| next(&connection, kind, at, "test").unwrap();
        assert!(next(Kind::Session, 2) > next(Kind::Message, 1));
        for kind in [Kind::Session, Kind::Note, Kind::Message] {
            for at in [i64::MIN, 0, 1_764_000_000_000, i64::MAX] {
                let doc = next(kind, at);
                assert_eq!((super::kind(doc), at_ms(doc)), (Some(kind), at.clamp(0, LAST_MS)));
            }
        }
    }
}
