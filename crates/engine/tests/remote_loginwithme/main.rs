//! The remote-support client against servers that answer exactly what a test says: right, wrong,
//! half, too much, or nothing.
#![allow(clippy::unwrap_used)]

mod answers;
mod calls;
mod download;
mod garbage;
mod probe;
mod redirects;
mod server;
mod tls;

use std::time::Duration;

use engine::remote::{LoginWithMe, LoginWithMeConfig, Timeouts};
use wire::{Pin, Region};

const PIN: &str = "7W2-97-8570";

fn pin() -> Pin {
    PIN.parse().unwrap()
}

fn region(name: &str) -> Region {
    name.parse().unwrap()
}

/// A client of the API at `{origin}/api/v1`, whose regions are timed at `{origin}/region/...`. It waits longer than any
/// machine takes for what does come.
fn client(origin: &str) -> LoginWithMe {
    let long = Duration::from_secs(60);
    let timeouts = Timeouts {
        connect: long,
        call: long,
        chat: long,
        idle: long,
        round_trip: long,
        probe: long,
    };
    LoginWithMe::with_timeouts(service(origin), timeouts).unwrap()
}

/// One that gives up at once, for servers that never answer.
fn impatient(origin: &str) -> LoginWithMe {
    let soon = Duration::from_millis(50);
    let timeouts = Timeouts { call: soon, chat: soon, idle: soon, ..Timeouts::default() };
    LoginWithMe::with_timeouts(service(origin), timeouts).unwrap()
}

fn service(origin: &str) -> LoginWithMeConfig {
    LoginWithMeConfig::parse(&format!("{origin}/api/v1"), &format!("{origin}/region/{{region}}"))
        .unwrap()
}
