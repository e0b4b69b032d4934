//! One side of a session as it is stored, and as it is again after a restart.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use serve::{Client, Millis};

use super::presence::{Holder, Page, PageId, PageState, Phase, Presence};

/// A side as it is stored.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StoredPresence {
    phase: StoredPhase,
    last_name: String,
    pages: Vec<(PageId, String)>,
    // Stores of earlier versions don't have the fields from here on.
    #[serde(default)]
    started: u64,
    #[serde(default)]
    went_offline: u64,
    #[serde(default)]
    offline_since_ms: Option<i64>,
    #[serde(default)]
    others_before: Option<u64>,
    #[serde(default)]
    holder: Option<StoredHolder>,
}

/// The program that has the presenter's place.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct StoredHolder {
    page: PageId,
    client: IpAddr,
    proven: bool,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StoredPhase {
    Never,
    #[serde(rename = "there")]
    Present,
    Offline,
}

impl Presence {
    /// What goes to the store.
    pub fn to_stored(&self) -> StoredPresence {
        let phase = match self.phase {
            Phase::Never => StoredPhase::Never,
            // Not since when: after a restart the whole grace begins anew.
            Phase::Online { .. } | Phase::Leaving { .. } => StoredPhase::Present,
            Phase::Offline { .. } => StoredPhase::Offline,
        };
        let offline_since_ms = match self.phase {
            Phase::Offline { since } => Some(since.0),
            Phase::Never | Phase::Online { .. } | Phase::Leaving { .. } => None,
        };
        let pages = self.pages.iter().map(|(id, page)| (*id, page.name.clone())).collect();
        StoredPresence {
            phase,
            last_name: self.last_name.clone(),
            pages,
            started: self.started,
            went_offline: self.went_offline,
            offline_since_ms,
            others_before: self.others_before,
            holder: self.holder.map(|Holder { page, client, proven }| StoredHolder {
                page,
                client: client.0,
                proven,
            }),
        }
    }

    /// The side after a restart. Those who were there have the whole grace to come back, since nobody knows for how
    /// long the broker was down.
    pub fn from_stored(stored: StoredPresence, now: Millis) -> Self {
        let phase = match stored.phase {
            StoredPhase::Never => Phase::Never,
            StoredPhase::Present => Phase::Leaving { since: now },
            StoredPhase::Offline => {
                Phase::Offline { since: stored.offline_since_ms.map_or(now, Millis) }
            }
        };
        let away = |name| Page { name, state: PageState::Disconnected, since: now };
        let pages = stored.pages.into_iter().map(|(id, name)| (id, away(name))).collect();
        let StoredPresence { last_name, started, went_offline, others_before, holder, .. } = stored;
        let holder = holder.map(|StoredHolder { page, client, proven }| Holder {
            page,
            client: Client::from_ip(client),
            proven,
        });
        Self { pages, phase, last_name, started, went_offline, others_before, holder }
    }
}

#[cfg(test)]
mod tests {
    use wire::Side;

    use super::*;
    use crate::hub::presence::{
        ConnectionId,
        tests::{GRACE, page},
    };

    #[test]
    fn after_a_restart_the_grace_starts_anew_for_those_who_were_there() {
        let mut side = Presence::default();
        side.arrive(Side::Presenter, page(1), "Maria", ConnectionId(1), Millis(0));
        let mut again = Presence::from_stored(side.to_stored(), Millis(1_000_000));
        assert!(!again.expire(Millis(1_060_000), GRACE));
        assert!(
            !again
                .clone()
                .arrive(Side::Presenter, page(1), "Maria", ConnectionId(1), Millis(0))
                .started
        );
        assert!(again.expire(Millis(1_060_001), GRACE));
        let offline = Presence::from_stored(again.to_stored(), Millis(2_000_000));
        assert_eq!(offline.next_deadline(GRACE), None, "it is told only once");
    }
}
