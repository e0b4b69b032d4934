//! The session machine: decides a support session's state and the effects to perform, and performs
//! none itself.
//!
//! `step(State, Input, now) -> Transition` is all there is. No clock, no chance, no I/O and no
//! secret is in this crate: the PIN and the hooks' tokens stay with the actor that performs the
//! effects, so a [`State`] can be printed, compared and stored as it is.

#![warn(missing_docs)]

mod arrival;
mod delivery;
mod denials;
pub mod effect;
pub mod event;
mod failure;
mod incident;
pub mod input;
pub mod lamp;
pub mod mail;
pub mod observation;
pub mod obstacle;
pub mod outage;
pub mod presence;
pub mod program;
pub mod push_brake;
pub mod region;
pub mod retry;
pub mod state;
pub mod status;
mod step;
pub mod text;
pub mod time;
pub mod verification;

pub use arrival::Arrival;
pub use delivery::{Delivery, DeliveryId};
pub use effect::{Effect, Timer, Urgency};
pub use event::{
    ArrivalEvent, ChatEvent, Event, EventFacts, HookEvent, LifeEvent, LogContext, MailEvent,
    Overtaken, PresenceChange, PresenceEvent, ProgramEvent, VerificationChange, VerificationEvent,
    ViewingEvent,
};
pub use failure::Failure;
pub use incident::{Incident, ToldIncidents};
pub use input::{Input, Revocation, SavedChat};
pub use lamp::Lamp;
pub use observation::{LiveFacts, Observation, Observed, ObservedSide, Participant};
pub use obstacle::Obstacle;
pub use outage::Outage;
pub use presence::{Presenter, Viewers};
pub use program::Program;
pub use state::{About, Life, Outcome, Record, State, Transcript};
pub use status::SessionStatus;
pub use step::{Transition, step};
pub use time::Timestamp;
pub use verification::{Gate, Verification};
