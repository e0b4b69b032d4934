//! What a broker of ours tells again with each state, and what is news only once: each has an identity of its own, for
//! times are made anew each time by clocks that may be set.

use serde::{Deserialize, Serialize};

use crate::{Timestamp, time::same_time};

/// So many incidents of one kind are told apart: more than an older store tells again.
const REMEMBERED: usize = 8;

/// Something that the broker tells again with each state, and that is news once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incident {
    /// When it was. No identity: it is made anew, by clocks that may be set, each time that it is told.
    pub at: Timestamp,
    /// Its identity; none where the broker gives none.
    pub id: Option<String>,
}

/// The incidents of one kind that were told.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ToldIncidents {
    /// The time of the last one.
    last: Option<Timestamp>,
    /// The last ones by their identities, oldest first. More than one: a broker whose store was put back from a copy
    /// tells an older one again.
    ids: Vec<String>,
}

impl ToldIncidents {
    /// What an earlier version kept: when the last one was.
    pub(crate) fn continue_from(&mut self, last: Option<Timestamp>) {
        self.last = self.last.or(last);
    }

    /// Notes that an incident is told; false if it was told before.
    pub(crate) fn note(&mut self, incident: &Incident) -> bool {
        let is_last = self.last.is_some_and(|last| same_time(last, incident.at) == last);
        let is_known = match &incident.id {
            Some(id) if self.ids.contains(id) => true,
            // Told by a broker that gave no identities yet.
            Some(_) => self.ids.is_empty() && is_last,
            None => is_last,
        };
        if let Some(id) = incident.id.as_ref().filter(|id| !self.ids.contains(id)) {
            if self.ids.len() >= REMEMBERED {
                self.ids.remove(0);
            }
            self.ids.push(id.clone());
        }
        self.last = Some(incident.at);
        !is_known
    }
}
