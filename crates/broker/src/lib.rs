//! The self-hosted remote-support broker: a server that speaks the `loginwith.me` API.
//!
//! It mints session PINs, keeps four hooks per session, knows by WebSocket who is there, carries
//! the chat, sends (or keeps) e-mail, and serves the pages where customers and technicians meet.
//! The console embeds it with [`Config::embedded`]; `deskhand-broker` runs it as a program.
//!
//! What always holds:
//! - a hook fires at most once for each time that it was put: its consumption is on disk before
//!   its POST leaves;
//! - an `_offline` hook fires more than 60 s after a side went, once, and only if that side's
//!   `_started` hook had fired;
//! - what this machine minted is steered from this machine only, and no hook of anybody else's leads
//!   to this machine, unless allowed;
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
//! A page's live connection is a WebSocket at `{origin}/live`; its first message is
//! `{"type":"hello","session_pin":"...","side":"presenter"|"viewers","page":"<uuid>","name":"..."}`.
//! Then `{"type":"chat","name":"...","body":"..."}`, `{"type":"name","name":"..."}` and
//! `{"type":"leave"}`. The page is told `welcome`, `presence`, `chat`, `refused` and `bye`.

mod acts;
mod api;
mod chat;
pub mod conf;
mod config;
mod control;
mod deliver;
mod error;
mod live;
mod mail;
mod network;
mod pages;
mod program;
mod reach;
mod rules;
mod running;
mod state;
mod store;
mod switchboard;

pub use config::{ByClient, Config, Control, Durations, Rates, RegionDelay, Smtp, default_regions};
pub use mail::{Mail, MailState};
pub use network::Network;
pub use rules::{
    rates::Rate,
    target::{TargetPolicy, TargetRefused},
    text::{LONGEST_MESSAGE, LONGEST_NAME},
};
pub use running::{Broker, Handle, Running, StartError};
pub use store::{StoreError, StoreKey};
