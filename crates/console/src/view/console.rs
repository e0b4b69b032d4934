//! The console as a whole, and what is wrong with it.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::AccessView;

/// The console as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct ConsoleView {
    /// Newer is larger; lower ones are dropped.
    pub revision: u64,
    /// Who is at this console: the name that e-mails give.
    pub technician: String,
    /// Who is signed in, and whether the console is locked.
    pub access: AccessView,
    /// Which service this console talks to.
    pub service: ServiceView,
    /// Where hooks arrive.
    pub listener: ListenerView,
    /// When hooks were last confirmed by the service; none before the first.
    pub hooks_checked_at: Option<i64>,
    /// Sessions that are live.
    pub live: u32,
    /// Of these, waiting for somebody.
    pub waiting: u32,
    /// Of these, active.
    pub active: u32,
    /// What the technician must know and can mend, worst first.
    pub troubles: Vec<StandingTrouble>,
    /// How many of these have an id, since they stand until a person has read them.
    pub unacknowledged: u32,
    /// Where the archive's key is kept.
    pub key_keeper: KeyKeeper,
    /// The percentage of the backup that is being written or restored; none if none is.
    pub backup_percent: Option<u8>,
}

/// The remote-support service in use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct ServiceView {
    /// The broker that comes along, one of our own elsewhere, or the hosted service.
    pub kind: ServiceKind,
    /// Its base URL.
    pub base_url: String,
    /// Whether it answers.
    pub health: Health,
    /// The page where a customer types a PIN; none if not known.
    pub join_page: Option<String>,
    /// Whether customers on other computers can reach it.
    pub this_computer_only: bool,
}

/// Which kind of service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ServiceKind {
    /// In this process.
    Embedded,
    /// A broker at a configured address.
    Configured,
}

/// Whether the other side answers, as far as is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Health {
    /// Nothing has been asked yet.
    Unknown,
    /// The last call was answered.
    Answers { at: i64 },
    /// The last call failed.
    Fails {
        /// Since when.
        since: i64,
        /// What was being done, why it failed, what to do next.
        text: String,
    },
}

/// The webhook listener.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct ListenerView {
    /// The address it is bound to, such as `127.0.0.1:47213`; none if it isn't.
    pub address: Option<String>,
    /// The URL that hooks are given.
    pub public_url: Option<String>,
    /// Whether the service can reach it.
    pub reach: Reach,
}

/// Whether the service can reach the listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    /// Same computer, or a test with a nonce came back.
    Reachable,
    /// Not tested yet.
    Unknown,
    /// A hosted service and a loopback listener, or the test failed.
    Unreachable,
}

/// Something wrong, with its remedy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Trouble {
    /// For the program to match on.
    pub code: Code,
    /// What was being done and why it failed.
    pub text: String,
    /// What to do next; empty if nothing can be done but wait.
    pub remedy: String,
}

/// A trouble of the console as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct StandingTrouble {
    /// For the program to match on.
    pub code: Code,
    /// What was being done and why it failed.
    pub text: String,
    /// What to do next; empty if nothing can be done but wait.
    pub remedy: String,
    /// By which it is acknowledged; none if it goes by itself.
    pub id: Option<String>,
}

impl From<Trouble> for StandingTrouble {
    fn from(Trouble { code, text, remedy }: Trouble) -> Self {
        Self { code, text, remedy, id: None }
    }
}

/// What kind of failure, by what helps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// Credentials are not accepted.
    SignInAgain,
    /// Too many calls.
    Wait,
    /// Nothing answers.
    CheckNetwork,
    /// No answer in time.
    TryAgain,
    /// The other side refuses this request.
    Refused,
    /// The other side has a fault.
    ServiceFault,
    /// What answers isn't the service.
    CheckAddress,
    /// No region answers.
    ChooseRegion,
    /// This computer can't store it.
    FreeSpace,
    /// The key to the archive is out of reach.
    UnlockKey,
    /// A file of the data folder is damaged or missing.
    RestoreCopy,
    /// A newer version of Deskhand wrote it.
    UpdateApp,
    /// The command doesn't fit: its text says why.
    BadInput,
    /// The session doesn't exist.
    NotFound,
    /// The console is locked: sign in.
    Locked,
    /// The verification gate is shut: verify the person, or override it.
    Verify,
    /// The workspace asks for a second factor.
    CodeNeeded,
    /// A secret or a setting of a service is missing.
    SetUp,
    /// Another console has the data folder.
    AlreadyRunning,
    /// A bug.
    Internal,
}

/// Where the key is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum KeyKeeper {
    /// The system's keyring.
    Keyring,
    /// A file beside the data: no protection against somebody who copies the folder.
    KeyFile,
    /// Wrapped by a passphrase.
    Passphrase,
}
