//! The timeline: a copy of the journal's events, each once by its sequence.

use rusqlite::Connection;
use rusqlite_migration::M;
use session::Timestamp;
use store::fault;

use super::{Archive, ArchiveError, READ, damaged};
use crate::{SessionId, journal::EventRecord};

pub(super) const TABLE: M<'static> = M::up(
    "CREATE TABLE happenings(
         seq INTEGER PRIMARY KEY, session BLOB NOT NULL, at INTEGER NOT NULL, event TEXT NOT NULL);
     CREATE INDEX happenings_of ON happenings(session);",
);

const SAVE: &str = "archive what happened";

impl Archive {
    /// Copies events from the journal, each once by its sequence.
    pub async fn save_events(&self, events: Vec<EventRecord>) -> Result<(), ArchiveError> {
        self.write("archive what happened", move |tx| save(tx, &events)).await
    }

    /// A session's events, in order.
    pub async fn events_of(&self, session: SessionId) -> Result<Vec<EventRecord>, ArchiveError> {
        self.read(move |c| of_session(c, session)).await
    }

    /// The newest event that was copied; 0 before the first.
    pub async fn last_event(&self) -> Result<u64, ArchiveError> {
        self.read(last).await
    }
}

pub(super) fn save(connection: &Connection, events: &[EventRecord]) -> Result<(), ArchiveError> {
    let sql = "INSERT OR IGNORE INTO happenings(seq, session, at, event) VALUES(?1, ?2, ?3, ?4)";
    let mut insert = connection.prepare_cached(sql).map_err(fault(SAVE))?;
    for EventRecord { seq, session, at, event } in events {
        let event = serde_json::to_string(event).map_err(damaged)?;
        insert.execute((seq, session.as_bytes(), at.0, event)).map_err(fault(SAVE))?;
    }
    Ok(())
}

pub(super) fn of_session(
    connection: &Connection,
    session: SessionId,
) -> Result<Vec<EventRecord>, ArchiveError> {
    let sql = "SELECT seq, at, event FROM happenings WHERE session = ?1 ORDER BY seq";
    let mut statement = connection.prepare_cached(sql).map_err(fault(READ))?;
    let mut rows = statement.query([session.as_bytes()]).map_err(fault(READ))?;
    let mut found = Vec::new();
    while let Some(row) = rows.next().map_err(fault(READ))? {
        let event: String = row.get(2).map_err(fault(READ))?;
        let event =
            serde_json::from_str(&event).map_err(|_| damaged("an event of an unknown form"))?;
        let (seq, at) = (row.get(0).map_err(fault(READ))?, row.get(1).map_err(fault(READ))?);
        found.push(EventRecord { seq, session, at: Timestamp(at), event });
    }
    Ok(found)
}

pub(super) fn last(connection: &Connection) -> Result<u64, ArchiveError> {
    connection
        .query_row("SELECT max(seq) FROM happenings", [], |row| row.get::<_, Option<u64>>(0))
        .map(Option::unwrap_or_default)
        .map_err(fault(READ))
}

#[cfg(test)]
mod tests {
    use session::{Event, LifeEvent, PresenceEvent};

    use super::*;
    use crate::archive::in_memory;

    #[test]
    fn an_event_copied_twice_is_there_once() {
        let connection = in_memory();
        let session = SessionId::from_bytes([1; 16]);
        let record = |seq, event| EventRecord { seq, session, at: Timestamp(5), event };
        let all = [
            record(1, Event::Life(LifeEvent::Created)),
            record(
                4,
                Event::Presence(PresenceEvent::PresenterOffline { overtaken: None, left: None }),
            ),
        ];
        save(&connection, &all[..1]).unwrap();
        save(&connection, &all).unwrap();
        assert_eq!(of_session(&connection, session).unwrap(), all);
        assert_eq!(last(&connection).unwrap(), 4);
    }
}
