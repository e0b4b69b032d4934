//! Deletion of whole sessions: rows, texts in the search index, and what the file had of them.
//!
//! The audit log keeps its entries: it says that there was a session, and who deleted it.

use std::time::Duration;

use rusqlite::Connection;
use rusqlite_migration::M;
use session::Timestamp;
use store::fault;

use super::{Archive, ArchiveError, AskRecord, PAGE, READ, asked_people, search, sessions};
use crate::{SessionId, clock::now};

/// Lets go what is put into a table for a deleted session.
macro_rules! keep_out {
    ($table:literal, $session:literal) => {
        concat!(
            "CREATE TRIGGER ",
            $table,
            "_deleted BEFORE INSERT ON ",
            $table,
            " WHEN EXISTS(SELECT 1 FROM deleted WHERE session = NEW.",
            $session,
            ")
              BEGIN SELECT RAISE(IGNORE); END;"
        )
    };
}

/// A deleted session stays deleted: what is still on its way from the journal is let go.
pub(super) const TABLE: M<'static> = M::up(concat!(
    "CREATE TABLE deleted(session BLOB PRIMARY KEY) WITHOUT ROWID;",
    keep_out!("sessions", "id"),
    keep_out!("messages", "session"),
    keep_out!("notes", "session"),
    keep_out!("tags", "session"),
    keep_out!("regions", "session"),
    keep_out!("verifications", "session"),
    keep_out!("overrides", "session"),
    keep_out!("devices", "session"),
    keep_out!("pictures", "session"),
    "CREATE TRIGGER happenings_deleted AFTER INSERT ON happenings
         WHEN EXISTS(SELECT 1 FROM deleted WHERE session = NEW.session)
         BEGIN UPDATE happenings SET session = zeroblob(16), event = 'null' WHERE seq = NEW.seq; END;",
));

const DELETE: &str = "delete a session from the archive";
/// Where a session's rows are, beside its own row. Its events keep their numbers, which the next copy from the
/// journal goes by, so they are emptied instead.
const TABLES: [&str; 9] = [
    "messages",
    "notes",
    "earlier_notes",
    "tags",
    "regions",
    "verifications",
    "overrides",
    "devices",
    "pictures",
];

/// What was deleted with a session.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Deleted {
    pub messages: usize,
    pub notes: usize,
    pub pictures: usize,
}

impl Archive {
    /// Deletes a session with everything in it, for good; none if the archive has no such session, which then
    /// doesn't come in any more.
    ///
    /// # Errors
    /// An [`ArchiveError`]; nothing of it is deleted then.
    pub async fn delete_session(
        &self,
        session: SessionId,
    ) -> Result<Option<Deleted>, ArchiveError> {
        self.delete_asked(session, Vec::new()).await
    }

    /// As [`Self::delete_session`], and notes of what was `asked` in it what the brake on asking people goes by.
    pub(crate) async fn delete_asked(
        &self,
        session: SessionId,
        asked: Vec<AskRecord>,
    ) -> Result<Option<Deleted>, ArchiveError> {
        let at = now();
        self.write(DELETE, move |tx| {
            asked_people::keep(tx, &asked, at)?;
            delete(tx, session)
        })
        .await
    }

    /// Whether a session was deleted.
    ///
    /// # Errors
    /// An [`ArchiveError`].
    pub async fn is_deleted(&self, session: SessionId) -> Result<bool, ArchiveError> {
        let sql = "SELECT EXISTS(SELECT 1 FROM deleted WHERE session = ?1)";
        let read = move |c: &Connection| c.query_row(sql, [session.as_bytes()], |row| row.get(0));
        self.read(move |c| read(c).map_err(fault(READ))).await
    }

    /// Takes what was deleted out of the write-ahead log, too; false if somebody was reading just then.
    ///
    /// # Errors
    /// An [`ArchiveError`].
    pub async fn empty_log(&self) -> Result<bool, ArchiveError> {
        self.database.empty_log(DELETE).await
    }

    /// When the newest session was made that a pause of more than `longest` without any session followed, until `now` at
    /// the latest; none if there was no such pause.
    ///
    /// # Errors
    /// An [`ArchiveError`].
    pub async fn newest_before_pause(
        &self,
        longest: Duration,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, ArchiveError> {
        let sql = "SELECT max(created) FROM (
                       SELECT created, LEAD(created, 1, ?2) OVER (ORDER BY created) AS following
                       FROM sessions)
                   WHERE following - created > ?1";
        let longest = i64::try_from(longest.as_millis()).unwrap_or(i64::MAX);
        let read = move |c: &Connection| {
            c.query_row(sql, (longest, now.0), |row| row.get::<_, Option<i64>>(0))
        };
        Ok(self.read(move |c| read(c).map_err(fault(READ))).await?.map(Timestamp))
    }

    /// Sessions that ended before `before`, as it looks at `now`, the oldest first; at most [`PAGE`]. One that was never
    /// closed counts from its beginning: whether it is live is for the caller to know.
    ///
    /// # Errors
    /// An [`ArchiveError`].
    pub async fn ended_before(
        &self,
        before: Timestamp,
        now: Timestamp,
    ) -> Result<Vec<SessionId>, ArchiveError> {
        self.read(move |c| ended_before(c, before, now)).await
    }
}

fn delete(connection: &Connection, session: SessionId) -> Result<Option<Deleted>, ArchiveError> {
    let known = sessions::doc_of(connection, session)?;
    for doc in docs_of(connection, session)?.into_iter().chain(known) {
        search::remove(connection, doc)?;
    }
    search::forget(connection, session)?;
    let run = |sql: &str| connection.execute(sql, [session.as_bytes()]).map_err(fault(DELETE));
    let mut deleted = Deleted::default();
    for table in TABLES {
        let rows = run(&format!("DELETE FROM {table} WHERE session = ?1"))?;
        match table {
            "messages" => deleted.messages = rows,
            "notes" => deleted.notes = rows,
            "pictures" => deleted.pictures = rows,
            _ => {}
        }
    }
    run("UPDATE happenings SET session = zeroblob(16), event = 'null' WHERE session = ?1")?;
    run("DELETE FROM sessions WHERE id = ?1")?;
    run("INSERT OR IGNORE INTO deleted(session) VALUES(?1)")?;
    Ok(known.map(|_| deleted))
}

fn docs_of(connection: &Connection, session: SessionId) -> Result<Vec<i64>, ArchiveError> {
    let sql = "SELECT doc FROM messages WHERE session = ?1 UNION ALL SELECT doc FROM notes WHERE session = ?1";
    let mut statement = connection.prepare_cached(sql).map_err(fault(DELETE))?;
    let docs =
        statement.query_map([session.as_bytes()], |row| row.get(0)).map_err(fault(DELETE))?;
    docs.collect::<Result<_, _>>().map_err(fault(DELETE))
}

/// Events are numbered in their true order, so one with an earlier time than one before it was noted by a clock that
/// stood in the past. Its session counts as ended by the next event whose time is believed; until then it is kept.
const ENDED_BEFORE: &str = "
    WITH ordered AS (
        SELECT seq, session, at, max(CASE WHEN at <= ?3 THEN at END) OVER (ORDER BY seq) AS newest
        FROM happenings),
    believed AS (
        SELECT session, at, newest,
               min(CASE WHEN at = newest THEN at END) OVER (ORDER BY seq DESC) AS next
        FROM ordered)
    SELECT id FROM sessions
    WHERE ifnull(closed_at, created) < ?1
      AND id NOT IN (
          SELECT session FROM believed
          WHERE newest - at > 86400000 AND (next IS NULL OR next >= ?1))
    ORDER BY doc LIMIT ?2";

fn ended_before(
    connection: &Connection,
    before: Timestamp,
    now: Timestamp,
) -> Result<Vec<SessionId>, ArchiveError> {
    let mut statement = connection.prepare_cached(ENDED_BEFORE).map_err(fault(READ))?;
    let read = |row: &rusqlite::Row<'_>| row.get(0).map(SessionId::from_bytes);
    let ids = statement.query_map((before.0, PAGE, now.0), read).map_err(fault(READ))?;
    ids.collect::<Result<_, _>>().map_err(fault(READ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::{
        ARCHIVE, Note, NoteKind, in_memory,
        messages::{self, sample as message},
        notes,
        sessions::sample,
        tags,
    };

    const ONE: SessionId = SessionId::from_bytes([1; 16]);

    fn fill(connection: &Connection, n: u8) {
        let session = SessionId::from_bytes([n; 16]);
        sessions::save(connection, &sample(n, "María")).unwrap();
        tags::set(connection, session, &["vip".to_owned()]).unwrap();
        for text in ["first", "second"] {
            let (kind, by, at) = (NoteKind::Working, "tess".to_owned(), Timestamp(5_000));
            notes::set(connection, session, &Note { kind, text: text.into(), by, at }).unwrap();
        }
        messages::save(connection, session, vec![message("a", 7, "María", "打印机坏了")]).unwrap();
        let events = "INSERT OR IGNORE INTO happenings VALUES(?1, ?2, 1, '{}')";
        connection.execute(events, (n, session.as_bytes())).unwrap();
        for table in ["overrides", "regions"] {
            let sql = format!("INSERT INTO {table} VALUES(?1, '{{}}')");
            connection.execute(&sql, [session.as_bytes()]).unwrap();
        }
        let verification = "INSERT INTO verifications VALUES(?1, 1, '{}')";
        connection.execute(verification, [session.as_bytes()]).unwrap();
        let picture =
            "INSERT INTO pictures(session, at, by, bytes, png) VALUES(?1, 1, 'tess', 1, x'00')";
        connection.execute(picture, [session.as_bytes()]).unwrap();
    }

    fn rows(connection: &Connection, session: SessionId) -> usize {
        let count = |sql: String| -> usize {
            connection.query_row(&sql, [session.as_bytes()], |row| row.get(0)).unwrap()
        };
        let tables = TABLES.iter().chain(&["happenings", "ordinals"]);
        let all: usize = tables
            .map(|table| count(format!("SELECT count(*) FROM {table} WHERE session = ?1")))
            .sum();
        all + count("SELECT count(*) FROM sessions WHERE id = ?1".to_owned())
    }

    #[test]
    fn nothing_is_left_of_a_deleted_session_and_the_others_keep_all() {
        let connection = in_memory();
        fill(&connection, 1);
        fill(&connection, 2);
        let before = rows(&connection, SessionId::from_bytes([2; 16]));
        let deleted = delete(&connection, ONE).unwrap();
        assert_eq!(deleted, Some(Deleted { messages: 1, notes: 1, pictures: 1 }));
        assert_eq!(rows(&connection, ONE), 0);
        assert_eq!(rows(&connection, SessionId::from_bytes([2; 16])), before);
        let found = search::find(&connection, "印机", None, 10).unwrap().rows;
        assert_eq!(found.iter().map(|hit| hit.session.as_bytes()[0]).collect::<Vec<_>>(), [2]);
        assert_eq!(delete(&connection, ONE).unwrap(), None);
        connection.execute_batch("INSERT INTO search(search) VALUES('integrity-check')").unwrap();
    }

    #[test]
    fn what_arrives_late_for_a_deleted_session_is_let_go() {
        let connection = in_memory();
        fill(&connection, 1);
        delete(&connection, ONE).unwrap();
        fill(&connection, 1);
        connection
            .execute("INSERT INTO happenings VALUES(9, ?1, 1, '{}')", [ONE.as_bytes()])
            .unwrap();
        assert_eq!(rows(&connection, ONE), 0);
        assert!(search::find(&connection, "maria", None, 10).unwrap().rows.is_empty());
    }

    #[test]
    fn sessions_that_ended_long_ago_are_listed_oldest_first() {
        let connection = in_memory();
        for n in 1..=4 {
            let closed_at = (n != 1).then_some(Timestamp(i64::from(n) * 10_000));
            sessions::save(&connection, &crate::archive::Summary { closed_at, ..sample(n, "x") })
                .unwrap();
        }
        let ended = ended_before(&connection, Timestamp(30_000), Timestamp(90_000)).unwrap();
        assert_eq!(ended.iter().map(|id| id.as_bytes()[0]).collect::<Vec<_>>(), [1, 2]);
    }

    #[test]
    fn a_session_that_a_clock_in_the_past_stamped_ends_when_the_clock_was_right_again() {
        const DAY: i64 = 86_400_000;
        let connection = in_memory();
        // The second and the third were worked on while the clock stood in the past, the last one while it stood ahead.
        let ends = [1_000, 0, 0, 1_001, 1_002, 5_000].map(|day| day * DAY);
        for (n, end) in (1..).zip(ends) {
            let (closed_at, created) = (Some(Timestamp(end)), Timestamp(end));
            let summary = crate::archive::Summary { closed_at, created, ..sample(n, "x") };
            sessions::save(&connection, &summary).unwrap();
        }
        let mut seq = 0;
        let mut happens = |n: u8, at: i64| {
            seq += 1;
            let event = "INSERT INTO happenings VALUES(?1, ?2, ?3, '{}')";
            connection.execute(event, (seq, [n; 16], at)).unwrap();
        };
        happens(1, ends[0]);
        happens(2, ends[1]);
        let now = 1_003 * DAY;
        let ended = |before: i64| -> Vec<u8> {
            let ended = ended_before(&connection, Timestamp(before), Timestamp(now)).unwrap();
            let mut ended: Vec<u8> = ended.iter().map(|id| id.as_bytes()[0]).collect();
            ended.sort_unstable();
            ended
        };
        let none: [u8; 0] = [];
        assert_eq!(ended(ends[0]), [3], "of the third one nothing else is known yet");
        for (n, at) in [(3, 0), (6, ends[5]), (4, ends[3]), (5, ends[4])] {
            happens(n, at);
        }
        assert_eq!(ended(ends[0]), none, "they didn't end in 1970");
        assert_eq!(ended(ends[3]), [1], "nor before the clock was right");
        assert_eq!(ended(ends[3] + 1), [1, 2, 3, 4]);
        assert_eq!(ended(now), [1, 2, 3, 4, 5]);
    }

    #[test]
    fn no_byte_of_a_deleted_session_is_left_in_the_file_or_its_log() {
        const WRITTEN: [&str; 3] = ["Zqxjk", "wvyqz", "bxqpfm"];
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("plain.db");
        // Without a key, so that the bytes are what the rows say.
        let archive = ARCHIVE.open(&path, None).unwrap();
        fill(&archive, 2);
        sessions::save(&archive, &sample(1, WRITTEN[0])).unwrap();
        let said = message("z", 7, "María", &format!("the {} jams", WRITTEN[1]));
        messages::save(&archive, ONE, vec![said]).unwrap();
        for text in ["first", "second"] {
            let text = format!("{text} {}", WRITTEN[2]);
            let (kind, by, at) = (NoteKind::Working, "tess".to_owned(), Timestamp(5_000));
            notes::set(&archive, ONE, &Note { kind, text, by, at }).unwrap();
        }
        let on_the_disk = |text: &str| {
            let holds = |name: &str| {
                let bytes = std::fs::read(folder.path().join(name)).unwrap_or_default();
                bytes.windows(text.len()).any(|part| part.eq_ignore_ascii_case(text.as_bytes()))
            };
            holds("plain.db") || holds("plain.db-wal")
        };
        // As the tables have it, and as the index has it.
        let parts = WRITTEN.iter().flat_map(|text| [*text, &text[1..4]]);
        for text in parts.clone() {
            assert!(on_the_disk(text), "{text}");
        }
        delete(&archive, ONE).unwrap();
        assert!(on_the_disk(WRITTEN[0]), "the log has it until it is emptied");
        assert!(archive.empty_log("look").unwrap());
        for text in parts {
            assert!(!on_the_disk(text), "{text}");
        }
        assert!(on_the_disk("打印机坏了"), "the other session is kept");
    }
}
