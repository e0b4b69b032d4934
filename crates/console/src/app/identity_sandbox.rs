//! The sandbox: stand-ins for those of the three identity services that are not configured.

use std::sync::Arc;

use sandbox::{Running, Sandbox};
use tokio::sync::{Mutex, MutexGuard};

use super::{
    data_folder::DataFolder,
    ports::{self, Ports},
};
use crate::{
    Settings,
    present::trouble,
    view::{Code, Identity, Trouble},
};

/// The stand-ins, if they run.
pub(crate) struct IdentitySandbox {
    folder: Arc<DataFolder>,
    running: Mutex<Option<Running>>,
}

/// What stands for a service.
pub(crate) struct StandIn {
    /// Its address.
    pub base_url: String,
    /// Its page for people, where it has one.
    pub page: Option<String>,
}

impl IdentitySandbox {
    pub fn new(folder: Arc<DataFolder>) -> Self {
        Self { folder, running: Mutex::default() }
    }

    /// The stand-ins, for as long as the guard is held; started before, if `settings` need one. A trouble says why
    /// they don't start, for the technician can work without.
    pub async fn start(
        &self,
        settings: &Settings,
    ) -> (MutexGuard<'_, Option<Running>>, Option<Trouble>) {
        let mut slot = self.running.lock().await;
        let needed = settings.passwordless_url.is_none()
            || settings.logintc_url.is_none()
            || settings.rocketchat_url.is_none();
        if !needed || slot.is_some() {
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

    /// On the ports of last time, where those are free.
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
        // Other ports will do at the next start, so this stands as no trouble.
        if let Err(error) = ports.write(path) {
            tracing::warn!(%error, "remember the sandbox's ports");
        }
        Ok(running)
    }

    /// What stands for a service; none where it is the real one.
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

    /// Looks at the stand-ins, if they run.
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
    Trouble {
        code: Code::CheckAddress,
        text: trouble::sentence(&error.to_string()),
        remedy:
            "Passkeys, verification and device lookup need their services set up, or a new start."
                .into(),
    }
}
