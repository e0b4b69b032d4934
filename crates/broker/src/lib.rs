//! The self-hosted remote-support broker: a server that speaks the `loginwith.me` API.
//!
//! It mints session PINs, keeps four hooks per session, knows by WebSocket who is present, carries screen and chat,
//! delivers the customer's program, sends (or keeps) e-mail, and serves the pages where customers and technicians
//! meet. The console embeds it with [`Config::embedded`]; `deskhand-broker` runs it as a program.
//!
//! It has two halves. The `hub` decides, and knows neither a clock nor a socket nor a disk. The rest
//! takes requests in and carries decisions out: `http` and `sockets` parse, the `coordinator` has the hub decide and
//! the store save, and only then act `effects`, `delivery` and `smtp`. The hub imports none of them.
//!
//! What always holds:
//! - a hook fires at most once for each time that it was put: its consumption is on disk before
//!   its POST leaves, and each attempt to deliver it has the same id;
//! - an `_offline` hook fires more than 60 s after a side went, once, and only if that side's
//!   `_started` hook had fired;
//! - a session that was minted on this machine takes orders from this machine only, and no hook of anybody else's
//!   leads to this machine by any of its addresses, unless allowed;
//! - what is counted lately is forgotten in time and not by load, and no work under the hub's lock grows with the
//!   number of sessions;
//! - what a viewer may do was issued to it here, and its stream ends with its live connection;
//! - of a stream no more than one message each way is held;
//! - no PIN, no hook URL and no text of a person is logged;
//! - no call waits for the disk on the async runtime.
//!
//! ```no_run
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! use broker::{Broker, Config};
//!
//! let running = Broker::start(Config::embedded("/tmp/broker")).await?;
//! println!("{}", running.base_url()); // http://127.0.0.1:PORT/api/v1
//! running.shutdown().await;
//! # Ok(()) }
//! ```
//!
//! A page's live connection is a WebSocket at `{origin}/live`, whose messages are in `hub/messages.rs`. The screen
//! travels at `{origin}/screen`, in a stream for each viewer. docs/broker.md describes both.

mod address;
pub mod cli;
mod config;
mod connecting;
mod control_routes;
mod coordinator;
mod delivering;
mod delivery;
mod effects;
mod endpoint;
mod event_channels;
#[doc(hidden)]
pub mod fuzzing;
mod handle;
mod http;
mod hub;
mod hub_lock;
mod links;
mod mailing;
mod metrics;
mod minting;
mod network;
mod own_addresses;
mod pages;
mod programs;
mod random;
mod reach_test;
mod reloading;
mod running;
mod smtp;
mod socket_registry;
mod sockets;
mod store;
mod timer;
mod webhook_secrets;
mod while_running;

pub use self::store::{STORE_FILE, STORE_VERSION, StoreError, StoreKey};
pub use config::{ByClient, Config, Control, Durations, Rates, RegionDelay, Smtp, default_regions};
pub use handle::Handle;
pub use hub::{
    abuse::Block,
    outbox::{Mail, MailState},
    rates::Rate,
    target::{TargetPolicy, TargetRefused},
    text::{LONGEST_MESSAGE, LONGEST_NAME},
};
pub use network::Network;
pub use pages::viewer_policy;
pub use programs::ProgramFile;
pub use running::{Broker, Running, StartError};
pub use serve::{NoOwner, Owner};
