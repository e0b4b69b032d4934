//! Everything about the session on screen: its PIN, its hooks, who was there.

use serde::Serialize;
use ts_rs::TS;

use super::{
    ChatBoxView, ChatLine, ClosingView, DeviceView, GateView, LogLine, MailView, NextPushView,
    PictureView, ProgramView, RegionsView, ScreenView, SessionRow, TranscriptView, Trouble,
    VerificationView,
};

/// Everything about the session on screen.
#[derive(Debug, Clone, Serialize, TS)]
pub struct SessionDetail {
    /// Its row.
    pub row: SessionRow,
    /// Who asked for it.
    pub by: String,
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
    /// Who shares the screen and who watches it; none where the service doesn't say.
    pub screen: Option<ScreenView>,
    /// Presence over time.
    pub timeline: Timeline,
    /// How long it waited for the customer to join, in milliseconds, as of `timers_at`.
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
    /// Verifications of people in this session, oldest first.
    pub verifications: Vec<VerificationView>,
    /// When the person who was asked last may be sent another push; none if they may now.
    pub next_push: Option<NextPushView>,
    /// What closing it would end.
    pub closing: ClosingView,
    /// Whether a viewer may be opened.
    pub gate: GateView,
    /// Devices that were looked up for this session, oldest first.
    pub devices: Vec<DeviceView>,
    /// Pictures of the customer's screen that were saved, oldest first.
    pub pictures: Vec<PictureView>,
    /// E-mails ordered.
    pub mails: Vec<MailView>,
    /// Messages of the chat up to its end: those that the subscriber doesn't have yet, or the newest
    /// page.
    pub chat: Vec<ChatLine>,
    /// The guid of the message that `chat` comes after, in place of whatever the subscriber has after
    /// it; none: in place of all that the subscriber has.
    pub chat_after: Option<String>,
    /// How many messages the chat has. `chat` gives the newest; the command `chat` gives earlier ones.
    pub chat_total: u32,
    /// Whether the window can write to it; none where nobody can.
    pub chat_box: Option<ChatBoxView>,
    /// When the chat was last fetched; none if never.
    pub chat_as_of: Option<i64>,
    /// Why the chat could not be fetched last; none if it could.
    pub chat_trouble: Option<Trouble>,
    /// The transcript's way into the archive.
    pub transcript: TranscriptView,
    /// The note.
    pub note: String,
    pub tags: Vec<String>,
    /// Everything that happened, oldest first.
    pub log: Vec<LogLine>,
    /// How its region was chosen: a race, or no lane if by hand. None if not yet, or not kept.
    pub regions: Option<RegionsView>,
}

impl SessionDetail {
    /// Completes a pushed chat by what the subscriber had of it before.
    pub fn continue_chat(&mut self, known: &[ChatLine]) {
        let Some(after) = &self.chat_after else { return };
        let kept = known.iter().position(|line| line.guid == *after).map_or(0, |at| at + 1);
        self.chat.splice(0..0, known[..kept].iter().cloned());
    }
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
    /// Its start.
    pub from: i64,
    /// Its end; none while it goes on.
    pub to: Option<i64>,
    /// Online or unknown.
    pub is: FactKind,
}

/// A single event on the timeline.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
pub struct Dot {
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
