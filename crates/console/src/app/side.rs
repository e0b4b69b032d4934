//! What no snapshot shows: unread counts, standing troubles, whether the service reaches us.

use std::collections::HashMap;

use engine::{SessionId, access::Person, remote::Capabilities};
use session::Timestamp;

use super::{
    Tested,
    audit_log::AuditLog,
    roster::{Known, Told},
};
use crate::view::Trouble;

/// What no snapshot shows.
#[derive(Default)]
pub(crate) struct Side {
    /// Chat messages not seen yet; a session that is not here has none.
    pub unread: HashMap<SessionId, u32>,
    /// Who has a profile at this console.
    pub people: Vec<Person>,
    /// When the person here opened a session's first viewer window, until that viewer was seen.
    pub own_viewers: HashMap<SessionId, Timestamp>,
    /// What stands until the next start.
    pub standing: Vec<Trouble>,
    /// What the test of the way to our listener said.
    pub tested: Tested,
    /// Where customers join at a configured broker of ours, by its own word.
    pub join: Option<Join>,
    /// What the service can do beyond the nine calls; none while that isn't known.
    pub capabilities: Option<Capabilities>,
    /// Who shares their screen and who watches it, by the service's last word.
    pub rosters: HashMap<SessionId, Known>,
    /// Who customers were told asks.
    pub askers: HashMap<SessionId, Told>,
    /// Where audit entries are written, and how many could not be.
    pub audit_log: AuditLog,
}

/// Where customers join.
#[derive(Debug, Clone)]
pub(crate) struct Join {
    /// The page where a PIN is typed.
    pub page: String,
    /// The customer's link; `{pin}` stands for the PIN.
    pub template: String,
}
