//! Starting and stopping, each in its order: what is begun first is ended last.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, OnceLock, RwLock, atomic::AtomicU64},
    time::Duration,
};

use broker::{Broker, Network};
use engine::{
    Config, Engine, Keys, Listener, StartError, Stores,
    access::{Access, Person},
    clock::now,
    faults::Faults,
    lock::FolderLock,
    remote::LoginWithMeConfig,
    vault::{self, Vault},
};
use jiff::tz::TimeZone;
use tokio::sync::watch;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    App, AppError, AuditEntry, Embedded, Held, Inner, Options, audit_log::AuditLog, ports,
    ports::Ports, services, side::Side,
};
use crate::{
    Settings,
    present::trouble,
    view::{Code, Trouble},
};

/// How long what the broker kept back waits for the first try of every hook.
const HOOKS_TRIED: Duration = Duration::from_secs(5);
/// How long a PIN's life is taken to be (services.md: about a day).
const PIN_LIFE: Duration = Duration::from_secs(86_400);

pub(super) async fn start(options: Options) -> Result<App, AppError> {
    let (data, program, source) = (options.data.clone(), options.program, options.settings.clone());
    let vault_options = vault_options(&options);
    let opened = blocking(move || {
        let lock = FolderLock::take(&data, program, now())?;
        let loaded = source.load(jiff::Timestamp::now())?;
        let vault = Vault::open(&data, vault_options)?;
        Ok((lock, loaded, vault))
    });
    let (lock, loaded, vault) = opened.await?;
    let mut standing = Vec::new();
    if let Some(why) = &loaded.damaged {
        standing.push(Trouble {
            code: Code::BadInput,
            text: trouble::sentence(&format!("read the settings: {why}")),
            remedy: "Defaults are used for what could not be read. Set it again.".into(),
        });
    }
    let settings = Arc::new(loaded.settings);
    let broker = async {
        match settings.base_url {
            None => {
                start_broker(&options.data, (&settings, options.unattended), &vault, &mut standing)
                    .await
                    .map(Some)
            }
            Some(_) => Ok(None),
        }
    };
    let sandbox = async {
        match services::need_sandbox(&settings) {
            true => services::start_sandbox(&options.data, &vault).await.map(Some),
            false => Ok(None),
        }
    };
    // None needs another, and all wait for the disk.
    let (running, sandbox, stores) =
        tokio::join!(broker, sandbox, Stores::open(&options.data, Keys::of(&vault)));
    let running = match running {
        Ok(running) => running,
        Err(error) => {
            if let Ok(Some(sandbox)) = sandbox {
                sandbox.shutdown().await;
            }
            return Err(error);
        }
    };
    let sandbox = match sandbox {
        Ok(sandbox) => sandbox,
        // The technician can work all the same.
        Err(error) => {
            standing.push(services::no_sandbox(&error));
            None
        }
    };
    let embedded = OnceLock::new();
    if let Some(running) = &running {
        let _ = embedded.set(Embedded::of(running));
    }
    let engine = async {
        let stores = stores?;
        let people = people(&stores, options.forget_profiles).await?;
        let access = super::access::at_start(&settings, &people);
        let on = (embedded.get(), access.clone());
        let engine = start_engine(&options.data, &settings, on, stores).await?;
        Ok::<_, AppError>((engine, access, people))
    };
    let (engine, access, people) = match engine.await {
        Ok(begun) => begun,
        Err(error) => {
            if let Some(running) = running {
                running.shutdown().await;
            }
            if let Some(sandbox) = sandbox {
                sandbox.shutdown().await;
            }
            return Err(error);
        }
    };
    remember(&options.data, &engine, running.as_ref(), &mut standing);
    let mut log = AuditLog::default();
    log.write_to(Some(engine.archive()));
    let newest = engine.journal().last_event().await.unwrap_or_default();
    let inner = Arc::new(Inner {
        data: options.data,
        desktop: options.desktop,
        source: options.settings,
        held: RwLock::new(Held { stored: loaded.stored, settings }),
        engine: tokio::sync::RwLock::new(Some(engine)),
        embedded,
        broker: tokio::sync::Mutex::new(running),
        sandbox: tokio::sync::Mutex::new(sandbox),
        serial: tokio::sync::Mutex::new(()),
        broker_control: options.broker_control,
        unattended: options.unattended,
        access,
        acted: watch::channel(now()).0,
        ceremony: Mutex::default(),
        pages: options.pages,
        viewers: super::viewer::Viewers::default(),
        in_the_browser: options.in_the_browser,
        vault,
        lock: Mutex::new(Some(lock)),
        on_screen: watch::channel(None).0,
        changed: watch::channel(0).0,
        epoch: watch::channel(0).0,
        side: Mutex::new(Side { standing, audit_log: log, people, ..Side::default() }),
        revision: AtomicU64::new(0),
        from_seq: options.from_seq,
        newest: AtomicU64::new(newest),
        zone: TimeZone::system(),
        stopping: CancellationToken::new(),
        tasks: TaskTracker::new(),
    });
    services::set_up(&inner).await;
    if options.forget_profiles {
        let (by, text) =
            (inner.settings().technician.clone(), "Forgot who has a profile here.".into());
        let entry = AuditEntry { by, action: "profiles_forgotten", text, session: None };
        inner.record_or_warn(entry).await;
    }
    begin(&inner).await;
    Ok(App(inner))
}

/// Who has a profile here. Where nobody can tell, nothing is started: it would be open to everybody.
async fn people(stores: &Stores, forget: bool) -> Result<Vec<Person>, AppError> {
    if forget {
        stores.archive.forget_people().await.map_err(StartError::Archive)?;
    }
    Ok(stores.archive.people().await.map_err(StartError::Archive)?)
}

/// What goes on beside the commands, which can be given from here on.
async fn begin(inner: &Arc<Inner>) {
    let tried = inner.engine.read().await.as_ref().map(Engine::hooks_tried);
    if let Some(tried) = tried {
        inner.tasks.spawn(release(inner.clone(), tried));
    }
    inner.tasks.spawn(super::access::lock_when_idle(inner.clone()));
    inner.tasks.spawn(super::watch::follow(inner.clone()));
    inner.tasks.spawn(super::watch::learn_of_service(inner.clone()));
    inner.tasks.spawn(super::roster::follow(inner.clone()));
}

/// Hooks first, then what was kept back of them.
async fn release(inner: Arc<Inner>, tried: impl Future<Output = ()>) {
    tokio::select! {
        _ = tokio::time::timeout(HOOKS_TRIED, tried) => {}
        () = inner.stopping.cancelled() => return,
    }
    if let Some(embedded) = inner.embedded.get() {
        embedded.handle().release_deliveries();
    }
}

pub(super) async fn stop(inner: &Inner) {
    inner.stopping.cancel();
    // Whoever calls this a second time waits for the first.
    let _alone = inner.serial.lock().await;
    inner.tasks.close();
    inner.tasks.wait().await;
    inner.viewers.stop().await;
    inner.side(|side| side.audit_log.write_to(None));
    let engine = inner.engine.write().await.take();
    if let Some(engine) = engine {
        engine.stop().await;
    }
    let broker = inner.broker.lock().await.take();
    if let Some(broker) = broker {
        broker.shutdown().await;
    }
    let sandbox = inner.sandbox.lock().await.take();
    if let Some(sandbox) = sandbox {
        sandbox.shutdown().await;
    }
    let lock = inner.lock.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
    drop(lock);
}

/// Ends the engine and starts it again under the settings in force; if that fails, under `before`.
///
/// # Errors
/// Why the new settings don't do; the old ones are in force again.
pub(crate) async fn restart_engine(
    inner: &Inner,
    settings: &Settings,
    before: &Settings,
) -> Result<(), AppError> {
    let mut slot = inner.engine.write().await;
    if let Some(engine) = slot.take() {
        engine.stop().await;
    }
    let begun = bring_up(inner, settings).await;
    let (engine, failed) = match begun {
        Ok(engine) => (Some(engine), None),
        Err(error) => (bring_up(inner, before).await.ok(), Some(error)),
    };
    *slot = engine;
    // Before anybody sees the new engine, and at once with the epoch: what was learnt is of the old one.
    inner.side(|side| {
        side.tested = super::Tested::Not;
        side.join = None;
        side.capabilities = None;
        side.rosters.clear();
        side.askers.clear();
        if let Some(engine) = &*slot {
            side.audit_log.write_to(Some(engine.archive()));
        }
        inner.epoch.send_modify(|epoch| *epoch += 1);
    });
    drop(slot);
    super::services::set_up(inner).await;
    inner.tell_change();
    failed.map_or(Ok(()), Err)
}

async fn bring_up(inner: &Inner, settings: &Settings) -> Result<Engine, AppError> {
    if settings.base_url.is_none() && inner.embedded.get().is_none() {
        let mut standing = Vec::new();
        let on = (settings, inner.unattended);
        let running = start_broker(&inner.data, on, &inner.vault, &mut standing).await?;
        inner.side(|side| side.standing.append(&mut standing));
        running.handle().release_deliveries();
        let _ = inner.embedded.set(Embedded::of(&running));
        *inner.broker.lock().await = Some(running);
    }
    let embedded = inner.embedded.get();
    let stores = Stores::open(&inner.data, Keys::of(&inner.vault)).await?;
    let on = (embedded, inner.access.clone());
    let engine = start_engine(&inner.data, settings, on, stores).await?;
    let broker = inner.broker.lock().await;
    inner.side(|side| remember(&inner.data, &engine, broker.as_ref(), &mut side.standing));
    drop(broker);
    Ok(engine)
}

fn vault_options(options: &Options) -> vault::Options {
    let mut chosen =
        vault::Options { passphrase: options.passphrase.clone(), ..vault::Options::default() };
    if !options.use_keyring {
        chosen.keyring = None;
    }
    chosen
}

/// `unattended`: nobody sits at the customers' computers.
async fn start_broker(
    data: &Path,
    (settings, unattended): (&Settings, bool),
    vault: &Vault,
    standing: &mut Vec<Trouble>,
) -> Result<broker::Running, AppError> {
    let ports = Ports::read(data);
    let mut config = broker::Config::embedded(data.join("broker"));
    config.store_key = Some(vault.broker_store_key());
    config.hold_deliveries = true;
    config.allow_unattended = unattended;
    config.port = ports::choose(0, ports.broker, false);
    let mut running = Broker::start(config).await?;
    let mut moved = ports.broker.is_some() && !running.got_remembered_port();
    if settings.lan {
        match running.open_to_network(network(settings, ports)).await {
            Ok(()) => moved |= ports.network.is_some() && !running.network_got_remembered_port(),
            // The technician can work all the same.
            Err(error) => standing.push(not_open(&error)),
        }
    }
    if moved {
        standing.push(self::moved());
    }
    Ok(running)
}

/// Lets customers on this network join, or not any more, as `settings` have it; nothing else stops.
///
/// # Errors
/// Why they can't; then they can't.
pub(crate) async fn set_network(inner: &Inner, settings: &Settings) -> Result<(), Trouble> {
    let mut broker = inner.broker.lock().await;
    let Some(running) = broker.as_mut() else { return Ok(()) };
    inner.side(|side| side.standing.retain(|trouble| !is_not_open(trouble)));
    if !settings.lan {
        running.close_to_network().await;
        return Ok(());
    }
    let ports = Ports::read(&inner.data);
    running.open_to_network(network(settings, ports)).await.map_err(|error| not_open(&error))?;
    let ports = Ports { network: running.network_addr().map(|addr| addr.port()), ..ports };
    if let Err(error) = ports.write(&inner.data) {
        inner.side(|side| side.standing.push(not_remembered(&error)));
    }
    Ok(())
}

/// Where customers on this network come in.
fn network(settings: &Settings, ports: Ports) -> Network {
    let asked = settings.lan_listen;
    let tls = settings.tls_cert.as_ref().zip(settings.tls_key.as_ref());
    Network {
        ip: asked.ip(),
        port: ports::choose(asked.port(), ports.network, settings.lan_url.is_some()),
        tls: tls.map(|(cert, key)| serve::TlsFiles::new(cert, key)),
        public_url: settings.lan_url.clone(),
    }
}

async fn start_engine(
    data: &Path,
    settings: &Settings,
    (embedded, access): (Option<&Embedded>, Access),
    stores: Stores,
) -> Result<Engine, AppError> {
    let config = engine_config(data.to_owned(), settings, embedded, access)?;
    Ok(Engine::start_on(config, stores, Faults::default()).await?)
}

fn engine_config(
    data: PathBuf,
    settings: &Settings,
    embedded: Option<&Embedded>,
    access: Access,
) -> Result<Config, AppError> {
    let (base_url, regions) = match (settings.service(), embedded) {
        (Some(service), _) => service,
        (None, Some(embedded)) => (
            embedded.base_url().to_owned(),
            settings
                .region_url_template
                .clone()
                .unwrap_or_else(|| embedded.region_url_template().to_owned()),
        ),
        (None, None) => return Err(AppError::Internal("there is no broker".into())),
    };
    let service =
        LoginWithMeConfig::parse(&base_url, &regions).map_err(engine::StartError::Service)?;
    let promised = settings.public_url.is_some();
    let last = Ports::read(&data).listener;
    Ok(Config {
        data,
        service,
        listener: Listener {
            ip: settings.listen.ip(),
            port: ports::choose(settings.listen.port(), last, promised),
            public_url: settings.public_url.clone(),
        },
        probe_rounds: settings.probe_rounds as usize,
        heartbeat: Duration::from_secs(u64::from(settings.heartbeat())),
        pin_life: PIN_LIFE,
        access,
        gate: services::gate(settings),
    })
}

fn remember(
    data: &Path,
    engine: &Engine,
    broker: Option<&broker::Running>,
    standing: &mut Vec<Trouble>,
) {
    let before = Ports::read(data);
    let port = |addr: std::net::SocketAddr| addr.port();
    let ports = Ports {
        listener: Some(engine.listener().port()),
        broker: broker.map(broker::Running::addr).map(port).or(before.broker),
        network: broker.and_then(broker::Running::network_addr).map(port).or(before.network),
        ..before
    };
    if let Err(error) = ports.write(data) {
        standing.push(not_remembered(&error));
    }
}

fn not_remembered(error: &std::io::Error) -> Trouble {
    Trouble {
        code: Code::FreeSpace,
        text: format!("Remember the ports for the next start: {error}."),
        remedy: "Free some space and check the data folder's permissions.".into(),
    }
}

/// What a trouble with the network's door begins with.
const NOT_OPEN: &str = "Let customers on this network join: ";

fn not_open(error: &broker::StartError) -> Trouble {
    let why = error.to_string();
    let why = why.strip_prefix("start the broker: ").unwrap_or(&why);
    Trouble {
        code: Code::CheckAddress,
        text: trouble::sentence(&format!("{NOT_OPEN}{why}")),
        remedy: "Until then this computer only can join. Correct the address, the certificate or \
                 the key in the settings."
            .into(),
    }
}

fn is_not_open(trouble: &Trouble) -> bool {
    trouble.text.starts_with(NOT_OPEN)
}

fn moved() -> Trouble {
    Trouble {
        code: Code::CheckAddress,
        text: "Listen where links lead to: another program has the port of last time, so links \
               that were given out before are dead."
            .into(),
        remedy: "Send new links, or quit that program and start again.".into(),
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, AppError> + Send + 'static,
) -> Result<T, AppError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => Err(AppError::Internal(error.to_string())),
    }
}
