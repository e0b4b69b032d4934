//! The programs without a window, as a person or a script runs them: real processes, real sockets.
#![allow(clippy::unwrap_used)]

mod ends;
mod looks;
mod process;
mod restarts;
mod story;
