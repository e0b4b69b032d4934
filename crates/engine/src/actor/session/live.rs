//! A running session: takes turns, has them written, and performs their effects once they are
//! on disk.
//!
//! Invariant: at most one transaction is on its way to the disk. The records and effects of later
//! turns wait in `next` for the following transaction, so effects keep the order of their turns.

mod saving;

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use session::{
    About, Effect, Event, Input, Life, Record, State, Timer, Timestamp, Transcript, step,
};
use wire::{Pin, Region};

use self::saving::Saving;
use super::{download_under_way::ProgramDownload, phone_questions::PhoneQuestion, refused::Undo};
use crate::{
    SessionId,
    actor::message::{Mailbox, Reply},
    bus::Snapshot,
    clock::now,
    context::Context,
    error::CommandError,
    journal::{Committed, JournalError, SessionSecrets},
};

/// The data from which a session's actor starts.
pub struct Start {
    pub id: SessionId,
    pub context: Arc<Context>,
    pub state: State,
    /// Its PIN and tokens; none once they are erased, and it is history.
    pub secrets: Option<SessionSecrets>,
    /// Up to where the journal's events are in `state`.
    pub applied_seq: u64,
    /// Committed events that aren't, oldest first.
    pub replay: Vec<Committed>,
    /// The sequence number of the event being applied, by which the supervisor finds the event that
    /// killed the actor; 0 for none.
    pub in_turn: Arc<AtomicU64>,
    /// The first input.
    pub first: Input,
}

/// A running session.
pub struct Live {
    pub(super) id: SessionId,
    /// Where the answers to its effects come back.
    pub(super) mailbox: Mailbox,
    pub(super) context: Arc<Context>,
    pub(super) state: State,
    pub(super) secrets: Option<SessionSecrets>,
    pub(super) secrets_changed: bool,
    /// The state's record as it is shared with the disk and with subscribers, who only read it.
    record: Arc<Record>,
    /// Whether the record on the disk is out of date.
    changed: bool,
    /// The newest of the journal's events that the state includes; they arrive in sequence.
    applied_seq: u64,
    revision: u64,
    pub(super) unsaved: Option<JournalError>,
    /// Events that the disk hasn't taken so far.
    unwritten: Vec<(Event, Timestamp)>,
    /// The record as subscribers see it: the newest that the disk has written or refused.
    shown: Arc<Record>,
    /// The effects and answers of turns that are not in a transaction yet.
    pub(super) next: Wanted,
    saving: Option<Saving>,
    pub(super) undo: Undo,
    pub(super) generations: HashMap<Timer, u64>,
    pub(super) next_generation: u64,
    in_turn: Arc<AtomicU64>,
    /// The customer's program, while it is being saved.
    pub(super) program_download: Option<ProgramDownload>,
    /// Verifications that the service is or was asked for, by their numbers.
    pub(super) questions: HashMap<u32, PhoneQuestion>,
}

/// The effects and answers that are due once their turns are on disk.
#[derive(Default)]
pub(super) struct Wanted {
    effects: Vec<Effect>,
    answers: Vec<Reply>,
    /// When the newest of the turns was taken; none if there was none.
    pub(super) at: Option<Timestamp>,
}

impl Live {
    /// Starts the session. A new one is on disk, or known not to be, when this returns. One that is in
    /// the journal already is not waited for, so that many sessions come back with few writes.
    pub async fn begin(mailbox: Mailbox, start: Start) -> Self {
        let Start { id, context, mut state, secrets, applied_seq, replay, in_turn, first } = start;
        // Set first, so that mails held by the gate are not sent at a start either.
        state.gate = context.gate();
        if let Some(secrets) = &secrets {
            context.routes.open(id, &secrets.tokens);
        }
        let is_new = matches!(first, Input::Created { .. });
        let record = Arc::new(state.record.clone());
        context.people.note(id, &record);
        let mut live = Self {
            id,
            mailbox,
            context,
            shown: record.clone(),
            record,
            state,
            secrets,
            // Secrets that were read from the journal need no writing.
            secrets_changed: is_new,
            changed: is_new || !replay.is_empty(),
            applied_seq,
            revision: 0,
            unsaved: None,
            unwritten: Vec::new(),
            next: Wanted::default(),
            saving: None,
            undo: Undo::default(),
            generations: HashMap::new(),
            next_generation: 0,
            in_turn,
            program_download: None,
            questions: HashMap::new(),
        };
        // Events committed before the program ended come before all new ones.
        for committed in replay {
            live.committed(committed);
        }
        live.turn(first, now());
        if is_new {
            // Awaited here, so that whoever made the session learns whether the disk has it.
            live.save_now().await;
        } else {
            live.write_or_finish().await;
            // The journal has these events, so subscribers may see the record that includes them.
            live.shown = live.record.clone();
            live.publish(false);
        }
        live
    }

    /// Takes a turn. Re-arming begins at once, for nothing of such a turn needs the disk.
    pub fn turn(&mut self, input: Input, at: Timestamp) {
        self.take_turn(input, at, false);
    }

    /// Takes a command's turn, taken back if the disk refuses it, and answered once it is on disk or isn't.
    pub(super) fn order(&mut self, input: Input, done: Reply) {
        self.undo.before_command(&self.state, self.next.effects.len(), self.unwritten.len());
        self.take_turn(input, now(), true);
        // After the turn: the answer goes with the transaction that it is in.
        self.next.answers.push(done);
    }

    fn take_turn(&mut self, input: Input, at: Timestamp, is_command: bool) {
        self.undo.remember(&input, at, is_command);
        if let Input::Armed { .. } = input {
            self.context.hook_checked(at);
        }
        let received = matches!(input, Input::Received(_));
        // A guard that the settings set counts from then on, also for inputs that were here before the news of it.
        self.state.gate = self.context.gate();
        // The step takes the state by value; an empty state stands in for it meanwhile.
        let empty = State::new(About::default(), String::new(), at);
        let transition = step(std::mem::replace(&mut self.state, empty), input, at);
        self.state = transition.state;
        self.note_change();
        self.next.at = Some(at);
        self.unwritten.extend(transition.events.into_iter().map(|event| (event, at)));
        if received {
            self.perform(transition.effects);
        } else {
            self.next.effects.extend(transition.effects);
        }
    }

    /// Applies a committed event.
    pub fn committed(&mut self, committed: Committed) {
        let Committed { seq, hook, at, delivery } = committed;
        self.in_turn.store(seq, Ordering::Relaxed);
        self.context.faults.die_if_asked();
        self.written(seq);
        self.turn(Input::Committed { seq, hook, delivery }, at);
        self.in_turn.store(0, Ordering::Relaxed);
    }

    /// The event at `seq` is in the state.
    pub fn written(&mut self, seq: u64) {
        self.applied_seq = self.applied_seq.max(seq);
    }

    /// A timer ran out; only the newest of its key counts.
    pub fn elapsed(&mut self, timer: Timer, generation: u64) {
        if self.generations.get(&timer) == Some(&generation) {
            self.generations.remove(&timer);
            self.turn(Input::Elapsed(timer), now());
        }
    }

    /// The service gave a PIN.
    pub fn pin_given(&mut self, region: Region, pin: Pin) {
        if let Some(secrets) = &mut self.secrets {
            secrets.pin = Some(pin);
            self.secrets_changed = true;
        }
        let expires = now().plus(self.context.config.pin_life);
        self.turn(Input::Allocated { region, expires }, now());
    }

    /// Shares the state's record anew if it changed.
    fn note_change(&mut self) {
        if *self.record != self.state.record {
            self.record = Arc::new(self.state.record.clone());
            self.changed = true;
            self.context.people.note(self.id, &self.record);
        }
        self.settle_program();
    }

    /// Performs the effects of turns that the disk has written or refused.
    async fn finish(&mut self, wanted: Wanted, record: Arc<Record>, happened: bool) {
        let Wanted { effects, answers, at } = wanted;
        let at = at.unwrap_or_else(now);
        self.shown = record;
        self.perform(effects);
        if pin_is_done(&self.state.record, at) && !self.has_to_be_saved() {
            self.erase_secrets().await;
        }
        self.publish(happened);
        for done in answers {
            // Whoever asked may have gone away meanwhile.
            let _ =
                done.send(self.unsaved.clone().map_or(Ok(()), |e| Err(CommandError::NotSaved(e))));
        }
    }

    /// Erases the PIN once its life is over and no work needs it any more.
    async fn erase_secrets(&mut self) {
        let Some(secrets) = self.secrets.take() else { return };
        // Closed before the disk is asked: an event meanwhile would find a session without a PIN.
        self.context.routes.close(&secrets.tokens);
        if let Err(error) = self.context.journal.erase_secrets(self.id).await {
            tracing::warn!(session = %self.id, %error, "the secrets are erased at the next start");
            self.secrets = Some(secrets);
        }
    }

    fn publish(&mut self, happened: bool) {
        self.revision += 1;
        let pin = self.secrets.as_ref().and_then(|secrets| secrets.pin.clone());
        let pin = pin.filter(|_| pin_is_shown(&self.shown));
        let snapshot = Snapshot::new(
            self.id,
            self.revision,
            &self.shown,
            &self.state,
            pin,
            self.unsaved.is_some(),
        );
        let snapshot =
            Snapshot { progress: self.progress(), next_push: self.next_push(), ..snapshot };
        self.context.bus.publish(snapshot, happened);
    }
}

fn pin_is_done(record: &Record, now: Timestamp) -> bool {
    let saved = matches!(record.transcript, Transcript::Saved { .. });
    match &record.life {
        Life::Over { .. } => saved,
        Life::Closed { .. } => saved && record.closed_pin_is_done(now),
        Life::Allocating | Life::Failed { .. } | Life::Live(_) => false,
    }
}

/// A PIN that is no good any more is shown nowhere.
fn pin_is_shown(record: &Record) -> bool {
    record.is_live()
}
