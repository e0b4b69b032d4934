//! `deskhand doctor --salvage FOLDER`: what can be read of damaged databases, in a new data folder.

use std::{fs, path::Path};

use engine::{
    StoreError,
    backup::SalvagedTable,
    clock::now,
    lock::FolderLock,
    vault::{Options as VaultOptions, VAULT_FILE, Vault},
};

use super::super::{End, Failed, Global, vault_options};
use crate::{
    app::{AppError, KEPT_FILES, STORES},
    present::{remedy, trouble},
    view::Trouble,
    words,
};

/// Writes the new folder, and says what each database lost.
pub(super) async fn run(global: &Global, to: &Path) -> Result<End, Failed> {
    let (folder, to, keep) = (global.data()?, to.to_owned(), vault_options(global)?);
    // Files and the system's keyring may block.
    let saved = tokio::task::spawn_blocking(move || save(&folder, &to, keep));
    let lines = saved.await.map_err(|error| Failed::internal(&error))??;
    let lost = lines.iter().any(|(_, complete)| !complete);
    lines.iter().for_each(|(line, _)| println!("{line}"));
    Ok(if lost { End::NotGood } else { End::Done })
}

/// A line for each database, and whether all of it was saved.
fn save(folder: &Path, to: &Path, keep: VaultOptions) -> Result<Vec<(String, bool)>, Failed> {
    if !folder.join(VAULT_FILE).exists() {
        return Err(Failed::general(
            format!("save what can be read: there is no console's data in {}", folder.display()),
            "Name the console's data folder with --data.",
        ));
    }
    if to.read_dir().map_or_else(|_| to.exists(), |mut entries| entries.next().is_some()) {
        let text = format!("save what can be read to {}: there is something already", to.display());
        return Err(Failed::usage(text));
    }
    let _lock = FolderLock::take(folder, "deskhand doctor", now()).map_err(AppError::from)?;
    let vault = Vault::open(folder, keep.clone()).map_err(AppError::from)?;
    let _new_lock = FolderLock::take(to, "deskhand doctor", now()).map_err(AppError::from)?;
    Vault::import(to, &vault.export(), keep).map_err(AppError::from)?;
    for file in KEPT_FILES.iter().filter(|file| folder.join(file).exists()) {
        fs::copy(folder.join(file), to.join(file)).map_err(|error| {
            Failed::general(format!("copy {file} to {}: {error}", to.display()), "")
        })?;
    }
    let stores = STORES.iter().filter(|store| folder.join(store.path).exists());
    let saved = stores.map(|store| match store.salvage(folder, to, &vault) {
        Ok(tables) => {
            Ok((summary(store.name, &tables), tables.iter().all(|table| table.gaps == 0)))
        }
        // Nothing can be read: it is left out, and made anew at the next start.
        Err(error @ (StoreError::Damaged { .. } | StoreError::WrongKey { .. })) => {
            Ok((format!("{}: nothing was saved ({error})", store.name), false))
        }
        Err(error) => {
            let Trouble { text, remedy, .. } = trouble::new(&error, remedy::of_store(&error));
            Err(Failed::disk(text, remedy))
        }
    });
    saved.collect()
}

fn summary(name: &str, tables: &[SalvagedTable]) -> String {
    let rows: u64 = tables.iter().map(|table| table.rows).sum();
    let lost = tables.iter().filter(|table| table.gaps > 0);
    let lost: Vec<_> = lost
        .map(|table| {
            format!(
                "{} ({})",
                table.name,
                words::count(u32::try_from(table.gaps).unwrap_or(u32::MAX), "place", "places")
            )
        })
        .collect();
    if lost.is_empty() {
        format!("{name}: all {rows} rows were saved")
    } else {
        format!("{name}: {rows} rows were saved; rows are missing in {}", lost.join(", "))
    }
}
