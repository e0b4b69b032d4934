//! `deskhand audit`: checks or exports the audit log of a console that isn't running.
//!
//! It starts no engine and calls no service. It holds the folder's lock as a console would.

use std::{io::Write as _, path::Path};

use clap::{Args, Subcommand};
use engine::{
    Keys, StartError, Stores,
    archive::{Archive, ArchiveError, AuditEntry},
    audit_trail::AuditTrail,
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
    /// Looks through the whole log for a broken link; exit code 1 if there is one
    Verify {
        /// Print one JSON object instead of a sentence
        #[arg(long)]
        json: bool,
    },
    /// Writes the whole log to standard output as JSON Lines; the last line says that it was exported
    Export,
}

/// Checks or exports the log.
pub(super) async fn run(global: &Global, flags: &Flags) -> Result<End, Failed> {
    let (stores, _lock) = open(global).await?;
    let trail = AuditTrail::open(stores.archive.clone(), stores.journal).await.map_err(failed)?;
    match flags.what {
        What::Verify { json } => verify(&trail, json).await,
        What::Export => export(&trail, &stores.archive, global.settings()?.technician).await,
    }
}

async fn verify(trail: &AuditTrail, json: bool) -> Result<End, Failed> {
    let check = present::audit_report::check(&trail.verify().await.map_err(failed)?);
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
async fn export(trail: &AuditTrail, archive: &Archive, by: String) -> Result<End, Failed> {
    let (action, text) = ("audit_exported".into(), "Exports the audit log.".into());
    let entry = AuditEntry { at: now(), by, action, text, session: None };
    trail.append(entry).await.map_err(failed)?;
    let mut out = archive.export_audit(std::io::stdout()).await.map_err(failed)?;
    out.flush().map_err(|error| Failed::general(format!("write the audit log: {error}"), ""))?;
    Ok(End::Done)
}

async fn open(global: &Global) -> Result<(Stores, FolderLock), Failed> {
    let folder = global.data()?;
    let options = vault_options(global)?;
    let data = folder.clone();
    // Asking the keyring may block.
    let opened = tokio::task::spawn_blocking(move || open_in(&folder, options));
    let (keys, lock) = opened.await.map_err(|error| Failed::internal(&error))??;
    Ok((Stores::open(&data, keys).await.map_err(AppError::from)?, lock))
}

fn open_in(folder: &Path, options: VaultOptions) -> Result<(Keys, FolderLock), Failed> {
    // Checked first, so that looking for a log makes no folder and no key.
    if !folder.join(VAULT_FILE).exists() {
        return Err(Failed::general(
            format!("Open the audit log: there is none in {}", folder.display()),
            "Name the console's data folder with --data.",
        ));
    }
    let lock = FolderLock::take(folder, "deskhand audit", now()).map_err(AppError::from)?;
    let vault = Vault::open(folder, options).map_err(AppError::from)?;
    Ok((Keys::from_vault(&vault), lock))
}

fn failed(error: ArchiveError) -> Failed {
    AppError::from(StartError::Archive(error)).into()
}
