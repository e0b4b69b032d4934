//! Why each session is in its region: the race and its result, as JSON.

use rusqlite::{Connection, OptionalExtension as _};
use rusqlite_migration::M;
use session::region::Choice;
use store::fault;

use super::{Archive, ArchiveError, READ, damaged};
use crate::SessionId;

pub(super) const TABLE: M<'static> =
    M::up("CREATE TABLE regions(session BLOB PRIMARY KEY, choice TEXT NOT NULL) WITHOUT ROWID;");

impl Archive {
    /// Keeps why a session is in its region.
    pub async fn save_region(
        &self,
        session: SessionId,
        choice: Choice,
    ) -> Result<(), ArchiveError> {
        self.write("save the choice of region", move |tx| save(tx, session, &choice)).await
    }

    /// Why a session is in its region.
    pub async fn region(&self, session: SessionId) -> Result<Option<Choice>, ArchiveError> {
        self.read(move |c| of_session(c, session)).await
    }
}

pub(super) fn save(
    connection: &Connection,
    session: SessionId,
    choice: &Choice,
) -> Result<(), ArchiveError> {
    let choice = serde_json::to_string(choice).map_err(damaged)?;
    let sql = "INSERT INTO regions(session, choice) VALUES(?1, ?2)
         ON CONFLICT(session) DO UPDATE SET choice = ?2";
    connection
        .execute(sql, (session.as_bytes(), choice))
        .map(drop)
        .map_err(fault("save the choice of region"))
}

pub(super) fn of_session(
    connection: &Connection,
    session: SessionId,
) -> Result<Option<Choice>, ArchiveError> {
    let sql = "SELECT choice FROM regions WHERE session = ?1";
    let choice: Option<String> = connection
        .query_row(sql, [session.as_bytes()], |row| row.get(0))
        .optional()
        .map_err(fault(READ))?;
    let read = |text: String| serde_json::from_str(&text);
    choice.map(read).transpose().map_err(|_| damaged("a choice of an unknown form"))
}

#[cfg(test)]
mod tests {
    use session::region::Reason;

    use super::*;
    use crate::archive::in_memory;

    #[test]
    fn the_newest_choice_is_kept() {
        let connection = in_memory();
        let session = SessionId::from_bytes([1; 16]);
        assert_eq!(of_session(&connection, session).unwrap(), None);
        let choice = |region: &str| Choice {
            region: region.parse().unwrap(),
            reason: Reason::ByHand,
            lanes: Vec::new(),
            took_us: 7,
        };
        for region in ["us-east-1", "eu-west-1"] {
            save(&connection, session, &choice(region)).unwrap();
        }
        assert_eq!(of_session(&connection, session).unwrap(), Some(choice("eu-west-1")));
    }
}
