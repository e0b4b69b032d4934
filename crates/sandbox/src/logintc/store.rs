//! LoginTC's tables and their SQL.

pub(crate) const TABLES: &str =
    "CREATE TABLE logintc_settings(name TEXT PRIMARY KEY, value TEXT NOT NULL);";
