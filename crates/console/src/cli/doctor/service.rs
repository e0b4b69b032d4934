//! The way to the service and the way back: the listener, the broker, and a nonce through both.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use engine::desktop::Headless;
use serve::Port;
use tokio::time::timeout;

use super::{Check, Failed};
use crate::{
    app::{App, Options},
    cli::temporary_folder,
    command::{Command, Reply},
    settings::{Settings, SettingsSource},
    view::{Reach, Trouble},
};

/// How long the whole way there and back may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Whether webhooks can be listened for.
pub(super) fn listener(listen: SocketAddr) -> Check {
    const NAME: &str = "listener";
    match serve::bind(listen.ip(), Port::Remembered(listen.port())) {
        Ok(bound) if listen.port() == 0 || bound.got_what_was_asked() => {
            Check::ok(NAME, format!("{} can be listened on", listen.ip()))
        }
        Ok(_) => {
            let text = format!("port {} is taken; another one would be used", listen.port());
            Check::warning(
                NAME,
                text,
                "Quit what uses it (a running console does), or set another with --listen.",
            )
        }
        Err(error) => {
            Check::failed(NAME, error.to_string(), "Set an address of this computer with --listen.")
        }
    }
}

/// Starts a console in a temporary folder and has the service call it with a nonce.
pub(super) async fn both_ways(settings: &Settings) -> Result<Vec<Check>, Failed> {
    const NAME: &str = "broker";
    let folder = temporary_folder()?;
    let options = Options {
        data: folder.path().join("data"),
        settings: SettingsSource::nowhere().with(settings.to_map()),
        desktop: Arc::new(Headless),
        program: "deskhand doctor",
        passphrase: None,
        use_keyring: false,
        broker_control: false,
        from_seq: None,
    };
    let app = match App::start(options).await {
        Ok(app) => app,
        Err(error) => {
            let Trouble { text, remedy, .. } = error.trouble();
            return Ok(vec![Check::failed(NAME, text, remedy)]);
        }
    };
    let tested = timeout(PATIENCE, app.command(Command::TestReach, "doctor")).await;
    let checks = match tested {
        Ok(answer) => judge(answer, settings),
        Err(_) => {
            vec![Check::failed(NAME, "no answer in time", "Check the network, then try again.")]
        }
    };
    app.stop().await;
    Ok(checks)
}

fn judge(answer: Result<Reply, Trouble>, settings: &Settings) -> Vec<Check> {
    const NAME: &str = "broker";
    let which = settings.base_url.as_deref().unwrap_or("the broker that comes along");
    match answer {
        Ok(Reply::Reach { reach: Reach::Reachable, text }) => {
            vec![Check::ok(NAME, format!("{which} answers")), Check::ok("way back", text)]
        }
        Ok(Reply::Reach { reach: Reach::Unknown | Reach::Unreachable, text }) => {
            let remedy = "Set --listen and --public-url so that the service can reach this computer; until then hooks don't arrive.";
            vec![Check::failed("way back", text, remedy)]
        }
        Ok(_) => vec![Check::failed(
            NAME,
            "it was tested, and the answer makes no sense",
            "Please report it.",
        )],
        Err(Trouble { text, remedy, .. }) => vec![Check::failed(NAME, text, remedy)],
    }
}
