//! The inputs of the session machine: results of its effects, the service's hooks, the
//! technician's commands.

use std::time::Duration;

use wire::{HookType, Region};

use crate::{
    About, Delivery, Failure, Gate, Observation, Outcome, Timer, Timestamp, mail,
    program::DownloadFailure,
    verification::{VerificationAnswer, VerificationOutcome, VerificationRequest},
};

/// One input of the machine. Commands that a person gives carry who did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// First input of a new session.
    Created {
        /// A region chosen by hand, unless the fastest is to be found.
        region: Option<Region>,
    },
    /// First input of a session found in the journal at a start.
    Restored {
        /// When the engine that had it was last known to be alive.
        since: Timestamp,
    },
    /// The fastest region, or the one chosen by hand.
    RegionChosen {
        /// The region to ask for a PIN.
        region: Region,
    },
    /// The service gave a PIN; the actor keeps it.
    Allocated {
        /// The region that gave it.
        region: Region,
        /// The end of its life.
        expires: Timestamp,
    },
    /// The service gave no PIN.
    AllocateFailed(Failure),
    /// The chosen region gave no PIN by a fault of the service, and another one may.
    RegionFailed {
        /// The one that gave none.
        region: Region,
        /// The next best one.
        next: Region,
        /// Why it gave none.
        failure: Failure,
    },
    /// The technician asked to try again, where they like in a region chosen by hand.
    Retry {
        /// The region, unless the fastest is to be found.
        region: Option<Region>,
    },
    /// A hook's POST has arrived; it isn't committed yet. Its only effect is to put the hook again.
    Received(HookType),
    /// A hook's POST is in the journal.
    Committed {
        /// Its sequence number there.
        seq: u64,
        /// The hook that fired.
        hook: HookType,
        /// What its POST says of itself.
        delivery: Delivery,
    },
    /// The broker told the session's present state.
    Observed(Box<Observation>),
    /// The broker tells the session's state no longer.
    Unobserved {
        /// Since when nothing is known, where the service can't be asked otherwise either.
        unknown_since: Option<Timestamp>,
    },
    /// The service confirmed a hook.
    Armed {
        /// The hook that is armed.
        hook: HookType,
        /// The generation of the call that is confirmed.
        generation: u32,
    },
    /// The service didn't confirm a hook.
    ArmFailed {
        /// The hook that is not known to be armed.
        hook: HookType,
        /// The generation of the call that failed.
        generation: u32,
        /// Why it was not confirmed.
        failure: Failure,
    },
    /// A timer ran out.
    Elapsed(Timer),
    /// Somebody's call failed by a fault of the service or of the way there.
    ServiceFails,
    /// The listener, the service or the computer was away: events since then may have been missed.
    Missed {
        /// Since when.
        since: Timestamp,
    },
    /// Hooks can't reach the listener.
    WayBroken {
        /// Since when.
        since: Timestamp,
    },
    /// The technician asks for all hooks to be put now (Retry at a lamp).
    Recheck,
    /// The session is on screen, or not any more.
    OnScreen(bool),
    /// A viewer window of ours was opened or closed.
    Windows {
        /// How many are open now.
        open: u32,
    },
    /// The technician enters the customer, the contact and the subject.
    Described(About),
    /// An e-mail was ordered.
    MailOrdered {
        /// A validated address.
        to: String,
        /// The template.
        template: mail::Template,
        /// The technician's or the customer's name, which the mail gives.
        name: String,
        /// When it is to go out.
        when: mail::When,
        /// Who ordered it.
        by: String,
    },
    /// An order that waits was withdrawn.
    MailWithdrawn {
        /// Its number.
        id: u32,
    },
    /// A person wants an e-mail that didn't go out, or may not have, to be sent once more.
    MailRepeated {
        /// Its number.
        id: u32,
    },
    /// The service accepted an e-mail.
    MailAccepted {
        /// Its order.
        id: u32,
        /// The service's own id of it; none where it gives none.
        mail: Option<String>,
    },
    /// The service didn't take an e-mail.
    MailFailed {
        /// Its order.
        id: u32,
        /// Why it was not taken.
        failure: Failure,
    },
    /// The gate held an e-mail back at the last moment: it was not given to the service.
    MailHeld {
        /// Its order.
        id: u32,
    },
    /// Chat was fetched, or came by the channel, and is in the archive.
    ChatSaved(SavedChat),
    /// The chat could not be fetched or archived.
    ChatFailed {
        /// Why the call failed.
        failure: Failure,
        /// Whether it was to be the transcript.
        transcript: bool,
    },
    /// A person wants the customer's program and has confirmed that the customer's own
    /// download ends.
    SaveProgram {
        /// Who confirmed it.
        by: String,
    },
    /// The technician cancels the saving of the program.
    CancelProgram,
    /// The service gave the conf; the actor has it in memory.
    ParametersGiven,
    /// The service didn't give the conf, or it is unknown whether it did.
    ParametersFailed(Failure),
    /// The program's file is complete.
    ProgramSaved {
        /// Its size in bytes.
        bytes: u64,
        /// Where it is.
        path: String,
    },
    /// The program's download ended without a file.
    ProgramBroken(DownloadFailure),
    /// Somebody orders a verification.
    Verify {
        /// The person, the method and the reason.
        asked: VerificationRequest,
        /// How long an answer is waited for.
        wait: Duration,
    },
    /// The service answered the request for a verification, or a poll of it.
    VerificationAnswered {
        /// Its number.
        id: u32,
        /// The service's answer.
        answer: VerificationAnswer,
    },
    /// The service refused the request for a verification.
    VerificationFailed {
        /// Its number.
        id: u32,
        /// How the verification ends because of that.
        end: VerificationOutcome,
    },
    /// A poll of a verification failed.
    PollFailed {
        /// Its number.
        id: u32,
        /// Why it failed.
        failure: Failure,
    },
    /// The service was asked once more for a verification's answer, which there was none of, and then
    /// to take the push back.
    PushTakenBack {
        /// Its number.
        id: u32,
        /// Why it could not say whether somebody has answered; none if it could.
        unseen: Option<Failure>,
        /// Why the push could not be taken back, so that the phone may go on ringing; none if it was,
        /// or if there was nothing to take back.
        left: Option<Failure>,
    },
    /// A person cancels a verification.
    CancelVerification {
        /// Its number.
        id: u32,
    },
    /// The settings of the verification gate, at the start and after each change.
    GateSet(Gate),
    /// Somebody overrides the verification gate, after a fresh sign-in.
    GateOverridden {
        /// Who overrides it.
        by: String,
        /// The reason that they give.
        reason: String,
    },
    /// A picture of the customer's screen is in the archive.
    PictureSaved {
        /// Who saved it.
        by: String,
    },
    /// The technician closes the session here.
    Close {
        /// The outcome.
        outcome: Outcome,
        /// Who closes it.
        by: String,
    },
    /// What came of asking the broker to end the PIN's life.
    Revoked(Revocation),
    /// The actor died too often and is not started again.
    GaveUp,
}

/// What came of asking the broker to end a PIN's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Revocation {
    /// The PIN is no good any more.
    Done,
    /// The service ends no PIN, or knows no such one.
    Impossible,
    /// It isn't known to be done; it is tried again.
    Failed(Failure),
}

/// Chat that is in the archive now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SavedChat {
    /// Messages that the archive didn't have.
    pub new: u32,
    /// Messages of the session that it has now.
    pub total: u32,
    /// Whether it was fetched as the transcript.
    pub transcript: bool,
    /// The name that the sender of the newest new message gave, unless it is known to be written here.
    pub from: Option<String>,
    /// The number of the last message and its own id, where it came by the channel.
    pub last: Option<(u64, String)>,
}
