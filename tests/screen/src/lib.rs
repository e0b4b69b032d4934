//! The screen from end to end: real displays, the customer's real program, a real broker and a
//! real browser.
//!
//! Nothing here sleeps: a test waits for a line, a message or a picture, and fails if none comes
//! within [`PATIENCE`].

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::missing_panics_doc)]

pub mod bridge;
pub mod browser;
pub mod consent;
pub mod copied;
pub mod display;
pub mod keyboard;
pub mod link;
pub mod live;
pub mod network;
pub mod process;
pub mod raw_viewer;
pub mod service;
pub mod shared;
pub mod subject;
pub mod tls;
pub mod world;

use std::time::Duration;

/// How long a test waits before it fails: longer than any machine needs.
pub const PATIENCE: Duration = Duration::from_secs(60);
