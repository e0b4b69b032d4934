//! The environment of the actors' tests: real stores in a folder of the test's own, a clock that
//! stands still, and services that are scripted within the process.
//!
//! Invariant: no socket. The clients are the real ones down to the built request and up from the
//! raw answer, so a test that answers with garbage exercises the real parser.

mod mock_services;

use std::{
    sync::{Arc, mpsc as std_mpsc},
    time::{Duration, Instant},
};

use ractor::{Actor, ActorRef};
use secrecy::SecretBox;
use session::{About, Delivery, Gate, Input, Record, State, Timestamp};
use tempfile::TempDir;
use tokio::{
    sync::{oneshot, watch},
    task::JoinHandle,
};
use wire::{HookType, Pin, Region};

pub(super) use self::mock_services::{MockServices, QUESTION, Scripted};
use super::{
    message::SessionMessage,
    region_choice::{self, Race, Regions},
    session::{Session, Start},
};
use crate::{
    Config, Listener, SessionId, Snapshot,
    access::Access,
    archive::{ARCHIVE_FILE, Archive, ArchiveKey},
    clock::now,
    context::{Context, Parts},
    error::CommandError,
    faults::Faults,
    journal::{self, Committed, Fault, JOURNAL_FILE, Journal, SessionSecrets, Stored},
    remote::{LoginTc, LoginWithMe},
    token::HookToken,
    vault::SealKey,
};

/// Longer than any test here takes on a machine that has much else to do; a longer wait means that the awaited state
/// never comes. No shorter than that: past it the clock that stands still would run.
const LONGEST: Duration = Duration::from_secs(120);
pub(super) const HEARTBEAT: Duration = Duration::from_secs(30);
/// After this the budget has a turn again.
const NEXT_TURN: Duration = Duration::from_millis(50);
pub(super) const PIN: &str = "7W2-97-8570";

/// Everything that an actor needs, with access for the test to inspect it.
pub(super) struct World {
    pub context: Arc<Context>,
    pub services: Arc<MockServices>,
    pub disk: journal::Faults,
    pub race: watch::Receiver<Option<Race>>,
    // Last: time stands still until everything else is gone.
    folder: TempDir,
    _clock: StillClock,
}

/// A paused clock goes on by itself whenever nothing runs, also while a thread writes to the disk.
/// While this lives, time advances only when the test says so.
struct StillClock {
    _ends_it: std_mpsc::Sender<()>,
}

impl StillClock {
    fn new() -> Self {
        let (ends_it, end) = std_mpsc::channel::<()>();
        // tokio lets a paused clock stand while a blocking task runs.
        tokio::task::spawn_blocking(move || end.recv_timeout(LONGEST));
        Self { _ends_it: ends_it }
    }
}

/// A session's actor that a test has started.
pub(super) struct Running {
    pub id: SessionId,
    pub actor: ActorRef<SessionMessage>,
    pub ended: JoinHandle<()>,
}

/// What all actors of such a world share, for tests of what is no actor. It is of use for as long as the second lives.
pub(crate) async fn context() -> (Arc<Context>, impl Sized) {
    let world = World::new().await;
    (world.context.clone(), world)
}

impl World {
    pub async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// A world whose configuration `change` has changed.
    pub async fn with(change: impl FnOnce(&mut Config)) -> Self {
        // Memory, where there is a file system in it: a disk's syncs would be most of the time.
        let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
        let services = Arc::<MockServices>::default();
        let mut config = Config {
            data: folder.path().to_owned(),
            service: mock_services::address(),
            listener: Listener {
                ip: std::net::Ipv4Addr::LOCALHOST.into(),
                port: serve::Port::Any,
                connections: None,
                trusted_proxies: serve::TrustedProxies::default(),
                public_url: None,
            },
            probe_rounds: 1,
            heartbeat: HEARTBEAT,
            pin_life: Duration::from_secs(86_400),
            access: Access::default(),
            gate: Gate { minutes: 60, ..Gate::default() },
        };
        change(&mut config);
        let disk = journal::Faults::default();
        let options = journal::Options { faults: disk.clone(), max_pages: None };
        let journal = journal_in(&folder, options);
        let key = ArchiveKey::new(SecretBox::new(Box::new([2; 32])));
        let archive = Archive::open(&folder.path().join(ARCHIVE_FILE), key).unwrap();
        let client = Arc::new(LoginWithMe::to(config.service.clone(), services.clone()));
        let (shown, race) = watch::channel(None);
        let start =
            region_choice::Start { client: client.clone(), rounds: config.probe_rounds, shown };
        let (regions, _) = Actor::spawn(None, Regions, start).await.unwrap();
        let (context, _) = Context::start(Parts {
            config,
            client,
            journal,
            archive,
            regions,
            hook_base: "http://127.0.0.1:9/".parse().unwrap(),
            faults: Faults::default(),
        });
        Self { context, services, disk, race, folder, _clock: StillClock::new() }
    }

    pub fn logintc(&self) -> LoginTc {
        mock_services::logintc(self.services.clone())
    }

    /// A new session whose first input is `Created`, as the supervisor makes it.
    pub fn fresh(&self, region: Option<&str>) -> Start {
        Start {
            id: SessionId::random(),
            context: self.context.clone(),
            state: State::new(About::default(), "anna".into(), now()),
            secrets: Some(secrets(None)),
            applied_seq: 0,
            replay: Vec::new(),
            in_turn: Arc::default(),
            first: Input::Created { region: region.map(|name| name.parse().unwrap()) },
        }
    }

    pub async fn start(&self, start: Start) -> Running {
        let id = start.id;
        let (actor, ended) = Actor::spawn(None, Session, start).await.unwrap();
        self.context.sessions.write().insert(id, actor.clone());
        Running { id, actor, ended }
    }

    /// A session that is live, with all hooks armed; the calls that led there are removed from the
    /// record of calls.
    pub async fn live(&self) -> Running {
        let session = self.start(self.fresh(Some("here-1"))).await;
        self.settle().await;
        let began = Instant::now();
        while !self.is_armed(session.id) {
            assert!(began.elapsed() < LONGEST / 2, "not armed: {:#?}", self.services.calls());
            // Heartbeats of other sessions may have taken the budget's turns, the next of which comes with time.
            self.pass(NEXT_TURN).await;
        }
        self.services.forget_calls();
        session
    }

    /// A live session in the journal, without an actor.
    pub async fn stored(&self) -> SessionId {
        let session = self.live().await;
        session.actor.stop_and_wait(None, None).await.unwrap();
        self.context.sessions.write().remove(&session.id);
        self.services.forget_calls();
        session.id
    }

    pub async fn in_journal(&self, id: SessionId) -> Stored {
        let loaded = self.context.journal.load().await.unwrap();
        loaded.sessions.into_iter().find(|stored| stored.session == id).unwrap()
    }

    /// The events of a session as the journal has them, in their order, by name.
    pub async fn happened(&self, id: SessionId) -> Vec<String> {
        let events = self.context.journal.events_of(id).await.unwrap();
        let name = |record: &journal::EventRecord| {
            record.event.facts().name().split('_').map(session::text::capital).collect()
        };
        events.iter().map(name).collect()
    }

    pub fn snapshot(&self, id: SessionId) -> Arc<Snapshot> {
        self.context.bus.latest(id).unwrap()
    }

    pub fn record(&self, id: SessionId) -> Arc<Record> {
        self.snapshot(id).record.clone()
    }

    pub fn is_armed(&self, id: SessionId) -> bool {
        let armed = |lamp: &session::Lamp| matches!(lamp, session::Lamp::Armed { .. });
        self.context.bus.latest(id).is_some_and(|snapshot| snapshot.lamps.iter().all(armed))
    }

    /// Waits until `holds`, while no time passes by the paused clock.
    pub async fn until(&self, holds: impl Fn() -> bool) {
        let began = Instant::now();
        for round in 0_u32.. {
            if holds() {
                return;
            }
            assert!(began.elapsed() < LONGEST / 2, "it never came: {:#?}", self.services.calls());
            rest(round).await;
        }
    }

    pub async fn until_record(&self, id: SessionId, holds: impl Fn(&Record) -> bool) {
        self.until(|| self.context.bus.latest(id).is_some_and(|now| holds(&now.record))).await;
    }

    /// Lets everything that can go on without more time go on, the disk's answers included, however long it takes
    /// for them.
    pub async fn settle(&self) {
        // An answer may lead to a call, and that to another write.
        for _ in 0..3 {
            // A disk that hangs gives no answer; one that refuses has given it.
            if self.disk.current() != Some(Fault::Hangs) {
                let _ = self.context.journal.flush().await;
            }
            let _ = self.context.archive.flush().await;
            rests(60).await;
        }
    }

    /// Advances the time and lets everything that is due happen.
    pub async fn pass(&self, time: Duration) {
        // The timers must be set before the time advances.
        self.settle().await;
        tokio::time::advance(time).await;
        self.settle().await;
    }

    /// Gives a command and waits for its answer.
    pub async fn order(&self, to: &Running, input: Input) -> Result<(), CommandError> {
        let (done, answer) = oneshot::channel();
        to.actor.cast(SessionMessage::Command(input, done)).unwrap();
        answer.await.unwrap()
    }

    /// A hook fires, as the listener reports it: received, then committed.
    pub async fn fire(&self, to: SessionId, hook: HookType) -> u64 {
        let at = now();
        let actor = self.context.actor(to).unwrap();
        actor.cast(SessionMessage::Received(hook)).unwrap();
        let seq = self.context.journal.append(to, hook, at).await.unwrap();
        actor
            .cast(SessionMessage::Committed {
                hook,
                delivery: Delivery::default(),
                seq: Some(seq),
                at,
            })
            .unwrap();
        seq
    }

    pub fn break_disk(&self) {
        self.disk.set(Some(Fault::DiskFull));
    }

    pub fn mend_disk(&self) {
        self.disk.set(None);
    }

    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        // The journal's end waits for its writes: a test that fails while the disk hangs would
        // hang, too.
        self.mend_disk();
    }
}

impl Running {
    pub fn tell(&self, input: Input) {
        self.actor.cast(SessionMessage::Input(input)).unwrap();
    }

    pub fn send(&self, message: SessionMessage) {
        self.actor.cast(message).unwrap();
    }
}

fn journal_in(folder: &TempDir, options: journal::Options) -> Journal {
    let key = SealKey::new(&SecretBox::new(Box::new([1; 32])));
    Journal::open(&folder.path().join(JOURNAL_FILE), key, options).unwrap()
}

pub(super) fn secrets(pin: Option<Pin>) -> SessionSecrets {
    let tokens = [1, 2, 3, 4].map(|byte| HookToken::from_bytes([byte; 32]));
    SessionSecrets { pin, tokens, conf: None }
}

pub(super) fn region(name: &str) -> Region {
    name.parse().unwrap()
}

pub(super) fn committed(seq: u64, hook: HookType, at: Timestamp) -> Committed {
    Committed { seq, hook, at, delivery: Delivery::default() }
}

async fn rests(rounds: u32) {
    for round in 0..rounds {
        rest(round).await;
    }
}

/// Lets the others run; from time to time really waits, for a disk needs the processor too.
async fn rest(round: u32) {
    if round % 50 == 49 {
        std::thread::sleep(Duration::from_micros(200));
    }
    tokio::task::yield_now().await;
}
