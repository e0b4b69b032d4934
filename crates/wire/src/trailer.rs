//! What `/session_exe` appends to the presenter's program: its conf, signed (docs/broker.md).
//!
//! ```text
//! program | payload (JSON) | signature (64) | public key (32) | payload's length (u32 LE) | DHPRES01
//! ```
//!
//! The signature is Ed25519 over [`signed_bytes`]: the program's SHA-256 and the payload. Hashing, signing
//! and verifying are the ends' own; this is where the bytes stand. The key stands beside what it signs, so
//! the signature shows damage and a program that was put together from two, and nothing about who made it.

use serde::{Deserialize, Serialize};

use crate::ConfText;

/// The last bytes of a program that has a trailer.
pub const MAGIC: &[u8; 8] = b"DHPRES01";
/// Bytes of the longest payload that is read: many times what a conf takes.
pub const LONGEST_PAYLOAD: usize = 64 * 1024;
/// Bytes of an Ed25519 signature.
pub const SIGNATURE: usize = 64;
/// Bytes of an Ed25519 public key.
pub const PUBLIC_KEY: usize = 32;

/// Bytes behind the payload.
const FOOT: usize = SIGNATURE + PUBLIC_KEY + 4 + MAGIC.len();
const DIGEST: usize = 32;

/// What the trailer says.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Payload {
    /// The session's conf.
    pub conf: ConfText,
    /// No progress is to be shown in the terminal. The question whether to share is no progress.
    #[serde(default)]
    pub hide_progress: bool,
    /// The program removes itself at the end.
    #[serde(default)]
    pub self_delete: bool,
}

/// What is written; the conf leaves its wrapper nowhere else.
#[derive(Serialize)]
struct Written<'a> {
    conf: &'a str,
    hide_progress: bool,
    self_delete: bool,
}

impl Payload {
    /// As it stands in the trailer.
    pub fn to_json(&self) -> Vec<u8> {
        let Self { conf, hide_progress, self_delete } = self;
        let written = Written {
            conf: conf.expose(),
            hide_progress: *hide_progress,
            self_delete: *self_delete,
        };
        serde_json::to_vec(&written).unwrap_or_default()
    }

    /// Reads what stands in a trailer, once its signature is known to be good.
    ///
    /// # Errors
    /// [`DamagedTrailer`].
    pub fn from_json(json: &[u8]) -> Result<Self, DamagedTrailer> {
        serde_json::from_slice(json).map_err(|_| DamagedTrailer)
    }
}

/// A trailer that can't be one. It repeats none of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the configuration at the program's end is damaged")]
pub struct DamagedTrailer;

/// A program with a trailer, taken apart. Nothing is verified yet.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Parts<'a> {
    /// The program as it was built.
    pub program: &'a [u8],
    /// The payload's JSON.
    pub payload: &'a [u8],
    /// Over [`signed_bytes`].
    pub signature: &'a [u8; SIGNATURE],
    /// Of the broker that signed.
    pub public_key: &'a [u8; PUBLIC_KEY],
}

/// Where a trailer ends, read from a program's last bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// A trailer of so many bytes.
    Trailer(usize),
    /// None: a program as it was built.
    Plain,
}

/// What is to be signed: the SHA-256 of the program as it was built, then the payload.
pub fn signed_bytes(program_sha256: &[u8; DIGEST], payload: &[u8]) -> Vec<u8> {
    [&program_sha256[..], payload].concat()
}

/// What is appended to the program.
pub fn append(
    payload: &[u8],
    signature: &[u8; SIGNATURE],
    public_key: &[u8; PUBLIC_KEY],
) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap_or(u32::MAX).to_le_bytes();
    [payload, signature, public_key, &length, MAGIC].concat()
}

/// How long the trailer is, by a file's last bytes (12 or more of them) and its length.
///
/// # Errors
/// [`DamagedTrailer`] if it says that it is longer than a trailer or the file can be.
pub fn ending(last: &[u8], file: u64) -> Result<Ending, DamagedTrailer> {
    let Some(before) = last.strip_suffix(MAGIC) else { return Ok(Ending::Plain) };
    let (_, length) = before.split_last_chunk::<4>().ok_or(DamagedTrailer)?;
    let payload = usize::try_from(u32::from_le_bytes(*length)).map_err(|_| DamagedTrailer)?;
    if payload > LONGEST_PAYLOAD || (payload + FOOT) as u64 > file {
        return Err(DamagedTrailer);
    }
    Ok(Ending::Trailer(payload + FOOT))
}

/// Takes a whole program apart; `None` if it has no trailer.
///
/// # Errors
/// [`DamagedTrailer`].
pub fn split(file: &[u8]) -> Result<Option<Parts<'_>>, DamagedTrailer> {
    let length = match ending(file, file.len() as u64)? {
        Ending::Plain => return Ok(None),
        Ending::Trailer(length) => length,
    };
    let (program, trailer) = file.split_at_checked(file.len() - length).ok_or(DamagedTrailer)?;
    let (payload, foot) = trailer.split_at_checked(trailer.len() - FOOT).ok_or(DamagedTrailer)?;
    let (signature, foot) = foot.split_first_chunk::<SIGNATURE>().ok_or(DamagedTrailer)?;
    let (public_key, _) = foot.split_first_chunk::<PUBLIC_KEY>().ok_or(DamagedTrailer)?;
    Ok(Some(Parts { program, payload, signature, public_key }))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_was_appended_is_found_again() {
        let payload = Payload {
            conf: ConfText::from("YWJj".to_owned()),
            hide_progress: true,
            self_delete: false,
        };
        let json = payload.to_json();
        let file = [b"\x7fELF program".to_vec(), append(&json, &[1; 64], &[2; 32])].concat();
        let parts = split(&file).unwrap().unwrap();
        assert_eq!(parts.program, b"\x7fELF program");
        assert_eq!((parts.signature, parts.public_key), (&[1; 64], &[2; 32]));
        assert_eq!(Payload::from_json(parts.payload), Ok(payload));
    }

    #[test]
    fn a_program_as_it_was_built_has_none() {
        assert!(split(b"\x7fELF program").unwrap().is_none());
        assert!(split(b"").unwrap().is_none());
    }

    #[test]
    fn lengths_that_lie_are_refused() {
        let lies = |length: u32| [&[0; 200][..], &length.to_le_bytes(), MAGIC].concat();
        for length in [200, 65_537, u32::MAX] {
            assert!(split(&lies(length)).is_err(), "{length}");
        }
        assert!(split(MAGIC).is_err());
        assert!(split(&lies(104)).unwrap().is_some_and(|parts| parts.program.is_empty()));
    }

    #[test]
    fn debug_shows_no_conf() {
        let payload = Payload::from_json(br#"{"conf":"geheim"}"#).unwrap();
        assert!(!format!("{payload:?}").contains("geheim"));
    }

    proptest! {
        #[test]
        fn no_bytes_panic(
            bytes in proptest::collection::vec(any::<u8>(), 0..300),
            length in 0..400u32,
        ) {
            let _ = split(&bytes);
            let _ = split(&[&bytes[..], &length.to_le_bytes(), MAGIC].concat());
            let _ = Payload::from_json(&bytes);
        }
    }
}
