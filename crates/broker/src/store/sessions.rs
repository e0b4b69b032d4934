//! Sessions with their hooks and sides.

use std::net::IpAddr;

use rusqlite::{Connection, OptionalExtension as _, Row, params, types::Type};
use serde::{Serialize, de::DeserializeOwned};
use serve::{Client, Millis};
use wire::{HookType, Pin, Side, shared_screen::Requester};

use crate::hub::{
    customer::{Customer, StoredCustomer},
    presence::Presence,
    session::Session,
    stored_presence::StoredPresence,
};

pub(super) const TABLES: &str = "
    CREATE TABLE sessions (
        pin TEXT PRIMARY KEY,
        region TEXT NOT NULL,
        minter TEXT NOT NULL,
        minted_ms INTEGER NOT NULL,
        expires_ms INTEGER NOT NULL,
        revoked INTEGER NOT NULL DEFAULT 0,
        conf_sha256 BLOB
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE hooks (
        pin TEXT NOT NULL REFERENCES sessions(pin) ON DELETE CASCADE,
        type TEXT NOT NULL,
        url TEXT NOT NULL,
        PRIMARY KEY (pin, type)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE sides (
        pin TEXT NOT NULL REFERENCES sessions(pin) ON DELETE CASCADE,
        side TEXT NOT NULL,
        announced INTEGER NOT NULL,
        presence TEXT NOT NULL,
        PRIMARY KEY (pin, side)
    ) STRICT, WITHOUT ROWID;";

/// Added by a later version: who asks for the screen.
pub(super) const ASKER: &str = "
    ALTER TABLE sessions ADD COLUMN technician TEXT NOT NULL DEFAULT '';
    ALTER TABLE sessions ADD COLUMN company TEXT NOT NULL DEFAULT '';
    ALTER TABLE sessions ADD COLUMN unattended INTEGER NOT NULL DEFAULT 0;";

/// Added by a later version: whose sessions they are, how far the customer has come, how many chat messages there were.
pub(super) const FACTS: &str = "
    ALTER TABLE sessions ADD COLUMN console_sha256 BLOB;
    ALTER TABLE sessions ADD COLUMN customer TEXT NOT NULL DEFAULT '{}';
    ALTER TABLE sessions ADD COLUMN messages INTEGER NOT NULL DEFAULT 0;";

pub(super) fn insert(tx: &Connection, pin: &Pin, session: &Session) -> rusqlite::Result<()> {
    let sql = "INSERT INTO sessions (pin, region, minter, minted_ms, expires_ms, console_sha256)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    let minter = session.minter.0.to_string();
    let times = (session.minted.0, session.expires.0);
    let region = session.region.as_str();
    let row = params![pin.expose(), region, minter, times.0, times.1, session.console];
    tx.prepare_cached(sql)?.execute(row).map(drop)
}

pub(super) fn put_hook(
    tx: &Connection,
    pin: &Pin,
    hook: HookType,
    url: &str,
) -> rusqlite::Result<()> {
    let sql = "INSERT INTO hooks (pin, type, url) VALUES (?1, ?2, ?3)
               ON CONFLICT DO UPDATE SET url = excluded.url";
    tx.prepare_cached(sql)?.execute(params![pin.expose(), hook.as_str(), url]).map(drop)
}

pub(super) fn remove_hook(tx: &Connection, pin: &Pin, hook: HookType) -> rusqlite::Result<()> {
    let sql = "DELETE FROM hooks WHERE pin = ?1 AND type = ?2";
    tx.prepare_cached(sql)?.execute(params![pin.expose(), hook.as_str()]).map(drop)
}

pub(super) fn save_side(
    tx: &Connection,
    pin: &Pin,
    side: Side,
    presence: &StoredPresence,
    announced: bool,
) -> rusqlite::Result<()> {
    let sql = "INSERT INTO sides (pin, side, announced, presence) VALUES (?1, ?2, ?3, ?4)
               ON CONFLICT DO UPDATE SET announced = excluded.announced, presence = excluded.presence";
    let row = params![pin.expose(), name(side), announced, to_json(presence)?];
    tx.prepare_cached(sql)?.execute(row).map(drop)
}

pub(super) fn save_customer(
    tx: &Connection,
    pin: &Pin,
    customer: &StoredCustomer,
) -> rusqlite::Result<()> {
    let sql = "UPDATE sessions SET customer = ?2 WHERE pin = ?1";
    tx.prepare_cached(sql)?.execute(params![pin.expose(), to_json(customer)?]).map(drop)
}

pub(super) fn give_conf(tx: &Connection, pin: &Pin, hash: &[u8; 32]) -> rusqlite::Result<()> {
    let sql = "UPDATE sessions SET conf_sha256 = ?2 WHERE pin = ?1";
    tx.prepare_cached(sql)?.execute(params![pin.expose(), hash]).map(drop)
}

pub(super) fn set_requester(
    tx: &Connection,
    pin: &Pin,
    requester: &Requester,
    unattended: bool,
) -> rusqlite::Result<()> {
    let sql = "UPDATE sessions SET technician = ?2, company = ?3, unattended = ?4 WHERE pin = ?1";
    let row = params![pin.expose(), requester.technician, requester.company, unattended];
    tx.prepare_cached(sql)?.execute(row).map(drop)
}

pub(super) fn revoke(tx: &Connection, pin: &Pin) -> rusqlite::Result<()> {
    tx.execute("UPDATE sessions SET revoked = 1 WHERE pin = ?1", [pin.expose()])?;
    // Its hooks must not fire any more, nor lie here with their secret URLs.
    tx.execute("DELETE FROM hooks WHERE pin = ?1", [pin.expose()]).map(drop)
}

/// Leaves of a session that there was its PIN, and that it is over.
pub(super) fn empty(tx: &Connection, pin: &Pin) -> rusqlite::Result<()> {
    revoke(tx, pin)?;
    tx.execute("DELETE FROM sides WHERE pin = ?1", [pin.expose()])?;
    let sql = "UPDATE sessions SET technician = '', company = '', customer = '{}' WHERE pin = ?1";
    tx.execute(sql, [pin.expose()]).map(drop)
}

pub(super) fn forget(tx: &Connection, expired_before: Millis) -> rusqlite::Result<()> {
    tx.execute("DELETE FROM sessions WHERE expires_ms < ?1", [expired_before.0]).map(drop)
}

pub(super) fn load(connection: &Connection, now: Millis) -> rusqlite::Result<Vec<(Pin, Session)>> {
    // Minted by a clock that was set back since: when that really was, nobody knows, but no PIN outlives its life.
    let mend = "UPDATE sessions SET minted_ms = ?1, expires_ms = ?1 + expires_ms - minted_ms
                WHERE minted_ms > ?1";
    connection.execute(mend, [now.0])?;
    let sql = "SELECT pin, region, minter, minted_ms, expires_ms, revoked, conf_sha256,
                      technician, company, unattended, console_sha256, customer FROM sessions";
    let mut statement = connection.prepare(sql)?;
    let session = |row: &Row<'_>| session(row, now);
    let sessions: Vec<_> = statement.query_map([], session)?.collect::<Result<_, _>>()?;
    let complete = |(pin, mut session): (Pin, Session)| {
        add_hooks(connection, &pin, &mut session)?;
        add_side(connection, &pin, &mut session, Side::Presenter, now)?;
        add_side(connection, &pin, &mut session, Side::Viewers, now)?;
        Ok((pin, session))
    };
    sessions.into_iter().map(complete).collect()
}

fn session(row: &Row<'_>, now: Millis) -> rusqlite::Result<(Pin, Session)> {
    let pin = parse(row, 0)?;
    let minter: IpAddr = parse(row, 2)?;
    let (minted, expires) = (Millis(row.get(3)?), Millis(row.get(4)?));
    let region = parse(row, 1)?;
    let mut session = Session::new(region, Client::from_ip(minter), minted, expires.since(minted));
    session.revoked = row.get(5)?;
    session.conf_hash = row.get(6)?;
    session.requester = Requester { technician: row.get(7)?, company: row.get(8)? };
    session.unattended = row.get(9)?;
    session.console = row.get(10)?;
    session.customer = Customer::from_stored(&from_json(&row.get::<_, String>(11)?)?, now);
    Ok((pin, session))
}

fn add_hooks(connection: &Connection, pin: &Pin, session: &mut Session) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached("SELECT type, url FROM hooks WHERE pin = ?1")?;
    let mut rows = statement.query([pin.expose()])?;
    while let Some(row) = rows.next()? {
        session.put_hook(parse(row, 0)?, row.get(1)?);
    }
    Ok(())
}

fn add_side(
    connection: &Connection,
    pin: &Pin,
    session: &mut Session,
    side: Side,
    now: Millis,
) -> rusqlite::Result<()> {
    let sql = "SELECT announced, presence FROM sides WHERE pin = ?1 AND side = ?2";
    let found: Option<(bool, String)> = connection
        .prepare_cached(sql)?
        .query_row([pin.expose(), name(side)], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((announced, json)) = found else { return Ok(()) };
    session.restore_side(side, Presence::from_stored(from_json(&json)?, now), announced);
    Ok(())
}

fn to_json(value: &impl Serialize) -> rusqlite::Result<String> {
    serde_json::to_string(value)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))
}

fn from_json<T: DeserializeOwned>(json: &str) -> rusqlite::Result<T> {
    serde_json::from_str(json)
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(1, Type::Text, Box::new(error)))
}

/// Reads a text column into a type of ours.
pub(super) fn parse<T>(row: &Row<'_>, column: usize) -> rusqlite::Result<T>
where
    T: std::str::FromStr<Err: std::error::Error + Send + Sync + 'static>,
{
    row.get_ref(column)?.as_str()?.parse().map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error))
    })
}

pub(super) const fn name(side: Side) -> &'static str {
    match side {
        Side::Presenter => "presenter",
        Side::Viewers => "viewers",
    }
}
