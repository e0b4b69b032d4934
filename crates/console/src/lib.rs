//! What a person or a script can say and see: commands, view models, settings, and the programs
//! without a window.
//!
//! Nothing here knows Tauri, and nothing that this crate hands out but [`view::Pin`] carries a PIN.

pub mod bindings;
pub mod command;
pub mod view;
