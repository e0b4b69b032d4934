//! The way to the service and back: the listener, the broker, and a hook through both.

use std::{net::SocketAddr, time::Duration};

use broker::Handle;
use serve::Port;
use tokio::time::timeout;
use uuid::Uuid;
use wire::{Pin, Side};

use super::{Check, Failed, Found};
use crate::{
    app::{App, Options},
    cli::{
        temporary_folder,
        watch::{Seen, Watch},
    },
    commands::{RemoteServiceCommand, SessionCommand},
    parameters::About,
    reply::Reply,
    settings::{Settings, SettingsSource},
    view::{HookView, LampKind, Reach, Trouble},
};

const BROKER: &str = "broker";
const WAY_BACK: &str = "way back";
const NETWORK: &str = "Check the address and the network, then try again.";
/// The name under which the doctor sends its commands.
const BY: &str = "doctor";
/// How long each part of the way may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Whether the console can listen for webhooks.
pub(super) fn listener(listen: SocketAddr) -> Check {
    const NAME: &str = "listener";
    match serve::bind(listen.ip(), Port::Remembered(listen.port())) {
        Ok(bound) if listen.port() == 0 || bound.got_requested_port() => {
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

/// Starts a console in a temporary folder, has it call the service, and has the service call it.
pub(super) async fn both_ways(settings: &Settings) -> Result<Vec<Check>, Failed> {
    let folder = temporary_folder()?;
    let options = Options {
        settings: SettingsSource::nowhere().with(settings.to_map()),
        broker_control: true,
        ..Options::for_a_while(folder.path(), "deskhand doctor")
    };
    let app = match App::start(options).await {
        Ok(app) => app,
        Err(error) => {
            let Trouble { text, remedy, .. } = error.trouble();
            return Ok(vec![Check::failed(BROKER, text, remedy)]);
        }
    };
    let mut watch = Watch::new(app.subscribe());
    let there = way_there(&app, &mut watch, settings).await;
    // Without an answer, the check of the way back would fail for the same reason.
    let answers = there.found == Found::Ok;
    let mut checks = vec![there];
    if answers {
        checks.push(match app.broker() {
            Some(broker) => hook_of_own_broker(&app, &mut watch, &broker.handle()).await,
            None => nonce(&app).await,
        });
    }
    app.stop().await;
    Ok(checks)
}

/// Lists the regions and times them.
async fn way_there(app: &App, watch: &mut Watch, settings: &Settings) -> Check {
    let which = settings.base_url.as_deref().unwrap_or("the broker that comes along");
    if let Err(Trouble { text, remedy, .. }) =
        app.command(RemoteServiceCommand::ProbeRegions, BY).await
    {
        return Check::failed(BROKER, text, remedy);
    }
    let raced = |seen: &Seen| {
        let race = seen.regions.as_ref()?;
        let over = race.chosen.is_some() || !race.reason.is_empty();
        over.then(|| race.chosen.clone().ok_or_else(|| race.reason.clone()))
    };
    match watch.until(PATIENCE, raced).await {
        Some(Ok(region)) => {
            Check::ok(BROKER, format!("{which} answers; its fastest region is {region}"))
        }
        Some(Err(why)) => {
            Check::failed(BROKER, format!("choose a region of {which}: {why}"), NETWORK)
        }
        None => Check::failed(BROKER, format!("{which} does not answer in time"), NETWORK),
    }
}

/// Makes a real session with a stand-in customer, and waits for the hook that this fires.
async fn hook_of_own_broker(app: &App, watch: &mut Watch, broker: &Handle) -> Check {
    const REMEDY: &str = "See the log with --log debug, and check --listen and --public-url.";
    let failed = |text: String| Check::failed(WAY_BACK, text, REMEDY);
    let command = SessionCommand::NewSession { about: About::default(), region: None };
    let session = match app.command(command, BY).await {
        Ok(Reply::Session { id }) => id,
        Ok(_) => return failed("make a session: the answer makes no sense".to_owned()),
        Err(trouble) => return failed(trouble.text),
    };
    // Hooks and PIN are in the detail, which is pushed only for the session on screen.
    let _ = app.command(SessionCommand::Show { session: Some(session.clone()) }, BY).await;
    let armed = |seen: &Seen| {
        let detail = seen.details.get(&session)?;
        let armed =
            |hook: &HookView| matches!(hook.lamp, LampKind::Armed | LampKind::ArmedUnreachable);
        let pin = detail.pin.as_ref()?.text.parse::<Pin>().ok()?;
        detail.hooks.iter().all(armed).then_some(pin)
    };
    let Some(pin) = watch.until(PATIENCE, armed).await else {
        return failed("arm the hooks of a session: it was not done in time".to_owned());
    };
    let page = Uuid::new_v4();
    if let Err(why) = broker.page_arrives(&pin, Side::Presenter, page, "doctor").await {
        return failed(format!("join as a stand-in customer: {why}"));
    }
    let online = |seen: &Seen| (seen.count(&session, "presenter_online") > 0).then_some(());
    match watch.until(PATIENCE, online).await {
        Some(()) => Check::ok(WAY_BACK, "a hook of a session made for this arrived"),
        None => failed("wait for a hook of a session made for this: it did not arrive".to_owned()),
    }
}

/// Has the listener called at the hooks' URL, by the service if it offers that.
async fn nonce(app: &App) -> Check {
    const REMEDY: &str = "Set --listen and --public-url so that the service can reach this computer; until then hooks don't arrive.";
    match timeout(PATIENCE, app.command(RemoteServiceCommand::TestReach, BY)).await {
        Ok(Ok(Reply::Reach { reach: Reach::Reachable, text })) => Check::ok(WAY_BACK, text),
        Ok(Ok(Reply::Reach { reach: Reach::Unknown, text })) => {
            Check::warning(WAY_BACK, text, REMEDY)
        }
        Ok(Ok(Reply::Reach { reach: Reach::Unreachable, text })) => {
            Check::failed(WAY_BACK, text, REMEDY)
        }
        Ok(Ok(_)) => Check::failed(WAY_BACK, "the answer makes no sense", "Please report it."),
        Ok(Err(Trouble { text, remedy, .. })) => Check::failed(WAY_BACK, text, remedy),
        Err(_) => Check::failed(WAY_BACK, "the listener doesn't answer in time", REMEDY),
    }
}
