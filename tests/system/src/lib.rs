//! The environment of headless integration tests: the real engine and the real broker over
//! loopback HTTP.
//!
//! Nothing here sleeps. A test waits for a snapshot and fails if none comes within [`PATIENCE`].
//! Only the broker's clock is moved, by the tests.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::missing_panics_doc)]

pub mod chance;
pub mod fault_plan;
pub mod word;

use std::{path::Path, sync::Arc, time::Duration};

use broker::{Broker, Running};
use engine::{
    Config, Engine, Keys, Listener, SessionId, Snapshot, Stores,
    archive::{ARCHIVE_FILE, Archive},
    faults::Faults,
    journal::{self, JOURNAL_FILE, Journal},
    lock::FolderLock,
    reach::Way,
    remote::LoginWithMeConfig,
    vault::{Options, Vault},
};
use port_tests::KeptPort;
use serve::{Port, TrustedProxies};
use session::{About, Lamp, Timestamp};
use tempfile::TempDir;
use uuid::Uuid;
use wire::{Pin, Side};

/// How long a test waits before it fails: longer than any machine needs.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A broker and a folder for engines.
pub struct World {
    /// The folder for everything that is stored.
    pub folder: TempDir,
    /// The broker.
    pub broker: Running,
    /// Where the broker is, run after run.
    port: KeptPort,
}

impl World {
    /// A fresh world.
    pub async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = KeptPort::new();
        let broker = start_broker(folder.path(), &port).await;
        Self { folder, broker, port }
    }

    /// A fresh world whose broker hands its e-mails to the mail server at `url`.
    pub async fn with_mail_server(url: String) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let smtp = broker::Smtp { url: url.into(), from: "Support <support@example.org>".into() };
        let port = KeptPort::new();
        let config = broker_config(folder.path(), &port);
        let config = broker::Config { smtp: Some(smtp), ..config };
        Self { broker: Broker::start(config).await.unwrap(), folder, port }
    }

    /// A fresh world whose broker offers no extension, so that its webhooks alone tell what happens, as a hosted
    /// service's do.
    pub async fn without_channel() -> Self {
        let world = Self::new().await;
        let none = serve::Fault::Status { code: 404 };
        let rule = serve::FaultRule::always("/api/v1/x/capabilities", none);
        world.broker.handle().faults().set(vec![rule]);
        world
    }

    /// Starts an engine on this world's folder, as the console does.
    pub async fn engine(&self) -> RunningEngine {
        self.engine_with(loopback(Port::Any)).await
    }

    /// As [`World::engine`], with its listener on a port that another one had, or will have.
    pub async fn engine_at(&self, port: &KeptPort) -> RunningEngine {
        self.engine_with(loopback(Port::Exactly(port.number()))).await
    }

    /// As [`World::engine`], with a listener of the test's choosing.
    pub async fn engine_with(&self, listener: Listener) -> RunningEngine {
        let data = self.folder.path().join("console");
        std::fs::create_dir_all(&data).unwrap();
        let (base, regions) = (self.broker.base_url(), self.broker.region_url_template());
        RunningEngine::start_with(&data, &base, &regions, listener).await
    }

    /// Restarts the broker on its port, keeping its store.
    pub async fn restart_broker(self) -> Self {
        self.restart_broker_after(|_| {}).await
    }

    /// Ends the broker, does something to the folder of its store, and starts it on its port again.
    pub async fn restart_broker_after(self, meanwhile: impl FnOnce(&Path)) -> Self {
        let Self { folder, broker, port } = self;
        broker.shutdown().await;
        meanwhile(&folder.path().join("broker"));
        let broker = start_broker(folder.path(), &port).await;
        Self { folder, broker, port }
    }

    /// A customer's page arrives; returns its id.
    pub async fn presenter_joins(&self, pin: &Pin) -> Uuid {
        self.page_joins(pin, Side::Presenter, "Maria").await
    }

    /// A viewer's page arrives; returns its id.
    pub async fn viewer_joins(&self, pin: &Pin) -> Uuid {
        self.page_joins(pin, Side::Viewers, "Anna").await
    }

    async fn page_joins(&self, pin: &Pin, side: Side, name: &str) -> Uuid {
        let page = Uuid::new_v4();
        self.broker.handle().page_arrives(pin, side, page, name).await.unwrap();
        page
    }

    /// Moves the broker's clock by more than the 60 s after which a side counts as offline.
    pub async fn over_a_minute_passes(&self) {
        self.broker.handle().advance(Duration::from_secs(61)).await;
    }
}

/// The bytes that the broker delivers as the customer's program. They can't be run.
pub const PROGRAM: &[u8] = b"\x7fELF, as far as anybody looks";

async fn start_broker(folder: &Path, port: &KeptPort) -> Running {
    Broker::start(broker_config(folder, port)).await.unwrap()
}

fn broker_config(folder: &Path, port: &KeptPort) -> broker::Config {
    let program = folder.join("deskhand-presenter");
    std::fs::write(&program, PROGRAM).unwrap();
    broker::Config {
        port: Port::Exactly(port.number()),
        programs: vec![broker::ProgramFile { platform: "linux-x86_64".into(), path: program }],
        ..broker::Config::embedded(folder.join("broker"))
    }
}

/// An engine with its folder's lock.
pub struct RunningEngine {
    /// The engine.
    pub engine: Engine,
    /// Makes the journal's writes fail.
    pub disk: journal::Faults,
    /// Kills actors.
    pub faults: Faults,
    _lock: FolderLock,
}

impl RunningEngine {
    /// Starts an engine on `data` against the service at `base_url`.
    pub async fn start(data: &Path, base_url: &str, region_template: &str) -> Self {
        Self::start_with(data, base_url, region_template, loopback(Port::Any)).await
    }

    /// Starts an engine with a listener of the test's choosing.
    pub async fn start_with(
        data: &Path,
        base_url: &str,
        region_template: &str,
        listener: Listener,
    ) -> Self {
        let lock = FolderLock::take(data, "test", engine::clock::now()).unwrap();
        let folder = data.to_owned();
        let vault = tokio::task::spawn_blocking(move || Vault::open(&folder, without_keyring()))
            .await
            .unwrap()
            .unwrap();
        let config = Config {
            gate: session::Gate::default(),
            data: data.to_owned(),
            service: LoginWithMeConfig::parse(base_url, region_template).unwrap(),
            listener,
            probe_rounds: 1,
            heartbeat: Duration::from_secs(3600),
            pin_life: Duration::from_secs(86_400),
            access: engine::access::Access::default(),
        };
        let (disk, faults) = (journal::Faults::default(), Faults::default());
        let keys = Keys::from_vault(&vault);
        let options = journal::Options { faults: disk.clone(), ..journal::Options::default() };
        let stores = Stores {
            journal: Journal::open(&data.join(JOURNAL_FILE), keys.journal, options).unwrap(),
            archive: Archive::open(&data.join(ARCHIVE_FILE), keys.archive).unwrap(),
        };
        let engine = Engine::start_on(config, stores, faults.clone()).await.unwrap();
        Self { engine, disk, faults, _lock: lock }
    }

    /// Makes a session and waits until its hooks are armed.
    pub async fn armed_session(&self) -> (SessionId, Pin) {
        let id = self.engine.create(About::default(), "anna".into(), None).await.unwrap();
        let snapshot = self.until(id, "all four hooks are armed", all_armed).await;
        (id, snapshot.pin.clone().unwrap())
    }

    /// Waits for a snapshot of `id` that `holds` accepts.
    pub async fn until(
        &self,
        id: SessionId,
        what: &str,
        holds: impl Fn(&Snapshot) -> bool,
    ) -> Arc<Snapshot> {
        let mut subscription = self.engine.subscribe();
        let wait = async {
            loop {
                if let Some(snapshot) = self.engine.snapshot(id)
                    && holds(&snapshot)
                {
                    return snapshot;
                }
                subscription.changed().await;
            }
        };
        match tokio::time::timeout(PATIENCE, wait).await {
            Ok(snapshot) => snapshot,
            Err(_) => panic!("waited in vain until {what}; now: {:?}", self.engine.snapshot(id)),
        }
    }

    /// Waits until the way to the listener is as `holds` wants it.
    pub async fn until_way(&self, what: &str, holds: impl Fn(Way) -> bool) {
        let mut subscription = self.engine.subscribe();
        let wait = async {
            while !holds(self.engine.way()) {
                subscription.changed().await;
            }
        };
        let waited = tokio::time::timeout(PATIENCE, wait).await;
        assert!(waited.is_ok(), "waited in vain until {what}: {:?}", self.engine.way());
    }

    /// Waits until a session has `times` events of this name.
    pub async fn until_happened(&self, id: SessionId, name: &str, times: usize) {
        let mut subscription = self.engine.subscribe();
        let wait = async {
            while self.happened(id).await.iter().filter(|event| *event == name).count() < times {
                subscription.changed().await;
            }
        };
        if tokio::time::timeout(PATIENCE, wait).await.is_err() {
            panic!(
                "waited in vain for {name} to happen {times} times: {:?}",
                self.happened(id).await
            );
        }
    }

    /// The names of a session's events so far, oldest first.
    pub async fn happened(&self, id: SessionId) -> Vec<String> {
        let happenings = self.engine.journal().events_of(id).await.unwrap();
        happenings.iter().map(|happening| name_of(&happening.event)).collect()
    }

    /// Stops the engine.
    pub async fn stop(self) {
        self.engine.stop().await;
    }
}

/// Whether all four lamps are armed.
pub fn all_armed(snapshot: &Snapshot) -> bool {
    snapshot.lamps.iter().all(|lamp| matches!(lamp, Lamp::Armed { .. }))
}

/// The name of an event's variant.
pub fn name_of(event: &session::Event) -> String {
    event.facts().name().split('_').map(session::text::capital).collect()
}

/// An HTTP client for tests.
pub fn http() -> reqwest::Client {
    // Another test of this process may have installed it before.
    let _ = rustls::crypto::ring::default_provider().install_default();
    // A new connection for each request, because a server may close one after it has refused
    // a body.
    reqwest::Client::builder().timeout(PATIENCE).pool_max_idle_per_host(0).build().unwrap()
}

/// The present time.
pub fn now() -> Timestamp {
    engine::clock::now()
}

fn loopback(port: Port) -> Listener {
    Listener {
        ip: [127, 0, 0, 1].into(),
        port,
        public_url: None,
        connections: None,
        trusted_proxies: TrustedProxies::default(),
    }
}

fn without_keyring() -> Options {
    Options { keyring: None, ..Options::default() }
}
