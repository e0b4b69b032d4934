//! The effects that a step requests. Effects are data; `engine::perform` is the only place that
//! carries them out.

use std::time::Duration;

use wire::{HookType, Region};

use crate::mail::Template;

/// One thing to do. Its result comes back as an [`Input`](crate::Input).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Find the fastest region: `RegionChosen` or `AllocateFailed` comes back.
    ChooseRegion,
    /// Ask for a PIN there: `Allocated` or `AllocateFailed` comes back.
    Allocate {
        /// The region to ask.
        region: Region,
        /// Whether the technician chose it; then no race explains the choice.
        by_hand: bool,
    },
    /// Put a hook: `Armed` or `ArmFailed` comes back with the same generation.
    PutHook {
        /// The hook to put.
        hook: HookType,
        /// Ties the answer to this very call; an older call's answer is ignored.
        generation: u32,
        /// Its place in the order when the budget is short.
        urgency: Urgency,
    },
    /// Fetch the chat and archive it by guid: `ChatSaved` or `ChatFailed` comes back.
    FetchChat {
        /// Whether it is the transcript of an ended session (or a poll).
        transcript: bool,
    },
    /// Ask the broker for the session's present state: `Observed` comes back, where there is a channel.
    AskState,
    /// Send an e-mail, once: `MailAccepted`, `MailFailed` or `MailHeld` comes back.
    SendMail {
        /// The order's number.
        id: u32,
        /// The address.
        to: String,
        /// The template.
        template: Template,
        /// The technician's or the customer's name, which the mail gives.
        name: String,
    },
    /// Request the conf of the customer's program, once: `ParametersGiven` or `ParametersFailed`
    /// comes back.
    AskParameters,
    /// Write the customer's program to the file that was chosen: `ProgramSaved` or `ProgramBroken`
    /// comes back.
    DownloadProgram,
    /// End the download that is under way: `ProgramBroken` comes back, unless it is
    /// complete already.
    CancelProgram,
    /// Ask a person's phone, or try a code, once: `VerificationAnswered` or `VerificationFailed`
    /// comes back.
    AskPhone {
        /// The verification's number.
        id: u32,
        /// The verification service's name or id of the person.
        user: String,
        /// Whether `user` is an id.
        by_id: bool,
        /// The names and values that the phone shows.
        shown: Vec<(String, String)>,
    },
    /// Poll a verification's state: `VerificationAnswered` or `PollFailed` comes back.
    PollPhone {
        /// The verification's number.
        id: u32,
    },
    /// Look once more whether somebody has answered a push, and take it back if not:
    /// `VerificationAnswered` or `PushTakenBack` comes back.
    CancelPhone {
        /// The verification's number.
        id: u32,
    },
    /// Ask the broker to end the PIN's life now, where it can: `Revoked` comes back.
    RevokePin,
    /// Start a timer, replacing one with the same key.
    Start {
        /// The key of the timer.
        timer: Timer,
        /// The delay by the monotonic clock.
        after: Duration,
        /// Whether chance may spread it by a quarter.
        spread: bool,
    },
    /// Start the heartbeat's timer: 2 s where `hurried`, else as the settings say.
    Heartbeat {
        /// Whether the session is on screen and the service failed within the last minute.
        hurried: bool,
    },
    /// Stop a timer, if it runs.
    Stop {
        /// The key of the timer.
        timer: Timer,
    },
}

/// A session's timers. A stale one never arrives: starting or stopping a key ends the older one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Timer {
    /// All hooks are put again.
    Heartbeat,
    /// One hook's next try.
    Rearm(HookType),
    /// The next poll of the chat.
    PollChat,
    /// The next try to save the transcript.
    RetryTranscript,
    /// The next try to end a closed session's PIN.
    RetryRevoke,
    /// The end of the PIN's life.
    PinOver,
    /// The next poll of a verification.
    PollVerification(u32),
    /// The end of the time that a verification has.
    VerificationOver(u32),
    /// The end of the time for which the verification gate is open.
    GateOver,
    /// The end of the time in which a webhook was to report what the broker itself has told.
    HooksDue,
}

/// The order in which hooks are put when the budget is short: the first goes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Urgency {
    /// It has just fired: events are lost until it is armed again. Ignores the rate limit.
    Fired,
    /// The first time for a new PIN, or since a start.
    New,
    /// It failed before.
    Failed,
    /// A heartbeat of a session that is being looked at.
    OnScreen,
    /// A heartbeat of another live session.
    Other,
}
