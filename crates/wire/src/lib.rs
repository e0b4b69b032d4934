//! The requests, responses and names of the remote services as types.
//!
//! Nothing here does I/O, reads a clock or decides anything. No type that holds a secret can be
//! printed by accident: its text leaves only through `expose`, or through a field that says how it
//! is serialised.

#![warn(missing_docs)]

pub mod hook;
pub mod logintc;
pub mod loginwithme;
pub mod mail_address;
pub mod passwordless;
pub mod pin;
pub mod region;
pub mod rocketchat;
mod secret;
pub mod session_events;
pub mod shared_screen;
pub mod text;
pub mod trailer;

pub use hook::{HookType, Side};
pub use loginwithme::ConfText;
pub use mail_address::{AddressFault, MailAddress};
pub use pin::{InvalidPin, Pin};
pub use region::Region;
