//! Why the program's settings can't be used.

use std::path::PathBuf;

/// A setting that can't be used. The texts name the setting and what would be right.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    #[error("read the settings from {}: {source}", path.display())]
    Unreadable {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("read the settings from {}: {reason}", path.display())]
    Malformed {
        path: PathBuf,
        /// The line and the parser's message.
        reason: String,
    },
    #[error("use the store's key in {}: {reason}", path.display())]
    Key { path: PathBuf, reason: String },
    #[error("{0}")]
    Wrong(String),
}
