//! The program's own file: the signed conf at its end, and its removal.
//!
//! The signature's key is in the file as well. So a good signature shows that program and conf are
//! undamaged and come from the same signer, but not who the signer is.

use std::{
    fs::{self, File},
    io::{self, Read as _, Seek as _, SeekFrom},
    path::{Path, PathBuf},
};

use ring::{
    digest::{SHA256, digest},
    signature::{ED25519, UnparsedPublicKey},
};
use wire::trailer::{self, Ending, Payload};

/// How many bytes at the file's end show whether there is a trailer.
const LAST: usize = 12;
/// The most bytes of a file that is read as this program.
const LARGEST: u64 = 256 * 1024 * 1024;

/// The file is damaged or can't be read. Its text is shown to the customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProgramError {
    /// The file can't be read.
    #[error(
        "This program can't read its own file. Save it again, to a folder of your own, and start it there."
    )]
    Unreadable,
    /// The bytes at the end aren't a valid trailer.
    #[error("The end of this program is damaged. Download it again from the page with your PIN.")]
    Trailer,
    /// Program, conf or signature were changed.
    #[error(
        "This program was changed after the server made it, so it does nothing. Download it again from the page with your PIN."
    )]
    Changed,
}

/// The running program's file.
///
/// # Errors
/// [`ProgramError::Unreadable`].
pub fn own_file() -> Result<PathBuf, ProgramError> {
    std::env::current_exe().map_err(|_| ProgramError::Unreadable)
}

/// Reads the payload in a program's file; `None` for a program as it was built.
///
/// # Errors
/// [`ProgramError`].
pub fn read(path: &Path) -> Result<Option<Payload>, ProgramError> {
    let Some(bytes) = bytes_with_trailer(path)? else { return Ok(None) };
    let parts = trailer::split(&bytes).map_err(|_| ProgramError::Trailer)?;
    let parts = parts.ok_or(ProgramError::Trailer)?;
    let hash = digest(&SHA256, parts.program);
    let hash = hash.as_ref().try_into().map_err(|_| ProgramError::Changed)?;
    UnparsedPublicKey::new(&ED25519, parts.public_key)
        .verify(&trailer::signed_bytes(hash, parts.payload), parts.signature)
        .map_err(|_| ProgramError::Changed)?;
    Payload::from_json(parts.payload).map(Some).map_err(|_| ProgramError::Trailer)
}

/// The whole file, if it ends in a trailer. A file without one isn't read, however large it is.
fn bytes_with_trailer(path: &Path) -> Result<Option<Vec<u8>>, ProgramError> {
    let unreadable = |_: io::Error| ProgramError::Unreadable;
    let mut file = File::open(path).map_err(unreadable)?;
    let length = file.metadata().map_err(unreadable)?.len();
    if length < LAST as u64 {
        return Ok(None);
    }
    let mut last = [0; LAST];
    file.seek(SeekFrom::End(-(LAST as i64))).map_err(unreadable)?;
    file.read_exact(&mut last).map_err(unreadable)?;
    match trailer::ending(&last, length) {
        Ok(Ending::Plain) => return Ok(None),
        Ok(Ending::Trailer(_)) if length <= LARGEST => {}
        Ok(Ending::Trailer(_)) | Err(_) => return Err(ProgramError::Trailer),
    }
    file.rewind().map_err(unreadable)?;
    let mut bytes = Vec::new();
    file.take(LARGEST).read_to_end(&mut bytes).map_err(unreadable)?;
    Ok(Some(bytes))
}

/// Removes the running program's file. Only a trailer can ask for this.
///
/// # Errors
/// The system's.
pub fn remove(path: &Path) -> io::Result<()> {
    if is_running_one(path)? { fs::remove_file(path) } else { Ok(()) }
}

/// Whether `path` is still the running file, and not another one that was saved there since.
#[cfg(target_os = "linux")]
fn is_running_one(path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt as _;
    let (runs, there) = (fs::metadata("/proc/self/exe")?, fs::metadata(path)?);
    // Device and inode identify a file; a path may lead to another one by now.
    Ok((runs.dev(), runs.ino()) == (there.dev(), there.ino()))
}

#[cfg(not(target_os = "linux"))]
fn is_running_one(_: &Path) -> io::Result<bool> {
    Ok(true)
}

#[cfg(test)]
mod tests {
    use ring::signature::{Ed25519KeyPair, KeyPair as _};
    use wire::ConfText;

    use super::*;

    #[test]
    fn a_signed_conf_is_read() {
        let made = made(b"\x7fELF program");
        assert_eq!(read_bytes(&made).unwrap().unwrap().conf.expose(), "conf");
    }

    #[test]
    fn a_program_as_it_was_built_has_no_conf() {
        assert!(read_bytes(b"\x7fELF").unwrap().is_none());
        assert!(read_bytes(&[7; 4096]).unwrap().is_none());
    }

    #[test]
    fn a_change_anywhere_is_refused() {
        let made = made(b"\x7fELF program");
        for at in 0..made.len() {
            let mut changed = made.clone();
            changed[at] ^= 1;
            // Without its last bytes it is a program as it was built: it has no conf, so it
            // can't share.
            let foot = at >= made.len() - 8;
            match read_bytes(&changed) {
                Err(ProgramError::Changed | ProgramError::Trailer) => {}
                Ok(None) if foot => {}
                other => panic!("byte {at}: {other:?}"),
            }
        }
    }

    #[test]
    fn a_signature_over_something_else_than_a_conf_is_refused() {
        let made = signed(b"\x7fELF", b"{\"no\":\"conf\"}");
        assert_eq!(read_bytes(&made), Err(ProgramError::Trailer));
    }

    #[test]
    fn only_the_running_file_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let other = folder.path().join("other");
        fs::write(&other, b"x").unwrap();
        remove(&other).unwrap();
        assert!(other.exists());
    }

    fn made(program: &[u8]) -> Vec<u8> {
        let conf = ConfText::from("conf".to_owned());
        signed(program, &Payload { conf, hide_progress: false, self_delete: true }.to_json())
    }

    fn signed(program: &[u8], payload: &[u8]) -> Vec<u8> {
        let key = Ed25519KeyPair::from_seed_unchecked(&[5; 32]).unwrap();
        let hash = digest(&SHA256, program);
        let said = trailer::signed_bytes(hash.as_ref().try_into().unwrap(), payload);
        let signature = key.sign(&said).as_ref().try_into().unwrap();
        let public = key.public_key().as_ref().try_into().unwrap();
        [program, &trailer::append(payload, &signature, &public)].concat()
    }

    fn read_bytes(bytes: &[u8]) -> Result<Option<Payload>, ProgramError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("program");
        fs::write(&path, bytes).unwrap();
        read(&path)
    }
}
