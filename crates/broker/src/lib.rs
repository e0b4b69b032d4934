//! The self-hosted remote-support broker: a server that speaks the `loginwith.me` API.
//!
//! It mints session PINs, keeps four hooks per session, knows by WebSocket who is there, carries
//! screen and chat, delivers the customer's program, sends (or keeps) e-mail, and serves the pages
//! where customers and technicians meet.
//! The console embeds it with [`Config::embedded`]; `deskhand-broker` runs it as a program.
//!
//! What always holds:
//! - a hook fires at most once for each time that it was put: its consumption is on disk before
//!   its POST leaves;
//! - an `_offline` hook fires more than 60 s after a side went, once, and only if that side's
//!   `_started` hook had fired;
//! - what this machine minted is steered from this machine only, and no hook of anybody else's leads
//!   to this machine, unless allowed;
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
//! A page's live connection is a WebSocket at `{origin}/live`, its words are in `words.rs`; the screen
//! travels at `{origin}/screen`, a stream for each viewer. docs/broker.md describes both.

mod acts;
mod api;
mod chat;
pub mod conf;
mod config;
mod control;
mod deliver;
mod error;
mod guests;
mod keys;
mod lines;
mod live;
mod mail;
mod network;
mod pages;
mod programs;
mod reach;
mod roster;
mod rules;
mod running;
mod splice;
mod state;
mod store;
mod streams;
mod switchboard;
mod viewer;
mod words;

pub use self::store::{StoreError, StoreKey};
pub use config::{ByClient, Config, Control, Durations, Rates, RegionDelay, Smtp, default_regions};
pub use mail::{Mail, MailState};
pub use network::Network;
pub use programs::ProgramFile;
pub use rules::{
    rates::Rate,
    target::{TargetPolicy, TargetRefused},
    text::{LONGEST_MESSAGE, LONGEST_NAME},
};
pub use running::{Broker, Handle, Running, StartError};
pub use viewer::{ViewerAssets, viewer_assets, viewer_policy};
