//! What a page can ask of the app: the bridge that tauri puts into every page, of which nothing need be allowed.

use fantoccini::Client;
use serde_json::Value;

/// Calls a command of the app from the page.
///
/// # Errors
/// What the app said against it.
pub async fn invoke(page: &Client, command: &str, arguments: Value) -> Result<Value, Value> {
    let script = "const [command, given, done] = arguments;
        const bridge = window.__TAURI_INTERNALS__;
        if (!bridge) done(['refused', 'not found: no bridge']);
        else bridge.invoke(command, given).then(v => done(['answered', v]), e => done(['refused', e]));";
    let came = page.execute_async(script, vec![command.into(), arguments]).await.unwrap();
    if came[0] == "answered" { Ok(came[1].clone()) } else { Err(came[1].clone()) }
}

/// Whether the app refused a call before it looked at it.
pub fn is_refusal(answer: &Result<Value, Value>) -> bool {
    let text = answer.as_ref().err().and_then(Value::as_str).unwrap_or_default();
    text.contains("not allowed") || text.contains("not found")
}

/// Gives the console a command, as the main window's page does.
pub async fn run_command(page: &Client, command: Value) -> Value {
    let given = serde_json::json!({ "command": command });
    invoke(page, "command", given).await.unwrap_or_else(|trouble| panic!("{command}: {trouble}"))
}
