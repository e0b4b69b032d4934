//! What the shell itself remembers over its end. Settings are no part of it: they are the console's (docs/adr/0007).
//!
//! What is absent: a window that may read or write it; no capability names the store.

use std::sync::Arc;

use serde_json::Value;
use tauri::{AppHandle, Runtime};
use tauri_plugin_store::{Store, StoreExt};

/// The file within the app's own data folder.
const FILE: &str = "shell.json";
const PAUSED: &str = "notifications_paused";

/// Whether notifications were paused when the shell ended. If nobody knows, they are not: better one too many.
pub fn paused<R: Runtime>(app: &AppHandle<R>) -> bool {
    store(app)
        .and_then(|store| store.get(PAUSED))
        .as_ref()
        .and_then(Value::as_bool)
        .unwrap_or(false)
}

/// Remembers whether notifications are paused; it is on disk when this returns, or the log says why not.
pub fn keep_paused<R: Runtime>(app: &AppHandle<R>, paused: bool) {
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
