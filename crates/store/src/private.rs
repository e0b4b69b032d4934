//! Files and folders that nobody else may read.

use std::{fs, io, path::Path};

use crate::{StoreError, io_fault};

/// Makes the folder if it isn't there, and closes it to everybody else.
///
/// # Errors
/// [`StoreError::Io`] or `DiskFull`.
pub fn private_folder(folder: &Path) -> Result<(), StoreError> {
    let doing = "prepare the data folder";
    let failed = |error: io::Error| match io_fault(doing)(error) {
        StoreError::Io { doing, why } => {
            StoreError::Io { doing, why: format!("{}: {why}", folder.display()) }
        }
        other => other,
    };
    fs::create_dir_all(folder).map_err(failed)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(folder, fs::Permissions::from_mode(0o700)).map_err(failed)?;
    }
    Ok(())
}

/// Makes sure that the database's file is there and nobody else may read it; what SQLite puts
/// beside it takes the same permissions.
pub(crate) fn private_file(path: &Path) -> io::Result<fs::File> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}
