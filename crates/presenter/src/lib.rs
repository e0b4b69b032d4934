//! The program that the customer runs: it asks for consent and then shares the screen with the
//! viewers who have the PIN.
//!
//! What always holds:
//! - nothing is captured and nothing leaves this computer before the customer has agreed, with one
//!   exception: if only the PIN is known, the broker is asked who requests the screen
//!   ([`requester`]);
//! - while the screen is shared, a banner shows this and the names of the viewers;
//! - no key, click or clipboard text of a viewer has an effect if its role is to watch, or while
//!   control is paused;
//! - a viewer whose stream isn't encrypted from end to end, or who has nothing but the PIN, sees
//!   nothing before the customer has let it in ([`admission`]);
//! - it dials and accepts no connection, and it ends when its PIN expires.
//!
//! Threads: the customer's windows have the main thread, [`screen::Capture`] and [`screen::Input`]
//! one each, updates are encoded on the runtime's blocking threads, and the connections run on its
//! two others. [`sharing`] connects them all.

pub mod admission;
pub mod broker_connection;
mod broker_messages;
pub mod cli;
pub mod consent;
mod consent_report;
pub mod dial;
pub mod end_reason;
mod exchanges;
mod farewell;
#[doc(hidden)]
pub mod fuzzing;
mod input_thread;
pub mod invitation;
mod kept_viewers;
pub mod known_viewers;
mod notices;
mod other_program;
pub mod own_program;
mod picture_pool;
mod pointer_turn;
pub mod requester;
pub mod restored_clipboard;
mod run;
pub mod screen;
mod shared_clipboard;
mod shared_screen;
pub mod sharing;
mod viewer_stream;

pub use run::{Environment, run};
pub use shared_screen::OpenScreen;
