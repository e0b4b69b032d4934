//! The entries inside a backup's seal.

use std::io::{self, Read, Write};

use secrecy::zeroize::Zeroizing;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use session::Timestamp;

use super::container::Refused;
use crate::vault::ExportedKey;

/// The longest JSON text of an entry.
const LONGEST_TEXT: u32 = 65_536;

/// The first entry of a backup.
#[derive(Serialize, Deserialize)]
pub(crate) struct Contents {
    pub made_at: Timestamp,
    /// The version of the program that wrote it.
    pub program: String,
    pub key: ExportedKey,
}

/// The other entries.
#[derive(Serialize, Deserialize)]
pub(crate) struct FileEntry {
    pub path: String,
    pub length: u64,
}

/// Writes an entry's text.
pub(super) fn write_text(to: &mut impl Write, entry: &impl Serialize) -> io::Result<()> {
    let text = Zeroizing::new(serde_json::to_vec(entry)?);
    let length = u32::try_from(text.len()).map_err(io::Error::other)?;
    to.write_all(&length.to_le_bytes())?;
    to.write_all(&text)
}

/// The next entry; none at the end.
pub(crate) fn read_text<T: DeserializeOwned>(from: &mut impl Read) -> io::Result<Option<T>> {
    let mut length = [0; 4];
    // One byte first: an end here is the end of the backup, anywhere else something is missing.
    if from.read(&mut length[..1])? == 0 {
        return Ok(None);
    }
    from.read_exact(&mut length[1..])?;
    let length = u32::from_le_bytes(length);
    if length > LONGEST_TEXT {
        return Err(Refused::Damaged.into());
    }
    let mut text = Zeroizing::new(vec![0; length as usize]);
    from.read_exact(&mut text)?;
    serde_json::from_slice(&text).map(Some).map_err(|_| Refused::Damaged.into())
}
