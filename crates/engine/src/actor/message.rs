//! The messages to a session's actor, and its mailbox.
//!
//! Invariant: nothing here knows the actor or anything that the actor uses to act. So the timers,
//! the budget and the effects can answer a session without knowing its parts.

use std::{sync::Arc, time::Duration};

use ractor::ActorRef;
use session::{Delivery, Input, Timer, Timestamp, verification};
use tokio::sync::oneshot;
use wire::{ConfText, HookType, Pin, Region};

use crate::{
    bus::Progress,
    error::CommandError,
    journal::JournalError,
    remote::{
        DownloadTarget, LoginTc,
        logintc::{self, Code},
    },
};

/// Gets the outcome of a command.
pub type Reply = oneshot::Sender<Result<(), CommandError>>;

/// A message to a session's actor.
pub enum SessionMessage {
    /// The result of an effect, or news from the engine.
    Input(Input),
    /// A command; answered once it is on disk.
    Command(Input, Reply),
    /// A timer ran out; ignored unless it is the newest of its key.
    Elapsed {
        timer: Timer,
        /// Counts the starts of the session's timers.
        generation: u64,
    },
    /// A hook has fired; it isn't committed yet.
    Received(HookType),
    /// A hook's event is committed, or applied though the disk refused it (`seq` is `None` then).
    Committed {
        hook: HookType,
        delivery: Delivery,
        /// Its place in the journal.
        seq: Option<u64>,
        /// When it was received.
        at: Timestamp,
    },
    /// An event that the disk had refused has this place in the journal now.
    Written { seq: u64 },
    /// The disk has taken the turns that were given to it, or refused them.
    Saved(Result<(), JournalError>),
    /// The service gave a PIN.
    PinGiven { region: Region, pin: Pin },
    /// A person wants the customer's program and has confirmed the consequence; answered once that
    /// is on disk.
    SaveProgram {
        /// The target file.
        place: DownloadTarget,
        by: String,
        done: Reply,
    },
    /// The service gave the program's conf, which it gives only once.
    ParametersGiven(ConfText),
    /// The progress of the program's download.
    Progressed(Progress),
    /// Somebody orders a verification; answered once the order is on disk.
    Verify { order: Box<VerificationOrder>, done: Reply },
    /// The verification service accepted or refused a request.
    PhoneAsked {
        /// The verification's number.
        id: u32,
        /// The service's id of the push, with its state so far.
        outcome: Result<logintc::StartedVerification, logintc::Error>,
    },
    /// The task of an effect panicked, so its result never comes.
    EffectDied { why: String },
}

/// A verification as somebody orders it.
pub struct VerificationOrder {
    /// The service as it is set up now.
    pub client: LoginTc,
    /// The person, the method and the reason.
    pub asked: verification::VerificationRequest,
    /// A one-time password or a bypass code, instead of a push.
    pub code: Option<Code>,
    /// How long an answer is waited for.
    pub wait: Duration,
}

/// Where a session's messages go: to its actor, or to whatever stands for it in a test.
#[derive(Clone)]
pub struct Mailbox(Arc<dyn Fn(SessionMessage) + Send + Sync>);

impl Mailbox {
    pub fn new(deliver: impl Fn(SessionMessage) + Send + Sync + 'static) -> Self {
        Self(Arc::new(deliver))
    }

    pub fn send(&self, message: SessionMessage) {
        (self.0)(message);
    }

    pub fn tell(&self, input: Input) {
        self.send(SessionMessage::Input(input));
    }
}

impl From<ActorRef<SessionMessage>> for Mailbox {
    fn from(actor: ActorRef<SessionMessage>) -> Self {
        Self::new(move |message| {
            // It is refused only by a session that is gone, which needs no answer: one that starts
            // again asks anew.
            let _ = actor.cast(message);
        })
    }
}
