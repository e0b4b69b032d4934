//! LoginTC's tables and their SQL.

use std::time::Duration;

use rusqlite::{OptionalExtension as _, Row, Transaction};
use serve::Millis;
use wire::logintc::{Attribute, PushState, UserRef};

use crate::keys::{self, DIGITS, HEX};

/// How long a session can be asked about and answered (our assumption).
pub(super) const SESSION_LIFE: Duration = Duration::from_secs(5 * 60);
/// How long a code that was sent by e-mail is good (our assumption).
const MAILED_LIFE: Duration = Duration::from_secs(10 * 60);

pub(crate) const TABLES: &str = "
CREATE TABLE logintc_settings(name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE logintc_users(
  id TEXT PRIMARY KEY,
  username TEXT NOT NULL UNIQUE,
  device INTEGER NOT NULL,
  otp TEXT NOT NULL
);
CREATE TABLE logintc_codes(
  user TEXT NOT NULL REFERENCES logintc_users(id),
  kind TEXT NOT NULL CHECK (kind IN ('bypass', 'mailed')),
  code TEXT NOT NULL,
  until INTEGER,
  PRIMARY KEY (user, kind, code)
);
CREATE TABLE logintc_sessions(
  id TEXT PRIMARY KEY,
  user TEXT NOT NULL REFERENCES logintc_users(id),
  push INTEGER NOT NULL,
  state TEXT NOT NULL,
  attributes TEXT NOT NULL,
  made INTEGER NOT NULL
);";

pub(super) struct User {
    pub id: String,
    pub username: String,
    /// Whether there is a phone to push to.
    pub device: bool,
    /// The one-time password that the device shows; it changes when it is used.
    pub otp: String,
}

/// A session as the phone shows it.
pub(super) struct Push {
    pub id: String,
    pub user: String,
    pub username: String,
    pub attributes: Vec<Attribute>,
    pub state: PushState,
    pub made: Millis,
}

/// A kind of code that is good without a device.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Bypass,
    Mailed,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Bypass => "bypass",
            Self::Mailed => "mailed",
        }
    }
}

/// Whether a setting is on.
pub(super) fn is_on(tx: &Transaction<'_>, setting: &'static str) -> rusqlite::Result<bool> {
    let sql = "SELECT value = 'on' FROM logintc_settings WHERE name = ?1";
    Ok(tx.query_row(sql, [setting], |row| row.get(0)).optional()?.unwrap_or(false))
}

pub(super) fn set_flag(
    tx: &Transaction<'_>,
    setting: &'static str,
    on: bool,
) -> rusqlite::Result<()> {
    let sql = "INSERT OR REPLACE INTO logintc_settings(name, value) VALUES (?1, ?2)";
    tx.execute(sql, (setting, if on { "on" } else { "off" })).map(drop)
}

/// The new user's id; none if the name is taken.
pub(super) fn add_user(
    tx: &Transaction<'_>,
    username: &str,
    device: bool,
) -> rusqlite::Result<Option<String>> {
    let id = keys::random(HEX, 40);
    let sql =
        "INSERT OR IGNORE INTO logintc_users(id, username, device, otp) VALUES (?1, ?2, ?3, ?4)";
    let added = tx.execute(sql, (&id, username, device, keys::random(DIGITS, 6)))?;
    Ok((added == 1).then_some(id))
}

/// False if there is no such user.
pub(super) fn set_device(tx: &Transaction<'_>, id: &str, device: bool) -> rusqlite::Result<bool> {
    let sql = "UPDATE logintc_users SET device = ?2 WHERE id = ?1";
    Ok(tx.execute(sql, (id, device))? == 1)
}

pub(super) fn users(tx: &Transaction<'_>) -> rusqlite::Result<Vec<User>> {
    let sql = "SELECT id, username, device, otp FROM logintc_users ORDER BY username";
    tx.prepare(sql)?.query_map([], read_user)?.collect()
}

/// By id where one is given, else by name.
pub(super) fn user(tx: &Transaction<'_>, request: &UserRef) -> rusqlite::Result<Option<User>> {
    let (column, value) = match (&request.id, &request.username) {
        (Some(id), _) => ("id", id),
        (None, Some(username)) => ("username", username),
        (None, None) => return Ok(None),
    };
    let sql = format!("SELECT id, username, device, otp FROM logintc_users WHERE {column} = ?1");
    tx.query_row(&sql, [value], read_user).optional()
}

fn read_user(row: &Row<'_>) -> rusqlite::Result<User> {
    Ok(User { id: row.get(0)?, username: row.get(1)?, device: row.get(2)?, otp: row.get(3)? })
}

/// Makes a bypass code of 9 digits, or a one-time password of 8 to be mailed.
pub(super) fn add_code(
    tx: &Transaction<'_>,
    user: &str,
    kind: Kind,
    now: Millis,
) -> rusqlite::Result<String> {
    let (length, until) = match kind {
        Kind::Bypass => (9, None),
        Kind::Mailed => (8, Some(now.after(MAILED_LIFE).0)),
    };
    let code = keys::random(DIGITS, length);
    let sql = "INSERT INTO logintc_codes(user, kind, code, until) VALUES (?1, ?2, ?3, ?4)";
    tx.execute(sql, (user, kind.name(), &code, until))?;
    Ok(code)
}

/// The codes that are still good.
pub(super) fn codes(
    tx: &Transaction<'_>,
    user: &str,
    kind: Kind,
    now: Millis,
) -> rusqlite::Result<Vec<String>> {
    let sql = "SELECT code FROM logintc_codes
               WHERE user = ?1 AND kind = ?2 AND (until IS NULL OR until > ?3) ORDER BY rowid";
    tx.prepare(sql)?.query_map((user, kind.name(), now.0), |row| row.get(0))?.collect()
}

/// Uses a code up; false if it was not good.
pub(super) fn spend_code(
    tx: &Transaction<'_>,
    user: &str,
    kind: Kind,
    code: &str,
    now: Millis,
) -> rusqlite::Result<bool> {
    let sql = "DELETE FROM logintc_codes
               WHERE user = ?1 AND kind = ?2 AND code = ?3 AND (until IS NULL OR until > ?4)";
    Ok(tx.execute(sql, (user, kind.name(), code, now.0))? == 1)
}

/// Uses up the one-time password that a device shows; false if it was not good. The device then shows another.
pub(super) fn spend_otp(tx: &Transaction<'_>, user: &str, otp: &str) -> rusqlite::Result<bool> {
    let sql = "UPDATE logintc_users SET otp = ?3 WHERE id = ?1 AND otp = ?2 AND device";
    // A new password that equals the old one would make the old one good twice.
    let next = std::iter::repeat_with(|| keys::random(DIGITS, 6)).find(|next| next != otp);
    Ok(tx.execute(sql, (user, otp, next))? == 1)
}

/// Makes a session and forgets those whose time is over.
pub(super) fn add_session(
    tx: &Transaction<'_>,
    user: &str,
    attributes: &[Attribute],
    (push, state): (bool, PushState),
    now: Millis,
) -> rusqlite::Result<String> {
    // Here and not by a timer: the sandbox has none, and its clock can be moved at any time.
    let oldest = now.0 - life();
    tx.execute("DELETE FROM logintc_sessions WHERE made <= ?1", [oldest])?;
    let id = keys::random(HEX, 40);
    let attributes = serde_json::to_string(attributes).unwrap_or_default();
    let sql = "INSERT INTO logintc_sessions(id, user, push, state, attributes, made)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    tx.execute(sql, (&id, user, push, String::from(state), attributes, now.0))?;
    Ok(id)
}

pub(super) fn state(
    tx: &Transaction<'_>,
    session: &str,
    now: Millis,
) -> rusqlite::Result<Option<PushState>> {
    let sql = "SELECT state FROM logintc_sessions WHERE id = ?1 AND made > ?2";
    let state = tx.query_row(sql, (session, now.0 - life()), |row| row.get::<_, String>(0));
    Ok(state.optional()?.map(PushState::from))
}

/// Cancels a session; false if there is none or its time is over.
pub(super) fn cancel(tx: &Transaction<'_>, session: &str, now: Millis) -> rusqlite::Result<bool> {
    let sql = "DELETE FROM logintc_sessions WHERE id = ?1 AND made > ?2";
    Ok(tx.execute(sql, (session, now.0 - life()))? == 1)
}

/// The phone's answer: false if the session is gone, or was answered before.
pub(super) fn answer(
    tx: &Transaction<'_>,
    session: &str,
    approve: bool,
    now: Millis,
) -> rusqlite::Result<bool> {
    let sql = "UPDATE logintc_sessions SET state = ?3
               WHERE id = ?1 AND made > ?2 AND push AND state = 'pending'";
    let state = String::from(if approve { PushState::Approved } else { PushState::Denied });
    Ok(tx.execute(sql, (session, now.0 - life(), state))? == 1)
}

/// What phones show: pushes whose time isn't over, the newest first.
pub(super) fn pushes(tx: &Transaction<'_>, now: Millis) -> rusqlite::Result<Vec<Push>> {
    let sql = "SELECT s.id, s.user, u.username, s.attributes, s.state, s.made
               FROM logintc_sessions s JOIN logintc_users u ON u.id = s.user
               WHERE s.push AND s.made > ?1 ORDER BY s.made DESC, s.rowid DESC";
    let push = |row: &Row<'_>| {
        Ok(Push {
            id: row.get(0)?,
            user: row.get(1)?,
            username: row.get(2)?,
            attributes: serde_json::from_str(&row.get::<_, String>(3)?).unwrap_or_default(),
            state: PushState::from(row.get::<_, String>(4)?),
            made: Millis(row.get(5)?),
        })
    };
    tx.prepare(sql)?.query_map([now.0 - life()], push)?.collect()
}

fn life() -> i64 {
    i64::try_from(SESSION_LIFE.as_millis()).unwrap_or(i64::MAX)
}
