//! One actor per support session: it owns the state, the PIN, the hooks' tokens and the timers.
//!
//! A turn is: input, step, one transaction (record, applied sequence, happenings), effects, snapshot.
//! Only the re-arming of a hook that was just received comes before everything else.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use ractor::{Actor, ActorProcessingErr, ActorRef};
use session::{
    Effect, Event, Failure, Input, Life, Record, State, Timer, Timestamp, Transcript, step,
};
use tokio::sync::oneshot;
use wire::{HookType, Pin, Region};

use crate::{
    SessionId,
    bus::Snapshot,
    clock::now,
    context::Context,
    error::CommandError,
    journal::{Committed, JournalError, SessionSecrets, SessionTurn},
    perform,
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
    /// The service gave a PIN.
    PinGiven {
        /// Where.
        region: Region,
        /// It.
        pin: Pin,
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

/// The actor's kind; its data is [`Live`].
pub struct Session;

/// A running session.
pub struct Live {
    id: SessionId,
    context: Arc<Context>,
    state: State,
    secrets: Option<SessionSecrets>,
    secrets_changed: bool,
    /// Up to where the journal's events are in the state: they are told in the order of their sequence.
    applied_seq: u64,
    revision: u64,
    unsaved: Option<JournalError>,
    /// Happenings that the disk has refused so far.
    untold: Vec<(Event, Timestamp)>,
    generations: HashMap<Timer, u64>,
    next_generation: u64,
    in_turn: Arc<AtomicU64>,
}

impl Actor for Session {
    type Msg = Message;
    type State = Live;
    type Arguments = Start;

    async fn pre_start(
        &self,
        myself: ActorRef<Message>,
        start: Start,
    ) -> Result<Live, ActorProcessingErr> {
        let Start { id, context, state, secrets, applied_seq, replay, in_turn, first } = start;
        if let Some(secrets) = &secrets {
            context.routes.open(id, &secrets.tokens);
        }
        let mut live = Live {
            id,
            context,
            state,
            secrets,
            secrets_changed: true,
            applied_seq,
            revision: 0,
            unsaved: None,
            untold: Vec::new(),
            generations: HashMap::new(),
            next_generation: 0,
            in_turn,
        };
        // What was committed before the program ended happened before anything that happens now.
        for Committed { seq, hook, at } in replay {
            live.committed(&myself, hook, seq, at).await;
        }
        live.turn(&myself, first, now()).await;
        Ok(live)
    }

    async fn handle(
        &self,
        myself: ActorRef<Message>,
        message: Message,
        live: &mut Live,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            Message::Told(input) => live.turn(&myself, input, now()).await,
            Message::Ordered(input, done) => {
                live.turn(&myself, input, now()).await;
                // Whoever asked may have gone away meanwhile.
                let _ = done.send(live.saved());
            }
            Message::Elapsed { timer, generation } => {
                if live.generations.get(&timer) == Some(&generation) {
                    live.generations.remove(&timer);
                    live.turn(&myself, Input::Elapsed(timer), now()).await;
                }
            }
            Message::Received(hook) => {
                live.turn(&myself, Input::Received(hook), now()).await;
            }
            Message::Committed { hook, seq, at } => {
                live.committed(&myself, hook, seq.unwrap_or(0), at).await;
            }
            Message::Written { seq } => live.applied_seq = live.applied_seq.max(seq),
            Message::PinGiven { region, pin } => {
                if let Some(secrets) = &mut live.secrets {
                    secrets.pin = Some(pin);
                    live.secrets_changed = true;
                }
                let expires = now().plus(live.context.config.pin_life);
                live.turn(&myself, Input::Allocated { region, expires }, now()).await;
            }
        }
        Ok(())
    }

    async fn post_stop(
        &self,
        _: ActorRef<Message>,
        live: &mut Live,
    ) -> Result<(), ActorProcessingErr> {
        live.context.timers.forget(live.id);
        Ok(())
    }
}

impl Live {
    async fn committed(
        &mut self,
        myself: &ActorRef<Message>,
        hook: HookType,
        seq: u64,
        at: Timestamp,
    ) {
        self.in_turn.store(seq, Ordering::Relaxed);
        self.context.faults.die_if_asked();
        self.applied_seq = self.applied_seq.max(seq);
        self.turn(myself, Input::Committed { seq, hook }, at).await;
        self.in_turn.store(0, Ordering::Relaxed);
    }

    async fn turn(&mut self, myself: &ActorRef<Message>, input: Input, at: Timestamp) {
        if let Input::Armed { .. } = input {
            self.context.hook_checked(at);
        }
        let received = matches!(input, Input::Received(_));
        // The step takes the state by value; the old record tells whether anything has to be stored.
        let before = self.state.record.clone();
        let state = std::mem::replace(&mut self.state, State::restored(before.clone()));
        let transition = step(state, input, at);
        self.state = transition.state;
        let happened = !transition.events.is_empty();
        self.untold.extend(transition.events.into_iter().map(|event| (event, at)));
        let changed =
            before != self.state.record || self.secrets_changed || !self.untold.is_empty();
        if received {
            // Re-arm first: nothing of this turn needs the disk.
            self.perform(myself, transition.effects);
        } else {
            if changed || self.unsaved.is_some() {
                self.save().await;
            }
            self.perform(myself, transition.effects);
        }
        if pin_is_done(&self.state.record, at) && self.unsaved.is_none() {
            self.erase_secrets().await;
        }
        self.publish(at, happened);
    }

    /// The PIN's life is over and all that it was needed for is done: nobody shall find it later.
    async fn erase_secrets(&mut self) {
        let Some(secrets) = self.secrets.take() else { return };
        self.context.routes.close(&secrets.tokens);
        if let Err(error) = self.context.journal.erase_secrets(self.id).await {
            tracing::warn!(session = %self.id, %error, "the secrets are erased at the next start");
            self.secrets = Some(secrets);
        }
    }

    /// One transaction: the record with how far the journal is in it, and what happened.
    async fn save(&mut self) {
        let turn = SessionTurn {
            session: self.id,
            record: self.state.record.clone(),
            secrets: self.secrets.clone().filter(|_| self.secrets_changed),
            applied_seq: self.applied_seq,
            happenings: self.untold.clone(),
        };
        match self.context.journal.save_turn(turn).await {
            Ok(_) => {
                self.untold.clear();
                self.secrets_changed = false;
                self.unsaved = None;
                self.context.journal_wrote(None);
            }
            Err(error) => {
                self.context.journal_wrote(Some(error.to_string()));
                self.unsaved = Some(error);
            }
        }
    }

    fn saved(&self) -> Result<(), CommandError> {
        self.unsaved.clone().map_or(Ok(()), |error| Err(CommandError::NotSaved(error)))
    }

    fn perform(&mut self, myself: &ActorRef<Message>, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Start { timer, after, spread } => {
                    let after = if spread { perform::spread(after) } else { after };
                    self.start(myself, timer, after);
                }
                Effect::Heartbeat { hurried } => {
                    let after = perform::heartbeat(&self.context, hurried);
                    self.start(myself, Timer::Heartbeat, after);
                }
                Effect::Stop { timer } => {
                    self.generations.remove(&timer);
                    self.context.timers.stop(self.id, timer);
                }
                // What may happen only once is not begun unless the disk knows of it.
                Effect::SendMail { id, .. } if self.unsaved.is_some() => {
                    let refused = Input::MailFailed { id, failure: Failure::Storage };
                    let _ = myself.cast(Message::Told(refused));
                }
                effect @ (Effect::ChooseRegion
                | Effect::Allocate { .. }
                | Effect::PutHook { .. }
                | Effect::FetchChat { .. }
                | Effect::SendMail { .. }
                | Effect::RevokePin) => {
                    perform::effect(&self.context, self.id, self.secrets.as_ref(), myself, effect);
                }
            }
        }
    }

    fn start(&mut self, myself: &ActorRef<Message>, timer: Timer, after: std::time::Duration) {
        self.next_generation += 1;
        self.generations.insert(timer, self.next_generation);
        self.context.timers.set(self.id, timer, self.next_generation, after, myself.clone());
    }

    fn publish(&mut self, at: Timestamp, happened: bool) {
        self.revision += 1;
        let pin = self.secrets.as_ref().and_then(|secrets| secrets.pin.clone());
        let pin = pin.filter(|_| pin_is_shown(&self.state.record));
        let snapshot =
            Snapshot::of(self.id, self.revision, &self.state, pin, self.unsaved.is_some(), at);
        self.context.bus.publish(snapshot, happened && self.unsaved.is_none());
    }
}

fn pin_is_done(record: &Record, now: Timestamp) -> bool {
    let saved = matches!(record.transcript, Transcript::Saved { .. });
    match &record.life {
        Life::Over { .. } => saved,
        Life::Closed { revoked, allocation, .. } => {
            let over = allocation.as_ref().is_none_or(|allocation| allocation.expires <= now);
            saved && (*revoked == Some(true) || over)
        }
        Life::Allocating | Life::Failed { .. } | Life::Live(_) => false,
    }
}

/// A PIN that is no good any more is shown nowhere.
fn pin_is_shown(record: &Record) -> bool {
    record.is_live()
}
