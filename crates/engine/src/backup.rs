//! Backup and restore: everything that makes a console, in one file sealed with a passphrase.
//!
//! A backup is written while the console runs. Its databases are copied from read transactions that
//! block nobody; those of journal and archive begin at the same moment, so that the journal leads as
//! ever. A restore reads the whole file and opens every database before it touches the data folder,
//! which is then replaced by a rename. While a console uses the folder, that waits for its next start.
//!
//! Inside the seal (`container`) are entries: the length of a JSON text (4 bytes, little-endian), the
//! text, and then as many bytes as it says. The first is the `contents::Contents`; the others are files.

pub(crate) mod container;
pub(crate) mod contents;
mod error;
mod in_place;
mod passphrase;
mod progress;
mod restore;
mod store_file;
mod write;

pub use store::{Interrupt, SalvagedTable};

pub(crate) use self::store_file::is_missing;
pub use self::{
    error::BackupError,
    in_place::{aside, forget_aside, remove_unfinished, take_staged},
    passphrase::check_passphrase,
    progress::{OnProgress, Progress},
    restore::{Restore, Restored, Staged},
    store_file::StoreFile,
    write::{Backup, Written},
};
