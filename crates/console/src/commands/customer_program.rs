//! Commands over the customer's program, which is saved to be carried to them by hand.
//!
//! Only these commands make the service build the program, since that ends the
//! customer's own download.

use std::path::{Path, PathBuf};

use engine::{
    CommandError,
    remote::{DownloadTarget, DownloadTargetError},
};
use serde::Deserialize;
use session::Input;
use strum::VariantNames;
use ts_rs::TS;

use super::{
    Command, CommandResult, failed, no_session, parse_id,
    policy::{AuditPolicy, Policy},
    refused,
};
use crate::{
    Settings,
    app::{App, Console, name_of},
    present::{customer_program, trouble},
    reply::Reply,
    view::Trouble,
    words,
};

/// Commands over the customer's program.
#[derive(Clone, Deserialize, TS, VariantNames)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
#[strum(serialize_all = "snake_case")]
pub enum CustomerProgramCommand {
    /// Saves the customer's program to a file, to be carried to them by hand. The customer's own download
    /// stops working for this PIN.
    SaveProgram {
        session: String,
        /// A person has confirmed that; else the command is refused, and says what there is to confirm.
        #[serde(default)]
        confirmed: bool,
        /// A folder, or a file that isn't there yet; none for the downloads.
        #[serde(default)]
        path: Option<String>,
    },
    /// Cancels the saving of the customer's program.
    CancelProgram { session: String },
}

impl CustomerProgramCommand {
    pub(super) fn policy(&self, _: &Settings) -> Policy {
        Policy::refused_while_locked(match self {
            Self::SaveProgram { session, .. } => {
                let text = "Had the customer's program saved to a file.";
                AuditPolicy::after("program_saved", text).about(session)
            }
            Self::CancelProgram { .. } => AuditPolicy::Nothing,
        })
    }

    pub(super) async fn carry_out(self, app: &App, by: &str) -> CommandResult {
        let console = app.console();
        match self {
            Self::SaveProgram { session, confirmed, path } => {
                save(console, &session, confirmed, path, by).await
            }
            Self::CancelProgram { session } => cancel(console, &session).await,
        }
    }
}

impl Command {
    /// The command as a window's page may give it: a page may name sessions but no place on the
    /// disk, so the customer's program and backups go to the downloads.
    #[must_use]
    pub fn without_path(self) -> Self {
        match self {
            Self::CustomerProgram(CustomerProgramCommand::SaveProgram {
                session,
                confirmed,
                path: _,
            }) => CustomerProgramCommand::SaveProgram { session, confirmed, path: None }.into(),
            Self::BackupFile(command) => Self::BackupFile(command.without_path()),
            other => other,
        }
    }
}

const DOING: &str = "save the customer's program";

/// Saves the program, if a person has confirmed the effect on the customer's own download.
async fn save(
    console: &Console,
    session: &str,
    confirmed: bool,
    path: Option<String>,
    by: &str,
) -> CommandResult {
    let (engine, id) = (console.engine.require().await?, parse_id(session)?);
    let snapshot = engine.snapshot(id).ok_or_else(|| no_session(DOING))?;
    if let Some(consequence) = customer_program::ask(&snapshot.record)
        && !confirmed
    {
        return Err(refused(
            &format!("{DOING}: it is not confirmed. {consequence}"),
            "If that is meant, give the command again with confirmed: true.",
        ));
    }
    let name = words::slug(&name_of(&console.zone, &engine, id).await);
    let stem = format!("deskhand-program-{}", if name.is_empty() { "customer" } else { &name });
    // Looking at folders on the disk may block.
    let place = tokio::task::spawn_blocking(move || place(path.as_deref(), &stem))
        .await
        .map_err(|_| trouble::stopping())??;
    if let Some(pin) = &snapshot.pin
        && console.engine.capabilities(engine.client()).await.is_some_and(|can| can.tells_asker())
    {
        // The requester is built into the program and can't be changed afterwards.
        console.tell_requester(engine.client(), id, pin).await;
    }
    engine.save_program(id, place, by.to_owned()).await.map_err(failed)?;
    Ok(Reply::Done)
}

/// Cancels the saving: no file is left, and what the service has sent is kept.
async fn cancel(console: &Console, session: &str) -> CommandResult {
    const CANCEL: &str = "cancel the customer's program";
    let (engine, id) = (console.engine.require().await?, parse_id(session)?);
    let snapshot = engine.snapshot(id).ok_or_else(|| no_session(CANCEL))?;
    if !snapshot.record.program.is_under_way() {
        return Err(trouble::bad_input(&format!("{CANCEL}: it is not being saved"), ""));
    }
    engine.order(id, Input::CancelProgram).await.map_err(failed)?;
    Ok(Reply::Done)
}

/// The target of `path`: a folder, or a file that isn't there yet; without a path, the downloads.
fn place(path: Option<&str>, stem: &str) -> Result<DownloadTarget, Trouble> {
    let Some(said) = path.filter(|path| !path.trim().is_empty()) else {
        return downloads(DOING).map(|folder| DownloadTarget::in_folder(&folder, stem));
    };
    let path = std::path::absolute(said).map_err(|_| no_folder(Path::new(said), None))?;
    if said.ends_with(std::path::is_separator) || path.is_dir() {
        Ok(DownloadTarget::in_folder(&path, stem))
    } else {
        DownloadTarget::file(&path).map_err(|error| failed(CommandError::DownloadTarget(error)))
    }
}

/// The person's downloads, made if they aren't there yet.
pub(super) fn downloads(doing: &str) -> Result<PathBuf, Trouble> {
    let user = directories::UserDirs::new().ok_or_else(|| {
        trouble::bad_input(
            &format!("{doing}: this user has no home folder"),
            "say with path where to save it",
        )
    })?;
    let folder = user.download_dir().unwrap_or(user.home_dir());
    std::fs::create_dir_all(folder).map_err(|error| no_folder(folder, Some(error.kind())))?;
    Ok(folder.to_owned())
}

fn no_folder(folder: &Path, why: Option<std::io::ErrorKind>) -> Trouble {
    let why = why.unwrap_or(std::io::ErrorKind::InvalidInput);
    failed(CommandError::DownloadTarget(DownloadTargetError::Folder {
        folder: folder.display().to_string(),
        why,
    }))
}
