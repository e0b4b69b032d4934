//! Presence: what changes it, by a hook's or the broker's own word, and what is told of that.

use wire::{HookType, Side};

use super::Turn;
use crate::{Effect, Overtaken, PresenceEvent, Presenter, Timestamp, Viewers};

impl Turn {
    /// The effects of a hook's event, by whichever way it was reported first. `left` is when a side that went offline
    /// was last connected, where that is known.
    pub(super) fn has_happened(
        &mut self,
        hook: HookType,
        again: bool,
        overtaken: Option<Overtaken>,
        left: Option<Timestamp>,
    ) {
        self.tell(match hook {
            HookType::PresenterStarted => PresenceEvent::PresenterOnline { again, overtaken },
            HookType::ViewerStarted => PresenceEvent::ViewerJoined { again, overtaken },
            HookType::PresenterOffline => PresenceEvent::PresenterOffline { overtaken, left },
            HookType::ViewerOffline => PresenceEvent::ViewersGone { overtaken, left },
        });
        let record = &mut self.state.record;
        if hook.is_started() {
            record.joined = true;
        }
        if hook == HookType::PresenterStarted && record.first_joined.is_none() {
            let at = overtaken.and_then(|overtaken| overtaken.at);
            record.first_joined = Some(at.unwrap_or(self.now));
        }
        // An e-mail says that somebody is there now.
        if hook.is_started() && overtaken.is_none() {
            self.mails_due(hook);
        }
    }

    /// Neither side's presence is known from `since` on.
    pub(super) fn facts_unknown(&mut self, since: Timestamp) {
        // Whoever was there may have left since.
        self.forget_facts();
        let unknown = [Side::Presenter, Side::Viewers].map(|side| self.became_unknown(side, since));
        self.tell_unknown(unknown);
        self.count_active_until(unknown.into_iter().flatten().min().unwrap_or(since));
    }

    /// Nobody tells any more who is connected.
    pub(super) fn forget_facts(&mut self) {
        self.state.facts = None;
        self.state.record.observed.viewers_wait = false;
    }

    /// Since when nobody of a side is connected, while it may still come back.
    pub(super) const fn left(&self, side: Side) -> Option<Timestamp> {
        match side {
            Side::Presenter => self.state.record.observed.presenter_left,
            Side::Viewers => self.state.record.observed.viewers_left,
        }
    }

    /// Nobody tells any more whether those come back who have left: a hook reports only those who stay away.
    pub(super) fn departures_unknown(&mut self) {
        let observed = &self.state.record.observed;
        let left =
            [(Side::Presenter, observed.presenter_left), (Side::Viewers, observed.viewers_left)];
        if left.iter().all(|(_, since)| since.is_none()) {
            return;
        }
        let since = left.map(|(side, since)| self.became_unknown(side, since?));
        self.tell_unknown(since);
        self.count_active();
    }

    /// `hook` was not armed from `since` on: the presence that it reports on becomes unknown, unless the broker
    /// itself tells the state.
    pub(super) fn gap(&mut self, hook: HookType, since: Timestamp) {
        if self.state.record.observed.is_told {
            return;
        }
        let before = self.presence();
        let depends = match hook.side() {
            Side::Presenter => before.0.depends_on(hook),
            Side::Viewers => before.1.depends_on(hook),
        };
        if depends {
            let unknown = self.became_unknown(hook.side(), since);
            self.tell_unknown([unknown, None]);
            self.count_active_until(unknown.unwrap_or(since));
        }
    }

    /// What happened to a side from `since` on may have been missed. Since when it is unknown from now on, unless it was
    /// unknown already: never since before something was told of it.
    fn became_unknown(&mut self, side: Side, since: Timestamp) -> Option<Timestamp> {
        let record = &mut self.state.record;
        // What was told by a clock that stood ahead then was not told after now.
        let told = record.observed.told_of(side).map(|told| told.min(self.now));
        let since = told.map_or(since, |told| told.max(since));
        let before = (record.presenter, record.viewers);
        match side {
            Side::Presenter => {
                record.presenter = record.presenter.missed(since);
                record.observed.presenter_left = None;
            }
            Side::Viewers => {
                record.viewers = record.viewers.missed(since);
                record.observed.viewers_left = None;
            }
        }
        (before != self.presence()).then_some(since)
    }

    /// Tells since when a side, or both, became unknown: the earlier time of two.
    fn tell_unknown(&mut self, since: [Option<Timestamp>; 2]) {
        if let Some(since) = since.into_iter().flatten().min() {
            self.tell(PresenceEvent::StatusUnknown { since });
        }
        // The broker's answer resolves it. Where it isn't asked yet, it tells the state on the first contact.
        if self.state.record.observed.is_told {
            self.do_(Effect::AskState);
        }
    }

    /// Both sides are there, and were so since before they became unknown: that time counts, too.
    pub(super) fn count_unknown(&mut self, before: (Presenter, Viewers)) {
        let known = match before {
            (Presenter::Unknown { since }, Viewers::Unknown { since: other }) => since.max(other),
            (Presenter::Unknown { since }, _) | (_, Viewers::Unknown { since }) => since,
            _ => return,
        };
        let now = self.now;
        let record = &mut self.state.record;
        if let (Presenter::Online { since }, Viewers::Some { since: other }) =
            (record.presenter, record.viewers)
        {
            let there = known.max(since).max(other).min(now);
            record.active_since = record.active_since.map(|counted| counted.min(there));
        }
    }

    pub(super) fn presence(&self) -> (Presenter, Viewers) {
        (self.state.record.presenter, self.state.record.viewers)
    }
}
