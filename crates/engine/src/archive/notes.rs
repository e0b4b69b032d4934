//! Technicians' notes on a session. A note's earlier texts are kept with their authors.

use rusqlite::{Connection, OptionalExtension as _, Row};
use rusqlite_migration::M;
use serde::{Deserialize, Serialize};
use session::Timestamp;
use store::fault;

use super::{
    Archive, ArchiveError, READ, damaged,
    doc::{self, Kind},
    search,
};
use crate::SessionId;

pub(super) const TABLE: M<'static> = M::up(
    "CREATE TABLE notes(
         doc INTEGER PRIMARY KEY, session BLOB NOT NULL, kind TEXT NOT NULL, text TEXT NOT NULL,
         by TEXT NOT NULL, at INTEGER NOT NULL, UNIQUE(session, kind));
     CREATE TABLE earlier_notes(
         id INTEGER PRIMARY KEY, session BLOB NOT NULL, kind TEXT NOT NULL, text TEXT NOT NULL,
         by TEXT NOT NULL, at INTEGER NOT NULL);
     CREATE INDEX earlier_notes_of ON earlier_notes(session);",
);

const SAVE: &str = "save the note";

/// A note.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// The note's purpose.
    pub kind: NoteKind,
    /// The whole text.
    pub text: String,
    /// Who wrote it last.
    pub by: String,
    pub at: Timestamp,
}

/// A note's purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoteKind {
    /// Written while working.
    Working,
    /// Written on closing, beside the outcome.
    Closing,
}

impl NoteKind {
    const ALL: [Self; 2] = [Self::Working, Self::Closing];

    fn as_str(self) -> &'static str {
        match self {
            Self::Working => "working",
            Self::Closing => "closing",
        }
    }
}

impl Archive {
    /// Sets a session's note of a kind; an empty text removes it. Earlier texts are kept.
    pub async fn set_note(
        &self,
        session: SessionId,
        kind: NoteKind,
        text: String,
        by: String,
        at: Timestamp,
    ) -> Result<(), ArchiveError> {
        let note = Note { kind, text, by, at };
        self.write("save the note", move |tx| set(tx, session, &note)).await
    }

    /// A session's notes.
    pub async fn notes(&self, session: SessionId) -> Result<Vec<Note>, ArchiveError> {
        self.read(move |c| of_session(c, session)).await
    }

    /// The earlier texts of a session's notes, oldest first.
    pub async fn earlier_notes(&self, session: SessionId) -> Result<Vec<Note>, ArchiveError> {
        self.read(move |c| earlier(c, session)).await
    }
}

pub(super) fn set(
    connection: &Connection,
    session: SessionId,
    note: &Note,
) -> Result<(), ArchiveError> {
    if let Some((doc, old)) = find(connection, session, note.kind)? {
        if old.text == note.text {
            return Ok(());
        }
        let sql = "INSERT INTO earlier_notes(session, kind, text, by, at)
             SELECT session, kind, text, by, at FROM notes WHERE doc = ?1";
        connection.execute(sql, [doc]).map_err(fault(SAVE))?;
        search::remove(connection, doc)?;
        connection.execute("DELETE FROM notes WHERE doc = ?1", [doc]).map_err(fault(SAVE))?;
    }
    if note.text.trim().is_empty() {
        return Ok(());
    }
    let doc = doc::next(connection, Kind::Note, note.at.0, SAVE)?;
    let sql = "INSERT INTO notes(doc, session, kind, text, by, at) VALUES(?1, ?2, ?3, ?4, ?5, ?6)";
    let Note { kind, text, by, at } = note;
    connection
        .execute(sql, (doc, session.as_bytes(), kind.as_str(), text, by, at.0))
        .map_err(fault(SAVE))?;
    search::put(connection, doc)
}

fn find(
    connection: &Connection,
    session: SessionId,
    kind: NoteKind,
) -> Result<Option<(i64, Note)>, ArchiveError> {
    let sql = "SELECT kind, text, by, at, doc FROM notes WHERE session = ?1 AND kind = ?2";
    connection
        .query_row(sql, (session.as_bytes(), kind.as_str()), |row| Ok((row.get(4)?, read(row))))
        .optional()
        .map_err(fault(SAVE))?
        .map(|(doc, note)| Ok((doc, note?)))
        .transpose()
}

pub(super) fn of_session(
    connection: &Connection,
    session: SessionId,
) -> Result<Vec<Note>, ArchiveError> {
    let sql = "SELECT kind, text, by, at FROM notes WHERE session = ?1 ORDER BY doc";
    all(connection, session, sql)
}

pub(super) fn earlier(
    connection: &Connection,
    session: SessionId,
) -> Result<Vec<Note>, ArchiveError> {
    let sql = "SELECT kind, text, by, at FROM earlier_notes WHERE session = ?1 ORDER BY id";
    all(connection, session, sql)
}

fn all(connection: &Connection, session: SessionId, sql: &str) -> Result<Vec<Note>, ArchiveError> {
    let mut statement = connection.prepare_cached(sql).map_err(fault(READ))?;
    let mut rows = statement.query([session.as_bytes()]).map_err(fault(READ))?;
    let mut notes = Vec::new();
    while let Some(row) = rows.next().map_err(fault(READ))? {
        notes.push(read(row)?);
    }
    Ok(notes)
}

fn read(row: &Row<'_>) -> Result<Note, ArchiveError> {
    let kind: String = row.get(0).map_err(fault(READ))?;
    let kind = NoteKind::ALL
        .into_iter()
        .find(|known| known.as_str() == kind)
        .ok_or_else(|| damaged("a note of an unknown kind"))?;
    let columns = |row: &Row<'_>| {
        Ok(Note { kind, text: row.get(1)?, by: row.get(2)?, at: Timestamp(row.get(3)?) })
    };
    columns(row).map_err(fault(READ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::in_memory;

    const ONE: SessionId = SessionId::from_bytes([1; 16]);

    fn note(kind: NoteKind, text: &str, at: i64) -> Note {
        Note { kind, text: text.into(), by: "tess".into(), at: Timestamp(at) }
    }

    #[test]
    fn a_note_is_replaced_and_what_it_said_is_kept() {
        let connection = in_memory();
        let (first, second) = (
            note(NoteKind::Working, "printer jams", 1),
            note(NoteKind::Working, "driver replaced", 2),
        );
        let closing = note(NoteKind::Closing, "done", 3);
        for note in [&first, &second, &second, &closing] {
            set(&connection, ONE, note).unwrap();
        }
        assert_eq!(of_session(&connection, ONE).unwrap(), [second, closing]);
        assert_eq!(earlier(&connection, ONE).unwrap(), [first]);
        let hits = |typed| search::find(&connection, typed, None, 10).unwrap().rows.len();
        assert_eq!((hits("jams"), hits("driver")), (0, 1));
    }

    #[test]
    fn an_emptied_note_is_gone_but_kept_as_an_earlier_one() {
        let connection = in_memory();
        let first = note(NoteKind::Working, "printer jams", 1);
        set(&connection, ONE, &first).unwrap();
        set(&connection, ONE, &note(NoteKind::Working, " ", 2)).unwrap();
        assert_eq!(of_session(&connection, ONE).unwrap(), []);
        assert_eq!(earlier(&connection, ONE).unwrap(), [first]);
    }
}
