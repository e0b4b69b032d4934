//! This crate's readers of what strangers send or files hold, each as one call: for the fuzz targets in `tests/fuzz`, which
//! are no part of any program.

use crate::{cli, control_routes, http, hub::messages::PageMessage};

/// A message of a page or a program on a live connection.
pub fn page_message(text: &[u8]) {
    let _ = serde_json::from_slice::<PageMessage>(text);
}

/// A call's body and query.
pub fn fields(bytes: &[u8]) {
    http::request::read_fields(bytes);
}

/// An order to the control API.
pub fn control(text: &[u8]) {
    control_routes::read_order(text);
}

/// The program's file of settings.
pub fn settings_file(text: &str) {
    cli::read_text(text);
}
