//! A searchable row with its texts, as the tables have them.

use std::ops::ControlFlow;

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

/// Most rows are messages, so a place's message is read together with it.
const COLUMNS: &str = "places.place, places.doc, messages.session, messages.body, messages.subject";

/// The row at a place of the index; none if the index is ahead of the tables.
pub(super) fn at(connection: &Connection, place: i64) -> Result<Option<Row>, ArchiveError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM places LEFT JOIN messages USING(doc) WHERE places.place = ?1"
    );
    let mut statement = connection.prepare_cached(&sql).map_err(fault(READ))?;
    let mut rows = statement.query([place]).map_err(fault(READ))?;
    let columns = rows.next().map_err(fault(READ))?;
    columns.map_or(Ok(None), |columns| Ok(of_columns(connection, columns)?.1))
}

/// Gives the rows below `before` that match `query` of the index to `each`, the newest first, until it breaks.
pub(super) fn each_match(
    connection: &Connection,
    query: &str,
    before: i64,
    mut each: impl FnMut(i64, &Row) -> Result<ControlFlow<()>, ArchiveError>,
) -> Result<(), ArchiveError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM search JOIN places ON places.place = search.rowid
             LEFT JOIN messages USING(doc)
         WHERE search MATCH ?1 AND search.rowid < ?2 ORDER BY search.rowid DESC"
    );
    let mut statement = connection.prepare_cached(&sql).map_err(fault(READ))?;
    let mut rows = statement.query((query, before)).map_err(fault(READ))?;
    while let Some(columns) = rows.next().map_err(fault(READ))? {
        if let (place, Some(row)) = of_columns(connection, columns)?
            && each(place, &row)?.is_break()
        {
            break;
        }
    }
    Ok(())
}

/// A place and its row, of [`COLUMNS`].
fn of_columns(
    connection: &Connection,
    columns: &Columns<'_>,
) -> Result<(i64, Option<Row>), ArchiveError> {
    let read = |at: usize| columns.get(at).map_err(fault(READ));
    let (place, doc) = (read(0)?, read(1)?);
    let session: Option<[u8; 16]> = columns.get(2).map_err(fault(READ))?;
    let row = match session {
        Some(session) => Some(message(doc, session, columns, 3).map_err(fault(READ))?),
        None => of_doc(connection, doc)?,
    };
    Ok((place, row))
}

/// A message whose body and subject are the columns from `first` on.
fn message(
    doc: i64,
    session: [u8; 16],
    columns: &Columns<'_>,
    first: usize,
) -> rusqlite::Result<Row> {
    let fields = vec![
        Field::new(FoundIn::Message, columns.get(first)?),
        Field::new(FoundIn::Message, columns.get(first + 1)?),
    ];
    Ok(Row { doc, session: SessionId::from_bytes(session), fields })
}

/// The row that has a number of its own; none if it isn't in the tables.
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
    let read = |columns: &Columns<'_>| {
        let session = columns.get(0)?;
        let fields = match kind {
            Kind::Message => return message(doc, session, columns, 1),
            Kind::Note => vec![Field::new(FoundIn::Note, columns.get(1)?)],
            Kind::Session => {
                let tags: Option<String> = columns.get(4)?;
                let mut fields = vec![
                    Field::new(FoundIn::Ticket, columns.get(1)?),
                    Field::new(FoundIn::Session, columns.get(2)?),
                    Field::new(FoundIn::Session, columns.get(3)?),
                ];
                // One by one, so that no term is found across two of them.
                let tags = tags.iter().flat_map(|tags| tags.split('\n'));
                fields.extend(tags.map(|tag| Field::new(FoundIn::Tag, tag.to_owned())));
                fields
            }
        };
        Ok(Row { doc, session: SessionId::from_bytes(session), fields })
    };
    let mut statement = connection.prepare_cached(sql).map_err(fault(READ))?;
    statement.query_row([doc], read).optional().map_err(fault(READ))
}
