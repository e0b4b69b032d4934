//! Starting and stopping, each in its order: what is begun first is ended last.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, OnceLock, RwLock, atomic::AtomicU64},
    time::Duration,
};

use broker::Broker;
use engine::{
    Config, Engine, Keys, Listener,
    clock::now,
    lock::FolderLock,
    remote::Service,
    vault::{self, Vault},
};
use jiff::tz::TimeZone;
use serve::Port;
use tokio::sync::watch;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{App, AppError, Embedded, Held, Inner, Options, ports, ports::Ports, side::Side};
use crate::{
    Settings,
    present::trouble,
    view::{Code, Trouble},
};

/// How long a start waits for the first try of every hook.
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
    let ports = Ports::read(&options.data);
    let settings = Arc::new(loaded.settings);
    let running = match settings.base_url {
        None => Some(start_broker(&options.data, &settings, &vault, ports).await?),
        Some(_) => None,
    };
    if running
        .as_ref()
        .is_some_and(|running| ports.broker.is_some() && !running.got_remembered_port())
    {
        standing.push(moved());
    }
    let embedded = OnceLock::new();
    if let Some(running) = &running {
        let _ = embedded.set(Embedded::of(running));
    }
    let engine = start_engine(&options.data, &settings, embedded.get(), &vault).await;
    let engine = match engine {
        Ok(engine) => engine,
        Err(error) => {
            if let Some(running) = running {
                running.shutdown().await;
            }
            return Err(error);
        }
    };
    remember(&options.data, &engine, embedded.get(), &mut standing);
    let newest = engine.journal().last_happening().await.unwrap_or_default();
    let inner = Arc::new(Inner {
        data: options.data,
        desktop: options.desktop,
        source: options.settings,
        held: RwLock::new(Held { stored: loaded.stored, settings }),
        engine: tokio::sync::RwLock::new(Some(engine)),
        embedded,
        broker: tokio::sync::Mutex::new(running),
        serial: tokio::sync::Mutex::new(()),
        broker_control: options.broker_control,
        vault,
        lock: Mutex::new(Some(lock)),
        on_screen: watch::channel(None).0,
        changed: watch::channel(0).0,
        epoch: watch::channel(0).0,
        side: Mutex::new(Side { standing, ..Side::default() }),
        revision: AtomicU64::new(0),
        from_seq: options.from_seq,
        newest: AtomicU64::new(newest),
        zone: TimeZone::system(),
        stopping: CancellationToken::new(),
        tasks: TaskTracker::new(),
    });
    begin(&inner).await;
    Ok(App(inner))
}

/// Hooks first, then what was kept back of them, then whoever watches.
async fn begin(inner: &Arc<Inner>) {
    if let Some(engine) = inner.engine.read().await.as_ref() {
        let _ = tokio::time::timeout(HOOKS_TRIED, engine.hooks_tried()).await;
    }
    if let Some(embedded) = inner.embedded.get() {
        embedded.handle().release_deliveries();
    }
    inner.tasks.spawn(super::watch::follow(inner.clone()));
    inner.tasks.spawn(super::watch::learn_of_service(inner.clone()));
}

pub(super) async fn stop(inner: &Inner) {
    inner.stopping.cancel();
    // Whoever calls this a second time waits for the first.
    let _alone = inner.serial.lock().await;
    inner.tasks.close();
    inner.tasks.wait().await;
    let engine = inner.engine.write().await.take();
    if let Some(engine) = engine {
        engine.stop().await;
    }
    let broker = inner.broker.lock().await.take();
    if let Some(broker) = broker {
        broker.shutdown().await;
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
    drop(slot);
    inner.side(|side| side.tested = super::Tested::Not);
    inner.epoch.send_modify(|epoch| *epoch += 1);
    inner.tell_change();
    failed.map_or(Ok(()), Err)
}

async fn bring_up(inner: &Inner, settings: &Settings) -> Result<Engine, AppError> {
    if settings.base_url.is_none() && inner.embedded.get().is_none() {
        let ports = Ports::read(&inner.data);
        let running = start_broker(&inner.data, settings, &inner.vault, ports).await?;
        running.handle().release_deliveries();
        let _ = inner.embedded.set(Embedded::of(&running));
        *inner.broker.lock().await = Some(running);
    }
    let embedded = inner.embedded.get();
    let engine = start_engine(&inner.data, settings, embedded, &inner.vault).await?;
    inner.side(|side| remember(&inner.data, &engine, embedded, &mut side.standing));
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

async fn start_broker(
    data: &Path,
    settings: &Settings,
    vault: &Vault,
    ports: Ports,
) -> Result<broker::Running, AppError> {
    let mut config = broker::Config::embedded(data.join("broker"));
    config.store_key = Some(vault.broker_store_key());
    config.hold_deliveries = true;
    config.port = ports::choose(0, ports.broker, false);
    if settings.lan {
        for_network(&mut config, settings, ports)?;
    }
    Ok(Broker::start(config).await?)
}

/// Lets customers on this network join: strangers can reach it then, so it has a network's limits.
fn for_network(
    config: &mut broker::Config,
    settings: &Settings,
    ports: Ports,
) -> Result<(), AppError> {
    config.ip = settings.lan_listen.ip();
    config.rates = broker::Rates::network();
    config.port = ports::choose(settings.lan_listen.port(), ports.broker, false);
    if let (Some(cert), Some(key)) = (&settings.tls_cert, &settings.tls_key) {
        config.tls = Some(serve::TlsFiles::new(cert, key));
    }
    config.public_url = settings.lan_url.clone();
    if config.public_url.is_none() && config.ip.is_unspecified() {
        // Its links need an address before it is bound, so its port is settled here.
        let bound = serve::bind(config.ip, config.port)
            .map_err(|error| AppError::Broker(broker::StartError::Bind(error)))?;
        let port = bound.addr().port();
        config.port = Port::Exactly(port);
        let scheme = if config.tls.is_some() { "https" } else { "http" };
        let own = SocketAddr::new(own_address(), port);
        config.public_url = format!("{scheme}://{own}/").parse().ok();
    }
    Ok(())
}

/// This computer's address on its network; loopback if it is on none. Nothing is sent.
fn own_address() -> IpAddr {
    let asked = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).and_then(|socket| {
        // Of a range for documentation: only the route is looked up.
        socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9))?;
        socket.local_addr()
    });
    match asked {
        Ok(addr) if !addr.ip().is_unspecified() => addr.ip(),
        Ok(_) | Err(_) => Ipv4Addr::LOCALHOST.into(),
    }
}

async fn start_engine(
    data: &Path,
    settings: &Settings,
    embedded: Option<&Embedded>,
    vault: &Vault,
) -> Result<Engine, AppError> {
    let config = engine_config(data.to_owned(), settings, embedded)?;
    Ok(Engine::start(config, Keys::of(vault)).await?)
}

fn engine_config(
    data: PathBuf,
    settings: &Settings,
    embedded: Option<&Embedded>,
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
    let service = Service::parse(&base_url, &regions).map_err(engine::StartError::Service)?;
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
    })
}

fn remember(
    data: &Path,
    engine: &Engine,
    embedded: Option<&Embedded>,
    standing: &mut Vec<Trouble>,
) {
    let before = Ports::read(data);
    let ports = Ports {
        listener: Some(engine.listener().port()),
        broker: embedded.map(|embedded| embedded.addr().port()).or(before.broker),
    };
    if let Err(error) = ports.write(data) {
        standing.push(Trouble {
            code: Code::FreeSpace,
            text: format!("Remember the ports for the next start: {error}."),
            remedy: "Free some space and check the data folder's permissions.".into(),
        });
    }
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
