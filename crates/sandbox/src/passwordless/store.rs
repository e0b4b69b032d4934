//! Passwordless.dev's tables and their SQL.

pub(super) mod aliases;
pub(super) mod credentials;
pub(super) mod tokens;

pub(crate) const TABLES: &str = "
    CREATE TABLE passwordless_settings(name TEXT PRIMARY KEY, value TEXT NOT NULL);
    CREATE TABLE passwordless_tokens(
        hash BLOB PRIMARY KEY,
        kind TEXT NOT NULL,
        payload TEXT NOT NULL,
        expires_at INTEGER NOT NULL,
        used INTEGER NOT NULL DEFAULT 0
    );
    CREATE TABLE passwordless_credentials(
        id TEXT PRIMARY KEY,
        user_id TEXT NOT NULL,
        public_key BLOB NOT NULL,
        counter INTEGER NOT NULL,
        aaguid TEXT NOT NULL,
        rp_id TEXT NOT NULL,
        origin TEXT NOT NULL,
        device TEXT NOT NULL,
        country TEXT NOT NULL,
        nickname TEXT,
        discoverable INTEGER,
        backup_eligible INTEGER NOT NULL,
        backed_up INTEGER NOT NULL,
        created_at INTEGER NOT NULL,
        last_used_at INTEGER NOT NULL
    );
    CREATE INDEX passwordless_credentials_by_user ON passwordless_credentials(user_id);
    CREATE TABLE passwordless_aliases(
        hash TEXT PRIMARY KEY,
        user_id TEXT NOT NULL,
        plain TEXT
    );
    CREATE INDEX passwordless_aliases_by_user ON passwordless_aliases(user_id);";
