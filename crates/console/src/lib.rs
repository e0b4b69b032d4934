//! The commands, views, settings and programs without a window, for people and scripts.
//!
//! Nothing here knows Tauri, and of all that this crate pushes only [`view::Pin`] carries a PIN.

pub mod app;
pub mod bindings;
pub mod cli;
pub mod commands;
pub mod export;
#[doc(hidden)]
pub mod fuzzing;
pub mod limits;
pub mod parameters;
pub mod present;
pub mod reply;
pub mod settings;
pub mod view;
pub mod words;

pub use app::{App, AppError, Embedded, Feed, Options};
pub use settings::{Settings, SettingsError, SettingsSource};
