//! What the shell remembers between runs. Settings belong to the console instead (docs/adr/0007).
//!
//! What is absent: access by a window: no capability names the store.

use std::sync::Arc;

use serde_json::Value;
use tauri::{AppHandle, Runtime};
use tauri_plugin_store::{Store, StoreExt};

/// The file in the app's data folder.
const FILE: &str = "shell.json";
const PAUSED: &str = "notifications_paused";

/// Whether notifications were paused when the shell ended.
pub fn paused<R: Runtime>(app: &AppHandle<R>) -> bool {
    // If it isn't known, they are shown: one too many does less harm than one too few.
    store(app)
        .and_then(|store| store.get(PAUSED))
        .as_ref()
        .and_then(Value::as_bool)
        .unwrap_or(false)
}

/// Stores on disk whether notifications are paused; the log says so if that fails.
pub fn store_paused<R: Runtime>(app: &AppHandle<R>, paused: bool) {
    let Some(store) = store(app) else { return };
    store.set(PAUSED, paused);
    if let Err(error) = store.save() {
        tracing::warn!(%error, "remember that notifications are paused: they may not be at the next start");
    }
}

fn store<R: Runtime>(app: &AppHandle<R>) -> Option<Arc<Store<R>>> {
    let opened = app.store(FILE);
    opened.inspect_err(|error| tracing::warn!(%error, "open what the shell remembers")).ok()
}
