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
    fields: Vec<Field>,
}

/// A text of a row, folded once for all that looks into it.
pub(super) struct Field {
    pub(super) found_in: FoundIn,
    pub(super) text: String,
    pub(super) folded: Folded,
}

impl Field {
    fn new(found_in: FoundIn, text: String) -> Self {
        let folded = Folded::new(&text);
        Self { found_in, text, folded }
    }

    fn has(&self, term: &Term) -> bool {
        self.folded.places(term).next().is_some()
    }
}

impl Row {
    pub(super) fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// How many of `terms` are in it.
    pub(super) fn count(&self, terms: &[Term]) -> usize {
        let has = |term: &&Term| self.fields.iter().any(|field| field.has(term));
        terms.iter().filter(has).count()
    }

    /// The first field that has one of `terms`; the first of all if none has.
    pub(super) fn best_field(&self, terms: &[Term]) -> Option<&Field> {
        let has = |field: &&Field| terms.iter().any(|term| field.has(term));
        self.fields.iter().find(has).or(self.fields.first())
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
            Kind::Message => vec![
                Field::new(FoundIn::Message, row.get(1)?),
                Field::new(FoundIn::Message, row.get(2)?),
            ],
            Kind::Note => vec![Field::new(FoundIn::Note, row.get(1)?)],
            Kind::Session => {
                let tags: Option<String> = row.get(4)?;
                let mut fields = vec![
                    Field::new(FoundIn::Ticket, row.get(1)?),
                    Field::new(FoundIn::Session, row.get(2)?),
                    Field::new(FoundIn::Session, row.get(3)?),
                ];
                // One by one, so that no term is found across two of them.
                let tags = tags.iter().flat_map(|tags| tags.split('\n'));
                fields.extend(tags.map(|tag| Field::new(FoundIn::Tag, tag.to_owned())));
                fields
            }
        };
        Ok(Row { doc, session, fields })
    };
    let mut statement = connection.prepare_cached(sql).map_err(fault(READ))?;
    statement.query_row([doc], read).optional().map_err(fault(READ))
}
