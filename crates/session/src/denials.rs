//! What a person denied before they were asked again.

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// Denials that came before a verification, of the same person or for the same side of the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Denials {
    /// How many, within a day.
    pub times: u32,
    /// The last one.
    pub last: Timestamp,
}
