//! The server's side of the Remote Framebuffer protocol 3.8 (RFC 6143 and the extensions that noVNC and
//! TigerVNC speak), pure: bytes in, bytes and events out. No clock, no socket, no screen.
//!
//! One [`Server`] serves one viewer. It keeps what that viewer's picture looks like (the *shadow*), so
//! an update holds just what differs: unchanged tiles are left out, what has moved goes as CopyRect,
//! the rest as Tight or ZRLE, whichever the viewer and the content want.
//!
//! What always holds:
//! - no bytes make it panic, and none make it hold more than [`Limits`] says;
//! - the viewer's picture becomes bit for bit what was shown, once the screen is at rest;
//! - no update is made that the viewer didn't ask for, and at most [`Limits::in_flight`] are on their
//!   way, where the viewer can fence them.

#![warn(missing_docs)]

mod clipboard;
mod cursor;
mod encode;
mod format;
mod geometry;
mod moved;
mod picture;
mod read;
mod screens;
mod server;
mod shadow;
mod update;
mod wishes;

pub use geometry::Rect;
pub use picture::{Cursor, Monitor, Picture};
pub use server::{Event, Limits, ProtocolError, Server};
