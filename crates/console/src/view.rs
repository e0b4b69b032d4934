//! What a person sees, as data: the only types that the window and the headless output know.
//!
//! Everything here is made from a snapshot and thrown away; times are milliseconds since 1970. The
//! PIN is in exactly one place, [`Pin`] inside [`SessionDetail`].

mod audit_report;
mod console;
mod detail;
mod device;
mod identity;
mod identity_services;
mod parting;
mod record;
mod region_race;
mod row;
mod shared_screen;
mod verify;

use serde::Serialize;
use ts_rs::TS;

pub use self::{
    audit_report::{AuditCheck, AuditLine, BrokenLink},
    console::{
        Code, ConsoleView, Health, KeyKeeper, ListenerView, Reach, ServiceKind, ServiceView,
        StandingTrouble, Trouble,
    },
    detail::{
        Dot, FactKind, FactView, HookView, LampKind, Pin, SessionDetail, SideView, Stretch,
        Timeline,
    },
    device::{CodeAsked, DeviceView},
    identity::{
        AccessKind, AccessView, AliasesView, CeremonyStep, CeremonyView, LockReason, PasskeyView,
        PersonView, Purpose,
    },
    identity_services::{ConnectionView, Identity, IdentityServiceView, SecretName},
    parting::{ClosingView, QuittingView},
    record::{
        ChatBoxView, ChatLine, ChatSide, LogLine, MailKind, MailView, ProgramState, ProgramView,
        TranscriptView,
    },
    region_race::{LaneView, RegionsView},
    row::{SessionRow, StateKind, StateView},
    shared_screen::{
        PictureView, PresenterView, ScreenView, SharingKind, WaitingView, WatcherView,
    },
    verify::{
        GatePolicy, GateView, NextPushView, OverrideView, VerificationState, VerificationView,
        Verified, VerifyHow,
    },
};

/// What is pushed to a subscriber. Each replaces what it had of the same kind (and session).
#[derive(Debug, Clone, Serialize, TS)]
#[serde(tag = "push", rename_all = "snake_case")]
pub enum Push {
    /// The console as a whole: status bar, settings that show, who is here.
    Console(Box<ConsoleView>),
    /// A row of the session list, new or changed.
    Row(SessionRow),
    /// A session that is not in the list any more.
    Gone { id: String },
    /// Everything about the session on screen.
    Detail(Box<SessionDetail>),
    /// The regions' race, while it runs and after.
    Regions(RegionsView),
    /// Something that happened, once: for notifications and the headless output.
    #[serde(rename = "happening")]
    Event(EventView),
}

/// Something that happened, once.
#[derive(Debug, Clone, Serialize, TS)]
pub struct EventView {
    /// Its place among everything that happened; never skipped.
    pub seq: u64,
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
    /// Something newer of its side was told before it: it says what was so, and not what is. Left out where it isn't so.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[ts(optional, as = "Option<bool>")]
    pub overtaken: bool,
}
