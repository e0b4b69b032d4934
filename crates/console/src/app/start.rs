//! The start of a console: step by step, each leaving a guard behind that undoes it.

use std::{path::PathBuf, sync::Arc, time::Duration};

use engine::{Engine, StartError, backup::StoreFile};
use jiff::tz::TimeZone;

use super::{
    App, AppError, AuditEntry, Console, Options,
    access::{self, AccessControl},
    audit_log::AuditLog,
    backup::{self, BackupProgress},
    ceremony::Ceremonies,
    embedded_broker::EmbeddedBroker,
    engine_slot::EngineSlot,
    engine_start::start_engine,
    follow, full_servers,
    identity_sandbox::IdentitySandbox,
    licence_consent,
    lost_data::{self, Losses},
    opening::{OpenStores, Opened, lost_servers, open_folder, open_stores, people},
    retention, roster, service_clients, settings_damage,
    settings_in_force::{SettingsInForce, StoredSettings},
    shutdown::{Guards, Lifecycle},
    standing_troubles::StandingTroubles,
    store_check,
    unread::UnreadCounts,
    updates::Updates,
    viewer::Viewers,
};
use crate::settings::{Damage, Loaded, SettingsError};

/// How long deliveries that the broker held back wait for every hook's first try.
const LONGEST_HOOK_TRY: Duration = Duration::from_secs(5);

/// Starts a console. If a step fails, the earlier ones are undone in reverse order.
pub(super) async fn start(options: Options) -> Result<App, AppError> {
    let mut guards = Guards::default();
    match start_steps(options, &mut guards).await {
        Ok(console) => {
            console.lifecycle.keep(guards);
            Ok(App(console))
        }
        Err(error) => {
            guards.close().await;
            Err(error)
        }
    }
}

async fn start_steps(options: Options, guards: &mut Guards) -> Result<Arc<Console>, AppError> {
    let console = assemble(options, guards).await?;
    spawn_followers(&console).await;
    Ok(console)
}

/// Everything but the background tasks.
async fn assemble(options: Options, guards: &mut Guards) -> Result<Arc<Console>, AppError> {
    let Opened { folder, loaded, aside } = open_folder(&options).await?;
    let locked = folder.clone();
    guards.push(async move { locked.unlock() });
    let standing = Arc::new(StandingTroubles::default());
    let Loaded { stored, settings, damage } = loaded;
    let settings = Arc::new(settings);
    let servers = lost_data::servers(&folder.path, &settings);
    let sandbox = Arc::new(IdentitySandbox::new(folder.clone()));
    let broker =
        Arc::new(EmbeddedBroker::new(folder.clone(), standing.clone(), options.unattended));
    // The guards come before the starts, since one may be up when the other fails.
    guards.push(sandbox.clone().close());
    guards.push(broker.clone().close());
    // Started together: none needs another, and all wait for the disk.
    let (broker_started, (_, no_sandbox), opened) = tokio::join!(
        broker.start(&settings),
        sandbox.start(&settings),
        open_stores(&folder, &standing, options.accept_lost_data)
    );
    broker_started?;
    no_sandbox.into_iter().for_each(|trouble| standing.add(trouble));
    let OpenStores { stores, trail, losses } = opened?;
    let lost_servers = lost_servers(&stores, &folder.path, servers).await?;
    let forgot_people = options.forget_profiles;
    let found = Found { aside, losses, lost_servers, damage, forgot_people };
    let people = people(&stores, forgot_people).await?;
    // Made before the engine, which asks from its first call on whether the console is locked.
    let access = access::at_start(&settings, &people);
    let engine =
        start_engine(&folder.path, &settings, broker.get(), access.clone(), stores).await?;
    broker.remember_ports(engine.listener()).await;
    let updates = updates(&engine, options.from_seq).await?;
    let audit = Arc::new(AuditLog::new(trail, standing.clone(), updates.clone()));
    let settings = StoredSettings { stored, settings };
    let settings = Arc::new(SettingsInForce::new(options.settings, settings));
    let console = Arc::new(Console {
        engine: Arc::new(EngineSlot::new(engine)),
        access: AccessControl::new(access, people, settings.clone()),
        ceremonies: Ceremonies::new(options.pages.clone(), options.in_the_browser),
        viewers: Arc::new(Viewers::new(options.pages)),
        unread: UnreadCounts::default(),
        backup: BackupProgress::default(),
        lifecycle: Lifecycle::new(updates.clone()),
        desktop: options.desktop,
        zone: TimeZone::system(),
        broker_control: options.broker_control,
        folder,
        settings,
        broker,
        sandbox,
        audit,
        standing,
        updates,
    });
    push_engine(&console, guards);
    service_clients::set_up(&console).await;
    say(&console, found).await;
    Ok(console)
}

async fn updates(engine: &Engine, read_up_to: Option<u64>) -> Result<Arc<Updates>, AppError> {
    let newest = newest_happening(engine, read_up_to).await?;
    Ok(Arc::new(Updates::new(read_up_to, newest)))
}

/// The number of the newest happening. A reader that has read further has read another console's, or those of a time
/// before a backup was restored: it would get none of the next ones, so it is refused.
async fn newest_happening(engine: &Engine, read_up_to: Option<u64>) -> Result<u64, AppError> {
    let newest = engine.journal().last_event().await.map_err(StartError::Journal)?;
    match read_up_to.filter(|read| *read > newest) {
        Some(_) => Err(AppError::Settings(SettingsError {
            field: "from-seq".to_owned(),
            problem: format!("the newest happening of this data folder has the number {newest}"),
            remedy:
                "Give that number or a lower one. Was a backup restored, or is this another folder?"
                    .to_owned(),
        })),
        None => Ok(newest),
    }
}

/// What a start found or did, to be recorded once the console can.
struct Found {
    aside: Vec<PathBuf>,
    losses: Losses,
    /// Stores of the servers that come along, made anew.
    lost_servers: Vec<StoreFile>,
    damage: Option<Damage>,
    forgot_people: bool,
}

async fn say(console: &Console, found: Found) {
    licence_consent::record(console).await;
    backup::record_in_place(console, &found.aside).await;
    lost_data::say(console, &found.losses).await;
    for store in found.lost_servers {
        lost_data::say_made_anew(console, store).await;
    }
    if let Some(damage) = found.damage {
        settings_damage::mend(console, damage).await;
    }
    if found.forgot_people {
        record_forgotten_profiles(console).await;
    }
}

/// Users of the engine are closed before it, and nothing is recorded any more once
/// its archive closes.
fn push_engine(console: &Console, guards: &mut Guards) {
    guards.push(console.engine.clone().close());
    let audit = console.audit.clone();
    guards.push(async move { audit.write_to(None) });
    guards.push(console.viewers.clone().close());
    let tasks = console.lifecycle.watch.tasks.clone();
    guards.push(async move {
        tasks.close();
        tasks.wait().await;
    });
}

async fn record_forgotten_profiles(console: &Console) {
    let by = console.settings.current().technician.clone();
    let text = "Forgot who has a profile here.".into();
    let entry = AuditEntry { by, action: "profiles_forgotten", text, session: None };
    console.audit.record_or_warn(entry).await;
}

/// Starts the background tasks, two that end by themselves and those that are kept running. Commands are taken
/// from here on.
async fn spawn_followers(console: &Arc<Console>) {
    let tasks = &console.lifecycle.watch.tasks;
    tasks.spawn(release_deliveries(console.clone()));
    tasks.spawn(follow::learn_of_service(console.clone()));
    keep(console, "lock this console when it is idle", access::lock_when_idle);
    keep(console, "follow the sessions", follow::follow);
    keep(console, "ask who is in the sessions", roster::follow);
    keep(console, "delete old sessions", retention::follow);
    keep(console, "look whether a server is full", full_servers::follow);
    keep(console, "look through the databases for damage", store_check::follow);
}

/// Runs `task` until the console stops. A task that fails is started again, and is a trouble until then: a
/// console that has stopped locking itself must not look like one that does.
fn keep<F>(console: &Arc<Console>, doing: &'static str, task: fn(Arc<Console>) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let kept = console.clone();
    console.lifecycle.watch.keep(doing, move || task(kept.clone()));
}

/// Waits until every hook was tried, or for a while, or until the console stops.
pub(super) async fn hooks_tried(console: &Console) {
    let engine = console.engine.get().await;
    let Some(tried) = engine.as_deref().map(Engine::hooks_tried) else { return };
    drop(engine);
    tokio::select! {
        _ = tokio::time::timeout(LONGEST_HOOK_TRY, tried) => {}
        () = console.lifecycle.watch.stopping.cancelled() => {}
    }
}

/// Releases the broker's deliveries once every hook was tried: earlier ones would fail.
async fn release_deliveries(console: Arc<Console>) {
    hooks_tried(&console).await;
    if console.lifecycle.watch.stopping.is_cancelled() {
        return;
    }
    if let Some(embedded) = console.broker.get() {
        embedded.handle().release_deliveries();
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tempfile::TempDir;
    use tokio::time::timeout;

    use super::*;
    use crate::{app::verification_audit, commands::Command, reply::Reply, view::Push};

    /// Long enough for a loaded machine; only a failing test waits so long.
    const PATIENCE: Duration = Duration::from_secs(60);

    /// A console whose background tasks the test starts itself.
    async fn console(folder: &TempDir) -> App {
        let options =
            Options { broker_control: true, ..Options::for_a_while(folder.path(), "a test") };
        let mut guards = Guards::default();
        let console = assemble(options, &mut guards).await.unwrap();
        console.lifecycle.keep(guards);
        App(console)
    }

    async fn ask(app: &App, command: serde_json::Value) -> Reply {
        let command: Command = serde_json::from_value(command).unwrap();
        app.command(command, "Anna").await.unwrap_or_else(|trouble| panic!("{trouble:?}"))
    }

    async fn session(app: &App) -> String {
        let Reply::Session { id } = ask(app, json!({ "do": "new_session" })).await else {
            panic!()
        };
        ask(app, json!({ "do": "show", "session": id })).await;
        let engine = app.0.engine.get().await.unwrap();
        let (mut changes, session) = (engine.subscribe(), id.parse().unwrap());
        while engine.snapshot(session).is_none_or(|now| now.pin.is_none()) {
            timeout(PATIENCE, changes.changed()).await.unwrap();
        }
        id
    }

    /// Waits until `holds`; it is looked again whenever something changed, and at times, since not all changes are
    /// told.
    async fn until(app: &App, holds: impl AsyncFn() -> bool) {
        let mut changes = app.0.updates.changes();
        let mut on_screen = app.0.updates.on_screen.subscribe();
        let wait = async {
            while !holds().await {
                tokio::select! {
                    changed = changes.changed() => changed.unwrap(),
                    changed = on_screen.changed() => changed.unwrap(),
                    () = tokio::time::sleep(Duration::from_millis(20)) => {}
                }
            }
        };
        timeout(PATIENCE, wait).await.unwrap();
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_background_task_that_fails_is_among_the_troubles_that_are_pushed() {
        let folder = tempfile::tempdir().unwrap();
        let app = console(&folder).await;
        let mut feed = app.subscribe();
        app.0.lifecycle.watch.keep("count the sheep", || async { panic!("a bug") });
        let shown = async {
            while let Some(pushes) = feed.next().await {
                for push in pushes {
                    let Push::Console(view) = push else { continue };
                    let mut texts = view.troubles.iter().map(|trouble| trouble.text.clone());
                    if let Some(text) = texts.find(|text| text.contains("ount the sheep")) {
                        return text;
                    }
                }
            }
            panic!("the feed ended")
        };
        let text = timeout(PATIENCE, shown).await.unwrap();
        assert!(text.contains("started again"), "{text}");
        app.stop().await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_follower_that_is_started_again_goes_on_where_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let app = console(&folder).await;
        let id = session(&app).await;
        let code = "123456789";
        let verify = json!({ "do": "verify", "session": id, "who": "customer", "user": "maria.lopez",
            "code": code });
        let entries = async || {
            let Reply::Audit { entries, .. } = ask(&app, json!({ "do": "audit" })).await else {
                panic!()
            };
            let ended = entries.iter().filter(|entry| entry.action.starts_with("verification_"));
            ended.filter(|entry| entry.by == "deskhand").count()
        };
        let mark = async || {
            let engine = app.0.engine.get().await.unwrap();
            let seen = engine.journal().seen(verification_audit::SUBSCRIBER).await.unwrap();
            seen.unwrap_or_default().up_to
        };
        for run in 1..=2 {
            let before = mark().await;
            let follower = tokio::spawn(follow::follow(app.0.clone()));
            ask(&app, verify.clone()).await;
            // Between an entry and its mark it may be recorded twice, which is said where it's done.
            until(&app, async || entries().await >= run && mark().await > before).await;
            // What a panic does to it.
            follower.abort();
            let _ = follower.await;
            assert_eq!(entries().await, run, "each verification is recorded once");
        }
        app.stop().await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn customers_are_told_who_asks_once_the_task_that_tells_them_was_started_again() {
        let folder = tempfile::tempdir().unwrap();
        let app = console(&folder).await;
        let id = session(&app).await.parse().unwrap();
        for _ in 0..2 {
            app.0.engine.known(|known| known.requesters.clear());
            let follower = tokio::spawn(roster::follow(app.0.clone()));
            let is_told = || app.0.engine.known(|known| known.requesters.contains_key(&id));
            until(&app, async || is_told()).await;
            follower.abort();
            let _ = follower.await;
        }
        app.stop().await;
    }
}
