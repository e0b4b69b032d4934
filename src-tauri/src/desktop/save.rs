//! Saves a file, such as a transcript or a picture, in the downloads folder.
//!
//! What is absent: overwriting, and a folder that the page could choose: it gives a file name only.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// The most files of one name that are told apart by a number.
const SAME_NAME: u32 = 1000;

/// Why nothing was saved. No incomplete file is left.
#[derive(Debug, thiserror::Error)]
pub enum SaveError {
    /// The name can't be that of a file.
    #[error("save a file: \"{0}\" can't be a file's name")]
    Name(String),
    /// The file system refused.
    #[error("save a file in {folder}: {source}")]
    Io {
        /// The folder to save in.
        folder: String,
        /// The reason.
        source: io::Error,
    },
}

/// Writes `bytes` into a new file in `folder`, which is created if needed, and returns its path. If
/// the name is taken, a number is added.
///
/// # Errors
/// [`SaveError`]
pub fn save(folder: &Path, name: &str, bytes: &[u8]) -> Result<PathBuf, SaveError> {
    let (stem, extension) = split(name).ok_or_else(|| SaveError::Name(name.to_owned()))?;
    let failed = |source| SaveError::Io { folder: folder.display().to_string(), source };
    std::fs::create_dir_all(folder).map_err(failed)?;
    for number in 1..=SAME_NAME {
        let numbered = if number == 1 {
            format!("{stem}{extension}")
        } else {
            format!("{stem} ({number}){extension}")
        };
        let path = folder.join(numbered);
        // `create_new` and not a look beforehand: between look and write another program could make
        // the file.
        match OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(mut file) => {
                let written = file.write_all(bytes).and_then(|()| file.sync_all());
                return match written {
                    Ok(()) => Ok(path),
                    Err(error) => {
                        // On a full disk a part of the file is there, which somebody could take for
                        // the whole.
                        let _ = std::fs::remove_file(&path);
                        Err(failed(error))
                    }
                };
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(failed(error)),
        }
    }
    Err(failed(io::ErrorKind::AlreadyExists.into()))
}

/// The stem and the extension (with its dot) of a plain file name that isn't hidden.
fn split(name: &str) -> Option<(&str, &str)> {
    let plain = !name.starts_with('.')
        && !name.contains(['/', '\\'])
        && !name.chars().any(char::is_control);
    // File systems allow 255 bytes, of which a number needs some.
    let fits = !name.is_empty() && name.len() <= 200;
    (plain && fits).then(|| name.rfind('.').map_or((name, ""), |dot| name.split_at(dot)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_file_of_the_same_name_gets_a_number_and_the_first_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let first = save(folder.path(), "Maria Lopez.txt", b"one").unwrap();
        let second = save(folder.path(), "Maria Lopez.txt", b"two").unwrap();
        assert_eq!(std::fs::read_to_string(first).unwrap(), "one");
        assert_eq!(second, folder.path().join("Maria Lopez (2).txt"));
        assert_eq!(std::fs::read_to_string(second).unwrap(), "two");
    }

    #[test]
    fn a_name_that_leads_elsewhere_or_hides_the_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["", "../x.txt", "/etc/x", "a\\b", ".bashrc", "a\nb", &"x".repeat(201)] {
            assert!(matches!(save(folder.path(), name, b"x"), Err(SaveError::Name(_))), "{name:?}");
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_folder_that_is_none_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "").unwrap();
        let error = save(&file, "x.txt", b"x").unwrap_err();
        assert!(error.to_string().starts_with("save a file in "), "{error}");
    }
}
