//! Compares the screen with other VNC servers: key press to pixel, frames a second, CPU and memory.
//!
//! `cargo bench -p deskhand-screen-tests --bench screen -- [quick] [ours] [tigervnc] [x11vnc]`. It
//! prints a table and judges nothing. Everybody shows the same window to a page in the same
//! headless Chromium: A B C C B A, each time from a fresh start.
#![allow(clippy::unwrap_used)]

mod contender;
mod figures;

use std::time::Duration;

use screen_tests::browser::Driver;

use crate::{contender::Kind, figures::Figures};

/// How much is measured in each of two passes.
#[derive(Debug, Clone, Copy)]
pub struct Sizes {
    /// Key presses.
    pub keys: usize,
    /// How long frames are counted of each motion.
    pub watch: Duration,
}

const FULL: Sizes = Sizes { keys: 60, watch: Duration::from_secs(6) };
const QUICK: Sizes = Sizes { keys: 8, watch: Duration::from_secs(2) };

#[tokio::main]
async fn main() {
    if contender::plays_the_broker().await {
        return;
    }
    let words: Vec<String> =
        std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    let said = |word: &str| words.iter().any(|said| said == word);
    let sizes = if said("quick") { QUICK } else { FULL };
    let named = |kind: &Kind| said(kind.name());
    let all = Kind::ALL.into_iter();
    let kinds: Vec<Kind> =
        if Kind::ALL.iter().any(named) { all.filter(named).collect() } else { all.collect() };

    let driver = Driver::start();
    let mut measured: Vec<(Kind, Figures)> =
        kinds.iter().map(|kind| (*kind, Figures::default())).collect();
    for (pass, kind) in kinds.iter().chain(kinds.iter().rev()).enumerate() {
        eprintln!("  pass {} of {}: {}", pass + 1, kinds.len() * 2, kind.name());
        let figures = measured.iter_mut().find(|(of, _)| of == kind).unwrap();
        figures::measure(*kind, &driver, pass, sizes, &mut figures.1).await;
    }
    figures::print(&measured, sizes);
}
