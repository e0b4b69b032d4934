//! A searchable row with its texts, as the tables have them.

use rusqlite::{Connection, OptionalExtension as _, Row as Columns};
use store::fault;

use super::{folded::Folded, found::FoundIn, terms::Term};
use crate::{
    SessionId,
    archive::{
        ArchiveError, READ, damaged,
        doc::{self, Kind},
    },
};

pub(super) struct Row {
    pub(super) doc: i64,
    pub(super) session: SessionId,
    /// What is looked at first stands first.
    fields: Vec<(FoundIn, String)>,
}

impl Row {
    pub(super) fn texts(&self) -> impl Iterator<Item = &str> {
        self.fields.iter().map(|(_, text)| text.as_str())
    }

    /// How many of `terms` are in it.
    pub(super) fn count(&self, terms: &[Term]) -> usize {
        let folded: Vec<_> = self.fields.iter().map(|(_, text)| Folded::new(text)).collect();
        let has = |term: &&Term| folded.iter().any(|text| text.places(term).next().is_some());
        terms.iter().filter(has).count()
    }

    /// The first field that has one of `terms`; the first of all if none has.
    pub(super) fn best_field(&self, terms: &[Term]) -> (FoundIn, &str) {
        let has = |text: &str| {
            let folded = Folded::new(text);
            terms.iter().any(|term| folded.places(term).next().is_some())
        };
        let best = self.fields.iter().find(|(_, text)| has(text)).or(self.fields.first());
        best.map_or((FoundIn::Session, ""), |(place, text)| (*place, text))
    }
}

/// The row at a place of the index; none if the index is ahead of the tables.
pub(super) fn at(connection: &Connection, place: i64) -> Result<Option<Row>, ArchiveError> {
    let mut find = connection
        .prepare_cached("SELECT doc FROM places WHERE place = ?1")
        .map_err(fault(READ))?;
    let doc = find.query_row([place], |row| row.get(0)).optional().map_err(fault(READ))?;
    doc.map_or(Ok(None), |doc| of_doc(connection, doc))
}

pub(super) fn of_doc(connection: &Connection, doc: i64) -> Result<Option<Row>, ArchiveError> {
    let kind = doc::kind(doc).ok_or_else(|| damaged("a row number of an unknown form"))?;
    let sql = match kind {
        Kind::Message => "SELECT session, body, subject FROM messages WHERE doc = ?1",
        Kind::Note => "SELECT session, text FROM notes WHERE doc = ?1",
        Kind::Session => {
            "SELECT id, ticket, customer, contact,
                 (SELECT group_concat(tag, char(10)) FROM
                     (SELECT tag FROM tags WHERE session = sessions.id ORDER BY tag))
             FROM sessions WHERE doc = ?1"
        }
    };
    let read = |row: &Columns<'_>| {
        let session = SessionId::from_bytes(row.get(0)?);
        let fields = match kind {
            Kind::Message => vec![(FoundIn::Message, row.get(1)?), (FoundIn::Message, row.get(2)?)],
            Kind::Note => vec![(FoundIn::Note, row.get(1)?)],
            Kind::Session => {
                let tags: Option<String> = row.get(4)?;
                let mut fields = vec![
                    (FoundIn::Ticket, row.get(1)?),
                    (FoundIn::Session, row.get(2)?),
                    (FoundIn::Session, row.get(3)?),
                ];
                // One by one, so that no term is found across two of them.
                let tags = tags.iter().flat_map(|tags| tags.split('\n'));
                fields.extend(tags.map(|tag| (FoundIn::Tag, tag.to_owned())));
                fields
            }
        };
        Ok(Row { doc, session, fields })
    };
    let mut statement = connection.prepare_cached(sql).map_err(fault(READ))?;
    statement.query_row([doc], read).optional().map_err(fault(READ))
}
