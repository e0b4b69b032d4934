//! Search over sessions, tickets, tags, notes and messages: for parts of words, in every script.
//!
//! A session is found if it has all terms, in whichever of its rows. The newest session stands first, and within it
//! the newest row: the first page is read from the index's end and never ranks every match. Any text is valid.

mod excerpt;
mod folded;
mod found;
mod index;
mod occurrences;
mod row;
mod terms;
#[cfg(test)]
mod tests;

use std::{
    collections::{HashMap, hash_map::Entry},
    ops::ControlFlow,
};

use rusqlite::Connection;
use session::Timestamp;

pub use self::found::{FoundIn, Page, Snippet};
pub(crate) use self::index::REINDEX;
pub(super) use self::index::{GRAMS, MERGED, WORDS, forget, put, remove};
use self::{
    excerpt::excerpt,
    index::index_pending,
    occurrences::Occurrences,
    row::Row,
    terms::{Term, match_all, terms},
};
use super::{Archive, ArchiveError, Cursor, PAGE, Summary, doc, sessions};
use crate::SessionId;

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

impl Archive {
    /// Finds sessions that have all terms of `typed` in their names, tickets, contacts, tags, notes and messages, the
    /// newest first, below `before`; at most [`PAGE`] rows. What is in quotation marks is one term. Each row that has
    /// all terms is a hit; of a session that has them in several rows only, it is the row with the most of them. Any
    /// text is valid; one without a term finds all sessions.
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

    /// How much of the archive the search knows, in percent, while what an older version archived is indexed; none once
    /// it knows all. Whoever says that a search was complete asks this before it, not after it.
    pub async fn indexed(&self) -> Result<Option<u8>, ArchiveError> {
        self.readers.read("see how far the search's index is", index::indexed).await
    }

    /// Indexes the next rows that an older version archived, which knew an index of another form; false once none is
    /// left. Until then they aren't found.
    pub async fn index_pending(&self) -> Result<bool, ArchiveError> {
        // A batch takes some hundredths of a second, for which other writes wait.
        const BATCH: u32 = 500;
        self.write("index older sessions for the search", |tx| index_pending(tx, BATCH)).await
    }

    /// Merges some of the pieces of the search's index, of which each write adds one; false once few are left. A search
    /// looks into each of them.
    pub async fn merge_index(&self) -> Result<bool, ArchiveError> {
        // A batch takes some hundredths of a second, for which other writes wait.
        const PAGES: u32 = 64;
        self.write("merge the search's index", |tx| index::merge(tx, PAGES)).await
    }
}

pub(super) fn find(
    connection: &Connection,
    typed: &str,
    before: Option<Cursor>,
    limit: u32,
) -> Result<Page<Hit>, ArchiveError> {
    let terms = terms(typed);
    if terms.is_empty() {
        return all_sessions(connection, before, limit);
    }
    let page = Page::new(limit);
    let occurrences = terms.iter().map(|term| Occurrences::new(connection, term)).collect();
    let mut finder = Finder { connection, terms: &terms, occurrences, known: HashMap::new(), page };
    // A place as the cursor, not an offset: rows that arrive meanwhile shift nothing.
    finder.run(before.map_or(i64::MAX, |cursor| cursor.0))?;
    Ok(finder.page.ended())
}

/// One search on its way through the index.
struct Finder<'a> {
    connection: &'a Connection,
    terms: &'a [Term],
    /// Where each of the terms is.
    occurrences: Vec<Occurrences<'a>>,
    /// Hits of one session are neighbours.
    known: HashMap<SessionId, Option<Summary>>,
    page: Page<Hit>,
}

impl Finder<'_> {
    fn run(&mut self, before: i64) -> Result<(), ArchiveError> {
        if self.page.limit == 0 {
            return Ok(());
        }
        if let [term] = self.terms {
            return self.rows_with_one(term, before);
        }
        // Where the last page ended within a session, it goes on with that session's further rows.
        let mut end = before;
        if before != i64::MAX {
            let start = index::first_place(index::ordinal(before));
            self.rows_with_all(start, before)?;
            end = start;
        }
        while self.missing() > 0 {
            let Some((ordinal, newest)) = self.session_with_all(end)? else { break };
            let rows: Vec<_> = self.occurrences.iter_mut().map(Occurrences::take_row).collect();
            let start = index::first_place(ordinal);
            let before = self.page.rows.len();
            self.rows_with_all(start, index::first_place(ordinal + 1))?;
            if self.page.rows.len() == before {
                self.row_with_most(newest.into_iter().zip(rows))?;
            }
            end = start;
        }
        Ok(())
    }

    /// Adds the rows below `before` that have a search's only term, until the page is full.
    fn rows_with_one(&mut self, term: &Term, before: i64) -> Result<(), ArchiveError> {
        let query = match_all(std::slice::from_ref(term));
        row::each_match(self.connection, &query, before, |place, row| {
            if row.count(self.terms) == 1 {
                self.push(place, row)?;
            }
            Ok(if self.missing() == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        })
    }

    /// The newest session below `end` that has all terms: its ordinal, and the places of each term's newest row in it.
    fn session_with_all(&mut self, mut end: i64) -> Result<Option<(i64, Vec<i64>)>, ArchiveError> {
        loop {
            let mut ordinal = i64::MAX;
            let mut newest = Vec::with_capacity(self.occurrences.len());
            for one in &mut self.occurrences {
                let Some(place) = one.newest_below(end)? else { return Ok(None) };
                ordinal = ordinal.min(index::ordinal(place));
                // The other terms needn't look at the sessions above this one.
                end = end.min(index::first_place(ordinal + 1));
                newest.push(place);
            }
            if newest.iter().all(|place| index::ordinal(*place) == ordinal) {
                return Ok(Some((ordinal, newest)));
            }
        }
    }

    /// Adds the rows from `start` to below `end` that have all terms, until the page is full.
    fn rows_with_all(&mut self, start: i64, mut end: i64) -> Result<(), ArchiveError> {
        while self.missing() > 0
            && let Some(place) = self.candidate(start, end)?
        {
            if let Some(row) = row::at(self.connection, place)?
                && row.count(self.terms) == self.terms.len()
            {
                self.push(place, &row)?;
            }
            end = place;
        }
        Ok(())
    }

    /// The newest place from `start` to below `end` whose row may have all terms. The index isn't asked for all of them
    /// at once: where no row has all, it would look through everything for one, in each session anew.
    fn candidate(&mut self, start: i64, mut end: i64) -> Result<Option<i64>, ArchiveError> {
        loop {
            let newest = end;
            for one in &mut self.occurrences {
                let place = one.candidate_below(end)?.filter(|place| *place >= start);
                let Some(place) = place else { return Ok(None) };
                end = end.min(place + 1);
            }
            // Each term was as far down as all others, in one round.
            if end == newest {
                return Ok(Some(end - 1));
            }
        }
    }

    /// Adds that one of the terms' newest rows which has the most of them.
    fn row_with_most(
        &mut self,
        newest: impl Iterator<Item = (i64, Option<Row>)>,
    ) -> Result<(), ArchiveError> {
        let known = newest.filter_map(|(place, row)| row.map(|row| (place, row)));
        let counted = known.map(|(place, row)| (row.count(self.terms), place, row));
        let best = counted.max_by_key(|(count, place, _)| (*count, *place));
        best.map_or(Ok(()), |(_, place, row)| self.push(place, &row))
    }

    fn push(&mut self, place: i64, row: &Row) -> Result<(), ArchiveError> {
        let session = row.session;
        let summary = match self.known.entry(session) {
            Entry::Occupied(known) => known.get().clone(),
            Entry::Vacant(slot) => slot.insert(sessions::one(self.connection, session)?).clone(),
        };
        let Some(field) = row.best_field(self.terms) else { return Ok(()) };
        let snippet = excerpt(&field.text, &field.folded, self.terms);
        let at = Timestamp(doc::at_ms(row.doc));
        self.page.push(place, Hit { session, at, place: field.found_in, snippet, summary });
        Ok(())
    }

    fn missing(&self) -> usize {
        self.page.limit.saturating_sub(self.page.rows.len())
    }
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
