//! What a search answers, a page at a time.

use crate::archive::Cursor;

/// One page of rows, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    pub rows: Vec<T>,
    /// Where the next page begins; none at the end.
    pub next: Option<Cursor>,
    pub(in crate::archive) limit: usize,
    pub(in crate::archive) last: i64,
}

impl<T> Page<T> {
    pub(in crate::archive) fn new(limit: u32) -> Self {
        Self { rows: Vec::new(), next: None, limit: limit as usize, last: i64::MAX }
    }

    pub(in crate::archive) fn push(&mut self, doc: i64, row: T) {
        self.rows.push(row);
        self.last = doc;
    }

    pub(in crate::archive) fn ended(mut self) -> Self {
        let full = !self.rows.is_empty() && self.rows.len() >= self.limit;
        self.next = full.then_some(Cursor(self.last));
        self
    }
}

/// Where something was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FoundIn {
    /// The customer's name or contact.
    Session,
    Ticket,
    Tag,
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
