//! What survives a restart: one SQLite file, encrypted where there is a key.
//!
//! Each service has its own tables and its own SQL, in its own `store` module; this one opens the file and
//! runs their transactions, one at a time and off the async runtime.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use rusqlite::{Connection, Transaction};
use rusqlite_migration::{M, Migrations};
use secrecy::{ExposeSecret as _, SecretBox};
use tokio::sync::Mutex;

/// The file within the data folder.
const FILE: &str = "sandbox.db";

/// The 32 bytes under which the store is encrypted.
pub type StoreKey = SecretBox<[u8; 32]>;

/// Frozen once released: add to the end.
const STEPS: &[M<'static>] = &[
    M::up(crate::logintc::store::TABLES),
    M::up(crate::rocketchat::store::TABLES),
    M::up(crate::passwordless::store::TABLES),
];
const MIGRATIONS: Migrations<'static> = Migrations::from_slice(STEPS);

/// The store can't be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file system refused.
    #[error("prepare the data folder {}: {source}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Another sandbox has it open.
    #[error(
        "open the sandbox's store: another sandbox uses the same data folder; end it first, or choose another folder"
    )]
    InUse,
    /// The key doesn't fit, or the file is damaged.
    #[error("open the sandbox's store: the key does not fit, or the file is damaged")]
    Locked,
    /// SQLite refused.
    #[error("{doing}: {source}")]
    Sql {
        /// What was being done.
        doing: &'static str,
        /// Why it failed.
        #[source]
        source: rusqlite::Error,
    },
    /// The tables can't be brought up to date.
    #[error("bring the sandbox's store up to date: {0}")]
    Migration(String),
    /// The sandbox is ending.
    #[error("use the sandbox's store: the sandbox is ending")]
    Closed,
}

/// The store; clones are the same one.
#[derive(Debug, Clone)]
pub(crate) struct Store(Arc<Mutex<Option<Connection>>>);

impl Store {
    /// Opens (or makes) the store in `folder`. Blocks.
    pub(crate) fn open(folder: &Path, key: Option<&StoreKey>) -> Result<Self, StoreError> {
        prepare(folder)?;
        let mut connection = connect(&folder.join(FILE), key)?;
        MIGRATIONS
            .to_latest(&mut connection)
            .map_err(|error| StoreError::Migration(error.to_string()))?;
        Ok(Self(Arc::new(Mutex::new(Some(connection)))))
    }

    /// Runs `work` in one transaction; what it changed is on disk when this returns.
    pub(crate) async fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let mut slot = Arc::clone(&self.0).lock_owned().await;
        let done = tokio::task::spawn_blocking(move || {
            let connection = slot.as_mut().ok_or(StoreError::Closed)?;
            let failed = sql("use the sandbox's store");
            let tx = connection.transaction().map_err(&failed)?;
            let result = work(&tx).map_err(&failed)?;
            tx.commit().map_err(&failed)?;
            Ok(result)
        });
        done.await.unwrap_or(Err(StoreError::Closed))
    }

    /// Closes the file; what is asked for later gets [`StoreError::Closed`].
    pub(crate) async fn close(&self) {
        let mut slot = Arc::clone(&self.0).lock_owned().await;
        let _ = tokio::task::spawn_blocking(move || drop(slot.take())).await;
    }
}

fn prepare(folder: &Path) -> Result<(), StoreError> {
    let failed = |source| StoreError::Folder { path: folder.to_owned(), source };
    std::fs::create_dir_all(folder).map_err(failed)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700)).map_err(failed)?;
    }
    Ok(())
}

fn connect(path: &Path, key: Option<&StoreKey>) -> Result<Connection, StoreError> {
    let connection = Connection::open(path).map_err(sql("open the sandbox's store"))?;
    connection.busy_timeout(Duration::ZERO).map_err(sql("open the sandbox's store"))?;
    if let Some(key) = key {
        // The raw key comes before anything else, or SQLCipher takes the file for a plain one.
        let hex: String = key.expose_secret().iter().map(|byte| format!("{byte:02x}")).collect();
        connection
            .pragma_update(None, "key", format!("x'{hex}'"))
            .map_err(sql("give the sandbox's store its key"))?;
    }
    // Held until the end: a second sandbox on the same folder would know nothing of this one's changes.
    let pragmas = "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL;
                   PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON;
                   BEGIN EXCLUSIVE; COMMIT;";
    connection.execute_batch(pragmas).map_err(|source| match source.sqlite_error_code() {
        Some(rusqlite::ErrorCode::DatabaseBusy | rusqlite::ErrorCode::DatabaseLocked) => {
            StoreError::InUse
        }
        Some(rusqlite::ErrorCode::NotADatabase) => StoreError::Locked,
        _ => StoreError::Sql { doing: "open the sandbox's store", source },
    })?;
    Ok(connection)
}

fn sql(doing: &'static str) -> impl Fn(rusqlite::Error) -> StoreError {
    move |source| StoreError::Sql { doing, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_migrations_are_valid() {
        MIGRATIONS.validate().unwrap();
    }

    #[tokio::test]
    async fn one_sandbox_at_a_time_and_with_its_key_only() {
        let dir = tempfile::tempdir().unwrap();
        let key = |byte| StoreKey::new(Box::new([byte; 32]));
        let store = Store::open(dir.path(), Some(&key(1))).unwrap();
        let second = Store::open(dir.path(), Some(&key(1))).map(drop);
        assert!(matches!(second, Err(StoreError::InUse)), "{second:?}");
        store.close().await;
        let wrong = Store::open(dir.path(), Some(&key(2))).map(drop);
        assert!(matches!(wrong, Err(StoreError::Locked)), "{wrong:?}");
        assert!(matches!(store.with(|_| Ok(())).await, Err(StoreError::Closed)));
    }
}
