//! The program that the customer runs: it asks, and then shares the screen with those who have the PIN.
//!
//! What always holds:
//! - nothing is captured and nothing leaves this computer before the customer has agreed (who asks is
//!   asked of the broker before, where only the PIN is known: [`asker`]);
//! - while the screen is shared a banner says so, with the names of those who watch and control;
//! - no key, no click and no clipboard of a viewer that may only watch, or while control is paused;
//! - it only dials out, and ends with its PIN.
//!
//! Who does what: the customer's window has the main thread, the screen's two traits a thread each
//! ([`screen::Capture`], [`screen::Input`]), updates are made on the runtime's blocking threads, and the
//! connections live on its two others. [`sharing`] is where they meet.

pub mod asker;
pub mod cli;
pub mod consent;
pub mod dial;
pub mod end;
mod hands;
pub mod invited;
pub mod live;
mod pictures;
pub mod program;
mod run;
pub mod screen;
mod share;
pub mod sharing;
mod stage;

pub use run::{Parts, run};
pub use stage::Open;
