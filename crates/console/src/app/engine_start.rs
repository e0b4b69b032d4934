//! Starts the engine under the settings in force, and replaces it when they change.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use engine::{
    Config, Engine, Keys, Listener, StartError, Stores, access::Access, audit_trail::AuditTrail,
    faults::Faults, remote::LoginWithMeConfig,
};

use super::{
    AppError, Console, Embedded,
    ports::{self, Ports},
    service_clients,
};
use crate::Settings;

/// How long a PIN counts as valid: the service says about a day.
const PIN_LIFE: Duration = Duration::from_secs(86_400);

/// An address at which nothing can answer, in place of a broker that didn't start.
const NOWHERE: &str = "http://127.0.0.1:0";

/// Stops the engine and starts it again under the settings in force; if that fails, under `before`.
///
/// # Errors
/// The reason why the engine can't run under the new settings; the old ones are in force again.
pub(crate) async fn restart_engine(
    console: &Console,
    settings: &Settings,
    before: &Settings,
) -> Result<(), AppError> {
    let restart = async {
        match start_again(console, settings).await {
            Ok(engine) => (Some(engine), Ok(())),
            Err(error) => (start_again(console, before).await.ok(), Err(error)),
        }
    };
    let restarted = console.engine.replace(restart).await;
    // The new engine has no clients of the identity services yet.
    service_clients::set_up(console).await;
    console.updates.announce();
    restarted
}

async fn start_again(console: &Console, settings: &Settings) -> Result<Engine, AppError> {
    let Console { folder, broker, access, .. } = console;
    if broker.start(settings).await?
        && let Some(embedded) = broker.get()
    {
        embedded.handle().release_deliveries();
    }
    let stores = Stores::open(&folder.path, Keys::from_vault(&folder.vault)).await?;
    let trail = audit_trail(&stores).await?;
    let engine =
        start_engine(&folder.path, settings, broker.get(), access.state.clone(), stores).await?;
    broker.remember_ports(engine.listener()).await;
    console.audit.write_to(Some(trail));
    Ok(engine)
}

/// The stores' audit log, and whether it still has its end.
pub(super) async fn audit_trail(stores: &Stores) -> Result<AuditTrail, StartError> {
    let trail = AuditTrail::open(stores.archive.clone(), stores.journal.clone());
    trail.await.map_err(StartError::Archive)
}

pub(super) async fn start_engine(
    data: &Path,
    settings: &Settings,
    embedded: Option<&Embedded>,
    access: Access,
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
        // Its store can't be read, which stands as a trouble. Nothing answers at this address.
        (None, None) => (NOWHERE.to_owned(), format!("{NOWHERE}/region/{{region}}")),
    };
    let service = LoginWithMeConfig::parse(&base_url, &regions).map_err(StartError::Service)?;
    // The public URL that others were given leads to this port, so no other port will do.
    let promised = settings.public_url.is_some();
    let last = Ports::read(&data).listener;
    Ok(Config {
        data,
        service,
        listener: Listener {
            ip: settings.listen.ip(),
            port: ports::choose(settings.listen.port(), last, promised),
            public_url: settings.public_url.clone(),
            connections: settings.listener_connections.and_then(|number| number.try_into().ok()),
            trusted_proxies: settings.listener_proxies(),
        },
        probe_rounds: settings.probe_rounds as usize,
        heartbeat: Duration::from_secs(u64::from(settings.heartbeat())),
        pin_life: PIN_LIFE,
        access,
        gate: service_clients::gate(settings),
    })
}
