//! Looking through the chain of the audit log: whether an entry was changed, moved or taken out.

use rusqlite::{Connection, Row};
use store::fault;

use super::{AuditAnchor, AuditHash, COLUMNS, READ, hash, read};
use crate::archive::{Archive, ArchiveError};

/// The result of verifying the whole log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditReport {
    /// How many entries hold, from the first on.
    pub entries: u64,
    /// The first that doesn't: its place, and why.
    pub broken: Option<(u64, BrokenLink)>,
    /// The hash of the last that holds; none if none does.
    pub head: Option<AuditHash>,
}

/// Why a link is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BrokenLink {
    /// There is no entry at this place, but there are later ones.
    #[error("it is missing")]
    Missing,
    /// Its place is below the first.
    #[error("it is out of order: no entry can be at this place")]
    Order,
    /// It isn't chained to the entry before it.
    #[error("it does not follow from the entry before it: one of the two was replaced")]
    Prev,
    /// Its hash doesn't match its contents.
    #[error("it was changed: its hash is of something else")]
    Hash,
    /// The log ends before an entry that is known to have been written.
    #[error("it is gone, and so are all later ones that were written")]
    Lost,
    /// It isn't the entry that is known to have been written at this place.
    #[error("it is another entry than the one that was written: the end of the log was replaced")]
    Replaced,
    /// A column holds an invalid value.
    #[error("it was changed: it can't be read")]
    Unreadable,
}

impl Archive {
    /// Looks through the whole log, an entry at a time, up to the first broken link.
    ///
    /// # Errors
    /// An [`ArchiveError`]. A broken link is no error: the report names it.
    pub async fn verify_audit(&self) -> Result<AuditReport, ArchiveError> {
        self.verify_audit_to(None).await
    }

    /// The same, and whether the log still has the entry that `anchor` names.
    ///
    /// # Errors
    /// An [`ArchiveError`]. A broken link is no error: the report names it.
    pub async fn verify_audit_to(
        &self,
        anchor: Option<AuditAnchor>,
    ) -> Result<AuditReport, ArchiveError> {
        self.readers.read(READ, move |connection| verify(connection, anchor)).await
    }
}

pub(super) fn verify(
    connection: &Connection,
    anchor: Option<AuditAnchor>,
) -> Result<AuditReport, ArchiveError> {
    let mut report = AuditReport { entries: 0, broken: None, head: None };
    let mut statement = connection
        .prepare_cached(&format!("SELECT {COLUMNS} FROM audit ORDER BY seq"))
        .map_err(fault(READ))?;
    let mut rows = statement.query([]).map_err(fault(READ))?;
    while let Some(row) = rows.next().map_err(fault(READ))? {
        match holds(row, &report, anchor) {
            Ok(hash) => {
                report.entries += 1;
                report.head = Some(hash);
            }
            Err(broken) => {
                report.broken = Some(broken);
                return Ok(report);
            }
        }
    }
    if anchor.is_some_and(|anchor| anchor.seq > report.entries) {
        report.broken = Some((report.entries + 1, BrokenLink::Lost));
    }
    Ok(report)
}

/// The hash of the entry in `row`, if it goes on where `report` is.
fn holds(
    row: &Row<'_>,
    report: &AuditReport,
    anchor: Option<AuditAnchor>,
) -> Result<AuditHash, (u64, BrokenLink)> {
    let next = report.entries + 1;
    let seq = row.get::<_, i64>(0).map_err(|_| (next, BrokenLink::Unreadable))?;
    let seq = u64::try_from(seq).ok().filter(|seq| *seq > 0).ok_or((0, BrokenLink::Order))?;
    if seq != next {
        return Err((next, BrokenLink::Missing));
    }
    let link = read(row).ok_or((seq, BrokenLink::Unreadable))?;
    if link.prev != report.head.unwrap_or(AuditHash::NONE) {
        return Err((seq, BrokenLink::Prev));
    }
    if link.hash != hash(seq, &link.entry, link.prev) {
        return Err((seq, BrokenLink::Hash));
    }
    if anchor.is_some_and(|anchor| anchor.seq == seq && anchor.hash != link.hash) {
        return Err((seq, BrokenLink::Replaced));
    }
    Ok(link.hash)
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            page,
            tests::{entry, filled},
        },
        *,
    };
    use crate::archive::in_memory;

    /// The report after tampering as by somebody who has the key and first drops the triggers.
    fn tampered(sql: &str) -> AuditReport {
        let connection = filled(5);
        let triggers =
            "DROP TRIGGER audit_keeps; DROP TRIGGER audit_stays; DROP TRIGGER audit_grows;";
        connection.execute_batch(&format!("{triggers} {sql}")).unwrap();
        verify(&connection, None).unwrap()
    }

    #[test]
    fn an_empty_log_holds() {
        let report = verify(&in_memory(), None).unwrap();
        assert_eq!(report, AuditReport { entries: 0, broken: None, head: None });
    }

    #[test]
    fn each_field_that_was_changed_is_named() {
        let changes = [
            ("at = at + 1", BrokenLink::Hash),
            ("by = 'somebody else'", BrokenLink::Hash),
            ("action = 'lookup'", BrokenLink::Hash),
            ("text = text || ' '", BrokenLink::Hash),
            ("session = NULL", BrokenLink::Hash),
            ("session = zeroblob(16)", BrokenLink::Hash),
            ("session = x'00'", BrokenLink::Unreadable),
            ("hash = zeroblob(32)", BrokenLink::Hash),
            ("hash = 'abc'", BrokenLink::Unreadable),
            ("prev = zeroblob(32)", BrokenLink::Prev),
            ("text = x'ff'", BrokenLink::Unreadable),
            ("at = 'soon'", BrokenLink::Unreadable),
        ];
        for (change, why) in changes {
            let report = tampered(&format!("UPDATE audit SET {change} WHERE seq = 4"));
            assert_eq!((report.entries, report.broken), (3, Some((4, why))), "{change}");
        }
    }

    #[test]
    fn an_entry_that_is_missing_moved_or_put_in_is_named() {
        let cases = [
            ("DELETE FROM audit WHERE seq = 2", (2, BrokenLink::Missing)),
            ("DELETE FROM audit WHERE seq = 1", (1, BrokenLink::Missing)),
            // Taken out, and the gap closed.
            (
                "DELETE FROM audit WHERE seq = 2; UPDATE audit SET seq = seq - 1 WHERE seq = 3;",
                (2, BrokenLink::Prev),
            ),
            // Two that changed places.
            (
                "UPDATE audit SET seq = 9 WHERE seq = 2; UPDATE audit SET seq = 2 WHERE seq = 3;
                 UPDATE audit SET seq = 3 WHERE seq = 9;",
                (2, BrokenLink::Prev),
            ),
            ("UPDATE audit SET seq = 0 WHERE seq = 3", (0, BrokenLink::Order)),
            ("UPDATE audit SET seq = -7 WHERE seq = 3", (0, BrokenLink::Order)),
        ];
        for (sql, broken) in cases {
            assert_eq!(tampered(sql).broken, Some(broken), "{sql}");
        }
    }

    #[test]
    fn an_entry_replaced_together_with_its_hash_breaks_the_next_link() {
        let mut other = entry(3);
        other.by = "somebody else".into();
        let prev = page(&filled(5), Some(3), 1).unwrap()[0].hash;
        let hash = hash(3, &other, prev);
        let report = tampered(&format!(
            "UPDATE audit SET by = 'somebody else', hash = x'{hash}' WHERE seq = 3"
        ));
        assert_eq!((report.entries, report.broken), (3, Some((4, BrokenLink::Prev))));
    }

    #[test]
    fn a_log_without_the_entry_of_its_anchor_is_broken() {
        let connection = filled(5);
        let all = page(&connection, None, 10).unwrap();
        let anchor =
            |seq: u64, hash| AuditAnchor::from_bytes(&AuditAnchor { seq, hash }.to_bytes());
        let broken = |anchor| verify(&connection, anchor).unwrap().broken;
        assert_eq!(broken(anchor(5, all[0].hash)), None);
        assert_eq!(broken(anchor(3, all[2].hash)), None);
        assert_eq!(broken(anchor(6, all[0].hash)), Some((6, BrokenLink::Lost)));
        assert_eq!(broken(anchor(3, all[0].hash)), Some((3, BrokenLink::Replaced)));
        let empty = verify(&in_memory(), anchor(5, all[0].hash)).unwrap();
        assert_eq!(empty.broken, Some((1, BrokenLink::Lost)));
        assert_eq!(AuditAnchor::from_bytes(b"short"), None);
    }
}
