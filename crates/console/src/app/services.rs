//! The three services that tell who somebody is: the real one where it is configured, else the sandbox's
//! stand-in. Only base URLs and credentials differ.

use std::path::Path;

use engine::{
    remote::{
        LoginTc, Passwordless, RocketChat, ServiceError, Services, logintc, passwordless,
        rocketchat,
    },
    vault::Vault,
};
use sandbox::Sandbox;
use session::{Gate, verification::Policy};
use url::Url;

use super::{Inner, ports, ports::Ports};
use crate::{
    Settings,
    present::trouble,
    view::{Code, GatePolicy, Trouble},
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

/// Sets the engine's clients up as the settings and secrets in force have it.
pub(crate) async fn set_up(inner: &Inner) {
    let settings = inner.settings();
    let mut sandbox = inner.sandbox.lock().await;
    if sandbox.is_none() && need_sandbox(&settings) {
        match start_sandbox(&inner.data, &inner.vault).await {
            Ok(running) => *sandbox = Some(running),
            Err(error) => inner.side(|side| side.standing.push(no_sandbox(&error))),
        }
    }
    let services = services(&settings, sandbox.as_ref());
    drop(sandbox);
    if let Some(engine) = inner.engine.read().await.as_ref() {
        engine.set_services(services);
        let gate = gate(&settings);
        engine.set_gate(gate.policy, gate.minutes);
    }
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

fn services(settings: &Settings, sandbox: Option<&sandbox::Running>) -> Services {
    let stand_in = |configured: &Option<String>| sandbox.filter(|_| configured.is_none());
    let logintc = stand_in(&settings.logintc_url).and_then(|sandbox| {
        let stand_in = sandbox.logintc();
        usable(LoginTc::new(logintc::Service {
            base_url: Url::parse(&stand_in.base_url()).ok()?,
            domain: stand_in.domain().to_owned(),
            key: stand_in.key(),
        }))
    });
    let rocketchat = stand_in(&settings.rocketchat_url).and_then(|sandbox| {
        let stand_in = sandbox.rocketchat();
        usable(RocketChat::new(rocketchat::Service {
            base_url: Url::parse(&stand_in.base_url()).ok()?,
            user_id: stand_in.user_id().to_owned(),
            token: stand_in.token(),
        }))
    });
    let passwordless = stand_in(&settings.passwordless_url).and_then(|sandbox| {
        let stand_in = sandbox.passwordless();
        usable(Passwordless::new(passwordless::Service {
            base_url: Url::parse(&stand_in.base_url()).ok()?,
            api_key: stand_in.api_key().to_owned(),
            api_secret: stand_in.api_secret(),
        }))
    });
    Services { logintc, rocketchat, passwordless }
}

fn usable<T>(client: Result<T, ServiceError>) -> Option<T> {
    client.inspect_err(|error| tracing::warn!(%error, "set a service up")).ok()
}
