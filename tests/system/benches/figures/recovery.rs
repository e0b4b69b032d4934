//! F2b: how long a hook stays dead after a fault has ended.
//!
//! The real session machine and the real budget, in simulated time with fixed seeds: hours of faults
//! take seconds, and each run is the same. Dead is what the *service* doesn't have armed, also where
//! nobody knows it yet, because a POST was lost.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap},
    time::Duration,
};

use engine::{
    SessionId,
    budget::{FULL_RATE, IN_FLIGHT, Pace, Queue},
};
use session::{
    About, Effect, Failure, Input, Life, Outage, State, Timer, Timestamp, outage::OutageChange,
    retry, state::Allocation, step,
};
use tokio::time::Instant;
use wire::HookType;

use crate::{
    Sizes,
    spread::{SplitMix64, Spread},
};

/// The duration of every call to the service.
const TRIP: Duration = Duration::from_millis(50);
/// How long a call is waited for, as the client does.
const PATIENCE: Duration = Duration::from_secs(10);
/// The heartbeat with our own broker, and with another service.
const HEARTBEATS: [u64; 2] = [30, 120];
/// The heartbeat while somebody looks at a new fault.
const HURRIED: Duration = Duration::from_secs(2);
/// How long a fault lasts, in seconds.
const LASTS: [u64; 3] = [10, 60, 600];
/// The share of hooks that fire during a fault, whose POST is lost.
const FIRE: f64 = 0.3;
/// This session is on screen.
const LOOKED_AT: usize = 0;

/// What goes wrong.
#[derive(Clone, Copy, PartialEq)]
enum Fault {
    /// Every call is answered with 503.
    Faulty,
    /// Nothing comes through, in either direction.
    Silence,
    /// The service restarts and has forgotten every hook.
    Restart,
}

pub fn measure(sizes: Sizes) {
    println!(
        "F2b a hook that was dead when a fault ended -> armed, seconds, {} seeds each",
        sizes.seeds
    );
    println!(
        "  simulated: the session machine and the budget as they are, a round trip of {TRIP:?}"
    );
    for (name, fault) in
        [("503", Fault::Faulty), ("silence", Fault::Silence), ("restart", Fault::Restart)]
    {
        for heartbeat in HEARTBEATS {
            for count in [10, 100, 1_000] {
                row(name, fault, Duration::from_secs(heartbeat), count, sizes.seeds);
            }
        }
    }
    println!();
}

fn row(name: &str, fault: Fault, heartbeat: Duration, count: usize, seeds: u64) {
    let (mut all, mut looked_at) = (Vec::new(), Vec::new());
    for seed in 0..seeds {
        let lasts = Duration::from_secs(LASTS[seed as usize % LASTS.len()]);
        for (session, dead) in World::new(count, heartbeat, seed).suffer(fault, lasts) {
            all.push(dead.as_secs_f64());
            if session == LOOKED_AT {
                looked_at.push(dead.as_secs_f64());
            }
        }
    }
    let aim = (4.0 * count as f64 / FULL_RATE).max(30.0) + TRIP.as_secs_f64();
    let all = Spread::from_samples(all);
    let seen = if looked_at.is_empty() { 0.0 } else { Spread::from_samples(looked_at).most };
    println!(
        "  {name:<8} heartbeat {:>3} s, {count:>5} sessions: p50 {:>6.1}, p99 {:>6.1}, most {:>6.1} (aim {aim:.2}) \
         | on screen most {seen:.1} (aim 2 s + a round trip)",
        heartbeat.as_secs(),
        all.p50,
        all.p99,
        all.most
    );
}

/// A scheduled event of the simulation.
enum Occurrence {
    Elapsed { session: usize, timer: Timer, generation: u64 },
    Put { session: usize, hook: HookType, generation: u32 },
    Answered { session: usize, input: Input, began: Timestamp, failure: Option<Failure> },
    Fires { session: usize, hook: HookType },
    Spend,
}

struct Session {
    state: Option<State>,
    timers: HashMap<Timer, u64>,
    /// Whether the service has the hook armed.
    armed: [bool; 4],
}

struct World {
    start: Instant,
    now: Duration,
    coming: BinaryHeap<Reverse<(Duration, u64)>>,
    whats: HashMap<u64, Occurrence>,
    next: u64,
    sessions: Vec<Session>,
    heartbeat: Duration,
    queue: Queue<(usize, HookType, u32)>,
    pace: Pace,
    outage: Outage,
    flights: u16,
    spends_at: Option<Duration>,
    fault: Option<Fault>,
    chance: SplitMix64,
}

impl World {
    fn new(count: usize, heartbeat: Duration, seed: u64) -> Self {
        let start = Instant::now();
        let mut world = Self {
            start,
            now: Duration::ZERO,
            coming: BinaryHeap::new(),
            whats: HashMap::new(),
            next: 0,
            sessions: Vec::new(),
            heartbeat,
            queue: Queue::default(),
            pace: Pace::new(start),
            outage: Outage::default(),
            flights: 0,
            spends_at: None,
            fault: None,
            chance: SplitMix64(seed.wrapping_mul(7_919)),
        };
        for session in 0..count {
            world.sessions.push(Session {
                state: Some(live()),
                timers: HashMap::new(),
                armed: [false; 4],
            });
            world.tell(session, Input::Restored { since: Timestamp(0) });
        }
        world.tell(LOOKED_AT, Input::OnScreen(true));
        world
    }

    /// Simulates a fault, and returns for each hook that was dead at its end how long it took to arm it again.
    fn suffer(mut self, fault: Fault, lasts: Duration) -> Vec<(usize, Duration)> {
        let begins = Duration::from_secs(300) + self.heartbeat;
        self.run_until(begins, |_| false);
        self.fault = Some(fault);
        let ends = begins + lasts;
        for session in 0..self.sessions.len() {
            for hook in HookType::ALL {
                if self.chance.next() < FIRE {
                    let at = begins + lasts.mul_f64(self.chance.next());
                    self.at(at, Occurrence::Fires { session, hook });
                }
            }
        }
        if fault == Fault::Restart {
            self.sessions.iter_mut().for_each(|session| session.armed = [false; 4]);
        }
        self.run_until(ends, |_| false);
        self.fault = None;
        let mut dead: Vec<(usize, usize)> = Vec::new();
        for (place, session) in self.sessions.iter().enumerate() {
            dead.extend((0..4).filter(|&hook| !session.armed[hook]).map(|hook| (place, hook)));
        }
        let mut back = Vec::new();
        let sooner_or_later = ends + Duration::from_secs(3_600);
        while !dead.is_empty() && self.now < sooner_or_later {
            self.run_until(sooner_or_later, |world| {
                dead.iter().any(|&(session, hook)| world.sessions[session].armed[hook])
            });
            dead.retain(|&(session, hook)| {
                let armed = self.sessions[session].armed[hook];
                if armed {
                    back.push((session, self.now - ends));
                }
                !armed
            });
        }
        back.extend(dead.iter().map(|&(session, _)| (session, self.now - ends)));
        back
    }

    fn run_until(&mut self, end: Duration, reached: impl Fn(&Self) -> bool) {
        while let Some(&Reverse((at, number))) = self.coming.peek() {
            if at > end {
                break;
            }
            self.coming.pop();
            self.now = at;
            if let Some(what) = self.whats.remove(&number) {
                let arms = matches!(what, Occurrence::Put { .. });
                self.happens(what);
                if arms && reached(self) {
                    return;
                }
            }
        }
        self.now = end;
    }

    fn happens(&mut self, what: Occurrence) {
        match what {
            Occurrence::Elapsed { session, timer, generation } => {
                if self.sessions[session].timers.get(&timer) == Some(&generation) {
                    self.sessions[session].timers.remove(&timer);
                    self.tell(session, Input::Elapsed(timer));
                }
            }
            Occurrence::Put { session, hook, generation } => self.put(session, hook, generation),
            Occurrence::Answered { session, input, began, failure } => {
                self.flights -= 1;
                self.pace.answered(failure, self.start + self.now);
                let news = self.outage.ended(began, failure, self.wall());
                self.tell(session, input);
                match news {
                    None => {}
                    Some(OutageChange::Fails) => self.tell_all(&Input::ServiceFails),
                    Some(OutageChange::Over { since }) => self.tell_all(&Input::Missed { since }),
                }
                self.spend();
            }
            // The POST is lost: nobody is told.
            Occurrence::Fires { session, hook } => {
                self.sessions[session].armed[hook.index()] = false
            }
            Occurrence::Spend => {
                self.spends_at = None;
                self.spend();
            }
        }
    }

    /// A PUT reaches the service, or doesn't.
    fn put(&mut self, session: usize, hook: HookType, generation: u32) {
        let failed = |failure| (Input::ArmFailed { hook, generation, failure }, Some(failure));
        let ((input, failure), after) = match self.fault {
            None | Some(Fault::Restart) => {
                self.sessions[session].armed[hook.index()] = true;
                ((Input::Armed { hook, generation }, None), TRIP / 2)
            }
            Some(Fault::Faulty) => (failed(Failure::Faulty { status: 503 }), TRIP / 2),
            Some(Fault::Silence) => (failed(Failure::TimedOut), PATIENCE),
        };
        // Half a trip after it left us: near enough.
        let began = self.wall();
        self.at(self.now + after, Occurrence::Answered { session, input, began, failure });
    }

    /// The wall clock.
    fn wall(&self) -> Timestamp {
        Timestamp(i64::try_from(self.now.as_millis()).unwrap())
    }

    fn tell_all(&mut self, input: &Input) {
        for session in 0..self.sessions.len() {
            self.tell(session, input.clone());
        }
    }

    fn tell(&mut self, session: usize, input: Input) {
        let now = self.wall();
        let state = self.sessions[session].state.take().unwrap();
        let transition = step(state, input, now);
        self.sessions[session].state = Some(transition.state);
        for effect in transition.effects {
            self.perform(session, effect);
        }
        self.spend();
    }

    fn perform(&mut self, session: usize, effect: Effect) {
        match effect {
            Effect::PutHook { hook, generation, urgency } => {
                let mut id = [0; 16];
                id[..8].copy_from_slice(&session.to_be_bytes());
                let whose = (SessionId::from_bytes(id), hook);
                self.queue.push(whose, urgency, (session, hook, generation));
            }
            Effect::Start { timer, after, spread } => {
                let after = if spread { retry::spread(after, self.chance.next()) } else { after };
                self.set(session, timer, after);
            }
            Effect::Heartbeat { hurried } => {
                let after = if hurried { HURRIED } else { self.heartbeat };
                let after = retry::spread(after, self.chance.next());
                self.set(session, Timer::Heartbeat, after);
            }
            Effect::Stop { timer } => {
                self.sessions[session].timers.remove(&timer);
            }
            // Nothing that has to do with hooks.
            Effect::ChooseRegion
            | Effect::Allocate { .. }
            | Effect::FetchChat { .. }
            | Effect::AskState
            | Effect::SendMail { .. }
            | Effect::AskParameters
            | Effect::DownloadProgram
            | Effect::CancelProgram
            | Effect::AskPhone { .. }
            | Effect::PollPhone { .. }
            | Effect::CancelPhone { .. }
            | Effect::RevokePin => {}
        }
    }

    fn set(&mut self, session: usize, timer: Timer, after: Duration) {
        let generation = self.next;
        self.sessions[session].timers.insert(timer, generation);
        self.at(self.now + after, Occurrence::Elapsed { session, timer, generation });
    }

    /// Sends what the budget allows, as its task does.
    fn spend(&mut self) {
        while self.flights < IN_FLIGHT {
            let Some(urgency) = self.queue.first() else { return };
            let at = self.pace.next(urgency, self.start + self.now) - self.start;
            if at > self.now {
                if self.spends_at.is_none_or(|planned| planned > at) {
                    self.spends_at = Some(at);
                    self.at(at, Occurrence::Spend);
                }
                return;
            }
            self.pace.take();
            let Some((session, hook, generation)) = self.queue.pop() else { return };
            self.flights += 1;
            self.at(self.now + TRIP / 2, Occurrence::Put { session, hook, generation });
        }
    }

    fn at(&mut self, at: Duration, what: Occurrence) {
        self.coming.push(Reverse((at, self.next)));
        self.whats.insert(self.next, what);
        self.next += 1;
    }
}

fn live() -> State {
    let mut state = State::new(About::default(), "anna".into(), Timestamp(0));
    let expires = Timestamp(86_400_000);
    let region = "a".parse().unwrap();
    state.record.life = Life::Live(Allocation { region, at: Timestamp(0), expires });
    state
}
