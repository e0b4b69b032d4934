//! Reports of abuse, and the clients that were blocked.

use std::net::IpAddr;

use rusqlite::{Connection, params};
use serve::{Client, Millis};
use wire::Pin;

use super::sessions::parse;

/// Reports outlive their sessions: strikes don't lapse when a PIN does.
pub(super) const TABLES: &str = "
    CREATE TABLE reports (
        minter TEXT NOT NULL,
        pin TEXT NOT NULL,
        reporter TEXT NOT NULL,
        at_ms INTEGER NOT NULL,
        PRIMARY KEY (minter, pin, reporter)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE blocked (
        client TEXT PRIMARY KEY,
        at_ms INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;";

pub(super) fn insert_report(
    tx: &Connection,
    minter: Client,
    pin: &Pin,
    reporter: Client,
    at: Millis,
) -> rusqlite::Result<()> {
    // A report that is repeated counts once, so it is no error that it is here already.
    let sql =
        "INSERT OR IGNORE INTO reports (minter, pin, reporter, at_ms) VALUES (?1, ?2, ?3, ?4)";
    let row = params![minter.0.to_string(), pin.expose(), reporter.0.to_string(), at.0];
    tx.execute(sql, row).map(drop)
}

pub(super) fn insert_block(tx: &Connection, client: Client, at: Millis) -> rusqlite::Result<()> {
    let sql = "INSERT OR IGNORE INTO blocked (client, at_ms) VALUES (?1, ?2)";
    tx.execute(sql, params![client.0.to_string(), at.0]).map(drop)
}

pub(super) fn load_reports(
    connection: &Connection,
) -> rusqlite::Result<Vec<(Client, Pin, Client)>> {
    let mut statement = connection.prepare("SELECT minter, pin, reporter FROM reports")?;
    let report = |row: &rusqlite::Row<'_>| {
        let (minter, reporter): (IpAddr, IpAddr) = (parse(row, 0)?, parse(row, 2)?);
        Ok((Client::from_ip(minter), parse(row, 1)?, Client::from_ip(reporter)))
    };
    statement.query_map([], report)?.collect()
}

pub(super) fn load_blocked(connection: &Connection) -> rusqlite::Result<Vec<Client>> {
    let mut statement = connection.prepare("SELECT client FROM blocked")?;
    let client = |row: &rusqlite::Row<'_>| parse::<IpAddr>(row, 0).map(Client::from_ip);
    statement.query_map([], client)?.collect()
}
