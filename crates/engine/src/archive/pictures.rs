//! Pictures of a customer's screen that were saved to a session: sealed with the rest of
//! the archive.

use rusqlite::{Connection, OptionalExtension as _};
use rusqlite_migration::M;
use session::Timestamp;
use store::fault;

use super::{Archive, ArchiveError, READ};
use crate::SessionId;

pub(super) const TABLE: M<'static> = M::up(
    "CREATE TABLE pictures(
         id INTEGER PRIMARY KEY, session BLOB NOT NULL, at INTEGER NOT NULL, by TEXT NOT NULL,
         bytes INTEGER NOT NULL, png BLOB NOT NULL);
     CREATE INDEX pictures_of ON pictures(session);",
);

/// The most pictures that a session has.
pub const MOST_PICTURES: u32 = 50;

const SAVE: &str = "save the picture";

/// A picture, without its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// Its number.
    pub id: i64,
    /// When it was saved.
    pub at: Timestamp,
    /// The person who saved it.
    pub by: String,
    /// Its size in bytes.
    pub bytes: u64,
}

impl Archive {
    /// Saves a picture of the customer's screen; false if the session has [`MOST_PICTURES`]
    /// already.
    pub async fn save_picture(
        &self,
        session: SessionId,
        png: Vec<u8>,
        by: String,
        at: Timestamp,
    ) -> Result<bool, ArchiveError> {
        self.write("save the picture", move |tx| save(tx, session, &png, &by, at)).await
    }

    /// A picture's bytes (PNG); none if the session has none of that number.
    pub async fn picture(
        &self,
        session: SessionId,
        id: i64,
    ) -> Result<Option<Vec<u8>>, ArchiveError> {
        self.read(move |c| bytes(c, session, id)).await
    }
}

/// False if there are enough already.
pub(super) fn save(
    connection: &Connection,
    session: SessionId,
    png: &[u8],
    by: &str,
    at: Timestamp,
) -> Result<bool, ArchiveError> {
    let sql = "INSERT INTO pictures(session, at, by, bytes, png) SELECT ?1, ?2, ?3, ?4, ?5
         WHERE (SELECT COUNT(*) FROM pictures WHERE session = ?1) < ?6";
    let bytes = i64::try_from(png.len()).unwrap_or(i64::MAX);
    connection
        .execute(sql, (session.as_bytes(), at.0, by, bytes, png, MOST_PICTURES))
        .map(|saved| saved == 1)
        .map_err(fault(SAVE))
}

/// Oldest first.
pub(super) fn of_session(
    connection: &Connection,
    session: SessionId,
) -> Result<Vec<Picture>, ArchiveError> {
    let sql = "SELECT id, at, by, bytes FROM pictures WHERE session = ?1 ORDER BY id";
    let mut statement = connection.prepare_cached(sql).map_err(fault(READ))?;
    let read = |row: &rusqlite::Row<'_>| {
        Ok(Picture {
            id: row.get(0)?,
            at: Timestamp(row.get(1)?),
            by: row.get(2)?,
            bytes: row.get(3)?,
        })
    };
    let rows = statement.query_map([session.as_bytes()], read).map_err(fault(READ))?;
    rows.collect::<Result<_, _>>().map_err(fault(READ))
}

pub(super) fn bytes(
    connection: &Connection,
    session: SessionId,
    id: i64,
) -> Result<Option<Vec<u8>>, ArchiveError> {
    let sql = "SELECT png FROM pictures WHERE session = ?1 AND id = ?2";
    let found = connection.query_row(sql, (session.as_bytes(), id), |row| row.get(0));
    found.optional().map_err(fault(READ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::in_memory;

    #[test]
    fn a_session_keeps_its_pictures_and_only_so_many() {
        let connection = in_memory();
        let (one, two) = (SessionId::from_bytes([1; 16]), SessionId::from_bytes([2; 16]));
        for n in 0..MOST_PICTURES {
            assert!(save(&connection, one, &[7, 8], "anna", Timestamp(n.into())).unwrap());
        }
        assert!(!save(&connection, one, &[9], "anna", Timestamp(99)).unwrap());
        assert!(save(&connection, two, &[1, 2, 3], "ben", Timestamp(1)).unwrap());
        let kept = of_session(&connection, two).unwrap();
        assert_eq!((kept[0].by.as_str(), kept[0].bytes), ("ben", 3));
        assert_eq!(of_session(&connection, one).unwrap().len(), MOST_PICTURES as usize);
        let of_two = kept[0].id;
        assert_eq!(bytes(&connection, two, of_two).unwrap(), Some(vec![1, 2, 3]));
        assert_eq!(bytes(&connection, one, of_two).unwrap(), None, "another session's");
    }
}
