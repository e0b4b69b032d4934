//! Actors and I/O: runs the console's sessions and stores their data. No tauri here.
//!
//! [`Engine`] is the only way in. It owns one data folder: whoever starts it holds the folder's
//! [`lock`]. Everything that it acknowledges is on disk, and it never prints or logs a secret.

pub mod access;
pub mod actor;
pub mod archive;
mod archivist;
mod asked_people;
pub mod audit_trail;
mod awake;
mod away;
pub mod backup;
mod broker_copies;
pub mod budget;
pub mod bus;
pub mod clock;
pub mod config;
mod context;
pub mod desktop;
mod engine;
pub mod error;
pub mod faults;
#[doc(hidden)]
pub mod fuzzing;
pub mod hooks;
pub mod id;
pub mod journal;
pub mod lock;
mod observe;
mod perform;
pub mod reach;
pub mod remote;
mod said;
mod state_requests;
mod timers;
mod to_actors;
pub mod token;
pub mod vault;
pub mod watch;
mod way;

pub use actor::region_choice::Race;
pub use bus::{Changes, Progress, Snapshot, Subscription};
pub use config::{Config, Listener};
pub use context::{Health, ServiceHealth};
pub use engine::{Engine, Keys, LostStore, Stores};
pub use error::{CommandError, Misfit, StartError};
pub use id::SessionId;
pub use said::Saying;
pub use store::{Remedy, StoreError};
pub use watch::{BackgroundFault, TaskFault, Watch};
