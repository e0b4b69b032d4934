//! Commands over the three identity services: where each is, their secrets, a test
//! of the connection.

use engine::{
    clock::now,
    journal::KeptSecret,
    remote::{LoginTc, RocketChat, logintc, rocketchat},
};
use serde::Deserialize;
use strum::VariantNames;
use ts_rs::TS;

use super::{
    CommandResult,
    policy::{AuditPolicy, Policy},
};
use crate::{
    Settings,
    app::{App, Console, StoredSecrets, check_secret, set_up_services, stored_name},
    parameters::Secret,
    present::{identity_services as present, trouble},
    reply::Reply,
    view::{ConnectionView, Identity, IdentityServiceView, SecretName, Trouble},
};

/// Commands over the identity services and their secrets.
#[derive(Clone, Deserialize, TS, VariantNames)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
#[strum(serialize_all = "snake_case")]
pub enum IdentityServiceCommand {
    /// The three services, and what each still needs. Answers `services`.
    Services,
    /// Keeps a service's secret. It is never shown again. Answers `services`.
    SetSecret {
        secret: SecretName,
        #[ts(as = "String")]
        value: Secret,
    },
    /// Removes a service's secret. Answers `services`.
    RemoveSecret { secret: SecretName },
    /// Tries a service with what is set. Answers `connection`.
    TestConnection { service: Identity },
}

impl IdentityServiceCommand {
    pub(super) fn policy(&self, _: &Settings) -> Policy {
        Policy::refused_while_locked(match self {
            Self::SetSecret { secret, .. } => {
                AuditPolicy::before("secret_set", format!("Sets {}.", secret_name(*secret)))
            }
            Self::RemoveSecret { secret } => {
                AuditPolicy::before("secret_removed", format!("Removes {}.", secret_name(*secret)))
            }
            Self::Services | Self::TestConnection { .. } => AuditPolicy::Nothing,
        })
    }

    pub(super) async fn carry_out(self, app: &App, by: &str) -> CommandResult {
        let console = app.console();
        match self {
            Self::Services => services(console).await,
            Self::SetSecret { secret, value } => set(console, secret, value, by).await,
            Self::RemoveSecret { secret } => remove(console, secret).await,
            Self::TestConnection { service } => test(console, service).await,
        }
    }
}

fn secret_name(secret: SecretName) -> String {
    format!("the {} of {}", secret.name(), secret.service().name())
}

async fn services(console: &Console) -> CommandResult {
    let engine = console.engine.require().await?;
    let kept =
        StoredSecrets::read(engine.journal()).await.map_err(|error| trouble::of_store(&error))?;
    drop(engine);
    let mut services = Vec::with_capacity(Identity::ALL.len());
    for service in Identity::ALL {
        services.push(view(console, service, &kept).await);
    }
    Ok(Reply::Services { services })
}

/// Sets a secret: checked, stored and put in use, in this order.
async fn set(console: &Console, secret: SecretName, value: Secret, by: &str) -> CommandResult {
    let value = check_secret(secret, &value.0)?;
    let kept = KeptSecret { value, at: now(), by: by.to_owned() };
    let written =
        console.engine.require().await?.journal().keep_secret(stored_name(secret), kept).await;
    written.map_err(|error| trouble::of_store(&error))?;
    changed(console).await
}

async fn remove(console: &Console, secret: SecretName) -> CommandResult {
    let written =
        console.engine.require().await?.journal().remove_secret(stored_name(secret)).await;
    written.map_err(|error| trouble::of_store(&error))?;
    changed(console).await
}

async fn changed(console: &Console) -> CommandResult {
    set_up_services(console).await;
    console.updates.announce();
    services(console).await
}

async fn view(console: &Console, service: Identity, kept: &StoredSecrets) -> IdentityServiceView {
    let settings = console.settings.current();
    let stand_in = console.sandbox.stand_in(service, &settings).await;
    let secret = kept.get(service);
    let address = service.address(&settings).map(str::to_owned);
    let mut missing = present::missing(service, &settings, secret.is_some());
    if address.is_none() && stand_in.is_none() {
        missing = Some(present::unusable(service));
    }
    let (base_url, page) = match stand_in {
        Some(stand_in) => (stand_in.base_url, stand_in.page),
        None => (address.clone().unwrap_or_default(), None),
    };
    IdentityServiceView {
        service,
        sandbox: address.is_none(),
        base_url,
        secret: service.secret(),
        has_secret: secret.is_some(),
        secret_set_at: secret.map(|kept| kept.at.0),
        secret_set_by: secret.map(|kept| kept.by.clone()).unwrap_or_default(),
        missing,
        page,
    }
}

/// Calls the service with the console's own credentials, but changes nothing there.
async fn test(console: &Console, service: Identity) -> CommandResult {
    let clients = console.engine.require().await?.services();
    let mut works = Vec::new();
    let tested = match service {
        Identity::Passwordless => match clients.passwordless {
            Some(client) => {
                client.ping().await.map_err(|error| present::of_passkeys(&error)).map(|()| {
                    works.push("The passkey service answers and accepts the API secret.".into());
                })
            }
            None => Err(not_set_up(console, service).await?),
        },
        Identity::Logintc => match clients.logintc {
            Some(client) => test_logintc(&client, &mut works).await,
            None => Err(not_set_up(console, service).await?),
        },
        Identity::Rocketchat => match clients.rocketchat {
            Some(client) => test_workspace(&client, &mut works).await,
            None => Err(not_set_up(console, service).await?),
        },
    };
    let connection = ConnectionView { service, works, trouble: tested.err() };
    Ok(Reply::Connection { connection })
}

/// The id of a verification that nobody requested: the answer about it tells whether the
/// domain is known.
const NO_VERIFICATION: &str = "0000000000000000000000000000000000000000";

async fn test_logintc(client: &LoginTc, works: &mut Vec<String>) -> Result<(), Trouble> {
    client.ping().await.map_err(|error| present::of_logintc(&error))?;
    works.push("The verification service answers and accepts the API key.".into());
    match client.poll(NO_VERIFICATION).await {
        Ok(_) | Err(logintc::Error::Gone(_)) => {
            works.push("It knows the domain.".into());
            Ok(())
        }
        Err(error) => Err(present::of_logintc(&error)),
    }
}

async fn test_workspace(client: &RocketChat, works: &mut Vec<String>) -> Result<(), Trouble> {
    client.check().await.map_err(|error| present::of_workspace(&error))?;
    works.push("The workspace answers and accepts the access token with its user id.".into());
    match client.list_all(1, 0, "", None, None).await {
        Ok(_) => works.push("Its user may look devices up.".into()),
        Err(error) => match error.why {
            rocketchat::Why::FactorNeeded(_) => works.push(
                "Its user may look devices up; the workspace will ask for a second factor.".into(),
            ),
            rocketchat::Why::NotLoggedIn
            | rocketchat::Why::NoPermission
            | rocketchat::Why::FactorWrong(_)
            | rocketchat::Why::NotFound
            | rocketchat::Why::RateLimited { .. }
            | rocketchat::Why::InvalidParams
            | rocketchat::Why::OtherSession
            | rocketchat::Why::Call(..) => return Err(present::of_workspace(&error)),
        },
    }
    Ok(())
}

/// The reason why a service has no client.
async fn not_set_up(console: &Console, service: Identity) -> Result<Trouble, Trouble> {
    let engine = console.engine.require().await?;
    let kept =
        StoredSecrets::read(engine.journal()).await.map_err(|error| trouble::of_store(&error))?;
    drop(engine);
    let view = view(console, service, &kept).await;
    Ok(view.missing.unwrap_or_else(|| present::unusable(service)))
}
