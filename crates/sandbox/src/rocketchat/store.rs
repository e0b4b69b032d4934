//! Rocket.Chat's tables and their SQL: people, tokens, second factors, grants, login sessions.

use regex::{Regex, RegexBuilder};
use ring::digest;
use rusqlite::{OptionalExtension as _, Row, Transaction, params};
use serve::Millis;
use wire::rocketchat::{Device, DeviceSession, Os, Person as Owner};

pub(crate) const TABLES: &str = "
    CREATE TABLE rocketchat_settings(name TEXT PRIMARY KEY, value TEXT NOT NULL);
    CREATE TABLE rocketchat_users(
        id TEXT PRIMARY KEY, username TEXT NOT NULL UNIQUE, name TEXT NOT NULL, email TEXT NOT NULL,
        role TEXT NOT NULL, factor TEXT NOT NULL, totp BLOB NOT NULL, password TEXT);
    CREATE TABLE rocketchat_tokens(
        hash TEXT PRIMARY KEY, user TEXT NOT NULL REFERENCES rocketchat_users(id),
        remembered_until INTEGER NOT NULL DEFAULT 0, remembered_for TEXT NOT NULL DEFAULT '');
    CREATE TABLE rocketchat_backup_codes(
        user TEXT NOT NULL REFERENCES rocketchat_users(id), code TEXT NOT NULL,
        PRIMARY KEY(user, code)) WITHOUT ROWID;
    CREATE TABLE rocketchat_mailed_codes(
        user TEXT PRIMARY KEY REFERENCES rocketchat_users(id), code TEXT NOT NULL,
        expires INTEGER NOT NULL);
    CREATE TABLE rocketchat_grants(
        role TEXT NOT NULL, permission TEXT NOT NULL, PRIMARY KEY(role, permission)) WITHOUT ROWID;
    CREATE TABLE rocketchat_sessions(
        id TEXT PRIMARY KEY, user TEXT NOT NULL REFERENCES rocketchat_users(id),
        token TEXT NOT NULL, kind TEXT NOT NULL, app TEXT NOT NULL, version TEXT NOT NULL,
        long_version TEXT NOT NULL, os TEXT NOT NULL, os_version TEXT NOT NULL, host TEXT NOT NULL,
        ip TEXT NOT NULL, login_at INTEGER NOT NULL, logged_out_at INTEGER, logged_out_by TEXT,
        search TEXT NOT NULL);
    CREATE INDEX rocketchat_sessions_by_time ON rocketchat_sessions(login_at);
    CREATE INDEX rocketchat_sessions_of ON rocketchat_sessions(user);";

type Tx<'a> = Transaction<'a>;
type SqlResult<T> = rusqlite::Result<T>;

/// Somebody who can log in.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub id: String,
    pub username: String,
    pub name: String,
    pub email: String,
    pub role: String,
    pub factor: String,
    pub totp: Vec<u8>,
    /// The hash of a password's SHA-256, see [`super::people`]; none for who has none.
    pub password: Option<String>,
}

const PERSON: &str = "id, username, name, email, role, factor, totp, password";

pub(crate) fn put_person(tx: &Tx<'_>, person: &Person) -> SqlResult<()> {
    let sql = format!(
        "INSERT INTO rocketchat_users({PERSON}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
         ON CONFLICT DO NOTHING"
    );
    let Person { id, username, name, email, role, factor, totp, password } = person;
    tx.execute(&sql, params![id, username, name, email, role, factor, totp, password]).map(drop)
}

/// The person whose `column` (one of ours, never a request's) is this.
pub(crate) fn person(tx: &Tx<'_>, column: &'static str, is: &str) -> SqlResult<Option<Person>> {
    let sql = format!("SELECT {PERSON} FROM rocketchat_users WHERE {column} = ?1");
    tx.query_row(&sql, [is], read_person).optional()
}

pub(crate) fn people(tx: &Tx<'_>) -> SqlResult<Vec<Person>> {
    let sql = format!("SELECT {PERSON} FROM rocketchat_users ORDER BY username");
    tx.prepare(&sql)?.query_map([], read_person)?.collect()
}

pub(crate) fn set_factor(tx: &Tx<'_>, user: &str, factor: &str) -> SqlResult<()> {
    let sql = "UPDATE rocketchat_users SET factor = ?2 WHERE id = ?1";
    tx.execute(sql, (user, factor)).map(drop)
}

pub(crate) fn set_password(tx: &Tx<'_>, user: &str, hash: Option<&str>) -> SqlResult<()> {
    let sql = "UPDATE rocketchat_users SET password = ?2 WHERE id = ?1";
    tx.execute(sql, (user, hash)).map(drop)
}

fn read_person(row: &Row<'_>) -> SqlResult<Person> {
    Ok(Person {
        id: row.get(0)?,
        username: row.get(1)?,
        name: row.get(2)?,
        email: row.get(3)?,
        role: row.get(4)?,
        factor: row.get(5)?,
        totp: row.get(6)?,
        password: row.get(7)?,
    })
}

/// The hash of a token, which is all that is stored of it.
pub(crate) fn hash(token: &str) -> String {
    let hash = digest::digest(&digest::SHA256, token.as_bytes());
    data_encoding::HEXLOWER.encode(hash.as_ref())
}

pub(crate) fn put_token(tx: &Tx<'_>, user: &str, hash: &str) -> SqlResult<()> {
    let sql = "INSERT INTO rocketchat_tokens(hash, user) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
    tx.execute(sql, (hash, user)).map(drop)
}

pub(crate) fn drop_token(tx: &Tx<'_>, hash: &str) -> SqlResult<()> {
    tx.execute("DELETE FROM rocketchat_tokens WHERE hash = ?1", [hash]).map(drop)
}

pub(crate) fn has_token(tx: &Tx<'_>, user: &str, hash: &str) -> SqlResult<bool> {
    let sql = "SELECT 1 FROM rocketchat_tokens WHERE hash = ?1 AND user = ?2";
    Ok(tx.query_row(sql, (hash, user), |_| Ok(())).optional()?.is_some())
}

pub(crate) fn remember(tx: &Tx<'_>, hash: &str, fingerprint: &str, until: Millis) -> SqlResult<()> {
    let sql = "UPDATE rocketchat_tokens SET remembered_until = ?2, remembered_for = ?3
               WHERE hash = ?1";
    tx.execute(sql, (hash, until.0, fingerprint)).map(drop)
}

pub(crate) fn is_remembered(
    tx: &Tx<'_>,
    hash: &str,
    fingerprint: &str,
    now: Millis,
) -> SqlResult<bool> {
    let sql = "SELECT 1 FROM rocketchat_tokens
               WHERE hash = ?1 AND remembered_for = ?2 AND remembered_until >= ?3";
    Ok(tx.query_row(sql, (hash, fingerprint, now.0), |_| Ok(())).optional()?.is_some())
}

pub(crate) fn put_backup_code(tx: &Tx<'_>, user: &str, code: &str) -> SqlResult<()> {
    let sql = "INSERT INTO rocketchat_backup_codes(user, code) VALUES (?1, ?2)";
    tx.execute(sql, (user, code)).map(drop)
}

pub(crate) fn backup_codes(tx: &Tx<'_>, user: &str) -> SqlResult<Vec<String>> {
    let sql = "SELECT code FROM rocketchat_backup_codes WHERE user = ?1 ORDER BY code";
    tx.prepare(sql)?.query_map([user], |row| row.get(0))?.collect()
}

/// Uses a backup code up; false if the person has no such code.
pub(crate) fn use_backup_code(tx: &Tx<'_>, user: &str, code: &str) -> SqlResult<bool> {
    let sql = "DELETE FROM rocketchat_backup_codes WHERE user = ?1 AND code = ?2";
    Ok(tx.execute(sql, (user, code))? == 1)
}

/// The code that was mailed and is still good.
pub(crate) fn mailed_code(tx: &Tx<'_>, user: &str, now: Millis) -> SqlResult<Option<String>> {
    let sql = "SELECT code FROM rocketchat_mailed_codes WHERE user = ?1 AND expires > ?2";
    tx.query_row(sql, (user, now.0), |row| row.get(0)).optional()
}

pub(crate) fn mail_code(tx: &Tx<'_>, user: &str, code: &str, expires: Millis) -> SqlResult<()> {
    let sql = "INSERT OR REPLACE INTO rocketchat_mailed_codes(user, code, expires)
               VALUES (?1, ?2, ?3)";
    tx.execute(sql, (user, code, expires.0)).map(drop)
}

pub(crate) fn drop_mailed_code(tx: &Tx<'_>, user: &str) -> SqlResult<()> {
    tx.execute("DELETE FROM rocketchat_mailed_codes WHERE user = ?1", [user]).map(drop)
}

pub(crate) fn is_granted(tx: &Tx<'_>, role: &str, permission: &str) -> SqlResult<bool> {
    let sql = "SELECT 1 FROM rocketchat_grants WHERE role = ?1 AND permission = ?2";
    Ok(tx.query_row(sql, (role, permission), |_| Ok(())).optional()?.is_some())
}

pub(crate) fn grant(tx: &Tx<'_>, role: &str, permission: &str, granted: bool) -> SqlResult<()> {
    let sql = if granted {
        "INSERT INTO rocketchat_grants(role, permission) VALUES (?1, ?2) ON CONFLICT DO NOTHING"
    } else {
        "DELETE FROM rocketchat_grants WHERE role = ?1 AND permission = ?2"
    };
    tx.execute(sql, (role, permission)).map(drop)
}

/// Adds a login session, whose token has the hash `token`.
pub(crate) fn put_session(
    tx: &Tx<'_>,
    session: &DeviceSession,
    at: Millis,
    token: &str,
) -> SqlResult<()> {
    let Device { kind, name, long_version, os, version } = &session.device;
    // The fields in which the real service searches, in its order.
    let search = [name, kind, &os.name, &session.session_id, &session.user_id].map(String::as_str);
    let sql = "INSERT INTO rocketchat_sessions(
            id, user, token, kind, app, version, long_version, os, os_version, host, ip, login_at,
            search)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)";
    let DeviceSession { session_id, user_id, host, ip, .. } = session;
    let row = params![
        session_id,
        user_id,
        token,
        kind,
        name,
        version,
        long_version,
        os.name,
        os.version,
        host,
        ip,
        at.0,
        search.concat()
    ];
    tx.prepare_cached(sql)?.execute(row).map(drop)
}

/// Which login sessions, and which page of them.
pub(crate) struct Search<'a> {
    /// The person whose sessions are searched; none for everybody's.
    pub user: Option<&'a str>,
    /// What the searched text must match.
    pub pattern: &'a Regex,
    /// `ORDER BY`, made of [`sort_column`]s.
    pub order: &'a str,
    pub offset: usize,
    pub count: usize,
}

/// `ORDER BY` where nobody asks for another order; the id settles equal times.
pub(crate) const NEWEST_FIRST: &str = "s.login_at DESC, s.id";

impl<'a> Search<'a> {
    /// Everybody's newest login sessions.
    pub(crate) const fn newest(pattern: &'a Regex, count: usize) -> Self {
        Self { user: None, pattern, order: NEWEST_FIRST, offset: 0, count }
    }
}

/// A page of login sessions that are not logged out, and how many there are on all pages.
pub(crate) fn search(tx: &Tx<'_>, search: &Search<'_>) -> SqlResult<(Vec<DeviceSession>, usize)> {
    let Search { user, pattern, order, offset, count } = search;
    let sql = format!(
        "SELECT s.rowid, s.search FROM rocketchat_sessions s JOIN rocketchat_users u ON u.id = s.user
         WHERE s.logged_out_at IS NULL AND (?1 IS NULL OR s.user = ?1) ORDER BY {order}"
    );
    let mut statement = tx.prepare_cached(&sql)?;
    // Matched here and not in SQL, since SQLite has no regular expressions of its own.
    let mut rows = statement.query([user])?;
    let (mut page, mut total) = (Vec::new(), 0);
    while let Some(row) = rows.next()? {
        let text = row.get_ref(1)?.as_str().unwrap_or_default();
        if pattern.is_match(text) {
            if total >= *offset && page.len() < *count {
                page.push(row.get::<_, i64>(0)?);
            }
            total += 1;
        }
    }
    // Only the sessions of the page are read whole.
    let page: SqlResult<_> = page.into_iter().map(|row| session_at_row(tx, row)).collect();
    Ok((page?, total))
}

/// The column of one of the service's own sort keys.
pub(crate) fn sort_column(key: &str) -> Option<&'static str> {
    Some(match key {
        "loginAt" => "s.login_at",
        "device.name" => "s.app",
        "device.os.name" => "s.os",
        "device.os.version" => "s.os_version",
        "_user.name" => "u.name",
        "_user.username" => "u.username",
        _ => return None,
    })
}

/// The regular expression that the real service makes of a text; none if it is invalid or too large.
pub(crate) fn pattern(text: &str) -> Option<Regex> {
    let mut builder = RegexBuilder::new(text);
    builder.case_insensitive(true).size_limit(1 << 20).dfa_size_limit(1 << 20).nest_limit(50);
    builder.build().ok()
}

/// The login session of exactly this id, and the hash of its token.
pub(crate) fn session(
    tx: &Tx<'_>,
    id: &str,
    user: Option<&str>,
) -> SqlResult<Option<(DeviceSession, String)>> {
    let sql = "SELECT rowid, token FROM rocketchat_sessions
               WHERE id = ?1 AND logged_out_at IS NULL AND (?2 IS NULL OR user = ?2)";
    let found = tx.query_row(sql, (id, user), |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    found.map(|(row, token)| Ok((session_at_row(tx, row)?, token))).transpose()
}

/// Ends all login sessions of a token, and the token.
pub(crate) fn log_out(tx: &Tx<'_>, token: &str, by: &str, now: Millis) -> SqlResult<()> {
    let sql = "UPDATE rocketchat_sessions SET logged_out_at = ?2, logged_out_by = ?3
               WHERE token = ?1 AND logged_out_at IS NULL";
    tx.execute(sql, (token, now.0, by))?;
    drop_token(tx, token)
}

fn session_at_row(tx: &Tx<'_>, row: i64) -> SqlResult<DeviceSession> {
    let sql = "SELECT s.id, s.user, s.kind, s.app, s.version, s.long_version, s.os, s.os_version,
            s.host, s.ip, s.login_at, u.name, u.username
        FROM rocketchat_sessions s JOIN rocketchat_users u ON u.id = s.user WHERE s.rowid = ?1";
    tx.prepare_cached(sql)?.query_row([row], |row| {
        Ok(DeviceSession {
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
            login_at: format_time(Millis(row.get(10)?)),
            user: Owner { name: row.get(11)?, username: row.get(12)? },
        })
    })
}

/// A time as the service writes it: `2023-05-24T05:08:42.806Z`.
pub(crate) fn format_time(at: Millis) -> String {
    let at = jiff::Timestamp::from_millisecond(at.0).unwrap_or_default();
    format!("{at:.3}")
}
