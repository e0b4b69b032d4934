//! What every server of this workspace shares: the webhook listener, the broker and the sandbox.
//!
//! The parts are independent. A listener needs [`bind()`], [`HostGuard`], [`Limits`] and [`Server`];
//! a page adds [`PagePolicy`], a simulator [`Clock`], [`FaultPlan`] and a [`control`] listener of its own.
//!
//! What holds for all of them:
//! - nothing listens beyond loopback unless its caller passed another address;
//! - no request reaches a handler with a foreign `Host`, a body over the limit, or headers or a
//!   body that take longer than the limit (where bodies are [ignored](Bodies::Ignored), without a body);
//! - who watches over a server may ask for its [`health`] by any address, and by no name that isn't the server's;
//! - no address, silence or slowness takes the places of others, and no flood their turns: see [`Limits`] and [`PeerPolicy`];
//! - there is no control API unless one was started, and it never shares a listener with the
//!   server that it controls;
//! - nothing here logs a URI, a header or a body.
//!
//! ```no_run
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! use std::net::Ipv4Addr;
//! use serve::{HostGuard, Limits, Port, Server};
//!
//! let bound = serve::bind(Ipv4Addr::LOCALHOST.into(), Port::Remembered(47213))?;
//! let guard = HostGuard::new(bound.addr(), None);
//! let routes = axum::Router::new().route("/hook/{token}", axum::routing::post(|| async { "ok" }));
//! let server = Server::start(bound, guard.protect(routes), Limits::default(), None)?;
//! println!("listening on {}", server.addr());
//! server.shutdown().await;
//! # Ok(()) }
//! ```

#![warn(missing_docs)]

mod acceptor;
pub mod bind;
pub mod built_pages;
mod caps;
pub mod clock;
pub mod connection_slots;
pub mod control;
pub mod counters;
pub mod fault;
mod file_limit;
pub mod guard;
pub mod health;
mod idle;
pub mod limits;
mod listening;
mod log;
pub mod metrics;
pub mod owner;
pub mod pace;
mod paced;
pub mod page_policy;
pub mod peer;
pub mod process;
mod progress;
pub mod server;
pub mod taking;
pub mod tally;
pub mod tls;
pub mod token;
pub mod turns;

pub use bind::{BindError, Bound, Port, bind};
pub use built_pages::{PageFile, page_asset, page_file, page_html};
pub use clock::{Clock, Millis};
pub use connection_slots::PeerPolicy;
pub use counters::{Counters, Counts, Refusal};
pub use fault::{Fault, FaultPlan, FaultRule};
pub use guard::HostGuard;
pub use health::{Health, NotReady};
pub use limits::{Bodies, Limits};
pub use owner::{NoOwner, Owner};
pub use pace::{Pace, Paces};
pub use page_policy::PagePolicy;
pub use peer::{Client, TrustedProxies};
pub use server::{CutConnection, Server};
pub use taking::Speed;
pub use tally::Tally;
pub use tls::{TlsError, TlsFiles};
pub use token::ControlToken;
pub use turns::Turns;
