//! How often people were asked lately, where no session says it: of sessions that were deleted, and by e-mailed codes.
//!
//! Without it, a deletion and a start would be a way around the brake. A person is a fingerprint here, nothing
//! that was said to them is kept, and all of it is forgotten after a day.

use rusqlite::{Connection, Row};
use rusqlite_migration::M;
use session::{Timestamp, Verification, push_brake::REMEMBERED};
use store::fault;

use super::{Archive, ArchiveError, READ, damaged};
use crate::clock::now;

pub(super) const TABLE: M<'static> = M::up(
    "CREATE TABLE asked_people(
         person BLOB NOT NULL, at INTEGER NOT NULL, verification TEXT NOT NULL,
         PRIMARY KEY(person, at, verification)) WITHOUT ROWID;",
);

const SAVE: &str = "note how often somebody was asked";

/// A person, told by nobody who doesn't know their name anyhow.
pub(crate) type Fingerprint = [u8; 32];

/// How a person was asked once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AskRecord {
    pub person: Fingerprint,
    pub at: Timestamp,
    /// What was asked, without names and words; none if a code was e-mailed.
    pub verification: Option<Verification>,
}

impl Archive {
    /// Notes that a code is e-mailed to a person.
    pub(crate) async fn note_mailed_code(
        &self,
        person: Fingerprint,
        at: Timestamp,
    ) -> Result<(), ArchiveError> {
        let asked = AskRecord { person, at, verification: None };
        self.write(SAVE, move |tx| keep(tx, &[asked], at)).await
    }

    /// What is known of the last day. What is older is forgotten.
    pub(crate) async fn asked_people(&self) -> Result<Vec<AskRecord>, ArchiveError> {
        let at = now();
        self.write(SAVE, move |tx| keep(tx, &[], at)).await?;
        self.read(move |connection| read(connection, at)).await
    }
}

/// Notes these, and forgets what is older than a day at `at`.
pub(super) fn keep(
    connection: &Connection,
    asked: &[AskRecord],
    at: Timestamp,
) -> Result<(), ArchiveError> {
    let sql = "INSERT OR REPLACE INTO asked_people(person, at, verification) VALUES(?1, ?2, ?3)";
    let mut insert = connection.prepare_cached(sql).map_err(fault(SAVE))?;
    for AskRecord { person, at, verification } in asked {
        let text = serde_json::to_string(verification).map_err(damaged)?;
        insert.execute((person, at.0, text)).map_err(fault(SAVE))?;
    }
    let sql = "DELETE FROM asked_people WHERE at <= ?1";
    connection.execute(sql, [long_ago(at)]).map_err(fault(SAVE)).map(drop)
}

fn read(connection: &Connection, at: Timestamp) -> Result<Vec<AskRecord>, ArchiveError> {
    let sql = "SELECT person, at, verification FROM asked_people WHERE at > ?1";
    let mut statement = connection.prepare_cached(sql).map_err(fault(READ))?;
    let row = |row: &Row<'_>| Ok((row.get(0)?, row.get::<_, i64>(1)?, row.get::<_, String>(2)?));
    let rows = statement.query_map([long_ago(at)], row).map_err(fault(READ))?;
    let rows: Vec<_> = rows.collect::<Result<_, _>>().map_err(fault(READ))?;
    let read = |(person, at, text): (Fingerprint, i64, String)| {
        let verification = serde_json::from_str(&text)
            .map_err(|_| damaged("a verification of an unknown form"))?;
        Ok(AskRecord { person, at: Timestamp(at), verification })
    };
    rows.into_iter().map(read).collect()
}

fn long_ago(at: Timestamp) -> i64 {
    at.0.saturating_sub(i64::try_from(REMEMBERED.as_millis()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::in_memory;

    #[test]
    fn what_is_noted_twice_counts_once_and_is_forgotten_after_a_day() {
        let connection = in_memory();
        let at = Timestamp(1_700_000_000_000);
        let asked = |person, at| AskRecord { person: [person; 32], at, verification: None };
        for _ in 0..2 {
            keep(&connection, &[asked(1, at), asked(2, at)], at).unwrap();
        }
        assert_eq!(read(&connection, at).unwrap(), [asked(1, at), asked(2, at)]);
        let later = at.plus(REMEMBERED);
        assert_eq!(read(&connection, later).unwrap(), []);
        keep(&connection, &[asked(3, later)], later).unwrap();
        assert_eq!(read(&connection, at).unwrap(), [asked(3, later)], "nothing else is left");
    }
}
