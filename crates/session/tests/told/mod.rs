//! A session and the clock that it is told, for the tests of what the machine makes of inputs.

#![allow(dead_code, clippy::unwrap_used)] // each program of tests uses its own part of this

use std::{collections::HashSet, time::Duration};

use session::{About, Effect, Event, Input, SessionStatus, State, Timer, Timestamp, step};
use wire::{HookType, Region};

pub const T0: Timestamp = Timestamp(1_700_000_000_000);
pub const DAY: Duration = Duration::from_secs(86_400);

pub struct Told {
    pub state: State,
    pub now: Timestamp,
    pub events: Vec<Event>,
    pub timers: HashSet<Timer>,
}

impl Told {
    pub fn new() -> Self {
        let state = State::new(About::default(), "anna".into(), T0);
        Self { state, now: T0, events: Vec::new(), timers: HashSet::new() }
    }

    /// It has its PIN, and all hooks are armed.
    pub fn live() -> Self {
        let mut told = Self::new();
        told.tell(Input::Created { region: None });
        told.tell(Input::RegionChosen { region: region() });
        told.tell(Input::Allocated { region: region(), expires: T0.plus(DAY) });
        told.arm_all();
        told
    }

    pub fn tell(&mut self, input: Input) -> Vec<Effect> {
        self.now = self.now.plus(Duration::from_millis(100));
        let transition = step(self.state.clone(), input, self.now);
        self.state = transition.state;
        self.events.extend(transition.events);
        for effect in &transition.effects {
            match effect {
                Effect::Start { timer, .. } => drop(self.timers.insert(*timer)),
                Effect::Stop { timer } => drop(self.timers.remove(timer)),
                _ => {}
            }
        }
        transition.effects
    }

    pub fn arm_all(&mut self) {
        for hook in HookType::ALL {
            let generation = self.state.generations[hook.index()];
            self.tell(Input::Armed { hook, generation });
        }
    }

    /// The engine ends without warning and starts again, with the policy of before.
    pub fn restart(&mut self) -> Vec<Effect> {
        let gate = self.state.gate;
        self.state = State::restored(self.state.record.clone());
        self.state.gate = gate;
        self.timers.clear();
        let since = self.now;
        self.tell(Input::Restored { since })
    }

    pub fn word(&self) -> SessionStatus {
        SessionStatus::new(&self.state.record, self.now)
    }
}

pub fn region() -> Region {
    "us-east-1".parse().unwrap()
}
