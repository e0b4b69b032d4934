//! The lasting store of sessions: encrypted as a whole (SQLCipher), searchable, each message once.
//!
//! One writer and a few readers, each under a raw key that is given before anything else. No PIN
//! and no token is ever in it. An answer comes only after the commit that made it true.

mod asked_people;
mod audit;
mod deletion;
mod devices;
mod doc;
mod event_records;
mod messages;
mod notes;
mod overview;
mod own_messages;
mod people;
mod pictures;
mod region_choices;
mod search;
mod sessions;
mod tags;
mod verifications;

use std::{path::Path, sync::Arc};

use rusqlite::{Connection, Transaction};
use rusqlite_migration::M;
use session::{Verification, region::Choice, verification::Override};
pub use store::StoreError as ArchiveError;
use store::{Database, Definition, Durability, Readers, Sharing, StoreKey};

pub(crate) use self::{
    asked_people::{AskRecord, Fingerprint},
    search::REINDEX,
};
pub use self::{
    audit::{AuditAnchor, AuditEntry, AuditHash, AuditLink, AuditReport, BrokenLink},
    deletion::Deleted,
    devices::LookedUp,
    messages::{ChatPage, Message, Saved, Writer},
    notes::{Note, NoteKind},
    overview::ListedSession,
    people::Aliases,
    pictures::{MOST_PICTURES, Picture},
    search::{FoundIn, Hit, Page, Snippet},
    sessions::{Filter, Summary},
    tags::TagCount,
};
use crate::SessionId;

/// The archive's file within the data folder.
pub const ARCHIVE_FILE: &str = "archive.db";
/// The newest version of the archive's schema.
pub const ARCHIVE_VERSION: usize = STEPS.len();
/// The most rows that a page has.
pub const PAGE: u32 = 200;

/// Frozen once released: add to the end.
const STEPS: &[M<'static>] = &[
    sessions::TABLE,
    messages::TABLE,
    notes::TABLE,
    tags::TABLE,
    event_records::TABLE,
    region_choices::TABLE,
    search::WORDS,
    audit::TABLE,
    people::TABLE,
    verifications::TABLE,
    devices::TABLE,
    pictures::TABLE,
    search::GRAMS,
    deletion::TABLE,
    search::MERGED,
    messages::SIDES,
    messages::OWN,
    asked_people::TABLE,
];

/// The archive's file.
const ARCHIVE: Definition = Definition {
    opening: "open the archive",
    migrations: STEPS,
    sharing: Sharing::Shared,
    // Rows that were reported as archived survive a power cut.
    durability: Durability::PowerCut,
    // Nothing may spill into a plain temporary file.
    // What is deleted is overwritten.
    settings: "PRAGMA temp_store=MEMORY; PRAGMA cache_size=-16384; PRAGMA secure_delete=ON;",
    statements: 64,
};

/// The archive's raw key, as [`Vault::archive_key`](crate::vault::Vault::archive_key) gives it.
pub struct ArchiveKey(StoreKey);

impl ArchiveKey {
    pub fn new(bits: StoreKey) -> Self {
        Self(bits)
    }
}

/// Where a page of results ends and the next one begins. Its number has a meaning for the
/// archive only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Cursor(i64);

/// A session's contents in the archive, other than its row and its events.
#[derive(Debug, Clone, PartialEq)]
pub struct SessionContents {
    /// The newest page of its messages.
    pub chat: ChatPage,
    pub notes: Vec<Note>,
    /// Its tags in alphabetical order.
    pub tags: Vec<String>,
    /// Why it is in its region.
    pub choice: Option<Choice>,
    /// Verifications of people, oldest first.
    pub verifications: Vec<Verification>,
    /// The newest override of the verification gate.
    pub overridden: Option<Override>,
    /// Devices that were looked up for it, in this order.
    pub devices: Vec<LookedUp>,
    /// Pictures of the customer's screen, oldest first, without their bytes.
    pub pictures: Vec<Picture>,
}

impl std::fmt::Display for Cursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl std::str::FromStr for Cursor {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

/// The archive. Clones share one connection for writing and the same readers.
#[derive(Clone)]
pub struct Archive {
    // Before `readers`: the writer, dropped first, empties its log while they are idle.
    database: Database,
    readers: Readers,
}

impl Archive {
    /// Opens the archive at `path`, or makes it. Blocks.
    ///
    /// # Errors
    /// [`ArchiveError::WrongKey`], `TooNew`, `Damaged`, `Locked`, `DiskFull` or `Io`.
    pub fn open(path: &Path, key: ArchiveKey) -> Result<Self, ArchiveError> {
        let key = Arc::new(key.0);
        let (to_write, write_key) = (path.to_owned(), Arc::clone(&key));
        let database = Database::open(move || ARCHIVE.open(&to_write, Some(&write_key)))?;
        let path = path.to_owned();
        let readers = Readers::new(3, move || ARCHIVE.open_reader(&path, Some(&key)));
        Ok(Self { database, readers })
    }

    /// Makes an empty archive as an older version of this program did, for what measures the way from there. Blocks.
    ///
    /// # Errors
    /// As [`Archive::open`].
    #[doc(hidden)]
    pub fn make_older(path: &Path, key: &ArchiveKey, version: usize) -> Result<(), ArchiveError> {
        Definition { migrations: &STEPS[..version], ..ARCHIVE }.open(path, Some(&key.0)).map(drop)
    }

    /// Looks at every page for damage, which takes long where there are many.
    ///
    /// # Errors
    /// [`ArchiveError::Damaged`], or why it could not look.
    pub async fn check_integrity(&self) -> Result<(), ArchiveError> {
        self.readers.read(CHECK, |connection| store::check_integrity(connection, CHECK)).await
    }

    /// What a session's page shows at first, read in one job of a reader.
    pub async fn contents(&self, session: SessionId) -> Result<SessionContents, ArchiveError> {
        let read = move |c: &Connection| {
            Ok(SessionContents {
                chat: messages::newest(c, session)?,
                notes: notes::of_session(c, session)?,
                tags: tags::of_session(c, session)?,
                choice: region_choices::of_session(c, session)?,
                verifications: verifications::of_session(c, session)?,
                overridden: verifications::overridden(c, session)?,
                devices: devices::of_session(c, session)?,
                pictures: pictures::of_session(c, session)?,
            })
        };
        self.read(read).await
    }

    /// Closes the file, with everything in it, after the writes that wait already.
    pub async fn close(&self) {
        self.readers.close().await;
        self.database.close().await;
    }

    /// Resolves when everything queued before it is written.
    #[cfg(test)]
    pub(crate) async fn flush(&self) -> Result<(), ArchiveError> {
        self.write("finish writing the archive", |_| Ok(())).await
    }

    /// Whether it holds no session and no entry of the audit log, as after it was made.
    ///
    /// # Errors
    /// It can't be read.
    pub async fn is_blank(&self) -> Result<bool, ArchiveError> {
        const BLANK: &str =
            "SELECT NOT EXISTS(SELECT 1 FROM sessions) AND NOT EXISTS(SELECT 1 FROM audit)";
        self.read(|c| c.query_row(BLANK, [], |row| row.get(0)).map_err(store::fault(READ))).await
    }

    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, ArchiveError> + Send + 'static,
    ) -> Result<T, ArchiveError> {
        self.readers.read(READ, work).await
    }

    /// Runs `work` in one transaction; writes queue in the order in which they were asked for.
    async fn write<T: Send + 'static>(
        &self,
        doing: &'static str,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, ArchiveError> + Send + 'static,
    ) -> Result<T, ArchiveError> {
        self.database.transact(doing, work).await
    }
}

const READ: &str = "read the archive";
const CHECK: &str = "check the archive for damage";

/// The error for a column whose value can't be read.
fn damaged(why: impl ToString) -> ArchiveError {
    ArchiveError::Damaged { doing: READ, why: why.to_string() }
}

/// An archive in memory, for a table's own tests.
#[cfg(test)]
fn in_memory() -> Connection {
    ARCHIVE.in_memory().unwrap()
}
