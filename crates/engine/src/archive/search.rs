//! Full-text search over sessions, tickets, notes and messages: newest first, always.
//!
//! An FTS5 index without texts of its own, whose rows are numbered by time: the first page of a
//! common word is read from the index's end and never ranks every match. Any text is a valid query.

use std::collections::{HashMap, hash_map::Entry};

use rusqlite::{Connection, OptionalExtension as _};
use rusqlite_migration::M;
use session::Timestamp;
use store::fault;

use super::{
    Archive, ArchiveError, Cursor, PAGE, READ, Summary, damaged,
    doc::{self, Kind},
    sessions,
};
use crate::SessionId;

pub(super) const TABLE: M<'static> = M::up(
    "CREATE VIEW searchable(doc, subject, ticket, text) AS
         SELECT doc, subject, '', body FROM messages
         UNION ALL SELECT doc, '', '', text FROM notes
         UNION ALL SELECT doc, customer, ticket, contact FROM sessions;
     CREATE VIRTUAL TABLE search USING fts5(
         subject, ticket, text, content='searchable', content_rowid='doc', columnsize=0,
         tokenize='unicode61 remove_diacritics 2', prefix='1 2 3 4 5 6 7 8');",
);

/// Builds the index from the rows again.
pub(super) const INDEX_ANEW: &str = "INSERT INTO search(search) VALUES('rebuild')";

const SAVE: &str = "index for the search";
/// Nobody types a longer query; a longer pasted text is cut.
const MOST_CHARS: usize = 200;
const MOST_WORDS: usize = 12;
/// About how many words a snippet has.
const SNIPPET: u32 = 24;
/// Around each match in FTS5's answers; removed from the indexed texts.
const FROM: char = '\u{1}';
const TO: char = '\u{2}';

/// One page of rows, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    pub rows: Vec<T>,
    /// Where the next page begins; none at the end.
    pub next: Option<Cursor>,
    limit: usize,
    last: i64,
}

impl<T> Page<T> {
    pub(super) fn new(limit: u32) -> Self {
        Self { rows: Vec::new(), next: None, limit: limit as usize, last: i64::MAX }
    }

    pub(super) fn push(&mut self, doc: i64, row: T) {
        self.rows.push(row);
        self.last = doc;
    }

    pub(super) fn ended(mut self) -> Self {
        let full = !self.rows.is_empty() && self.rows.len() >= self.limit;
        self.next = full.then_some(Cursor(self.last));
        self
    }
}

/// Something found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// The session it belongs to.
    pub session: SessionId,
    /// When it was written; a session's is when it was made.
    pub at: Timestamp,
    /// Where it was found.
    pub place: FoundIn,
    /// The words around it.
    pub snippet: Snippet,
    /// The session's row; none if it isn't archived yet.
    pub summary: Option<Summary>,
}

/// Where something was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FoundIn {
    /// The customer's name or contact.
    Session,
    Ticket,
    Note,
    /// A message of the transcript, or its sender's name.
    Message,
}

/// Text with its matches. Untrusted: strangers wrote it.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Snippet {
    pub text: String,
    /// The matches in it, from and to, in UTF-16 units as a web page counts.
    pub marks: Vec<(u32, u32)>,
}

impl std::fmt::Debug for Snippet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Chat texts and notes are private and stay out of logs.
        f.debug_struct("Snippet").field("marks", &self.marks).finish_non_exhaustive()
    }
}

/// The texts of a row that the search index holds.
pub(super) struct IndexedText<'a> {
    pub subject: &'a str,
    pub ticket: &'a str,
    pub text: &'a str,
}

impl Archive {
    /// Finds rows that contain all words of `typed`, or words that begin with them, in sessions,
    /// tickets, notes and messages: newest first, below `before`; at most [`PAGE`]. Any text is
    /// valid; one without a word finds all sessions.
    pub async fn search(
        &self,
        typed: &str,
        before: Option<Cursor>,
        limit: u32,
    ) -> Result<Page<Hit>, ArchiveError> {
        let typed = typed.to_owned();
        self.readers
            .read("search the archive", move |c| find(c, &typed, before, limit.min(PAGE)))
            .await
    }
}

/// Puts a row into the index.
pub(super) fn put(
    connection: &Connection,
    doc: i64,
    words: &IndexedText<'_>,
) -> Result<(), ArchiveError> {
    let sql = "INSERT INTO search(rowid, subject, ticket, text) VALUES(?1, ?2, ?3, ?4)";
    write(connection, sql, doc, words)
}

/// Takes a row out; `words` must equal the indexed words, since the index stores no text of
/// its own.
pub(super) fn remove(
    connection: &Connection,
    doc: i64,
    words: &IndexedText<'_>,
) -> Result<(), ArchiveError> {
    let sql = "INSERT INTO search(search, rowid, subject, ticket, text)
         VALUES('delete', ?1, ?2, ?3, ?4)";
    write(connection, sql, doc, words)
}

fn write(
    connection: &Connection,
    sql: &str,
    doc: i64,
    IndexedText { subject, ticket, text }: &IndexedText<'_>,
) -> Result<(), ArchiveError> {
    connection
        .prepare_cached(sql)
        .and_then(|mut statement| statement.execute((doc, subject, ticket, text)))
        .map(drop)
        .map_err(fault(SAVE))
}

pub(super) fn find(
    connection: &Connection,
    typed: &str,
    before: Option<Cursor>,
    limit: u32,
) -> Result<Page<Hit>, ArchiveError> {
    let Some(query) = query(typed) else {
        return all_sessions(connection, before, limit);
    };
    let sql = format!(
        "SELECT rowid, highlight(search, 0, char(1), char(2)),
             highlight(search, 1, char(1), char(2)),
             snippet(search, 2, char(1), char(2), '…', {SNIPPET})
         FROM search WHERE search MATCH ?1 AND rowid < ?2 ORDER BY rowid DESC LIMIT ?3"
    );
    let mut statement = connection.prepare_cached(&sql).map_err(fault(READ))?;
    // A row number as the cursor, not an offset: rows that arrive meanwhile shift nothing.
    let before = before.map_or(i64::MAX, |cursor| cursor.0);
    let mut rows = statement.query((query, before, limit)).map_err(fault(READ))?;
    let mut page = Page::new(limit);
    // Hits of one session are often neighbours.
    let mut known = HashMap::new();
    while let Some(row) = rows.next().map_err(fault(READ))? {
        let column = |index| row.get::<_, String>(index).map_err(fault(READ));
        let found = [column(1)?, column(2)?, column(3)?].map(|text| Snippet::read(&text));
        let doc = row.get(0).map_err(fault(READ))?;
        page.push(doc, hit(connection, doc, found, &mut known)?);
    }
    Ok(page.ended())
}

/// The FTS5 query for `typed`: every word of it, each as a prefix; none without a word.
fn query(typed: &str) -> Option<String> {
    // Cut first: a pasted text may be of any length.
    let typed: String = typed.chars().take(MOST_CHARS).collect();
    let words: Vec<String> = typed
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| word.contains(char::is_alphanumeric))
        .take(MOST_WORDS)
        // Quoted, so that nothing that is typed is an operator of FTS5's own query language.
        .map(|word| format!("\"{}\"*", word.replace('"', "\"\"")))
        .collect();
    (!words.is_empty()).then(|| words.join(" "))
}

fn hit(
    connection: &Connection,
    doc: i64,
    [subject, ticket, text]: [Snippet; 3],
    known: &mut HashMap<SessionId, Option<Summary>>,
) -> Result<Hit, ArchiveError> {
    let kind = doc::kind(doc).ok_or_else(|| damaged("a row number of an unknown form"))?;
    let session = session_of(connection, kind, doc)?;
    let (place, snippet) = match kind {
        Kind::Note => (FoundIn::Note, text),
        Kind::Message if text.marks.is_empty() => (FoundIn::Message, subject),
        Kind::Message => (FoundIn::Message, text),
        Kind::Session if !ticket.marks.is_empty() => (FoundIn::Ticket, ticket),
        Kind::Session if subject.marks.is_empty() && !text.marks.is_empty() => {
            (FoundIn::Session, text)
        }
        Kind::Session => (FoundIn::Session, subject),
    };
    let at = Timestamp(doc::at_ms(doc));
    let summary = match known.entry(session) {
        Entry::Occupied(known) => known.get().clone(),
        Entry::Vacant(slot) => slot.insert(sessions::one(connection, session)?).clone(),
    };
    Ok(Hit { session, at, place, snippet, summary })
}

fn session_of(connection: &Connection, kind: Kind, doc: i64) -> Result<SessionId, ArchiveError> {
    let sql = match kind {
        Kind::Session => "SELECT id FROM sessions WHERE doc = ?1",
        Kind::Note => "SELECT session FROM notes WHERE doc = ?1",
        Kind::Message => "SELECT session FROM messages WHERE doc = ?1",
    };
    let mut statement = connection.prepare_cached(sql).map_err(fault(READ))?;
    let id = statement.query_row([doc], |row| row.get(0)).optional().map_err(fault(READ))?;
    id.map(SessionId::from_bytes).ok_or_else(|| damaged("the index names a row that isn't there"))
}

fn all_sessions(
    connection: &Connection,
    before: Option<Cursor>,
    limit: u32,
) -> Result<Page<Hit>, ArchiveError> {
    let page = sessions::list(connection, &sessions::Filter::default(), before, limit)?;
    let rows = page.rows.into_iter().map(|summary| Hit {
        session: summary.session,
        at: summary.created,
        place: FoundIn::Session,
        snippet: Snippet { text: summary.about.customer.clone(), marks: Vec::new() },
        summary: Some(summary),
    });
    Ok(Page { rows: rows.collect(), next: page.next, limit: page.limit, last: page.last })
}

impl Snippet {
    /// Takes FTS5's marks out of `marked`.
    fn read(marked: &str) -> Self {
        let mut snippet = Self::default();
        let (mut place, mut from) = (0, None);
        for c in marked.chars() {
            match c {
                FROM => from = from.or(Some(place)),
                TO => snippet.marks.extend(from.take().map(|from| (from, place))),
                _ => {
                    snippet.text.push(c);
                    place += if c as u32 > 0xffff { 2 } else { 1 };
                }
            }
        }
        snippet.marks.extend(from.map(|from| (from, place)));
        snippet
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::archive::{
        Note, NoteKind, in_memory,
        messages::{self, sample as message},
        notes,
        sessions::sample,
    };

    const ONE: SessionId = SessionId::from_bytes([1; 16]);

    fn filled() -> Connection {
        let connection = in_memory();
        sessions::save(&connection, &sample(1, "María López")).unwrap();
        let chat = vec![
            message("a", 10, "María", "my printer 😀 prints blank pages"),
            message("b", 30, "Tess", "which printer is it?"),
        ];
        messages::save(&connection, ONE, chat).unwrap();
        let text = "Printer driver replaced".to_owned();
        let note = Note { kind: NoteKind::Working, text, by: "tess".into(), at: Timestamp(20_000) };
        notes::set(&connection, ONE, &note).unwrap();
        connection
    }

    fn places(connection: &Connection, typed: &str) -> Vec<(FoundIn, i64)> {
        let page = find(connection, typed, None, 10).unwrap();
        page.rows.iter().map(|hit| (hit.place, hit.at.0 / 1000)).collect()
    }

    #[test]
    fn finds_beginnings_of_words_everywhere_newest_first() {
        let connection = filled();
        let printer = [(FoundIn::Message, 30), (FoundIn::Note, 20), (FoundIn::Message, 10)];
        assert_eq!(places(&connection, "prin"), printer);
        assert_eq!(places(&connection, "PRINTER rep"), [(FoundIn::Note, 20)]);
        assert_eq!(places(&connection, "maria"), [(FoundIn::Message, 10), (FoundIn::Session, 1)]);
        assert_eq!(places(&connection, "inc-1"), [(FoundIn::Ticket, 1)]);
        assert_eq!(places(&connection, "nothing"), []);
        assert_eq!(places(&connection, " - "), [(FoundIn::Session, 1)]);
    }

    #[test]
    fn marks_count_as_a_web_page_does() {
        let connection = filled();
        let page = find(&connection, "blank prints", None, 10).unwrap();
        let Snippet { text, marks } = &page.rows[0].snippet;
        let units: Vec<u16> = text.encode_utf16().collect();
        let marked: Vec<String> = marks
            .iter()
            .map(|&(from, to)| String::from_utf16(&units[from as usize..to as usize]).unwrap())
            .collect();
        assert_eq!(marked, ["prints", "blank"]);
    }

    #[test]
    fn pages_follow_each_other_without_gap_or_repetition() {
        let connection = in_memory();
        let chat = (0..25).map(|n| message(&n.to_string(), n, "x", "word")).collect();
        messages::save(&connection, ONE, chat).unwrap();
        let (mut seen, mut before) = (Vec::new(), None);
        loop {
            let page = find(&connection, "word", before, 10).unwrap();
            seen.extend(page.rows.iter().map(|hit| hit.at.0 / 1000));
            before = page.next;
            if before.is_none() {
                break;
            }
        }
        assert_eq!(seen, (0..25).rev().collect::<Vec<_>>());
    }

    #[test]
    fn what_fts5_takes_for_syntax_is_only_text() {
        let connection = filled();
        for typed in [
            "\"",
            "a\"b",
            "NOT",
            "AND OR",
            "text:printer",
            "{subject}: x",
            "prin*",
            "^prin",
            "-prin",
            "NEAR(a b)",
            "(",
            "'",
            "a\0b",
            "\u{1}",
            "…",
            "\u{0301}",
            "prin) OR (x",
        ] {
            find(&connection, typed, None, 10).unwrap();
        }
        assert_eq!(places(&connection, "prin*").len(), 3);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]
        #[test]
        fn any_text_is_a_valid_query(typed: String) {
            let connection = filled();
            prop_assert!(find(&connection, &typed, None, 10).is_ok());
        }

        #[test]
        fn any_message_is_found_by_its_first_word(word in "[a-zA-Z0-9äöüéñ]{1,12}", rest: String) {
            let connection = in_memory();
            messages::save(&connection, ONE, vec![message("a", 1, "x", &format!("{word} {rest}"))])
                .unwrap();
            prop_assert_eq!(find(&connection, &word, None, 10).unwrap().rows.len(), 1);
        }
    }
}
