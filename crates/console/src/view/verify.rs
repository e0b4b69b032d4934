//! Whether this is the person: verifications by push or code, and the gate that they open.

use serde::Serialize;
use ts_rs::TS;

use super::Trouble;

/// One verification, kept with who, whom and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct VerificationView {
    /// Its number within the session.
    pub id: u32,
    /// Whom: the customer or the technician.
    pub who: Verified,
    /// By which name or id of the verification service.
    pub user: String,
    pub how: VerifyHow,
    /// Who asked.
    pub by: String,
    pub at: i64,
    /// Why, as the phone shows it; may be empty.
    pub reason: String,
    /// What the phone shows: names and values.
    pub shown: Vec<(String, String)>,
    /// What came of it.
    pub state: VerificationState,
    /// When it is given up, while an answer is waited for.
    pub until: Option<i64>,
    /// When it ended.
    pub ended_at: Option<i64>,
    /// Why it failed and what to do; none if it didn't.
    pub trouble: Option<Trouble>,
    /// What to think of before relying on it: an approval after denials. None if nothing is.
    pub warning: Option<String>,
}

/// When the person who was asked last may be sent another push.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct NextPushView {
    /// By which name or id they were asked.
    pub user: String,
    /// From then on.
    pub at: i64,
    /// Why not before, in a sentence.
    pub text: String,
}

/// Whom a verification is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, serde::Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Verified {
    /// The customer.
    Customer,
    /// The technician.
    Technician,
}

/// How somebody is verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum VerifyHow {
    /// A push to the phone.
    Push,
    /// A one-time password of 6 or 8 digits.
    Otp,
    /// A bypass code of 9 digits.
    BypassCode,
}

/// What came of a verification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum VerificationState {
    /// The service is being asked to send it.
    Asking,
    /// It was sent, and there is no answer yet.
    NoAnswerYet,
    /// The person approved.
    Approved,
    /// The person denied.
    Denied,
    /// Nobody answered in time.
    TimedOut,
    /// It was cancelled here.
    Cancelled,
    /// The person has no device.
    NoDevice,
    /// It failed; `trouble` says why.
    Failed,
    /// Deskhand ended meanwhile: it may have been sent, and what came of it is not known.
    Unknown,
}

/// The verification gate of one session: this console's policy, not a lock on the service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct GateView {
    /// The policy.
    pub policy: GatePolicy,
    /// Whether a viewer may be opened without a word.
    pub open: bool,
    /// Until when, where it is open by a verification or an override.
    pub until: Option<i64>,
    /// Why it is open or shut, in a sentence; empty where the policy is off.
    pub text: String,
    /// The override in force: who, and the reason.
    pub overridden: Option<OverrideView>,
}

/// What the gate asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, serde::Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum GatePolicy {
    /// Nothing.
    #[default]
    Off,
    /// It warns.
    Warn,
    /// No viewer and no viewer link without a verification.
    Require,
}

/// An override of the gate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct OverrideView {
    /// Who signed it.
    pub by: String,
    pub at: i64,
    /// The reason.
    pub reason: String,
}
