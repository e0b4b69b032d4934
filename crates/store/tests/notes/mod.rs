//! A small database, for the tests that open one.

use rusqlite_migration::M;
use store::{Definition, Durability, Sharing};

pub const NOTES: Definition = Definition {
    opening: "open the notes",
    migrations: &[M::up("CREATE TABLE notes(text TEXT NOT NULL);")],
    sharing: Sharing::Shared,
    durability: Durability::ProcessEnd,
    settings: "",
    statements: 1,
};
