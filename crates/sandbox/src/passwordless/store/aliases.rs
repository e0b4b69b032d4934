//! Aliases: found by their hash, and stored in clear only where a backend asks for that.

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use ring::digest::{SHA256, digest};
use rusqlite::{OptionalExtension as _, Transaction};

use super::super::problem::{Problem, Stop};

/// The application, as the keys name it: hashed with each alias.
const APPLICATION: &str = "app";

/// Refuses aliases of which one is another user's.
pub(in super::super) fn free_for(
    tx: &Transaction<'_>,
    user_id: &str,
    aliases: &[String],
) -> Result<(), Stop> {
    for alias in aliases {
        if owner(tx, alias)?.is_some_and(|owner| owner != user_id) {
            return Err(Problem::AliasConflict.into());
        }
    }
    Ok(())
}

/// Makes these the user's aliases, all of them.
pub(in super::super) fn replace(
    tx: &Transaction<'_>,
    user_id: &str,
    aliases: &[String],
    hashing: bool,
) -> Result<(), Stop> {
    // Also for callers that have checked it before: a backend's call for aliases comes here unchecked.
    free_for(tx, user_id, aliases)?;
    tx.execute("DELETE FROM passwordless_aliases WHERE user_id = ?1", [user_id])?;
    for alias in aliases {
        tx.execute(
            "INSERT INTO passwordless_aliases(hash, user_id, plain) VALUES (?1, ?2, ?3)",
            (hash(alias), user_id, (!hashing).then_some(alias)),
        )?;
    }
    Ok(())
}

/// The user whose alias this is.
pub(in super::super) fn owner(
    tx: &Transaction<'_>,
    alias: &str,
) -> rusqlite::Result<Option<String>> {
    let select = "SELECT user_id FROM passwordless_aliases WHERE hash = ?1";
    tx.query_row(select, [hash(alias)], |row| row.get(0)).optional()
}

fn hash(alias: &str) -> String {
    BASE64.encode(digest(&SHA256, format!("{APPLICATION}{alias}").as_bytes()))
}
