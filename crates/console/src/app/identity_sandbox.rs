//! The sandbox: stand-ins for the identity services that are not configured.

use std::sync::Arc;

use sandbox::{Running, Sandbox};
use tokio::sync::{Mutex, MutexGuard};

use super::{
    data_folder::DataFolder,
    ports::{self, Ports},
};
use crate::{
    Settings,
    present::{remedy, trouble},
    view::{Code, Identity, Trouble},
};

/// The stand-ins, if they run.
pub(crate) struct IdentitySandbox {
    folder: Arc<DataFolder>,
    running: Mutex<Option<Running>>,
}

/// The stand-in for one service.
pub(crate) struct StandIn {
    /// Its address.
    pub base_url: String,
    /// Its page for people, if it has one.
    pub page: Option<String>,
}

impl IdentitySandbox {
    pub fn new(folder: Arc<DataFolder>) -> Self {
        Self { folder, running: Mutex::default() }
    }

    /// Whether one of the services has no address.
    pub fn is_needed(settings: &Settings) -> bool {
        Identity::ALL.into_iter().any(|service| service.address(settings).is_none())
    }

    /// The stand-ins, which run while the guard is held; they are started first if `settings`
    /// need one. If they don't start, a trouble has the reason, because the technician can
    /// work without them.
    pub async fn start(
        &self,
        settings: &Settings,
    ) -> (MutexGuard<'_, Option<Running>>, Option<Trouble>) {
        let mut slot = self.running.lock().await;
        if !Self::is_needed(settings) || slot.is_some() {
            return (slot, None);
        }
        match self.run().await {
            Ok(running) => {
                *slot = Some(running);
                (slot, None)
            }
            Err(error) => (slot, Some(not_started(&error))),
        }
    }

    /// Runs the stand-ins on their previous ports, if those are free.
    async fn run(&self) -> Result<Running, sandbox::StartError> {
        let path = &self.folder.path;
        let last = Ports::read(path);
        let mut config = sandbox::Config::embedded(path.join("sandbox"));
        config.store_key = Some(self.folder.vault.subkey("sandbox store"));
        config.examples = true;
        config.ports = sandbox::Ports {
            logintc: ports::choose(0, last.sandbox_logintc, false),
            rocketchat: ports::choose(0, last.sandbox_rocketchat, false),
            passwordless: ports::choose(0, last.sandbox_passwordless, false),
        };
        let running = Sandbox::start(config).await?;
        let [logintc, rocketchat, passwordless] = running.addrs().map(|addr| Some(addr.port()));
        let ports = Ports {
            sandbox_logintc: logintc,
            sandbox_rocketchat: rocketchat,
            sandbox_passwordless: passwordless,
            ..last
        };
        // The next start can use other ports, so this does not stand as a trouble.
        if let Err(error) = ports.write(path) {
            tracing::warn!(%error, "remember the sandbox's ports");
        }
        Ok(running)
    }

    /// The stand-in for a service; none if the real one is in use.
    pub async fn stand_in(&self, service: Identity, settings: &Settings) -> Option<StandIn> {
        if service.address(settings).is_some() {
            return None;
        }
        let sandbox = self.running.lock().await;
        let running = sandbox.as_ref()?;
        Some(match service {
            Identity::Passwordless => {
                StandIn { base_url: running.passwordless().base_url(), page: None }
            }
            Identity::Logintc => {
                let phones = running.logintc();
                StandIn { base_url: phones.base_url(), page: Some(phones.phone_url()) }
            }
            Identity::Rocketchat => {
                let base_url = running.rocketchat().base_url();
                StandIn { page: Some(format!("{base_url}/")), base_url }
            }
        })
    }

    /// Gives `look` access to the stand-ins, if they run.
    pub async fn look<T>(&self, look: impl FnOnce(&Running) -> T) -> Option<T> {
        self.running.lock().await.as_ref().map(look)
    }

    /// Stops them, if they run.
    pub async fn close(self: Arc<Self>) {
        let running = self.running.lock().await.take();
        if let Some(running) = running {
            running.shutdown().await;
        }
    }
}

fn not_started(error: &sandbox::StartError) -> Trouble {
    let without =
        "Passkeys, verification and device lookup need their services set up, or a new start.";
    let sandbox::StartError::Store(sandbox::StoreError::Database(store)) = error else {
        let text = trouble::sentence(&error.to_string());
        return Trouble { code: Code::CheckAddress, text, remedy: without.into() };
    };
    let doing = format_args!("start the sandbox: {store}");
    let Trouble { code, text, remedy } = trouble::new(&doing, remedy::of_store(store));
    Trouble { code, text, remedy: format!("{remedy} {without}") }
}
