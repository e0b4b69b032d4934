//! The supervisor: owns the set of sessions, and restarts those that died, from the journal.
//!
//! Three restarts in 15 s, then the session is failed and visibly so. The others never notice:
//! ractor's default, which stops a supervisor with its first child, is overridden.

#[cfg(test)]
mod tests;

use std::{
    collections::{HashMap, VecDeque},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use ractor::{Actor, ActorId, ActorProcessingErr, ActorRef, SupervisionEvent};
use session::{About, Input, State, Timestamp};
use tokio::{sync::oneshot, time::Instant};

use crate::{
    SessionId,
    actor::{
        message::SessionMessage,
        session::{Session, Start},
    },
    clock::now,
    context::Context,
    error::CommandError,
    journal::{Committed, SessionSecrets, Stored},
    token::HookToken,
};

/// This many restarts...
const RESTARTS: usize = 3;
/// ...within this time are one too many.
const WITHIN: Duration = Duration::from_secs(15);

/// A message to the supervisor.
pub enum Message {
    /// Make a session and start it; answered with its id once it is on disk.
    Create {
        /// The customer, the contact and the subject.
        about: About,
        /// Who asks.
        by: String,
        /// Where, unless the fastest region is to be found.
        region: Option<wire::Region>,
        /// Gets the answer.
        done: oneshot::Sender<Result<SessionId, CommandError>>,
    },
    /// Start sessions as the journal has them.
    Restore {
        stored: Vec<Stored>,
        /// When the engine that had them was last known to be alive.
        since: Timestamp,
        /// Told when their actors run.
        done: oneshot::Sender<()>,
    },
}

/// The actor's kind.
pub struct Supervisor;

/// The actor's data.
pub struct SupervisorState {
    context: Arc<Context>,
    children: HashMap<ActorId, Child>,
    deaths: HashMap<SessionId, VecDeque<Instant>>,
}

struct Child {
    id: SessionId,
    /// Which event it is applying; 0 for none.
    in_turn: Arc<AtomicU64>,
}

impl Actor for Supervisor {
    type Msg = Message;
    type State = SupervisorState;
    type Arguments = Arc<Context>;

    async fn pre_start(
        &self,
        _: ActorRef<Message>,
        context: Arc<Context>,
    ) -> Result<SupervisorState, ActorProcessingErr> {
        Ok(SupervisorState { context, children: HashMap::new(), deaths: HashMap::new() })
    }

    async fn handle(
        &self,
        myself: ActorRef<Message>,
        message: Message,
        state: &mut SupervisorState,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            Message::Create { about, by, region, done } => {
                let made = state.create(&myself, about, by, region).await;
                let _ = done.send(made);
            }
            Message::Restore { stored, since, done } => {
                for stored in stored {
                    let id = stored.session;
                    state.start(&myself, restored(&state.context, stored, since)).await;
                    tracing::debug!(session = %id, "restored");
                }
                let _ = done.send(());
            }
        }
        Ok(())
    }

    /// Ends the sessions in good order: ractor kills the children that a supervisor leaves behind,
    /// and a killed child loses what it has only in memory. While it stops, the supervisor treats
    /// no child's end as a crash.
    async fn post_stop(
        &self,
        myself: ActorRef<Message>,
        _: &mut SupervisorState,
    ) -> Result<(), ActorProcessingErr> {
        myself.stop_children_and_wait(None, None).await;
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        myself: ActorRef<Message>,
        event: SupervisionEvent,
        state: &mut SupervisorState,
    ) -> Result<(), ActorProcessingErr> {
        match event {
            SupervisionEvent::ActorFailed(cell, error) => {
                if let Some(child) = state.children.remove(&cell.get_id()) {
                    state.died(&myself, child, &error.to_string()).await;
                }
            }
            // It was stopped on purpose.
            SupervisionEvent::ActorTerminated(cell, _, _) => {
                state.children.remove(&cell.get_id());
            }
            SupervisionEvent::ActorStarted(_) | SupervisionEvent::ProcessGroupChanged(_) => {}
        }
        Ok(())
    }
}

impl SupervisorState {
    async fn create(
        &mut self,
        myself: &ActorRef<Message>,
        about: About,
        by: String,
        region: Option<wire::Region>,
    ) -> Result<SessionId, CommandError> {
        let id = SessionId::random();
        let start = Start {
            id,
            context: self.context.clone(),
            state: State::new(about, by, now()),
            secrets: Some(SessionSecrets { pin: None, tokens: tokens()?, conf: None }),
            applied_seq: 0,
            replay: Vec::new(),
            in_turn: Arc::default(),
            first: Input::Created { region },
        };
        self.start(myself, start).await;
        // The actor starts only once the disk has answered, so its first snapshot shows whether the
        // record was written.
        let made = self.context.bus.latest(id).is_some_and(|snapshot| !snapshot.unsaved);
        if made { Ok(id) } else { Err(CommandError::NotMade) }
    }

    async fn start(&mut self, myself: &ActorRef<Message>, start: Start) {
        let child = Child { id: start.id, in_turn: start.in_turn.clone() };
        match Actor::spawn_linked(None, Session, start, myself.get_cell()).await {
            Ok((actor, _)) => {
                self.context.sessions.write().insert(child.id, actor.clone());
                self.children.insert(actor.get_id(), child);
            }
            // Boxed, for this and `died` call each other.
            Err(error) => Box::pin(self.died(myself, child, &error.to_string())).await,
        }
    }

    /// Restarts a session that died, from the journal, unless it dies too often.
    async fn died(&mut self, myself: &ActorRef<Message>, child: Child, why: &str) {
        let id = child.id;
        tracing::error!(session = %id, why, "a session's actor died");
        // Counted before the journal is read, so that an event that has killed twice
        // isn't replayed.
        let seq = child.in_turn.load(Ordering::Relaxed);
        if let Err(error) = self.context.journal.killed(id, seq, why).await {
            tracing::error!(session = %id, %error, "note what killed a session's actor");
        }
        let Some(stored) = self.stored(id).await else { return };
        match self.deaths_lately(id) {
            deaths if deaths <= RESTARTS => {
                let start = restored(&self.context, stored, now());
                let seen = start.replay.last().map_or(start.applied_seq, |committed| committed.seq);
                self.start(myself, start).await;
                self.catch_up(id, seen).await;
            }
            // Once more, only to show the failure.
            deaths if deaths == RESTARTS + 1 => {
                let mut start = restored(&self.context, stored, now());
                // One of these events may be the one that kills it.
                start.replay.clear();
                start.first = Input::GaveUp;
                self.start(myself, start).await;
            }
            _ => tracing::error!(session = %id, "a session's actor can't even show that it failed"),
        }
    }

    /// Sends the events committed after the journal was read and before the new actor started.
    async fn catch_up(&self, id: SessionId, seen: u64) {
        let (Some(stored), Some(actor)) = (self.stored(id).await, self.context.actor(id)) else {
            return;
        };
        for Committed { seq, hook, at, delivery } in stored.replay {
            if seq > seen {
                let _ =
                    actor.cast(SessionMessage::Committed { hook, delivery, seq: Some(seq), at });
            }
        }
    }

    fn deaths_lately(&mut self, id: SessionId) -> usize {
        let deaths = self.deaths.entry(id).or_default();
        // By the machine's own clock, so that setting the wall clock neither hides a death nor
        // invents one.
        let this = Instant::now();
        deaths.push_back(this);
        while deaths.front().is_some_and(|death| this.duration_since(*death) > WITHIN) {
            deaths.pop_front();
        }
        deaths.len()
    }

    async fn stored(&self, id: SessionId) -> Option<Stored> {
        match self.context.journal.load().await {
            Ok(loaded) => loaded.sessions.into_iter().find(|stored| stored.session == id),
            Err(error) => {
                tracing::error!(session = %id, %error, "load a session that died");
                None
            }
        }
    }
}

fn restored(context: &Arc<Context>, stored: Stored, since: Timestamp) -> Start {
    let Stored { session, record, secrets, applied_seq, replay, killers: _ } = stored;
    Start {
        id: session,
        context: context.clone(),
        state: State::restored(record),
        secrets,
        applied_seq,
        replay,
        in_turn: Arc::default(),
        first: Input::Restored { since },
    }
}

fn tokens() -> Result<[HookToken; 4], CommandError> {
    let token = || HookToken::random().map_err(|_| CommandError::NoRandom);
    Ok([token()?, token()?, token()?, token()?])
}
