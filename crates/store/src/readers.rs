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
    permits: Semaphore,
}

impl Readers {
    /// At most `most` connections, opened by `open`.
    pub fn new(
        most: usize,
        open: impl Fn() -> Result<Connection, StoreError> + Send + Sync + 'static,
    ) -> Self {
        let (idle, permits) = (Mutex::default(), Semaphore::new(most));
        Self(Arc::new(Pool { open: Box::new(open), idle, permits }))
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
        let Ok(_permit) = self.0.permits.acquire().await else { return Err(closed) };
        let pool = Arc::clone(&self.0);
        tokio::task::spawn_blocking(move || pool.read(work)).await.unwrap_or(Err(closed))
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
        self.idle.lock().push(connection);
        result
    }
}
