//! The people with a profile at this console, their aliases set from here, and the accepted
//! sign-ins.

use rusqlite::{Connection, Row};
use rusqlite_migration::M;
use session::Timestamp;
use store::fault;
use uuid::Uuid;

use super::{Archive, ArchiveError, READ, damaged};
use crate::access::Person;

pub(super) const TABLE: M<'static> = M::up(
    "CREATE TABLE people(
         id BLOB PRIMARY KEY, name TEXT NOT NULL, email TEXT NOT NULL, created_at INTEGER NOT NULL,
         aliases TEXT NOT NULL DEFAULT '[]', aliases_at INTEGER, aliases_hashed INTEGER NOT NULL DEFAULT 1)
         WITHOUT ROWID;
     CREATE TABLE sign_ins(token TEXT PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID;",
);

const SAVE: &str = "save the profile";
/// A sign-in is remembered for so long, in ms: far longer than one is taken for new.
const REMEMBERED: i64 = 7 * 86_400_000;

/// The aliases that were set last from here; the service gives none back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Aliases {
    /// All of them.
    pub set: Vec<String>,
    /// When; none if never.
    pub at: Option<Timestamp>,
    /// Whether the service keeps them hashed.
    pub hashed: bool,
}

impl Archive {
    /// Keeps a new profile, made at `at`.
    pub async fn add_person(&self, person: Person, at: Timestamp) -> Result<(), ArchiveError> {
        self.write("save the profile", move |tx| add(tx, &person, at)).await
    }

    /// Forgets all profiles; records keep the names.
    pub async fn forget_people(&self) -> Result<(), ArchiveError> {
        self.write("forget the profiles", |tx| forget(tx)).await
    }

    /// Who has a profile here, in the order in which they came.
    pub async fn people(&self) -> Result<Vec<Person>, ArchiveError> {
        self.read(all).await
    }

    /// Stores the aliases that were set for a person.
    pub async fn set_aliases(&self, id: Uuid, aliases: Aliases) -> Result<(), ArchiveError> {
        self.write("save the aliases", move |tx| set_aliases(tx, id, &aliases)).await
    }

    /// The aliases that were set for a person from here.
    pub async fn aliases(&self, id: Uuid) -> Result<Aliases, ArchiveError> {
        self.read(move |c| aliases(c, id)).await
    }

    /// Notes that a sign-in was taken, by its token's id; false if it was taken before.
    ///
    /// # Errors
    /// An [`ArchiveError`]; it must not be taken then.
    pub async fn take_sign_in(&self, token: String, at: Timestamp) -> Result<bool, ArchiveError> {
        self.write("note the sign-in", move |tx| take_sign_in(tx, &token, at)).await
    }
}

pub(super) fn add(
    connection: &Connection,
    person: &Person,
    at: Timestamp,
) -> Result<(), ArchiveError> {
    let sql = "INSERT INTO people(id, name, email, created_at) VALUES(?1, ?2, ?3, ?4)";
    connection
        .execute(sql, (person.id.as_bytes(), &person.name, &person.email, at.0))
        .map_err(fault(SAVE))?;
    Ok(())
}

pub(super) fn forget(connection: &Connection) -> Result<(), ArchiveError> {
    connection.execute("DELETE FROM people", []).map_err(fault(SAVE))?;
    Ok(())
}

pub(super) fn all(connection: &Connection) -> Result<Vec<Person>, ArchiveError> {
    let sql = "SELECT id, name, email FROM people ORDER BY created_at, id";
    let mut statement = connection.prepare_cached(sql).map_err(fault(READ))?;
    let read = |row: &Row<'_>| {
        let id = Uuid::from_bytes(row.get(0)?);
        Ok(Person { id, name: row.get(1)?, email: row.get(2)? })
    };
    let people = statement.query_map([], read).map_err(fault(READ))?;
    people.collect::<Result<_, _>>().map_err(fault(READ))
}

pub(super) fn set_aliases(
    connection: &Connection,
    id: Uuid,
    aliases: &Aliases,
) -> Result<(), ArchiveError> {
    let sql = "UPDATE people SET aliases = ?2, aliases_at = ?3, aliases_hashed = ?4 WHERE id = ?1";
    let set = serde_json::to_string(&aliases.set).map_err(damaged)?;
    connection
        .execute(sql, (id.as_bytes(), set, aliases.at.map(|at| at.0), aliases.hashed))
        .map_err(fault(SAVE))?;
    Ok(())
}

pub(super) fn aliases(connection: &Connection, id: Uuid) -> Result<Aliases, ArchiveError> {
    let sql = "SELECT aliases, aliases_at, aliases_hashed FROM people WHERE id = ?1";
    let read = |row: &Row<'_>| Ok((row.get(0)?, row.get::<_, Option<i64>>(1)?, row.get(2)?));
    let (set, at, hashed): (String, _, _) =
        connection.query_row(sql, [id.as_bytes()], read).map_err(fault(READ))?;
    let set = serde_json::from_str(&set).map_err(damaged)?;
    Ok(Aliases { set, at: at.map(Timestamp), hashed })
}

/// Remembers a sign-in by its token's id; false if it was taken before.
pub(super) fn take_sign_in(
    connection: &Connection,
    token: &str,
    at: Timestamp,
) -> Result<bool, ArchiveError> {
    let old = at.0.saturating_sub(REMEMBERED);
    connection.execute("DELETE FROM sign_ins WHERE at < ?1", [old]).map_err(fault(SAVE))?;
    let sql = "INSERT OR IGNORE INTO sign_ins(token, at) VALUES(?1, ?2)";
    let inserted = connection.execute(sql, (token, at.0)).map_err(fault(SAVE))?;
    Ok(inserted == 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::in_memory;

    fn person(n: u128, name: &str) -> Person {
        Person { id: Uuid::from_u128(n), name: name.into(), email: "a@a.example".into() }
    }

    #[test]
    fn people_are_kept_in_the_order_in_which_they_came() {
        let connection = in_memory();
        let (anna, bo) = (person(2, "Anna \u{1F511} Жанна"), person(1, "Bo"));
        add(&connection, &anna, Timestamp(1)).unwrap();
        add(&connection, &bo, Timestamp(2)).unwrap();
        assert_eq!(all(&connection).unwrap(), [anna, bo.clone()]);
        assert!(add(&connection, &bo, Timestamp(3)).is_err(), "nobody is there twice");
        forget(&connection).unwrap();
        assert_eq!(all(&connection).unwrap(), []);
    }

    #[test]
    fn what_was_set_of_aliases_replaces_what_was_before() {
        let connection = in_memory();
        let (anna, bo) = (person(1, "Anna"), person(2, "Bo"));
        for (person, at) in [(&anna, 1), (&bo, 2)] {
            add(&connection, person, Timestamp(at)).unwrap();
        }
        let never = Aliases { set: Vec::new(), at: None, hashed: true };
        assert_eq!(aliases(&connection, anna.id).unwrap(), never);
        let set = |names: &[&str], at| Aliases {
            set: names.iter().map(|&name| name.to_owned()).collect(),
            at: Some(Timestamp(at)),
            hashed: false,
        };
        for aliases in [set(&["a", "b"], 5), set(&["c"], 6)] {
            set_aliases(&connection, anna.id, &aliases).unwrap();
        }
        assert_eq!(aliases(&connection, anna.id).unwrap(), set(&["c"], 6));
        assert_eq!(aliases(&connection, bo.id).unwrap(), never);
    }

    #[test]
    fn a_sign_in_is_taken_once() {
        let connection = in_memory();
        let take = |token, at| take_sign_in(&connection, token, Timestamp(at)).unwrap();
        assert!(take("t1", 0) && take("t2", 1));
        assert!(!take("t1", 2));
        assert!(take("t1", REMEMBERED + 1), "what is old is forgotten");
    }
}
