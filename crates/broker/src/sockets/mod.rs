//! The handlers of WebSockets: live connections at `/live`, streams of the screen at `/screen`.

pub(crate) mod live_connection;
pub(crate) mod splice;
pub(crate) mod stream_socket;
