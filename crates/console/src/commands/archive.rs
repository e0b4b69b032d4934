//! Commands over the stored records of sessions: notes, tags, search, export.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use engine::{
    Engine, SessionId,
    archive::{FoundIn, Hit as Found, ListedSession, NoteKind, Summary},
    clock::now,
};
use serde::Deserialize;
use session::SessionStatus;
use strum::VariantNames;
use ts_rs::TS;

use super::{
    CommandResult, deletion, must_exist, parse_id,
    policy::{AuditPolicy, Policy},
};
use crate::{
    Settings,
    app::{App, Console, detail_for_file, detail_of, setting},
    export,
    limits::{self, MOST_TAGS},
    parameters::{Format, Separator},
    present::{self, state, trouble},
    reply::{Hit, Reply},
    view::{Code, Trouble},
    words,
};

/// Commands over what is kept of sessions.
#[derive(Clone, Deserialize, TS, VariantNames)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
#[strum(serialize_all = "snake_case")]
pub enum ArchiveCommand {
    /// Sets a session's note.
    Note {
        session: String,
        /// The whole note.
        text: String,
    },
    /// Sets a session's tags.
    Tags {
        session: String,
        /// All of them.
        tags: Vec<String>,
    },
    /// Everything about a session, live or archived. Answers `detail`.
    Detail { session: String },
    /// A page of a session's chat, oldest message first. Answers `chat`.
    Chat {
        session: String,
        /// The page ends before the message with this guid; none for the newest page.
        #[serde(default)]
        before: Option<String>,
    },
    /// Finds the sessions that have all words typed, or parts of words, in names, tickets, tags, notes and transcripts:
    /// the newest first. Answers `found`.
    Search {
        /// What was typed, at most 1,000 characters and 64 words; what is in quotation marks is one term. Empty lists
        /// everything.
        query: String,
        /// Go on after this cursor.
        #[serde(default)]
        cursor: Option<String>,
    },
    /// Writes a session's transcript. Answers `text`.
    Export {
        session: String,
        /// As what.
        format: Format,
        /// What separates the columns of CSV; a comma if not given.
        #[serde(default)]
        #[ts(optional)]
        separator: Option<Separator>,
    },
    /// Writes a table of all sessions, a row for each. Answers `text`.
    ExportSessions {
        /// What separates its columns; a comma if not given.
        #[serde(default)]
        #[ts(optional)]
        separator: Option<Separator>,
    },
    /// Deletes a session that is over, with everything that is kept of it, for good.
    DeleteSession {
        session: String,
        /// A person has confirmed it; else the command is refused.
        #[serde(default)]
        confirmed: bool,
    },
    /// A picture of the customer's screen that was saved. Answers `picture`.
    Picture {
        /// Of which session.
        session: String,
        /// Its number.
        picture: i64,
    },
}

impl ArchiveCommand {
    pub(super) fn policy(&self, _: &Settings) -> Policy {
        Policy::refused_while_locked(match self {
            Self::Export { session, format, .. } => {
                AuditPolicy::before("exported", exported(*format)).about(session)
            }
            Self::ExportSessions { .. } => {
                AuditPolicy::before("exported", "Exports a table of all sessions.")
            }
            Self::DeleteSession { session, confirmed: true } => {
                let text = "Deletes the session with everything that is kept of it.";
                AuditPolicy::before("session_deleted", text).about(session)
            }
            Self::Picture { session, .. } => {
                let text = "Opens a saved picture of the customer's screen.";
                AuditPolicy::before("picture_opened", text).about(session)
            }
            Self::DeleteSession { confirmed: false, .. }
            | Self::Note { .. }
            | Self::Tags { .. }
            | Self::Detail { .. }
            | Self::Chat { .. }
            | Self::Search { .. } => AuditPolicy::Nothing,
        })
    }

    pub(super) async fn carry_out(self, app: &App, by: &str) -> CommandResult {
        let console = app.console();
        match self {
            Self::Note { session, text } => note(console, &session, &text, by).await,
            Self::Tags { session, tags } => set_tags(console, &session, &tags).await,
            Self::Detail { session } => detail(console, &session).await,
            Self::Chat { session, before } => chat(console, &session, before).await,
            Self::Search { query, cursor } => search(console, &query, cursor.as_deref()).await,
            Self::Export { session, format, separator } => {
                export(console, &session, format, separator.unwrap_or_default()).await
            }
            Self::ExportSessions { separator } => {
                export_sessions(console, separator.unwrap_or_default()).await
            }
            Self::DeleteSession { session, confirmed } => {
                deletion::delete(console, &session, confirmed).await
            }
            Self::Picture { session, picture: number } => picture(console, &session, number).await,
        }
    }
}

const fn exported(format: Format) -> &'static str {
    match format {
        Format::Text => "Exports the session as text.",
        Format::Json => "Exports the session as JSON.",
        Format::Csv => "Exports the session as CSV.",
    }
}

/// The hits on one page.
const PAGE: u32 = 50;

async fn note(console: &Console, session: &str, text: &str, by: &str) -> CommandResult {
    let (engine, id) = (console.engine.require().await?, parse_id(session)?);
    must_exist(&engine, id, "save the note").await?;
    set_note(&engine, id, NoteKind::Working, text, by).await?;
    // Both notes were shown as one text, so the typed text replaces both.
    set_note(&engine, id, NoteKind::Closing, "", by).await?;
    console.updates.announce();
    Ok(Reply::Done)
}

pub(super) async fn set_note(
    engine: &Engine,
    id: SessionId,
    kind: NoteKind,
    text: &str,
    by: &str,
) -> Result<(), Trouble> {
    let text = limits::NOTE.lines("save the note", text)?;
    let saved = engine.archive().set_note(id, kind, text, by.to_owned(), now()).await;
    saved.map_err(|error| trouble::of_store(&error))
}

async fn set_tags(console: &Console, session: &str, tags: &[String]) -> CommandResult {
    const DOING: &str = "save the tags";
    let (engine, id) = (console.engine.require().await?, parse_id(session)?);
    must_exist(&engine, id, DOING).await?;
    let mut clean: Vec<String> = Vec::new();
    for tag in tags {
        let tag = limits::TAG.line(DOING, tag)?;
        if !tag.is_empty() && !clean.contains(&tag) {
            clean.push(tag);
        }
    }
    if clean.len() > MOST_TAGS {
        let text =
            format!("{DOING}: there are {}, and a session has at most {MOST_TAGS}", clean.len());
        return Err(trouble::bad_input(&text, "leave some out"));
    }
    engine.archive().set_tags(id, clean).await.map_err(|error| trouble::of_store(&error))?;
    console.updates.announce();
    Ok(Reply::Done)
}

async fn detail(console: &Console, session: &str) -> CommandResult {
    let (engine, id) = (console.engine.require().await?, parse_id(session)?);
    let detail = Box::new(detail_of(console, &engine, id).await?);
    Ok(Reply::Detail { detail })
}

async fn chat(console: &Console, session: &str, before: Option<String>) -> CommandResult {
    const DOING: &str = "show the chat";
    let (engine, id) = (console.engine.require().await?, parse_id(session)?);
    must_exist(&engine, id, DOING).await?;
    let page =
        engine.archive().chat(id, before).await.map_err(|error| trouble::of_store(&error))?;
    let page = page.ok_or_else(|| {
        trouble::not_found(&format!("{DOING}: it has no message of the guid in `before`"))
    })?;
    let chat = present::detail::chat(&page.messages);
    Ok(Reply::Chat { chat, earlier: page.earlier })
}

async fn search(console: &Console, query: &str, cursor: Option<&str>) -> CommandResult {
    let cursor = cursor.map(str::parse).transpose().map_err(|_| {
        trouble::bad_input("search the archive: this is not a search cursor", "start a new search")
    })?;
    limits::query(query)?;
    let engine = console.engine.require().await?;
    // Before the search: what is indexed in between may be missing from it.
    let indexed = engine.archive().indexed().await.map_err(|error| trouble::of_store(&error))?;
    let page = engine.archive().search(query, cursor, PAGE).await;
    let page = page.map_err(|error| trouble::of_store(&error))?;
    let hits = page.rows.iter().map(|found| hit(console, &engine, found)).collect();
    let cursor = page.next.map(|cursor| cursor.to_string());
    // Without a word, the list of all sessions is read, which needs no index.
    let indexed = indexed.filter(|_| !query.trim().is_empty());
    Ok(Reply::Found { hits, cursor, indexed })
}

async fn export(
    console: &Console,
    session: &str,
    format: Format,
    separator: Separator,
) -> CommandResult {
    let (engine, id) = (console.engine.require().await?, parse_id(session)?);
    let detail = detail_for_file(console, &engine, id).await?;
    let transcript = engine.archive().transcript(id).await;
    let transcript = transcript.map_err(|error| trouble::of_store(&error))?;
    let (file_name, text) = export::export(&detail, &transcript, format, separator, &console.zone);
    Ok(Reply::Text { file_name, text })
}

async fn export_sessions(console: &Console, separator: Separator) -> CommandResult {
    let engine = console.engine.require().await?;
    let sessions = engine.archive().all_sessions().await;
    let mut sessions = sessions.map_err(|error| trouble::of_store(&error))?;
    let now = now();
    for ListedSession { summary, .. } in &mut sessions {
        // The archive has a live session as it was at its last change.
        let Some(snapshot) = engine.snapshot(summary.session) else { continue };
        let word = SessionStatus::new(&snapshot.record, now);
        *summary = Summary {
            active_ms: snapshot.record.active_ms_until(now),
            ..Summary::new(summary.session, &snapshot.record, &word)
        };
    }
    let (file_name, text) = export::all_sessions(&sessions, separator, &console.zone);
    Ok(Reply::Text { file_name, text })
}

async fn picture(console: &Console, session: &str, picture: i64) -> CommandResult {
    const DOING: &str = "show the picture";
    let (engine, id) = (console.engine.require().await?, parse_id(session)?);
    // The files of a session have the same name.
    let detail = detail_for_file(console, &engine, id).await?;
    let number = detail.pictures.iter().position(|kept| kept.id == picture);
    let png = engine.archive().picture(id, picture).await;
    let png = png.map_err(|error| trouble::of_store(&error))?;
    let (Some(number), Some(png)) = (number, png) else {
        let text = format!("{DOING}: the session has none of that number");
        return Err(trouble::new(
            &text,
            (Code::NotFound, "choose one that the session's detail lists"),
        ));
    };
    let file_name = export::picture_name(&detail, number + 1, &console.zone);
    Ok(Reply::Picture { file_name, png: BASE64_STANDARD.encode(png) })
}

fn hit(console: &Console, engine: &Engine, found: &Found) -> Hit {
    let setting = setting(&console.zone);
    // A live session is shown as it is now, not as it was last archived.
    let (name, word) = match (engine.snapshot(found.session), &found.summary) {
        (Some(snapshot), _) => {
            let record = &snapshot.record;
            let name = present::name(&record.about, record.created, &setting);
            (name, SessionStatus::new(record, setting.now))
        }
        (None, Some(summary)) => {
            (present::name(&summary.about, summary.created, &setting), summary.word.clone())
        }
        (None, None) => ("A session".to_owned(), SessionStatus::Unknown { since: found.at }),
    };
    Hit {
        session: found.session.to_string(),
        name,
        at: found.at.0,
        place: place(found.place).to_owned(),
        snippet: words::masked(&found.snippet.text),
        marks: found.snippet.marks.clone(),
        state: state::view(&word, 0, None, &setting),
    }
}

const fn place(place: FoundIn) -> &'static str {
    match place {
        FoundIn::Session => "session",
        FoundIn::Ticket => "ticket",
        FoundIn::Tag => "tag",
        FoundIn::Note => "note",
        FoundIn::Message => "message",
    }
}
