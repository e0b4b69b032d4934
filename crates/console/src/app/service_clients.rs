//! The clients of the three identity services: of the real service if it is configured, else of the
//! sandbox's stand-in. Only base URLs and credentials differ.

use engine::{
    StoreError,
    journal::{Journal, KeptSecret, ServiceSecret},
    remote::{
        IdentityClients, LoginTc, Passwordless, RocketChat, ServiceError, logintc, passwordless,
        rocketchat,
    },
};
use secrecy::SecretString;
use session::{Gate, verification::Policy};
use url::Url;

use super::Console;
use crate::{
    Settings,
    present::trouble,
    view::{GatePolicy, Identity, SecretName, Trouble},
};

/// The stored secrets, each with the person who set it and the time.
#[derive(Default)]
pub(crate) struct StoredSecrets {
    passwordless: Option<KeptSecret>,
    logintc: Option<KeptSecret>,
    rocketchat: Option<KeptSecret>,
}

impl StoredSecrets {
    pub async fn read(journal: &Journal) -> Result<Self, StoreError> {
        Ok(Self {
            passwordless: journal.secret(ServiceSecret::Passwordless).await?,
            logintc: journal.secret(ServiceSecret::Logintc).await?,
            rocketchat: journal.secret(ServiceSecret::Rocketchat).await?,
        })
    }

    pub const fn get(&self, service: Identity) -> Option<&KeptSecret> {
        match service {
            Identity::Passwordless => self.passwordless.as_ref(),
            Identity::Logintc => self.logintc.as_ref(),
            Identity::Rocketchat => self.rocketchat.as_ref(),
        }
    }

    fn value(&self, service: Identity) -> Option<SecretString> {
        self.get(service).map(|kept| kept.value.clone())
    }
}

/// The journal's name for a secret.
pub(crate) const fn stored_name(secret: SecretName) -> ServiceSecret {
    match secret {
        SecretName::PasswordlessSecret => ServiceSecret::Passwordless,
        SecretName::LogintcKey => ServiceSecret::Logintc,
        SecretName::RocketchatToken => ServiceSecret::Rocketchat,
    }
}

/// Sets up the engine's clients by the settings and secrets in force.
pub(crate) async fn set_up(console: &Console) {
    let settings = console.settings.current();
    // The sandbox is held to the end, so that of two simultaneous calls the one with the newer
    // secrets ends last.
    let (sandbox, not_started) = console.sandbox.start(&settings).await;
    if let Some(trouble) = not_started {
        console.standing.add(trouble);
    }
    let Some(engine) = console.engine.get().await else { return };
    let secrets = StoredSecrets::read(engine.journal()).await.unwrap_or_else(|error| {
        console.standing.add(unread(&error));
        StoredSecrets::default()
    });
    engine.set_services(services(&settings, sandbox.as_ref(), &secrets));
    engine.set_gate(gate(&settings));
}

/// The gate that the settings require before a viewer is opened, or a link to one mailed.
pub(super) fn gate(settings: &Settings) -> Gate {
    let policy = match settings.verify_gate {
        GatePolicy::Off => Policy::Off,
        GatePolicy::Warn => Policy::Warn,
        GatePolicy::Require => Policy::Require,
    };
    let (minutes, control_waits) = (settings.verify_gate_min, settings.control_after_words);
    Gate { policy, minutes, control_waits }
}

fn unread(error: &StoreError) -> Trouble {
    let Trouble { code, text, .. } = trouble::of_store(error);
    let remedy = "Enter the services' secrets again, or restore a copy of the data folder.".into();
    Trouble { code, text, remedy }
}

fn services(
    settings: &Settings,
    sandbox: Option<&sandbox::Running>,
    secrets: &StoredSecrets,
) -> IdentityClients {
    IdentityClients {
        logintc: logintc_service(settings, sandbox, secrets)
            .and_then(|service| usable(LoginTc::new(service))),
        rocketchat: rocketchat_service(settings, sandbox, secrets)
            .and_then(|service| usable(RocketChat::new(service))),
        passwordless: passwordless_service(settings, sandbox, secrets)
            .and_then(|service| usable(Passwordless::new(service))),
    }
}

fn logintc_service(
    settings: &Settings,
    sandbox: Option<&sandbox::Running>,
    secrets: &StoredSecrets,
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
        key: secrets.value(Identity::Logintc)?,
    })
}

fn rocketchat_service(
    settings: &Settings,
    sandbox: Option<&sandbox::Running>,
    secrets: &StoredSecrets,
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
        token: secrets.value(Identity::Rocketchat)?,
    })
}

fn passwordless_service(
    settings: &Settings,
    sandbox: Option<&sandbox::Running>,
    secrets: &StoredSecrets,
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
        api_secret: secrets.value(Identity::Passwordless)?,
    })
}

fn usable<T>(client: Result<T, ServiceError>) -> Option<T> {
    client.inspect_err(|error| tracing::warn!(%error, "set a service up")).ok()
}
