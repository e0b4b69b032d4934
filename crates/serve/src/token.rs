//! The control API's token: random, in a file that only its owner can read, compared by its hash.

use std::{
    fmt, fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use data_encoding::HEXLOWER;
use ring::digest::{Digest, SHA256, digest};

/// The bearer token of a control API.
#[derive(Clone)]
pub struct ControlToken(Digest);

/// The token's file can't be written.
#[derive(Debug, thiserror::Error)]
#[error("write the control token to {}: {source}", path.display())]
pub struct TokenError {
    /// The file.
    pub path: PathBuf,
    /// Why it failed.
    #[source]
    pub source: io::Error,
}

impl ControlToken {
    /// Makes a new token of 256 random bits and writes it to `path` (mode 0600), replacing the
    /// last run's.
    ///
    /// # Errors
    /// [`TokenError`] when the file can't be written.
    pub fn create(path: &Path) -> Result<Self, TokenError> {
        let failed = |source| TokenError { path: path.to_owned(), source };
        let mut random = [0u8; 32];
        getrandom::fill(&mut random).map_err(|e| failed(io::Error::other(e.to_string())))?;
        let text = HEXLOWER.encode(&random);
        // Removed and made anew: an older file keeps whatever owner and mode it has.
        match fs::remove_file(path) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(failed(error)),
        }
        let mut file = private_file(path).map_err(failed)?;
        writeln!(file, "{text}").map_err(failed)?;
        Ok(Self::from_text(&text))
    }

    /// A token that is known already.
    pub fn from_text(text: &str) -> Self {
        Self(digest(&SHA256, text.as_bytes()))
    }

    /// Whether an `Authorization` header's value carries this token.
    pub fn accepts(&self, authorization: &str) -> bool {
        // Comparing hashes leaks nothing about the token, however the comparison is timed.
        authorization.strip_prefix("Bearer ").is_some_and(|given| {
            digest(&SHA256, given.trim().as_bytes()).as_ref() == self.0.as_ref()
        })
    }
}

impl fmt::Debug for ControlToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ControlToken(redacted)")
    }
}

/// Creates a file that nobody else can read, and fails if it is there already.
///
/// # Errors
/// The file system's.
pub fn private_file(path: &Path) -> io::Result<fs::File> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_its_own_text_and_nothing_else() {
        let token = ControlToken::from_text("abc");
        assert!(token.accepts("Bearer abc"));
        for wrong in ["", "abc", "Bearer ", "Bearer abd", "Basic abc"] {
            assert!(!token.accepts(wrong), "{wrong}");
        }
    }

    #[test]
    fn the_file_is_private_and_holds_the_token() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("control-token");
        ControlToken::create(&path).unwrap();
        let token = ControlToken::create(&path).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert!(token.accepts(&format!("Bearer {text}")));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }
}
