//! The programs without a window, as a person or a script runs them: real processes, real sockets.
#![allow(clippy::unwrap_used)]

mod audit;
mod backup;
mod documented;
mod ends;
mod exit_codes;
mod identity;
mod log;
mod looks;
mod process;
mod restarts;
#[path = "../service/mod.rs"]
mod service;
mod story;
