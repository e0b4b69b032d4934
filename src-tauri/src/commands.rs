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
use tokio::sync::broadcast::{self, error::RecvError};

use crate::desktop::{self, link, save};
use crate::shell::{self, PageRequest, Shell};

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
        request: PageRequest,
    },
}

/// Runs a command of the console and returns its reply.
#[tauri::command]
pub async fn command(
    app: AppHandle,
    shell: State<'_, Shell>,
    command: Value,
) -> Result<Reply, Trouble> {
    let command: Command = serde_json::from_value(command).map_err(|error| malformed(&error))?;
    if command.ends_program() {
        // The shell has windows to close before the console ends.
        shell::end(&app);
        return Ok(Reply::Done);
    }
    let console = shell.console().await?;
    let may_change_theme = command.may_change_settings();
    // A page may name a session, but never a path: that would let it write anywhere on the disk.
    let reply = console.command(command.without_path(), &shell::person()).await?;
    if may_change_theme {
        desktop::apply_settings(&app, &console.settings());
    }
    Ok(reply)
}

/// Sends the current state and then what the console pushes, until the page is gone.
#[tauri::command]
pub async fn subscribe(
    shell: State<'_, Shell>,
    channel: Channel<Vec<Item>>,
) -> Result<(), Trouble> {
    let mut page_requests = shell.page_requests();
    let mut feed = shell.console().await?.subscribe();
    tauri::async_runtime::spawn(async move {
        while let Some(items) = next_batch(&mut feed, &mut page_requests).await {
            if channel.send(items).is_err() {
                return;
            }
        }
    });
    Ok(())
}

/// Waits for the next batch; `None` when the console has ended. The feed already limits itself to
/// one batch a frame.
async fn next_batch(
    feed: &mut Feed,
    page_requests: &mut broadcast::Receiver<PageRequest>,
) -> Option<Vec<Item>> {
    tokio::select! {
        batch = feed.next() => batch.map(|batch| batch.into_iter().map(Item::Push).collect()),
        request = page_requests.recv() => match request {
            Ok(request) => Some(vec![Item::PageRequest { push: "ask", request }]),
            // The page was too slow. A question from long ago would only confuse, so it is dropped.
            Err(RecvError::Lagged(_)) => Some(vec![]),
            Err(RecvError::Closed) => None,
        },
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
