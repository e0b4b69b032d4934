//! The commands that the page calls: each parses, makes one call and converts the result.
//! `build.rs` lists them, and only the main window may call them.

use std::fmt::Display;
use std::path::PathBuf;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use console::Feed;
use console::commands::Command;
use console::reply::Reply;
use console::view::{Code, Push, Trouble};
use serde::Serialize;
use serde_json::Value;
use tauri::ipc::Channel;
use tauri::{AppHandle, Manager, State, Url};
use tokio::sync::mpsc::UnboundedReceiver;

use crate::desktop::{self, link, save};
use crate::page::Numbered;
use crate::quit;
use crate::shell::{self, Shell};

/// One item of a batch that is sent to the page.
#[derive(Clone, Serialize)]
#[serde(untagged)]
pub enum Item {
    /// A push of the console.
    Push(Push),
    /// A request of the shell, told apart by `push: "ask"`.
    PageRequest {
        /// Always `"ask"`.
        push: &'static str,
        /// The request itself.
        #[serde(flatten)]
        request: Numbered,
    },
}

/// Runs a command of the console and returns its reply.
#[tauri::command]
pub async fn command(
    app: AppHandle,
    shell: State<'_, Shell>,
    command: Value,
) -> Result<Reply, Trouble> {
    let (name, bytes) = (command["do"].to_string(), command.to_string().len());
    let command: Command = serde_json::from_value(command).map_err(|error| malformed(&error))?;
    if command.ends_program() {
        // The shell has windows to close before the console ends.
        quit::end(&app);
        return Ok(Reply::Done);
    }
    let console = shell.console().await?;
    let may_change_theme = command.may_change_settings();
    // A page may name a session, but never a path: that would let it write anywhere on the disk.
    let reply = console.command(command.without_path(), &shell::person()).await?;
    // The name is one of ours, because it was understood.
    tracing::debug!("the page's command {name} of {bytes} bytes was carried out");
    if may_change_theme {
        desktop::apply_settings(&app, &console.settings());
    }
    if let Reply::Restored { .. } = reply {
        quit::start_again(&app);
    }
    Ok(reply)
}

/// Sends the current state and then what the console pushes, until the page is gone.
#[tauri::command]
pub async fn subscribe(
    shell: State<'_, Shell>,
    channel: Channel<Vec<Item>>,
) -> Result<(), Trouble> {
    let mut feed = shell.console().await?.subscribe();
    let mut page_requests = shell.page().listen();
    tauri::async_runtime::spawn(async move {
        while let Some(items) = next_batch(&mut feed, &mut page_requests).await {
            if channel.send(items).is_err() {
                return;
            }
        }
    });
    Ok(())
}

/// Waits for the next batch; `None` when the console has ended, or another page listens. The feed
/// already limits itself to one batch a frame.
async fn next_batch(
    feed: &mut Feed,
    page_requests: &mut UnboundedReceiver<Numbered>,
) -> Option<Vec<Item>> {
    tokio::select! {
        batch = feed.next() => batch.map(|batch| batch.into_iter().map(Item::Push).collect()),
        request = page_requests.recv() => {
            request.map(|request| vec![Item::PageRequest { push: "ask", request }])
        }
    }
}

/// Opens a web or mail address outside of Deskhand.
#[tauri::command]
pub fn open_link(url: Url) -> Result<(), Trouble> {
    link::open(&url).map_err(|error| refused(&error))
}

/// Saves a text in the downloads folder and returns its path.
#[tauri::command]
pub async fn save_text(
    app: AppHandle,
    file_name: String,
    text: String,
) -> Result<PathBuf, Trouble> {
    save_download(&app, file_name, text.into_bytes()).await
}

/// Saves a picture in the downloads folder and returns its path.
#[tauri::command]
pub async fn save_picture(
    app: AppHandle,
    file_name: String,
    png: String,
) -> Result<PathBuf, Trouble> {
    let bytes = BASE64_STANDARD.decode(png).map_err(|error| refused(&error))?;
    save_download(&app, file_name, bytes).await
}

async fn save_download(
    app: &AppHandle,
    file_name: String,
    bytes: Vec<u8>,
) -> Result<PathBuf, Trouble> {
    let folder = app
        .path()
        .download_dir()
        .or_else(|_| app.path().home_dir())
        .map_err(|error| refused(&error))?;
    let saved =
        tauri::async_runtime::spawn_blocking(move || save::save(&folder, &file_name, &bytes)).await;
    saved.map_err(|error| refused(&error))?.map_err(|error| refused(&error))
}

/// Tells the console that somebody uses it, which restarts the time until it locks itself.
#[tauri::command]
pub async fn active(shell: State<'_, Shell>) -> Result<(), Trouble> {
    shell.console().await?.active();
    Ok(())
}

/// Notes that the page has taken a request of the shell.
#[tauri::command]
pub fn taken(shell: State<'_, Shell>, number: u64) {
    shell.page().taken(number);
}

/// Keeps where the page is, and the texts in it that aren't sent yet, in memory only.
#[tauri::command]
pub fn keep(shell: State<'_, Shell>, place: Value) -> Result<(), Trouble> {
    shell.page().keep(place).map_err(|error| refused(&error))
}

/// What the page has had kept: null if nothing, and while the console is locked.
#[tauri::command]
pub fn kept(shell: State<'_, Shell>) -> Value {
    // One after the other: each has a lock of its own.
    let locked = shell.overview().locked();
    if locked { Value::Null } else { shell.page().kept() }
}

fn refused(error: &impl Display) -> Trouble {
    Trouble { code: Code::Refused, text: error.to_string(), remedy: String::new() }
}

fn malformed(error: &serde_json::Error) -> Trouble {
    let text = format!("understand a command of the window: {error}");
    Trouble { code: Code::BadInput, text, remedy: "Start Deskhand again.".into() }
}

#[cfg(test)]
mod tests {
    use console::commands::CustomerProgramCommand;

    use super::*;

    #[test]
    fn the_page_cannot_choose_where_the_customers_program_goes() {
        let sent = r#"{"do":"save_program","session":"s","confirmed":true,"path":"/etc/cron.d/x"}"#;
        let command = serde_json::from_str::<Command>(sent).unwrap().without_path();
        assert!(matches!(
            command,
            Command::CustomerProgram(CustomerProgramCommand::SaveProgram {
                confirmed: true,
                path: None,
                ..
            })
        ));
    }
}
