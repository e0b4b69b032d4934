//! A state of a database that stays as it is while others write on, to be checked or copied.

use std::{path::Path, time::Duration};

use rusqlite::{
    Connection, InterruptHandle, OpenFlags,
    backup::{Backup, StepResult},
    types::Value,
};

use crate::{
    Definition, Durability, Sharing, StoreError, StoreKey, check_integrity, fault,
    integrity::undamaged_if_ok, io_fault, private::private_file,
};

/// Pages copied between two reports of progress.
const STEP: i32 = 256;

/// Why a copy was not made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CopyError {
    /// The database, or where the copy goes.
    Store(StoreError),
    /// The report of progress asked to stop.
    Stopped,
}

impl From<StoreError> for CopyError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Cuts short what a [`Snapshot`] is doing.
pub struct Interrupt(InterruptHandle);

impl Interrupt {
    /// Cuts it short, with an error; nothing happens where it is done already.
    pub fn cut(&self) {
        self.0.interrupt();
    }
}

/// A read transaction on a connection of its own. It blocks nobody, but its database's write-ahead
/// log grows until it is dropped.
#[derive(Debug)]
pub struct Snapshot {
    connection: Connection,
    doing: &'static str,
}

/// How [`Snapshot`] opens any database: without its schema.
pub(crate) const fn any(doing: &'static str) -> Definition {
    Definition {
        opening: doing,
        migrations: &[],
        sharing: Sharing::Shared,
        durability: Durability::ProcessEnd,
        // Nothing may spill into a plain temporary file.
        settings: "PRAGMA temp_store=MEMORY;",
        statements: 0,
    }
}

impl Snapshot {
    /// The present state of the database at `path`, which nothing changes. Blocks.
    ///
    /// # Errors
    /// [`StoreError`], but never `Closed` or `TooNew`.
    pub fn begin(
        path: &Path,
        key: Option<&StoreKey>,
        doing: &'static str,
    ) -> Result<Self, StoreError> {
        let connection = any(doing).open_reader(path, key)?;
        // The state is fixed by the first read of the transaction.
        let fix = "BEGIN; SELECT count(*) FROM sqlite_master;";
        connection.execute_batch(fix).map_err(fault(doing))?;
        Ok(Self { connection, doing })
    }

    /// What cuts short its checks.
    pub fn interrupt(&self) -> Interrupt {
        Interrupt(self.connection.get_interrupt_handle())
    }

    /// The version of its schema.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn version(&self) -> Result<usize, StoreError> {
        self.number("PRAGMA user_version")
    }

    /// How many bytes a copy has.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn size(&self) -> Result<u64, StoreError> {
        let bytes = self.number("PRAGMA page_count")? * self.number("PRAGMA page_size")?;
        Ok(bytes as u64)
    }

    /// Looks at all pages for damage.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] with the first thing found, or whatever keeps it from looking.
    pub fn check(&self) -> Result<(), StoreError> {
        check_integrity(&self.connection, self.doing)
    }

    /// Looks at all pages, indexes and values for damage; takes longer than [`Self::check`].
    ///
    /// # Errors
    /// [`StoreError::Damaged`] with the first thing found, or whatever keeps it from looking.
    pub fn check_all(&self) -> Result<(), StoreError> {
        let check = "PRAGMA integrity_check(1)";
        let found = self.connection.query_row(check, [], |row| row.get::<_, String>(0));
        undamaged_if_ok(&found.map_err(fault(self.doing))?, self.doing)
    }

    /// Answers what `look` finds in it.
    ///
    /// # Errors
    /// Those of `look`.
    pub fn look<T>(
        &self,
        look: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        look(&self.connection)
    }

    /// Copies it to a new file, under the same key, and looks at all pages of the copy for damage.
    /// `progress` gets the bytes copied so far, and stops it by answering false. Blocks.
    ///
    /// # Errors
    /// [`CopyError`]; a file that is incomplete is left then.
    pub fn copy_to(
        &self,
        path: &Path,
        key: Option<&StoreKey>,
        progress: &mut dyn FnMut(u64) -> bool,
    ) -> Result<(), CopyError> {
        let doing = self.doing;
        let page = self.number("PRAGMA page_size")? as u64;
        private_file(path).map_err(io_fault(doing))?;
        let mut copy = any(doing).connect(path, key, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        // Nobody needs half a copy after a crash, so there is nothing to wait for.
        copy.execute_batch("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;")
            .map_err(fault(doing))?;
        let backup = Backup::new(&self.connection, &mut copy).map_err(fault(doing))?;
        loop {
            let step = backup.step(STEP).map_err(fault(doing))?;
            let at = backup.progress();
            let copied = u64::try_from(at.pagecount - at.remaining).unwrap_or_default() * page;
            if !progress(copied) {
                return Err(CopyError::Stopped);
            }
            match step {
                StepResult::Done => break,
                StepResult::More => {}
                // Another connection checkpoints just now.
                _ => std::thread::sleep(Duration::from_millis(5)),
            }
        }
        drop(backup);
        Ok(check_integrity(&copy, doing)?)
    }

    fn number(&self, pragma: &str) -> Result<usize, StoreError> {
        let value = self.connection.query_row(pragma, [], |row| row.get(0));
        let text = match value.map_err(fault(self.doing))? {
            Value::Integer(number) => number.to_string(),
            // SQLCipher answers the size of a page as a text.
            Value::Text(text) => text,
            other => format!("{:?}", other.data_type()),
        };
        text.parse().map_err(|_| StoreError::Damaged {
            doing: self.doing,
            why: format!("{pragma} is {text}"),
        })
    }
}

/// Keeps a database from being written while snapshots of it and of others begin, so that they are of
/// one moment. Dropped, it lets the writers go on.
#[derive(Debug)]
pub struct SnapshotGroup(Connection);

impl SnapshotGroup {
    /// Takes the write lock of the database at `path`. Blocks.
    ///
    /// # Errors
    /// [`StoreError`], but never `Closed` or `TooNew`.
    pub fn hold(
        path: &Path,
        key: Option<&StoreKey>,
        doing: &'static str,
    ) -> Result<Self, StoreError> {
        let connection = any(doing).connect(path, key, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        connection.execute_batch("BEGIN IMMEDIATE").map_err(fault(doing))?;
        Ok(Self(connection))
    }
}

impl Drop for SnapshotGroup {
    fn drop(&mut self) {
        // Closing the connection would roll back as well; nothing was written.
        if let Err(error) = self.0.execute_batch("ROLLBACK") {
            tracing::warn!(%error, "end the pause of a database's writers");
        }
    }
}

#[cfg(test)]
mod tests {
    use rusqlite_migration::M;

    use super::*;

    const NOTES: Definition = Definition {
        opening: "open the notes",
        migrations: &[M::up("CREATE TABLE notes(text TEXT NOT NULL);")],
        sharing: Sharing::Exclusive,
        durability: Durability::PowerCut,
        settings: "",
        statements: 8,
    };

    fn key(byte: u8) -> StoreKey {
        StoreKey::new(Box::new([byte; 32]))
    }

    fn notes(connection: &Connection) -> u32 {
        connection.query_row("SELECT count(*) FROM notes", [], |row| row.get(0)).unwrap()
    }

    fn write(connection: &Connection, count: usize) {
        let text = "x".repeat(4000);
        for _ in 0..count {
            connection.execute("INSERT INTO notes VALUES (?1)", [&text]).unwrap();
        }
    }

    #[test]
    fn a_copy_is_of_one_moment_while_the_writer_writes_on() {
        for key in [Some(key(1)), None] {
            let dir = tempfile::tempdir().unwrap();
            let (path, to) = (dir.path().join("notes.db"), dir.path().join("copy.db"));
            let writer = NOTES.open(&path, key.as_ref()).unwrap();
            write(&writer, 1000);
            let snapshot = Snapshot::begin(&path, key.as_ref(), "copy the notes").unwrap();
            let size = snapshot.size().unwrap();
            let mut reports = Vec::new();
            let copied = snapshot.copy_to(&to, key.as_ref(), &mut |done| {
                write(&writer, 1);
                reports.push(done);
                true
            });
            copied.unwrap();
            assert!(reports.len() > 2 && reports.is_sorted(), "{reports:?}");
            assert_eq!(reports.last(), Some(&size));
            assert_eq!(std::fs::metadata(&to).unwrap().len(), size);
            assert_eq!(notes(&writer), 1000 + reports.len() as u32);
            assert_eq!(snapshot.version().unwrap(), 1);
            assert_eq!((snapshot.check(), snapshot.check_all()), (Ok(()), Ok(())));
            let copy = NOTES.open(&to, key.as_ref()).unwrap();
            assert_eq!(notes(&copy), 1000);
        }
    }

    #[test]
    fn a_copy_can_be_stopped_and_a_wrong_key_copies_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let (path, to) = (dir.path().join("notes.db"), dir.path().join("copy.db"));
        write(&NOTES.open(&path, Some(&key(1))).unwrap(), 1000);
        let snapshot = Snapshot::begin(&path, Some(&key(1)), "copy").unwrap();
        let stopped = snapshot.copy_to(&to, Some(&key(1)), &mut |_| false);
        assert_eq!(stopped, Err(CopyError::Stopped));
        let wrong = Snapshot::begin(&path, Some(&key(2)), "copy").map(drop);
        assert_eq!(wrong, Err(StoreError::WrongKey { doing: "copy" }));
    }

    #[test]
    fn a_group_keeps_the_writer_waiting_until_it_is_dropped() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("notes.db");
        let writer = NOTES.open(&path, None).unwrap();
        writer.busy_timeout(Duration::ZERO).unwrap();
        let group = SnapshotGroup::hold(&path, None, "copy").unwrap();
        assert!(writer.execute("INSERT INTO notes VALUES ('x')", []).is_err());
        let snapshot = Snapshot::begin(&path, None, "copy").unwrap();
        drop(group);
        write(&writer, 1);
        assert_eq!((notes(&snapshot.connection), notes(&writer)), (0, 1));
    }
}
