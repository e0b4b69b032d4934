//! The three services that tell who somebody is: the real one where it is configured, else the sandbox's
//! stand-in. Only base URLs and credentials differ.

mod shape;

use std::path::Path;

use engine::{
    StoreError,
    journal::{Journal, KeptSecret, ServiceSecret},
    remote::{
        IdentityClients, LoginTc, Passwordless, RocketChat, ServiceError, logintc, passwordless,
        rocketchat,
    },
    vault::Vault,
};
use sandbox::Sandbox;
use secrecy::SecretString;
use session::{Gate, verification::Policy};
use url::Url;

pub(crate) use self::shape::secret as check_secret;

use super::{Inner, ports, ports::Ports};
use crate::{
    Settings,
    present::trouble,
    view::{Code, GatePolicy, Identity, SecretName, Trouble},
};

/// Whether one of the three is not configured, so that its stand-in is wanted.
pub(super) fn need_sandbox(settings: &Settings) -> bool {
    settings.passwordless_url.is_none()
        || settings.logintc_url.is_none()
        || settings.rocketchat_url.is_none()
}

/// Starts the stand-ins, on their ports of last time where those are free.
pub(super) async fn start_sandbox(
    data: &Path,
    vault: &Vault,
) -> Result<sandbox::Running, sandbox::StartError> {
    let last = Ports::read(data);
    let mut config = sandbox::Config::embedded(data.join("sandbox"));
    config.store_key = Some(vault.subkey("sandbox store"));
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
    if let Err(error) = ports.write(data) {
        tracing::warn!(%error, "remember the sandbox's ports");
    }
    Ok(running)
}

pub(super) fn no_sandbox(error: &sandbox::StartError) -> Trouble {
    Trouble {
        code: Code::CheckAddress,
        text: trouble::sentence(&error.to_string()),
        remedy:
            "Passkeys, verification and device lookup need their services set up, or a new start."
                .into(),
    }
}

/// The secrets that are kept, each with who and when.
#[derive(Default)]
pub(crate) struct Kept {
    passwordless: Option<KeptSecret>,
    logintc: Option<KeptSecret>,
    rocketchat: Option<KeptSecret>,
}

impl Kept {
    /// Reads them all.
    ///
    /// # Errors
    /// By remedy.
    pub async fn read(journal: &Journal) -> Result<Self, StoreError> {
        Ok(Self {
            passwordless: journal.secret(ServiceSecret::Passwordless).await?,
            logintc: journal.secret(ServiceSecret::Logintc).await?,
            rocketchat: journal.secret(ServiceSecret::Rocketchat).await?,
        })
    }

    /// A service's.
    pub const fn of(&self, service: Identity) -> Option<&KeptSecret> {
        match service {
            Identity::Passwordless => self.passwordless.as_ref(),
            Identity::Logintc => self.logintc.as_ref(),
            Identity::Rocketchat => self.rocketchat.as_ref(),
        }
    }

    fn value(&self, service: Identity) -> Option<SecretString> {
        self.of(service).map(|kept| kept.value.clone())
    }
}

/// Where a secret is kept.
pub(crate) const fn place(secret: SecretName) -> ServiceSecret {
    match secret {
        SecretName::PasswordlessSecret => ServiceSecret::Passwordless,
        SecretName::LogintcKey => ServiceSecret::Logintc,
        SecretName::RocketchatToken => ServiceSecret::Rocketchat,
    }
}

/// Sets the engine's clients up as the settings and secrets in force have it.
pub(crate) async fn set_up(inner: &Inner) {
    // Held to the end: of two at once, the one with the newer secrets has the last word.
    let mut sandbox = inner.sandbox.lock().await;
    let settings = inner.settings();
    if sandbox.is_none() && need_sandbox(&settings) {
        match start_sandbox(&inner.data, &inner.vault).await {
            Ok(running) => *sandbox = Some(running),
            Err(error) => inner.side(|side| side.standing.push(no_sandbox(&error))),
        }
    }
    let engine = inner.engine.read().await;
    let Some(engine) = engine.as_ref() else { return };
    let kept = Kept::read(engine.journal()).await.unwrap_or_else(|error| {
        let unread = unread(&error);
        inner.side(|side| {
            if !side.standing.contains(&unread) {
                side.standing.push(unread);
            }
        });
        Kept::default()
    });
    engine.set_services(services(&settings, sandbox.as_ref(), &kept));
    let gate = gate(&settings);
    engine.set_gate(gate.policy, gate.minutes);
}

/// What is asked for before a viewer is opened, as the settings have it.
pub(super) fn gate(settings: &Settings) -> Gate {
    let policy = match settings.verify_gate {
        GatePolicy::Off => Policy::Off,
        GatePolicy::Warn => Policy::Warn,
        GatePolicy::Require => Policy::Require,
    };
    Gate { policy, minutes: settings.verify_gate_min }
}

fn unread(error: &StoreError) -> Trouble {
    let Trouble { code, text, .. } = trouble::of_store(error);
    let remedy = "Enter the services' secrets again, or restore a copy of the data folder.".into();
    Trouble { code, text, remedy }
}

/// The sandbox's page for people that stands for a service; none where it is the real one.
pub(crate) async fn stand_in(inner: &Inner, service: Identity) -> Option<StandIn> {
    let settings = inner.settings();
    if service.address(&settings).is_some() {
        return None;
    }
    let sandbox = inner.sandbox.lock().await;
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

/// What stands for a service.
pub(crate) struct StandIn {
    /// Its address.
    pub base_url: String,
    /// Its page for people, where it has one.
    pub page: Option<String>,
}

fn services(
    settings: &Settings,
    sandbox: Option<&sandbox::Running>,
    kept: &Kept,
) -> IdentityClients {
    IdentityClients {
        logintc: logintc_service(settings, sandbox, kept)
            .and_then(|service| usable(LoginTc::new(service))),
        rocketchat: rocketchat_service(settings, sandbox, kept)
            .and_then(|service| usable(RocketChat::new(service))),
        passwordless: passwordless_service(settings, sandbox, kept)
            .and_then(|service| usable(Passwordless::new(service))),
    }
}

fn logintc_service(
    settings: &Settings,
    sandbox: Option<&sandbox::Running>,
    kept: &Kept,
) -> Option<logintc::LoginTcConfig> {
    let Some(address) = &settings.logintc_url else {
        let stand_in = sandbox?.logintc();
        return Some(logintc::LoginTcConfig {
            base_url: Url::parse(&stand_in.base_url()).ok()?,
            domain: stand_in.domain().to_owned(),
            key: stand_in.key(),
        });
    };
    Some(logintc::LoginTcConfig {
        base_url: Url::parse(address).ok()?,
        domain: settings.logintc_domain.clone()?,
        key: kept.value(Identity::Logintc)?,
    })
}

fn rocketchat_service(
    settings: &Settings,
    sandbox: Option<&sandbox::Running>,
    kept: &Kept,
) -> Option<rocketchat::RocketChatConfig> {
    let Some(address) = &settings.rocketchat_url else {
        let stand_in = sandbox?.rocketchat();
        return Some(rocketchat::RocketChatConfig {
            base_url: Url::parse(&stand_in.base_url()).ok()?,
            user_id: stand_in.user_id().to_owned(),
            token: stand_in.token(),
        });
    };
    Some(rocketchat::RocketChatConfig {
        base_url: Url::parse(address).ok()?,
        user_id: settings.rocketchat_user.clone()?,
        token: kept.value(Identity::Rocketchat)?,
    })
}

fn passwordless_service(
    settings: &Settings,
    sandbox: Option<&sandbox::Running>,
    kept: &Kept,
) -> Option<passwordless::PasswordlessConfig> {
    let Some(address) = &settings.passwordless_url else {
        let stand_in = sandbox?.passwordless();
        return Some(passwordless::PasswordlessConfig {
            base_url: Url::parse(&stand_in.base_url()).ok()?,
            api_key: stand_in.api_key().to_owned(),
            api_secret: stand_in.api_secret(),
        });
    };
    Some(passwordless::PasswordlessConfig {
        base_url: Url::parse(address).ok()?,
        api_key: settings.passwordless_key.clone()?,
        api_secret: kept.value(Identity::Passwordless)?,
    })
}

fn usable<T>(client: Result<T, ServiceError>) -> Option<T> {
    client.inspect_err(|error| tracing::warn!(%error, "set a service up")).ok()
}
