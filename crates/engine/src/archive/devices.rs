//! Devices that were looked up for a session: the chat workspace's answer, who looked it up,
//! and when.

use rusqlite::{Connection, Row, params};
use rusqlite_migration::M;
use session::Timestamp;
use store::fault;
use wire::rocketchat::{Device, DeviceSession, Os, Person};

use super::{Archive, ArchiveError, READ};
use crate::SessionId;

pub(super) const TABLE: M<'static> = M::up(
    "CREATE TABLE devices(
         id INTEGER PRIMARY KEY, session BLOB NOT NULL, login_session TEXT NOT NULL,
         user_id TEXT NOT NULL, kind TEXT NOT NULL, app TEXT NOT NULL, version TEXT NOT NULL,
         long_version TEXT NOT NULL, os TEXT NOT NULL, os_version TEXT NOT NULL, host TEXT NOT NULL,
         ip TEXT NOT NULL, login_at TEXT NOT NULL, name TEXT NOT NULL, username TEXT NOT NULL,
         looked_up_at INTEGER NOT NULL, by TEXT NOT NULL, logged_out_at INTEGER,
         UNIQUE(session, login_session));",
);

const SAVE: &str = "save the device";

/// A device that was looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LookedUp {
    /// The workspace's answer: untrusted text.
    pub found: DeviceSession,
    pub at: Timestamp,
    /// The person who looked it up.
    pub by: String,
    /// When it was logged out from here; none if it wasn't.
    pub logged_out_at: Option<Timestamp>,
}

impl Archive {
    /// Pins a device to a session; an earlier row of the same login session there is replaced.
    pub async fn pin_device(
        &self,
        session: SessionId,
        device: LookedUp,
    ) -> Result<(), ArchiveError> {
        self.write("save the device", move |tx| pin(tx, session, &device)).await
    }

    /// Notes, wherever it is pinned, that a login session was logged out from here.
    pub async fn device_logged_out(
        &self,
        login_session: &str,
        at: Timestamp,
    ) -> Result<(), ArchiveError> {
        let login_session = login_session.to_owned();
        self.write("save the device", move |tx| logged_out(tx, &login_session, at)).await
    }
}

/// Pins a device; an earlier row of the same login session is replaced.
pub(super) fn pin(
    connection: &Connection,
    session: SessionId,
    looked_up: &LookedUp,
) -> Result<(), ArchiveError> {
    let LookedUp { found, at, by, logged_out_at } = looked_up;
    let Device { kind, name, long_version, os, version } = &found.device;
    let sql = "INSERT OR REPLACE INTO devices(session, login_session, user_id, kind, app, version,
             long_version, os, os_version, host, ip, login_at, name, username, looked_up_at, by,
             logged_out_at)
         VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)";
    let row = params![
        session.as_bytes(),
        found.session_id,
        found.user_id,
        kind,
        name,
        version,
        long_version,
        os.name,
        os.version,
        found.host,
        found.ip,
        found.login_at,
        found.user.name,
        found.user.username,
        at.0,
        by,
        logged_out_at.map(|at| at.0),
    ];
    connection.execute(sql, row).map(drop).map_err(fault(SAVE))
}

/// Notes, wherever it is pinned, that a login session was logged out.
pub(super) fn logged_out(
    connection: &Connection,
    login_session: &str,
    at: Timestamp,
) -> Result<(), ArchiveError> {
    let sql = "UPDATE devices SET logged_out_at = ?2
         WHERE login_session = ?1 AND logged_out_at IS NULL";
    connection.execute(sql, (login_session, at.0)).map(drop).map_err(fault(SAVE))
}

/// In the order in which they were looked up.
pub(super) fn of_session(
    connection: &Connection,
    session: SessionId,
) -> Result<Vec<LookedUp>, ArchiveError> {
    let sql =
        "SELECT login_session, user_id, kind, app, version, long_version, os, os_version, host,
             ip, login_at, name, username, looked_up_at, by, logged_out_at
         FROM devices WHERE session = ?1 ORDER BY id";
    let mut statement = connection.prepare_cached(sql).map_err(fault(READ))?;
    let rows = statement.query_map([session.as_bytes()], read).map_err(fault(READ))?;
    rows.collect::<Result<_, _>>().map_err(fault(READ))
}

fn read(row: &Row<'_>) -> rusqlite::Result<LookedUp> {
    Ok(LookedUp {
        found: DeviceSession {
            session_id: row.get(0)?,
            user_id: row.get(1)?,
            device: Device {
                kind: row.get(2)?,
                name: row.get(3)?,
                version: row.get(4)?,
                long_version: row.get(5)?,
                os: Os { name: row.get(6)?, version: row.get(7)? },
            },
            host: row.get(8)?,
            ip: row.get(9)?,
            login_at: row.get(10)?,
            user: Person { name: row.get(11)?, username: row.get(12)? },
        },
        at: Timestamp(row.get(13)?),
        by: row.get(14)?,
        logged_out_at: row.get::<_, Option<i64>>(15)?.map(Timestamp),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::in_memory;

    fn looked_up(login_session: &str, at: i64) -> LookedUp {
        let text = format!(
            r#"{{"sessionId":"{login_session}","device":{{"name":"Chrome"}},"_user":{{"name":"田中 浩"}}}}"#
        );
        let found = serde_json::from_str(&text).unwrap();
        LookedUp { found, at: Timestamp(at), by: "tess".into(), logged_out_at: None }
    }

    #[test]
    fn a_login_session_is_pinned_once_and_newest_is_what_counts() {
        let connection = in_memory();
        let (one, two) = (SessionId::from_bytes([1; 16]), SessionId::from_bytes([2; 16]));
        for (session, login_session, at) in
            [(one, "a", 1), (one, "b", 2), (one, "a", 3), (two, "a", 4)]
        {
            pin(&connection, session, &looked_up(login_session, at)).unwrap();
        }
        assert_eq!(of_session(&connection, one).unwrap(), [looked_up("b", 2), looked_up("a", 3)]);
        logged_out(&connection, "a", Timestamp(5)).unwrap();
        let out = of_session(&connection, two).unwrap();
        assert_eq!(out[0].logged_out_at, Some(Timestamp(5)));
        assert_eq!(of_session(&connection, one).unwrap()[0].logged_out_at, None);
    }
}
