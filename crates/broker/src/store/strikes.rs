//! Reports of abuse, and the owners that were blocked.

use std::net::IpAddr;

use rusqlite::{Connection, params};
use serve::{Millis, Owner};
use wire::Pin;

use super::sessions::parse;
use crate::hub::abuse::Block;

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
    minter: Owner,
    pin: &Pin,
    reporter: Owner,
    at: Millis,
) -> rusqlite::Result<()> {
    // A report that is repeated counts once, so it is no error that it is here already.
    let sql =
        "INSERT OR IGNORE INTO reports (minter, pin, reporter, at_ms) VALUES (?1, ?2, ?3, ?4)";
    let row = params![text(minter), pin.expose(), text(reporter), at.0];
    tx.execute(sql, row).map(drop)
}

pub(super) fn insert_block(tx: &Connection, owner: Owner, at: Millis) -> rusqlite::Result<()> {
    let sql = "INSERT OR IGNORE INTO blocked (client, at_ms) VALUES (?1, ?2)";
    tx.execute(sql, params![text(owner), at.0]).map(drop)
}

/// Ends a block, and forgets the reports that led to it.
pub(super) fn lift_block(tx: &Connection, owner: Owner) -> rusqlite::Result<()> {
    tx.execute("DELETE FROM blocked WHERE client = ?1", [text(owner)])?;
    tx.execute("DELETE FROM reports WHERE minter = ?1", [text(owner)]).map(drop)
}

/// Earlier versions stored an IPv6 /64 where an owner's /48 counts now. Each row is looked at once.
pub(super) fn widen(connection: &Connection) -> rusqlite::Result<()> {
    let tx = connection.unchecked_transaction()?;
    for (minter, pin, reporter, at) in narrow_reports(&tx)? {
        let by_key = "DELETE FROM reports WHERE minter = ?1 AND pin = ?2 AND reporter = ?3";
        tx.execute(by_key, [&minter, &pin, &reporter])?;
        // Two /64s of one owner may have reported the same.
        let sql = "INSERT OR IGNORE INTO reports VALUES (?1, ?2, ?3, ?4)";
        tx.execute(sql, params![widened(&minter), pin, widened(&reporter), at])?;
    }
    for (client, at) in narrow_blocks(&tx)? {
        tx.execute("DELETE FROM blocked WHERE client = ?1", [&client])?;
        tx.execute("INSERT OR IGNORE INTO blocked VALUES (?1, ?2)", params![widened(&client), at])?;
    }
    tx.commit()
}

type ReportRow = (String, String, String, i64);

fn narrow_reports(tx: &Connection) -> rusqlite::Result<Vec<ReportRow>> {
    let sql = "SELECT minter, pin, reporter, at_ms FROM reports
               WHERE minter LIKE '%:%' OR reporter LIKE '%:%'";
    let mut statement = tx.prepare(sql)?;
    let rows =
        statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?;
    let rows: rusqlite::Result<Vec<ReportRow>> = rows.collect();
    let is_narrow = |row: &ReportRow| widened(&row.0) != row.0 || widened(&row.2) != row.2;
    Ok(rows?.into_iter().filter(is_narrow).collect())
}

fn narrow_blocks(tx: &Connection) -> rusqlite::Result<Vec<(String, i64)>> {
    let mut statement = tx.prepare("SELECT client, at_ms FROM blocked WHERE client LIKE '%:%'")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let rows: rusqlite::Result<Vec<(String, i64)>> = rows.collect();
    Ok(rows?.into_iter().filter(|(client, _)| widened(client) != *client).collect())
}

/// A stored address as it is stored now. What is no address is left for the loading, which says so.
fn widened(stored: &str) -> String {
    stored.parse().map_or_else(|_| stored.to_owned(), |ip: IpAddr| text(Owner::of_ip(ip)))
}

pub(super) fn load_reports(connection: &Connection) -> rusqlite::Result<Vec<(Owner, Pin, Owner)>> {
    // In the order in which they came, so that those count that were there first.
    let sql = "SELECT minter, pin, reporter FROM reports ORDER BY at_ms";
    let mut statement = connection.prepare(sql)?;
    let report = |row: &rusqlite::Row<'_>| Ok((owner(row, 0)?, parse(row, 1)?, owner(row, 2)?));
    statement.query_map([], report)?.collect()
}

pub(super) fn load_blocked(connection: &Connection) -> rusqlite::Result<Vec<Block>> {
    let mut statement = connection.prepare("SELECT client, at_ms FROM blocked")?;
    let block =
        |row: &rusqlite::Row<'_>| Ok(Block { owner: owner(row, 0)?, since: Millis(row.get(1)?) });
    statement.query_map([], block)?.collect()
}

/// The address, or a network's first one, as earlier versions stored a client.
fn text(owner: Owner) -> String {
    owner.first().to_string()
}

fn owner(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<Owner> {
    parse::<IpAddr>(row, column).map(Owner::of_ip)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_stored_by_64s_counts_by_owners_and_can_be_lifted() {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(TABLES).unwrap();
        connection
            .execute_batch(
                "INSERT INTO blocked VALUES ('2001:db8:1:2::', 5), ('203.0.113.7', 6);
                 INSERT INTO reports VALUES
                    ('2001:db8:1:2::', '7W2-97-8570', '2001:db8:9:1::', 1),
                    ('2001:db8:1:3::', '7W2-97-8570', '2001:db8:9:2::', 2);",
            )
            .unwrap();
        widen(&connection).unwrap();
        let minter: Owner = "2001:db8:1::/48".parse().unwrap();
        let reports = load_reports(&connection).unwrap();
        assert_eq!(reports.len(), 1, "one owner reported one PIN of another");
        assert_eq!((reports[0].0, reports[0].2), (minter, "2001:db8:9::".parse().unwrap()));
        let since = |owner| {
            let blocked = load_blocked(&connection).unwrap();
            blocked.into_iter().find(|block| block.owner == owner).map(|block| block.since)
        };
        assert_eq!(since(minter), Some(Millis(5)));
        lift_block(&connection, minter).unwrap();
        assert_eq!(since(minter), None);
        assert!(load_reports(&connection).unwrap().is_empty());
        assert_eq!(since("203.0.113.7".parse().unwrap()), Some(Millis(6)));
    }
}
