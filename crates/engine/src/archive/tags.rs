//! Tags on sessions, as a set.

use rusqlite::Connection;
use rusqlite_migration::M;
use store::fault;

use super::{Archive, ArchiveError, READ, search, sessions};
use crate::SessionId;

pub(super) const TABLE: M<'static> = M::up(
    "CREATE TABLE tags(
         tag TEXT NOT NULL, session BLOB NOT NULL, PRIMARY KEY(tag, session)) WITHOUT ROWID;
     CREATE INDEX tags_of ON tags(session);",
);

const SAVE: &str = "save the tags";

/// A tag and how often it is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagCount {
    pub tag: String,
    /// How many sessions have it.
    pub sessions: u32,
}

impl Archive {
    /// Sets all of a session's tags.
    pub async fn set_tags(
        &self,
        session: SessionId,
        tags: Vec<String>,
    ) -> Result<(), ArchiveError> {
        self.write("save the tags", move |tx| set(tx, session, &tags)).await
    }

    /// A session's tags in alphabetical order.
    pub async fn tags(&self, session: SessionId) -> Result<Vec<String>, ArchiveError> {
        self.read(move |c| of_session(c, session)).await
    }

    /// All tags and how many sessions have them, the most used first.
    pub async fn all_tags(&self) -> Result<Vec<TagCount>, ArchiveError> {
        self.read(all).await
    }
}

pub(super) fn set(
    connection: &Connection,
    session: SessionId,
    tags: &[String],
) -> Result<(), ArchiveError> {
    // The session's row in the index has its tags, too.
    let doc = sessions::doc_of(connection, session)?;
    doc.map_or(Ok(()), |doc| search::remove(connection, doc))?;
    let session = session.as_bytes();
    connection.execute("DELETE FROM tags WHERE session = ?1", [session]).map_err(fault(SAVE))?;
    for tag in tags.iter().map(|tag| tag.trim()).filter(|tag| !tag.is_empty()) {
        let sql = "INSERT OR IGNORE INTO tags(tag, session) VALUES(?1, ?2)";
        connection.execute(sql, (tag, session)).map_err(fault(SAVE))?;
    }
    doc.map_or(Ok(()), |doc| search::put(connection, doc))
}

pub(super) fn of_session(
    connection: &Connection,
    session: SessionId,
) -> Result<Vec<String>, ArchiveError> {
    let sql = "SELECT tag FROM tags WHERE session = ?1 ORDER BY tag";
    let mut statement = connection.prepare_cached(sql).map_err(fault(READ))?;
    let tags = statement.query_map([session.as_bytes()], |row| row.get(0)).map_err(fault(READ))?;
    tags.collect::<Result<_, _>>().map_err(fault(READ))
}

pub(super) fn all(connection: &Connection) -> Result<Vec<TagCount>, ArchiveError> {
    let sql = "SELECT tag, count(*) AS used FROM tags GROUP BY tag ORDER BY used DESC, tag";
    let mut statement = connection.prepare_cached(sql).map_err(fault(READ))?;
    let tags = statement
        .query_map([], |row| Ok(TagCount { tag: row.get(0)?, sessions: row.get(1)? }))
        .map_err(fault(READ))?;
    tags.collect::<Result<_, _>>().map_err(fault(READ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::in_memory;

    #[test]
    fn tags_are_a_set_and_counted() {
        let connection = in_memory();
        let (one, two) = (SessionId::from_bytes([1; 16]), SessionId::from_bytes([2; 16]));
        let set = |session, tags: &[&str]| {
            let tags: Vec<String> = tags.iter().map(|&tag| tag.to_owned()).collect();
            super::set(&connection, session, &tags).unwrap();
        };
        set(one, &["vip", " printer ", "", "vip"]);
        set(two, &["x"]);
        set(two, &["vip"]);
        assert_eq!(of_session(&connection, one).unwrap(), ["printer", "vip"]);
        let counted = all(&connection).unwrap();
        let counted: Vec<_> = counted.iter().map(|c| (c.tag.as_str(), c.sessions)).collect();
        assert_eq!(counted, [("vip", 2), ("printer", 1)]);
    }
}
