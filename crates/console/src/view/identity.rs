//! Who is at this console, whether it is locked, and the passkeys of who signs in.

use serde::Serialize;
use ts_rs::TS;

use super::Trouble;

/// Who is at this console.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct AccessView {
    /// Whether commands are taken, and from whom.
    pub is: AccessKind,
    /// Since when; none before anything was decided.
    pub since: Option<i64>,
    /// Why it is locked; none while it isn't.
    pub why: Option<LockReason>,
    /// Who is signed in; while locked, who was.
    pub person: Option<PersonView>,
    /// Who can sign in here.
    pub people: Vec<PersonView>,
    /// A setting requires that somebody is signed in: "not now" is not offered.
    pub required: bool,
    /// The step in the browser that is under way, or how the last one failed.
    pub ceremony: Option<CeremonyView>,
}

/// Whether commands are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum AccessKind {
    /// Nobody has decided yet: a profile with a passkey is offered, and "not now" (unless required).
    FirstStart,
    /// There is no profile, or nobody needs to sign in: records carry the OS user.
    Open,
    /// Somebody is signed in: records carry that person.
    SignedIn,
    /// Locked: every command but signing in is refused.
    Locked,
}

/// Why a console is locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum LockReason {
    /// It has just been started.
    Started,
    /// Somebody locked it.
    Asked,
    /// Nobody did anything for a while.
    Idle,
    /// The desktop's screen was locked.
    Screen,
}

/// Somebody with a profile at this console.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct PersonView {
    /// A random UUID, the passkey service's `userId`.
    pub id: String,
    /// The name, made harmless.
    pub name: String,
    /// The e-mail address.
    pub email: String,
}

/// A step that a person takes in the system's browser.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct CeremonyView {
    /// What for.
    pub purpose: Purpose,
    /// That in words: "Sign in as Anna Keller".
    pub text: String,
    /// How far it is.
    pub step: CeremonyStep,
    /// When it is given up, while it is waited for.
    pub until: i64,
    /// How it failed and what to do; none while it hasn't.
    pub trouble: Option<Trouble>,
}

/// What a step in the browser is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// A new profile and its first passkey.
    CreateProfile,
    /// To sign in or unlock.
    SignIn,
    /// A further passkey.
    AddPasskey,
    /// To override the verification gate of one session.
    Override,
}

/// How far a step in the browser is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum CeremonyStep {
    /// The person is asked in the browser.
    Waiting,
    /// What came back is being checked with the service.
    Checking,
    /// It failed; `trouble` says how.
    Failed,
}

/// One passkey.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct PasskeyView {
    /// The credential's id, as the service names it.
    pub id: String,
    /// What it was called; may be empty.
    pub nickname: String,
    /// The device that made it, as far as the service knows.
    pub device: String,
    /// The country, as far as the service knows.
    pub country: String,
    /// When it was made.
    pub created_at: Option<i64>,
    /// When it was last used.
    pub last_used_at: Option<i64>,
}

/// The aliases that were set from here; the service never gives them back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct AliasesView {
    /// Those that were set last from this console.
    pub set_here: Vec<String>,
    /// When; none if never from here.
    pub set_at: Option<i64>,
    /// Whether the service keeps them hashed.
    pub hashing: bool,
}
