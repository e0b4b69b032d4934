//! How much there is room for: sessions, connections and streams, up to where the machine ends, and the memory of each.

use std::sync::Arc;

use crate::{
    Size,
    calls::{most_files, owner},
    holds::{pages, sessions},
    served::Served,
    streams::stream,
};

pub async fn measure(size: Size) {
    println!("  Room, with {} files for the broker", most_files());
    println!("                   many    broker's memory    of each");
    measure_sessions(size).await;
    measure_connections(size).await;
    measure_streams(size).await;
}

/// What `many` of something took.
fn line(name: &str, many: usize, before: f64, after: f64, end: &str) {
    let (mib, each) = (after / 1_048_576.0, (after - before) / 1_024.0 / many.max(1) as f64);
    println!("  {name:<12} {many:>9} {mib:>12.1} MiB {each:>7.1} KiB  {end}");
}

async fn measure_sessions(size: Size) {
    let served = Arc::new(Served::start("open"));
    let before = served.memory();
    let many = sessions(&served, size.most).await.len();
    line("sessions", many, before, served.memory(), "no end in sight: memory and disk alone");
}

async fn measure_connections(size: Size) {
    let served = Arc::new(Served::start("open"));
    let pins = sessions(&served, size.sessions).await;
    let before = served.memory();
    let many = size.most;
    let open = pages(&served, pins.iter().cycle().take(many).cloned().collect()).await;
    let end = if open.len() < many { "the files end" } else { "no end" };
    line("connections", open.len(), before, served.memory(), end);
}

async fn measure_streams(size: Size) {
    let served = Arc::new(Served::start("open"));
    let before = served.memory();
    let mut streams = Vec::new();
    while streams.len() < size.most {
        let from = owner(u16::try_from(0x100 + streams.len() % 50_000).unwrap());
        let Some(stream) = stream(served.addr, from).await else { break };
        streams.push(stream);
    }
    let end = if streams.len() < size.most { "the files end" } else { "no end" };
    line("streams", streams.len(), before, served.memory(), end);
    println!(
        "  A stream here is a session with a program, a viewer, and a screen's message sent through"
    );
}
