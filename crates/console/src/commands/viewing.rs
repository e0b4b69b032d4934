//! Commands that let somebody see the customer's screen: the viewer's link and the viewer windows.

use std::sync::Arc;

use engine::{
    CommandError, Engine, SessionId, Subscription,
    clock::now,
    desktop::View,
    remote::{Capabilities, LoginWithMe},
};
use serde::Deserialize;
use strum::VariantNames;
use ts_rs::TS;
use wire::{
    Pin,
    shared_screen::{AdmissionAnswer, Role},
};

use super::{
    CommandResult, failed, no_session, parse_id,
    policy::{AuditPolicy, Policy},
    refused,
};
use crate::{
    Settings,
    app::{App, Console, name_of, viewer::admitting},
    present::{shared_screen::waiting_id, trouble},
    reply::Reply,
    view::Trouble,
};

/// Commands that let somebody see the customer's screen.
#[derive(Clone, Deserialize, TS, VariantNames)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
#[strum(serialize_all = "snake_case")]
pub enum ViewingCommand {
    /// Gives the viewer's link, for a colleague. Answers `link`.
    ViewerLink {
        session: String,
        /// Read-only: a convenience, not a lock.
        read_only: bool,
    },
    /// Opens a viewer window.
    OpenViewer {
        session: String,
        /// Read-only (Watch).
        read_only: bool,
        /// To write to the customer: a window that is open already will do, and its chat is shown.
        #[serde(default)]
        #[ts(as = "Option<bool>", optional)]
        chat: bool,
    },
    /// Lets a viewer that waits see the customer's screen, or refuses it. Refused until a viewer window of this console
    /// was open once, since the answer is signed with what it and the customer's program agreed on.
    AnswerViewer {
        session: String,
        /// The viewer, as the session's `screen.waiting` names it.
        viewer: String,
        lets_in: bool,
    },
}

impl ViewingCommand {
    pub(super) fn policy(&self, _: &Settings) -> Policy {
        Policy::refused_while_locked(match self {
            // Whoever has the link sees the screen, so it is recorded before it is given out.
            Self::ViewerLink { session, read_only } => {
                let text = format!("Takes the viewer's link{}.", watching(*read_only));
                AuditPolicy::before("viewer_link", text).about(session)
            }
            Self::OpenViewer { session, read_only, chat } => {
                let text = match chat {
                    true => "Opened the chat in a viewer window.".into(),
                    false => format!("Opened a viewer window{}.", watching(*read_only)),
                };
                AuditPolicy::after("viewer_opened", text).about(session)
            }
            // With the viewer's name, which the command doesn't have.
            Self::AnswerViewer { .. } => AuditPolicy::ByHandler,
        })
    }

    pub(super) async fn carry_out(self, app: &App, by: &str) -> CommandResult {
        let console = app.console();
        match self {
            Self::ViewerLink { session, read_only } => {
                viewer_link(console, &session, read_only, by).await
            }
            Self::OpenViewer { session, read_only, chat } => {
                open_viewer(console, &session, View { read_only, chat }, by).await
            }
            Self::AnswerViewer { session, viewer, lets_in } => {
                answer_viewer(console, &session, &viewer, lets_in, by).await
            }
        }
    }
}

const fn watching(read_only: bool) -> &'static str {
    if read_only { ", to watch only" } else { "" }
}

async fn viewer_link(console: &Console, session: &str, read_only: bool, by: &str) -> CommandResult {
    // A web page has no words to compare, so its control would wait for nothing.
    if !read_only && console.settings.current().control_after_words {
        let text = "give a viewer's link to control: control waits until the words match, and a web page has none";
        return Err(refused(text, "give a read-only link, or change the setting"));
    }
    let (engine, id) = (console.engine.require().await?, parse_id(session)?);
    let by_role = capabilities(console, &engine).await.is_some_and(|can| can.links_by_role());
    // Without a name: the person who gets the link enters their own.
    let url = if by_role {
        let role = if read_only { Role::Watch } else { Role::Control };
        engine.viewer_link(id, role, "").await
    } else {
        engine.viewer_url(id, read_only, None).await
    };
    let url = url.map_err(failed)?;
    admitting::note_unverified(console, &engine, id, by, "Gave a viewer's link").await;
    let url = url.expose();
    // The embedded broker's link is for this computer, but a colleague may be elsewhere.
    let here = console.broker.get().and_then(|embedded| {
        let path = url.strip_prefix(embedded.origin())?;
        Some(format!("{}{path}", embedded.customers_origin()))
    });
    Ok(Reply::Link { url: here.unwrap_or_else(|| url.to_owned()), by_role: Some(by_role) })
}

async fn open_viewer(console: &Arc<Console>, session: &str, view: View, by: &str) -> CommandResult {
    let (engine, id) = (console.engine.require().await?, parse_id(session)?);
    if view.chat && console.desktop.show_chat(id) {
        return Ok(Reply::Done);
    }
    let technician = console.access.technician();
    let ours = console.viewers.has_page()
        && capabilities(console, &engine).await.is_some_and(|can| can.carries_screens());
    let url = if ours {
        engine.may_view(id).map_err(failed)?;
        let opened = console.viewers.open(console, id, view.read_only, &technician).await;
        opened.map_err(|error| trouble::new(&error, error.remedy()))?
    } else {
        engine.viewer_url(id, view.read_only, Some(&technician)).await.map_err(failed)?
    };
    admitting::note_unverified(console, &engine, id, by, "Opened a viewer").await;
    let name = name_of(&console.zone, &engine, id).await;
    // Only the first window is noted: its viewer is our own and needs no notification. Noted before
    // the window opens, because the page may join at once.
    let first = engine.snapshot(id).is_some_and(|snapshot| snapshot.windows == 0);
    drop(engine);
    if first {
        console.viewers.opened_here.lock().insert(id, now());
    }
    let opened = console.desktop.open_viewer(id, &name, url, view).await;
    opened.map_err(|error| {
        console.viewers.opened_here.lock().remove(&id);
        refused(&error.0, "")
    })?;
    Ok(Reply::Done)
}

const DOING: &str = "answer about the viewer that waits";

async fn answer_viewer(
    console: &Console,
    session: &str,
    viewer: &str,
    lets_in: bool,
    by: &str,
) -> CommandResult {
    let (engine, id) = (console.engine.require().await?, parse_id(session)?);
    let snapshot = engine.snapshot(id).ok_or_else(|| no_session(DOING))?;
    let pin = snapshot.pin.clone().filter(|_| snapshot.record.is_live());
    let mut waiting = snapshot.facts.iter().flat_map(|facts| &facts.waiting);
    let found = waiting.find(|one| waiting_id(one) == viewer).cloned();
    let (Some(pin), Some(found)) = (pin, found) else {
        let text = format!("{DOING}: it waits no longer, or something about it has changed");
        return Err(refused(&text, "look at who waits now"));
    };
    if lets_in {
        // Whoever is let in sees the screen as a viewer of our own would.
        engine.may_view(id).map_err(failed)?;
    }
    let client = engine.client().clone();
    // Without the engine's guard: a slow service must not hold up a change of settings.
    drop(engine);
    if !console.engine.capabilities(&client).await.is_some_and(|able| able.can_admit()) {
        let text =
            format!("{DOING}: the broker is of an older version and takes no answer from here");
        return Err(refused(&text, "answer in the viewer window"));
    }
    let answer = admitting::answer_without_window(console, id, &found, lets_in).await;
    let answer = answer.ok_or_else(|| {
        let text = format!("{DOING}: {}", admitting::STRANGERS);
        refused(&text, "open the viewer, then let them in")
    })?;
    let engine = console.engine.require().await?;
    if lets_in {
        admitting::note_unverified(console, &engine, id, by, "Let a viewer in").await;
    }
    let changes = engine.subscribe();
    drop(engine);
    let noted = admitting::entry(by.to_owned(), id, &found, lets_in);
    let announced = noted.text.clone();
    console.audit.record_or_warn(noted).await;
    let answered = give(&client, &pin, &answer, (id, changes)).await;
    if let Err(trouble) = &answered {
        admitting::note_not_done(console, id, by.to_owned(), &announced, &trouble.text).await;
    }
    answered.map(|()| Reply::Done)
}

/// Has the customer's program take the answer. `changes` were subscribed to before.
async fn give(
    client: &LoginWithMe,
    pin: &Pin,
    answer: &AdmissionAnswer,
    (id, mut changes): (SessionId, Subscription),
) -> Result<(), Trouble> {
    client.admit(pin, answer).await.map_err(|error| failed(CommandError::Call(error)))?;
    admitting::taken(&mut changes, id, &answer.challenge).await.ok_or_else(unheeded)
}

fn unheeded() -> Trouble {
    refused(&format!("{DOING}: {}", admitting::UNHEEDED), "open the viewer, then let them in")
}

/// What the service can do beyond the nine calls.
async fn capabilities(console: &Console, engine: &Engine) -> Option<Capabilities> {
    console.engine.capabilities(engine.client()).await
}
