//! The trailer that `/session_exe` appends to the presenter's program: its conf, signed
//! (docs/broker.md).
//!
//! ```text
//! program | payload (JSON) | signature (64) | public key (32) | payload's length (u32 LE) | DHPRES01
//! ```
//!
//! The signature is Ed25519 over [`signed_bytes`]: the program's SHA-256 and the payload. This
//! module knows only the layout; broker and presenter hash, sign and verify. The public key is part
//! of the trailer, so the signature reveals damage and a program combined from two others, but says
//! nothing about who made it.

use serde::{Deserialize, Serialize};

use crate::ConfText;

/// The last bytes of a program that has a trailer.
pub const MAGIC: &[u8; 8] = b"DHPRES01";
/// The most bytes in a payload that is read: many times the length of a conf.
pub const LONGEST_PAYLOAD: usize = 64 * 1024;
/// The length of an Ed25519 signature in bytes.
pub const SIGNATURE: usize = 64;
/// The length of an Ed25519 public key in bytes.
pub const PUBLIC_KEY: usize = 32;

/// The bytes after the payload.
const FOOT: usize = SIGNATURE + PUBLIC_KEY + 4 + MAGIC.len();
const DIGEST: usize = 32;

/// The content of the trailer.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Payload {
    /// The session's conf.
    pub conf: ConfText,
    /// Whether the terminal shows no progress. The question whether to share is shown all the same.
    #[serde(default)]
    pub hide_progress: bool,
    /// Whether the program deletes itself when it ends.
    #[serde(default)]
    pub self_delete: bool,
}

// Beside `Payload`, because a conf has no `Serialize`: it is written out here and nowhere else.
#[derive(Serialize)]
struct PayloadJson<'a> {
    conf: &'a str,
    hide_progress: bool,
    self_delete: bool,
}

impl Payload {
    /// The JSON for the trailer.
    pub fn to_json(&self) -> Vec<u8> {
        let Self { conf, hide_progress, self_delete } = self;
        let written = PayloadJson {
            conf: conf.expose(),
            hide_progress: *hide_progress,
            self_delete: *self_delete,
        };
        serde_json::to_vec(&written).unwrap_or_default()
    }

    /// Reads the JSON of a trailer whose signature was verified.
    ///
    /// # Errors
    /// [`DamagedTrailer`].
    pub fn from_json(json: &[u8]) -> Result<Self, DamagedTrailer> {
        serde_json::from_slice(json).map_err(|_| DamagedTrailer)
    }
}

/// The trailer is damaged. The error repeats nothing of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the configuration at the program's end is damaged")]
pub struct DamagedTrailer;

/// The parts of a program with a trailer. Nothing is verified yet.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Parts<'a> {
    /// The program without its trailer.
    pub program: &'a [u8],
    /// The JSON of a [`Payload`].
    pub payload: &'a [u8],
    /// The signature over [`signed_bytes`].
    pub signature: &'a [u8; SIGNATURE],
    /// The public key of the broker that signed.
    pub public_key: &'a [u8; PUBLIC_KEY],
}

/// What the last bytes of a program show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The program ends with a trailer of this many bytes.
    Trailer(usize),
    /// The program has no trailer.
    Plain,
}

/// The bytes to be signed: the SHA-256 of the program without its trailer, then the payload.
pub fn signed_bytes(program_sha256: &[u8; DIGEST], payload: &[u8]) -> Vec<u8> {
    [&program_sha256[..], payload].concat()
}

/// The trailer to append to the program.
pub fn append(
    payload: &[u8],
    signature: &[u8; SIGNATURE],
    public_key: &[u8; PUBLIC_KEY],
) -> Vec<u8> {
    // A payload that needs more than 32 bits gets a length that every reader refuses, instead of a
    // wrong one.
    let length = u32::try_from(payload.len()).unwrap_or(u32::MAX).to_le_bytes();
    [payload, signature, public_key, &length, MAGIC].concat()
}

/// Finds the trailer from the last bytes of a file (12 or more) and the length of the file.
///
/// # Errors
/// [`DamagedTrailer`] if the trailer claims to be longer than the file or than a trailer can be.
pub fn ending(last: &[u8], file: u64) -> Result<Ending, DamagedTrailer> {
    let Some(before) = last.strip_suffix(MAGIC) else { return Ok(Ending::Plain) };
    let (_, length) = before.split_last_chunk::<4>().ok_or(DamagedTrailer)?;
    let payload = usize::try_from(u32::from_le_bytes(*length)).map_err(|_| DamagedTrailer)?;
    // The length is only a claim of the file, so it is checked before anyone allocates or subtracts
    // by it.
    if payload > LONGEST_PAYLOAD || (payload + FOOT) as u64 > file {
        return Err(DamagedTrailer);
    }
    Ok(Ending::Trailer(payload + FOOT))
}

/// Splits a whole program into its parts; `None` if it has no trailer.
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
