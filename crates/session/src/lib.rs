//! The session machine: decides what a support session is and what must be done, and does nothing.
//!
//! `step(State, Input, now) -> Transition` is all there is. No clock, no chance, no I/O and no secret
//! is in this crate: the PIN and the hooks' tokens stay with the actor that performs the effects, so
//! a [`State`] can be printed, compared and stored as it is.

#![warn(missing_docs)]

pub mod effect;
pub mod event;
pub mod fact;
pub mod input;
pub mod lamp;
pub mod mail;
pub mod outage;
pub mod program;
pub mod region;
pub mod retry;
pub mod state;
mod step;
pub mod text;
pub mod time;
pub mod verification;
pub mod word;

pub use effect::{Effect, Timer, Urgency};
pub use event::{
    ChatEvent, Event, EventFacts, HookEvent, LifeEvent, LogContext, MailEvent, PresenceChange,
    PresenceEvent, ProgramEvent, VerificationChange, VerificationEvent, ViewingEvent,
};
pub use fact::{Presenter, Viewers};
pub use input::Input;
pub use lamp::Lamp;
pub use outage::Outage;
pub use program::Program;
pub use retry::Failure;
pub use state::{About, Life, Outcome, Record, State, Transcript};
pub use step::{Transition, step};
pub use time::Timestamp;
pub use verification::{Gate, Verification};
pub use word::Word;
