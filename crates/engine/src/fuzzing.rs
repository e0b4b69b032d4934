//! This crate's readers of what strangers send or files hold, each as one call: for the fuzz targets in `tests/fuzz`, which
//! are no part of any program.

use crate::{backup, vault};

/// The vault's record.
pub fn vault_record(text: &[u8]) {
    let _ = vault::record::is_one(text);
}

/// A backup's header, and the texts in front of its files as they are once it is opened.
pub fn backup(bytes: &[u8]) {
    let _ = backup::container::read_header(&mut &bytes[..]);
    let mut opened = bytes;
    let _ = backup::contents::read_text::<backup::contents::Contents>(&mut opened);
    while let Ok(Some(_)) = backup::contents::read_text::<backup::contents::FileEntry>(&mut opened)
    {
    }
}
