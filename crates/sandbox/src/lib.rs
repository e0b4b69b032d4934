//! Stand-ins for the three services that verify people: LoginTC, Rocket.Chat and Passwordless.dev.
//!
//! Each is a server of its own on a port of its own, with the real one's paths at its root, so that a
//! client is told one from the other by its base URL and credentials alone. All three keep their state in
//! one store and share one clock, one plan of faults and one control API. The console embeds them;
//! `deskhand-sandbox` runs them as a program.
//!
//! What always holds:
//! - a response that reports a change is sent after the commit, so the change survives a restart;
//! - every time in an answer is the shared clock's: the wall clock plus what the control API added;
//! - no key, token, code or text of a person is logged.
//!
//! ```no_run
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! use sandbox::{Config, Sandbox};
//!
//! let running = Sandbox::start(Config::embedded("/tmp/sandbox")).await?;
//! println!("{}", running.logintc().base_url()); // http://127.0.0.1:PORT/api
//! running.shutdown().await;
//! # Ok(()) }
//! ```

mod config;
mod context;

mod keys;
pub mod logintc;
mod metrics;
pub mod passwordless;
pub mod rocketchat;
mod running;
mod store;

pub use self::store::{STORE_FILE, STORE_VERSION, StoreError, StoreKey};
pub use config::{Config, Control, Ports};
pub use running::{Running, Sandbox, StartError};
