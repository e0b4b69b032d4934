//! What happened, once: the edges that feed notifications, timeline, log and headless output.

use serde::{Deserialize, Serialize};
use wire::{HookType, Region};

use crate::{
    Failure, Outcome, Timestamp,
    mail::Template,
    program::{Broken, Gone},
    verification::{Cause, How, Who},
};

/// One thing that happened in a session. No secret is in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "event")]
pub enum Event {
    /// The technician asked for a session.
    Created,
    /// The PIN was given out and the hooks are being armed.
    PinReady {
        /// Where.
        region: Region,
    },
    /// No PIN could be had.
    AllocationFailed {
        /// Why.
        failure: Failure,
    },
    /// The presenter is online.
    PresenterOnline {
        /// It already was: its page was loaded or its program started again.
        again: bool,
    },
    /// The presenter has been gone for over 60 s.
    PresenterOffline,
    /// A viewer joined.
    ViewerJoined {
        /// One was there already.
        again: bool,
    },
    /// All viewers have been gone for over 60 s.
    ViewersGone,
    /// Events may have been missed: both facts, or one, are unknown.
    StatusUnknown {
        /// Since when.
        since: Timestamp,
    },
    /// A hook could not be re-armed twice in a row: the status may be out of date.
    HookLost {
        /// Which.
        hook: HookType,
        /// Why the last try failed.
        failure: Failure,
    },
    /// A lost hook is armed again.
    HookBack {
        /// Which.
        hook: HookType,
    },
    /// The service took an e-mail.
    MailSent {
        /// The order.
        id: u32,
        /// To whom it speaks.
        template: Template,
    },
    /// An e-mail was not taken, or may not have been.
    MailFailed {
        /// The order.
        id: u32,
        /// Why.
        failure: Failure,
        /// It may have been sent all the same.
        maybe_sent: bool,
    },
    /// New chat messages were archived.
    ChatArrived {
        /// How many.
        messages: u32,
    },
    /// The transcript is in the archive.
    TranscriptSaved {
        /// How many messages it has.
        messages: u32,
    },
    /// The transcript is not saved yet; it is tried again.
    TranscriptFailed {
        /// Why.
        failure: Failure,
    },
    /// Somebody confirmed that the customer's program is saved here.
    ProgramAsked {
        /// Who.
        by: String,
        /// The download is tried again with what the service gave before.
        again: bool,
    },
    /// The customer's program is in a file.
    ProgramSaved {
        /// Who asked for it.
        by: String,
        /// Its size.
        bytes: u64,
    },
    /// The customer's program is not saved; it may be tried again by hand.
    ProgramNotSaved {
        /// Why.
        why: Broken,
    },
    /// The customer's program can't be had for this PIN any more.
    ProgramGone {
        /// Why.
        why: Gone,
    },
    /// Somebody asked for a verification.
    VerificationAsked {
        /// Its number.
        id: u32,
        /// Whom.
        who: Who,
        /// By which name or id of the verification service.
        user: String,
        /// How.
        how: How,
        /// Who asked.
        by: String,
    },
    /// A person approved, or a code was good.
    VerificationApproved {
        /// Its number.
        id: u32,
        /// Whom.
        who: Who,
        /// By which name or id of the verification service.
        user: String,
    },
    /// A person denied.
    VerificationDenied {
        /// Its number.
        id: u32,
        /// Whom.
        who: Who,
        /// By which name or id of the verification service.
        user: String,
    },
    /// Nobody answered a verification in time.
    VerificationTimedOut {
        /// Its number.
        id: u32,
        /// Whom.
        who: Who,
        /// By which name or id of the verification service.
        user: String,
    },
    /// A verification was cancelled here, or its session ended first.
    VerificationCancelled {
        /// Its number.
        id: u32,
        /// Whom.
        who: Who,
        /// By which name or id of the verification service.
        user: String,
    },
    /// A person has no device to be asked on.
    VerificationNoDevice {
        /// Its number.
        id: u32,
        /// Whom.
        who: Who,
        /// By which name or id of the verification service.
        user: String,
    },
    /// What came of a verification is not known: the program ended meanwhile.
    VerificationUnknown {
        /// Its number.
        id: u32,
        /// Whom.
        who: Who,
        /// By which name or id of the verification service.
        user: String,
    },
    /// A verification failed.
    VerificationFailed {
        /// Its number.
        id: u32,
        /// Whom.
        who: Who,
        /// By which name or id of the verification service.
        user: String,
        /// Why.
        #[serde(flatten)]
        cause: Cause,
    },
    /// Somebody overrode the verification gate.
    GateOverridden {
        /// Who.
        by: String,
        /// Why.
        reason: String,
    },
    /// A picture of the customer's screen was saved; the customer is told.
    PictureSaved {
        /// Who did.
        by: String,
    },
    /// The technician closed the session here.
    Closed {
        /// With which outcome.
        outcome: Outcome,
        /// Who did.
        by: String,
    },
    /// The PIN's life is over.
    PinOver {
        /// Whether anybody had ever joined.
        joined: bool,
    },
}

impl Event {
    /// Whether somebody did something, or something came of it: not what the console has only noticed of
    /// its own knowledge, which must not bring a session to the top of a list.
    pub const fn is_activity(&self) -> bool {
        match self {
            Self::Created
            | Self::PinReady { .. }
            | Self::AllocationFailed { .. }
            | Self::PresenterOnline { .. }
            | Self::PresenterOffline
            | Self::ViewerJoined { .. }
            | Self::ViewersGone
            | Self::MailSent { .. }
            | Self::MailFailed { .. }
            | Self::ChatArrived { .. }
            | Self::TranscriptSaved { .. }
            | Self::TranscriptFailed { .. }
            | Self::ProgramAsked { .. }
            | Self::ProgramSaved { .. }
            | Self::ProgramNotSaved { .. }
            | Self::ProgramGone { .. }
            | Self::VerificationAsked { .. }
            | Self::VerificationApproved { .. }
            | Self::VerificationDenied { .. }
            | Self::VerificationTimedOut { .. }
            | Self::VerificationCancelled { .. }
            | Self::VerificationNoDevice { .. }
            | Self::VerificationFailed { .. }
            | Self::VerificationUnknown { .. }
            | Self::GateOverridden { .. }
            | Self::PictureSaved { .. }
            | Self::Closed { .. }
            | Self::PinOver { .. } => true,
            Self::StatusUnknown { .. } | Self::HookLost { .. } | Self::HookBack { .. } => false,
        }
    }
}
