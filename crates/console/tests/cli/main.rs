//! The programs without a window, as a person or a script runs them: real processes, real sockets.
#![allow(clippy::unwrap_used)]

mod audit;
mod backup;
mod broker_process;
mod chat_and_gate;
mod documented;
mod ends;
mod exit_codes;
mod identity;
mod log;
mod looks;
mod operators;
mod process;
mod proof;
mod restarts;
#[path = "../service/mod.rs"]
mod service;
mod still_there;
mod story;
