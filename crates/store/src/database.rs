//! One connection, which transactions use one after the other in the order of their calls.

use std::sync::Arc;

use rusqlite::{Transaction, TransactionBehavior};
use tokio::sync::Mutex;

use crate::{StoreError, WriteConnection, fault};

/// A database that is written by one transaction at a time. Clones are the same one.
#[derive(Debug, Clone)]
pub struct Database(Arc<Mutex<Option<WriteConnection>>>);

impl Database {
    /// Writes with `connection` from now on.
    #[must_use]
    pub fn new(connection: WriteConnection) -> Self {
        Self(Arc::new(Mutex::new(Some(connection))))
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
        let mut slot = Arc::clone(&self.0).lock_owned().await;
        let task = tokio::task::spawn_blocking(move || {
            let connection = slot.as_mut().ok_or(StoreError::Closed { doing })?;
            // Immediate: a transaction that read first could not wait for the write lock any more.
            let tx = connection
                .transaction_with_behavior(TransactionBehavior::Immediate)
                .map_err(fault(doing))?;
            let result = work(&tx)?;
            tx.commit().map_err(fault(doing))?;
            Ok(result)
        });
        task.await.unwrap_or(Err(StoreError::Closed { doing }))
    }

    /// Closes the file after the transactions that wait already.
    pub async fn close(&self) {
        let mut slot = Arc::clone(&self.0).lock_owned().await;
        // It blocks for the checkpoint.
        let _ = tokio::task::spawn_blocking(move || drop(slot.take())).await;
    }
}
