//! The durable inbox: every acknowledged event is on the disk, once by its sequence.
//!
//! Plain SQLite whose rows are sealed, `synchronous=FULL`, one writer that commits in groups. An
//! [`Answer`] comes only after the commit that made it true. Rows say which row they are, so that
//! one moved, altered or put back under another number is noticed. No row is ever read unsealed.

mod broker_copies;
mod console_key;
mod faults;
mod last_numbers;
mod ledger;
mod pairings;
mod read;
pub(crate) mod sealed_rows;
mod secrets;
mod seen;
mod service_secrets;
mod table;

use std::{collections::BTreeSet, path::Path, sync::Arc};

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use session::{Delivery, Event, Record, Timestamp};
pub use store::{PendingWrite as Answer, StoreError as JournalError};
use store::{Readers, Transactional as _, Writer};
use wire::{HookType, Pin};

pub(crate) use self::broker_copies::BrokerCopy;
use self::last_numbers::LastNumbers;
pub use self::{
    faults::{Fault, Faults},
    secrets::SessionSecrets,
    seen::Seen,
    service_secrets::{KeptSecret, ServiceSecret},
};
use crate::{SessionId, vault::SealKey};

/// The journal's file within the data folder.
pub const JOURNAL_FILE: &str = "journal.db";

/// The newest version of the journal's schema.
pub const JOURNAL_VERSION: usize = table::JOURNAL.migrations.len();

/// The journal. Clones share one writer; dropping the last one waits until all that is queued
/// is written.
#[derive(Clone)]
pub struct Journal {
    // Before `readers`: fields are dropped in order, and the writer must finish first.
    writer: Arc<Writer<ledger::Ledger>>,
    readers: Readers,
    key: Arc<SealKey>,
    /// The numbers of the events that were to be read and could not be.
    unreadable: Arc<Mutex<BTreeSet<u64>>>,
}

/// How to open a journal, for tests; the default is for everybody else.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Makes writes fail on demand.
    pub faults: Faults,
    /// The database's largest size in pages of 4 KiB: a disk that is full sooner.
    pub max_pages: Option<u32>,
}

/// The results of one turn of a session's actor, written in one transaction.
#[derive(Debug, Clone)]
pub struct SessionTurn {
    pub session: SessionId,
    /// Its record after the turn.
    pub record: Arc<Record>,
    /// Its secrets, only when they changed.
    pub secrets: Option<SessionSecrets>,
    /// The newest event that the record takes into account.
    pub applied_seq: u64,
    /// The turn's events, in order.
    pub events: Vec<(Event, Timestamp)>,
}

/// A committed hook event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Committed {
    /// Its place in the order of all events.
    pub seq: u64,
    /// The hook that fired.
    pub hook: HookType,
    /// When it arrived.
    pub at: Timestamp,
    /// What its POST said of itself.
    pub delivery: Delivery,
}

/// One thing that happened, as subscribers see it: never skipped, in the order of `seq`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventRecord {
    /// Its place in the order of all events.
    pub seq: u64,
    pub session: SessionId,
    pub at: Timestamp,
    #[serde(flatten)]
    pub event: Event,
}

/// An input that killed its actor, and how often.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Killer {
    /// The event's sequence; 0 if no event was being applied (the restoring itself failed).
    pub seq: u64,
    /// How often it killed its actor.
    pub kills: u32,
    /// The actor's error.
    pub why: String,
}

/// How many kills set an input aside.
pub const KILLS_TO_SET_ASIDE: u32 = 2;

/// A session as the journal has it.
#[derive(Debug, Clone)]
pub struct Stored {
    pub session: SessionId,
    pub record: Record,
    /// Its secrets; none once they were erased or before there were any.
    pub secrets: Option<SessionSecrets>,
    /// The newest event that the record takes into account.
    pub applied_seq: u64,
    /// Newer events, in order, without those set aside.
    pub replay: Vec<Committed>,
    /// Inputs that killed its actor; those with [`KILLS_TO_SET_ASIDE`] kills are set aside.
    pub killers: Vec<Killer>,
}

/// Everything that the journal has of sessions.
#[derive(Debug, Clone, Default)]
pub struct Loaded {
    /// The sessions that can be read.
    pub sessions: Vec<Stored>,
    /// The sessions that can't be read, and why: to be shown, not dropped.
    pub damaged: Vec<(SessionId, JournalError)>,
}

impl Journal {
    /// Opens the journal at `path`, or makes it. Blocks.
    ///
    /// # Errors
    /// [`JournalError::WrongKey`], `TooNew`, `Damaged`, `Locked`, `DiskFull` or `Io`.
    pub fn open(path: &Path, key: SealKey, options: Options) -> Result<Self, JournalError> {
        let key = Arc::new(key);
        let connection = table::open(path, &key, options.max_pages)?;
        let ledger = ledger::Ledger::new(connection, Arc::clone(&key), options.faults)?;
        let writer = Arc::new(Writer::start("journal", ledger)?);
        let path = path.to_owned();
        let readers = Readers::new(4, move || table::JOURNAL.open_reader(&path, None));
        Ok(Self { writer, readers, key, unreadable: Arc::default() })
    }

    /// Looks at every page for damage, which takes long where there are many.
    ///
    /// # Errors
    /// [`JournalError::Damaged`], or why it could not look.
    pub async fn check_integrity(&self) -> Result<(), JournalError> {
        self.readers.read(CHECK, |connection| store::check_integrity(connection, CHECK)).await
    }

    /// Writes what is queued, and closes the file with everything in it.
    pub async fn close(&self) {
        self.readers.close().await;
        let writer = Arc::clone(&self.writer);
        // It waits for the writer's thread.
        let _ = tokio::task::spawn_blocking(move || writer.finish()).await;
    }

    /// Whether it never had a session, as after it was made.
    ///
    /// # Errors
    /// It can't be read.
    pub async fn is_blank(&self) -> Result<bool, JournalError> {
        self.readers.read(read::LOAD, read::is_blank).await
    }

    /// Commits a hook event; answers its sequence. It is queued at once, whether awaited or not.
    ///
    /// # Errors
    /// A [`JournalError`]; the event is not on the disk then, and may be appended again.
    pub fn append(&self, session: SessionId, hook: HookType, at: Timestamp) -> Answer<u64> {
        self.append_reported(session, hook, Delivery::default(), at)
    }

    /// As [`Self::append`], of a delivery that says something of itself.
    ///
    /// # Errors
    /// As [`Self::append`].
    pub fn append_reported(
        &self,
        session: SessionId,
        hook: HookType,
        delivery: Delivery,
        at: Timestamp,
    ) -> Answer<u64> {
        self.writer.write("save an event", move |ledger| ledger.append(session, hook, delivery, at))
    }

    /// Commits a turn: the record with its `applied_seq`, and its events; answers the events'
    /// sequences. It is queued at once, whether awaited or not.
    ///
    /// # Errors
    /// A [`JournalError`]; nothing of the turn is on the disk then.
    pub fn save_turn(&self, turn: SessionTurn) -> Answer<Vec<u64>> {
        self.writer.write("save a session", move |ledger| ledger.save_turn(&turn))
    }

    /// Erases a session's secrets, for good: its PIN's life is over.
    pub fn erase_secrets(&self, session: SessionId) -> Answer<()> {
        self.writer.write("erase a session's secrets", move |ledger| ledger.erase_secrets(session))
    }

    /// Forgets a session: record, secrets, events, bookkeeping. Its events stay until pruned.
    pub fn forget(&self, session: SessionId) -> Answer<()> {
        self.writer.write("forget a session", move |ledger| ledger.forget(session))
    }

    /// Erases a session with all its events, for good and from the file. Their numbers are not
    /// given out again.
    pub fn erase(&self, session: SessionId) -> Answer<()> {
        self.writer.write("erase a session from the journal", move |ledger| ledger.erase(session))
    }

    /// Counts one more actor killed by the input `seq`; answers how many it has killed now.
    pub fn killed(&self, session: SessionId, seq: u64, why: &str) -> Answer<u32> {
        let why: String = why.chars().take(500).collect();
        self.writer.write("set an input aside", move |ledger| ledger.killed(session, seq, &why))
    }

    /// Stores a small fact under `key`, sealed; none removes it.
    pub fn mark(&self, key: &str, value: Option<&[u8]>) -> Answer<()> {
        let (key, value) = (key.to_owned(), value.map(<[u8]>::to_vec));
        self.writer.write("save what the console remembers", move |ledger| {
            ledger.mark(&key, value.as_deref())
        })
    }

    /// Removes applied events that arrived before `older_than`, and events up to
    /// `events_up_to`; a bounded number at a time. Answers how many went: repeat until 0.
    pub fn prune(&self, older_than: Timestamp, events_up_to: u64) -> Answer<usize> {
        self.writer.write("tidy the journal", move |ledger| {
            Ok(ledger.prune_webhooks(older_than)? + ledger.prune_events(events_up_to)?)
        })
    }

    /// Resolves when everything queued before it is written.
    pub fn flush(&self) -> Answer<()> {
        self.writer.write("finish writing the journal", |_| Ok(()))
    }

    /// Tries whether the disk takes a write.
    pub fn probe(&self) -> Answer<()> {
        const TRY: &str = "try the journal";
        self.writer.write(TRY, |ledger| store::probe_write(ledger.connection(), TRY))
    }

    /// All sessions, with the events that their records don't take into account yet.
    ///
    /// # Errors
    /// A [`JournalError`]; a single damaged session is no error but is named in the answer.
    pub async fn load(&self) -> Result<Loaded, JournalError> {
        let key = Arc::clone(&self.key);
        self.readers.read(read::LOAD, move |connection| read::load(connection, &key)).await
    }

    /// Up to `limit` events after `seq`, in order. One that can't be read is left out, and is no reason to get fewer.
    pub async fn events_after(
        &self,
        seq: u64,
        limit: u32,
    ) -> Result<Vec<EventRecord>, JournalError> {
        let key = Arc::clone(&self.key);
        let work = move |c: &rusqlite::Connection| read::events_after(c, &key, seq, limit);
        Ok(self.readable(self.readers.read(read::EVENTS, work).await?))
    }

    /// All events of `session`, in order.
    pub async fn events_of(&self, session: SessionId) -> Result<Vec<EventRecord>, JournalError> {
        let key = Arc::clone(&self.key);
        let work = move |c: &rusqlite::Connection| read::events_of(c, &key, session);
        Ok(self.readable(self.readers.read(read::EVENTS, work).await?))
    }

    fn readable(&self, events: read::Events) -> Vec<EventRecord> {
        for (seq, error) in events.unreadable {
            if self.unreadable.lock().insert(seq) {
                tracing::error!(seq, %error, "an event can't be read");
            }
        }
        events.readable
    }

    /// How many events were to be read so far and could not be.
    pub fn unreadable_events(&self) -> usize {
        self.unreadable.lock().len()
    }

    /// Gives out only numbers after `seq` to events: somebody knows the earlier ones for others.
    pub fn skip_events(&self, seq: u64) -> Answer<()> {
        self.writer.write("skip the numbers of events", move |ledger| ledger.skip_events(seq))
    }

    /// The newest event's sequence, be it erased since; 0 before the first.
    pub async fn last_event(&self) -> Result<u64, JournalError> {
        let key = Arc::clone(&self.key);
        let work = move |c: &rusqlite::Connection| LastNumbers::given_out(c, &key);
        self.readers.read(read::EVENTS, work).await.map(|last| last.event)
    }

    /// Whether `pin` was ever a session's of this journal, be it forgotten and its secrets erased.
    pub async fn minted(&self, pin: &Pin) -> Result<bool, JournalError> {
        let digest = self.key.digest(pin.expose().as_bytes());
        self.readers.read(read::MINTED, move |connection| read::minted(connection, &digest)).await
    }

    /// The fact stored under `key`.
    pub async fn marked(&self, key: &str) -> Result<Option<Vec<u8>>, JournalError> {
        let (seal, key) = (Arc::clone(&self.key), key.to_owned());
        let value = self.readers.read(read::MARKS, move |c| read::mark(c, &seal, &key)).await?;
        Ok(value.map(|value| value.to_vec()))
    }

    /// As [`Self::marked`]; one that can't be read counts as none. Not for what guards anything.
    pub async fn marked_readably(&self, key: &str) -> Result<Option<Vec<u8>>, JournalError> {
        match self.marked(key).await {
            Err(error @ JournalError::Damaged { .. }) => {
                tracing::error!(key, %error, "what the console remembers can't be read");
                Ok(None)
            }
            value => value,
        }
    }

    /// Stores that the engine was alive at `at`: later events may have been missed.
    pub fn mark_alive(&self, at: Timestamp) -> Answer<()> {
        self.mark(ALIVE_AT, Some(&at.0.to_le_bytes()))
    }

    /// When the engine was last known to be alive.
    pub async fn alive_at(&self) -> Result<Option<Timestamp>, JournalError> {
        let value = self.marked(ALIVE_AT).await?;
        Ok(value.and_then(|v| v.try_into().ok()).map(|v| Timestamp(i64::from_le_bytes(v))))
    }

    /// Stores whether the engine ended in order: false while it runs.
    pub fn mark_clean_end(&self, clean: bool) -> Answer<()> {
        self.mark(CLEAN_END, Some(&[u8::from(clean)]))
    }

    /// Whether the engine ended in order the last time; none if it never ran.
    pub async fn ended_cleanly(&self) -> Result<Option<bool>, JournalError> {
        Ok(self.marked(CLEAN_END).await?.map(|value| value == [1]))
    }

    /// Stores what `subscriber` has dealt with. Calls take effect in their order.
    pub fn mark_seen(&self, subscriber: &str, seen: &Seen) -> Answer<()> {
        self.mark(&format!("{SEEN}{subscriber}"), Some(&seen.to_bytes()))
    }

    /// What `subscriber` has dealt with; none if it never said.
    ///
    /// # Errors
    /// [`JournalError::Damaged`] where it said so and that can't be read; why else the journal doesn't answer.
    pub async fn seen(&self, subscriber: &str) -> Result<Option<Seen>, JournalError> {
        let value = self.marked(&format!("{SEEN}{subscriber}")).await?;
        let unknown = || read::damaged(read::MARKS, "a row of an unknown form");
        value.map(|bytes| Seen::from_bytes(&bytes).ok_or_else(unknown)).transpose()
    }
}

const CHECK: &str = "check the journal for damage";
const ALIVE_AT: &str = "engine/alive-at";
const CLEAN_END: &str = "engine/clean-end";
const SEEN: &str = "seen/";
