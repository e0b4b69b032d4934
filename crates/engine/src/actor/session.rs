//! One actor per support session: it owns the state, the PIN, the hooks' tokens and the timers.
//!
//! A turn is: input, step, one transaction (record, applied sequence, happenings), effects, snapshot.
//! The actor doesn't wait for the disk: turns that come meanwhile go into the next transaction, and a
//! hook that was just received is armed again before anything else.

mod live;
mod program;
mod verification;

use std::sync::{Arc, atomic::AtomicU64};

use ractor::{Actor, ActorProcessingErr, ActorRef};
use session::{Input, State, Timer, Timestamp};
use tokio::sync::oneshot;
use wire::{ConfText, HookType, Pin, Region};

use self::live::Live;
pub use self::verification::Order;
pub(crate) use self::{
    program::in_the_way,
    verification::{Question, failure_of, not_now, user_of},
};
use crate::{
    SessionId,
    bus::Progress,
    clock::now,
    context::Context,
    error::CommandError,
    journal::{Committed, JournalError, SessionSecrets},
    remote::{Place, logintc},
};

/// What a session's actor can be sent.
pub enum Message {
    /// The result of an effect, or news from the engine.
    Told(Input),
    /// A command; answered once it is on disk.
    Ordered(Input, oneshot::Sender<Result<(), CommandError>>),
    /// A timer ran out; ignored unless it is the newest of its key.
    Elapsed {
        /// Which.
        timer: Timer,
        /// Of which start.
        generation: u64,
    },
    /// A hook has fired; it isn't committed yet.
    Received(HookType),
    /// A hook's event is committed, or applied though the disk refused it (`None`).
    Committed {
        /// Which hook.
        hook: HookType,
        /// Its place in the journal.
        seq: Option<u64>,
        /// When it was received.
        at: Timestamp,
    },
    /// An event that the disk had refused has its place in the journal now.
    Written {
        /// It.
        seq: u64,
    },
    /// The disk has taken the turns that were given to it, or refused them.
    Saved(Result<(), JournalError>),
    /// The service gave a PIN.
    PinGiven {
        /// Where.
        region: Region,
        /// It.
        pin: Pin,
    },
    /// A person wants the customer's program and has confirmed the consequence; answered once that
    /// is on disk.
    SaveProgram {
        /// Where to.
        place: Place,
        /// Who.
        by: String,
        /// Gets the answer.
        done: oneshot::Sender<Result<(), CommandError>>,
    },
    /// The service gave what the program needs, for the only time.
    ParametersGiven(ConfText),
    /// How far the program's download is.
    Progressed(Progress),
    /// Somebody wants to know whether this is the person; answered once that is on disk.
    Verify {
        /// Whom, how, and at which service.
        order: Box<Order>,
        /// Gets the answer.
        done: oneshot::Sender<Result<(), CommandError>>,
    },
    /// The verification service has taken a question, or hasn't.
    PhoneAsked {
        /// The verification.
        id: u32,
        /// Its name at the service, and what is known of it at once.
        outcome: Result<logintc::Asked, logintc::Error>,
    },
}

/// How a session comes to life.
pub struct Start {
    /// Which.
    pub id: SessionId,
    /// What is shared.
    pub context: Arc<Context>,
    /// What it is.
    pub state: State,
    /// Its PIN and tokens; none once they are erased, and it is history.
    pub secrets: Option<SessionSecrets>,
    /// Up to where the journal's events are in `state`.
    pub applied_seq: u64,
    /// Committed events that aren't, oldest first.
    pub replay: Vec<Committed>,
    /// Which event is being applied, for whoever asks what killed the actor; 0 for none.
    pub in_turn: Arc<AtomicU64>,
    /// The first input.
    pub first: Input,
}

/// The actor's kind; its data is `Live`.
pub struct Session;

impl Actor for Session {
    type Msg = Message;
    type State = Live;
    type Arguments = Start;

    async fn pre_start(
        &self,
        myself: ActorRef<Message>,
        start: Start,
    ) -> Result<Live, ActorProcessingErr> {
        Ok(Live::begin(&myself, start).await)
    }

    async fn handle(
        &self,
        myself: ActorRef<Message>,
        message: Message,
        live: &mut Live,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            Message::Told(input) => live.turn(&myself, input, now()),
            Message::Ordered(input, done) => {
                live.turn(&myself, input, now());
                live.answer_once_saved(done);
            }
            Message::Elapsed { timer, generation } => live.elapsed(&myself, timer, generation),
            Message::Received(hook) => live.turn(&myself, Input::Received(hook), now()),
            Message::Committed { hook, seq, at } => {
                live.committed(&myself, hook, seq.unwrap_or(0), at);
            }
            Message::Written { seq } => live.written(seq),
            Message::Saved(outcome) => live.saved(&myself, outcome).await,
            Message::PinGiven { region, pin } => live.pin_given(&myself, region, pin),
            Message::SaveProgram { place, by, done } => live.save_program(&myself, place, by, done),
            Message::ParametersGiven(conf) => live.parameters_given(&myself, conf),
            Message::Progressed(progress) => live.progressed(progress),
            Message::Verify { order, done } => live.verify(&myself, *order, done),
            Message::PhoneAsked { id, outcome } => live.phone_asked(&myself, id, outcome),
        }
        live.go_on(&myself).await;
        Ok(())
    }

    async fn post_stop(
        &self,
        myself: ActorRef<Message>,
        live: &mut Live,
    ) -> Result<(), ActorProcessingErr> {
        live.end(&myself).await;
        Ok(())
    }
}
