//! Passkeys.

use rusqlite::{OptionalExtension as _, Row, Transaction};
use serve::Millis;

use super::super::{device::Device, webauthn::SignedIn};

/// A passkey as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Credential {
    /// Unpadded url-safe base64.
    pub id: String,
    pub user_id: String,
    /// The COSE key.
    pub public_key: Vec<u8>,
    pub counter: u32,
    pub aaguid: String,
    pub rp_id: String,
    pub origin: String,
    pub device: Device,
    pub nickname: Option<String>,
    /// As far as the browser knows.
    pub discoverable: Option<bool>,
    pub backup_eligible: bool,
    pub backed_up: bool,
    pub created_at: Millis,
    pub last_used_at: Millis,
}

const COLUMNS: &str = "id, user_id, public_key, counter, aaguid, rp_id, origin, device, country,
    nickname, discoverable, backup_eligible, backed_up, created_at, last_used_at";

impl Credential {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            user_id: row.get(1)?,
            public_key: row.get(2)?,
            counter: row.get(3)?,
            aaguid: row.get(4)?,
            rp_id: row.get(5)?,
            origin: row.get(6)?,
            device: Device { name: row.get(7)?, country: row.get(8)? },
            nickname: row.get(9)?,
            discoverable: row.get(10)?,
            backup_eligible: row.get(11)?,
            backed_up: row.get(12)?,
            created_at: Millis(row.get(13)?),
            last_used_at: Millis(row.get(14)?),
        })
    }

    /// Inserts it; false if there is one with its id.
    pub(in super::super) fn insert(&self, tx: &Transaction<'_>) -> rusqlite::Result<bool> {
        let insert = format!(
            "INSERT OR IGNORE INTO passwordless_credentials({COLUMNS})
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)"
        );
        let inserted = tx.execute(
            &insert,
            rusqlite::params![
                self.id,
                self.user_id,
                self.public_key,
                self.counter,
                self.aaguid,
                self.rp_id,
                self.origin,
                self.device.name,
                self.device.country,
                self.nickname,
                self.discoverable,
                self.backup_eligible,
                self.backed_up,
                self.created_at.0,
                self.last_used_at.0,
            ],
        )?;
        Ok(inserted == 1)
    }
}

/// A user's passkeys, the oldest first.
pub(in super::super) fn for_user(
    tx: &Transaction<'_>,
    user_id: &str,
) -> rusqlite::Result<Vec<Credential>> {
    let select = format!(
        "SELECT {COLUMNS} FROM passwordless_credentials WHERE user_id = ?1 ORDER BY created_at, id"
    );
    tx.prepare(&select)?.query_map([user_id], Credential::read)?.collect()
}

/// The passkey with this id.
pub(in super::super) fn find(
    tx: &Transaction<'_>,
    id: &str,
) -> rusqlite::Result<Option<Credential>> {
    let select = format!("SELECT {COLUMNS} FROM passwordless_credentials WHERE id = ?1");
    tx.query_row(&select, [id], Credential::read).optional()
}

/// Records that it was used.
pub(in super::super) fn used(
    tx: &Transaction<'_>,
    id: &str,
    signed_in: SignedIn,
    by: &Device,
    now: Millis,
) -> rusqlite::Result<()> {
    tx.execute(
        "UPDATE passwordless_credentials
         SET counter = ?2, backed_up = ?3, device = ?4, country = ?5, last_used_at = ?6
         WHERE id = ?1",
        (id, signed_in.counter, signed_in.backed_up, &by.name, &by.country, now.0),
    )?;
    Ok(())
}

/// Deletes it, if it is there.
pub(in super::super) fn delete(tx: &Transaction<'_>, id: &str) -> rusqlite::Result<()> {
    tx.execute("DELETE FROM passwordless_credentials WHERE id = ?1", [id])?;
    Ok(())
}
