//! The wall clock, in the one place where the engine reads it.

use std::time::{SystemTime, UNIX_EPOCH};

use session::Timestamp;

/// This moment.
pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
