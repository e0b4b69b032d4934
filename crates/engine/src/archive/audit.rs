//! The audit log: everybody's actions, append-only, each entry chained to the one before by
//! its hash.
//!
//! No code here changes or removes an entry, and triggers refuse it to whoever tries in SQL. The
//! chain shows that an entry was changed, moved or taken out. By itself it can't show that the whole
//! log, or its end, was replaced: for that, an [`AuditAnchor`] is kept elsewhere.

mod chain;

use std::io::Write;

pub use chain::{AuditReport, BrokenLink};

use jiff::tz::TimeZone;
use ring::digest::{Context, SHA256};
use rusqlite::{Connection, OptionalExtension as _, Row, Transaction};
use rusqlite_migration::M;
use serde::Serialize;
use session::Timestamp;
use store::{fault, io_fault};

use super::{Archive, ArchiveError, PAGE, damaged};
use crate::SessionId;

pub(super) const TABLE: M<'static> = M::up(
    "CREATE TABLE audit(
         seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, by TEXT NOT NULL, action TEXT NOT NULL,
         text TEXT NOT NULL, session BLOB, prev BLOB NOT NULL, hash BLOB NOT NULL);
     CREATE TRIGGER audit_keeps BEFORE UPDATE ON audit
         BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
     CREATE TRIGGER audit_stays BEFORE DELETE ON audit
         BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
     CREATE TRIGGER audit_grows BEFORE INSERT ON audit
         WHEN NEW.seq IS NOT (SELECT ifnull(max(seq), 0) + 1 FROM audit)
         BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;",
);

const APPEND: &str = "write the audit log";
const READ: &str = "read the audit log";
const EXPORT: &str = "export the audit log";
/// The prefix of every hashed text, so that no hash of another use equals one of these. A new
/// encoding gets a new number.
const FORM: &[u8] = b"deskhand audit 1\n";

/// An entry's hash, to which the next entry is chained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuditHash([u8; 32]);

impl AuditHash {
    /// The previous hash of the first entry.
    const NONE: Self = Self([0; 32]);
}

/// An entry that is known to have been written, kept apart from the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuditAnchor {
    /// Its place.
    pub seq: u64,
    /// Its hash.
    pub hash: AuditHash,
}

impl AuditAnchor {
    /// As bytes: its place, little-endian, then its hash.
    pub fn to_bytes(self) -> Vec<u8> {
        [self.seq.to_le_bytes().as_slice(), &self.hash.0].concat()
    }

    /// From these bytes; none if they are others.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (seq, hash) = bytes.split_first_chunk::<8>()?;
        Some(Self { seq: u64::from_le_bytes(*seq), hash: AuditHash(hash.try_into().ok()?) })
    }
}

impl std::fmt::Display for AuditHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl Serialize for AuditHash {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// An action of somebody, to be written to the audit log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AuditEntry {
    pub at: Timestamp,
    /// Who did it.
    pub by: String,
    /// The action's name for programs, such as `signed_in`.
    pub action: String,
    /// The action in a sentence, without secrets.
    pub text: String,
    /// The session that it was about.
    pub session: Option<SessionId>,
}

/// An entry as the log has it, chained to the one before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AuditLink {
    /// Its place; the first is 1, and none is left out.
    pub seq: u64,
    /// The action.
    #[serde(flatten)]
    pub entry: AuditEntry,
    /// The hash of the entry before; zeros for the first.
    pub prev: AuditHash,
    /// This entry's hash.
    pub hash: AuditHash,
}

impl Archive {
    /// Appends an entry; it is on disk when this returns.
    ///
    /// # Errors
    /// An [`ArchiveError`]; nothing is appended then.
    pub async fn append_audit(&self, entry: AuditEntry) -> Result<AuditLink, ArchiveError> {
        self.write(APPEND, move |tx| append(tx, entry)).await
    }

    /// Limits the file to `most` pages, as on a full disk; none lifts the limit. For tests.
    pub async fn limit_pages(&self, most: Option<u32>) -> Result<(), ArchiveError> {
        let most = most.unwrap_or(u32::MAX - 1);
        let sql = format!("PRAGMA max_page_count = {most}");
        let limit = move |c: &Transaction<'_>| c.query_row(&sql, [], |_| Ok(()));
        self.write(APPEND, move |tx| limit(tx).map_err(fault(APPEND))).await
    }

    /// Entries below `before`, or the newest, newest first; at most [`PAGE`].
    pub async fn audit_page(
        &self,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<AuditLink>, ArchiveError> {
        self.readers.read(READ, move |c| page(c, before, limit.min(PAGE))).await
    }

    /// The hash that the entry at `seq` has; none if there is no entry.
    ///
    /// # Errors
    /// An [`ArchiveError`].
    pub async fn audit_hash(&self, seq: u64) -> Result<Option<AuditHash>, ArchiveError> {
        let sql = "SELECT hash FROM audit WHERE seq = ?1";
        let read = move |c: &Connection| {
            c.query_row(sql, [seq], |row| row.get(0).map(AuditHash)).optional().map_err(fault(READ))
        };
        self.readers.read(READ, read).await
    }

    /// Writes the whole log to `to` as JSON Lines, an entry at a time, oldest first, each with its time for people.
    ///
    /// # Errors
    /// An [`ArchiveError`]; a failed write to `to` is reported as one of the file system.
    pub async fn export_audit<W: Write + Send + 'static>(
        &self,
        mut to: W,
    ) -> Result<W, ArchiveError> {
        let write = move |connection: &Connection| {
            each(connection, "seq > 0 ORDER BY seq", [], |link| {
                let link = link.ok_or_else(|| damaged("an entry of the audit log"))?;
                let exported = Exported { time: local_time(link.entry.at), link };
                serde_json::to_writer(&mut to, &exported)
                    .map_err(|error| io_fault(EXPORT)(error.into()))?;
                to.write_all(b"\n").map_err(io_fault(EXPORT))?;
                Ok(true)
            })?;
            to.flush().map_err(io_fault(EXPORT))?;
            Ok(to)
        };
        self.readers.read(EXPORT, write).await
    }
}

/// An entry in an export. What is for people isn't hashed, for zones change.
#[derive(Serialize)]
struct Exported {
    #[serde(flatten)]
    link: AuditLink,
    /// By RFC 3339, with this computer's offset; none of a time that no calendar has.
    time: Option<String>,
}

fn local_time(at: Timestamp) -> Option<String> {
    let at = jiff::Timestamp::from_millisecond(at.0).ok()?;
    Some(at.to_zoned(TimeZone::system()).strftime("%Y-%m-%dT%H:%M:%S%.3f%:z").to_string())
}

fn append(connection: &Connection, entry: AuditEntry) -> Result<AuditLink, ArchiveError> {
    let last = connection
        .query_row("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1", [], |row| {
            Ok((row.get::<_, u64>(0)?, row.get::<_, [u8; 32]>(1)?))
        })
        .optional()
        .map_err(fault(APPEND))?;
    let (before, prev) = last.map_or((0, AuditHash::NONE), |(seq, hash)| (seq, AuditHash(hash)));
    let seq = before + 1;
    let link = AuditLink { seq, hash: hash(seq, &entry, prev), prev, entry };
    let AuditEntry { at, by, action, text, session } = &link.entry;
    connection
        .prepare_cached(
            "INSERT INTO audit(seq, at, by, action, text, session, prev, hash)
             VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )
        .and_then(|mut insert| {
            let session = session.as_ref().map(SessionId::as_bytes);
            insert.execute((seq, at.0, by, action, text, session, prev.0, link.hash.0))
        })
        .map_err(fault(APPEND))?;
    Ok(link)
}

/// The hash of an entry (docs/audit.md): SHA-256 over a line that names the form, then each field
/// as a netstring, its length in bytes, a colon, its bytes, a comma. Numbers are decimal, a session
/// is its lower-case UUID or empty, the hash before is hexadecimal.
fn hash(seq: u64, entry: &AuditEntry, prev: AuditHash) -> AuditHash {
    let AuditEntry { at, by, action, text, session } = entry;
    let session = session.map(|session| session.to_string()).unwrap_or_default();
    let mut hashed = Context::new(&SHA256);
    hashed.update(FORM);
    for field in
        [&seq.to_string(), &at.0.to_string(), by, action, text, &session, &prev.to_string()]
    {
        hashed.update(format!("{}:{field},", field.len()).as_bytes());
    }
    let mut hash = [0; 32];
    hash.copy_from_slice(hashed.finish().as_ref());
    AuditHash(hash)
}

fn page(
    connection: &Connection,
    before: Option<u64>,
    limit: u32,
) -> Result<Vec<AuditLink>, ArchiveError> {
    let before = before.and_then(|seq| i64::try_from(seq).ok()).unwrap_or(i64::MAX);
    let mut entries = Vec::new();
    each(connection, "seq < ?1 ORDER BY seq DESC LIMIT ?2", [before, limit.into()], |link| {
        // An entry that can't be read is left out; to verify the log names it.
        entries.extend(link);
        Ok(true)
    })?;
    Ok(entries)
}

const COLUMNS: &str = "seq, at, by, action, text, session, prev, hash";

/// Gives `take` the entries that `which` finds, none for one that can't be read, until it
/// has enough.
fn each<P: rusqlite::Params>(
    connection: &Connection,
    which: &str,
    params: P,
    mut take: impl FnMut(Option<AuditLink>) -> Result<bool, ArchiveError>,
) -> Result<(), ArchiveError> {
    let sql = format!("SELECT {COLUMNS} FROM audit WHERE {which}");
    let mut statement = connection.prepare_cached(&sql).map_err(fault(READ))?;
    let mut rows = statement.query(params).map_err(fault(READ))?;
    while let Some(row) = rows.next().map_err(fault(READ))? {
        if !take(read(row))? {
            break;
        }
    }
    Ok(())
}

fn read(row: &Row<'_>) -> Option<AuditLink> {
    let columns = |row: &Row<'_>| -> rusqlite::Result<AuditLink> {
        let session: Option<[u8; 16]> = row.get(5)?;
        let entry = AuditEntry {
            at: Timestamp(row.get(1)?),
            by: row.get(2)?,
            action: row.get(3)?,
            text: row.get(4)?,
            session: session.map(SessionId::from_bytes),
        };
        let (prev, hash) = (AuditHash(row.get(6)?), AuditHash(row.get(7)?));
        Ok(AuditLink { seq: row.get(0)?, entry, prev, hash })
    };
    columns(row).ok()
}

#[cfg(test)]
mod tests {
    use super::{chain::verify, *};
    use crate::archive::in_memory;

    pub(super) fn entry(n: u8) -> AuditEntry {
        AuditEntry {
            at: Timestamp(1_000 + i64::from(n)),
            by: "Tess Äyräs".into(),
            action: "viewer_link".into(),
            text: format!("Gave the viewer link of customer {n}, \"quoted\"."),
            session: (n.is_multiple_of(2)).then(|| SessionId::from_bytes([n; 16])),
        }
    }

    pub(super) fn filled(entries: u8) -> Connection {
        let connection = in_memory();
        for n in 1..=entries {
            append(&connection, entry(n)).unwrap();
        }
        connection
    }

    #[test]
    fn entries_are_numbered_chained_and_read_newest_first() {
        let connection = filled(5);
        let all = page(&connection, None, 10).unwrap();
        assert_eq!(all.iter().map(|entry| entry.seq).collect::<Vec<_>>(), [5, 4, 3, 2, 1]);
        assert_eq!(all[1].entry, entry(4));
        assert!(all.windows(2).all(|pair| pair[0].prev == pair[1].hash));
        assert_eq!(all[4].prev, AuditHash::NONE);
        let below = page(&connection, Some(3), 1).unwrap();
        assert_eq!(below.iter().map(|entry| entry.seq).collect::<Vec<_>>(), [2]);
        let report = verify(&connection, None).unwrap();
        assert_eq!(report, AuditReport { entries: 5, broken: None, head: Some(all[0].hash) });
    }

    #[test]
    fn the_hash_is_the_documented_one() {
        let first = page(&filled(1), None, 1).unwrap().remove(0);
        // printf 'deskhand audit 1\n1:1,4:1001,...' | sha256sum, as docs/audit.md says.
        let text = entry(1).text;
        let plain = format!(
            "deskhand audit 1\n1:1,4:1001,12:Tess Äyräs,11:viewer_link,{}:{text},0:,64:{},",
            text.len(),
            "0".repeat(64)
        );
        let expected = ring::digest::digest(&SHA256, plain.as_bytes());
        assert_eq!(first.hash.0, expected.as_ref());
    }

    #[test]
    fn sql_can_neither_change_nor_remove_nor_replace_an_entry() {
        let connection = filled(3);
        let refused = [
            "UPDATE audit SET text = 'x' WHERE seq = 2",
            "DELETE FROM audit WHERE seq = 3",
            "DELETE FROM audit",
            "INSERT OR REPLACE INTO audit SELECT * FROM audit WHERE seq = 2",
            "INSERT INTO audit VALUES(9, 1, '', '', '', NULL, x'', x'')",
        ];
        for sql in refused {
            let error = connection.execute_batch(sql).unwrap_err().to_string();
            assert!(error.contains("append-only"), "{sql}: {error}");
        }
        assert_eq!(verify(&connection, None).unwrap().entries, 3);
    }
}
