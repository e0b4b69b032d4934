//! Gathers what a view is made of, and has it made.

use engine::{
    Engine, SessionId, Snapshot,
    archive::{NoteKind, SessionContents},
};

use crate::{
    app::{Inner, reach},
    present::{
        self, Setting,
        detail::{Around, Beside},
        trouble,
    },
    view::{ConsoleView, Reach, ScreenView, ServiceKind, SessionDetail, SessionRow, Trouble},
};

/// A session's row.
pub(super) fn row(inner: &Inner, snapshot: &Snapshot, revision: u64) -> SessionRow {
    let unread = inner.side(|side| side.unread.get(&snapshot.id).copied().unwrap_or_default());
    present::row::of(snapshot, revision, unread, &setting(inner))
}

/// What a session is called, live or archived.
pub(crate) async fn name(inner: &Inner, engine: &Engine, id: SessionId) -> String {
    let setting = setting(inner);
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
/// There is none of that id, or the archive can't be read.
pub(crate) async fn detail_of(
    inner: &Inner,
    engine: &Engine,
    id: SessionId,
) -> Result<SessionDetail, Trouble> {
    let revision = inner.revision();
    let beside = beside(inner, engine, id).await?;
    let service = service(inner);
    let around = Around {
        reach: known_reach(inner, engine),
        join_template: service.join_template.as_deref(),
        join_page: service.join_page.as_deref(),
        revision,
    };
    let setting = setting(inner);
    if let Some(snapshot) = engine.snapshot(id) {
        return Ok(present::detail::of(&snapshot, beside, &around, &setting));
    }
    match engine.archive().summary(id).await {
        Ok(Some(summary)) => Ok(present::detail::archived(&summary, beside, &around, &setting)),
        Ok(None) => Err(trouble::not_found("show the session: there is none of that id")),
        Err(error) => Err(trouble::of_store(&error)),
    }
}

async fn beside(inner: &Inner, engine: &Engine, id: SessionId) -> Result<Beside, Trouble> {
    let archive = engine.archive();
    let failed = |error: engine::StoreError| trouble::of_store(&error);
    let (
        mut happenings,
        SessionContents {
            messages,
            notes,
            tags,
            choice,
            verifications,
            overridden,
            devices,
            pictures,
        },
    ) = tokio::try_join!(engine.events_of(id), archive.contents(id)).map_err(failed)?;
    if happenings.is_empty() {
        happenings = archive.events_of(id).await.map_err(failed)?;
    }
    let mut texts: Vec<String> = Vec::new();
    for kind in [NoteKind::Working, NoteKind::Closing] {
        texts.extend(notes.iter().filter(|note| note.kind == kind).map(|note| note.text.clone()));
    }
    Ok(Beside {
        happenings,
        messages,
        note: texts.join("\n"),
        tags,
        choice,
        verifications,
        overridden,
        devices,
        pictures,
        screen: screen(inner, id),
        unread: inner.side(|side| side.unread.get(&id).copied().unwrap_or_default()),
    })
}

/// Who shares the screen and who watches it, where the service can say.
fn screen(inner: &Inner, id: SessionId) -> Option<ScreenView> {
    inner.side(|side| {
        side.capabilities.as_ref().filter(|able| able.knows_roster())?;
        let known = side.rosters.get(&id).map(|known| (&known.roster, known.at));
        Some(present::shared_screen::of(known))
    })
}

/// The console as a whole.
pub(super) fn console(inner: &Inner, engine: Option<&Engine>) -> ConsoleView {
    let revision = inner.revision();
    let service = service(inner);
    let sessions = engine.map(Engine::snapshots).unwrap_or_default();
    let standing = inner.side(|side| side.standing.clone());
    present::console::of(&present::console::Parts {
        revision,
        technician: &inner.technician(),
        access: inner.access_view(),
        service: present::console::Service {
            kind: service.kind,
            base_url: &service.base_url,
            join_page: service.join_page.as_deref(),
            this_computer_only: service.this_computer_only,
        },
        listener: engine.map(Engine::listener),
        hook_base: engine.map(|engine| engine.hook_base().as_str()),
        reach: engine.map_or(Reach::Unknown, |engine| known_reach(inner, engine)),
        health: engine.map(Engine::health),
        standing: &standing,
        keeper: inner.vault.keeper(),
        sessions: &sessions,
        now: engine::clock::now(),
    })
}

/// The service as settings and embedded broker have it.
struct Service {
    kind: ServiceKind,
    base_url: String,
    join_page: Option<String>,
    join_template: Option<String>,
    this_computer_only: bool,
}

fn service(inner: &Inner) -> Service {
    let settings = inner.settings();
    let chosen = settings.join_url_template.clone();
    match (&settings.base_url, inner.embedded.get()) {
        (Some(base_url), _) => {
            let join = inner.side(|side| side.join.clone());
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

/// What is known of the way from the service to our listener.
pub(crate) fn known_reach(inner: &Inner, engine: &Engine) -> Reach {
    inner.side(|side| reach::known(engine, &side.tested))
}

pub(crate) fn setting(inner: &Inner) -> Setting<'_> {
    Setting { now: engine::clock::now(), zone: &inner.zone }
}
