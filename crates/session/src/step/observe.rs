//! The broker's own word: observations decide the presence beside the hooks, and show which webhooks were lost.

use std::time::Duration;

use wire::{
    HookType, Side,
    session_events::{PinLife, run_of},
    shared_screen::{SharingEnd, WaitingViewer},
};

use super::{
    Turn,
    untold::{Standing, tellings},
};
use crate::{
    Arrival, Delivery, Effect, HookEvent, Incident, Life, Observation, Overtaken, PresenceEvent,
    Presenter, Timer, Timestamp, Viewers,
    observation::{EventCounts, EventTimes},
    text::plain_name,
    time::same_time,
};

/// How long a webhook may take after the broker itself has told its event. One that the broker hasn't given up yet may
/// take longer.
const HOOK_PATIENCE: Duration = Duration::from_secs(10);

/// At most so many events of one kind are told at once: a bound for a broker that counts wrongly.
const MOST_AT_ONCE: u64 = 100;

/// What a hook's report adds to what is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Weight {
    /// It is new.
    News,
    /// It is told for the first time, and something newer of its side is known already.
    Late,
    /// It was told before: by the broker itself, or it is delivered a second time.
    Known,
}

impl Turn {
    pub(super) fn observed(&mut self, seen: Observation) {
        if !self.state.record.is_live() {
            return;
        }
        if !self.state.record.observed.is_told {
            self.state.record.observed.is_told = true;
            // Chat comes by the channel from now on.
            self.schedule_chat();
        }
        // An older observation may be on its way still when a newer hook has arrived.
        let observed = &mut self.state.record.observed;
        let newest = observed.newest_revision();
        // After its store was put back from a copy, even the number of its run may be one that was there before.
        let is_another_run =
            seen.run.is_some() && observed.run.is_some() && seen.run != observed.run;
        if seen.revision < newest {
            if run_of(seen.revision) >= run_of(newest) && !is_another_run {
                return;
            }
            // Each run of a broker numbers on from the one before, unless its store was put back from a copy.
            observed.forget_revisions();
        }
        observed.run.clone_from(&seen.run);
        let own_times = self.own_times(&seen);
        self.state.record.observed.revision = seen.revision;
        self.take_presence(&seen, own_times);
        self.state.hooks_under_way = seen.under_way;
        if let Some(overdue) = self.state.hooks_overdue.take() {
            self.tell_lost(overdue);
        }
        self.expect_hooks(seen.happened);
        self.tell_who_waits(&seen.facts.waiting);
        self.state.facts = Some(seen.facts.or_still(self.state.facts.as_ref()));
        self.take_other_program(seen.other_program);
        self.take_sharing_end(seen.sharing_end);
        self.state.mails = seen.mails;
        self.follow_mails();
        match seen.life {
            PinLife::Live => self.take_end_of_pin(seen.expires),
            PinLife::Expired | PinLife::Revoked => self.pin_ended(),
        }
    }

    fn take_presence(&mut self, seen: &Observation, own_times: EventTimes) {
        let before = self.presence();
        let gone = [self.left(Side::Presenter), self.left(Side::Viewers)];
        let record = &mut self.state.record;
        let told = record.observed.told.replace(seen.happened);
        let started = HookType::PresenterStarted.index();
        let has_started = told.is_none_or(|told| told[started] != seen.happened[started]);
        // What happened before there was a channel is told already.
        let told = told.unwrap_or_else(|| {
            record.observed.reported = seen.happened;
            seen.happened
        });
        record.presenter = match (before.0, seen.presenter.presenter(before.0)) {
            // The same departure: the broker only says when its grace was over.
            (Presenter::Offline { .. }, Presenter::Offline { .. }) if !has_started => before.0,
            (Presenter::Online { .. }, after) if !has_started => after.gone_since(gone[0]),
            (_, after) => after,
        };
        record.viewers = seen.viewers.viewers(before.1, record.presenter, seen.reopened);
        let observed = &mut record.observed;
        let left = |known: Option<Timestamp>, since: Option<Timestamp>| {
            since.map(|since| known.map_or(since, |known| same_time(known, since)))
        };
        observed.presenter_left = left(observed.presenter_left, seen.presenter.left());
        observed.viewers_left = left(observed.viewers_left, seen.viewers.left());
        for side in [Side::Presenter, Side::Viewers] {
            *observed.told_of(side) = Some(self.now);
        }
        observed.viewers_wait = seen.facts.all_viewers_wait();
        self.take_arrival(seen);
        self.count_active();
        self.count_unknown(before);
        self.tell_known_again(before);
        let counts = HookType::ALL
            .map(|hook| happened_since(told[hook.index()], seen.happened[hook.index()]));
        let after = self.presence();
        let sides = [
            (Side::Presenter, before.0.into(), after.0.into(), gone[0]),
            (Side::Viewers, before.1.into(), after.1.into(), gone[1]),
        ];
        for (side, before, after, gone) in sides {
            self.tell_side(side, (before, gone), after, counts, own_times);
        }
        let viewers = self.state.record.viewers;
        if counts[HookType::ViewerOffline.index()] > 0 && matches!(viewers, Viewers::None { .. }) {
            self.want_transcript();
        }
        if before != self.presence() {
            self.schedule_chat();
        }
    }

    /// When each hook's last event happened, as far as it is one that no hook has reported so far.
    fn own_times(&self, seen: &Observation) -> EventTimes {
        let observed = &self.state.record.observed;
        HookType::ALL.map(|hook| {
            let reports = &observed.reported_lately[hook.index()];
            let is_reported = reports.iter().any(|&revision| revision > observed.revision);
            seen.happened_at[hook.index()].filter(|_| !is_reported)
        })
    }

    /// Tells each event of a side that no hook has reported so far. The last ones of their kind happened `at`. Of what
    /// was so before, it is known since when nobody was connected.
    fn tell_side(
        &mut self,
        side: Side,
        (before, gone): (Standing, Option<Timestamp>),
        after: Standing,
        new: EventCounts,
        at: EventTimes,
    ) {
        let (started, offline) = match side {
            Side::Presenter => (HookType::PresenterStarted, HookType::PresenterOffline),
            Side::Viewers => (HookType::ViewerStarted, HookType::ViewerOffline),
        };
        let mut left = new;
        for telling in tellings(new[started.index()], new[offline.index()], before, after) {
            let hook = if telling.is_start { started } else { offline };
            let place = hook.index();
            left[place] -= 1;
            let at = at[place].filter(|_| left[place] == 0);
            let overtaken = telling.is_overtaken.then_some(Overtaken { at });
            self.has_happened(hook, telling.again, overtaken, gone);
        }
    }

    /// Those who wait to be let in: each is told once.
    fn tell_who_waits(&mut self, waiting: &[WaitingViewer]) {
        let challenges = waiting.iter().map(|one| one.challenge.clone()).collect();
        let told = &mut self.state.record.observed.waiting_told;
        let told = std::mem::replace(told, challenges);
        for new in waiting.iter().filter(|one| !told.contains(&one.challenge)) {
            self.tell(PresenceEvent::ViewerWaits { name: plain_name(&new.name) });
        }
    }

    /// A second program came with the session's PIN: told once each time.
    fn take_other_program(&mut self, came: Option<Incident>) {
        let Some(came) = came else { return };
        let observed = &mut self.state.record.observed;
        observed.other_programs_told.continue_from(observed.other_program.take());
        if observed.other_programs_told.note(&came) {
            self.tell(PresenceEvent::SecondProgram { at: came.at });
        }
    }

    /// The customer's program ended the sharing and said why: told once each time.
    fn take_sharing_end(&mut self, end: Option<(SharingEnd, Incident)>) {
        let Some((why, end)) = end else { return };
        let observed = &mut self.state.record.observed;
        let known = observed.sharing_end.take().map(|(_, at)| at);
        observed.sharing_ends_told.continue_from(known);
        if observed.sharing_ends_told.note(&end) {
            self.tell(PresenceEvent::SharingEnded { why });
        }
    }

    /// Presence that was unknown is known again.
    fn tell_known_again(&mut self, before: (Presenter, Viewers)) {
        let was_unknown = matches!(before.0, Presenter::Unknown { .. })
            || matches!(before.1, Viewers::Unknown { .. });
        if was_unknown {
            let (presenter, viewers) = self.presence();
            self.tell(PresenceEvent::StatusKnown {
                presenter: matches!(presenter, Presenter::Online { .. }),
                viewers: matches!(viewers, Viewers::Some { .. }),
            });
        }
    }

    /// Starts to wait for the webhooks of events that only the broker itself has told so far.
    fn expect_hooks(&mut self, happened: EventCounts) {
        let reported = &mut self.state.record.observed.reported;
        // A broker that lost its store counts anew.
        for (reported, happened) in reported.iter_mut().zip(happened) {
            *reported = (*reported).min(happened);
        }
        let due = reported.iter().zip(happened).any(|(&reported, happened)| reported < happened);
        if due && self.state.hooks_due.is_none() {
            self.state.hooks_due = Some(happened);
            self.do_(Effect::Start { timer: Timer::HooksDue, after: HOOK_PATIENCE, spread: false });
        }
    }

    /// The time is over in which the webhooks were to come.
    pub(super) fn hooks_due(&mut self) {
        let Some(due) = self.state.hooks_due.take() else { return };
        // Nobody says at present whether they are still tried: the next observation starts to wait for them again.
        if !self.state.record.is_live() || !self.state.record.observed.is_told {
            return;
        }
        self.tell_lost(due);
        let under_way = self.state.hooks_under_way.unwrap_or_default();
        if under_way.iter().any(|&count| count > 0) {
            self.state.hooks_overdue = Some(due);
            self.do_(Effect::AskState);
        }
        if let Some(told) = self.state.record.observed.told {
            self.expect_hooks(told);
        }
    }

    /// Tells which webhooks of the events that are `due` have neither come nor are still tried.
    fn tell_lost(&mut self, due: EventCounts) {
        let under_way = self.state.hooks_under_way.unwrap_or_default();
        for hook in HookType::ALL {
            let place = hook.index();
            let reported = &mut self.state.record.observed.reported[place];
            let lost = due[place].saturating_sub(*reported).saturating_sub(under_way[place]);
            if lost > 0 {
                *reported = reported.saturating_add(lost);
                self.tell(HookEvent::WebhookLost { hook });
            }
        }
    }

    /// What a hook's report adds to what is known; counts it.
    pub(super) fn weigh(&mut self, hook: HookType, delivery: Delivery) -> Weight {
        let observed = &mut self.state.record.observed;
        let place = hook.index();
        let known = observed.hook_revisions;
        let of_side = HookType::ALL.into_iter().filter(|other| other.side() == hook.side());
        let newest_of_side = of_side.map(|other| known[other.index()]).max().unwrap_or_default();
        let Some(revision) = delivery.revision else {
            // A service without revisions reports by hooks alone, and counts nothing.
            let is_retry = delivery.id.is_some_and(|id| !observed.note_delivery(hook, id));
            return if is_retry { Weight::Known } else { Weight::News };
        };
        if !observed.note_report(hook, revision) {
            return Weight::Known;
        }
        if revision <= observed.revision {
            // The broker itself told it before.
            let told = observed.told.map_or(u64::MAX, |told| told[place]);
            observed.reported[place] = observed.reported[place].saturating_add(1).min(told);
            return Weight::Known;
        }
        if let Some(told) = &mut observed.told {
            told[place] = told[place].saturating_add(1);
        }
        observed.reported[place] = observed.reported[place].saturating_add(1);
        if revision < newest_of_side { Weight::Late } else { Weight::News }
    }

    /// The channel is gone, or doesn't tell this session's state. `unknown_since` where the service can't be asked
    /// otherwise either.
    pub(super) fn unobserved(&mut self, unknown_since: Option<Timestamp>) {
        if !std::mem::take(&mut self.state.record.observed.is_told) {
            return;
        }
        self.forget_facts();
        self.count_active();
        // No hook tells how far the customer comes from here on.
        self.state.record.observed.arrival = Arrival::Nothing;
        match unknown_since {
            Some(since) => self.missed(since),
            None => self.departures_unknown(),
        }
        self.schedule_chat();
    }

    /// The broker knows the end of the PIN's life better than our clock, which may have been wrong when it was minted.
    fn take_end_of_pin(&mut self, expires: Option<Timestamp>) {
        let (Life::Live(allocation), Some(expires)) = (&mut self.state.record.life, expires) else {
            return;
        };
        // The broker's word is told by our clock as it is now: it needs no mending.
        allocation.at = allocation.at.min(self.now);
        if same_time(allocation.expires, expires) != allocation.expires {
            allocation.expires = expires;
            self.time_pin(expires);
        }
    }

    /// The broker says that the PIN doesn't work any more.
    fn pin_ended(&mut self) {
        if let Life::Live(allocation) = &mut self.state.record.life {
            allocation.expires = allocation.expires.min(self.now);
            self.pin_is_over(false);
        }
    }
}

fn happened_since(told: u64, happened: u64) -> u64 {
    happened.saturating_sub(told).min(MOST_AT_ONCE)
}
