//! What the broker decides: no clock, no random number, no I/O. Time and chance are arguments.

pub mod abuse;
pub mod pin;
pub mod presence;
pub mod rates;
pub mod session;
pub mod target;
pub mod text;
