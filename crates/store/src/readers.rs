//! A few connections that read beside the one writer.

use std::sync::Arc;

use parking_lot::Mutex;
use rusqlite::Connection;
use tokio::sync::Semaphore;

use crate::StoreError;

type Opener = dyn Fn() -> Result<Connection, StoreError> + Send + Sync;

/// Connections that read, each opened when it is first needed. Clones share them.
#[derive(Clone)]
pub struct Readers(Arc<Pool>);

struct Pool {
    open: Box<Opener>,
    idle: Mutex<Vec<Connection>>,
    permits: Arc<Semaphore>,
    /// How many connections there are at most.
    most: u32,
}

impl Readers {
    /// At most `most` connections, opened by `open`.
    pub fn new(
        most: u32,
        open: impl Fn() -> Result<Connection, StoreError> + Send + Sync + 'static,
    ) -> Self {
        let permits = usize::try_from(most).unwrap_or(Semaphore::MAX_PERMITS);
        let permits = Arc::new(Semaphore::new(permits));
        Self(Arc::new(Pool { open: Box::new(open), idle: Mutex::default(), permits, most }))
    }

    /// Runs `work` on a connection of its own, off the async threads.
    ///
    /// # Errors
    /// The work's, or one of opening the connection.
    pub async fn read<T: Send + 'static>(
        &self,
        doing: &'static str,
        work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let closed = StoreError::Closed { doing };
        let pool = Arc::clone(&self.0);
        let Ok(permit) = pool.permits.clone().acquire_owned().await else { return Err(closed) };
        let read = move || {
            let result = pool.read(work);
            // Kept by the work, which goes on even if nobody waits for it any more.
            drop(permit);
            result
        };
        tokio::task::spawn_blocking(read).await.unwrap_or(Err(closed))
    }

    /// Closes the connections once what they read is read; later calls are refused.
    pub async fn close(&self) {
        // Refused only if it is closed already.
        let all = self.0.permits.acquire_many(self.0.most).await;
        self.0.permits.close();
        if all.is_ok() {
            let idle = std::mem::take(&mut *self.0.idle.lock());
            let _ = tokio::task::spawn_blocking(move || drop(idle)).await;
        }
    }
}

impl Pool {
    fn read<T>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        // A statement of its own, or the lock would be held while the database is opened.
        let idle = self.idle.lock().pop();
        let connection = match idle {
            Some(connection) => connection,
            None => (self.open)()?,
        };
        let result = work(&connection);
        // After a damaged page SQLCipher refuses all others, too, until the database is opened again.
        if !matches!(result, Err(StoreError::Damaged { .. })) {
            self.idle.lock().push(connection);
        }
        result
    }
}
