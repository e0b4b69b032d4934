//! The WebSocket doors: live connections at `/live`, streams of the screen at `/screen`.

pub(crate) mod live;
pub(crate) mod screen;
pub(crate) mod splice;
