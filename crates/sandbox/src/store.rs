//! The sandbox's store, which outlives a restart: one SQLite file, encrypted where there is a key.
//!
//! Each service has its own tables and its own SQL, in its own `store` module; this one opens the file and
//! runs their transactions, one at a time and off the async runtime.

use std::path::Path;

use rusqlite::Transaction;
use rusqlite_migration::M;
pub use store::StoreKey;
use store::{Database, Definition, Durability, Sharing, fault};

/// The file within the data folder.
pub const STORE_FILE: &str = "sandbox.db";
/// The newest version of its schema.
pub const STORE_VERSION: usize = STEPS.len();

/// Frozen once released: add to the end.
const STEPS: &[M<'static>] = &[
    M::up(crate::logintc::store::TABLES),
    M::up(crate::rocketchat::store::TABLES),
    M::up(crate::passwordless::store::TABLES),
];

/// The sandbox's file.
const SANDBOX: Definition = Definition {
    opening: "open the sandbox's store",
    migrations: STEPS,
    // A second sandbox on the same folder would know nothing of this one's changes.
    sharing: Sharing::Exclusive,
    durability: Durability::ProcessEnd,
    settings: "PRAGMA foreign_keys=ON; PRAGMA secure_delete=ON;",
    statements: 16,
};

/// The store can't be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another sandbox has it open.
    #[error(
        "open the sandbox's store: another sandbox uses the same data folder; end it first, or choose another folder"
    )]
    InUse,
    /// What any database can suffer.
    #[error("{}", .0.with_remedy())]
    Database(#[source] store::StoreError),
    /// The sandbox is ending.
    #[error("use the sandbox's store: the sandbox is ending")]
    Closed,
}

impl From<store::StoreError> for StoreError {
    fn from(error: store::StoreError) -> Self {
        match error {
            store::StoreError::Locked { .. } => Self::InUse,
            store::StoreError::Closed { .. } => Self::Closed,
            other => Self::Database(other),
        }
    }
}

/// The store; clones are the same one.
#[derive(Debug, Clone)]
pub(crate) struct Store(Database);

impl Store {
    /// Opens (or makes) the store in `folder`. Blocks.
    pub(crate) fn open(folder: &Path, key: Option<StoreKey>) -> Result<Self, StoreError> {
        store::private_folder(folder)?;
        let file = folder.join(STORE_FILE);
        Ok(Self(Database::open(move || SANDBOX.open(&file, key.as_ref()))?))
    }

    /// Runs `work` in one transaction; what it changed is on disk when this returns.
    pub(crate) async fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        const USE: &str = "use the sandbox's store";
        Ok(self.0.transact(USE, |tx| work(tx).map_err(fault(USE))).await?)
    }

    /// Tries whether the disk takes a write.
    pub(crate) async fn probe(&self) -> Result<(), StoreError> {
        const TRY: &str = "try the sandbox's store";
        Ok(self.0.transact(TRY, |tx| store::probe_write(tx, TRY)).await?)
    }

    /// Closes the file; later calls get [`StoreError::Closed`].
    pub(crate) async fn close(&self) {
        self.0.close().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_migrations_are_valid() {
        SANDBOX.in_memory().unwrap();
    }

    #[test]
    fn a_store_of_a_newer_version_asks_for_that_version() {
        let dir = tempfile::tempdir().unwrap();
        let connection = SANDBOX.open(&dir.path().join(STORE_FILE), None).unwrap();
        connection.pragma_update(None, "user_version", 1_000).unwrap();
        drop(connection);
        let newer = Store::open(dir.path(), None).map(drop).unwrap_err().to_string();
        assert!(
            newer.ends_with("a newer version of Deskhand made this database; start the newer version of Deskhand"),
            "{newer}"
        );
    }

    #[tokio::test]
    async fn one_sandbox_at_a_time_and_with_its_key_only() {
        let dir = tempfile::tempdir().unwrap();
        let key = |byte| StoreKey::new(Box::new([byte; 32]));
        let store = Store::open(dir.path(), Some(key(1))).unwrap();
        let second = Store::open(dir.path(), Some(key(1))).map(drop);
        assert!(matches!(second, Err(StoreError::InUse)), "{second:?}");
        store.close().await;
        let wrong = Store::open(dir.path(), Some(key(2))).map(drop);
        assert!(
            matches!(&wrong, Err(StoreError::Database(store::StoreError::WrongKey { .. }))),
            "{wrong:?}"
        );
        assert!(matches!(store.with(|_| Ok(())).await, Err(StoreError::Closed)));
    }
}
