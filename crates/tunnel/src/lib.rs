//! Dials a server directly, or through the proxy that the environment names for it.
//!
//! A proxy sees the server's name and port, and bytes that it passes on: whatever is asked, it is
//! asked through a tunnel (`CONNECT`, or SOCKS 5). No name, password or URL of a request is in an
//! error or a log line from here.

mod bypass;
mod connect;
mod proxy;
#[doc(hidden)]
pub mod proxy_answers;
mod route;
mod socks;
mod stream;

pub use connect::ConnectError;
pub use proxy::{ProxyError, ProxyFailure};
pub use route::{Route, RouteError};
pub use stream::Stream;
