//! Hooks: handles their events, and keeps all four armed while the session lives.

use std::time::Duration;

use wire::{HookType, Side};

use super::{Turn, observe::Weight};
use crate::{
    Arrival, Delivery, Effect, Failure, HookEvent, Lamp, Overtaken, Presenter, Timer, Timestamp,
    Urgency, Viewers,
    retry::{self, FRESH_FAULT},
};

/// A hook that failed this many times in a row is reported as lost.
const LOST_AFTER: u32 = 2;

/// A PUT that is answered within this time followed its event at once. One that had to wait for the budget, or for
/// the service, leaves a gap as a failed one does.
const AT_ONCE: Duration = Duration::from_secs(5);

impl Turn {
    /// Re-arms first: events are lost while the hook isn't armed.
    pub(super) fn received(&mut self, hook: HookType) {
        if self.state.record.is_live() {
            // What comes may be a second try of a delivery, which doesn't prove that it was armed again meanwhile. And
            // what was told to be lost is told to be back, and not told twice.
            let (since, attempt) = match self.state.lamps[hook.index()] {
                Lamp::Rearming { since, attempt } if attempt > LOST_AFTER => (since, attempt),
                Lamp::Failed { since, attempt, .. } if attempt >= LOST_AFTER => {
                    (since, attempt.saturating_add(1))
                }
                Lamp::Rearming { since, .. } | Lamp::Failed { since, .. } => (since, 1),
                Lamp::Off | Lamp::Armed { .. } | Lamp::Consumed { .. } => (self.now, 1),
            };
            self.state.lamps[hook.index()] = Lamp::Rearming { since, attempt };
            self.put(hook, Urgency::Fired);
        } else {
            self.state.lamps[hook.index()] = Lamp::Consumed { at: self.now };
        }
    }

    pub(super) fn committed(&mut self, hook: HookType, delivery: Delivery) {
        if !self.state.record.is_live() {
            return;
        }
        let before = self.presence();
        let left = self.left(hook.side());
        let overtaken = match self.weigh(hook, delivery) {
            Weight::News => {
                self.apply(hook);
                self.reopen_if_older(hook, delivery);
                None
            }
            Weight::Late => Some(Overtaken::default()),
            Weight::Known => return,
        };
        *self.state.record.observed.told_of(hook.side()) = Some(self.now);
        self.count_active();
        let again = match hook.side() {
            Side::Presenter => matches!(before.0, Presenter::Online { .. }),
            Side::Viewers => matches!(before.1, Viewers::Some { .. }),
        };
        self.has_happened(hook, again, overtaken, left);
        if hook.is_started() {
            self.schedule_chat();
        } else if hook == HookType::ViewerOffline && before.1 != self.state.record.viewers {
            self.want_transcript();
        }
    }

    fn apply(&mut self, hook: HookType) {
        let record = &mut self.state.record;
        record.presenter = record.presenter.after_hook(hook, self.now);
        if hook == HookType::PresenterOffline {
            record.presenter = record.presenter.gone_since(record.observed.presenter_left);
        }
        record.viewers = record.viewers.after_hook(hook, self.now);
        match hook.side() {
            Side::Presenter => record.observed.presenter_left = None,
            Side::Viewers => {
                record.observed.viewers_left = None;
                record.observed.viewers_wait &= hook.is_started();
            }
        }
        let is_answer = matches!(record.observed.arrival, Arrival::Declined { .. });
        record.observed.arrival_is_newest &=
            hook.is_started() || (is_answer && hook.side() == Side::Viewers);
        // Who shares isn't being asked any more, and has not declined.
        if hook == HookType::PresenterStarted
            && matches!(record.observed.arrival, Arrival::Asked { .. } | Arrival::Declined { .. })
        {
            record.observed.arrival = Arrival::Agreed { since: self.now };
        }
    }

    /// The end of the viewing that is delivered after a newer start of the customer's program ended nothing that goes on
    /// now. Each side's hooks are weighed among themselves, so only this shows it.
    fn reopen_if_older(&mut self, hook: HookType, delivery: Delivery) {
        let started = self.state.record.observed.hook_revisions[HookType::PresenterStarted.index()];
        let is_older = hook == HookType::ViewerOffline
            && delivery.revision.is_some_and(|revision| revision < started);
        if let Viewers::None { reopened, .. } = &mut self.state.record.viewers
            && is_older
        {
            *reopened = true;
        }
    }

    pub(super) fn armed(&mut self, hook: HookType, generation: u32) {
        if !self.is_newest(hook, generation) {
            return;
        }
        let lamp = std::mem::replace(
            &mut self.state.lamps[hook.index()],
            Lamp::Armed { checked: self.now },
        );
        match lamp {
            Lamp::Rearming { since, attempt } => {
                // A later try, or a first one that waited, means that the hook was not armed for a
                // while (docs/adr/0002).
                if attempt > 1 || self.waits_since(since) {
                    self.gap(hook, since);
                }
                self.back(hook, attempt);
            }
            Lamp::Failed { since, attempt, .. } => {
                self.gap(hook, since);
                self.back(hook, attempt.saturating_add(1));
            }
            Lamp::Off | Lamp::Armed { .. } | Lamp::Consumed { .. } => {}
        }
    }

    /// Whether a hook that isn't armed `since` then has been so for long enough to miss something.
    fn waits_since(&self, since: Timestamp) -> bool {
        self.now.since(since) > AT_ONCE
    }

    fn back(&mut self, hook: HookType, attempt: u32) {
        if attempt > LOST_AFTER {
            let is_last = !self.is_lost_beside(hook);
            self.tell(HookEvent::HookBack { hook, is_last });
        }
    }

    /// Whether another hook than this one was told to be lost, and isn't back.
    fn is_lost_beside(&self, hook: HookType) -> bool {
        HookType::ALL.into_iter().filter(|other| *other != hook).any(|other| {
            match self.state.lamps[other.index()] {
                Lamp::Failed { attempt, .. } => attempt >= LOST_AFTER,
                Lamp::Rearming { attempt, .. } => attempt > LOST_AFTER,
                Lamp::Off | Lamp::Armed { .. } | Lamp::Consumed { .. } => false,
            }
        })
    }

    pub(super) fn arm_failed(&mut self, hook: HookType, generation: u32, failure: Failure) {
        if !self.is_newest(hook, generation) {
            return;
        }
        let (since, attempt) = match self.state.lamps[hook.index()] {
            // A heartbeat failed: the hook was armed when it was last confirmed.
            Lamp::Armed { checked } => (checked, 1),
            Lamp::Rearming { since, attempt } | Lamp::Failed { since, attempt, .. } => {
                (since, attempt)
            }
            Lamp::Off | Lamp::Consumed { .. } => return,
        };
        self.state.lamps[hook.index()] = Lamp::Failed { since, attempt, failure };
        if attempt == LOST_AFTER {
            let is_first = !self.is_lost_beside(hook);
            self.tell(HookEvent::HookLost { hook, failure, is_first });
            // Not only once it is back: until then nothing would tell that the presence has changed.
            self.gap(hook, since);
        }
        // Tries are spread at random, since an outage fails the hooks of all sessions at once.
        let after = retry::wait(attempt, failure, self.state.on_screen);
        self.do_(Effect::Start { timer: Timer::Rearm(hook), after, spread: true });
        let known = self.has_fresh_fault();
        self.state.hook_failed = Some(self.now);
        // Others may be dead without anybody knowing, for their POSTs were lost.
        if self.state.on_screen && !known {
            self.start_heartbeat();
        }
    }

    pub(super) fn rearm(&mut self, hook: HookType) {
        if !self.state.record.is_live() {
            return;
        }
        match self.state.lamps[hook.index()] {
            Lamp::Failed { since, attempt, .. } => {
                let attempt = attempt.saturating_add(1);
                self.state.lamps[hook.index()] = Lamp::Rearming { since, attempt };
                self.put(hook, Urgency::Failed);
            }
            Lamp::Off | Lamp::Rearming { .. } | Lamp::Armed { .. } | Lamp::Consumed { .. } => {}
        }
    }

    /// A hook whose POST was lost stays unarmed without any sign, so all are put periodically.
    pub(super) fn heartbeat(&mut self) {
        if !self.state.record.is_live() {
            return;
        }
        let urgency = self.unhurried();
        for hook in HookType::ALL {
            match self.state.lamps[hook.index()] {
                Lamp::Armed { .. } => self.put(hook, urgency),
                // Its call waits for so long that what it would tell may have happened unseen.
                Lamp::Rearming { since, .. } if self.waits_since(since) => self.gap(hook, since),
                // Those have a call or a timer of their own.
                Lamp::Rearming { .. } | Lamp::Failed { .. } => {}
                Lamp::Off | Lamp::Consumed { .. } => {
                    self.state.lamps[hook.index()] = Lamp::Rearming { since: self.now, attempt: 1 };
                    self.put(hook, Urgency::New);
                }
            }
        }
        self.start_heartbeat();
    }

    /// The urgency of a precautionary PUT.
    const fn unhurried(&self) -> Urgency {
        if self.state.on_screen { Urgency::OnScreen } else { Urgency::Other }
    }

    /// Somebody requests a check: every hook is put now.
    pub(super) fn put_all(&mut self, urgency: Urgency) {
        if !self.state.record.is_live() {
            return;
        }
        for hook in HookType::ALL {
            match self.state.lamps[hook.index()] {
                Lamp::Failed { .. } => {
                    // Otherwise its timer would put it a second time.
                    self.do_(Effect::Stop { timer: Timer::Rearm(hook) });
                    self.rearm(hook);
                }
                Lamp::Off | Lamp::Rearming { .. } | Lamp::Armed { .. } | Lamp::Consumed { .. } => {
                    self.put(hook, urgency);
                }
            }
        }
    }

    /// A person's call failed: a session on screen checks its hooks now, and then every 2 s.
    pub(super) fn service_fails(&mut self) {
        if self.state.record.is_live() && self.state.on_screen && !self.has_fresh_fault() {
            self.state.hook_failed = Some(self.now);
            self.put_all(Urgency::OnScreen);
            self.start_heartbeat();
        }
    }

    /// The listener, the service or this computer was away: puts every hook, and presence
    /// is unknown.
    pub(super) fn missed(&mut self, since: Timestamp) {
        if self.state.record.is_live() {
            self.facts_unknown(since);
            self.put_all(self.unhurried());
            // The computer may have slept past the end of the PIN: its timer looks at the wall
            // clock again.
            self.do_(Effect::Start { timer: Timer::PinOver, after: Duration::ZERO, spread: false });
        }
    }

    pub(super) fn way_broken(&mut self, since: Timestamp) {
        // A broker that tells the state itself needs no way to the listener for it.
        if !self.state.record.observed.is_told {
            self.missed(since);
        }
    }

    pub(super) fn put(&mut self, hook: HookType, urgency: Urgency) {
        // An answer to an older call must not change the lamp, so each call gets a number of its
        // own. It may wrap: no answer is four billion calls late.
        let generation = self.state.generations[hook.index()].wrapping_add(1);
        self.state.generations[hook.index()] = generation;
        self.do_(Effect::PutHook { hook, generation, urgency });
    }

    pub(super) fn start_heartbeat(&mut self) {
        let hurried = self.state.on_screen && self.has_fresh_fault();
        self.do_(Effect::Heartbeat { hurried });
    }

    fn has_fresh_fault(&self) -> bool {
        self.state.hook_failed.is_some_and(|at| self.now.since(at) < FRESH_FAULT)
    }

    pub(super) fn on_screen(&mut self, on_screen: bool) {
        if self.state.on_screen != on_screen {
            self.state.on_screen = on_screen;
            self.schedule_chat();
        }
    }

    fn is_newest(&self, hook: HookType, generation: u32) -> bool {
        self.state.generations[hook.index()] == generation
    }
}
