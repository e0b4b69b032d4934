//! This crate's readers of what strangers send or files hold, each as one call: for the fuzz targets in `tests/fuzz`, which
//! are no part of any program.

use crate::broker_connection;

/// A message of the broker on the live connection.
pub fn live_message(text: &str) {
    let _ = broker_connection::means_something(text);
}
