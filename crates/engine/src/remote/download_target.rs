//! Where a downloaded program goes: a name that nothing has yet, in a folder that takes files.

use std::{
    io,
    path::{Path, PathBuf},
};

use reqwest::header::{self, HeaderMap};

/// The file that a download writes. It never overwrites: a taken name gets a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DownloadTarget {
    folder: PathBuf,
    name: Name,
}

/// The file's name.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Name {
    /// As a person chose it.
    Exactly(String),
    /// With the extension that the service gives it.
    Stem(String),
}

/// Why a file can't be saved there; one variant for each remedy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DownloadTargetError {
    /// There is a file of that name.
    #[error("save the customer's program: there is a file {0} already")]
    Taken(String),
    /// The path names no file.
    #[error("save the customer's program: {0} names no file")]
    NoName(String),
    /// The folder is missing, or isn't ours to write to.
    #[error("save the customer's program in {folder}: {why}")]
    Folder { folder: String, why: io::ErrorKind },
}

/// A name is tried with numbers up to this.
const MOST_NUMBERS: u32 = 1000;
/// A program whose kind the service doesn't say.
const USUAL: &str = "exe";

impl DownloadTarget {
    /// The file at `path` and no other.
    ///
    /// # Errors
    /// [`DownloadTargetError::NoName`].
    pub fn file(path: &Path) -> Result<Self, DownloadTargetError> {
        let no_name = || DownloadTargetError::NoName(path.display().to_string());
        let name = path.file_name().and_then(|name| name.to_str()).ok_or_else(no_name)?;
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new(".")).to_owned();
        Ok(Self { folder, name: Name::Exactly(name.to_owned()) })
    }

    /// A file in `folder` called `stem`, with the extension that the service gives it.
    pub fn in_folder(folder: &Path, stem: &str) -> Self {
        Self { folder: folder.to_owned(), name: Name::Stem(stem.to_owned()) }
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Whether a file can be saved here, found out by making one and removing it. Blocks.
    ///
    /// # Errors
    /// [`DownloadTargetError`].
    pub fn check(&self) -> Result<(), DownloadTargetError> {
        if let Name::Exactly(name) = &self.name
            && self.folder.join(name).symlink_metadata().is_ok()
        {
            return Err(DownloadTargetError::Taken(self.folder.join(name).display().to_string()));
        }
        let refused = |error: io::Error| DownloadTargetError::Folder {
            folder: self.folder.display().to_string(),
            why: error.kind(),
        };
        tempfile::NamedTempFile::new_in(&self.folder).map(drop).map_err(refused)
    }

    /// The names to try, best first; `extension` is for those that have none of their own.
    pub(super) fn names(&self, extension: &str) -> impl Iterator<Item = PathBuf> + use<'_> {
        let (stem, extension) = match &self.name {
            Name::Exactly(name) => {
                let dot = name.rfind('.').filter(|&dot| dot > 0).unwrap_or(name.len());
                (&name[..dot], name[dot..].to_owned())
            }
            Name::Stem(stem) => (stem.as_str(), format!(".{extension}")),
        };
        (1..=MOST_NUMBERS).map(move |number| {
            let numbered = if number == 1 { String::new() } else { format!(" ({number})") };
            self.folder.join(format!("{stem}{numbered}{extension}"))
        })
    }
}

/// The extension that the service gives its program; only letters and digits of it are believed.
pub(super) fn extension(headers: &HeaderMap) -> String {
    let said = headers.get(header::CONTENT_DISPOSITION).and_then(|value| value.to_str().ok());
    let name = said.and_then(|said| said.split_once("filename=")).map(|(_, name)| name);
    let name = name.unwrap_or_default().split(';').next().unwrap_or_default();
    let extension = name.trim().trim_matches('"').rsplit_once('.').map(|(_, extension)| extension);
    let plain = |text: &&str| {
        (1..=8).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric())
    };
    extension.filter(plain).unwrap_or(USUAL).to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_header(text: &str) -> String {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_DISPOSITION, text.parse().unwrap());
        extension(&headers)
    }

    #[test]
    fn believes_only_a_plain_extension_of_the_services_name() {
        assert_eq!(of_header("attachment; filename=\"deskhand-join.sh\""), "sh");
        assert_eq!(of_header("attachment; filename=Support.EXE; size=7"), "exe");
        for odd in ["attachment", "filename=\"a\"", "filename=\"a./../b\"", "filename=\"a.b c\""] {
            assert_eq!(of_header(odd), USUAL, "{odd}");
        }
        assert_eq!(extension(&HeaderMap::new()), USUAL);
    }

    #[test]
    fn a_taken_name_is_followed_by_numbered_ones() {
        let names = |place: &DownloadTarget| -> Vec<String> {
            let names = place.names("sh").take(2);
            names.map(|path| path.display().to_string()).collect()
        };
        let place = DownloadTarget::in_folder(Path::new("/a"), "support-Maria");
        assert_eq!(names(&place), ["/a/support-Maria.sh", "/a/support-Maria (2).sh"]);
        let place = DownloadTarget::file(Path::new("/a/p.v2.exe")).unwrap();
        assert_eq!(names(&place), ["/a/p.v2.exe", "/a/p.v2 (2).exe"]);
        let place = DownloadTarget::file(Path::new("/a/.p")).unwrap();
        assert_eq!(names(&place), ["/a/.p", "/a/.p (2)"]);
    }

    #[test]
    fn says_what_is_wrong_with_a_place_and_leaves_nothing_there() {
        let folder = tempfile::tempdir().unwrap();
        let taken = folder.path().join("x.exe");
        std::fs::write(&taken, "").unwrap();
        let error = DownloadTarget::file(&taken).unwrap().check().unwrap_err();
        assert!(error.to_string().contains("x.exe already"), "{error}");
        let missing =
            DownloadTarget::in_folder(&folder.path().join("missing"), "x").check().unwrap_err();
        assert!(matches!(
            &missing,
            DownloadTargetError::Folder { why: io::ErrorKind::NotFound, .. }
        ));
        assert!(matches!(
            DownloadTarget::file(Path::new("/")),
            Err(DownloadTargetError::NoName(_))
        ));
        assert_eq!(DownloadTarget::in_folder(folder.path(), "x").check(), Ok(()));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
