//! Gathers the facts for a view, and has the view made.

use std::sync::Arc;

use engine::{Engine, ServiceHealth, SessionId, Snapshot, remote::Capabilities};
use jiff::tz::TimeZone;
use url::Url;

use crate::{
    app::{Console, engine_slot::EngineSlot, reach, viewer::admitting},
    present::{
        self, Setting,
        chat_box::Sends,
        detail::{Around, Beside},
        parting::Connected,
        trouble,
    },
    view::{
        ConsoleView, QuittingView, Reach, ScreenView, ServiceKind, SessionDetail, SessionRow,
        StandingTrouble, Trouble,
    },
};

/// A session's row.
pub(super) fn row(console: &Console, snapshot: &Snapshot, revision: u64) -> SessionRow {
    let unread = console.unread.get(snapshot.id);
    present::row::view(snapshot, revision, unread, &setting(&console.zone))
}

/// The name of a session, live or archived.
pub(crate) async fn name(zone: &TimeZone, engine: &Engine, id: SessionId) -> String {
    let setting = setting(zone);
    if let Some(snapshot) = engine.snapshot(id) {
        return present::name(&snapshot.record.about, snapshot.record.created, &setting);
    }
    match engine.archive().summary(id).await {
        Ok(Some(summary)) => present::name(&summary.about, summary.created, &setting),
        Ok(None) | Err(_) => "A session".to_owned(),
    }
}

/// Everything about a session, live or archived.
///
/// # Errors
/// No session has this id, or the archive can't be read.
pub(crate) async fn detail_of(
    console: &Console,
    engine: &Engine,
    id: SessionId,
) -> Result<SessionDetail, Trouble> {
    detail_in(console, engine, id, &setting(&console.zone)).await
}

/// As [`detail_of`], for a file: its texts say times with date and offset.
///
/// # Errors
/// As for [`detail_of`].
pub(crate) async fn detail_for_file(
    console: &Console,
    engine: &Engine,
    id: SessionId,
) -> Result<SessionDetail, Trouble> {
    detail_in(console, engine, id, &Setting { dated: true, ..setting(&console.zone) }).await
}

async fn detail_in(
    console: &Console,
    engine: &Engine,
    id: SessionId,
    setting: &Setting<'_>,
) -> Result<SessionDetail, Trouble> {
    let revision = console.updates.next_revision();
    let beside = beside(console, engine, id).await?;
    let service = service(console);
    let able = console.engine.known(|known| known.capabilities.clone());
    let around = Around {
        reach: reach::known(engine),
        join_template: service.join_template.as_deref(),
        join_page: service.join_page.as_deref(),
        can_revoke: able.as_ref().map(Capabilities::can_revoke),
        answers: engine.health().service().is_none_or(ServiceHealth::answers),
        sends: able.map_or(Sends::Unknown, |able| Sends::from(able.can_say())),
        revision,
    };
    if let Some(snapshot) = engine.snapshot(id) {
        return Ok(present::detail::view(&snapshot, &beside, &around, setting));
    }
    match engine.archive().summary(id).await {
        Ok(Some(summary)) => Ok(present::detail::archived(&summary, &beside, &around, setting)),
        Ok(None) => Err(trouble::not_found("show the session: there is none of that id")),
        Err(error) => Err(trouble::of_store(&error)),
    }
}

async fn beside(console: &Console, engine: &Engine, id: SessionId) -> Result<Beside, Trouble> {
    let archive = engine.archive();
    let failed = |error: engine::StoreError| trouble::of_store(&error);
    let (mut happenings, contents) =
        tokio::try_join!(engine.journal().events_of(id), archive.contents(id)).map_err(failed)?;
    if happenings.is_empty() {
        happenings = archive.events_of(id).await.map_err(failed)?;
    }
    let snapshot = engine.snapshot(id);
    let facts = snapshot.as_ref().and_then(|snapshot| snapshot.facts.as_ref());
    let somebody_waits = facts.is_some_and(|facts| !facts.waiting.is_empty());
    let can_answer = somebody_waits && admitting::can_answer(engine, id).await;
    let setting = setting(&console.zone);
    Ok(Beside {
        happenings,
        contents,
        screen: screen(&console.engine, id, snapshot.as_deref(), can_answer, &setting),
        unread: console.unread.get(id),
    })
}

/// Who shares the screen and who watches it, if the service reports that: by the event channel, else by its roster.
fn screen(
    slot: &EngineSlot,
    id: SessionId,
    snapshot: Option<&Snapshot>,
    can_answer: bool,
    setting: &Setting<'_>,
) -> Option<ScreenView> {
    slot.known(|known| {
        if let Some(facts) = snapshot.and_then(|snapshot| snapshot.facts.as_ref()) {
            let measured = known.rosters.get(&id).map(|known| (&known.roster, known.at));
            return Some(present::shared_screen::told(facts, measured, can_answer, setting));
        }
        known.capabilities.as_ref().filter(|able| able.knows_roster())?;
        let known = known.rosters.get(&id).map(|known| (&known.roster, known.at));
        Some(present::shared_screen::view(known))
    })
}

/// What quitting would end. A locked console names nobody.
pub(crate) async fn quitting(console: &Console) -> QuittingView {
    let service = service(console);
    let setting = setting(&console.zone);
    let locked = console.access.state.is_locked();
    let engine = console.engine.get().await;
    let snapshots = engine.as_deref().map(Engine::snapshots).unwrap_or_default();
    let connected = |snapshot: &Arc<Snapshot>| {
        let record = &snapshot.record;
        let name = (!locked).then(|| present::name(&record.about, record.created, &setting));
        let watchers = screen(&console.engine, snapshot.id, Some(snapshot), false, &setting);
        let watchers = watchers.and_then(|screen| screen.viewers());
        Connected::new(name, record, watchers, setting.now)
    };
    let live = snapshots.iter().filter(|snapshot| snapshot.record.is_live());
    let sessions: Vec<Connected> = live.map(connected).collect();
    let host = Url::parse(&service.base_url).ok();
    let host = host.as_ref().and_then(Url::host_str).unwrap_or("the service");
    present::parting::quitting(service.kind, host, &sessions, &setting)
}

/// The console as a whole.
pub(super) fn console(console: &Console, engine: Option<&Engine>) -> ConsoleView {
    let revision = console.updates.next_revision();
    let service = service(console);
    let sessions = engine.map(Engine::snapshots).unwrap_or_default();
    let mut standing = console.standing.list();
    let mut unwell: Vec<Trouble> =
        console.lifecycle.watch.unwell().into_iter().map(trouble::of_background).collect();
    unwell.extend(engine.and_then(|engine| {
        let (sessions, events) =
            (engine.health().unreadable_sessions(), engine.journal().unreadable_events());
        trouble::of_unreadable_rows(sessions, events)
    }));
    standing.extend(unwell.into_iter().map(StandingTrouble::from));
    present::console::view(&present::console::Parts {
        revision,
        technician: &console.access.technician(),
        access: console.access_view(),
        service: present::console::Service {
            kind: service.kind,
            base_url: &service.base_url,
            join_page: service.join_page.as_deref(),
            this_computer_only: service.this_computer_only,
        },
        listener: engine.map(Engine::listener),
        hook_base: engine.map(|engine| engine.hook_base().as_str()),
        reach: engine.map_or(Reach::Unknown, reach::known),
        health: engine.map(Engine::health),
        standing: &standing,
        keeper: console.folder.vault.keeper(),
        backup_percent: console.backup_percent(),
        sessions: &sessions,
        now: engine::clock::now(),
    })
}

/// The service as settings and embedded broker define it.
struct Service {
    kind: ServiceKind,
    base_url: String,
    join_page: Option<String>,
    join_template: Option<String>,
    this_computer_only: bool,
}

fn service(console: &Console) -> Service {
    let settings = console.settings.current();
    let chosen = settings.join_url_template.clone();
    match (&settings.base_url, console.broker.get()) {
        (Some(base_url), _) => {
            let join = console.engine.known(|known| known.join.clone());
            Service {
                kind: ServiceKind::Configured,
                base_url: base_url.clone(),
                join_page: join.as_ref().map(|join| join.page.clone()),
                join_template: chosen.or_else(|| join.map(|join| join.template)),
                this_computer_only: reach::is_this_computer(base_url),
            }
        }
        (None, Some(embedded)) => Service {
            kind: ServiceKind::Embedded,
            base_url: embedded.base_url().to_owned(),
            join_page: Some(format!("{}/", embedded.customers_origin())),
            join_template: chosen.or_else(|| Some(embedded.join_url_template())),
            this_computer_only: reach::is_this_computer(&embedded.customers_origin()),
        },
        (None, None) => Service {
            kind: ServiceKind::Embedded,
            base_url: String::new(),
            join_page: None,
            join_template: chosen,
            this_computer_only: true,
        },
    }
}

pub(crate) fn setting(zone: &TimeZone) -> Setting<'_> {
    Setting { now: engine::clock::now(), zone, dated: false }
}
