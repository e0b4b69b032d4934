//! Messages of which it turns out later that they were written here.

use rusqlite::Connection;
use store::fault;

use super::{Archive, ArchiveError};
use crate::SessionId;

const MARK: &str = "note who wrote a message";

impl Archive {
    /// Notes that a message was written here, if it is archived and its writer isn't known. Whether one was noted.
    ///
    /// # Errors
    /// An [`ArchiveError`].
    pub(crate) async fn mark_own(
        &self,
        session: SessionId,
        guid: String,
    ) -> Result<bool, ArchiveError> {
        self.write(MARK, move |tx| mark(tx, session, &guid)).await
    }
}

fn mark(connection: &Connection, session: SessionId, guid: &str) -> Result<bool, ArchiveError> {
    let sql = "UPDATE messages SET by_console = 1
         WHERE session = ?1 AND guid = ?2 AND NOT (by_customer OR by_console)";
    connection
        .prepare_cached(sql)
        .and_then(|mut update| update.execute((session.as_bytes(), guid)))
        .map(|changed| changed > 0)
        .map_err(fault(MARK))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::{
        Writer, in_memory,
        messages::{of_session, sample, save},
    };

    #[test]
    fn a_message_is_noted_as_ones_own_once_and_in_its_session_only() {
        let connection = in_memory();
        let (one, two) = (SessionId::from_bytes([1; 16]), SessionId::from_bytes([2; 16]));
        save(&connection, one, vec![sample("a", 0, "Anna", "hello")]).unwrap();
        save(&connection, two, vec![sample("a", 0, "Anna", "hello")]).unwrap();
        assert!(mark(&connection, one, "a").unwrap());
        assert!(!mark(&connection, one, "a").unwrap());
        assert!(!mark(&connection, one, "b").unwrap());
        let writer = |session| of_session(&connection, session).unwrap()[0].writer;
        assert_eq!((writer(one), writer(two)), (Some(Writer::Console), None));
    }
}
