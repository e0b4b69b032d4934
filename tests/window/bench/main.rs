//! F1 and F6 of the quality aims, in the real window on a desktop of the bench's own.
//!
//! `cargo bench --profile release --bench window-figures -- [F1] [F6] [quick]`. It prints figures
//! and judges nothing. The baseline is a bare Tauri window: this binary in another role.
#![allow(clippy::unwrap_used)]

mod bare;
mod latency;
mod screen;
mod start;

/// The app that is measured.
const DESKHAND: &str = env!("CARGO_BIN_EXE_deskhand");

fn main() {
    if bare::is_asked_for() {
        return bare::run();
    }
    let arguments: Vec<String> =
        std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let quick = arguments.iter().any(|argument| argument == "quick");
    let figures: Vec<&str> =
        arguments.iter().map(String::as_str).filter(|argument| *argument != "quick").collect();
    let is_requested = |figure: &str| figures.is_empty() || figures.contains(&figure);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        if is_requested("F1") {
            latency::measure(if quick { 10 } else { 100 }).await;
        }
        if is_requested("F6") {
            start::measure(if quick { 1 } else { 5 }).await;
        }
    });
}

/// The median and the 99th percentile.
fn spread(mut values: Vec<f64>) -> (f64, f64) {
    values.sort_by(f64::total_cmp);
    let last = values.len().checked_sub(1).unwrap();
    (values[values.len() / 2], values[(values.len() * 99 / 100).min(last)])
}
