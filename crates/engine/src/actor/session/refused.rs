//! Commands that the disk refuses are taken back: their answer is an error, so nothing of them may be
//! left, and none of their effects begins.
//!
//! What happened meanwhile (a hook, an answer of the service) can't be taken back. So from the first
//! command on that isn't on the disk, turns are remembered, and those that stay are taken again without
//! the refused commands.

use session::{Effect, Event, Input, State, Timestamp, step};
use wire::ConfText;

use super::download_under_way::ProgramDownload;

/// The turns since a command that isn't on the disk; none are remembered where there is no such command.
#[derive(Default)]
pub(super) struct Undo {
    /// The state before these turns.
    base: Option<State>,
    turns: Vec<Turn>,
    /// How many of them are in the transaction on its way.
    in_flight: usize,
    /// The effects and events that were waiting before the first of these turns.
    before: Before,
    /// What these turns gave up of the customer's program.
    given_up: GivenUp,
}

/// The customer's program that a turn gave up, until it is known whether the disk has the turn.
#[derive(Default)]
pub(super) struct GivenUp {
    pub download: Option<ProgramDownload>,
    /// The service gives it once only.
    pub conf: Option<ConfText>,
}

#[derive(Clone, Copy, Default)]
struct Before {
    effects: usize,
    events: usize,
}

struct Turn {
    input: Input,
    at: Timestamp,
    is_command: bool,
}

/// What turns gave.
#[derive(Default)]
pub(super) struct Outcome {
    pub effects: Vec<Effect>,
    pub events: Vec<(Event, Timestamp)>,
}

/// What is left once the refused commands were taken back.
pub(super) struct TakenBack {
    /// The state after the transaction's other turns.
    pub kept_state: State,
    /// What these gave, in place of what comes after `effects` and `events`.
    pub kept: Outcome,
    /// The state after the turns that are not in a transaction yet.
    pub state: State,
    /// What these gave.
    pub next: Outcome,
    /// How many effects and events came before the first remembered turn.
    pub effects: usize,
    pub events: usize,
    /// The customer's program, if the turns gave it up.
    pub given_up: GivenUp,
}

impl Undo {
    /// A command is taken next; `effects` and `events` wait already.
    pub fn before_command(&mut self, state: &State, effects: usize, events: usize) {
        if self.base.is_none() {
            self.base = Some(state.clone());
            self.before = Before { effects, events };
        }
    }

    /// Remembers a turn, if that may be needed.
    pub fn remember(&mut self, input: &Input, at: Timestamp, is_command: bool) {
        if self.base.is_some() {
            self.turns.push(Turn { input: input.clone(), at, is_command });
        }
    }

    /// A turn gave up the customer's program. Where it can't be taken back, that ends here.
    pub fn give_up(&mut self, given_up: GivenUp) {
        if self.base.is_some() {
            let before = &mut self.given_up;
            before.download = before.download.take().or(given_up.download);
            before.conf = before.conf.take().or(given_up.conf);
        }
    }

    /// The download that a turn gave up which isn't on the disk.
    pub const fn download(&mut self) -> Option<&mut ProgramDownload> {
        self.given_up.download.as_mut()
    }

    /// All remembered turns are in a transaction from now on.
    pub fn on_its_way(&mut self) {
        self.in_flight = self.turns.len();
    }

    /// The remembered turns needed no transaction.
    pub fn forget(&mut self) {
        *self = Self::default();
    }

    /// The transaction is on the disk, and with it the first `events` events.
    pub fn saved(&mut self, events: usize) {
        if self.in_flight == 0 {
            self.before.events = self.before.events.saturating_sub(events);
            return;
        }
        let Some(base) = self.base.take() else { return };
        let written: Vec<Turn> = self.turns.drain(..self.in_flight).collect();
        self.go_on_from(replay(base, &written).0, 0);
    }

    /// The disk has refused the transaction; none if there was no command in it.
    pub fn refused(&mut self) -> Option<TakenBack> {
        // The first remembered turn is a command, or one follows that goes with it.
        let base = if self.in_flight == 0 { return None } else { self.base.take()? };
        let mut stays: Vec<Turn> = self.turns.drain(..self.in_flight).collect();
        stays.retain(|turn| !turn.is_command);
        let Before { effects, events } = self.before;
        let given_up = std::mem::take(&mut self.given_up);
        let (kept_state, kept) = replay(base, &stays);
        let (state, next) = replay(kept_state.clone(), &self.turns);
        self.go_on_from(kept_state.clone(), events + kept.events.len());
        Some(TakenBack { kept_state, kept, state, next, effects, events, given_up })
    }

    /// The turns that are left begin at `base`, behind `events` events. Without a command among them they
    /// needn't be remembered.
    fn go_on_from(&mut self, base: State, events: usize) {
        self.in_flight = 0;
        self.before = Before { effects: 0, events };
        if self.turns.iter().any(|turn| turn.is_command) {
            self.base = Some(base);
        } else {
            self.turns.clear();
            self.given_up = GivenUp::default();
        }
    }
}

fn replay(state: State, turns: &[Turn]) -> (State, Outcome) {
    let mut outcome = Outcome::default();
    let state = turns.iter().fold(state, |state, Turn { input, at, .. }| {
        let transition = step(state, input.clone(), *at);
        // A received hook's effects began with its turn.
        if !matches!(input, Input::Received(_)) {
            outcome.effects.extend(transition.effects);
        }
        outcome.events.extend(transition.events.into_iter().map(|event| (event, *at)));
        transition.state
    });
    (state, outcome)
}
