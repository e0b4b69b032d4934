//! What journal and archive share: their errors by remedy, private files, and a few readers.

use std::{
    fs, io,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use rusqlite::{Connection, ErrorCode};
use tokio::sync::Semaphore;

/// Why a database call failed, by what helps. `doing` says what was being done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Free some space; what was to be written isn't.
    #[error("{doing}: the disk is full; free some space, then it is tried again")]
    DiskFull {
        /// What was being done.
        doing: &'static str,
    },
    /// Another program holds the database.
    #[error("{doing}: another program holds the database; close it, then try again")]
    Locked {
        /// What was being done.
        doing: &'static str,
    },
    /// The key isn't the one that the database was made with.
    #[error(
        "{doing}: the key isn't the one that this database was made with, or its beginning is damaged; restore the key or a copy"
    )]
    WrongKey {
        /// What was being done.
        doing: &'static str,
    },
    /// The database or a row of it is damaged: restore a copy.
    #[error("{doing}: the database is damaged ({why}); restore it from a copy")]
    Damaged {
        /// What was being done.
        doing: &'static str,
        /// What was found; no customer's data.
        why: String,
    },
    /// A newer Deskhand made it.
    #[error("{doing}: a newer version of Deskhand made this database; use that version")]
    TooNew {
        /// What was being done.
        doing: &'static str,
    },
    /// The file system refused.
    #[error("{doing}: {why}; check the disk and the folder's permissions")]
    Io {
        /// What was being done.
        doing: &'static str,
        /// What the database or the system said.
        why: String,
    },
    /// The engine is stopping.
    #[error("{doing}: it is closed already")]
    Closed {
        /// What was being done.
        doing: &'static str,
    },
}

/// Names a database's error by its remedy.
pub(crate) fn fault(doing: &'static str) -> impl Fn(rusqlite::Error) -> StoreError + Copy {
    move |error| match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => StoreError::DiskFull { doing },
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::Locked { doing },
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
            StoreError::Damaged { doing, why: error.to_string() }
        }
        Some(_) => StoreError::Io { doing, why: error.to_string() },
        // No code: the row isn't what the query expects.
        None => StoreError::Damaged { doing, why: error.to_string() },
    }
}

/// Names a file system's error by its remedy.
pub(crate) fn io_fault(doing: &'static str) -> impl Fn(io::Error) -> StoreError + Copy {
    move |error| match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StoreError::DiskFull { doing },
        _ => StoreError::Io { doing, why: error.to_string() },
    }
}

/// Brings a database to the newest schema.
pub(crate) fn migrate(
    connection: &mut Connection,
    steps: &[rusqlite_migration::M<'_>],
    doing: &'static str,
) -> Result<(), StoreError> {
    use rusqlite_migration::{Error, MigrationDefinitionError, Migrations};
    Migrations::from_slice(steps).to_latest(connection).map_err(|error| match error {
        Error::RusqliteError { err, .. } => fault(doing)(err),
        Error::MigrationDefinition(MigrationDefinitionError::DatabaseTooFarAhead) => {
            StoreError::TooNew { doing }
        }
        other => StoreError::Damaged { doing, why: other.to_string() },
    })
}

/// Makes sure that the database's file is there and nobody else may read it; what SQLite puts
/// beside it takes the same permissions.
pub(crate) fn private_file(path: &Path) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

type Opener = dyn Fn() -> Result<Connection, StoreError> + Send + Sync;

/// A few connections that read beside the one writer, opened when first needed.
pub(crate) struct Readers {
    open: Box<Opener>,
    idle: Mutex<Vec<Connection>>,
    permits: Semaphore,
}

impl Readers {
    pub fn new(
        most: usize,
        open: impl Fn() -> Result<Connection, StoreError> + Send + Sync + 'static,
    ) -> Arc<Self> {
        Arc::new(Self {
            open: Box::new(open),
            idle: Mutex::new(Vec::new()),
            permits: Semaphore::new(most),
        })
    }

    /// Runs `work` on a connection of its own, off the async threads.
    pub async fn read<T: Send + 'static>(
        self: &Arc<Self>,
        doing: &'static str,
        work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let _permit = self.permits.acquire().await.map_err(|_| StoreError::Closed { doing })?;
        let this = Arc::clone(self);
        let task = tokio::task::spawn_blocking(move || this.read_now(work));
        task.await.unwrap_or(Err(StoreError::Closed { doing }))
    }

    fn read_now<T>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let connection = match idle {
            Some(connection) => connection,
            None => (self.open)()?,
        };
        let result = work(&connection);
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        result
    }
}
