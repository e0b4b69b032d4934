//! F2 to F5 and F9 of the quality aims, each beside its baseline in the same run.
//!
//! `cargo bench -p deskhand-system-tests --bench figures -- [F2] [F2b] [F3] [F4] [F5] [F9] [quick]`. It
//! prints tables and judges nothing. Whatever isn't measured (the service, the generator, the engine that
//! is traced) is a process of its own: this binary in another role.
#![allow(clippy::unwrap_used)]

mod child;
mod listener;
mod rearming;
mod recovery;
mod regions;
mod service;
mod sessions;
mod spread;
mod trace;

/// How much is measured.
#[derive(Clone, Copy)]
pub struct Sizes {
    /// Re-armings on loopback, in each of four passes.
    pub rounds: usize,
    /// Re-armings over each link, in each of four passes.
    pub rounds_over_links: usize,
    /// Races of the regions under each kind of jitter.
    pub races: usize,
    /// Seeds of a fault.
    pub seeds: u64,
    /// Seconds of load on each listener, in each of two passes.
    pub load_seconds: u64,
    /// Sessions in one process.
    pub sessions: &'static [usize],
    /// Events whose way to the disk is traced.
    pub traced: usize,
}

const FULL: Sizes = Sizes {
    rounds: 400,
    rounds_over_links: 12,
    races: 40,
    seeds: 20,
    load_seconds: 5,
    sessions: &[100, 1_000, 10_000],
    traced: 200,
};

const QUICK: Sizes = Sizes {
    rounds: 40,
    rounds_over_links: 3,
    races: 4,
    seeds: 2,
    load_seconds: 1,
    sessions: &[100, 300],
    traced: 10,
};

#[tokio::main]
async fn main() {
    if child::plays_a_role().await {
        return;
    }
    let arguments: Vec<String> =
        std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let sizes = if arguments.iter().any(|argument| argument == "quick") { QUICK } else { FULL };
    let figures: Vec<&str> =
        arguments.iter().map(String::as_str).filter(|argument| *argument != "quick").collect();
    let asked = |figure: &str| figures.is_empty() || figures.contains(&figure);
    if asked("F2") {
        rearming::measure(sizes).await;
    }
    if asked("F2b") {
        recovery::measure(sizes);
    }
    if asked("F3") {
        listener::measure(sizes).await;
    }
    if asked("F4") {
        sessions::measure(sizes).await;
    }
    if asked("F5") {
        regions::measure(sizes).await;
    }
    if asked("F9") {
        trace::measure(sizes).await;
    }
}
