//! Up to where the journal has given out numbers, whatever was erased since.

use rusqlite::Connection;
use store::{StoreError, fault};

use super::read;
use crate::vault::SealKey;

/// The mark that has the last numbers as of the last erasure: where the newest rows are erased, no row tells them.
pub(super) const LAST_ERASED: &str = "journal/last-erased";
const DOING: &str = "read the journal's last numbers";

/// The last number of each sequence.
#[derive(Clone, Copy)]
pub(super) struct LastNumbers {
    pub webhook: u64,
    pub event: u64,
}

impl LastNumbers {
    pub fn given_out(connection: &Connection, key: &SealKey) -> Result<Self, StoreError> {
        let newest = |sql| {
            connection
                .query_row(sql, [], |row| row.get::<_, Option<u64>>(0))
                .map(Option::unwrap_or_default)
                .map_err(fault(DOING))
        };
        let erased = match read::mark(connection, key, LAST_ERASED) {
            Err(error @ StoreError::Damaged { .. }) => {
                tracing::warn!(%error, "the last numbers are those of the rows");
                None
            }
            mark => mark?,
        };
        let erased = Self::from_mark(erased.as_deref());
        // A session that was told of an event would take a later one of the same number for it.
        let applied = newest("SELECT max(applied_seq) FROM sessions")?;
        Ok(Self {
            webhook: newest("SELECT max(seq) FROM events")?.max(erased.webhook).max(applied),
            event: newest("SELECT max(seq) FROM happenings")?.max(erased.event),
        })
    }

    pub fn as_mark(self) -> [u8; 16] {
        (u128::from(self.webhook) | u128::from(self.event) << 64).to_le_bytes()
    }

    fn from_mark(mark: Option<&Vec<u8>>) -> Self {
        let number = |bytes: &[u8]| bytes.try_into().map_or(0, u64::from_le_bytes);
        let (webhook, event) = mark.and_then(|mark| mark.split_at_checked(8)).unwrap_or_default();
        Self { webhook: number(webhook), event: number(event) }
    }
}
