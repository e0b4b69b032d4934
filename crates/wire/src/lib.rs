//! What goes over the wire: the remote services' requests, answers and names as types.
//!
//! Nothing here does I/O, reads a clock or decides anything, and no type that holds a secret can be
//! printed or serialised by accident: [`Pin`] and [`ConfText`] leave only through `expose`.

#![warn(missing_docs)]

pub mod hook;
pub mod logintc;
pub mod loginwithme;
pub mod passwordless;
pub mod pin;
pub mod region;
pub mod rocketchat;
pub mod screen;
pub mod trailer;

pub use hook::{HookType, Side};
pub use loginwithme::ConfText;
pub use pin::{Pin, PinShape};
pub use region::Region;
