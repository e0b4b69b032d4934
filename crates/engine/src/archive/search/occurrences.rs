//! Where one term is, read from the index a batch at a time.

use std::collections::VecDeque;

use rusqlite::Connection;
use store::fault;

use super::{
    row::{self, Row},
    terms::{Term, match_all},
};
use crate::archive::{ArchiveError, READ};

/// About a page, which is all that most searches look at.
const FIRST: usize = 64;
/// Where the others jump far, of which there may be a jump for each session.
const FEW: usize = 8;
const MOST: usize = 512;
/// To begin to read costs about as much as so many places.
const WORTH: usize = 16;

/// The places of the rows that have a term, the newest first. Asked for ever lower places, it never goes back.
pub(super) struct Occurrences<'a> {
    connection: &'a Connection,
    term: &'a [Term],
    query: String,
    /// Those that were read and may still be asked for. They have the term's grams, but maybe not the term.
    ahead: VecDeque<i64>,
    /// Whether the first of `ahead` has the term.
    is_sure: bool,
    /// The row of the first of `ahead`, if it was read.
    row: Option<Row>,
    /// Whether the first of `ahead` was an answer.
    is_answer: bool,
    /// How many of the batch were answers; the others were jumped over.
    answers: usize,
    /// All from here on were read or jumped over.
    read_to: i64,
    batch: usize,
    is_at_end: bool,
}

impl<'a> Occurrences<'a> {
    pub(super) fn new(connection: &'a Connection, term: &'a Term) -> Self {
        let term = std::slice::from_ref(term);
        Self {
            connection,
            term,
            query: match_all(term),
            ahead: VecDeque::new(),
            is_sure: false,
            row: None,
            is_answer: false,
            answers: 0,
            read_to: i64::MAX,
            batch: 0,
            is_at_end: false,
        }
    }

    /// The newest place below `end` whose row has the term.
    pub(super) fn newest_below(&mut self, end: i64) -> Result<Option<i64>, ArchiveError> {
        while let Some(place) = self.candidate_below(end)? {
            if !self.is_sure {
                self.row = row::at(self.connection, place)?;
                self.is_sure = self.row.as_ref().is_some_and(|row| row.count(self.term) == 1);
            }
            if self.is_sure {
                return Ok(Some(place));
            }
            self.pass();
        }
        Ok(None)
    }

    /// The newest place below `end` whose row may have the term.
    pub(super) fn candidate_below(&mut self, end: i64) -> Result<Option<i64>, ArchiveError> {
        loop {
            while let Some(place) = self.ahead.front() {
                if *place < end {
                    self.is_answer = true;
                    return Ok(Some(*place));
                }
                self.pass();
            }
            if self.is_at_end {
                return Ok(None);
            }
            self.read(end)?;
        }
    }

    /// The row that [`Self::newest_below`] found last; none once it was taken.
    pub(super) fn take_row(&mut self) -> Option<Row> {
        self.row.take()
    }

    fn pass(&mut self) {
        self.ahead.pop_front();
        self.answers += usize::from(std::mem::take(&mut self.is_answer));
        self.is_sure = false;
        self.row = None;
    }

    fn read(&mut self, end: i64) -> Result<(), ArchiveError> {
        self.batch = match std::mem::take(&mut self.answers) {
            _ if self.batch == 0 => FIRST,
            0 => FEW,
            answers if answers * WORTH < self.batch => FEW.max(self.batch / 2),
            _ => MOST.min(self.batch * 2),
        };
        let end = end.min(self.read_to);
        let sql = "SELECT rowid FROM search WHERE search MATCH ?1 AND rowid < ?2
             ORDER BY rowid DESC LIMIT ?3";
        let mut statement = self.connection.prepare_cached(sql).map_err(fault(READ))?;
        let places = statement
            .query_map((&self.query, end, self.batch), |row| row.get(0))
            .map_err(fault(READ))?;
        for place in places {
            self.ahead.push_back(place.map_err(fault(READ))?);
        }
        self.is_at_end = self.ahead.len() < self.batch;
        self.read_to = self.ahead.back().copied().unwrap_or(end);
        Ok(())
    }
}
