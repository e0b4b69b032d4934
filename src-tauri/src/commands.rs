//! The doors: parse, one call, convert. `build.rs` lists them, and only the main window may call them.

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
use crate::shell::{self, Ask, Shell};

/// What a batch carries.
#[derive(Clone, Serialize)]
#[serde(untagged)]
pub enum Item {
    /// The console's.
    Push(Push),
    /// The shell's own, told apart by `push: "ask"`.
    Ask {
        /// Always `ask`.
        push: &'static str,
        /// What is asked.
        #[serde(flatten)]
        ask: Ask,
    },
}

/// Carries out one command of the console and answers with its reply.
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
    let may_change_looks = command.may_change_settings();
    let reply = console.command(command.without_path(), &shell::person()).await?;
    if may_change_looks {
        desktop::follow(&app, &console.settings());
    }
    Ok(reply)
}

/// Sends what the console pushes, the present state first, until the page is gone.
#[tauri::command]
pub async fn subscribe(
    shell: State<'_, Shell>,
    channel: Channel<Vec<Item>>,
) -> Result<(), Trouble> {
    let mut asks = shell.asks();
    let mut feed = shell.console().await?.subscribe();
    tauri::async_runtime::spawn(async move {
        while let Some(items) = next_batch(&mut feed, &mut asks).await {
            if channel.send(items).is_err() {
                return;
            }
        }
    });
    Ok(())
}

/// Waits for something to send; `None` when the console has ended. The feed itself keeps to one batch a frame.
async fn next_batch(feed: &mut Feed, asks: &mut broadcast::Receiver<Ask>) -> Option<Vec<Item>> {
    tokio::select! {
        batch = feed.next() => batch.map(|batch| batch.into_iter().map(Item::Push).collect()),
        ask = asks.recv() => match ask {
            Ok(ask) => Some(vec![Item::Ask { push: "ask", ask }]),
            // What was asked long ago is no longer wanted.
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

/// Saves a text among the person's downloads and answers with its path.
#[tauri::command]
pub async fn save_text(
    app: AppHandle,
    file_name: String,
    text: String,
) -> Result<PathBuf, Trouble> {
    keep(&app, file_name, text.into_bytes()).await
}

/// Saves a picture among the person's downloads and answers with its path.
#[tauri::command]
pub async fn save_picture(
    app: AppHandle,
    file_name: String,
    png: String,
) -> Result<PathBuf, Trouble> {
    let bytes = BASE64_STANDARD.decode(png).map_err(|error| refused(&error))?;
    keep(&app, file_name, bytes).await
}

async fn keep(app: &AppHandle, file_name: String, bytes: Vec<u8>) -> Result<PathBuf, Trouble> {
    let folder = app
        .path()
        .download_dir()
        .or_else(|_| app.path().home_dir())
        .map_err(|error| refused(&error))?;
    let saved =
        tauri::async_runtime::spawn_blocking(move || save::save(&folder, &file_name, &bytes)).await;
    saved.map_err(|error| refused(&error))?.map_err(|error| refused(&error))
}

/// Somebody is at this console: the time after which it locks itself begins anew.
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
        let asked =
            r#"{"do":"save_program","session":"s","confirmed":true,"path":"/etc/cron.d/x"}"#;
        let command = serde_json::from_str::<Command>(asked).unwrap().without_path();
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
