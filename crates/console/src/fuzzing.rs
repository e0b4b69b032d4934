//! This crate's readers of what strangers send or files hold, each as one call: for the fuzz targets in `tests/fuzz`, which
//! are no part of any program.

use std::io;

use crate::{
    Settings,
    app::viewer::{live, picture},
    cli::{line_reader::LineReader, protocol},
    settings::{environment, recover},
};

/// The lines that a script gives `deskhand headless`: each has one answer, unless it is blank.
pub fn headless(bytes: &[u8]) {
    let mut lines = LineReader::new(io::Cursor::new(bytes));
    while let Ok(Some(line)) = lines.next() {
        if let Some(Err(bad)) = protocol::read(line) {
            assert!(!bad.trouble.text.is_empty() && !bad.trouble.remedy.is_empty());
        }
    }
}

/// The file of settings, and what of a damaged one is still readable.
pub fn settings(bytes: &[u8]) {
    let found = recover::parse(bytes).unwrap_or_else(|unsound| unsound.readable);
    for (name, value) in &found {
        let _ = environment::from_text(name, &value.to_string());
    }
    let _ = Settings::default().layer(&found);
}

/// The first message of a viewer window's page, and the text as the broker's answer, of which the page must not have
/// all.
pub fn viewer_page(text: &str) {
    let _ = live::is_first(text);
    live::take_key_out(text);
}

/// A picture that a viewer window's page hands in to be saved.
pub fn viewer_picture(bytes: &[u8]) {
    let _ = picture::is_picture(bytes);
}
