//! Putting a restored backup in the place of the data folder. Whenever that is cut short, the next start finds either
//! folder whole, and knows where the old data was moved:
//!
//! 1. The backup is unpacked in `.deskhand-restore-FOLDER-XXXXXX`. What is left of it is removed.
//! 2. It is complete, and gets the name `FOLDER.restored`: from here on the next start goes on with it.
//! 3. The file `moved-aside` in it names the folder that the old data will be in.
//! 4. The data folder gets that name, and `FOLDER.restored` its place.
//! 5. The file is removed once it was said where the old data is.

use std::{
    ffi::{OsStr, OsString},
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use session::Timestamp;
use tempfile::TempDir;

use super::{
    error::{BackupError, RESTORING},
    write::sync_folder,
};
use crate::{
    lock::{FolderLock, LOCK_FILE},
    vault::VAULT_FILE,
};

/// Names the folders that a restore moved aside, one a line, until it was said where they are.
const ASIDE_FILE: &str = "moved-aside";

/// A moment at which the computer may lose its power.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// It is on the disk where the old data will be.
    Noted,
    /// The data folder's name is free.
    MovedAside,
    /// The restored folder has its place.
    InPlace,
}

/// Puts a backup that [`super::Restore::stage`] restored, or a [`super::Restore::run`] that was cut short, in the
/// place of the data folder, whose contents are moved aside: [`aside`] says where to. To be called before anything in
/// the folder is opened. Cut short, it goes on with the next call. Blocks.
///
/// # Errors
/// [`BackupError`]; but for [`BackupError::LeftAside`], the data folder is as it was.
pub fn take_staged(folder: &Path, program: &str, now: Timestamp) -> Result<(), BackupError> {
    let folder = std::path::absolute(folder).map_err(BackupError::io(RESTORING, folder))?;
    if !staged_beside(&folder).join(VAULT_FILE).exists() {
        return Ok(());
    }
    let _lock = FolderLock::take(&folder, program, now)?;
    put_in_place(&folder, now, &mut |_| ()).map(drop)
}

/// Where the data is in whose place a restored backup was put; empty once that was forgotten. Blocks.
pub fn aside(folder: &Path) -> Vec<PathBuf> {
    let Ok(text) = fs::read(folder.join(ASIDE_FILE)) else { return Vec::new() };
    let lines = text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let beside = |line| Some(folder.with_file_name(name_of(line)?));
    // It is written before the folder gets this name.
    lines.filter_map(beside).filter(|aside| aside.exists()).collect()
}

/// Forgets where the old data is, which was said. If that fails, it is said once more. Blocks.
pub fn forget_aside(folder: &Path) {
    match fs::remove_file(folder.join(ASIDE_FILE)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            tracing::warn!(%error, "forget where the data from before a restore is");
        }
        _ => {}
    }
}

/// Removes what is left of restores to this folder that were cut short before they were complete. To be called with
/// the folder's lock held, as whoever restores has it. Blocks.
pub fn remove_unfinished(folder: &Path) {
    let Ok(folder) = std::path::absolute(folder) else { return };
    let prefix = unfinished_prefix(&folder);
    let is_ours = |name: &OsStr| {
        let rest = name.as_encoded_bytes().strip_prefix(prefix.as_encoded_bytes());
        rest.is_some_and(|rest| rest.len() == 6 && rest.iter().all(u8::is_ascii_alphanumeric))
    };
    let Ok(entries) = fs::read_dir(parent(&folder)) else { return };
    for entry in entries.flatten().filter(|entry| is_ours(&entry.file_name())) {
        match fs::remove_dir_all(entry.path()) {
            Ok(()) => {
                tracing::info!(path = %entry.path().display(), "removed an unfinished restore")
            }
            Err(error) => {
                tracing::warn!(path = %entry.path().display(), %error, "remove an unfinished restore");
            }
        }
    }
}

/// A folder beside the data folder, so that a rename is enough at the end.
pub(super) fn unfinished_beside(folder: &Path) -> Result<TempDir, BackupError> {
    let parent = parent(folder);
    let made = tempfile::Builder::new().prefix(&unfinished_prefix(folder)).tempdir_in(parent);
    made.map_err(BackupError::io("make a folder in", parent))
}

fn unfinished_prefix(folder: &Path) -> OsString {
    let mut name = OsString::from(".deskhand-restore-");
    name.push(folder.file_name().unwrap_or_default());
    name.push("-");
    name
}

/// A name that is known at the next start; what has it is complete.
pub(super) fn staged_beside(folder: &Path) -> PathBuf {
    let mut name = folder.file_name().unwrap_or_default().to_owned();
    name.push(".restored");
    folder.with_file_name(name)
}

/// Gives a complete folder the name that is known at the next start; answers that.
pub(super) fn stage(new: TempDir, folder: &Path) -> Result<PathBuf, BackupError> {
    let staged = staged_beside(folder);
    let failed = BackupError::io("make a folder in", parent(folder));
    // One that was restored before and never put in its place.
    remove_staged(folder)?;
    sync_folder(new.path()).map_err(&failed)?;
    fs::rename(new.path(), &staged).map_err(&failed)?;
    let _ = new.keep();
    sync_folder(parent(folder)).map_err(&failed)?;
    Ok(staged)
}

/// Removes a restored folder that waits for the next start. It loses its name first: half of it must never be put in
/// place.
pub(super) fn remove_staged(folder: &Path) -> Result<(), BackupError> {
    let staged = staged_beside(folder);
    if !staged.exists() {
        return Ok(());
    }
    let away = unfinished_beside(folder)?;
    let failed = BackupError::io("remove", &staged);
    fs::rename(&staged, away.path().join("staged")).map_err(&failed)?;
    sync_folder(parent(folder)).map_err(&failed)?;
    away.close().map_err(&failed)
}

/// Whether the old data was moved aside, and nothing put in its place.
pub(super) fn is_cut_short(folder: &Path) -> bool {
    let staged = staged_beside(folder);
    staged.join(VAULT_FILE).exists() && !has_console(folder) && !aside(&staged).is_empty()
}

/// Whether the folder has a console's data, or parts of it.
pub(super) fn has_console(folder: &Path) -> bool {
    // A lock alone comes from looking at it.
    let other = |entry: io::Result<fs::DirEntry>| {
        entry.map_or(true, |entry| entry.file_name() != LOCK_FILE)
    };
    folder.join(VAULT_FILE).exists()
        || fs::read_dir(folder).is_ok_and(|mut entries| entries.any(other))
}

/// Puts the folder that was staged in the place of the data folder, whose contents are moved aside if there are any;
/// answers where they are. Tells `reached` of each step.
pub(super) fn put_in_place(
    folder: &Path,
    now: Timestamp,
    reached: &mut dyn FnMut(Step),
) -> Result<Option<PathBuf>, BackupError> {
    let staged = staged_beside(folder);
    let failed = BackupError::io("replace", folder);
    let aside = if has_console(folder) {
        let aside = free_name(folder, now);
        note_aside(&staged, &aside).map_err(&failed)?;
        reached(Step::Noted);
        fs::rename(folder, &aside).map_err(&failed)?;
        reached(Step::MovedAside);
        Some(aside)
    } else {
        // The lock's file is all that is in it; a folder is renamed only over an empty one.
        let _ = fs::remove_file(folder.join(LOCK_FILE));
        aside(&staged).pop()
    };
    sync_folder(&staged).map_err(&failed)?;
    if let Err(source) = fs::rename(&staged, folder) {
        let Some(aside) = aside else { return Err(failed(source)) };
        return Err(match fs::rename(&aside, folder) {
            Ok(()) => failed(source),
            Err(_) => BackupError::LeftAside { folder: folder.to_owned(), aside, source },
        });
    }
    reached(Step::InPlace);
    sync_folder(parent(folder)).map_err(&failed)?;
    Ok(aside)
}

/// Writes to the disk where the old data will be, beside what was moved aside before.
fn note_aside(staged: &Path, new: &Path) -> io::Result<()> {
    let mut text = Vec::new();
    for aside in aside(staged).iter().map(PathBuf::as_path).chain([new]) {
        text.extend_from_slice(aside.file_name().unwrap_or_default().as_encoded_bytes());
        text.push(b'\n');
    }
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file: File = options.open(staged.join(ASIDE_FILE))?;
    file.write_all(&text)?;
    file.sync_all()?;
    sync_folder(staged)
}

/// The name of a folder beside the data folder; none where the bytes are no single name.
fn name_of(line: &[u8]) -> Option<OsString> {
    #[cfg(unix)]
    let name: OsString = std::os::unix::ffi::OsStringExt::from_vec(line.to_vec());
    #[cfg(not(unix))]
    let name: OsString = String::from_utf8(line.to_vec()).ok()?.into();
    (Path::new(&name).file_name() == Some(&name)).then_some(name)
}

fn parent(folder: &Path) -> &Path {
    folder.parent().unwrap_or(folder)
}

/// A name beside the data folder that says when its contents were moved aside.
fn free_name(folder: &Path, now: Timestamp) -> PathBuf {
    let at = jiff::Timestamp::from_millisecond(now.0).unwrap_or_default();
    let mut name = folder.file_name().unwrap_or_default().to_owned();
    name.push(format!(".before-restore-{}", at.strftime("%Y%m%dT%H%M%SZ")));
    let first = folder.with_file_name(&name);
    let numbered = (2..).map(|number| {
        let mut name = name.clone();
        name.push(format!("-{number}"));
        folder.with_file_name(name)
    });
    std::iter::once(first).chain(numbered).find(|path| !path.exists()).unwrap_or_default()
}

#[cfg(test)]
mod tests;
