//! `deskhand audit`: checks or exports the audit log of a console that isn't running.
//!
//! It starts no engine and calls no service. It holds the folder's lock as a console would.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
};

use clap::{Args, Subcommand};
use engine::{
    StartError,
    archive::{ARCHIVE_FILE, Archive, ArchiveError, AuditEntry},
    clock::now,
    lock::FolderLock,
    vault::{Options as VaultOptions, VAULT_FILE, Vault},
};

use super::{End, Failed, Global, vault_options};
use crate::{app::AppError, present};

/// The flags of `deskhand audit`.
#[derive(Debug, Clone, Args)]
pub struct Flags {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Clone, Subcommand)]
enum What {
    /// Looks through the whole log for a broken link; 1 if there is one
    Verify {
        /// Print one JSON object instead of a sentence
        #[arg(long)]
        json: bool,
    },
    /// Writes the whole log to standard output as JSON Lines; that it was exported is its last line
    Export,
}

/// Checks or exports the log.
pub(super) async fn run(global: &Global, flags: &Flags) -> Result<End, Failed> {
    let (archive, _lock) = open(global).await?;
    match flags.what {
        What::Verify { json } => verify(&archive, json).await,
        What::Export => export(&archive, global.settings()?.technician).await,
    }
}

async fn verify(archive: &Archive, json: bool) -> Result<End, Failed> {
    let check = present::audit_report::check(&archive.verify_audit().await.map_err(failed)?);
    if json {
        let text = serde_json::to_string(&check).map_err(|error| Failed::internal(&error))?;
        println!("{text}");
    } else {
        println!("{}", check.text);
        if !check.head.is_empty() {
            println!("The newest hash that holds, to be kept elsewhere: {}", check.head);
        }
    }
    Ok(if check.broken.is_none() { End::Done } else { End::NotGood })
}

/// Exports the log. Like the window, it exports nothing without an audit entry about the export.
async fn export(archive: &Archive, by: String) -> Result<End, Failed> {
    let (action, text) = ("audit_exported".into(), "Exports the audit log.".into());
    let entry = AuditEntry { at: now(), by, action, text, session: None };
    archive.append_audit(entry).await.map_err(failed)?;
    let mut out = archive.export_audit(std::io::stdout()).await.map_err(failed)?;
    out.flush().map_err(|error| Failed::general(format!("write the audit log: {error}"), ""))?;
    Ok(End::Done)
}

async fn open(global: &Global) -> Result<(Archive, FolderLock), Failed> {
    let folder = global.data()?;
    let options = vault_options(global)?;
    // Opening the archive and asking the keyring may block.
    let opened = tokio::task::spawn_blocking(move || open_in(&folder, options));
    opened.await.map_err(|error| Failed::internal(&error))?
}

fn open_in(folder: &Path, options: VaultOptions) -> Result<(Archive, FolderLock), Failed> {
    let archive: PathBuf = folder.join(ARCHIVE_FILE);
    // Checked first, so that looking for a log makes no folder and no key.
    if !archive.exists() || !folder.join(VAULT_FILE).exists() {
        return Err(Failed::general(
            format!("open the audit log: there is none in {}", folder.display()),
            "Name the console's data folder with --data.",
        ));
    }
    let lock = FolderLock::take(folder, "deskhand audit", now()).map_err(AppError::from)?;
    let vault = Vault::open(folder, options).map_err(AppError::from)?;
    let archive = Archive::open(&archive, vault.archive_key())
        .map_err(|error| AppError::from(StartError::Archive(error)))?;
    Ok((archive, lock))
}

fn failed(error: ArchiveError) -> Failed {
    AppError::from(StartError::Archive(error)).into()
}
