//! What survives a restart: one SQLite file, one thread that writes it.
//!
//! Nothing on the async side ever waits on SQLite itself: changes are sent to the writer, which
//! commits all that are waiting in one transaction and then says so. With a key the file is
//! SQLCipher's, and no byte of it can be read without the key.

mod chat;
mod outbox;
mod sessions;
mod signing;
mod strikes;
mod tickets;

use std::{
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError, mpsc},
    thread::JoinHandle,
    time::Duration,
};

use rusqlite::{Connection, Transaction};
use rusqlite_migration::{M, Migrations};
use secrecy::{ExposeSecret, SecretBox};
use serve::Millis;
use tokio::sync::oneshot;

use crate::hub::records::{StoredState, Write};

pub(crate) use signing::SigningKey;

/// The 32 bytes under which the store is encrypted.
pub type StoreKey = SecretBox<[u8; 32]>;

/// What the store held when it was opened.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub state: StoredState,
    pub signing_key: Option<SigningKey>,
}

/// The store can't be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file system refused.
    #[error("prepare the data folder {}: {source}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Another broker has it open.
    #[error(
        "open the broker's store: another broker uses the same data folder; end it first, or choose another folder"
    )]
    InUse,
    /// The key doesn't fit, or the file is damaged.
    #[error("open the broker's store: the key does not fit, or the file is damaged")]
    Locked,
    /// SQLite refused.
    #[error("{doing}: {source}")]
    Sql {
        /// What was being done.
        doing: &'static str,
        /// Why it failed.
        #[source]
        source: rusqlite::Error,
    },
    /// The tables can't be brought up to date.
    #[error("bring the broker's store up to date: {0}")]
    Migration(String),
}

/// A change was not saved.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("save to the broker's store: {0}")]
pub(crate) struct NotSaved(String);

/// The way to the writer.
#[derive(Debug)]
pub(crate) struct Store {
    /// None once it is closed.
    jobs: Mutex<Option<mpsc::Sender<Job>>>,
}

#[derive(Debug)]
struct Job {
    writes: Vec<Write>,
    done: oneshot::Sender<Result<(), NotSaved>>,
}

/// Comes true when a change is on disk.
#[derive(Debug)]
pub(crate) struct Ticket(oneshot::Receiver<Result<(), NotSaved>>);

impl Ticket {
    pub async fn saved(self) -> Result<(), NotSaved> {
        self.0.await.unwrap_or_else(|_| Err(NotSaved("the writer has ended".into())))
    }
}

impl Store {
    /// Opens (or makes) the store in `folder`, reads all of it, and starts the writer. Blocks.
    pub fn open(
        folder: &Path,
        key: Option<&StoreKey>,
        now: Millis,
    ) -> Result<(Self, Loaded, JoinHandle<()>), StoreError> {
        prepare(folder)?;
        let mut connection = connect(&folder.join("broker.db"), key)?;
        MIGRATIONS
            .to_latest(&mut connection)
            .map_err(|error| StoreError::Migration(error.to_string()))?;
        let loaded = load(&connection, now).map_err(sql("read the broker's store"))?;
        let (jobs, queue) = mpsc::channel();
        let writer = std::thread::Builder::new()
            .name("broker-store".into())
            .spawn(move || write_all(connection, &queue))
            .map_err(|source| StoreError::Folder { path: folder.to_owned(), source })?;
        Ok((Self { jobs: Mutex::new(Some(jobs)) }, loaded, writer))
    }

    /// Hands changes to the writer, in the order of the calls.
    pub fn submit(&self, writes: Vec<Write>) -> Ticket {
        let (done, ticket) = oneshot::channel();
        if writes.is_empty() {
            let _ = done.send(Ok(()));
        } else if let Some(jobs) = &*self.jobs() {
            // If the writer is gone, the ticket is dropped with the job and says so.
            let _ = jobs.send(Job { writes, done });
        }
        Ticket(ticket)
    }

    /// Takes no more changes; the writer ends once it has written what is waiting.
    pub fn close(&self) {
        self.jobs().take();
    }

    fn jobs(&self) -> MutexGuard<'_, Option<mpsc::Sender<Job>>> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const STEPS: &[M<'static>] = &[
    M::up(sessions::TABLES),
    M::up(chat::TABLE),
    M::up(strikes::TABLES),
    M::up(outbox::TABLE),
    M::up(sessions::ASKER),
    M::up(tickets::TABLE),
    M::up(signing::TABLE),
];
const MIGRATIONS: Migrations<'static> = Migrations::from_slice(STEPS);

fn prepare(folder: &Path) -> Result<(), StoreError> {
    let failed = |source| StoreError::Folder { path: folder.to_owned(), source };
    std::fs::create_dir_all(folder).map_err(failed)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700)).map_err(failed)?;
    }
    Ok(())
}

fn connect(path: &Path, key: Option<&StoreKey>) -> Result<Connection, StoreError> {
    let connection = Connection::open(path).map_err(sql("open the broker's store"))?;
    // Nobody who holds the lock gives it back soon: better to say so at once.
    connection.busy_timeout(Duration::ZERO).map_err(sql("open the broker's store"))?;
    if let Some(key) = key {
        // The raw key comes before anything else, or SQLCipher takes the file for a plain one.
        let hex: String = key.expose_secret().iter().map(|byte| format!("{byte:02x}")).collect();
        connection
            .pragma_update(None, "key", format!("x'{hex}'"))
            .map_err(sql("give the broker's store its key"))?;
    }
    // Held until the end: a second broker on the same folder would deliver every hook twice.
    // NORMAL loses nothing when the process is killed; after a power cut the last commits may be
    // missing, which consoles repair by putting their hooks again.
    let pragmas = "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL;
                   PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON;
                   BEGIN EXCLUSIVE; COMMIT;";
    connection.execute_batch(pragmas).map_err(|source| match source.sqlite_error_code() {
        Some(rusqlite::ErrorCode::DatabaseBusy | rusqlite::ErrorCode::DatabaseLocked) => {
            StoreError::InUse
        }
        Some(rusqlite::ErrorCode::NotADatabase) => StoreError::Locked,
        _ => StoreError::Sql { doing: "open the broker's store", source },
    })?;
    Ok(connection)
}

fn sql(doing: &'static str) -> impl Fn(rusqlite::Error) -> StoreError {
    move |source| StoreError::Sql { doing, source }
}

fn load(connection: &Connection, now: Millis) -> rusqlite::Result<Loaded> {
    let state = StoredState {
        sessions: sessions::load(connection, now)?,
        messages: chat::load(connection, now)?,
        reports: strikes::load_reports(connection)?,
        blocked: strikes::load_blocked(connection)?,
        outbox: outbox::load(connection)?,
        tickets: tickets::load(connection)?,
    };
    Ok(Loaded { state, signing_key: signing::load_or_make(connection)? })
}

fn write_all(mut connection: Connection, queue: &mpsc::Receiver<Job>) {
    while let Ok(first) = queue.recv() {
        // All that is waiting goes into one commit.
        let jobs: Vec<Job> = std::iter::once(first).chain(queue.try_iter().take(255)).collect();
        let result = commit(&mut connection, &jobs).map_err(|e| NotSaved(e.to_string()));
        if let Err(error) = &result {
            tracing::error!(%error, "a change was not saved");
        }
        for job in jobs {
            let _ = job.done.send(result.clone());
        }
    }
}

fn commit(connection: &mut Connection, jobs: &[Job]) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    for write in jobs.iter().flat_map(|job| &job.writes) {
        apply(&transaction, write)?;
    }
    transaction.commit()
}

fn apply(tx: &Transaction<'_>, write: &Write) -> rusqlite::Result<()> {
    match write {
        Write::Minted { pin, session } => sessions::insert(tx, pin, session),
        Write::HookPut { pin, hook, url } => sessions::put_hook(tx, pin, *hook, url),
        Write::HookConsumed { pin, hook } => sessions::remove_hook(tx, pin, *hook),
        Write::SideChanged { pin, side, presence, announced } => {
            sessions::save_side(tx, pin, *side, presence, *announced)
        }
        Write::ConfGiven { pin, hash } => sessions::give_conf(tx, pin, hash),
        Write::AskerSaid { pin, asker, unattended } => {
            sessions::say_asker(tx, pin, asker, *unattended)
        }
        Write::TicketMade { hash, ticket } => tickets::insert(tx, hash, ticket),
        Write::Revoked { pin } => sessions::revoke(tx, pin),
        Write::Said { pin, message } => chat::insert(tx, pin, message),
        Write::Reported { minter, pin, reporter, at } => {
            strikes::insert_report(tx, *minter, pin, *reporter, *at)
        }
        Write::Blocked { client, at } => strikes::insert_block(tx, *client, *at),
        Write::MailKept { mail } => outbox::insert(tx, mail),
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

    fn key(byte: u8) -> StoreKey {
        StoreKey::new(Box::new([byte; 32]))
    }

    /// A connection that its thread closes while the process ends would meet a library that is gone.
    fn end(store: &Store, writer: JoinHandle<()>) {
        store.close();
        writer.join().unwrap();
    }

    #[test]
    fn the_migrations_are_valid() {
        MIGRATIONS.validate().unwrap();
    }

    #[test]
    fn a_second_broker_on_the_same_folder_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let (first, _, writer) = Store::open(dir.path(), None, Millis(0)).unwrap();
        let second = Store::open(dir.path(), None, Millis(0)).map(drop);
        assert!(matches!(second, Err(StoreError::InUse)), "{second:?}");
        end(&first, writer);
    }

    #[tokio::test]
    async fn an_encrypted_store_opens_with_its_key_only_and_shows_nothing_on_disk() {
        let dir = tempfile::tempdir().unwrap();
        let (store, _, writer) = Store::open(dir.path(), Some(&key(1)), Millis(0)).unwrap();
        let pin: Pin = "7W2-97-8570".parse().unwrap();
        let minter = Client::at([127, 0, 0, 1].into());
        let life = std::time::Duration::from_secs(60);
        let session = Box::new(Session::new("us-east-1".parse().unwrap(), minter, Millis(0), life));
        store.submit(vec![Write::Minted { pin: pin.clone(), session }]).saved().await.unwrap();
        end(&store, writer);
        for file in std::fs::read_dir(dir.path()).unwrap() {
            let bytes = std::fs::read(file.unwrap().path()).unwrap();
            assert!(!bytes.windows(11).any(|w| w == pin.expose().as_bytes()));
        }
        let wrong = Store::open(dir.path(), Some(&key(2)), Millis(0)).map(drop);
        assert!(matches!(wrong, Err(StoreError::Locked)), "{wrong:?}");
        let (store, loaded, writer) = Store::open(dir.path(), Some(&key(1)), Millis(0)).unwrap();
        assert_eq!(loaded.state.sessions[0].0, pin);
        end(&store, writer);
    }
}
