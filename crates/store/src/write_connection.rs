//! The connection that writes, and how its log is emptied.

use std::{
    fs,
    ops::{Deref, DerefMut},
    time::Duration,
};

use rusqlite::Connection;

use crate::{StoreError, definition::BUSY, fault};

/// A connection that writes. Dropped, it moves what is in the write-ahead log to the main file.
#[derive(Debug)]
pub struct WriteConnection {
    pub(crate) connection: Connection,
    /// Held as long as the connection is open, where nobody else may write.
    pub(crate) _lock: Option<fs::File>,
}

impl Deref for WriteConnection {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.connection
    }
}

impl DerefMut for WriteConnection {
    fn deref_mut(&mut self) -> &mut Connection {
        &mut self.connection
    }
}

impl WriteConnection {
    /// Moves what is in the write-ahead log to the main file and empties the log, so that nothing that was
    /// deleted is left in it. False if a reader, which isn't waited for, kept it from that.
    ///
    /// # Errors
    /// [`StoreError`], also within a transaction.
    pub fn empty_log(&self, doing: &'static str) -> Result<bool, StoreError> {
        let connection = &self.connection;
        connection.busy_timeout(Duration::ZERO).map_err(fault(doing))?;
        let checkpoint = "PRAGMA wal_checkpoint(TRUNCATE)";
        let busy = connection.query_row(checkpoint, [], |row| row.get::<_, bool>(0));
        connection.busy_timeout(BUSY).map_err(fault(doing))?;
        Ok(!busy.map_err(fault(doing))?)
    }
}

impl Drop for WriteConnection {
    fn drop(&mut self) {
        // SQLite does it by itself only where this is the last connection; readers may be open still.
        // Where one is reading just now, the log is used up at the next start.
        match self.empty_log("empty a database's log") {
            Ok(true) => {}
            Ok(false) => tracing::debug!("a reader kept the write-ahead log from being emptied"),
            Err(error) => tracing::warn!(%error, "the write-ahead log could not be emptied"),
        }
    }
}
