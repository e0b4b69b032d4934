//! The baseline: a Tauri window with one button, that emits and applies events and does
//! nothing else.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::json;
use tauri::{Builder, Emitter as _, Listener as _, WebviewUrl, WebviewWindowBuilder};

/// Makes this binary the bare window; its value says how many events it emits, and of how
/// many bytes.
pub const ROLE: &str = "DESKHAND_BENCH_BARE";
/// The pause between two events, the same as between two webhooks of an idle console.
pub const PAUSE: Duration = Duration::from_millis(150);

pub fn is_asked_for() -> bool {
    std::env::var_os(ROLE).is_some()
}

pub fn run() {
    let role = std::env::var(ROLE).unwrap();
    let (events, bytes) = role.split_once(' ').unwrap();
    let (events, bytes): (u32, usize) = (events.parse().unwrap(), bytes.parse().unwrap());
    Builder::default()
        .setup(move |app| {
            WebviewWindowBuilder::new(app, "main", WebviewUrl::App("index.html".into()))
                .title("Bare")
                .inner_size(1100.0, 720.0)
                .build()?;
            let handle = app.handle().clone();
            app.once("ready", move |_| {
                std::thread::spawn(move || {
                    for place in 0..events {
                        std::thread::sleep(PAUSE);
                        let text = "x".repeat(bytes);
                        let event = json!({ "at": now_ms(), "place": place, "text": text });
                        handle.emit("told", event).unwrap();
                    }
                });
            });
            Ok(())
        })
        .run(tauri::generate_context!("tests/window/bare/tauri.conf.json"))
        .unwrap();
}

/// The milliseconds since 1970, as `Date.now()` returns them, but with fractions.
pub fn now_ms() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64() * 1e3
}
