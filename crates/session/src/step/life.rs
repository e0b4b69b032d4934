//! From the first request for a PIN to its end: allocation, restart, closing.

use std::time::Duration;

use wire::{HookType, Region};

use super::Turn;
use crate::{
    Effect, Failure, Lamp, Life, LifeEvent, Outcome, Program, Timer, Timestamp, Transcript,
    state::Allocation,
};

/// How long the broker's word is waited for once a PIN's life is over by our own clock, which may stand ahead of the
/// broker's.
const BROKERS_WORD: Duration = Duration::from_secs(60);

impl Turn {
    pub(super) fn created(&mut self, region: Option<Region>) {
        self.tell(LifeEvent::Created);
        self.do_(asked_for(region));
    }

    /// After a start events may have been missed, so presence is unknown and every hook is
    /// put again.
    pub(super) fn restored(&mut self, since: Timestamp) {
        self.interrupted_mails();
        self.interrupted_program();
        self.interrupted_verifications();
        self.state.record.mend_end_of_pin(self.now);
        match &self.state.record.life {
            // The request may have been lost with the program; a PIN that nobody knows runs
            // out unused.
            Life::Allocating => self.do_(Effect::ChooseRegion),
            Life::Live(allocation) => {
                let expires = allocation.expires;
                self.went_live(expires);
                self.facts_unknown(since);
                // The channel may be open already, when only this session's actor died.
                self.do_(Effect::AskState);
                self.gate_moved();
            }
            Life::Closed { .. } => self.end_pin(),
            Life::Over { .. } | Life::Failed { .. } => self.resume_transcript(),
        }
    }

    pub(super) fn region_chosen(&mut self, region: Region) {
        match self.state.record.life {
            Life::Allocating => self.do_(Effect::Allocate { region, by_hand: false }),
            // It was asked for before the technician closed it, or twice.
            Life::Failed { .. } | Life::Live(_) | Life::Over { .. } | Life::Closed { .. } => {}
        }
    }

    pub(super) fn allocated(&mut self, region: Region, expires: Timestamp) {
        let allocation = Allocation { region: region.clone(), at: self.now, expires };
        match &mut self.state.record.life {
            Life::Allocating => {
                self.state.record.life = Life::Live(allocation);
                // The state of a former PIN's program doesn't apply to this PIN.
                self.state.record.program = Program::NotAsked;
                self.tell(LifeEvent::PinReady { region });
                self.went_live(expires);
                self.mails_that_need_only_a_pin();
            }
            // The PIN came after all: it is valid, so it is named and, where the broker can, ended.
            Life::Closed { allocation: late @ None, .. } => {
                *late = Some(allocation);
                // Nobody here uses it any more, but whoever got to know it could until it runs out
                // by itself.
                self.end_pin();
            }
            Life::Closed { .. } | Life::Failed { .. } | Life::Live(_) | Life::Over { .. } => {}
        }
    }

    pub(super) fn allocate_failed(&mut self, failure: Failure) {
        match self.state.record.life {
            Life::Allocating => {
                self.state.record.life = Life::Failed { at: self.now, failure, allocation: None };
                self.tell(LifeEvent::AllocationFailed { failure });
            }
            Life::Failed { .. } | Life::Live(_) | Life::Over { .. } | Life::Closed { .. } => {}
        }
    }

    pub(super) fn region_failed(&mut self, region: Region, next: Region, failure: Failure) {
        match self.state.record.life {
            Life::Allocating => {
                self.do_(Effect::Allocate { region: next.clone(), by_hand: false });
                self.tell(LifeEvent::RegionFailed { region, next, failure });
            }
            // The technician closed it meanwhile.
            Life::Failed { .. } | Life::Live(_) | Life::Over { .. } | Life::Closed { .. } => {}
        }
    }

    pub(super) fn retry(&mut self, region: Option<Region>) {
        match &self.state.record.life {
            // Another PIN would take the place of this one, which could not be ended any more then.
            Life::Failed { allocation: Some(allocation), .. }
                if allocation.end(self.now) > self.now => {}
            Life::Failed { .. } => {
                self.state.record.life = Life::Allocating;
                self.do_(asked_for(region));
            }
            Life::Allocating | Life::Live(_) | Life::Over { .. } | Life::Closed { .. } => {}
        }
    }

    pub(super) fn close(&mut self, outcome: Outcome, by: String) {
        if matches!(self.state.record.life, Life::Closed { .. }) {
            return;
        }
        let mut allocation = self.state.record.allocation().cloned();
        if let Some(allocation) = &mut allocation {
            // Also of a PIN that is over: by a clock that stood ahead it may be good for years.
            allocation.mend(self.now);
            self.state.record.transcript = Transcript::Wanted { failed: 0 };
            // What is being fetched since the session ended may lack the newest messages.
            self.state.transcript_stale |= self.state.transcript_under_way;
        }
        let was_live = self.state.record.is_live();
        self.state.record.life = Life::Closed { at: self.now, outcome, allocation, revoked: None };
        self.tell(LifeEvent::Closed { outcome, by });
        self.stop_hooks();
        if was_live {
            // Whatever our clock says of its life: it may stand ahead, and the service knows.
            self.do_(Effect::RevokePin);
        } else {
            self.end_pin();
        }
    }

    /// The timer of the PIN's life ran out.
    pub(super) fn pin_over(&mut self) {
        self.state.record.mend_end_of_pin(self.now);
        let Life::Live(allocation) = &self.state.record.life else { return };
        let expires = allocation.expires;
        // The wall clock was set back, or the timer ran a little early.
        if expires > self.now {
            self.time_pin(expires);
            return;
        }
        // A service that tells no states is asked nothing: its hooks don't say how long a PIN lives.
        let broker_tells = self.state.record.observed.revision > 0;
        if broker_tells && !self.brokers_word_failed() {
            return;
        }
        self.pin_is_over(broker_tells);
    }

    /// Whether the broker's word was waited for long enough. Asks for it and waits for as long as is left otherwise: the
    /// timer may run out early, where the computer slept.
    fn brokers_word_failed(&mut self) -> bool {
        let awaited = &mut self.state.brokers_word_awaited;
        let is_asked = awaited.is_some();
        let waited = self.now.since(*awaited.get_or_insert(self.now));
        if waited >= BROKERS_WORD {
            return true;
        }
        if !is_asked {
            self.do_(Effect::AskState);
        }
        let after = BROKERS_WORD.saturating_sub(waited);
        self.do_(Effect::Start { timer: Timer::PinOver, after, spread: false });
        false
    }

    /// The PIN's life is over: by the broker's word, or by our own clock while the broker says nothing.
    pub(super) fn pin_is_over(&mut self, by_own_clock: bool) {
        let Life::Live(allocation) = &self.state.record.life else { return };
        let allocation = allocation.clone();
        let joined = self.state.record.joined;
        self.state.record.life = Life::Over { at: self.now, allocation };
        self.tell(LifeEvent::PinOver { joined, by_own_clock });
        self.stop_hooks();
        self.want_transcript();
    }

    /// Looks at the clock again when the PIN's life is to be over.
    pub(super) fn time_pin(&mut self, expires: Timestamp) {
        self.state.brokers_word_awaited = None;
        let after = expires.since(self.now);
        self.do_(Effect::Start { timer: Timer::PinOver, after, spread: false });
    }

    /// A session whose actor died too often: shown as failed. Its PIN is kept, so that closing it ends the PIN.
    pub(super) fn gave_up(&mut self) {
        match self.state.record.life {
            Life::Closed { .. } | Life::Over { .. } => {}
            Life::Allocating | Life::Failed { .. } | Life::Live(_) => {
                // This input follows an actor's death: its requests may have been sent.
                self.interrupted_verifications();
                self.stop_hooks();
                self.state.record.mend_end_of_pin(self.now);
                let (at, failure) = (self.now, Failure::Internal);
                let allocation = self.state.record.allocation().cloned();
                self.state.record.life = Life::Failed { at, failure, allocation };
            }
        }
    }

    fn went_live(&mut self, expires: Timestamp) {
        self.time_pin(expires);
        for hook in HookType::ALL {
            self.state.lamps[hook.index()] = Lamp::Rearming { since: self.now, attempt: 1 };
            self.put(hook, crate::Urgency::New);
        }
        self.start_heartbeat();
        self.schedule_chat();
        self.resume_transcript();
    }

    fn stop_hooks(&mut self) {
        self.end_program();
        self.cancel_verifications();
        for timer in [Timer::Heartbeat, Timer::PollChat, Timer::PinOver] {
            self.do_(Effect::Stop { timer });
        }
        for hook in HookType::ALL {
            self.do_(Effect::Stop { timer: Timer::Rearm(hook) });
            // Makes the answers to calls that are still under way stale: none may light a
            // lamp again.
            self.state.generations[hook.index()] += 1;
            self.state.lamps[hook.index()] = Lamp::Off;
        }
        let record = &mut self.state.record;
        record.active_ms = record.active_ms_until(self.now);
        record.active_since = None;
    }
}

fn asked_for(region: Option<Region>) -> Effect {
    region.map_or(Effect::ChooseRegion, |region| Effect::Allocate { region, by_hand: true })
}
