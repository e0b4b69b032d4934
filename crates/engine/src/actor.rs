//! The actors: one a session, one over all of them, one for the regions.
//!
//! No handler awaits a remote call, so every actor can be stopped at any time.

pub mod message;
pub mod region_choice;
pub mod session;
pub mod supervisor;
#[cfg(test)]
pub(crate) mod testing;
