//! All sessions with what a list of them has beside their rows.

use rusqlite::Connection;

use super::{
    Archive, ArchiveError, Cursor, Filter, Note, PAGE, Summary, messages, notes, sessions, tags,
};

/// A session's row with what a list of all sessions has beside it.
#[derive(Debug, Clone, PartialEq)]
pub struct ListedSession {
    pub summary: Summary,
    pub tags: Vec<String>,
    pub notes: Vec<Note>,
    /// How many messages its transcript has.
    pub messages: u32,
}

impl Archive {
    /// All sessions with their tags, notes and numbers of messages, newest first.
    pub async fn all_sessions(&self) -> Result<Vec<ListedSession>, ArchiveError> {
        let (mut all, mut before) = (Vec::new(), None);
        loop {
            // A job of a reader for each page, so that whoever searches meanwhile needn't wait.
            let (rows, next) = self.read(move |c| page(c, before)).await?;
            all.extend(rows);
            before = next;
            if before.is_none() {
                return Ok(all);
            }
        }
    }
}

fn page(
    connection: &Connection,
    before: Option<Cursor>,
) -> Result<(Vec<ListedSession>, Option<Cursor>), ArchiveError> {
    let page = sessions::list(connection, &Filter::default(), before, PAGE)?;
    let listed = |summary: Summary| {
        let session = summary.session;
        Ok(ListedSession {
            tags: tags::of_session(connection, session)?,
            notes: notes::of_session(connection, session)?,
            messages: messages::count(connection, session)?,
            summary,
        })
    };
    let rows = page.rows.into_iter().map(listed).collect::<Result<_, _>>()?;
    Ok((rows, page.next))
}
