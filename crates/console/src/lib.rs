//! What a person or a script can say and see: commands, view models, settings, and the programs
//! without a window.
//!
//! Nothing here knows Tauri, and nothing that this crate pushes but [`view::Pin`] carries a PIN.

pub mod app;
pub mod bindings;
pub mod cli;
pub mod commands;
pub mod export;
pub mod parameters;
pub mod present;
pub mod reply;
pub mod settings;
pub mod view;
pub mod words;

pub use app::{App, AppError, Embedded, Feed, Options};
pub use settings::{Settings, SettingsError, SettingsSource};
