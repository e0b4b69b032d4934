//! A session's verifications and their outcomes: who asked, whom, and when. Never a code.

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension as _};
use rusqlite_migration::M;
use session::{Timestamp, Verification, verification::Override};
use store::fault;

use super::{Archive, ArchiveError, READ, damaged};
use crate::SessionId;

pub(super) const TABLE: M<'static> = M::up(
    "CREATE TABLE verifications(
         session BLOB NOT NULL, id INTEGER NOT NULL, verification TEXT NOT NULL,
         PRIMARY KEY(session, id)) WITHOUT ROWID;
     CREATE TABLE overrides(session BLOB PRIMARY KEY, override TEXT NOT NULL) WITHOUT ROWID;",
);

/// A verification belongs to a PIN that is good, and none is for longer.
const LONGEST_SESSION: Duration = Duration::from_secs(30 * 86_400);
const SAVE: &str = "archive the verifications";

impl Archive {
    /// What was asked of people since then, for the brake on asking them again.
    pub(crate) async fn verifications_since(
        &self,
        at: Timestamp,
    ) -> Result<Vec<(SessionId, Verification)>, ArchiveError> {
        self.read(move |connection| since(connection, at)).await
    }

    /// Updates the stored verifications and the override of a session.
    pub async fn save_verifications(
        &self,
        session: SessionId,
        verifications: Vec<Verification>,
        overridden: Option<Override>,
    ) -> Result<(), ArchiveError> {
        self.write(SAVE, move |tx| save(tx, session, &verifications, overridden.as_ref())).await
    }
}

pub(super) fn save(
    connection: &Connection,
    session: SessionId,
    verifications: &[Verification],
    overridden: Option<&Override>,
) -> Result<(), ArchiveError> {
    let sql = "INSERT OR REPLACE INTO verifications(session, id, verification) VALUES(?1, ?2, ?3)";
    let mut insert = connection.prepare_cached(sql).map_err(fault(SAVE))?;
    for verification in verifications {
        let text = serde_json::to_string(verification).map_err(damaged)?;
        insert.execute((session.as_bytes(), verification.id, text)).map_err(fault(SAVE))?;
    }
    if let Some(overridden) = overridden {
        let text = serde_json::to_string(overridden).map_err(damaged)?;
        let sql = "INSERT OR REPLACE INTO overrides(session, override) VALUES(?1, ?2)";
        connection.execute(sql, (session.as_bytes(), text)).map_err(fault(SAVE))?;
    }
    Ok(())
}

/// What was asked of people since then, in sessions that began at most [`LONGEST_SESSION`] earlier.
fn since(
    connection: &Connection,
    since: Timestamp,
) -> Result<Vec<(SessionId, Verification)>, ArchiveError> {
    let sql = "SELECT v.session, v.verification FROM verifications v
                JOIN sessions s ON s.id = v.session WHERE s.created > ?1";
    let mut statement = connection.prepare(sql).map_err(fault(READ))?;
    let longest = i64::try_from(LONGEST_SESSION.as_millis()).unwrap_or(i64::MAX);
    let rows = statement.query_map([since.0.saturating_sub(longest)], |row| {
        Ok((row.get::<_, [u8; 16]>(0)?, row.get::<_, String>(1)?))
    });
    let rows: Vec<_> = rows.map_err(fault(READ))?.collect::<Result<_, _>>().map_err(fault(READ))?;
    let read = |(session, text): ([u8; 16], String)| {
        let verification: Verification = serde_json::from_str(&text)
            .map_err(|_| damaged("a verification of an unknown form"))?;
        Ok((SessionId::from_bytes(session), verification))
    };
    let all: Vec<_> = rows.into_iter().map(read).collect::<Result<_, ArchiveError>>()?;
    Ok(all.into_iter().filter(|(_, v)| v.at > since).collect())
}

/// Oldest first.
pub(super) fn of_session(
    connection: &Connection,
    session: SessionId,
) -> Result<Vec<Verification>, ArchiveError> {
    let sql = "SELECT verification FROM verifications WHERE session = ?1 ORDER BY id";
    let mut statement = connection.prepare_cached(sql).map_err(fault(READ))?;
    let rows = statement.query_map([session.as_bytes()], |row| row.get::<_, String>(0));
    let texts: Vec<String> =
        rows.map_err(fault(READ))?.collect::<Result<_, _>>().map_err(fault(READ))?;
    let read = |text: &String| {
        serde_json::from_str(text).map_err(|_| damaged("a verification of an unknown form"))
    };
    texts.iter().map(read).collect()
}

pub(super) fn overridden(
    connection: &Connection,
    session: SessionId,
) -> Result<Option<Override>, ArchiveError> {
    let sql = "SELECT override FROM overrides WHERE session = ?1";
    let text: Option<String> = connection
        .query_row(sql, [session.as_bytes()], |row| row.get(0))
        .optional()
        .map_err(fault(READ))?;
    let read = |text: String| {
        serde_json::from_str(&text).map_err(|_| damaged("an override of an unknown form"))
    };
    text.map(read).transpose()
}

#[cfg(test)]
mod tests {
    use session::{
        Failure,
        verification::{Cause, Method, Status, Subject, VerificationOutcome, VerificationRequest},
    };

    use super::*;
    use crate::archive::in_memory;

    fn verification(id: u32, end: VerificationOutcome) -> Verification {
        let asked = VerificationRequest {
            who: Subject::Customer,
            user: "maria.lopez".into(),
            by_id: false,
            how: Method::Push,
            by: "anna".into(),
            reason: "printer".into(),
            shown: vec![("Technician".into(), "anna".into())],
            denied_before: None,
        };
        let status = Status::Ended { at: Timestamp(9), end };
        Verification { id, asked, at: Timestamp(5), status }
    }

    #[test]
    fn a_verification_is_kept_as_it_ended_and_an_override_as_it_was_signed() {
        let connection = in_memory();
        let (one, two) = (SessionId::from_bytes([1; 16]), SessionId::from_bytes([2; 16]));
        let failure = Failure::Faulty { status: 503 };
        let failed =
            verification(2, VerificationOutcome::Failed { cause: Cause::Call { failure } });
        save(&connection, one, &[verification(1, VerificationOutcome::Approved)], None).unwrap();
        let all = [verification(1, VerificationOutcome::Denied), failed];
        let overridden =
            Override { by: "anna".into(), at: Timestamp(7), reason: "known voice".into() };
        save(&connection, one, &all, Some(&overridden)).unwrap();
        assert_eq!(of_session(&connection, one).unwrap(), all);
        assert_eq!(super::overridden(&connection, one).unwrap(), Some(overridden));
        assert_eq!(of_session(&connection, two).unwrap(), []);
        assert_eq!(super::overridden(&connection, two).unwrap(), None);
    }
}
