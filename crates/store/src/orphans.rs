//! Rows of a saved database whose parent was lost with a damaged page.

use rusqlite::Connection;

use crate::{SalvagedTable, StoreError, fault, salvage::quoted};

/// Removes rows that refer to one that isn't there, and counts them as missing: a PIN, say, may be given out again, and
/// what belonged to another session must not show under it. Those whose own parents were removed go, too.
pub(crate) fn remove(
    saved: &Connection,
    tables: &mut [SalvagedTable],
    doing: &'static str,
) -> Result<(), StoreError> {
    loop {
        let mut removed = 0;
        for table in tables.iter_mut() {
            for reference in references(saved, &table.name).map_err(fault(doing))? {
                let sql = reference.delete_from(&table.name);
                let orphans = saved.execute(&sql, []).map_err(fault(doing))? as u64;
                table.rows = table.rows.saturating_sub(orphans);
                table.gaps += orphans;
                removed += orphans;
            }
        }
        if removed == 0 {
            return Ok(());
        }
    }
}

/// A column that names a row of another table.
struct Reference {
    column: String,
    parent: String,
    /// The parent's column.
    key: String,
}

impl Reference {
    fn delete_from(&self, table: &str) -> String {
        let [table, column, parent, key] =
            [table, &self.column, &self.parent, &self.key].map(quoted);
        // An alias: a column that the parent lacks would be taken for the child's else.
        format!(
            "DELETE FROM {table} WHERE {column} IS NOT NULL AND NOT EXISTS \
             (SELECT 1 FROM {parent} p WHERE p.{key} = {table}.{column})"
        )
    }
}

/// Those of one column, which are all that our stores have.
fn references(connection: &Connection, table: &str) -> rusqlite::Result<Vec<Reference>> {
    let sql = "SELECT min(\"from\"), \"table\", min(\"to\") FROM pragma_foreign_key_list(?1)
         GROUP BY id HAVING count(*) = 1 AND min(\"to\") IS NOT NULL";
    let mut statement = connection.prepare(sql)?;
    let found = statement.query_map([table], |row| {
        Ok(Reference { column: row.get(0)?, parent: row.get(1)?, key: row.get(2)? })
    })?;
    found.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_without_their_parent_are_counted_and_shown_under_no_other() {
        let connection = Connection::open_in_memory().unwrap();
        connection
            .execute_batch(
                "PRAGMA foreign_keys=OFF;
                 CREATE TABLE sessions(pin TEXT PRIMARY KEY);
                 CREATE TABLE sides(id INTEGER PRIMARY KEY, pin TEXT REFERENCES sessions(pin)) ;
                 CREATE TABLE said(side INTEGER NOT NULL REFERENCES sides(id), text TEXT,
                     PRIMARY KEY(side, text)) WITHOUT ROWID;
                 INSERT INTO sessions VALUES('a');
                 INSERT INTO sides VALUES(1, 'a'), (2, 'lost'), (3, NULL);
                 INSERT INTO said VALUES(1, 'x'), (2, 'y'), (2, 'z'), (3, 'w'), (9, 'v');",
            )
            .unwrap();
        // The children first: they lose their parent only afterwards.
        let table = |name: &str, rows| SalvagedTable { name: name.into(), rows, gaps: 0 };
        let mut tables = [table("said", 5), table("sides", 3), table("sessions", 1)];
        remove(&connection, &mut tables, "save the books").unwrap();
        let counts: Vec<_> = tables.iter().map(|table| (table.rows, table.gaps)).collect();
        assert_eq!(counts, [(2, 3), (2, 1), (1, 0)]);
        let left: String = connection
            .query_row("SELECT group_concat(text, '') FROM said", [], |row| row.get(0))
            .unwrap();
        assert_eq!(left, "xw");
    }
}
