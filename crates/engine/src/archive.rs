//! What stays of sessions: encrypted as a whole (SQLCipher), searchable, each message once.
//!
//! One writer and a few readers, each under a raw key that is given before anything else. No PIN and
//! no token is ever in it. An answer comes only after the commit that made it true.

mod audit;
mod devices;
mod doc;
mod happenings;
mod messages;
mod notes;
mod people;
mod pictures;
mod regions;
mod search;
mod sessions;
mod tags;
mod verifications;

use std::{path::Path, sync::Arc, time::Duration};

use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};
use rusqlite_migration::M;
use secrecy::{ExposeSecret as _, SecretBox, zeroize::Zeroizing};
use session::{Timestamp, Verification, region::Choice, verification::Override};
use tokio::sync::Mutex;
use uuid::Uuid;
use wire::loginwithme::ChatMessage;

pub use self::{
    audit::{AuditEntry, AuditHash, AuditReport, Broken, Deed},
    devices::LookedUp,
    messages::{Message, Saved},
    notes::{Note, NoteKind},
    people::Aliases,
    pictures::{MOST_PICTURES, Picture},
    search::{Hit, Page, Place, Snippet},
    sessions::{Filter, Summary},
    tags::TagCount,
};
/// Why the archive failed, by what helps.
pub use crate::sqlite::StoreError as ArchiveError;
use crate::{
    SessionId,
    access::Person,
    journal::Happening,
    sqlite::{Readers, fault, io_fault, migrate, private_file},
};

/// The archive's file within the data folder.
pub const ARCHIVE_FILE: &str = "archive.db";
/// The most rows that a page has.
pub const PAGE: u32 = 200;

/// Frozen once released: add to the end.
const STEPS: &[M<'static>] = &[
    sessions::TABLE,
    messages::TABLE,
    notes::TABLE,
    tags::TABLE,
    happenings::TABLE,
    regions::TABLE,
    search::TABLE,
    audit::TABLE,
    people::TABLE,
    verifications::TABLE,
    devices::TABLE,
    pictures::TABLE,
];

/// The archive's raw key, as [`Vault::archive_key`](crate::vault::Vault::archive_key) gives it.
pub struct ArchiveKey(SecretBox<[u8; 32]>);

impl ArchiveKey {
    /// The key with these bits.
    pub fn new(bits: SecretBox<[u8; 32]>) -> Self {
        Self(bits)
    }
}

/// Where a page ends; the next one begins below it. Only the archive that gave it understands it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Cursor(i64);

/// What the archive has beside a session's row and what happened in it.
#[derive(Debug, Clone, PartialEq)]
pub struct Kept {
    /// Its messages in the order of their sending.
    pub messages: Vec<Message>,
    /// Its notes.
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

/// The archive; clones speak to the same one.
#[derive(Clone)]
pub struct Archive {
    writer: Arc<Mutex<Connection>>,
    readers: Arc<Readers>,
}

impl Archive {
    /// Opens the archive at `path`, or makes it. Blocks.
    ///
    /// # Errors
    /// [`ArchiveError::WrongKey`], `TooNew`, `Damaged`, `Locked`, `DiskFull` or `Io`.
    pub fn open(path: &Path, key: ArchiveKey) -> Result<Self, ArchiveError> {
        private_file(path).map_err(io_fault(OPEN))?;
        let mut connection = connect(path, &key, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        // FULL: what is told as archived survives a power cut.
        let settings = "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;";
        connection.execute_batch(settings).map_err(fault(OPEN))?;
        migrate(&mut connection, STEPS, OPEN)?;
        let path = path.to_owned();
        let readers =
            Readers::new(3, move || connect(&path, &key, OpenFlags::SQLITE_OPEN_READ_ONLY));
        Ok(Self { writer: Arc::new(Mutex::new(connection)), readers })
    }

    /// Brings a session's row up to date, or makes it.
    ///
    /// # Errors
    /// By remedy.
    pub async fn save_summary(&self, summary: Summary) -> Result<(), ArchiveError> {
        self.write(SAVE, move |tx| sessions::save(tx, &summary)).await
    }

    /// Archives messages, each once by its guid, all in one transaction.
    ///
    /// # Errors
    /// By remedy; none of them is archived then.
    pub async fn save_messages(
        &self,
        session: SessionId,
        messages: Vec<ChatMessage>,
    ) -> Result<Saved, ArchiveError> {
        self.write("archive the transcript", move |tx| messages::save(tx, session, messages)).await
    }

    /// Sets a session's note of a kind; an empty text removes it. Earlier texts are kept.
    ///
    /// # Errors
    /// By remedy.
    pub async fn set_note(
        &self,
        session: SessionId,
        kind: NoteKind,
        text: String,
        by: String,
        at: Timestamp,
    ) -> Result<(), ArchiveError> {
        let note = Note { kind, text, by, at };
        self.write("save the note", move |tx| notes::set(tx, session, &note)).await
    }

    /// Sets all of a session's tags.
    ///
    /// # Errors
    /// By remedy.
    pub async fn set_tags(
        &self,
        session: SessionId,
        tags: Vec<String>,
    ) -> Result<(), ArchiveError> {
        self.write("save the tags", move |tx| tags::set(tx, session, &tags)).await
    }

    /// Copies happenings from the journal, each once by its sequence.
    ///
    /// # Errors
    /// By remedy.
    pub async fn save_happenings(&self, happenings: Vec<Happening>) -> Result<(), ArchiveError> {
        self.write("archive what happened", move |tx| happenings::save(tx, &happenings)).await
    }

    /// Keeps why a session is in its region.
    ///
    /// # Errors
    /// By remedy.
    pub async fn save_region(
        &self,
        session: SessionId,
        choice: Choice,
    ) -> Result<(), ArchiveError> {
        self.write("save the choice of region", move |tx| regions::save(tx, session, &choice)).await
    }

    /// Keeps a new profile, made at `at`.
    ///
    /// # Errors
    /// By remedy.
    pub async fn add_person(&self, person: Person, at: Timestamp) -> Result<(), ArchiveError> {
        self.write("save the profile", move |tx| people::add(tx, &person, at)).await
    }

    /// Forgets all profiles; records keep the names.
    ///
    /// # Errors
    /// By remedy.
    pub async fn forget_people(&self) -> Result<(), ArchiveError> {
        self.write("forget the profiles", |tx| people::forget(tx)).await
    }

    /// Who has a profile here, in the order in which they came.
    ///
    /// # Errors
    /// By remedy.
    pub async fn people(&self) -> Result<Vec<Person>, ArchiveError> {
        self.read(people::all).await
    }

    /// Keeps what was set of a person's aliases.
    ///
    /// # Errors
    /// By remedy.
    pub async fn set_aliases(&self, id: Uuid, aliases: Aliases) -> Result<(), ArchiveError> {
        self.write("save the aliases", move |tx| people::set_aliases(tx, id, &aliases)).await
    }

    /// What was set of a person's aliases from here.
    ///
    /// # Errors
    /// By remedy.
    pub async fn aliases(&self, id: Uuid) -> Result<Aliases, ArchiveError> {
        self.read(move |c| people::aliases(c, id)).await
    }

    /// Notes that a sign-in was taken, by its token's id; false if it was taken before.
    ///
    /// # Errors
    /// By remedy; it must not be taken then.
    pub async fn take_sign_in(&self, token: String, at: Timestamp) -> Result<bool, ArchiveError> {
        self.write("note the sign-in", move |tx| people::take_sign_in(tx, &token, at)).await
    }

    /// Pins a device to a session; what was known of the same login session there is replaced.
    ///
    /// # Errors
    /// By remedy.
    pub async fn pin_device(
        &self,
        session: SessionId,
        device: LookedUp,
    ) -> Result<(), ArchiveError> {
        self.write("save the device", move |tx| devices::pin(tx, session, &device)).await
    }

    /// Saves a picture of the customer's screen; false if the session has [`MOST_PICTURES`] already.
    ///
    /// # Errors
    /// By remedy.
    pub async fn save_picture(
        &self,
        session: SessionId,
        png: Vec<u8>,
        by: String,
        at: Timestamp,
    ) -> Result<bool, ArchiveError> {
        let save = move |tx: &Transaction<'_>| pictures::save(tx, session, &png, &by, at);
        self.write("save the picture", save).await
    }

    /// A picture's bytes (PNG); none if the session has none of that number.
    ///
    /// # Errors
    /// By remedy.
    pub async fn picture(
        &self,
        session: SessionId,
        id: i64,
    ) -> Result<Option<Vec<u8>>, ArchiveError> {
        self.read(move |c| pictures::bytes(c, session, id)).await
    }

    /// Notes, wherever it is pinned, that a login session was logged out from here.
    ///
    /// # Errors
    /// By remedy.
    pub async fn device_logged_out(
        &self,
        login_session: &str,
        at: Timestamp,
    ) -> Result<(), ArchiveError> {
        let login_session = login_session.to_owned();
        self.write("save the device", move |tx| devices::logged_out(tx, &login_session, at)).await
    }

    /// A session's row.
    ///
    /// # Errors
    /// By remedy.
    pub async fn summary(&self, session: SessionId) -> Result<Option<Summary>, ArchiveError> {
        self.read(move |c| sessions::one(c, session)).await
    }

    /// Sessions that fit `filter`, newest first, below `before`; at most [`PAGE`].
    ///
    /// # Errors
    /// By remedy.
    pub async fn list(
        &self,
        filter: Filter,
        before: Option<Cursor>,
        limit: u32,
    ) -> Result<Page<Summary>, ArchiveError> {
        self.read(move |c| sessions::list(c, &filter, before, limit.min(PAGE))).await
    }

    /// What has all words of `typed` or begins with them, in sessions, tickets, notes and messages:
    /// newest first, below `before`; at most [`PAGE`]. Any text will do; without a word in it, all
    /// sessions are found.
    ///
    /// # Errors
    /// By remedy.
    pub async fn search(
        &self,
        typed: &str,
        before: Option<Cursor>,
        limit: u32,
    ) -> Result<Page<Hit>, ArchiveError> {
        let typed = typed.to_owned();
        self.readers
            .read("search the archive", move |c| search::find(c, &typed, before, limit.min(PAGE)))
            .await
    }

    /// A session's messages in the order of their sending.
    ///
    /// # Errors
    /// By remedy.
    pub async fn transcript(&self, session: SessionId) -> Result<Vec<Message>, ArchiveError> {
        self.read(move |c| messages::of(c, session)).await
    }

    /// A session's notes.
    ///
    /// # Errors
    /// By remedy.
    pub async fn notes(&self, session: SessionId) -> Result<Vec<Note>, ArchiveError> {
        self.read(move |c| notes::of(c, session)).await
    }

    /// What a session's notes were before, oldest first.
    ///
    /// # Errors
    /// By remedy.
    pub async fn earlier_notes(&self, session: SessionId) -> Result<Vec<Note>, ArchiveError> {
        self.read(move |c| notes::earlier(c, session)).await
    }

    /// A session's tags in alphabetical order.
    ///
    /// # Errors
    /// By remedy.
    pub async fn tags(&self, session: SessionId) -> Result<Vec<String>, ArchiveError> {
        self.read(move |c| tags::of(c, session)).await
    }

    /// All tags and how many sessions have them, the most used first.
    ///
    /// # Errors
    /// By remedy.
    pub async fn all_tags(&self) -> Result<Vec<TagCount>, ArchiveError> {
        self.read(tags::all).await
    }

    /// What happened in a session, in order.
    ///
    /// # Errors
    /// By remedy.
    pub async fn happenings_of(&self, session: SessionId) -> Result<Vec<Happening>, ArchiveError> {
        self.read(move |c| happenings::of(c, session)).await
    }

    /// The newest happening that was copied; 0 before the first.
    ///
    /// # Errors
    /// By remedy.
    pub async fn last_happening(&self) -> Result<u64, ArchiveError> {
        self.read(happenings::last).await
    }

    /// Why a session is in its region.
    ///
    /// # Errors
    /// By remedy.
    pub async fn region(&self, session: SessionId) -> Result<Option<Choice>, ArchiveError> {
        self.read(move |c| regions::of(c, session)).await
    }

    /// All of a session that its page shows, by one way to a reader and back.
    ///
    /// # Errors
    /// By remedy.
    pub async fn kept(&self, session: SessionId) -> Result<Kept, ArchiveError> {
        let of = move |c: &Connection| {
            Ok(Kept {
                messages: messages::of(c, session)?,
                notes: notes::of(c, session)?,
                tags: tags::of(c, session)?,
                choice: regions::of(c, session)?,
                verifications: verifications::of(c, session)?,
                overridden: verifications::overridden(c, session)?,
                devices: devices::of(c, session)?,
                pictures: pictures::of(c, session)?,
            })
        };
        self.read(of).await
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
        let mut connection = Arc::clone(&self.writer).lock_owned().await;
        let task = tokio::task::spawn_blocking(move || {
            let tx = connection
                .transaction_with_behavior(TransactionBehavior::Immediate)
                .map_err(fault(doing))?;
            let result = work(&tx)?;
            tx.commit().map_err(fault(doing))?;
            Ok(result)
        });
        task.await.unwrap_or(Err(ArchiveError::Closed { doing }))
    }
}

const OPEN: &str = "open the archive";
const READ: &str = "read the archive";
const SAVE: &str = "save a session to the archive";

/// Opens a connection and gives it the key before anything else.
fn connect(path: &Path, key: &ArchiveKey, access: OpenFlags) -> Result<Connection, ArchiveError> {
    let flags = access | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(fault(OPEN))?;
    connection
        .execute_batch(&key_pragma(key))
        .map_err(|_| ArchiveError::WrongKey { doing: OPEN })?;
    connection
        .query_row("SELECT count(*) FROM sqlite_master", [], |_| Ok(()))
        .map_err(wrong_key_or_fault)?;
    connection.busy_timeout(Duration::from_secs(5)).map_err(fault(OPEN))?;
    connection.set_prepared_statement_cache_capacity(64);
    // Nothing may spill into a plain temporary file.
    let settings = "PRAGMA temp_store=MEMORY; PRAGMA cache_size=-16384;";
    connection.execute_batch(settings).map_err(fault(OPEN))?;
    Ok(connection)
}

fn key_pragma(key: &ArchiveKey) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(100));
    text.push_str("PRAGMA key = \"x'");
    for byte in key.0.expose_secret() {
        for digit in [byte >> 4, byte & 15] {
            text.push(char::from_digit(u32::from(digit), 16).unwrap_or('0'));
        }
    }
    text.push_str("'\";");
    text
}

fn wrong_key_or_fault(error: rusqlite::Error) -> ArchiveError {
    match error.sqlite_error_code() {
        // Pages that don't authenticate look like no database at all.
        Some(rusqlite::ErrorCode::NotADatabase) => ArchiveError::WrongKey { doing: OPEN },
        Some(_) | None => fault(OPEN)(error),
    }
}

/// What a table's column holds can't be read.
fn damaged(why: impl ToString) -> ArchiveError {
    ArchiveError::Damaged { doing: READ, why: why.to_string() }
}

/// An archive in memory, for a table's own tests.
#[cfg(test)]
fn in_memory() -> Connection {
    let mut connection = Connection::open_in_memory().unwrap();
    migrate(&mut connection, STEPS, OPEN).unwrap();
    connection
}
