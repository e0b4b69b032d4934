//! The server's side of the Remote Framebuffer protocol 3.8 (RFC 6143 and the extensions that noVNC and
//! TigerVNC speak), pure: bytes in, bytes and events out. No clock, no socket, no screen: the time is passed in, as
//! what has passed since any one moment.
//!
//! One [`Server`] serves one viewer. It keeps a copy of what that viewer shows (the client's
//! framebuffer), so an update holds just what differs: unchanged tiles are left out, what has moved goes as
//! CopyRect, and the rest as Tight, ZRLE or Raw, the best that the viewer takes. Where the viewer answers fences, an
//! update holds no more than its link takes at once: small changes first, then the rest in turns, with less quality
//! where that is not enough. What was sent with a loss is sent again without one as soon as it rests.
//!
//! What always holds:
//! - no bytes from a viewer cause a panic, or make the server keep more in memory than [`Limits`] allows;
//! - the viewer's pixels become those of the screen, bit for bit, once the screen is at rest, each part by itself;
//! - no update is sent that the viewer didn't request, and at most [`Limits::in_flight`] are unacknowledged,
//!   where the viewer supports fences.

#![warn(missing_docs)]

mod client_encodings;
mod client_framebuffer;
mod client_message;
mod clipboard;
mod compare;
mod copy_search;
mod cursor;
mod desktop_size;
mod encode;
mod error;
mod event;
mod fence;
mod flow;
mod format;
mod geometry;
mod picture;
mod png;
mod server;

pub use error::ProtocolError;
pub use event::Event;
pub use geometry::Rect;
pub use picture::{Cursor, Monitor, Picture};
pub use png::{Png, PngError};
pub use server::{Limits, Server};
