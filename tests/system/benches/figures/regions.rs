//! F5: the choice of a region, with and without jitter, against three serial rounds that are really run.

use std::time::Instant;

use engine::remote::{LoginWithMe, LoginWithMeConfig, probe};
use reqwest::Client;

use crate::{
    Sizes,
    service::{self, REGIONS},
    spread::{Spread, millis},
};

/// Rounds as the settings have them unless changed.
const ROUNDS: usize = 3;
/// Serial rounds are run after every so many races, for they take seconds.
const SERIAL_EVERY: usize = 4;
/// Up to so many ms of jitter, and in so many percent ten times as much on top.
const PROFILES: [(&str, f64, f64); 4] =
    [("calm", 0.0, 0.0), ("wired", 2.0, 2.0), ("wireless", 8.0, 10.0), ("mobile", 20.0, 20.0)];

pub async fn measure(sizes: Sizes) {
    let (_service, origin) = service::start();
    let template = format!("{origin}/region/{{region}}");
    let service = LoginWithMeConfig::parse(&format!("{origin}/api/v1"), &template).unwrap();
    let client = LoginWithMe::new(service).unwrap();
    let fastest = REGIONS[0].1 as f64;
    println!(
        "F5 choice of a region, {fastest} to {} ms, {ROUNDS} rounds, {} races a profile, seed 5",
        REGIONS[4].1, sizes.races
    );
    println!("  against the fastest round trip: aim p50 10x, p99 25x; regret: aim p99 10 ms");
    for (name, jitter, spikes) in PROFILES {
        let weather = format!("{origin}/weather?jitter={jitter}&spikes={spikes}&seed=5");
        service::warm_client().get(weather).send().await.unwrap();
        let (mut raced, mut regret, mut serial) = (Vec::new(), Vec::new(), Vec::new());
        let (mut serial_regret, mut current) = (Vec::new(), None);
        for turn in 0..sizes.races {
            let start = Instant::now();
            let choice = probe(&client, ROUNDS, current.as_ref(), |_| {}).await.unwrap();
            raced.push(millis(start.elapsed()));
            regret.push(regret_of(choice.region.as_str()));
            current = Some(choice.region);
            if turn % SERIAL_EVERY == 0 {
                let start = Instant::now();
                let chosen = serially(&origin).await;
                serial.push(millis(start.elapsed()));
                serial_regret.push(regret_of(chosen));
            }
        }
        let [raced, regret, serial, serial_regret] =
            [raced, regret, serial, serial_regret].map(Spread::from_samples);
        println!(
            "  {name:<9} ({jitter:>2} ms, {spikes:>2} %): p50 {:>4.0} ms {:>5.1}x, p99 {:>4.0} ms {:>5.1}x, \
             regret p99 {:.0} ms | serial p50 {:.0} ms, regret p99 {:.0} ms",
            raced.p50,
            raced.p50 / fastest,
            raced.p99,
            raced.p99 / fastest,
            regret.p99,
            serial.p50,
            serial_regret.p99
        );
    }
    println!();
}

/// How much further the chosen region is than the nearest, without jitter.
fn regret_of(chosen: &str) -> f64 {
    let (_, ms) = REGIONS.iter().find(|(name, _)| *name == chosen).unwrap();
    (ms - REGIONS[0].1) as f64
}

/// One region after the other, on a warm connection each; the best of three round trips counts.
async fn serially(origin: &str) -> &'static str {
    let mut best = ("", f64::INFINITY);
    for (name, _) in REGIONS {
        let client = service::warm_client();
        let url = format!("{origin}/region/{name}");
        round_trip(&client, &url).await;
        for _ in 0..ROUNDS {
            let took = round_trip(&client, &url).await;
            if took < best.1 {
                best = (name, took);
            }
        }
    }
    best.0
}

async fn round_trip(client: &Client, url: &str) -> f64 {
    let start = Instant::now();
    client.get(url).send().await.unwrap().bytes().await.unwrap();
    millis(start.elapsed())
}
