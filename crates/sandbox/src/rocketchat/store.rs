//! Rocket.Chat's tables and their SQL.

pub(crate) const TABLES: &str =
    "CREATE TABLE rocketchat_settings(name TEXT PRIMARY KEY, value TEXT NOT NULL);";
