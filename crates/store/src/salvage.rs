//! Saves what can still be read of a damaged database: every readable row, into a new database.

use std::path::Path;

use rusqlite::{Connection, params_from_iter, types::Value};

use crate::{Definition, StoreError, StoreKey, fault};

const SAVE: &str = "save what can be read of the database";

/// What was saved of one table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedTable {
    /// Its name.
    pub name: String,
    /// How many rows were saved.
    pub rows: u64,
    /// Whether there were rows that could not be read.
    pub has_lost: bool,
}

/// A table of the damaged database, and the columns that the new one has, too.
struct Table {
    name: String,
    columns: String,
    places: String,
    /// The columns of its primary key, if it has no row ids.
    key: Option<String>,
}

/// The damaged database, opened anew after each damaged page: SQLCipher refuses all others until then.
struct Source<'a> {
    definition: &'a Definition,
    path: &'a Path,
    key: Option<&'a StoreKey>,
    connection: Option<Connection>,
}

impl Definition {
    /// Copies each row that can be read from the database at `from` to a new one at `to`, whose tables
    /// are those of this version. `from` stays as it is. `finish` is run at the end, to build anew what
    /// is made of the rows, such as an index of words. Blocks, for minutes if the database is large.
    ///
    /// # Errors
    /// There is something at `to` already, it can't be written, or not even the list of tables can be read.
    pub fn salvage(
        &self,
        from: &Path,
        to: &Path,
        key: Option<&StoreKey>,
        finish: &str,
    ) -> Result<Vec<SavedTable>, StoreError> {
        if to.symlink_metadata().is_ok() {
            let why = format!("there is something at {} already", to.display());
            return Err(StoreError::Io { doing: SAVE, why });
        }
        let mut target = self.open(to, key)?;
        target.execute_batch("PRAGMA foreign_keys=OFF;").map_err(fault(SAVE))?;
        let tx = target.transaction().map_err(fault(SAVE))?;
        let mut source = Source { definition: self, path: from, key, connection: None };
        // A trigger would refuse rows after a gap.
        let triggers = texts(&tx, "SELECT sql FROM sqlite_master WHERE type = 'trigger'")?;
        for name in texts(&tx, "SELECT name FROM sqlite_master WHERE type = 'trigger'")? {
            tx.execute_batch(&format!("DROP TRIGGER \"{name}\"")).map_err(fault(SAVE))?;
        }
        let mut saved = Vec::new();
        for table in tables(&tx, &mut source)? {
            saved.push(copy(&mut source, &tx, table)?);
        }
        tx.execute_batch(&format!("{}; {finish}", triggers.join("; "))).map_err(fault(SAVE))?;
        tx.commit().map_err(fault(SAVE))?;
        Ok(saved)
    }
}

impl Source<'_> {
    fn connection(&mut self) -> Result<&Connection, StoreError> {
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.definition.open_reader(self.path, self.key)?,
        };
        Ok(self.connection.insert(connection))
    }

    /// Gives `take` the rows that `sql` finds until one can't be read; answers whether all could be.
    fn rows(
        &mut self,
        sql: &str,
        after: Option<i64>,
        mut take: impl FnMut(Vec<Value>) -> Result<(), StoreError>,
    ) -> Result<bool, StoreError> {
        let connection = self.connection()?;
        let mut read = || -> rusqlite::Result<Result<(), StoreError>> {
            let mut statement = connection.prepare(sql)?;
            let columns = statement.column_count();
            let mut rows = statement.query(params_from_iter(after))?;
            while let Some(row) = rows.next()? {
                let values = (0..columns).map(|n| row.get(n)).collect::<rusqlite::Result<_>>()?;
                if let Err(error) = take(values) {
                    return Ok(Err(error));
                }
            }
            Ok(Ok(()))
        };
        match read() {
            Ok(taken) => taken.map(|()| true),
            Err(error) => match fault(SAVE)(error) {
                StoreError::Damaged { .. } => {
                    self.connection = None;
                    Ok(false)
                }
                other => Err(other),
            },
        }
    }
}

/// The first column of what `sql` finds.
fn texts(connection: &Connection, sql: &str) -> Result<Vec<String>, StoreError> {
    let read = || -> rusqlite::Result<Vec<String>> {
        connection.prepare(sql)?.query_map([], |row| row.get(0))?.collect()
    };
    read().map_err(fault(SAVE))
}

/// The tables that both databases have; those behind a virtual table are built anew at the end.
fn tables(target: &Connection, source: &mut Source<'_>) -> Result<Vec<Table>, StoreError> {
    let source = source.connection()?;
    let sql = "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' \
               AND name NOT LIKE 'sqlite_%'";
    let mut tables = Vec::new();
    for name in texts(target, sql)? {
        let has = format!("SELECT name FROM pragma_table_info('{name}')");
        let old = texts(source, &has)?;
        let columns: Vec<String> = texts(target, &has)?
            .into_iter()
            .filter(|column| old.contains(column))
            .map(|column| format!("\"{column}\""))
            .collect();
        if columns.is_empty() {
            continue;
        }
        let without_row_ids =
            format!("SELECT name FROM pragma_table_list WHERE name = '{name}' AND wr = 1");
        let key = format!("SELECT name FROM pragma_table_info('{name}') WHERE pk > 0 ORDER BY pk");
        let key = match texts(source, &without_row_ids)?.is_empty() {
            true => None,
            false => Some(texts(source, &key)?.join("\" DESC, \"")),
        };
        let places = vec!["?"; columns.len()].join(", ");
        tables.push(Table { name, columns: columns.join(", "), places, key });
    }
    Ok(tables)
}

/// Copies the readable rows of one table.
fn copy(
    source: &mut Source<'_>,
    target: &Connection,
    table: Table,
) -> Result<SavedTable, StoreError> {
    let Table { name, columns, places, key } = table;
    let insert = format!("INSERT OR REPLACE INTO \"{name}\"({columns}) VALUES({places})");
    let mut insert = target.prepare(&insert).map_err(fault(SAVE))?;
    let mut put =
        |row: Vec<Value>| insert.execute(params_from_iter(row)).map(drop).map_err(fault(SAVE));
    let has_lost = if let Some(key) = key {
        let sql = format!("SELECT {columns} FROM \"{name}\"");
        let whole = source.rows(&sql, None, &mut put)?;
        if !whole {
            // From the other end up to the damage.
            source.rows(&format!("{sql} ORDER BY \"{key}\" DESC"), None, &mut put)?;
        }
        !whole
    } else {
        copy_by_row_id(source, &name, &columns, put)?
    };
    let count = format!("SELECT count(*) FROM \"{name}\"");
    let rows = target.query_row(&count, [], |row| row.get(0)).map_err(fault(SAVE))?;
    Ok(SavedTable { name, rows, has_lost })
}

/// Copies in the order of the row ids, and goes on behind each damaged page; answers whether there was
/// one.
fn copy_by_row_id(
    source: &mut Source<'_>,
    name: &str,
    columns: &str,
    mut put: impl FnMut(Vec<Value>) -> Result<(), StoreError>,
) -> Result<bool, StoreError> {
    let from = format!("FROM \"{name}\" WHERE rowid > ?1 ORDER BY rowid");
    let (all, next) =
        (format!("SELECT rowid, {columns} {from}"), format!("SELECT rowid {from} LIMIT 1"));
    let (mut after, mut has_lost) = (0, false);
    loop {
        let whole = source.rows(&all, Some(after), |mut row| {
            if let Value::Integer(id) = row.remove(0) {
                after = id;
            }
            put(row)
        })?;
        if whole {
            return Ok(has_lost);
        }
        has_lost = true;
        // The first row behind the damage: ever further until one can be read, then back by halves.
        let (mut bad, mut good) = (after, None);
        let mut step = 1_i64;
        while good.is_none() {
            let Some(at) = after.checked_add(step) else { return Ok(has_lost) };
            match source.rows(&next, Some(at), |_| Ok(()))? {
                true => good = Some(at),
                false => bad = at,
            }
            step = step.saturating_mul(2);
        }
        let mut good = good.unwrap_or(after);
        while good - bad > 1 {
            let middle = bad + (good - bad) / 2;
            match source.rows(&next, Some(middle), |_| Ok(()))? {
                true => good = middle,
                false => bad = middle,
            }
        }
        after = good;
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use rusqlite_migration::M;

    use super::*;
    use crate::{Durability, Sharing};

    const PAGE: usize = 4096;
    const BOOKS: Definition = Definition {
        opening: "open the books",
        migrations: &[M::up(
            "CREATE TABLE books(id INTEGER PRIMARY KEY, text TEXT NOT NULL);
             CREATE TABLE shelves(name TEXT PRIMARY KEY, text TEXT NOT NULL) WITHOUT ROWID;
             CREATE VIRTUAL TABLE words USING fts5(text, content='books', content_rowid='id');
             CREATE TRIGGER grows BEFORE INSERT ON books
                 WHEN NEW.id IS NOT (SELECT ifnull(max(id), 0) + 1 FROM books)
                 BEGIN SELECT RAISE(ABORT, 'in order'); END;",
        )],
        sharing: Sharing::Shared,
        durability: Durability::ProcessEnd,
        settings: "",
        statements: 8,
    };

    fn filled(path: &Path, key: Option<&StoreKey>) {
        let connection = BOOKS.open(path, key).unwrap();
        for n in 1..=200 {
            let text = format!("book{n} {}", "x".repeat(500));
            connection.execute("INSERT INTO books VALUES(?1, ?2)", (n, &text)).unwrap();
            connection.execute("INSERT INTO shelves VALUES(?1, ?2)", (&text[..8], &text)).unwrap();
        }
    }

    fn count(connection: &Connection, sql: &str) -> u64 {
        connection.query_row(sql, [], |row| row.get(0)).unwrap()
    }

    #[test]
    fn each_damaged_page_costs_only_its_own_rows() {
        let key = StoreKey::new(Box::new([7; 32]));
        for key in [None, Some(&key)] {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("books.db");
            filled(&path, key);
            let sound = fs::read(&path).unwrap();
            let mut costs = 0;
            for page in (20..sound.len() / PAGE).step_by(3) {
                let mut bytes = sound.clone();
                bytes[page * PAGE..(page + 1) * PAGE].fill(0xA5);
                fs::write(&path, &bytes).unwrap();
                let to = dir.path().join(format!("saved-{page}.db"));
                let finish = "INSERT INTO words(words) VALUES('rebuild')";
                let saved = BOOKS.salvage(&path, &to, key, finish).unwrap();
                let rows: u64 = saved.iter().map(|table| table.rows).sum();
                assert!(rows >= 380, "page {page}: {saved:?}");
                assert_eq!(rows < 400, saved.iter().any(|table| table.has_lost), "{saved:?}");
                costs += 400 - rows;
                assert_eq!(fs::read(&path).unwrap(), bytes, "the damaged one stays as it is");
                let new = BOOKS.open(&to, key).unwrap();
                crate::check_integrity(&new, "check").unwrap();
                let found = count(&new, "SELECT count(*) FROM words WHERE words MATCH 'book*'");
                assert_eq!(found, count(&new, "SELECT count(*) FROM books"));
                assert_eq!(
                    count(&new, "SELECT count(*) FROM sqlite_master WHERE type='trigger'"),
                    1
                );
                assert!(BOOKS.salvage(&path, &to, key, finish).is_err(), "nothing is overwritten");
            }
            assert!(costs > 0, "no page with rows was damaged");
        }
    }
}
