//! Actors and I/O: what the console's sessions do, and where it is kept. No tauri here.

pub mod id;
pub mod journal;
pub mod lock;
pub mod remote;
pub mod sqlite;
pub mod token;
pub mod vault;

pub use id::SessionId;
