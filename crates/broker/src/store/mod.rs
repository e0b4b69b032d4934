//! The broker's store, which outlives a restart: one SQLite file, written by one thread.
//!
//! Nothing on the async side ever waits on SQLite itself: changes are sent to the writer, which
//! commits all that are waiting in one transaction and then resolves their futures. With a key the file is
//! SQLCipher's, and no byte of it can be read without the key.

mod chat;
mod outbox;
mod revisions;
mod sessions;
mod signing;
mod strikes;
mod tickets;

use std::path::Path;

use rusqlite::Connection;
use rusqlite_migration::M;
use serve::Millis;
pub use store::StoreKey;
use store::{Definition, Durability, PendingWrite, Sharing, WriteConnection, Writer, fault};

use crate::hub::records::{StoredState, Write};

pub(crate) use signing::SigningKey;

/// The store's file within the data folder.
pub const STORE_FILE: &str = "broker.db";
/// The newest version of its schema.
pub const STORE_VERSION: usize = STEPS.len();

/// What the store held when it was opened.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub state: StoredState,
    pub signing_key: Option<SigningKey>,
}

/// The store can't be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another broker has it open.
    #[error(
        "open the broker's store: another broker uses the same data folder; end it first, or choose another folder"
    )]
    InUse,
    /// What any database can suffer.
    #[error("{}", .0.with_remedy())]
    Database(#[source] store::StoreError),
}

impl From<store::StoreError> for StoreError {
    fn from(error: store::StoreError) -> Self {
        match error {
            store::StoreError::Locked { .. } => Self::InUse,
            other => Self::Database(other),
        }
    }
}

/// The way to the thread that writes. Dropped, it waits until all is on disk and the file is closed.
#[derive(Debug)]
pub(crate) struct Store(Writer<WriteConnection>);

impl Store {
    /// Opens (or makes) the store in `folder`, reads all of it, and starts the writer. Blocks.
    pub fn open(
        folder: &Path,
        key: Option<&StoreKey>,
        now: Millis,
    ) -> Result<(Self, Loaded), StoreError> {
        store::private_folder(folder)?;
        let connection = BROKER.open(&folder.join(STORE_FILE), key)?;
        let loaded = load(&connection, now).map_err(fault("read the broker's store"))?;
        Ok((Self(Writer::start("broker-store", connection)?), loaded))
    }

    /// Hands changes to the writer, in the order of the calls.
    pub fn submit(&self, writes: Vec<Write>) -> PendingWrite<()> {
        // Most calls of a page change nothing that is stored; none of them waits for the disk.
        if writes.is_empty() {
            return PendingWrite::ready(SAVE, ());
        }
        let saved = move |connection: &mut WriteConnection| {
            let saved = writes.iter().try_for_each(|write| apply(connection, write));
            saved.map_err(fault(SAVE)).inspect_err(|error| tracing::error!(%error, "not saved"))
        };
        self.0.write(SAVE, saved)
    }

    /// Tries whether the disk takes a write.
    pub fn probe(&self) -> PendingWrite<()> {
        const TRY: &str = "try the broker's store";
        let write = |connection: &mut WriteConnection| store::probe_write(connection, TRY);
        self.0.write(TRY, write)
    }

    /// Takes no more changes, and waits until those that wait are on disk and the file is closed. Blocks.
    pub fn finish(&self) {
        self.0.finish();
    }
}

const SAVE: &str = "save to the broker's store";

/// The broker's file.
const BROKER: Definition = Definition {
    opening: "open the broker's store",
    migrations: STEPS,
    // A second broker on the same folder would deliver every hook twice.
    sharing: Sharing::Exclusive,
    // After a power cut the last commits may be missing, which consoles repair by putting their hooks again.
    durability: Durability::ProcessEnd,
    settings: "PRAGMA foreign_keys=ON; PRAGMA secure_delete=ON;",
    statements: 16,
};

/// Frozen once released: add to the end.
const STEPS: &[M<'static>] = &[
    M::up(sessions::TABLES),
    M::up(chat::TABLE),
    M::up(strikes::TABLES),
    M::up(outbox::TABLE),
    M::up(sessions::ASKER),
    M::up(tickets::TABLE),
    M::up(signing::TABLE),
    M::up(sessions::FACTS),
    M::up(chat::NUMBERS),
    M::up(revisions::TABLE),
    M::up(outbox::PIN),
    M::up(chat::BY_CONSOLE),
];

fn load(connection: &Connection, now: Millis) -> rusqlite::Result<Loaded> {
    strikes::widen(connection)?;
    let state = StoredState {
        sessions: sessions::load(connection, now)?,
        messages: chat::load(connection, now)?,
        last_messages: chat::load_last_numbers(connection)?,
        first_revision: revisions::reserve(connection)?,
        reports: strikes::load_reports(connection)?,
        blocked: strikes::load_blocked(connection)?,
        outbox: outbox::load(connection)?,
        tickets: tickets::load(connection)?,
    };
    Ok(Loaded { state, signing_key: signing::load_or_make(connection)? })
}

fn apply(tx: &Connection, write: &Write) -> rusqlite::Result<()> {
    match write {
        Write::Minted { pin, session } => sessions::insert(tx, pin, session),
        Write::HookPut { pin, hook, url } => sessions::put_hook(tx, pin, *hook, url),
        Write::HookConsumed { pin, hook } => sessions::remove_hook(tx, pin, *hook),
        Write::SideChanged { pin, side, presence, announced } => {
            sessions::save_side(tx, pin, *side, presence, *announced)
        }
        Write::CustomerChanged { pin, customer } => sessions::save_customer(tx, pin, customer),
        Write::ConfGiven { pin, hash } => sessions::give_conf(tx, pin, hash),
        Write::RequesterSet { pin, requester, unattended } => {
            sessions::set_requester(tx, pin, requester, *unattended)
        }
        Write::TicketMade { hash, ticket } => tickets::insert(tx, hash, ticket),
        Write::Revoked { pin } => sessions::revoke(tx, pin),
        Write::Deleted { pin } => {
            sessions::empty(tx, pin)?;
            chat::delete(tx, pin)?;
            tickets::delete(tx, pin)?;
            outbox::delete(tx, pin)
        }
        Write::ChatAdded { pin, message } => chat::insert(tx, pin, message),
        Write::Reported { minter, pin, reporter, at } => {
            strikes::insert_report(tx, *minter, pin, *reporter, *at)
        }
        Write::Blocked { owner, at } => strikes::insert_block(tx, *owner, *at),
        Write::BlockLifted { owner } => strikes::lift_block(tx, *owner),
        Write::MailQueued { mail } => outbox::insert(tx, mail),
        Write::MailChanged { id, state } => outbox::update(tx, *id, state),
        Write::Forget { sessions_before, messages_before } => {
            sessions::forget(tx, *sessions_before)?;
            chat::forget(tx, *messages_before)?;
            outbox::forget(tx, *sessions_before)
        }
    }
}

#[cfg(test)]
mod tests {
    use serve::Client;
    use wire::Pin;

    use super::*;
    use crate::hub::session::Session;

    #[test]
    fn the_migrations_are_valid() {
        BROKER.in_memory().unwrap();
    }

    fn key(byte: u8) -> StoreKey {
        StoreKey::new(Box::new([byte; 32]))
    }

    #[test]
    fn a_second_broker_on_the_same_folder_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let (_first, _) = Store::open(dir.path(), None, Millis(0)).unwrap();
        let second = Store::open(dir.path(), None, Millis(0)).map(drop);
        assert!(matches!(second, Err(StoreError::InUse)), "{second:?}");
    }

    #[test]
    fn a_store_of_a_newer_version_asks_for_that_version() {
        let dir = tempfile::tempdir().unwrap();
        let connection = BROKER.open(&dir.path().join("broker.db"), None).unwrap();
        connection.pragma_update(None, "user_version", 1_000).unwrap();
        drop(connection);
        let newer = Store::open(dir.path(), None, Millis(0)).map(drop).unwrap_err().to_string();
        assert!(
            newer.ends_with("a newer version of Deskhand made this database; start the newer version of Deskhand"),
            "{newer}"
        );
    }

    #[tokio::test]
    async fn a_pin_that_was_minted_by_a_clock_far_ahead_lives_no_longer_than_any_other() {
        let dir = tempfile::tempdir().unwrap();
        let (store, _) = Store::open(dir.path(), None, Millis(0)).unwrap();
        let pin: Pin = "7W2-97-8570".parse().unwrap();
        let minter = Client::from_ip([127, 0, 0, 1].into());
        let (life, ahead) = (std::time::Duration::from_secs(86_400), Millis(94_608_000_000));
        let session = Box::new(Session::new("us-east-1".parse().unwrap(), minter, ahead, life));
        store.submit(vec![Write::Minted { pin, session }]).await.unwrap();
        store.finish();
        // A further start doesn't make it live longer.
        for now in [Millis(5_000), Millis(9_000)] {
            let (store, loaded) = Store::open(dir.path(), None, now).unwrap();
            let session = &loaded.state.sessions[0].1;
            assert_eq!(session.minted, Millis(5_000));
            assert_eq!(session.expires, Millis(5_000).after(life));
            store.finish();
        }
    }

    #[tokio::test]
    async fn an_encrypted_store_opens_with_its_key_only_and_shows_nothing_on_disk() {
        let dir = tempfile::tempdir().unwrap();
        let (store, _) = Store::open(dir.path(), Some(&key(1)), Millis(0)).unwrap();
        let pin: Pin = "7W2-97-8570".parse().unwrap();
        let minter = Client::from_ip([127, 0, 0, 1].into());
        let life = std::time::Duration::from_secs(60);
        let session = Box::new(Session::new("us-east-1".parse().unwrap(), minter, Millis(0), life));
        store.submit(vec![Write::Minted { pin: pin.clone(), session }]).await.unwrap();
        store.finish();
        for file in std::fs::read_dir(dir.path()).unwrap() {
            let bytes = std::fs::read(file.unwrap().path()).unwrap();
            assert!(!bytes.windows(11).any(|w| w == pin.expose().as_bytes()));
        }
        let wrong = Store::open(dir.path(), Some(&key(2)), Millis(0)).map(drop);
        assert!(
            matches!(&wrong, Err(StoreError::Database(store::StoreError::WrongKey { .. }))),
            "{wrong:?}"
        );
        let (_store, loaded) = Store::open(dir.path(), Some(&key(1)), Millis(0)).unwrap();
        assert_eq!(loaded.state.sessions[0].0, pin);
    }
}
