//! One connection, which transactions use one after the other in the order of their calls.

use std::sync::Arc;

use rusqlite::{Transaction, TransactionBehavior};
use tokio::sync::Mutex;

use crate::{StoreError, WriteConnection, fault};

/// A database that is written by one transaction at a time. Clones are the same one.
#[derive(Clone)]
pub struct Database {
    slot: Arc<Mutex<Slot>>,
    open: Arc<Open>,
}

struct Slot {
    /// None before the first transaction after a damaged page, and at the end.
    connection: Option<WriteConnection>,
    closed: bool,
}

type Open = dyn Fn() -> Result<WriteConnection, StoreError> + Send + Sync;

impl Database {
    /// Opens the database by `open`, and again after a damaged page: SQLCipher refuses all others, too,
    /// until then.
    ///
    /// # Errors
    /// The one of opening it.
    pub fn open(
        open: impl Fn() -> Result<WriteConnection, StoreError> + Send + Sync + 'static,
    ) -> Result<Self, StoreError> {
        let slot = Slot { connection: Some(open()?), closed: false };
        Ok(Self { slot: Arc::new(Mutex::new(slot)), open: Arc::new(open) })
    }

    /// Runs `work` in one transaction, off the async threads. What it changed is committed when this
    /// returns, or not changed at all.
    ///
    /// # Errors
    /// The work's or the transaction's; [`StoreError::Closed`] after [`Self::close`].
    pub async fn transact<T: Send + 'static>(
        &self,
        doing: &'static str,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.run(doing, move |connection| in_transaction(connection, doing, work)).await
    }

    /// Empties the write-ahead log, see [`WriteConnection::empty_log`].
    ///
    /// # Errors
    /// As [`Self::transact`].
    pub async fn empty_log(&self, doing: &'static str) -> Result<bool, StoreError> {
        self.run(doing, move |connection| connection.empty_log(doing)).await
    }

    async fn run<T: Send + 'static>(
        &self,
        doing: &'static str,
        work: impl FnOnce(&mut WriteConnection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let mut slot = Arc::clone(&self.slot).lock_owned().await;
        let open = Arc::clone(&self.open);
        let task = tokio::task::spawn_blocking(move || {
            if slot.closed {
                return Err(StoreError::Closed { doing });
            }
            let connection = match slot.connection.take() {
                Some(connection) => connection,
                None => open()?,
            };
            let result = work(slot.connection.insert(connection));
            if matches!(result, Err(StoreError::Damaged { .. })) {
                slot.connection = None;
            }
            result
        });
        task.await.unwrap_or(Err(StoreError::Closed { doing }))
    }

    /// Closes the file after the transactions that wait already.
    pub async fn close(&self) {
        let mut slot = Arc::clone(&self.slot).lock_owned().await;
        // It blocks for the checkpoint.
        let close = move || *slot = Slot { connection: None, closed: true };
        let _ = tokio::task::spawn_blocking(close).await;
    }
}

impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Database").finish_non_exhaustive()
    }
}

fn in_transaction<T>(
    connection: &mut WriteConnection,
    doing: &'static str,
    work: impl FnOnce(&Transaction<'_>) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    // Immediate: a transaction that read first could not wait for the write lock any more.
    let tx = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(fault(doing))?;
    let result = work(&tx)?;
    tx.commit().map_err(fault(doing))?;
    Ok(result)
}
