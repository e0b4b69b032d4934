//! The audit log: append-only, each entry chained to the one before.

use serde::Serialize;
use ts_rs::TS;

/// One entry of the audit log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct AuditLine {
    /// Its place; the first is 1.
    pub seq: u64,
    pub at: i64,
    /// Who did it.
    pub by: String,
    /// What, such as `signed_in`.
    pub action: String,
    /// What, in a sentence. No secret.
    pub text: String,
    /// The session that it was about; none if about none.
    pub session: Option<String>,
}

/// What a look at the whole audit log found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct AuditCheck {
    /// How many entries were looked at.
    pub entries: u64,
    /// The first broken link: the entry's place and what is wrong with it; none if all hold.
    pub broken: Option<BrokenLink>,
    /// That in a sentence.
    pub text: String,
    /// The newest entry's hash, to be kept elsewhere; empty if there is no entry.
    pub head: String,
}

/// The first broken link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct BrokenLink {
    /// The entry's place.
    pub seq: u64,
    /// What is wrong with it.
    pub why: String,
}
