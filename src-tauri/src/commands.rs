//! Doors.

#[tauri::command]
pub async fn command(request: serde_json::Value) -> Result<serde_json::Value, String> {
    Ok(request)
}

#[tauri::command]
pub async fn subscribe(channel: tauri::ipc::Channel<serde_json::Value>) -> Result<(), String> {
    channel.send(serde_json::Value::Null).map_err(|e| e.to_string())
}
