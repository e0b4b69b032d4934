//! Passwordless.dev's tables and their SQL.

pub(crate) const TABLES: &str =
    "CREATE TABLE passwordless_settings(name TEXT PRIMARY KEY, value TEXT NOT NULL);";
