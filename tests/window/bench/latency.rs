//! F1: from a webhook's POST to the change in the page, against a bare emit of the same size.
//!
//! The page's clock has whole milliseconds; both sides are read with it, so both lose half of one.

use std::thread;

use fantoccini::{Client, Locator};
use serde_json::{Value, json};

use crate::{
    DESKHAND,
    bare::{PAUSE, ROLE, now_ms},
    spread,
};
use desktop_tests::{
    Desktop, eventually,
    page::run_command,
    service::{Service, call},
};

/// Notes each change of the page, and each change of the state that the session's row shows.
const OBSERVE: &str = "
    window.applied = []; window.seen = [];
    const look = () => document.querySelector('[id^=\"row-\"] .state')?.textContent ?? null;
    let last = look();
    new MutationObserver(() => {
      const at = Date.now();
      window.applied.push(at);
      if (look() !== last) { last = look(); window.seen.push(at); }
    }).observe(document.body, { subtree: true, childList: true, characterData: true });";
/// Events that come at once, on as many connections as the service might use.
const BACKLOG: usize = 200;
const CONNECTIONS: usize = 8;
const FRAME_MS: f64 = 1000.0 / 60.0;

pub async fn measure(events: usize) {
    let service = Service::start();
    let mut desktop = Desktop::new(DESKHAND).await;
    desktop.set("DESKHAND_BASE_URL", format!("{}/api/v1", service.url()));
    desktop.set("DESKHAND_REGION_URL_TEMPLATE", format!("{}/region/{{region}}", service.url()));
    let app = desktop.open_app().await;
    let new = json!({ "do": "new_session", "about": { "customer": "Maria Lopez" } });
    let session = run_command(&app, new).await["id"].as_str().unwrap().to_owned();
    app.wait().for_element(Locator::Css("[id^='row-'] .state")).await.unwrap();
    let (comes, goes) =
        (service.hook("presenter_started").await, service.hook("presenter_offline").await);
    let detail = json!({ "do": "detail", "session": session });
    let armed = async || {
        let lamps = run_command(&app, detail.clone()).await.to_string();
        (lamps.matches("\"armed\"").count() >= 4).then_some(())
    };
    eventually("all four hooks", armed).await;
    let bytes = run_command(&app, detail.clone()).await.to_string().len();
    app.execute(OBSERVE, vec![]).await.unwrap();
    let Applied { first, row } = one_at_a_time(&app, [comes.clone(), goes], events).await;
    backlog(&app, &comes).await;
    app.close().await.unwrap();
    desktop.end_newest();

    desktop.set(ROLE, format!("{events} {bytes}"));
    let program = std::env::current_exe().unwrap();
    let bare = desktop.open(program.to_str().unwrap()).await;
    tokio::time::sleep(PAUSE * (u32::try_from(events).unwrap() + 10)).await;
    let took: Vec<f64> = numbers(&bare, "took").await;
    println!("F1 webhook received -> applied to the page, idle, milliseconds, {bytes} bytes");
    let [first, row, theirs] = [first, row, took].map(|took| (took.len(), spread(took)));
    for (what, (count, (p50, p99))) in [
        ("webhook sent -> first change (its lamp)", first),
        ("webhook sent -> the row's state changed", row),
        ("bare emit -> element changed", theirs),
    ] {
        println!("  {what:<40} p50 {p50:>5.1}  p99 {p99:>5.1}  ({count} of {events} events)");
    }
    println!(
        "  p50 against bare: {:.2}x to the first change, {:.2}x to the row (aim 3)\n",
        first.1.0 / theirs.1.0,
        row.1.0 / theirs.1.0
    );
    bare.close().await.unwrap();
}

/// How long after each webhook the page changed, and the row in it.
struct Applied {
    first: Vec<f64>,
    row: Vec<f64>,
}

/// Fires the two hooks in turn, so that each event changes the row, with a pause after each.
async fn one_at_a_time(app: &Client, hooks: [String; 2], events: usize) -> Applied {
    let mut fired = Vec::new();
    for turn in 0..events {
        tokio::time::sleep(PAUSE).await;
        fired.push(now_ms());
        let hook = hooks[turn % 2].clone();
        tokio::task::spawn_blocking(move || call(&hook)).await.unwrap();
    }
    tokio::time::sleep(PAUSE * 4).await;
    let (applied, seen) = (numbers(app, "applied").await, numbers(app, "seen").await);
    Applied { first: after(&fired, &applied), row: after(&fired, &seen) }
}

/// From each event to the first change after it, and before the next event.
fn after(fired: &[f64], changed: &[f64]) -> Vec<f64> {
    let ends = fired.iter().skip(1).copied().chain([f64::INFINITY]);
    // The page's clock cuts fractions off.
    let first =
        |from: f64, to: f64| changed.iter().copied().find(|at| *at + 1.0 > from && *at < to);
    fired.iter().zip(ends).filter_map(|(&from, to)| Some(first(from, to)? - from)).collect()
}

/// Fires many events at once. The page changes at most once a frame, however many there are.
async fn backlog(app: &Client, hook: &str) {
    app.execute("window.applied.length = 0", vec![]).await.unwrap();
    let start = now_ms();
    let posts: Vec<_> = (0..CONNECTIONS)
        .map(|_| {
            let hook = hook.to_owned();
            thread::spawn(move || {
                (0..BACKLOG / CONNECTIONS)
                    .filter(|_| call(&hook).starts_with("HTTP/1.1 200"))
                    .count()
            })
        })
        .collect();
    let taken: usize = posts.into_iter().map(|post| post.join().unwrap()).sum();
    let lasted = now_ms() - start;
    tokio::time::sleep(PAUSE * 4).await;
    let applied = numbers(app, "applied").await;
    let within = applied.iter().filter(|at| **at <= start + lasted + FRAME_MS).count();
    println!(
        "F1 backlog: {taken} events in {lasted:.0} ms changed the page {within} times, {:.2} a frame (aim at most 1)",
        within as f64 / (lasted / FRAME_MS + 1.0)
    );
}

async fn numbers(page: &Client, name: &str) -> Vec<f64> {
    let Value::Array(values) =
        page.execute(&format!("return window.{name}"), vec![]).await.unwrap()
    else {
        panic!("the page has no {name}")
    };
    values.iter().map(|value| value.as_f64().unwrap()).collect()
}
