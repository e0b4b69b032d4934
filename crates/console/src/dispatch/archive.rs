//! Commands over what stays: notes, tags, search, export.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use engine::{
    Engine, SessionId,
    archive::{FoundIn, Hit as Found, NoteKind},
    clock::now,
};
use session::Word;

use super::{Answer, engine, no_session, parse_id};
use crate::{
    app::{Inner, detail_of, setting},
    command::{Format, Hit, Reply},
    export,
    present::{self, state, trouble},
    view::Trouble,
    words,
};

/// Hits a page.
const PAGE: u32 = 50;
/// The longest note, in characters.
const LONGEST_NOTE: usize = 20_000;
/// Tags of one session, and the characters of one.
const MOST_TAGS: usize = 20;
const LONGEST_TAG: usize = 40;

pub(super) async fn note(inner: &Inner, session: &str, text: &str, by: &str) -> Answer {
    let (engine, id) = (engine(inner).await?, parse_id(session)?);
    must_exist(&engine, id, "save the note").await?;
    set_note(&engine, id, NoteKind::Working, text, by).await?;
    // Both were shown as one, so what was typed is the whole.
    set_note(&engine, id, NoteKind::Closing, "", by).await?;
    inner.tell_change();
    Ok(Reply::Done)
}

pub(super) async fn set_note(
    engine: &Engine,
    id: SessionId,
    kind: NoteKind,
    text: &str,
    by: &str,
) -> Result<(), Trouble> {
    let text = words::plain_lines(text, LONGEST_NOTE);
    let saved = engine.archive().set_note(id, kind, text, by.to_owned(), now()).await;
    saved.map_err(|error| trouble::of_store(&error))
}

pub(super) async fn tags(inner: &Inner, session: &str, tags: &[String]) -> Answer {
    let (engine, id) = (engine(inner).await?, parse_id(session)?);
    must_exist(&engine, id, "save the tags").await?;
    let mut clean: Vec<String> = Vec::new();
    for tag in tags {
        let tag = words::plain(tag, LONGEST_TAG);
        if !tag.is_empty() && !clean.contains(&tag) && clean.len() < MOST_TAGS {
            clean.push(tag);
        }
    }
    engine.archive().set_tags(id, clean).await.map_err(|error| trouble::of_store(&error))?;
    inner.tell_change();
    Ok(Reply::Done)
}

pub(super) async fn search(inner: &Inner, query: &str, cursor: Option<&str>) -> Answer {
    let cursor = cursor.map(str::parse).transpose().map_err(|_| {
        trouble::bad_input("search the archive: this is no cursor of a search", "search anew")
    })?;
    let engine = engine(inner).await?;
    let page = engine.archive().search(query, cursor, PAGE).await;
    let page = page.map_err(|error| trouble::of_store(&error))?;
    let hits = page.rows.iter().map(|found| hit(inner, &engine, found)).collect();
    Ok(Reply::Found { hits, cursor: page.next.map(|cursor| cursor.to_string()) })
}

pub(super) async fn export(inner: &Inner, session: &str, format: Format) -> Answer {
    let (engine, id) = (engine(inner).await?, parse_id(session)?);
    let detail = detail_of(inner, &engine, id).await?;
    let (file_name, text) = export::export(&detail, format, &inner.zone);
    Ok(Reply::Text { file_name, text })
}

pub(super) async fn picture(inner: &Inner, session: &str, picture: i64) -> Answer {
    const DOING: &str = "show the picture";
    let (engine, id) = (engine(inner).await?, parse_id(session)?);
    let detail = detail_of(inner, &engine, id).await?;
    let number = detail.pictures.iter().position(|kept| kept.id == picture);
    let png = engine.archive().picture(id, picture).await;
    let png = png.map_err(|error| trouble::of_store(&error))?;
    let (Some(number), Some(png)) = (number, png) else {
        return Err(trouble::not_found(&format!("{DOING}: the session has none of that number")));
    };
    let file_name = export::picture_name(&detail, number + 1, &inner.zone);
    Ok(Reply::Picture { file_name, png: BASE64_STANDARD.encode(png) })
}

fn hit(inner: &Inner, engine: &Engine, found: &Found) -> Hit {
    let setting = setting(inner);
    // What goes on is shown as it is now, not as it was last archived.
    let (name, word) = match (engine.snapshot(found.session), &found.summary) {
        (Some(snapshot), _) => {
            let record = &snapshot.record;
            let name = present::name(&record.about, record.created, &setting);
            (name, Word::of(record, setting.now))
        }
        (None, Some(summary)) => {
            (present::name(&summary.about, summary.created, &setting), summary.word.clone())
        }
        (None, None) => ("A session".to_owned(), Word::Unknown { since: found.at }),
    };
    Hit {
        session: found.session.to_string(),
        name,
        at: found.at.0,
        place: place(found.place).to_owned(),
        snippet: words::masked(&found.snippet.text),
        marks: found.snippet.marks.clone(),
        state: state::of(&word, 0, &setting),
    }
}

const fn place(place: FoundIn) -> &'static str {
    match place {
        FoundIn::Session => "session",
        FoundIn::Ticket => "ticket",
        FoundIn::Note => "note",
        FoundIn::Message => "message",
    }
}

pub(super) async fn must_exist(engine: &Engine, id: SessionId, doing: &str) -> Result<(), Trouble> {
    if engine.snapshot(id).is_some() {
        return Ok(());
    }
    match engine.archive().summary(id).await {
        Ok(Some(_)) => Ok(()),
        Ok(None) => Err(no_session(doing)),
        Err(error) => Err(trouble::of_store(&error)),
    }
}
