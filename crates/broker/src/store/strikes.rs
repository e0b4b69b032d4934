//! Reports of abuse, and the owners that were blocked.

use std::net::IpAddr;

use rusqlite::{Connection, params};
use serve::Millis;
use wire::Pin;

use super::sessions::parse;
use crate::hub::{abuse::Block, owner::Owner};

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

/// Earlier versions stored an IPv6 /64 where an owner's /48 counts now.
pub(super) fn widen(connection: &Connection) -> rusqlite::Result<()> {
    let tx = connection.unchecked_transaction()?;
    let columns = [("reports", "minter"), ("reports", "reporter"), ("blocked", "client")];
    for (table, column) in columns {
        for (stored, widened) in narrow(&tx, table, column)? {
            // Two /64s of one owner may have reported the same.
            let sql = format!("UPDATE OR REPLACE {table} SET {column} = ?2 WHERE {column} = ?1");
            tx.execute(&sql, [stored, widened])?;
        }
    }
    tx.commit()
}

/// The addresses in this column that are no owner's, each with its owner.
fn narrow(tx: &Connection, table: &str, column: &str) -> rusqlite::Result<Vec<(String, String)>> {
    let sql = format!("SELECT DISTINCT {column} FROM {table} WHERE {column} LIKE '%:%'");
    let mut statement = tx.prepare(&sql)?;
    let all =
        statement.query_map([], |row| Ok((row.get::<_, String>(0)?, owner(row, 0).map(text)?)))?;
    let differs = |both: &rusqlite::Result<(String, String)>| {
        both.as_ref().map_or(true, |(stored, widened)| stored != widened)
    };
    all.filter(differs).collect()
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
