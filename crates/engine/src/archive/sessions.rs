//! One row for each session: people, subject and outcome. Never its PIN.

use rusqlite::{Connection, OptionalExtension as _, Row};
use rusqlite_migration::M;
use serde::{Deserialize, Serialize};
use session::{About, Life, Outcome, Record, SessionStatus, Timestamp};
use store::fault;
use wire::Region;

use super::{
    Archive, ArchiveError, Cursor, PAGE, READ, damaged,
    doc::{self, Kind},
    search::{self, Page},
};
use crate::SessionId;

pub(super) const TABLE: M<'static> = M::up(
    "CREATE TABLE sessions(
         doc INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, created INTEGER NOT NULL,
         by TEXT NOT NULL, customer TEXT NOT NULL, ticket TEXT NOT NULL, contact TEXT NOT NULL,
         word TEXT NOT NULL, outcome TEXT, region TEXT, first_joined INTEGER,
         active_ms INTEGER NOT NULL, closed_at INTEGER);",
);

const SAVE: &str = "save a session to the archive";
const COLUMNS: &str = "doc, id, created, by, customer, ticket, contact, word, outcome, region,
     first_joined, active_ms, closed_at";

/// A session's row in the archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    pub session: SessionId,
    /// When the technician asked for it.
    pub created: Timestamp,
    /// Who asked for it.
    pub by: String,
    /// The customer, contact and subject.
    pub about: About,
    /// Its state when last saved.
    pub word: SessionStatus,
    /// The outcome, once it was closed here.
    pub outcome: Option<Outcome>,
    /// Where its PIN was minted, once there is one.
    pub region: Option<Region>,
    /// When a presenter first joined: the end of waiting.
    pub first_joined: Option<Timestamp>,
    /// How long the presenter and a viewer were present together, in milliseconds.
    pub active_ms: u64,
    /// When it was closed here.
    pub closed_at: Option<Timestamp>,
}

/// Which sessions are listed; the default lists all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only those that came out so.
    pub outcome: Option<Outcome>,
    /// Only those with this tag.
    pub tag: Option<String>,
}

impl Summary {
    /// From a session's record and the word for it.
    pub fn new(session: SessionId, record: &Record, word: &SessionStatus) -> Self {
        let (outcome, closed_at) = match &record.life {
            Life::Closed { at, outcome, .. } => (Some(*outcome), Some(*at)),
            Life::Allocating | Life::Failed { .. } | Life::Live(_) | Life::Over { .. } => {
                (None, None)
            }
        };
        Self {
            session,
            created: record.created,
            by: record.by.clone(),
            about: record.about.clone(),
            word: word.clone(),
            outcome,
            region: record.allocation().map(|allocation| allocation.region.clone()),
            first_joined: record.first_joined,
            active_ms: record.active_ms,
            closed_at,
        }
    }

    /// How long it waited for its presenter, in milliseconds: until one came, or it was closed. None if neither is so,
    /// and where nobody could come, for want of a PIN.
    pub fn waited_ms(&self) -> Option<u64> {
        self.region.as_ref()?;
        let until = self.first_joined.or(self.closed_at)?;
        Some(u64::try_from(until.since(self.created).as_millis()).unwrap_or(u64::MAX))
    }
}

impl Archive {
    /// Brings a session's row up to date, or makes it.
    pub async fn save_summary(&self, summary: Summary) -> Result<(), ArchiveError> {
        self.write(SAVE, move |tx| save(tx, &summary)).await
    }

    /// A session's row.
    pub async fn summary(&self, session: SessionId) -> Result<Option<Summary>, ArchiveError> {
        self.read(move |c| one(c, session)).await
    }

    /// Sessions that fit `filter`, newest first, below `before`; at most [`PAGE`].
    pub async fn list(
        &self,
        filter: Filter,
        before: Option<Cursor>,
        limit: u32,
    ) -> Result<Page<Summary>, ArchiveError> {
        self.read(move |c| list(c, &filter, before, limit.min(PAGE))).await
    }
}

pub(super) fn save(connection: &Connection, summary: &Summary) -> Result<(), ArchiveError> {
    match find(connection, summary.session)? {
        None => insert(connection, summary),
        Some((_, old)) if old == *summary => Ok(()),
        Some((doc, old)) => {
            if old.about == summary.about {
                return write(connection, doc, summary);
            }
            search::remove(connection, doc)?;
            write(connection, doc, summary)?;
            search::put(connection, doc)
        }
    }
}

fn insert(connection: &Connection, summary: &Summary) -> Result<(), ArchiveError> {
    let doc = doc::next(connection, Kind::Session, summary.created.0, SAVE)?;
    write(connection, doc, summary)?;
    search::put(connection, doc)
}

fn write(connection: &Connection, doc: i64, summary: &Summary) -> Result<(), ArchiveError> {
    let word = serde_json::to_string(&summary.word).map_err(damaged)?;
    let sql = format!(
        "INSERT OR REPLACE INTO sessions({COLUMNS})
         VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)"
    );
    let mut statement = connection.prepare_cached(&sql).map_err(fault(SAVE))?;
    statement
        .execute(rusqlite::params![
            doc,
            summary.session.as_bytes(),
            summary.created.0,
            summary.by,
            summary.about.customer,
            summary.about.ticket,
            summary.about.contact,
            word,
            summary.outcome.map(outcome_text),
            summary.region.as_ref().map(Region::as_str),
            summary.first_joined.map(|at| at.0),
            summary.active_ms,
            summary.closed_at.map(|at| at.0),
        ])
        .map(drop)
        .map_err(fault(SAVE))
}

pub(super) fn one(
    connection: &Connection,
    session: SessionId,
) -> Result<Option<Summary>, ArchiveError> {
    Ok(find(connection, session)?.map(|(_, summary)| summary))
}

/// The number of a session's row.
pub(super) fn doc_of(
    connection: &Connection,
    session: SessionId,
) -> Result<Option<i64>, ArchiveError> {
    let mut statement =
        connection.prepare_cached("SELECT doc FROM sessions WHERE id = ?1").map_err(fault(READ))?;
    let doc = statement.query_row([session.as_bytes()], |row| row.get(0)).optional();
    doc.map_err(fault(READ))
}

fn find(
    connection: &Connection,
    session: SessionId,
) -> Result<Option<(i64, Summary)>, ArchiveError> {
    let sql = format!("SELECT {COLUMNS} FROM sessions WHERE id = ?1");
    let mut statement = connection.prepare_cached(&sql).map_err(fault(READ))?;
    let found = statement.query_row([session.as_bytes()], |row| Ok(read(row))).optional();
    found.map_err(fault(READ))?.transpose()
}

pub(super) fn list(
    connection: &Connection,
    filter: &Filter,
    before: Option<Cursor>,
    limit: u32,
) -> Result<Page<Summary>, ArchiveError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM sessions
         WHERE doc < ?1 AND (?2 IS NULL OR outcome = ?2)
             AND (?3 IS NULL OR id IN (SELECT session FROM tags WHERE tag = ?3))
         ORDER BY doc DESC LIMIT ?4"
    );
    let mut statement = connection.prepare_cached(&sql).map_err(fault(READ))?;
    let before = before.map_or(i64::MAX, |cursor| cursor.0);
    let outcome = filter.outcome.map(outcome_text);
    let mut rows = statement.query((before, outcome, &filter.tag, limit)).map_err(fault(READ))?;
    let mut page = Page::new(limit);
    while let Some(row) = rows.next().map_err(fault(READ))? {
        let (doc, summary) = read(row)?;
        page.push(doc, summary);
    }
    Ok(page.ended())
}

fn read(row: &Row<'_>) -> Result<(i64, Summary), ArchiveError> {
    let word: String = row.get(7).map_err(fault(READ))?;
    let outcome: Option<String> = row.get(8).map_err(fault(READ))?;
    let region: Option<String> = row.get(9).map_err(fault(READ))?;
    let word = serde_json::from_str(&word).map_err(|_| damaged("a state of an unknown form"))?;
    let outcome = outcome.as_deref().map(outcome_of).transpose()?;
    let region = region.map(Region::try_from).transpose().map_err(damaged)?;
    let columns = |row: &Row<'_>| {
        let about = About { customer: row.get(4)?, ticket: row.get(5)?, contact: row.get(6)? };
        let summary = Summary {
            session: SessionId::from_bytes(row.get(1)?),
            created: Timestamp(row.get(2)?),
            by: row.get(3)?,
            about,
            word,
            outcome,
            region,
            first_joined: row.get::<_, Option<i64>>(10)?.map(Timestamp),
            active_ms: row.get(11)?,
            closed_at: row.get::<_, Option<i64>>(12)?.map(Timestamp),
        };
        Ok((row.get(0)?, summary))
    };
    columns(row).map_err(fault(READ))
}

fn outcome_text(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Resolved => "resolved",
        Outcome::Unresolved => "unresolved",
        Outcome::Unknown => "unknown",
    }
}

fn outcome_of(text: &str) -> Result<Outcome, ArchiveError> {
    [Outcome::Resolved, Outcome::Unresolved, Outcome::Unknown]
        .into_iter()
        .find(|&outcome| outcome_text(outcome) == text)
        .ok_or_else(|| damaged("an outcome of an unknown form"))
}

#[cfg(test)]
pub(super) fn sample(n: u8, customer: &str) -> Summary {
    let about = About { customer: customer.into(), ticket: format!("INC-{n}"), ..About::default() };
    let record = session::State::new(about, "tess".into(), Timestamp(i64::from(n) * 1000)).record;
    Summary::new(SessionId::from_bytes([n; 16]), &record, &SessionStatus::Allocating)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::in_memory;

    #[test]
    fn a_saved_row_comes_back_and_is_brought_up_to_date() {
        let connection = in_memory();
        let mut summary = sample(1, "Maria Lopez");
        save(&connection, &summary).unwrap();
        assert_eq!(one(&connection, summary.session).unwrap(), Some(summary.clone()));
        summary.outcome = Some(Outcome::Resolved);
        summary.closed_at = Some(Timestamp(9_000));
        summary.first_joined = Some(Timestamp(1_500));
        summary.region = Some("us-east-1".parse().unwrap());
        save(&connection, &summary).unwrap();
        assert_eq!(one(&connection, summary.session).unwrap(), Some(summary.clone()));
        assert_eq!(summary.waited_ms(), Some(500));
        summary.first_joined = None;
        assert_eq!(summary.waited_ms(), Some(8_000), "nobody came until it was closed");
        assert_eq!(Summary { closed_at: None, ..summary.clone() }.waited_ms(), None);
        assert_eq!(Summary { region: None, ..summary }.waited_ms(), None, "it had no PIN");
    }

    #[test]
    fn lists_newest_first_page_by_page() {
        let connection = in_memory();
        for n in [3, 1, 2, 5, 4] {
            save(&connection, &sample(n, "x")).unwrap();
        }
        let (mut seen, mut before) = (Vec::new(), None);
        loop {
            let page = list(&connection, &Filter::default(), before, 2).unwrap();
            seen.extend(page.rows.iter().map(|summary| summary.created.0 / 1000));
            before = page.next;
            if before.is_none() {
                break;
            }
        }
        assert_eq!(seen, [5, 4, 3, 2, 1]);
    }

    #[test]
    fn filters_by_outcome_and_tag() {
        let connection = in_memory();
        for n in 1..=3 {
            let outcome = (n < 3).then_some(Outcome::Resolved);
            save(&connection, &Summary { outcome, ..sample(n, "x") }).unwrap();
        }
        let two = SessionId::from_bytes([2; 16]);
        crate::archive::tags::set(&connection, two, &["vip".to_owned()]).unwrap();
        let found = |filter: Filter| {
            let page = list(&connection, &filter, None, 10).unwrap();
            page.rows.iter().map(|summary| summary.created.0 / 1000).collect::<Vec<_>>()
        };
        let resolved = Some(Outcome::Resolved);
        assert_eq!(found(Filter { outcome: resolved, tag: None }), [2, 1]);
        assert_eq!(found(Filter { outcome: resolved, tag: Some("vip".into()) }), [2]);
        assert!(found(Filter { outcome: None, tag: Some("other".into()) }).is_empty());
    }

    #[test]
    fn a_changed_customer_is_found_by_the_new_name_only() {
        let connection = in_memory();
        save(&connection, &sample(1, "Maria")).unwrap();
        save(&connection, &sample(1, "Monika")).unwrap();
        let hits = |typed| search::find(&connection, typed, None, 10).unwrap().rows.len();
        assert_eq!((hits("maria"), hits("monika")), (0, 1));
    }
}
