//! What a person sees, as data: the only types that the window and the headless output know.
//!
//! Everything here is made from a snapshot and thrown away; times are milliseconds since 1970. The PIN
//! is in exactly one place, [`Pin`] inside [`SessionDetail`].

use serde::Serialize;
use ts_rs::TS;

/// What is pushed to a subscriber. Each replaces what it had of the same kind (and session).
#[derive(Debug, Clone, Serialize, TS)]
#[serde(tag = "push", rename_all = "snake_case")]
pub enum Push {
    /// The console as a whole: status bar, settings that show, who is here.
    Console(ConsoleView),
    /// A row of the session list, new or changed.
    Row(SessionRow),
    /// A session that is not in the list any more.
    Gone {
        /// Which.
        id: String,
    },
    /// Everything about the session on screen.
    Detail(Box<SessionDetail>),
    /// The regions' race, while it runs and after.
    Regions(RegionsView),
    /// Something that happened, once: for notifications and the headless output.
    Happening(Happening),
}

/// The console as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct ConsoleView {
    /// Newer is larger; lower ones are dropped.
    pub revision: u64,
    /// Who is at this console: the name that mails give.
    pub technician: String,
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
    pub troubles: Vec<Trouble>,
    /// Where the archive's key is kept.
    pub key_keeper: KeyKeeper,
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
    Answers {
        /// When.
        at: i64,
    },
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct Trouble {
    /// For the program to match on.
    pub code: Code,
    /// What was being done and why it failed.
    pub text: String,
    /// What to do next; empty if nothing can be done but wait.
    pub remedy: String,
}

/// What kind of failure, by what helps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
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
    /// The command doesn't fit: its text says why.
    BadInput,
    /// The session doesn't exist.
    NotFound,
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

/// A row of the session list.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
pub struct SessionRow {
    /// The session.
    pub id: String,
    /// Newer is larger; lower ones are dropped.
    pub revision: u64,
    /// What it is called: the customer, the ticket, or "New session 14:03".
    pub name: String,
    /// Its state.
    pub state: StateView,
    /// Newest activity, for the order.
    pub active_at: i64,
    /// What the timer at the right counts from; none where nothing runs.
    pub timer_since: Option<i64>,
    /// Chat messages not seen yet.
    pub unread: u32,
    /// Whether a hook is lost: the state may be out of date.
    pub hook_lost: bool,
    /// Whether it still lives (else it is history).
    pub live: bool,
}

/// A session's state: the word, and what belongs to it.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
pub struct StateView {
    /// The word's kind, for icon and colour.
    pub kind: StateKind,
    /// The word: "Active", "Ended".
    pub label: String,
    /// What else is true: "customer's program may still run"; may be empty.
    pub detail: String,
    /// Since when; none where it doesn't matter.
    pub since: Option<i64>,
}

/// The kinds of state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum StateKind {
    /// The PIN has been asked for.
    Allocating,
    /// PIN given out, nobody there yet.
    Waiting,
    /// Presenter online, no viewer.
    Ready,
    /// A viewer is there, the presenter not yet.
    ViewerWaiting,
    /// Both are there.
    Active,
    /// The presenter was online and is gone.
    PresenterOffline,
    /// All viewers have gone.
    Ended,
    /// Events may have been missed.
    Unknown,
    /// The PIN's life is over and nobody joined.
    Expired,
    /// No PIN, or the actor failed.
    Failed,
    /// Closed by the technician.
    Closed,
}

/// Everything about the session on screen.
#[derive(Debug, Clone, Serialize, TS)]
pub struct SessionDetail {
    /// Its row.
    pub row: SessionRow,
    /// Who asked for it.
    pub by: String,
    /// When.
    pub created_at: i64,
    /// The customer's name; empty if not given.
    pub customer: String,
    /// The ticket's number; empty if not given.
    pub ticket: String,
    /// How to reach the customer; empty if not given.
    pub contact: String,
    /// The PIN, once there is one and while it is good.
    pub pin: Option<Pin>,
    /// The region; none before.
    pub region: Option<String>,
    /// Its best round trip in milliseconds when it was chosen; none if it wasn't measured.
    pub region_ms: Option<f64>,
    /// Why the session failed; none if it didn't.
    pub failure: Option<Trouble>,
    /// The four hooks, in the order in which they are shown.
    pub hooks: Vec<HookView>,
    /// The presenter.
    pub presenter: FactView,
    /// The viewers.
    pub viewers: FactView,
    /// Viewer windows of ours that are open.
    pub windows: u32,
    /// Presence over time.
    pub timeline: Timeline,
    /// How long it waited for the first to join, in milliseconds, as of `timers_at`.
    pub waited_ms: i64,
    /// Whether the waiting goes on.
    pub waiting: bool,
    /// How long presenter and viewer were connected, in milliseconds, as of `timers_at`.
    pub connected_ms: i64,
    /// Whether they are now.
    pub connected: bool,
    /// The moment at which the timers were read.
    pub timers_at: i64,
    /// The customer's program; none where there is nothing to say of it.
    pub program: Option<ProgramView>,
    /// E-mails ordered.
    pub mails: Vec<MailView>,
    /// The chat as archived.
    pub chat: Vec<ChatLine>,
    /// When the chat was last fetched; none if never.
    pub chat_as_of: Option<i64>,
    /// The transcript's way into the archive.
    pub transcript: TranscriptView,
    /// The note.
    pub note: String,
    /// Tags.
    pub tags: Vec<String>,
    /// Everything that happened, oldest first.
    pub log: Vec<LogLine>,
    /// How its region was chosen: a race, or no lane if by hand. None if not yet, or not kept.
    pub regions: Option<RegionsView>,
}

/// The PIN and the ways to hand it over. The only view that carries it.
#[derive(Clone, Serialize, TS)]
pub struct Pin {
    /// `7W2-97-8570`.
    pub text: String,
    /// For the phone, a word a character: `seven`, `Whiskey`, `two`, `dash`...
    pub spelled: Vec<String>,
    /// About when its life is over.
    pub expires_at: i64,
    /// The customer's link; none if the service has none.
    pub join_link: Option<String>,
    /// The page where it is typed; none if not known.
    pub join_page: Option<String>,
}

impl std::fmt::Debug for Pin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pin").finish_non_exhaustive()
    }
}

/// One hook.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
pub struct HookView {
    /// `presenter_started` and so on.
    pub hook: String,
    /// Its lamp.
    pub lamp: LampKind,
    /// When it last fired; none if never.
    pub fired_at: Option<i64>,
    /// When the service last confirmed it; none if not now.
    pub checked_at: Option<i64>,
    /// Which try is under way or failed last; 0 while armed.
    pub attempt: u32,
    /// Why it failed and what to do; none if it didn't.
    pub failure: Option<Trouble>,
}

/// A hook's lamp.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum LampKind {
    /// No PIN yet, or no longer needed.
    Off,
    /// The service confirmed it and can reach us.
    Armed,
    /// Being put.
    Rearming,
    /// The last try failed.
    Failed,
    /// Fired, and not armed again.
    Consumed,
    /// Armed, but the service can't reach this console (or that isn't known): never green.
    ArmedUnreachable,
}

/// A fact about one side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct FactView {
    /// never, online, offline, some, none or unknown.
    pub is: FactKind,
    /// Since when; none for never.
    pub since: Option<i64>,
}

/// What is known of a side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum FactKind {
    /// Not seen.
    Never,
    /// There (for viewers: at least one).
    Online,
    /// Gone.
    Offline,
    /// Events may have been missed.
    Unknown,
}

/// Presence over time, as swim lanes.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
pub struct Timeline {
    /// Stretches of the presenter.
    pub presenter: Vec<Stretch>,
    /// Stretches of viewers.
    pub viewers: Vec<Stretch>,
    /// Single events.
    pub events: Vec<Dot>,
}

/// A stretch of time.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
pub struct Stretch {
    /// Its begin.
    pub from: i64,
    /// Its end; none while it goes on.
    pub to: Option<i64>,
    /// Online or unknown.
    pub is: FactKind,
}

/// A single event on the timeline.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
pub struct Dot {
    /// When.
    pub at: i64,
    /// Of which side; none if of neither.
    pub side: Option<SideView>,
    /// What, in a few words.
    pub text: String,
}

/// A side of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum SideView {
    /// The customer's PC.
    Presenter,
    /// Those who watch.
    Viewers,
}

/// The customer's program, saved to be carried to them by hand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct ProgramView {
    /// How far it is.
    pub state: ProgramState,
    /// That in words.
    pub text: String,
    /// What a person has to confirm before it is saved, or tried again; none while it can't be.
    pub ask: Option<String>,
}

/// How far saving the customer's program has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum ProgramState {
    /// Nobody asked for it here.
    NotAsked,
    /// The service is being asked for it, once.
    Asking,
    /// The file is being written.
    Downloading {
        /// Bytes that are in the file.
        bytes: u64,
        /// How many it will have; none if that isn't known.
        total: Option<u64>,
    },
    /// There is no file; the download may be tried again.
    Kept {
        /// Why there is none, and what to do.
        trouble: Trouble,
    },
    /// The file is complete.
    Saved {
        /// When.
        at: i64,
        /// Who saved it.
        by: String,
        /// Its size.
        bytes: u64,
        /// Where it is.
        path: String,
    },
    /// There is no file, and for this PIN there will be none.
    Gone {
        /// Why, and what to do instead.
        trouble: Trouble,
    },
}

/// An e-mail as ordered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct MailView {
    /// Its number within the session.
    pub id: u32,
    /// To whom.
    pub to: String,
    /// To the customer (else to a colleague).
    pub to_customer: bool,
    /// What became of it, in words.
    pub status: String,
    /// Whether it still waits and can be withdrawn.
    pub waiting: bool,
    /// Whether it failed or may not have been sent.
    pub doubtful: bool,
}

/// One chat message.
#[derive(Clone, PartialEq, Eq, Serialize, TS)]
pub struct ChatLine {
    /// Its identity.
    pub guid: String,
    /// When it was sent.
    pub at: i64,
    /// The sender's self-chosen name, made harmless.
    pub from: String,
    /// The text, made harmless.
    pub text: String,
}

impl std::fmt::Debug for ChatLine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // What people wrote is not for logs.
        f.debug_struct("ChatLine").field("guid", &self.guid).finish_non_exhaustive()
    }
}

/// The transcript's way into the archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum TranscriptView {
    /// The session goes on.
    NotYet,
    /// It is being saved, or will be tried again.
    Wanted {
        /// Tries that failed.
        failed: u32,
    },
    /// It is in the archive.
    Saved {
        /// When.
        at: i64,
        /// How many messages.
        messages: u32,
    },
}

/// One line of a session's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct LogLine {
    /// Its place among everything that happened.
    pub seq: u64,
    /// When.
    pub at: i64,
    /// What, in a sentence.
    pub text: String,
    /// Whether it is a failure.
    pub bad: bool,
}

/// The regions' race.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
pub struct RegionsView {
    /// Each region.
    pub lanes: Vec<LaneView>,
    /// The one chosen; none while it runs or if none answered.
    pub chosen: Option<String>,
    /// Why: "fastest of 2 that finished".
    pub reason: String,
    /// How long it took, in milliseconds; none while it runs.
    pub took_ms: Option<f64>,
    /// When it was.
    pub at: i64,
}

/// One region's part in the race.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
pub struct LaneView {
    /// Its name.
    pub region: String,
    /// Round trips in milliseconds.
    pub samples_ms: Vec<f64>,
    /// The shortest; none if none finished.
    pub best_ms: Option<f64>,
    /// "> this, stopped", in milliseconds; none if it wasn't stopped.
    pub over_ms: Option<f64>,
    /// Why it failed; none if it didn't.
    pub failure: Option<String>,
    /// Whether it still runs.
    pub running: bool,
}

/// Something that happened, once.
#[derive(Debug, Clone, Serialize, TS)]
pub struct Happening {
    /// Its place among everything that happened; never skipped.
    pub seq: u64,
    /// When.
    pub at: i64,
    /// The session.
    pub session: String,
    /// Its name for people.
    pub name: String,
    /// The event's kind, such as `presenter_online`.
    pub event: String,
    /// A sentence: "Maria Lopez is online". Never a PIN.
    pub text: String,
    /// Whether it is worth a desktop notification.
    pub notify: bool,
}
