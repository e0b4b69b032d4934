//! Commands over live sessions.

use engine::{archive::NoteKind, clock::now};
use serde::Deserialize;
use session::{About, Input, Life};
use strum::VariantNames;
use ts_rs::TS;
use wire::Region;

use super::{
    CommandResult,
    archive::set_note,
    failed, mail, no_session, parse_id,
    policy::{AuditPolicy, Policy},
};
use crate::{
    Settings,
    app::{App, Console, detail_of, mark_name},
    limits,
    parameters::{self, Outcome},
    present::trouble,
    reply::Reply,
    settings::MailRule,
    view::Trouble,
    words::{self, LONGEST_ADDRESS},
};

/// Commands over live sessions.
#[derive(Clone, Deserialize, TS, VariantNames)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
#[strum(serialize_all = "snake_case")]
pub enum SessionCommand {
    /// A new session: allocates at once. Answers `session`.
    NewSession {
        /// Who and what it is about; all may be empty.
        #[serde(default)]
        about: parameters::About,
        /// A region chosen by hand; none for the fastest.
        #[serde(default)]
        region: Option<String>,
    },
    /// Starts a new session with an earlier one's customer, ticket and contact. Answers `session`.
    Again {
        /// The earlier one, live or archived.
        session: String,
    },
    /// Sets who and what a session is about.
    Describe { session: String, about: parameters::About },
    /// Tries again to get a PIN.
    Retry {
        session: String,
        /// A region chosen by hand; none for the fastest.
        #[serde(default)]
        region: Option<String>,
    },
    /// Puts all hooks of a session now.
    Recheck { session: String },
    /// Says which session is on screen, so that it is polled faster and pushed in full.
    Show {
        /// Which; none if none is.
        session: Option<String>,
    },
    /// Marks a session's chat as read.
    Read { session: String },
    /// Closes the session here.
    Close {
        session: String,
        /// How it came out.
        outcome: Outcome,
        /// A note; empty for none.
        #[serde(default)]
        note: String,
    },
}

impl SessionCommand {
    pub(super) fn policy(&self, settings: &Settings) -> Policy {
        Policy::refused_while_locked(match self {
            Self::NewSession { .. } | Self::Again { .. } => {
                AuditPolicy::after("session_created", created(settings))
            }
            Self::Close { session, outcome, .. } => {
                AuditPolicy::after("session_closed", closed(*outcome)).about(session)
            }
            Self::Describe { .. }
            | Self::Retry { .. }
            | Self::Recheck { .. }
            | Self::Show { .. }
            | Self::Read { .. } => AuditPolicy::Nothing,
        })
    }

    pub(super) async fn carry_out(self, app: &App, by: &str) -> CommandResult {
        let console = app.console();
        match self {
            Self::NewSession { about, region } => new_session(console, about, region, by).await,
            Self::Again { session } => again(console, &session, by).await,
            Self::Describe { session, about } => {
                let about = checked("describe the session", &about)?;
                order(console, &session, Input::Described(about)).await
            }
            Self::Retry { session, region } => retry(console, &session, region).await,
            Self::Recheck { session } => order(console, &session, Input::Recheck).await,
            Self::Show { session } => show(console, session.as_deref()).await,
            Self::Read { session } => read(console, &session).await,
            Self::Close { session, outcome, note } => {
                close(console, &session, outcome, &note, by).await
            }
        }
    }
}

/// Mail rules order invitations, so the entry names the rules' addresses.
fn created(settings: &Settings) -> String {
    let (skipped, ordered): (Vec<_>, Vec<_>) =
        settings.mail_rules.iter().partition(|rule| mail::is_skipped(rule, settings));
    let to = |rules: &[&MailRule]| {
        let to = rules.iter().map(|rule| words::plain(&rule.to, LONGEST_ADDRESS));
        to.collect::<Vec<_>>().join(", ")
    };
    let mut text = "Started a session".to_owned();
    if !ordered.is_empty() {
        text += &format!("; by rule, e-mails were ordered to {}", to(&ordered));
    }
    if !skipped.is_empty() {
        let to = to(&skipped);
        text += &format!("; none was to {to}, as it would give control before the words match");
    }
    text + "."
}

const fn closed(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Resolved => "Closed the session as resolved.",
        Outcome::Unresolved => "Closed the session as unresolved.",
        Outcome::Unknown => "Closed the session.",
    }
}

async fn new_session(
    console: &Console,
    about: parameters::About,
    region: Option<String>,
    by: &str,
) -> CommandResult {
    let region = parse_region(region)?;
    begin(console, checked("start a session", &about)?, region, by).await
}

async fn again(console: &Console, session: &str, by: &str) -> CommandResult {
    let id = parse_id(session)?;
    let about = {
        let engine = console.engine.require().await?;
        match engine.snapshot(id) {
            Some(snapshot) => Some(snapshot.record.about.clone()),
            None => {
                let summary = engine.archive().summary(id).await;
                summary.map_err(|error| trouble::of_store(&error))?.map(|summary| summary.about)
            }
        }
    };
    let about = about.ok_or_else(|| no_session("start a session again"))?;
    begin(console, about, None, by).await
}

/// Makes the session and orders the e-mails of the rules.
async fn begin(console: &Console, about: About, region: Option<Region>, by: &str) -> CommandResult {
    let engine = console.engine.require().await?;
    let id = engine.create(about.clone(), by.to_owned(), region).await.map_err(failed)?;
    mail::order_rules(console, &engine, id, &about, by).await?;
    Ok(Reply::Session { id: id.to_string() })
}

async fn retry(console: &Console, session: &str, region: Option<String>) -> CommandResult {
    let region = parse_region(region)?;
    let (engine, id) = (console.engine.require().await?, parse_id(session)?);
    let snapshot = engine.snapshot(id).ok_or_else(|| no_session("try again to get a PIN"))?;
    match &snapshot.record.life {
        Life::Failed { allocation: Some(allocation), .. } if allocation.end(now()) > now() => {
            Err(trouble::bad_input(
                "try again to get a PIN: this session's PIN is still valid",
                "close this session and start a new one",
            ))
        }
        Life::Failed { .. } => {
            engine.order(id, Input::Retry { region }).await.map_err(failed)?;
            Ok(Reply::Done)
        }
        Life::Allocating | Life::Live(_) | Life::Over { .. } | Life::Closed { .. } => {
            Err(trouble::bad_input(
                "try again to get a PIN: this session has not failed",
                "start a new session",
            ))
        }
    }
}

async fn show(console: &Console, session: Option<&str>) -> CommandResult {
    let shown = session.map(parse_id).transpose()?;
    let engine = console.engine.require().await?;
    // Of one that isn't there nothing would ever be pushed.
    if let Some(id) = shown.filter(|&id| engine.snapshot(id).is_none()) {
        detail_of(console, &engine, id).await?;
    }
    let before = console.updates.on_screen.send_replace(shown);
    if before != shown {
        for (id, on_screen) in [(before, false), (shown, true)] {
            if let Some(id) = id {
                engine.tell(id, Input::OnScreen(on_screen));
            }
        }
    }
    Ok(Reply::Done)
}

async fn read(console: &Console, session: &str) -> CommandResult {
    let (engine, id) = (console.engine.require().await?, parse_id(session)?);
    let stored = |error: engine::StoreError| trouble::of_store(&error);
    let newest = engine.archive().chat(id, None).await.map_err(stored)?;
    if let Some(last) = newest.and_then(|page| page.messages.into_iter().next_back()) {
        engine.journal().mark(&mark_name(id), Some(last.guid.as_bytes())).await.map_err(stored)?;
        console.unread.count(&engine, id).await;
        console.updates.announce();
    }
    Ok(Reply::Done)
}

async fn close(
    console: &Console,
    session: &str,
    outcome: Outcome,
    note: &str,
    by: &str,
) -> CommandResult {
    let (engine, id) = (console.engine.require().await?, parse_id(session)?);
    if engine.snapshot(id).is_none() {
        return Err(no_session("close the session"));
    }
    if !note.trim().is_empty() {
        // The note is saved first: a failure is reported while the session is still open.
        set_note(&engine, id, NoteKind::Closing, note, by).await?;
    }
    let outcome = match outcome {
        Outcome::Resolved => session::Outcome::Resolved,
        Outcome::Unresolved => session::Outcome::Unresolved,
        Outcome::Unknown => session::Outcome::Unknown,
    };
    engine.order(id, Input::Close { outcome, by: by.to_owned() }).await.map_err(failed)?;
    console.updates.announce();
    Ok(Reply::Done)
}

async fn order(console: &Console, session: &str, input: Input) -> CommandResult {
    let (engine, id) = (console.engine.require().await?, parse_id(session)?);
    engine.order(id, input).await.map_err(failed)?;
    Ok(Reply::Done)
}

fn parse_region(region: Option<String>) -> Result<Option<Region>, Trouble> {
    let chosen = region.filter(|name| !name.trim().is_empty()).map(|name| name.trim().parse());
    chosen.transpose().map_err(|error: wire::region::InvalidRegion| {
        trouble::bad_input(&format!("choose a region: {error}"), "choose one from the list")
    })
}

fn checked(doing: &str, about: &parameters::About) -> Result<About, Trouble> {
    Ok(About {
        customer: limits::CUSTOMER.line(doing, &about.customer)?,
        ticket: limits::TICKET.line(doing, &about.ticket)?,
        contact: limits::CONTACT.line(doing, &about.contact)?,
    })
}
