//! F2: from a hook's POST to the PUT that arms it again, by the service's clock.

use std::time::Instant;

use deskhand_system_tests::RunningEngine;
use reqwest::Client;
use serde_json::json;

use crate::{
    Sizes, service,
    spread::{Spread, micros},
};

/// Round trips of the links, in ms.
const LINKS: [u64; 3] = [40, 100, 200];

pub async fn measure(sizes: Sizes) {
    let (_service, origin) = service::start();
    on_loopback(&origin, sizes.rounds).await;
    for ms in LINKS {
        over_a_link(&origin, ms, sizes.rounds_over_links).await;
    }
    println!();
}

async fn on_loopback(origin: &str, rounds: usize) {
    let folder = tempfile::tempdir().unwrap();
    let running = running(folder.path(), origin, origin).await;
    let [raw, rearmed] = alternated(origin, origin, "", rounds).await;
    println!("F2 hook fired -> armed again, microseconds ({} each, A B B A)", 4 * rounds);
    println!("                                        p50       p90       p99");
    println!("  raw PUT on a warm connection    {raw}");
    println!("  POST sent -> PUT received       {rearmed}");
    println!("  p50 against raw: {:.2}x (aim 4)", rearmed.p50 / raw.p50);
    running.stop().await;
}

/// The way out and the way in are two links of the same length. A raw PUT through the same link is the
/// round trip, with what the link's own clock adds.
async fn over_a_link(origin: &str, ms: u64, rounds: usize) {
    let service = origin.strip_prefix("http://").unwrap();
    let out = format!("http://{}", link(origin, service, ms).await);
    let folder = tempfile::tempdir().unwrap();
    let running = running(folder.path(), &out, origin).await;
    let back = link(origin, &running.engine.listener().to_string(), ms).await;
    let [raw, rearmed] = alternated(origin, &out, &format!("&via={back}&pause={ms}"), rounds).await;
    let (trip, took) = (raw.p50 / 1e3, rearmed.p50 / 1e3);
    println!(
        "  over a link of {ms:>3} ms: round trip {trip:.1} ms, POST sent -> PUT received {took:.1} ms \
         (p99 {:.1}), aim {:.1} (1.05 of the round trip + 1 ms)",
        rearmed.p99 / 1e3,
        1.05 * trip + 1.0
    );
    running.stop().await;
}

async fn running(folder: &std::path::Path, service: &str, regions: &str) -> RunningEngine {
    let template = format!("{regions}/region/{{region}}");
    let running = RunningEngine::start(folder, &format!("{service}/api/v1"), &template).await;
    let _ = running.armed_session().await;
    running
}

async fn link(origin: &str, to: &str, ms: u64) -> String {
    let url = format!("{origin}/link?to={to}&ms={ms}");
    service::warm_client().get(url).send().await.unwrap().text().await.unwrap()
}

/// A B B A, so that a machine that slows down slows both.
async fn alternated(origin: &str, puts_to: &str, way: &str, rounds: usize) -> [Spread; 2] {
    let client = service::warm_client();
    let fired = format!("{origin}/measure?rounds={rounds}{way}");
    // The first ones make the connections.
    raw_puts(&client, puts_to, 2).await;
    measured(&client, &format!("{origin}/measure?rounds=2{way}")).await;
    let (mut raw, mut rearmed) = (Vec::new(), Vec::new());
    for pass in 0..4 {
        if pass % 3 == 0 {
            raw.extend(raw_puts(&client, puts_to, rounds).await);
            rearmed.extend(measured(&client, &fired).await);
        } else {
            rearmed.extend(measured(&client, &fired).await);
            raw.extend(raw_puts(&client, puts_to, rounds).await);
        }
    }
    [Spread::from_samples(raw), Spread::from_samples(rearmed)]
}

async fn raw_puts(client: &Client, origin: &str, rounds: usize) -> Vec<f64> {
    let body =
        json!({"type": "presenter_started", "url": "http://x/", "session_pin": "7W2-97-8570"});
    let mut took = Vec::new();
    for _ in 0..rounds {
        let start = Instant::now();
        let answer = client.put(format!("{origin}/raw/")).json(&body).send().await.unwrap();
        answer.bytes().await.unwrap();
        took.push(micros(start.elapsed()));
    }
    took
}

async fn measured(client: &Client, url: &str) -> Vec<f64> {
    client.get(url).send().await.unwrap().json().await.unwrap()
}
