//! What our own broker says of a session beside its hooks, in every order in which the two can arrive.

#![allow(clippy::unwrap_used)]

mod broker_word;

use std::time::Duration;

use proptest::prelude::*;
use session::{
    About, Arrival, Effect, Event, HookEvent, Incident, Input, Life, LiveFacts, Observation,
    ObservedSide, Overtaken, Participant, PresenceChange, PresenceEvent, Presenter, SavedChat,
    SessionStatus, State, Timer, Timestamp, Viewers, step,
};
use wire::{
    HookType::{self, PresenterOffline, PresenterStarted, ViewerOffline, ViewerStarted},
    Side,
    session_events::{PinLife, REVISIONS_OF_A_RUN},
    shared_screen::{Role, Sharing, SharingEnd},
};

const T0: Timestamp = Timestamp(1_700_000_000_000);
const DAY: Duration = Duration::from_secs(86_400);
const GRACE: Duration = Duration::from_secs(60);

fn region() -> wire::Region {
    "us-east-1".parse().unwrap()
}

/// A broker's own account of one session, and the console's session that hears of it.
struct Pair {
    now: Timestamp,
    broker: Observation,
    state: State,
    events: Vec<Event>,
    effects: Vec<Effect>,
}

impl Pair {
    fn new() -> Self {
        let broker = broker_word::of_a_new_session();
        let state = State::new(About::default(), "anna".into(), T0);
        let mut pair = Self { now: T0, broker, state, events: Vec::new(), effects: Vec::new() };
        pair.tell(Input::RegionChosen { region: region() });
        pair.tell(Input::Allocated { region: region(), expires: T0.plus(DAY) });
        pair.events.clear();
        pair
    }

    fn tell(&mut self, input: Input) {
        let transition = step(self.state.clone(), input, self.now);
        self.state = transition.state;
        for event in &transition.events {
            self.assert_so(event);
        }
        self.events.extend(transition.events);
        self.effects = transition.effects;
    }

    fn observe(&mut self) {
        self.tell(Input::Observed(Box::new(self.broker.clone())));
    }

    /// Something happens at the broker; returns the revision that its hook's delivery carries.
    fn happens(&mut self, hook: HookType) -> u64 {
        self.now = self.now.plus(Duration::from_secs(90));
        self.broker.revision += 1;
        self.broker.happened[hook.index()] += 1;
        self.broker.happened_at[hook.index()] = Some(self.now);
        let since = self.now;
        match hook {
            PresenterStarted => self.broker.presenter = ObservedSide::Online { since },
            PresenterOffline => self.broker.presenter = ObservedSide::Offline { since },
            ViewerStarted => self.broker.viewers = ObservedSide::Online { since },
            ViewerOffline => self.broker.viewers = ObservedSide::Offline { since },
        }
        self.broker.revision
    }

    fn hook(&mut self, hook: HookType, revision: u64) {
        self.tell(Input::Received(hook));
        self.tell(Input::Committed { seq: 1, hook, revision: Some(revision) });
    }

    fn word(&self) -> SessionStatus {
        SessionStatus::new(&self.state.record, self.now)
    }

    /// How often an event of `hook` was told.
    fn told(&self, hook: HookType) -> u64 {
        let is = |event: &&Event| reported(event).is_some_and(|(told, _)| told == hook);
        u64::try_from(self.events.iter().filter(is).count()).unwrap()
    }

    /// What is told of `hook` though something newer was known, with its own time.
    fn told_late(&self, hook: HookType) -> Vec<Option<Timestamp>> {
        let late = self.events.iter().filter_map(reported).filter(|(told, _)| *told == hook);
        late.filter_map(|(_, overtaken)| Some(overtaken?.at)).collect()
    }

    /// What reads as the present state is the present state.
    fn assert_so(&self, event: &Event) {
        let Some((hook, None)) = reported(event) else { return };
        assert_eq!(self.is_online(hook.side()), hook.is_started(), "{event:?}");
    }

    fn is_online(&self, side: Side) -> bool {
        match side {
            Side::Presenter => matches!(self.state.record.presenter, Presenter::Online { .. }),
            Side::Viewers => matches!(self.state.record.viewers, Viewers::Some { .. }),
        }
    }

    /// What was told last of a side: whether it is there, or nothing where that is unknown.
    fn told_last(&self, side: Side) -> Option<bool> {
        let of_side = |event: &Event| match event.facts().presence_change()? {
            PresenceChange::Reported(hook) => {
                (hook.side() == side).then(|| Some(hook.is_started()))
            }
            PresenceChange::UnknownSince(_) => Some(None),
            PresenceChange::Known { presenter, viewers } => {
                Some(Some(if side == Side::Presenter { presenter } else { viewers }))
            }
            PresenceChange::SessionOver => Some(Some(false)),
        };
        self.events.iter().rev().find_map(of_side).unwrap_or(Some(false))
    }

    fn lost(&self) -> usize {
        let is = |event: &&Event| matches!(event, Event::Hook(HookEvent::WebhookLost { .. }));
        self.events.iter().filter(is).count()
    }

    /// Whether both sides are as the broker has them.
    fn assert_same(&self) {
        let presenter = match self.state.record.presenter {
            Presenter::Never => ObservedSide::Never,
            Presenter::Online { since } => ObservedSide::Online { since },
            Presenter::Offline { since } => ObservedSide::Offline { since },
            Presenter::Unknown { since } => panic!("unknown since {since:?}"),
        };
        let viewers = match self.state.record.viewers {
            Viewers::Never => ObservedSide::Never,
            Viewers::Some { since } => ObservedSide::Online { since },
            Viewers::None { since, .. } => ObservedSide::Offline { since },
            Viewers::Unknown { since } => panic!("unknown since {since:?}"),
        };
        let kind = std::mem::discriminant::<ObservedSide>;
        assert_eq!(kind(&presenter), kind(&self.broker.presenter), "{presenter:?}");
        assert_eq!(kind(&viewers), kind(&self.broker.viewers), "{viewers:?}");
    }
}

/// The hook whose event is reported, and whether something newer was known already.
fn reported(event: &Event) -> Option<(HookType, Option<Overtaken>)> {
    let hook = match event {
        Event::Presence(PresenceEvent::PresenterOnline { .. }) => PresenterStarted,
        Event::Presence(PresenceEvent::PresenterOffline { .. }) => PresenterOffline,
        Event::Presence(PresenceEvent::ViewerJoined { .. }) => ViewerStarted,
        Event::Presence(PresenceEvent::ViewersGone { .. }) => ViewerOffline,
        _ => return None,
    };
    Some((hook, event.facts().overtaken()))
}

#[test]
fn a_lost_webhook_leaves_no_false_state_and_is_logged_once() {
    let mut pair = Pair::new();
    pair.observe();
    pair.happens(PresenterStarted);
    pair.observe();
    pair.assert_same();
    assert!(matches!(pair.word(), SessionStatus::Ready { .. }));
    assert_eq!((pair.told(PresenterStarted), pair.lost()), (1, 0));
    let due =
        Effect::Start { timer: Timer::HooksDue, after: Duration::from_secs(10), spread: false };
    assert!(pair.effects.contains(&due));
    pair.tell(Input::Elapsed(Timer::HooksDue));
    assert_eq!(pair.lost(), 1);
    // It heals: the next one comes, and nothing is told twice.
    pair.observe();
    let revision = pair.happens(PresenterOffline);
    pair.hook(PresenterOffline, revision);
    pair.observe();
    assert!(!pair.effects.contains(&due), "{:?}", pair.effects);
    pair.tell(Input::Elapsed(Timer::HooksDue));
    assert_eq!((pair.told(PresenterOffline), pair.lost()), (1, 1));
}

#[test]
fn a_webhook_that_comes_after_the_brokers_own_word_tells_nothing_a_second_time() {
    let mut pair = Pair::new();
    let revision = pair.happens(PresenterStarted);
    pair.observe();
    pair.hook(PresenterStarted, revision);
    pair.tell(Input::Elapsed(Timer::HooksDue));
    assert_eq!((pair.told(PresenterStarted), pair.lost()), (1, 0));
}

#[test]
fn a_webhook_that_is_delivered_twice_counts_once() {
    let mut pair = Pair::new();
    let revision = pair.happens(PresenterStarted);
    pair.hook(PresenterStarted, revision);
    pair.hook(PresenterStarted, revision);
    assert_eq!(pair.told(PresenterStarted), 1);
    pair.observe();
    assert_eq!((pair.told(PresenterStarted), pair.lost()), (1, 0));
}

#[test]
fn a_webhook_that_is_delivered_again_after_a_newer_one_counts_once() {
    for observed in [false, true] {
        let mut pair = Pair::new();
        let first = pair.happens(PresenterStarted);
        pair.hook(PresenterStarted, first);
        let second = pair.happens(PresenterStarted);
        pair.hook(PresenterStarted, second);
        if observed {
            pair.happens(PresenterStarted);
            pair.observe();
        }
        let told = 2 + u64::from(observed);
        // Its answer was lost, so it is tried again.
        pair.hook(PresenterStarted, first);
        pair.hook(PresenterStarted, second);
        assert_eq!(pair.told(PresenterStarted), told);
        pair.observe();
        pair.tell(Input::Elapsed(Timer::HooksDue));
        assert_eq!((pair.told(PresenterStarted), pair.lost()), (told, usize::from(observed)));
    }
}

#[test]
fn a_webhook_is_lost_only_when_the_broker_has_given_it_up() {
    let mut pair = Pair::new();
    let revision = pair.happens(ViewerStarted);
    pair.happens(ViewerStarted);
    pair.happens(ViewerStarted);
    let place = ViewerStarted.index();
    let under_way = |count| {
        let mut all = [0; 4];
        all[place] = count;
        Some(all)
    };
    pair.broker.under_way = under_way(2);
    pair.observe();
    pair.tell(Input::Elapsed(Timer::HooksDue));
    assert_eq!(pair.lost(), 1, "two of three may still come");
    assert!(pair.effects.contains(&Effect::AskState), "{:?}", pair.effects);
    pair.hook(ViewerStarted, revision);
    pair.broker.under_way = under_way(1);
    pair.observe();
    pair.tell(Input::Elapsed(Timer::HooksDue));
    assert_eq!(pair.lost(), 1);
    pair.broker.under_way = under_way(0);
    pair.observe();
    assert_eq!((pair.lost(), pair.told(ViewerStarted)), (2, 3), "it was waited for long enough");
    pair.tell(Input::Elapsed(Timer::HooksDue));
    assert_eq!(pair.lost(), 2);
    assert!(!pair.effects.contains(&Effect::AskState), "nothing is waited for");
}

#[test]
fn while_the_broker_says_nothing_no_webhook_is_called_lost() {
    let mut pair = Pair::new();
    let revision = pair.happens(PresenterStarted);
    pair.observe();
    pair.tell(Input::Unobserved { unknown_since: None });
    pair.tell(Input::Elapsed(Timer::HooksDue));
    assert_eq!(pair.lost(), 0);
    pair.observe();
    let due =
        Effect::Start { timer: Timer::HooksDue, after: Duration::from_secs(10), spread: false };
    assert!(pair.effects.contains(&due), "{:?}", pair.effects);
    pair.hook(PresenterStarted, revision);
    pair.tell(Input::Elapsed(Timer::HooksDue));
    assert_eq!(pair.lost(), 0);
}

#[test]
fn whether_a_session_lives_again_after_its_viewers_is_the_brokers_word() {
    for (reopened, ended) in [(Some(true), false), (Some(false), true)] {
        let mut pair = Pair::new();
        for hook in [PresenterStarted, ViewerStarted, ViewerOffline] {
            pair.happens(hook);
        }
        // A console that starts now can't tell by times when the program came that leaves at present.
        pair.now = pair.now.plus(GRACE);
        pair.broker.revision += 1;
        pair.broker.presenter = ObservedSide::Leaving { since: pair.now };
        pair.broker.reopened = reopened;
        pair.observe();
        assert_eq!(matches!(pair.word(), SessionStatus::Ended { .. }), ended);
        pair.happens(PresenterOffline);
        pair.observe();
        assert_eq!(matches!(pair.word(), SessionStatus::Ended { .. }), ended);
    }
}

#[test]
fn an_older_word_of_the_broker_never_beats_a_newer_webhook() {
    let mut pair = Pair::new();
    pair.happens(PresenterStarted);
    let older = pair.broker.clone();
    let revision = pair.happens(PresenterOffline);
    pair.hook(PresenterOffline, revision);
    pair.tell(Input::Observed(Box::new(older)));
    assert!(matches!(pair.state.record.presenter, Presenter::Offline { .. }));
    pair.observe();
    pair.assert_same();
}

#[test]
fn a_late_webhook_never_beats_a_newer_word_of_the_broker() {
    let mut pair = Pair::new();
    let started = pair.happens(ViewerStarted);
    pair.happens(ViewerOffline);
    pair.observe();
    pair.hook(ViewerStarted, started);
    pair.assert_same();
    assert_eq!((pair.told(ViewerStarted), pair.told(ViewerOffline)), (1, 1));
}

#[test]
fn an_event_that_a_newer_webhook_has_overtaken_is_told_with_its_own_time_and_as_lost() {
    let mut pair = Pair::new();
    pair.observe();
    pair.happens(PresenterStarted);
    let came = pair.now;
    let revision = pair.happens(PresenterOffline);
    pair.hook(PresenterOffline, revision);
    assert_eq!((pair.told(PresenterStarted), pair.told(PresenterOffline)), (0, 1));
    pair.observe();
    assert_eq!(pair.told_late(PresenterStarted), [Some(came)]);
    assert_eq!((pair.told(PresenterStarted), pair.told(PresenterOffline)), (1, 1));
    assert_eq!(pair.state.record.first_joined, Some(came));
    pair.tell(Input::Elapsed(Timer::HooksDue));
    assert_eq!(pair.lost(), 1);
    assert!(matches!(pair.word(), SessionStatus::PresenterOffline { .. }));
}

#[test]
fn whoever_was_away_in_between_is_told_late_and_nobody_is_told_online_twice() {
    let mut pair = Pair::new();
    pair.happens(ViewerStarted);
    pair.happens(ViewerOffline);
    let left = pair.now;
    let revision = pair.happens(ViewerStarted);
    pair.hook(ViewerStarted, revision);
    pair.observe();
    assert_eq!((pair.told(ViewerStarted), pair.told(ViewerOffline)), (2, 1));
    // A webhook told the other start, so when this one was isn't known.
    assert_eq!(pair.told_late(ViewerStarted), [None]);
    assert_eq!(pair.told_late(ViewerOffline), [Some(left)]);
    let loud = |event: &&Event| event.facts().notice("x").notify;
    assert_eq!(pair.events.iter().filter(loud).count(), 1, "{:?}", pair.events);
}

#[test]
fn a_webhook_that_comes_after_a_newer_one_claims_nothing() {
    let mut pair = Pair::new();
    let started = pair.happens(PresenterStarted);
    let left = pair.happens(PresenterOffline);
    let again = pair.happens(PresenterStarted);
    pair.hook(PresenterStarted, again);
    pair.hook(PresenterOffline, left);
    pair.hook(PresenterStarted, started);
    assert_eq!(pair.told_late(PresenterOffline), [None]);
    assert_eq!(pair.told_late(PresenterStarted), [None]);
    pair.observe();
    assert_eq!((pair.told(PresenterStarted), pair.told(PresenterOffline)), (2, 1));
    pair.assert_same();
}

#[test]
fn the_first_word_after_a_restart_resolves_what_is_unknown_and_tells_only_what_is_new() {
    for came in [false, true] {
        let mut pair = Pair::new();
        let revision = pair.happens(PresenterStarted);
        pair.hook(PresenterStarted, revision);
        pair.observe();
        pair.state = State::restored(pair.state.record.clone());
        pair.tell(Input::Restored { since: pair.now });
        assert!(matches!(pair.word(), SessionStatus::Unknown { .. }));
        if came {
            pair.happens(ViewerStarted);
        }
        pair.events.clear();
        pair.observe();
        pair.assert_same();
        assert_eq!((pair.told(PresenterStarted), pair.told(ViewerStarted)), (0, u64::from(came)));
        let known = PresenceEvent::StatusKnown { presenter: true, viewers: came };
        assert!(pair.events.contains(&known.into()), "{:?}", pair.events);
    }
}

#[test]
fn while_the_broker_tells_the_state_a_missed_stretch_is_asked_about() {
    let mut pair = Pair::new();
    pair.observe();
    pair.tell(Input::Missed { since: pair.now });
    assert!(pair.effects.contains(&Effect::AskState));
    pair.observe();
    pair.assert_same();
    pair.tell(Input::Unobserved { unknown_since: Some(pair.now) });
    assert!(matches!(pair.word(), SessionStatus::Unknown { .. }));
    assert!(!pair.effects.contains(&Effect::AskState), "there is nobody to ask");
    pair.observe();
    pair.assert_same();
}

#[test]
fn a_service_without_the_channel_is_known_by_its_hooks_as_ever() {
    let mut pair = Pair::new();
    pair.tell(Input::Committed { seq: 1, hook: PresenterStarted, revision: None });
    pair.tell(Input::Committed { seq: 2, hook: PresenterStarted, revision: None });
    assert_eq!(pair.told(PresenterStarted), 2);
    pair.tell(Input::Unobserved { unknown_since: Some(pair.now) });
    assert!(matches!(pair.word(), SessionStatus::Ready { .. }), "it never had the channel");
}

#[test]
fn nobody_is_active_with_a_viewer_who_has_left() {
    let mut pair = Pair::new();
    pair.happens(PresenterStarted);
    pair.happens(ViewerStarted);
    pair.observe();
    assert!(matches!(pair.word(), SessionStatus::Active { .. }));
    assert!(pair.state.record.active_since.is_some());
    pair.now = pair.now.plus(GRACE);
    pair.broker.revision += 1;
    pair.broker.viewers = ObservedSide::Leaving { since: pair.now };
    pair.observe();
    assert_eq!(pair.word(), SessionStatus::Ready { since: pair.now });
    assert_eq!(pair.state.record.active_since, None, "the time stands still");
    assert_eq!(pair.state.record.active_ms, 60_000);
    let revision = pair.happens(ViewerOffline);
    pair.hook(ViewerOffline, revision);
    assert!(matches!(pair.word(), SessionStatus::Ended { .. }));
}

#[test]
fn an_ended_session_says_whether_the_customer_is_still_there() {
    let mut pair = Pair::new();
    for hook in [PresenterStarted, ViewerStarted, ViewerOffline] {
        pair.happens(hook);
    }
    pair.observe();
    assert!(matches!(pair.word(), SessionStatus::Ended { still_online: true, .. }));
    pair.happens(PresenterOffline);
    pair.observe();
    let gone = SessionStatus::Ended {
        since: T0.plus(Duration::from_secs(270)),
        pin_over: false,
        may_still_run: false,
        still_online: false,
    };
    assert_eq!(pair.word(), gone);
}

#[test]
fn the_customers_way_to_the_program_has_a_word_for_each_step() {
    let mut pair = Pair::new();
    let mut word = |arrival: fn(Timestamp) -> Arrival| {
        pair.now = pair.now.plus(Duration::from_secs(30));
        pair.broker.revision += 1;
        pair.broker.arrival = arrival(pair.now);
        pair.observe();
        pair.word()
    };
    let open = word(|since| Arrival::PageOpen { since });
    assert!(matches!(open, SessionStatus::PageOpen { .. }));
    let closed = word(|since| Arrival::PageClosed { since });
    assert!(matches!(closed, SessionStatus::Waiting { .. }));
    let downloaded = word(|since| Arrival::Downloaded { since });
    assert!(matches!(downloaded, SessionStatus::Downloaded { .. }));
    let asked = word(|since| Arrival::Asked { since });
    assert!(matches!(asked, SessionStatus::BeingAsked { .. }));
    let declined = word(|since| Arrival::Declined { since });
    assert!(matches!(declined, SessionStatus::Declined { .. }));
    // Where the program is connected while it asks, nobody is ready yet.
    pair.happens(PresenterStarted);
    pair.broker.arrival = Arrival::Asked { since: pair.now };
    pair.observe();
    assert!(matches!(pair.word(), SessionStatus::BeingAsked { .. }));
    pair.broker.arrival = Arrival::Agreed { since: pair.now };
    pair.observe();
    assert!(matches!(pair.word(), SessionStatus::Ready { .. }));
}

/// Hooks alone tell nothing of the page and of the question.
#[test]
fn how_far_the_customer_had_come_is_claimed_no_longer_than_it_is_told() {
    for arrival in [
        |since| Arrival::PageOpen { since },
        |since| Arrival::Downloaded { since },
        |since| Arrival::Asked { since },
        |since| Arrival::Declined { since },
    ] {
        let ends: [fn(&mut Pair); 2] = [
            |pair| pair.tell(Input::Unobserved { unknown_since: None }),
            |pair| pair.state = State::restored(pair.state.record.clone()),
        ];
        for end in ends {
            let mut pair = Pair::new();
            pair.broker.revision += 1;
            pair.broker.arrival = arrival(pair.now);
            pair.observe();
            assert!(!matches!(pair.word(), SessionStatus::Waiting { .. }));
            end(&mut pair);
            assert!(matches!(pair.word(), SessionStatus::Waiting { .. }));
            let revision = pair.happens(PresenterStarted);
            pair.hook(PresenterStarted, revision);
            assert!(matches!(pair.word(), SessionStatus::Ready { .. }));
        }
    }
}

#[test]
fn a_hook_that_is_newer_than_the_question_ends_it() {
    for arrival in [|since| Arrival::Asked { since }, |since| Arrival::Declined { since }] {
        let mut pair = Pair::new();
        pair.broker.revision += 1;
        pair.broker.arrival = arrival(pair.now);
        pair.observe();
        let revision = pair.happens(PresenterStarted);
        pair.hook(PresenterStarted, revision);
        assert!(matches!(pair.word(), SessionStatus::Ready { .. }));
    }
}

/// Its numbers begin in an earlier run then, and everything that it says would be older than what is known.
#[test]
fn a_broker_that_was_put_back_from_a_copy_is_believed_again() {
    let mut pair = Pair::new();
    pair.broker.revision = 7 * REVISIONS_OF_A_RUN;
    let started = pair.happens(PresenterStarted);
    pair.observe();
    pair.hook(PresenterStarted, started);
    assert!(matches!(pair.word(), SessionStatus::Ready { .. }));
    pair.broker.revision = 5 * REVISIONS_OF_A_RUN;
    let offline = pair.happens(PresenterOffline);
    pair.observe();
    assert!(matches!(pair.word(), SessionStatus::PresenterOffline { .. }));
    pair.hook(PresenterOffline, offline);
    let again = pair.happens(PresenterStarted);
    pair.hook(PresenterStarted, again);
    assert!(matches!(pair.word(), SessionStatus::Ready { .. }));
}

#[test]
fn a_customer_who_is_back_at_the_page_is_there_and_one_who_left_it_open_is_gone() {
    let mut pair = Pair::new();
    pair.broker.arrival = Arrival::PageOpen { since: pair.now };
    pair.happens(PresenterStarted);
    pair.happens(PresenterOffline);
    pair.observe();
    assert!(matches!(pair.word(), SessionStatus::PresenterOffline { .. }));
    pair.now = pair.now.plus(GRACE);
    pair.broker.revision += 1;
    pair.broker.arrival = Arrival::PageOpen { since: pair.now };
    pair.observe();
    assert_eq!(pair.word(), SessionStatus::PageOpen { since: pair.now });
}

#[test]
fn what_came_first_is_told_by_one_report_however_long_each_took_to_arrive() {
    let mut pair = Pair::new();
    pair.happens(PresenterStarted);
    // The report of the download takes a second to arrive, the next one no time.
    let downloaded = pair.now;
    let late = downloaded.plus(Duration::from_secs(1));
    pair.broker.arrival = Arrival::Downloaded { since: late };
    pair.broker.revision += 1;
    pair.observe();
    let left = downloaded.plus(Duration::from_millis(10));
    pair.broker.arrival = Arrival::Downloaded { since: downloaded };
    pair.broker.presenter = ObservedSide::Leaving { since: left };
    pair.broker.revision += 1;
    pair.observe();
    assert_eq!(pair.word(), SessionStatus::PresenterOffline { since: left });
}

#[test]
fn a_program_that_left_after_the_download_has_left_though_viewers_are_gone_for_longer() {
    let mut pair = Pair::new();
    for hook in [PresenterStarted, ViewerStarted, ViewerOffline, PresenterStarted] {
        pair.happens(hook);
    }
    let since = pair.now.plus(Duration::from_secs(1));
    pair.broker.arrival = Arrival::Downloaded { since };
    pair.broker.presenter = ObservedSide::Leaving { since: since.plus(Duration::from_secs(1)) };
    pair.broker.reopened = Some(true);
    pair.broker.revision += 1;
    pair.observe();
    assert!(matches!(pair.word(), SessionStatus::PresenterOffline { .. }), "{:?}", pair.word());
}

#[test]
fn a_pin_that_the_broker_has_ended_is_over() {
    for life in [PinLife::Expired, PinLife::Revoked] {
        let mut pair = Pair::new();
        pair.happens(PresenterStarted);
        pair.broker.life = life;
        pair.observe();
        assert!(matches!(pair.word(), SessionStatus::Ended { pin_over: true, .. }));
        assert!(!pair.state.record.is_live());
    }
}

#[test]
fn a_record_of_before_the_channel_is_told_nothing_old() {
    let mut pair = Pair::new();
    pair.state.record.observed = serde_json::from_str("{}").unwrap();
    pair.happens(PresenterStarted);
    pair.happens(ViewerStarted);
    pair.observe();
    pair.tell(Input::Elapsed(Timer::HooksDue));
    pair.assert_same();
    assert_eq!((pair.told(PresenterStarted), pair.lost()), (0, 0));
}

#[test]
fn a_transcript_is_told_where_it_has_messages_and_once() {
    let mut pair = Pair::new();
    let saved =
        |total| Input::ChatSaved(SavedChat { total, transcript: true, ..SavedChat::default() });
    for (total, told) in [(0, vec![false]), (2, vec![true])] {
        pair.events.clear();
        for hook in [ViewerStarted, ViewerOffline] {
            pair.tell(Input::Committed { seq: 1, hook, revision: None });
        }
        pair.tell(saved(total));
        for hook in [ViewerStarted, ViewerOffline] {
            pair.tell(Input::Committed { seq: 1, hook, revision: None });
        }
        pair.tell(saved(total));
        let loud: Vec<bool> = pair
            .events
            .iter()
            .filter(|event| event.facts().name() == "transcript_saved")
            .map(|event| event.facts().notice("x").notify)
            .collect();
        assert_eq!(loud, told, "{total} messages");
    }
}

#[test]
fn whoever_writes_before_any_program_runs_is_told_by_name() {
    let mut pair = Pair::new();
    pair.observe();
    let saved = SavedChat {
        new: 1,
        total: 1,
        from: Some("Maria\u{202e}".into()),
        last: Some((1, "a".into())),
        ..SavedChat::default()
    };
    pair.tell(Input::ChatSaved(saved));
    let notice = pair.events[0].facts().notice("Lopez");
    assert_eq!((notice.text.as_str(), notice.notify), ("Lopez: 1 new message from Maria", true));
    assert_eq!(pair.state.record.observed.chat_number, 1);
}

/// What becomes of a hook's delivery.
#[derive(Debug, Clone, Copy)]
enum Fate {
    Arrives,
    Lost,
    Twice,
    Late,
}

fn any_fate() -> impl Strategy<Value = Fate> {
    prop_oneof![Just(Fate::Arrives), Just(Fate::Lost), Just(Fate::Twice), Just(Fate::Late)]
}

/// What comes after something has happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Then {
    Nothing,
    Observed,
    LateComes,
    /// What the broker said earlier arrives only now.
    ObservedLate,
    Restarted,
    Missed,
    BrokerRestarted,
}

fn any_then() -> impl Strategy<Value = Then> {
    prop_oneof![
        4 => Just(Then::Nothing),
        4 => Just(Then::Observed),
        2 => Just(Then::LateComes),
        1 => Just(Then::ObservedLate),
        1 => Just(Then::Restarted),
        1 => Just(Then::Missed),
        1 => Just(Then::BrokerRestarted),
    ]
}

fn any_happening() -> impl Strategy<Value = (bool, bool, Fate, Then)> {
    (any::<bool>(), any::<bool>(), any_fate(), any_then())
}

fn participant(page: &str, since: Timestamp) -> Participant {
    Participant {
        side: Side::Viewers,
        page: page.into(),
        name: "Ben".into(),
        role: Some(Role::Watch),
        since,
        watching: true,
        sealed: true,
        platform: None,
    }
}

#[test]
fn who_is_connected_is_known_while_the_broker_tells_it_and_no_longer() {
    let gone: [fn(&mut Pair); 3] = [
        |pair| pair.tell(Input::Unobserved { unknown_since: None }),
        |pair| pair.tell(Input::Unobserved { unknown_since: Some(T0) }),
        |pair| pair.tell(Input::Missed { since: T0 }),
    ];
    for gone in gone {
        let mut pair = Pair::new();
        pair.broker.facts =
            LiveFacts { sharing: Sharing::Shared, participants: vec![participant("a", T0)] };
        pair.observe();
        // The same time, told once more: each telling takes a while.
        let later = T0.plus(Duration::from_millis(300));
        pair.broker.facts.participants = vec![participant("a", later), participant("b", later)];
        pair.observe();
        let told = pair.state.facts.clone().unwrap();
        let times: Vec<_> = told.participants.iter().map(|one| one.since).collect();
        assert_eq!((told.sharing, &times[..]), (Sharing::Shared, &[T0, later][..]));
        gone(&mut pair);
        assert_eq!(pair.state.facts, None);
        pair.observe();
        assert_eq!(pair.state.facts.as_ref().unwrap().participants.len(), 2);
    }
}

#[test]
fn a_pin_lives_as_long_as_the_broker_says_and_never_longer_than_its_life() {
    let expires = |pair: &Pair| match &pair.state.record.life {
        Life::Live(allocation) => allocation.expires,
        other => panic!("{other:?}"),
    };
    let ends_after = |pair: &Pair| {
        pair.effects.iter().find_map(|effect| match effect {
            Effect::Start { timer: Timer::PinOver, after, .. } => Some(*after),
            _ => None,
        })
    };
    let mut pair = Pair::new();
    pair.broker.expires = Some(T0.plus(DAY / 2));
    pair.observe();
    assert_eq!((expires(&pair), ends_after(&pair)), (T0.plus(DAY / 2), Some(DAY / 2)));
    // Made from how long it still lives, it is never told twice as quite the same.
    pair.broker.expires = Some(T0.plus(DAY / 2 + Duration::from_secs(1)));
    pair.observe();
    assert_eq!((expires(&pair), ends_after(&pair)), (T0.plus(DAY / 2), None));

    // The clock was three years ahead when the PIN was given out, and nobody tells more than hooks do.
    for input in [Input::Restored { since: T0 }, Input::Elapsed(Timer::PinOver)] {
        let mut pair = Pair::new();
        pair.now = Timestamp(T0.0 - 3 * 365 * 86_400_000);
        pair.tell(input);
        assert_eq!((expires(&pair), ends_after(&pair)), (pair.now.plus(DAY), Some(DAY)));
        pair.now = pair.now.plus(DAY);
        pair.tell(Input::Elapsed(Timer::PinOver));
        assert!(matches!(pair.state.record.life, Life::Over { .. }));
    }
}

/// Something that was so many seconds after the start.
fn incident(after: u64, id: Option<&str>) -> Incident {
    Incident { at: T0.plus(Duration::from_secs(after)), id: id.map(str::to_owned) }
}

/// Both incidents that a broker tells, counted by the console's events.
fn incidents(pair: &Pair) -> (usize, usize) {
    let count = |is: fn(&PresenceEvent) -> bool| {
        let of_presence = |event: &&Event| matches!(event, Event::Presence(event) if is(event));
        pair.events.iter().filter(of_presence).count()
    };
    (
        count(|event| matches!(event, PresenceEvent::SharingEnded { .. })),
        count(|event| matches!(event, PresenceEvent::SecondProgram { .. })),
    )
}

#[test]
fn an_incident_is_told_once_however_the_clock_is_set_and_though_it_comes_again_from_a_copy() {
    let mut pair = Pair::new();
    // How it is told, how far the clock is off by then, and how often it has been told.
    let story = [
        ("1-a", 0, 1),
        ("1-a", 7, 1),
        ("1-a", 86_400, 1),
        // Quite another one at the same time.
        ("2-b", 86_400, 2),
        ("2-b", 0, 2),
        // The broker's store was put back from a copy, and numbers on from there.
        ("1-a", 30, 2),
        ("2-c", 31, 3),
        ("2-b", 32, 3),
    ];
    for (id, off, times) in story {
        pair.broker.sharing_end = Some((SharingEnd::Interfered, incident(off, Some(id))));
        pair.broker.other_program = Some(incident(off, Some(id)));
        pair.observe();
        pair.state = State::restored(pair.state.record.clone());
        pair.observe();
        assert_eq!(incidents(&pair), (times, times), "{id} by a clock that is {off} s off");
    }
}

#[test]
fn an_incident_that_was_told_before_it_had_an_identity_is_not_told_again() {
    let mut pair = Pair::new();
    pair.state.record.observed.sharing_end = Some((SharingEnd::Interfered, T0));
    pair.state.record.observed.other_program = Some(T0);
    for (id, after, times) in [("1", 1, 0), ("1", 60, 0), ("2", 60, 1)] {
        pair.broker.sharing_end = Some((SharingEnd::Interfered, incident(after, Some(id))));
        pair.broker.other_program = Some(incident(after, Some(id)));
        pair.observe();
        assert_eq!(incidents(&pair), (times, times), "{id}");
    }
}

#[test]
fn what_only_the_channel_told_is_not_claimed_once_it_is_gone() {
    let none = Viewers::None { since: T0, reopened: false };
    let online = Presenter::Online { since: T0 };
    let still_online = |pair: &Pair| match pair.word() {
        SessionStatus::Ended { still_online, .. } => still_online,
        other => panic!("{other:?}"),
    };
    let (mut never, mut pair) = (Pair::new(), Pair::new());
    for known in [&mut never, &mut pair] {
        known.state.record.presenter = online;
        known.state.record.viewers = none;
    }
    // A record of when there was a channel, at a console that has none.
    never.state.record.observed.revision = 7;
    assert!(!still_online(&never));
    pair.broker.presenter = ObservedSide::Online { since: T0 };
    pair.broker.viewers = ObservedSide::Offline { since: T0 };
    pair.observe();
    assert!(still_online(&pair));
    let told = pair.state.clone();
    pair.tell(Input::Unobserved { unknown_since: None });
    assert!(!still_online(&pair));
    pair.observe();
    assert!(still_online(&pair));
    pair.state = State::restored(told.record);
    assert!(!still_online(&pair));
}

#[test]
fn whether_those_who_left_came_back_is_not_known_once_the_channel_is_gone() {
    let since = T0.plus(Duration::from_secs(9));
    let (there, left) = (ObservedSide::Online { since: T0 }, ObservedSide::Leaving { since });
    let unknown = SessionStatus::Unknown { since };
    for (presenter, viewers) in [(left, there), (there, left), (left, left)] {
        let mut pair = Pair::new();
        (pair.broker.presenter, pair.broker.viewers) = (there, there);
        pair.observe();
        (pair.broker.presenter, pair.broker.viewers) = (presenter, viewers);
        pair.observe();
        assert_ne!(pair.word(), unknown);
        pair.tell(Input::Unobserved { unknown_since: None });
        assert_eq!(pair.word(), unknown);
        // Those who are still there by the last word stay so: a hook would tell that they went.
        assert_eq!(pair.is_online(Side::Presenter), presenter == there);
        assert_eq!(pair.is_online(Side::Viewers), viewers == there);
    }
}

#[test]
fn a_store_that_was_put_back_from_a_copy_is_believed_though_its_runs_number_comes_again() {
    let mut pair = Pair::new();
    pair.broker.run = Some("first".into());
    pair.happens(PresenterStarted);
    pair.observe();
    let copy = pair.broker.clone();
    pair.happens(PresenterOffline);
    pair.happens(PresenterStarted);
    pair.observe();
    pair.broker = Observation { run: Some("second".into()), ..copy };
    pair.broker.presenter = ObservedSide::Offline { since: pair.now };
    pair.observe();
    pair.assert_same();
    // What the same run said before is as old as ever.
    let older = pair.broker.clone();
    pair.happens(PresenterStarted);
    pair.observe();
    pair.tell(Input::Observed(Box::new(older)));
    pair.assert_same();
}

#[test]
fn chat_goes_on_after_the_message_that_came_last_though_its_number_is_smaller() {
    let mut pair = Pair::new();
    for last in [(9, "old"), (6, "after the copy")] {
        let last = Some((last.0, last.1.to_owned()));
        pair.tell(Input::ChatSaved(SavedChat { last: last.clone(), ..SavedChat::default() }));
        // Fetched, it has no number.
        pair.tell(Input::ChatSaved(SavedChat::default()));
        let observed = &pair.state.record.observed;
        assert_eq!(last, Some((observed.chat_number, observed.chat_guid.clone().unwrap())));
    }
}

#[test]
fn a_second_program_is_told_once_each_time_that_one_comes() {
    let mut pair = Pair::new();
    let second = |pair: &Pair| {
        let is =
            |event: &&Event| matches!(event, Event::Presence(PresenceEvent::SecondProgram { .. }));
        pair.events.iter().filter(is).count()
    };
    pair.observe();
    assert_eq!(second(&pair), 0);
    for (after, told) in [(0, 1), (1, 1), (60, 2), (60, 2)] {
        pair.broker.other_program = Some(incident(after, None));
        pair.observe();
        pair.state = State::restored(pair.state.record.clone());
        pair.observe();
        assert_eq!(second(&pair), told, "after {after} s");
    }
}

#[test]
fn why_the_sharing_ended_is_told_once_each_time() {
    let mut pair = Pair::new();
    let told = |pair: &Pair| {
        let is =
            |event: &&Event| matches!(event, Event::Presence(PresenceEvent::SharingEnded { .. }));
        pair.events.iter().filter(is).count()
    };
    pair.observe();
    for (after, times) in [(0, 1), (1, 1), (60, 2), (60, 2)] {
        pair.broker.sharing_end = Some((SharingEnd::Interfered, incident(after, None)));
        pair.observe();
        pair.state = State::restored(pair.state.record.clone());
        pair.observe();
        assert_eq!(told(&pair), times, "after {after} s");
    }
}

proptest! {
    /// Whatever is lost, late or doubled, however many states the channel leaves out, and however often the console
    /// starts anew or can't know: at rest the state is the broker's, every event was told once, and what was told last
    /// is so.
    #[test]
    fn at_rest_the_state_is_the_brokers_and_every_event_was_told_once(
        happenings in proptest::collection::vec(any_happening(), 0..40),
    ) {
        let mut pair = Pair::new();
        let (mut late, mut older) = (Vec::new(), pair.broker.clone());
        for (viewers, starts, fate, then) in happenings {
            let hook = match (viewers, starts) {
                (false, true) => PresenterStarted,
                (true, true) => ViewerStarted,
                // Nobody leaves who isn't there.
                (false, false) if matches!(pair.broker.presenter, ObservedSide::Online { .. }) => {
                    PresenterOffline
                }
                (true, false) if matches!(pair.broker.viewers, ObservedSide::Online { .. }) => {
                    ViewerOffline
                }
                (false | true, false) => continue,
            };
            let revision = pair.happens(hook);
            match fate {
                Fate::Arrives => pair.hook(hook, revision),
                Fate::Twice => {
                    pair.hook(hook, revision);
                    pair.hook(hook, revision);
                }
                Fate::Late => late.push((hook, revision)),
                Fate::Lost => {}
            }
            match then {
                Then::Nothing => {}
                Then::Observed | Then::LateComes => {
                    if then == Then::Observed {
                        pair.observe();
                    }
                    for (hook, revision) in late.drain(..) {
                        pair.hook(hook, revision);
                    }
                }
                Then::ObservedLate => {
                    let of_before = std::mem::replace(&mut older, pair.broker.clone());
                    pair.tell(Input::Observed(Box::new(of_before)));
                }
                Then::Restarted => {
                    pair.state = State::restored(pair.state.record.clone());
                    pair.tell(Input::Restored { since: pair.now });
                }
                Then::Missed => pair.tell(Input::Missed { since: pair.now }),
                Then::BrokerRestarted => pair.broker.happened_at = [None; 4],
            }
        }
        pair.observe();
        for (hook, revision) in late {
            pair.hook(hook, revision);
        }
        pair.assert_same();
        for hook in HookType::ALL {
            prop_assert_eq!(pair.told(hook), pair.broker.happened[hook.index()], "{}", hook);
        }
        for side in [Side::Presenter, Side::Viewers] {
            prop_assert_eq!(pair.told_last(side), Some(pair.is_online(side)), "{:?}", pair.events);
        }
    }

    /// The table of words, as `SessionStatus` documents it.
    #[test]
    fn the_first_word_that_fits_wins(
        presenter in 0..5_u8, viewers in 0..6_u8, arrival in 0..7_u8, at in 1..9_i64,
    ) {
        let mut pair = Pair::new();
        let since = T0.plus(Duration::from_secs(5));
        let came = Timestamp(T0.0 + at * 1_000);
        let record = &mut pair.state.record;
        record.presenter = match presenter {
            0 => Presenter::Never,
            1 | 2 => Presenter::Online { since },
            3 => Presenter::Offline { since },
            _ => Presenter::Unknown { since },
        };
        record.observed.presenter_left = (presenter == 2).then_some(since);
        record.viewers = match viewers {
            0 => Viewers::Never,
            1 | 2 => Viewers::Some { since },
            3 => Viewers::None { since, reopened: false },
            4 => Viewers::None { since, reopened: true },
            _ => Viewers::Unknown { since },
        };
        record.observed.viewers_left = (viewers == 2).then_some(since);
        record.observed.arrival = match arrival {
            0 => Arrival::Nothing,
            1 => Arrival::PageOpen { since: came },
            2 => Arrival::PageClosed { since: came },
            3 => Arrival::Downloaded { since: came },
            4 => Arrival::Asked { since: came },
            5 => Arrival::Declined { since: came },
            _ => Arrival::Agreed { since: came },
        };
        record.observed.arrival_is_newest = at > 5;
        let (shares, watched) = (presenter == 1, viewers == 1);
        let word = pair.word();
        let fits = match &word {
            SessionStatus::BeingAsked { .. } => arrival == 4,
            SessionStatus::Declined { .. } => arrival == 5,
            SessionStatus::Downloaded { .. } => arrival == 3 && !shares && at > 5,
            SessionStatus::PageOpen { .. } => arrival == 1 && !shares && at > 5,
            SessionStatus::Ended { .. } => viewers == 3,
            SessionStatus::PresenterOffline { .. } => presenter == 2 || presenter == 3,
            SessionStatus::Unknown { .. } => presenter == 4 || viewers == 5,
            SessionStatus::Active { .. } => shares && watched,
            SessionStatus::ViewerWaiting { .. } => presenter == 0 && watched,
            SessionStatus::Ready { .. } => shares && !watched,
            SessionStatus::Waiting { .. } => presenter == 0 && !watched,
            other => panic!("{other:?} is no word of a live session"),
        };
        prop_assert!(fits, "{:?}: presenter {}, viewers {}, arrival {}", word, presenter, viewers, arrival);
        let asked = (arrival == 4 || arrival == 5) && presenter != 4;
        prop_assert_eq!(
            asked, matches!(word, SessionStatus::BeingAsked { .. } | SessionStatus::Declined { .. })
        );
    }
}
