//! How a database is opened: private, under its key, locked, brought to the newest schema.

use std::{fs, path::Path, sync::Once, time::Duration};

use rusqlite::{Connection, ErrorCode, OpenFlags};
use rusqlite_migration::{Error, M, MigrationDefinitionError, Migrations};
use secrecy::{ExposeSecret as _, SecretBox, zeroize::Zeroizing};

use crate::{StoreError, WriteConnection, fault, io_fault, private::private_file};

/// The 32 bytes under which a database is encrypted.
pub type StoreKey = SecretBox<[u8; 32]>;

/// The longest path of a database in bytes: SQLite has 512 for it and the names of what lies beside it.
const LONGEST_PATH: usize = 500;
/// How long a database's lock is waited for.
pub(crate) const BUSY: Duration = Duration::from_secs(5);

/// What a database is, independent of where its file lies.
#[derive(Debug, Clone, Copy)]
pub struct Definition {
    /// What an error says was being done, such as "open the journal".
    pub opening: &'static str,
    /// Its schema. Frozen once released: add to the end.
    pub migrations: &'static [M<'static>],
    /// Who else may have it open.
    pub sharing: Sharing,
    /// What a commit survives.
    pub durability: Durability,
    /// Further settings of each connection, as SQL.
    pub settings: &'static str,
    /// How many prepared statements each connection keeps.
    pub statements: usize,
}

/// Who else may write to a database. Reading beside the writer, as a backup does, is always possible.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sharing {
    /// Other connections, each in its turn.
    Shared,
    /// Nobody: a second connection for writing is refused at once.
    Exclusive,
}

/// What a commit survives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// The end of the process and a power cut.
    PowerCut,
    /// The end of the process; a power cut may undo the last commits.
    ProcessEnd,
}

impl Definition {
    /// Opens the database at `path` for writing, or makes it, with the newest schema. Blocks.
    ///
    /// # Errors
    /// [`StoreError`], but never `Closed`.
    pub fn open(&self, path: &Path, key: Option<&StoreKey>) -> Result<WriteConnection, StoreError> {
        self.check_path(path)?;
        private_file(path).map_err(io_fault(self.opening))?;
        let lock = match self.sharing {
            Sharing::Shared => None,
            Sharing::Exclusive => Some(self.lock(path)?),
        };
        let mut connection = self.connect(path, key, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        let synchronous = match self.durability {
            // In WAL mode only FULL makes each commit wait for the disk.
            Durability::PowerCut => "FULL",
            Durability::ProcessEnd => "NORMAL",
        };
        let settings = format!("PRAGMA journal_mode=WAL; PRAGMA synchronous={synchronous};");
        connection.execute_batch(&settings).map_err(fault(self.opening))?;
        self.migrate(&mut connection)?;
        Ok(WriteConnection { connection, _lock: lock })
    }

    /// Takes the lock of an exclusive database. It lies on a file beside the database and not on the
    /// database itself, since SQLite's own exclusive lock would keep backups from reading.
    fn lock(&self, path: &Path) -> Result<fs::File, StoreError> {
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(".lock");
        let file = private_file(&path.with_file_name(name)).map_err(io_fault(self.opening))?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(fs::TryLockError::WouldBlock) => Err(StoreError::Locked { doing: self.opening }),
            Err(fs::TryLockError::Error(error)) => Err(io_fault(self.opening)(error)),
        }
    }

    /// Opens one more connection, which only reads. Blocks.
    ///
    /// # Errors
    /// [`StoreError`], but never `Closed`.
    pub fn open_reader(
        &self,
        path: &Path,
        key: Option<&StoreKey>,
    ) -> Result<Connection, StoreError> {
        self.connect(path, key, OpenFlags::SQLITE_OPEN_READ_ONLY)
    }

    /// A database in memory, for the tests of tables.
    ///
    /// # Errors
    /// A migration's.
    pub fn in_memory(&self) -> Result<Connection, StoreError> {
        initialise();
        let mut connection = Connection::open_in_memory().map_err(fault(self.opening))?;
        self.migrate(&mut connection)?;
        Ok(connection)
    }

    pub(crate) fn connect(
        &self,
        path: &Path,
        key: Option<&StoreKey>,
        access: OpenFlags,
    ) -> Result<Connection, StoreError> {
        let doing = self.opening;
        // NO_MUTEX: no connection is ever used by two threads at once.
        let flags = access | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        initialise();
        let connection = Connection::open_with_flags(path, flags).map_err(fault(doing))?;
        connection.busy_timeout(BUSY).map_err(fault(doing))?;
        if let Some(key) = key {
            // Before anything else, or SQLCipher takes the file for a plain one.
            connection.execute_batch(&key_pragma(key)).map_err(fault(doing))?;
        }
        // SQLCipher notices a wrong key only at the first page that it reads.
        connection.query_row("SELECT count(*) FROM sqlite_master", [], |_| Ok(())).map_err(
            |error| match (key, error.sqlite_error_code()) {
                (Some(_), Some(ErrorCode::NotADatabase)) => StoreError::WrongKey { doing },
                _ => fault(doing)(error),
            },
        )?;
        connection.set_prepared_statement_cache_capacity(self.statements);
        connection.execute_batch(self.settings).map_err(fault(doing))?;
        Ok(connection)
    }

    /// SQLite reports a path that is too long for it as anything but that.
    fn check_path(&self, path: &Path) -> Result<(), StoreError> {
        let whole = std::path::absolute(path).map_err(io_fault(self.opening))?;
        if whole.as_os_str().len() > LONGEST_PATH {
            return Err(StoreError::PathTooLong { doing: self.opening });
        }
        Ok(())
    }

    fn migrate(&self, connection: &mut Connection) -> Result<(), StoreError> {
        let doing = self.opening;
        Migrations::from_slice(self.migrations).to_latest(connection).map_err(|error| match error {
            Error::RusqliteError { err, .. } => fault(doing)(err),
            Error::MigrationDefinition(MigrationDefinitionError::DatabaseTooFarAhead) => {
                StoreError::TooNew { doing }
            }
            other => {
                tracing::warn!(doing, error = %other, "a database can't be migrated");
                let why = "its tables are not as they should be".to_owned();
                StoreError::Damaged { doing, why }
            }
        })
    }
}

/// Lets one thread initialise SQLite and SQLCipher to the end before any database is opened.
///
/// The first connection of a process does that. But SQLite counts as initialised before it calls SQLCipher's
/// part, so a second thread could open a database that takes no key yet, which looked like a wrong key.
///
/// SQLCipher would then write lines of its own to standard error; what it says there, its errors say too.
fn initialise() {
    static INITIALISED: Once = Once::new();
    let silenced =
        |connection: Connection| connection.execute_batch("PRAGMA cipher_log_level=NONE;");
    INITIALISED.call_once(|| match Connection::open_in_memory().and_then(silenced) {
        Ok(()) => {}
        // The caller's own connection meets the same error and reports it.
        Err(error) => tracing::warn!(%error, "SQLite could not be initialised"),
    });
}

fn key_pragma(key: &StoreKey) -> Zeroizing<String> {
    // Room for all of it at once: a growing buffer would leave copies of the key behind.
    let mut text = Zeroizing::new(String::with_capacity(100));
    text.push_str("PRAGMA key = \"x'");
    for byte in key.expose_secret() {
        for digit in [byte >> 4, byte & 15] {
            text.push(char::from_digit(u32::from(digit), 16).unwrap_or('0'));
        }
    }
    text.push_str("'\";");
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{check_integrity, private_folder};

    const NOTES: Definition = Definition {
        opening: "open the notes",
        migrations: &[M::up("CREATE TABLE notes(text TEXT NOT NULL);")],
        sharing: Sharing::Shared,
        durability: Durability::PowerCut,
        settings: "PRAGMA secure_delete=ON;",
        statements: 8,
    };

    fn key(byte: u8) -> StoreKey {
        StoreKey::new(Box::new([byte; 32]))
    }

    fn write(connection: &Connection) {
        connection.execute("INSERT INTO notes VALUES ('a note')", []).unwrap();
    }

    fn notes(connection: &Connection) -> u32 {
        connection.query_row("SELECT count(*) FROM notes", [], |row| row.get(0)).unwrap()
    }

    #[test]
    fn a_clean_close_leaves_nothing_in_the_log_even_beside_an_idle_reader() {
        let dir = tempfile::tempdir().unwrap();
        let (path, log) = (dir.path().join("notes.db"), dir.path().join("notes.db-wal"));
        let writer = NOTES.open(&path, Some(&key(1))).unwrap();
        let reader = NOTES.open_reader(&path, Some(&key(1))).unwrap();
        write(&writer);
        assert_eq!(notes(&reader), 1);
        assert!(fs::metadata(&log).unwrap().len() > 0);
        drop(writer);
        assert!(fs::metadata(&log).map_or(0, |log| log.len()) == 0);
        let copy = dir.path().join("copy.db");
        fs::copy(&path, &copy).unwrap();
        assert_eq!(notes(&NOTES.open(&copy, Some(&key(1))).unwrap()), 1);
    }

    #[test]
    fn a_wrong_key_a_missing_key_and_garbage_are_told_apart_from_a_full_disk() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("notes.db");
        write(&NOTES.open(&path, Some(&key(1))).unwrap());
        let wrong = NOTES.open(&path, Some(&key(2))).unwrap_err();
        assert_eq!(wrong.remedy(), Some(crate::Remedy::RestoreKey));
        let plain = NOTES.open(&path, None).unwrap_err();
        assert_eq!(plain.remedy(), Some(crate::Remedy::RestoreCopy));
    }

    #[test]
    fn a_path_that_is_too_long_is_said_to_be() {
        let dir = tempfile::tempdir().unwrap();
        let mut folder = dir.path().to_owned();
        while folder.as_os_str().len() < LONGEST_PATH {
            folder.push("a-folder-with-a-long-name");
        }
        fs::create_dir_all(&folder).unwrap();
        let error = NOTES.open(&folder.join("notes.db"), None).unwrap_err();
        assert_eq!(error.remedy(), Some(crate::Remedy::ShorterPath));
        let error = NOTES.open(&dir.path().join("n".repeat(300)), None).unwrap_err();
        assert_eq!(error.remedy(), Some(crate::Remedy::ShorterPath));
    }

    #[test]
    fn no_error_has_a_text_of_the_database() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("notes.db");
        let connection = NOTES.open(&path, None).unwrap();
        let failed = connection.execute_batch("SELECT nothing FROM nowhere").unwrap_err();
        let raw = failed.to_string();
        let told = fault("look")(failed).to_string();
        assert!(raw.contains("nowhere") && !told.contains("nowhere"), "{told}");
        drop(connection);
        let mut bytes = fs::read(&path).unwrap();
        bytes[100..4096].fill(0xA5);
        fs::write(&path, bytes).unwrap();
        let error = NOTES.open(&path, None).unwrap_err();
        assert_eq!(error.remedy(), Some(crate::Remedy::RestoreCopy));
        assert!(!error.to_string().contains("disk image"), "{error}");
    }

    #[test]
    fn a_database_of_a_newer_version_asks_for_an_update() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("notes.db");
        NOTES.open(&path, None).unwrap().pragma_update(None, "user_version", 2).unwrap();
        let error = NOTES.open(&path, None).unwrap_err();
        assert_eq!(error.remedy(), Some(crate::Remedy::Update));
    }

    #[test]
    fn an_exclusive_database_can_be_read_beside_its_writer() {
        let exclusive = Definition { sharing: Sharing::Exclusive, ..NOTES };
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("notes.db");
        let writer = exclusive.open(&path, Some(&key(1))).unwrap();
        write(&writer);
        assert_eq!(notes(&exclusive.open_reader(&path, Some(&key(1))).unwrap()), 1);
    }

    #[test]
    fn an_exclusive_database_refuses_a_second_program_at_once() {
        let exclusive = Definition { sharing: Sharing::Exclusive, ..NOTES };
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("notes.db");
        let first = exclusive.open(&path, None).unwrap();
        let error = exclusive.open(&path, None).unwrap_err();
        assert_eq!(error.remedy(), Some(crate::Remedy::QuitOther));
        drop(first);
        let _again = exclusive.open(&path, None).unwrap();
        let error = exclusive.open(&path, None).unwrap_err();
        assert_eq!(error.remedy(), Some(crate::Remedy::QuitOther));
    }

    // Broker and sandbox gave the key in this form before they shared this crate with the engine.
    #[test]
    fn opens_a_database_that_got_its_key_as_a_quoted_pragma() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("notes.db");
        let old = Connection::open(&path).unwrap();
        old.pragma_update(None, "key", format!("x'{}'", "07".repeat(32))).unwrap();
        old.execute_batch("PRAGMA journal_mode=WAL; CREATE TABLE notes(text TEXT NOT NULL);")
            .unwrap();
        old.pragma_update(None, "user_version", 1).unwrap();
        write(&old);
        drop(old);
        assert_eq!(notes(&NOTES.open(&path, Some(&key(7))).unwrap()), 1);
    }

    #[test]
    fn the_integrity_check_finds_an_overwritten_page() {
        use std::io::{Seek as _, SeekFrom, Write as _};
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("notes.db");
        let connection = NOTES.open(&path, None).unwrap();
        write(&connection);
        check_integrity(&connection, "check the notes").unwrap();
        drop(connection);
        let mut file = fs::OpenOptions::new().write(true).open(&path).unwrap();
        file.seek(SeekFrom::Start(4096)).unwrap();
        file.write_all(&[0xff; 4096]).unwrap();
        let connection = NOTES.open(&path, None).unwrap();
        let error = check_integrity(&connection, "check the notes").unwrap_err();
        assert_eq!(error.remedy(), Some(crate::Remedy::RestoreCopy), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_may_read_what_is_made() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("data");
        private_folder(&folder).unwrap();
        let _notes = NOTES.open(&folder.join("notes.db"), None).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&folder), mode(&folder.join("notes.db"))), (0o700, 0o600));
    }
}
