//! What can still be read of a damaged database, copied to a new one.
//!
//! Rows are read in the order of their tables, never by an index. Where a page can't be read, the next row
//! that can is looked for, by ever longer steps and then between the last two. Indexes are made anew.

use std::path::Path;

use rusqlite::{Connection, OpenFlags, params_from_iter, types::Value};

use crate::{StoreError, StoreKey, fault, io_fault, orphans, private::private_file, snapshot::any};

/// What was saved of one table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SalvagedTable {
    /// Its name.
    pub name: String,
    /// How many rows were copied.
    pub rows: u64,
    /// At how many places rows could not be read; how many each had isn't known.
    pub gaps: u64,
}

/// Copies what can be read of the database at `from` to a new one at `to`, under the same key. Nobody may
/// write to it meanwhile. `reindex` has the statements by which a full-text index that keeps no texts is
/// made anew. Blocks.
///
/// # Errors
/// [`StoreError`] if not even its schema can be read, or the new one can't be written.
pub fn salvage(
    from: &Path,
    to: &Path,
    key: Option<&StoreKey>,
    reindex: Option<&str>,
    doing: &'static str,
) -> Result<Vec<SalvagedTable>, StoreError> {
    let failed = fault(doing);
    let source = Source { path: from, key, doing };
    let schema = source.schema()?;
    private_file(to).map_err(io_fault(doing))?;
    let new = any(doing).connect(to, key, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    new.execute_batch("PRAGMA foreign_keys=OFF; BEGIN;").map_err(failed)?;
    let mut saved = Vec::new();
    for table in &schema.tables {
        new.execute_batch(&table.sql).map_err(failed)?;
        saved.push(source.copy_table(table, &new)?);
    }
    orphans::remove(&new, &mut saved, doing)?;
    // After the rows, or a trigger would refuse some of them.
    for sql in &schema.others {
        new.execute_batch(sql).map_err(failed)?;
    }
    for index in &schema.searches {
        let rebuild = format!("INSERT INTO {index}({index}) VALUES('rebuild');");
        // An index that keeps no texts can't be made anew from here.
        if new.execute_batch(&rebuild).is_err()
            && reindex.is_none_or(|sql| new.execute_batch(sql).is_err())
        {
            saved.push(SalvagedTable { name: index.clone(), rows: 0, gaps: 1 });
        }
    }
    new.execute_batch(&format!("PRAGMA user_version={}; COMMIT;", schema.version))
        .map_err(failed)?;
    Ok(saved)
}

struct Schema {
    version: i64,
    tables: Vec<Table>,
    /// How views, full-text indexes, indexes and triggers are made, in this order.
    others: Vec<String>,
    /// The full-text indexes' names.
    searches: Vec<String>,
}

struct Table {
    name: String,
    sql: String,
    /// All columns, and the number of each row if it isn't one of them.
    columns: Vec<String>,
    /// The columns by which rows are ordered where they have no number.
    primary_key: Option<Vec<String>>,
}

impl Table {
    fn insert(&self) -> String {
        let marks = vec!["?"; self.columns.len()].join(", ");
        let columns = self.columns.join(", ");
        // A damaged row may break a rule of the table.
        format!("INSERT OR IGNORE INTO {}({columns}) VALUES({marks})", quoted(&self.name))
    }
}

struct Source<'a> {
    path: &'a Path,
    key: Option<&'a StoreKey>,
    doing: &'static str,
}

impl Source<'_> {
    /// A new connection: after an error, the old one reads nothing more of an encrypted file.
    fn open(&self) -> Result<Connection, StoreError> {
        any(self.doing).open_reader(self.path, self.key)
    }

    fn schema(&self) -> Result<Schema, StoreError> {
        let connection = self.open()?;
        let failed = fault(self.doing);
        let texts = |sql: &str| -> rusqlite::Result<Vec<(String, String)>> {
            let mut statement = connection.prepare(sql)?;
            statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
        };
        let of = |list: &str, order: &str| {
            texts(&format!(
                "SELECT m.name, m.sql FROM sqlite_master m LEFT JOIN pragma_table_list l \
                 ON l.name = m.name AND l.schema = 'main' \
                 WHERE m.sql IS NOT NULL AND m.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND {list} \
                 ORDER BY {order}"
            ))
        };
        let version = connection.query_row("PRAGMA user_version", [], |row| row.get(0));
        let tables = of("m.type = 'table' AND l.type = 'table'", "m.rowid").map_err(failed)?;
        let tables = tables.into_iter().map(|(name, sql)| table(&connection, name, sql));
        let searches = of("l.type = 'virtual'", "m.rowid").map_err(failed)?;
        let views = of("m.type = 'view'", "m.rowid").map_err(failed)?;
        let rest = of("m.type IN ('index', 'trigger')", "m.type, m.rowid").map_err(failed)?;
        let others = views.into_iter().chain(searches.clone()).chain(rest);
        Ok(Schema {
            version: version.map_err(failed)?,
            tables: tables.collect::<rusqlite::Result<_>>().map_err(failed)?,
            others: others.map(|(_, sql)| sql).collect(),
            searches: searches.into_iter().map(|(name, _)| quoted(&name)).collect(),
        })
    }

    fn copy_table(&self, table: &Table, to: &Connection) -> Result<SalvagedTable, StoreError> {
        let mut saved = SalvagedTable { name: table.name.clone(), rows: 0, gaps: 0 };
        match &table.primary_key {
            None => self.copy_numbered(table, to, &mut saved)?,
            Some(key) => {
                // From both ends: what lies between two damaged places is lost.
                for order in ["ASC", "DESC"] {
                    let by = key.iter().map(|column| format!("{column} {order}"));
                    let by = by.collect::<Vec<_>>().join(", ");
                    let sql = format!(
                        "SELECT {} FROM {} ORDER BY {by}",
                        table.columns.join(", "),
                        quoted(&table.name)
                    );
                    if self.copy_rows(&sql, table, to, &mut saved, |_| {})? {
                        break;
                    }
                    saved.gaps = 1;
                }
            }
        }
        Ok(saved)
    }

    /// Copies a table whose rows have numbers, over every damaged place.
    fn copy_numbered(
        &self,
        table: &Table,
        to: &Connection,
        saved: &mut SalvagedTable,
    ) -> Result<(), StoreError> {
        let mut after = i64::MIN;
        loop {
            let sql = self.from(table, after, &table.columns.join(", "));
            let mut last = after;
            if self.copy_rows(&sql, table, to, saved, |number| last = number)? {
                return Ok(());
            }
            saved.gaps += 1;
            let Some(next) = self.next_readable(table, last)? else { return Ok(()) };
            after = next;
        }
    }

    /// The smallest number found after which a row, or the end, can be read; none if there is none.
    fn next_readable(&self, table: &Table, after: i64) -> Result<Option<i64>, StoreError> {
        // Before the first row: none here has a negative number, and from the smallest one the steps
        // would be too long at once.
        let (mut bad, mut step) = (after.max(0), 1i64);
        let mut good = loop {
            let at = bad.saturating_add(step);
            if self.can_read(table, at)? {
                break at;
            }
            if at == i64::MAX {
                return Ok(None);
            }
            (bad, step) = (at, step.saturating_mul(2));
        };
        while good.saturating_sub(bad) > 1 {
            let middle = bad + (good - bad) / 2;
            if self.can_read(table, middle)? {
                good = middle;
            } else {
                bad = middle;
            }
        }
        Ok(Some(good))
    }

    fn can_read(&self, table: &Table, after: i64) -> Result<bool, StoreError> {
        let sql = self.from(table, after, &table.columns.join(", "));
        let connection = self.open()?;
        let read = connection.prepare(&sql).and_then(|mut statement| {
            let mut rows = statement.query([])?;
            rows.next().map(drop)
        });
        Ok(read.is_ok())
    }

    fn from(&self, table: &Table, after: i64, columns: &str) -> String {
        let name = quoted(&table.name);
        format!(
            "SELECT {columns}, rowid FROM {name} NOT INDEXED WHERE rowid > {after} ORDER BY rowid"
        )
    }

    /// Copies rows until the end, or until one can't be read; answers whether it was the end.
    fn copy_rows(
        &self,
        sql: &str,
        table: &Table,
        to: &Connection,
        saved: &mut SalvagedTable,
        mut copied: impl FnMut(i64),
    ) -> Result<bool, StoreError> {
        let connection = self.open()?;
        let Ok(mut statement) = connection.prepare(sql) else { return Ok(false) };
        let mut insert = to.prepare(&table.insert()).map_err(fault(self.doing))?;
        let columns = table.columns.len();
        let numbered = table.primary_key.is_none();
        let Ok(mut rows) = statement.query([]) else { return Ok(false) };
        loop {
            let row = match rows.next() {
                Ok(Some(row)) => row,
                Ok(None) => return Ok(true),
                Err(_) => return Ok(false),
            };
            let values = (0..columns).map(|at| row.get(at)).collect::<Result<Vec<Value>, _>>();
            if let Ok(values) = values {
                let new = insert.execute(params_from_iter(values)).map_err(fault(self.doing))?;
                saved.rows += new as u64;
                // Of one without numbers, the second pass reads rows again that the first one has saved.
                saved.gaps += u64::from(numbered && new == 0);
            } else {
                // A text that isn't UTF-8.
                saved.gaps += 1;
            }
            if numbered {
                copied(row.get(columns).map_err(fault(self.doing))?);
            }
        }
    }
}

fn table(connection: &Connection, name: String, sql: String) -> rusqlite::Result<Table> {
    let mut statement =
        connection.prepare("SELECT name, type, pk FROM pragma_table_info(?1) ORDER BY cid")?;
    let columns = statement.query_map([&name], |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, i64>(2)?))
    })?;
    let columns = columns.collect::<rusqlite::Result<Vec<_>>>()?;
    let without_number: bool = connection.query_row(
        "SELECT wr FROM pragma_table_list WHERE schema = 'main' AND name = ?1",
        [&name],
        |row| row.get(0),
    )?;
    let mut key: Vec<_> = columns.iter().filter(|(_, _, place)| *place > 0).collect();
    key.sort_by_key(|(_, _, place)| *place);
    let is_number = matches!(key[..], [(_, kind, _)] if kind.eq_ignore_ascii_case("INTEGER"));
    let primary_key =
        without_number.then(|| key.iter().map(|(column, ..)| quoted(column)).collect());
    let mut names: Vec<_> = columns.iter().map(|(column, ..)| quoted(column)).collect();
    if !without_number && !is_number {
        names.push("rowid".to_owned());
    }
    Ok(Table { name, sql, columns: names, primary_key })
}

pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use rusqlite_migration::M;

    use super::*;
    use crate::{Definition, Durability, Sharing, Snapshot};

    const BOOKS: Definition = Definition {
        opening: "open the books",
        migrations: &[M::up(
            "CREATE TABLE books(id INTEGER PRIMARY KEY, text TEXT NOT NULL);
             CREATE TABLE loose(text TEXT NOT NULL);
             CREATE TABLE named(name TEXT PRIMARY KEY, text TEXT NOT NULL) WITHOUT ROWID;
             CREATE INDEX by_text ON books(text);
             CREATE TRIGGER stays BEFORE INSERT ON books WHEN new.id <> 1 + (SELECT max(id) FROM books)
                 BEGIN SELECT RAISE(ABORT, 'a gap'); END;
             CREATE VIEW found(id, text) AS SELECT id, text FROM books;
             CREATE VIRTUAL TABLE search USING fts5(text, content='found', content_rowid='id');",
        )],
        sharing: Sharing::Shared,
        durability: Durability::ProcessEnd,
        settings: "",
        statements: 8,
    };
    const ROWS: i64 = 3000;
    const PAGE: usize = 4096;

    fn key() -> StoreKey {
        StoreKey::new(Box::new([7; 32]))
    }

    fn fill(path: &Path, key: Option<&StoreKey>) {
        let connection = BOOKS.open(path, key).unwrap();
        connection.execute_batch("BEGIN").unwrap();
        for number in 1..=ROWS {
            let text = format!("{number} {}", "x".repeat(200));
            connection.execute("INSERT INTO books VALUES(?1, ?2)", (number, &text)).unwrap();
            connection.execute("INSERT INTO loose VALUES(?1)", [&text]).unwrap();
            connection.execute("INSERT INTO named VALUES(?1, ?1)", [&text]).unwrap();
        }
        connection.execute_batch("COMMIT").unwrap();
    }

    fn rows(connection: &Connection, table: &str) -> i64 {
        connection
            .query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0))
            .unwrap()
    }

    #[test]
    fn all_of_an_undamaged_one_is_saved() {
        for key in [Some(key()), None] {
            let dir = tempfile::tempdir().unwrap();
            let (path, to) = (dir.path().join("a.db"), dir.path().join("b.db"));
            fill(&path, key.as_ref());
            let saved = salvage(&path, &to, key.as_ref(), None, "save the books").unwrap();
            let saved: Vec<_> =
                saved.iter().map(|table| (table.name.as_str(), table.rows, table.gaps)).collect();
            let all = ROWS as u64;
            assert_eq!(saved, [("books", all, 0), ("loose", all, 0), ("named", all, 0)]);
            let new = BOOKS.open(&to, key.as_ref()).unwrap();
            assert_eq!(rows(&new, "search WHERE search MATCH '2999'"), 1);
            assert!(new.execute("INSERT INTO books VALUES(9999, '')", []).is_err(), "no trigger");
        }
    }

    #[test]
    fn of_a_damaged_one_all_other_rows_are_saved() {
        for key in [Some(key()), None] {
            let dir = tempfile::tempdir().unwrap();
            let (path, to) = (dir.path().join("a.db"), dir.path().join("b.db"));
            fill(&path, key.as_ref());
            let mut bytes = fs::read(&path).unwrap();
            let pages = bytes.len() / PAGE;
            // Three pages somewhere in the middle: of a table, of an index, or between them.
            for page in [pages / 4, pages / 2, pages * 3 / 4] {
                bytes[page * PAGE..(page + 1) * PAGE].fill(0xff);
            }
            fs::write(&path, bytes).unwrap();
            let damaged = Snapshot::begin(&path, key.as_ref(), "look").unwrap().check_all();
            assert!(damaged.is_err());
            let saved = salvage(&path, &to, key.as_ref(), None, "save the books").unwrap();
            let new = BOOKS.open(&to, key.as_ref()).unwrap();
            assert!(saved.iter().any(|table| table.gaps > 0), "{saved:?}");
            for table in &saved[..2] {
                assert_eq!(rows(&new, &table.name) as u64, table.rows);
                // A page has fewer than twenty of these rows.
                let least = ROWS as u64 - 60;
                assert!(table.rows >= least, "{table:?}");
            }
            drop(new);
            let sound = Snapshot::begin(&to, key.as_ref(), "look").unwrap().check_all();
            assert_eq!(sound, Ok(()));
        }
    }
}
