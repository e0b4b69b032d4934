//! What our own broker says of a session beside its hooks, in every order in which the two can arrive.

#![allow(clippy::unwrap_used)]

mod admission;
mod any_order;
mod arrivals;
#[path = "../broker_word/mod.rs"]
mod broker_word;
mod channel_gone;
mod chat_polls;
mod incidents;
mod pair;
mod pin_life;
mod sharing;
mod webhooks;

use std::time::Duration;

use proptest::prelude::*;
use session::{
    About, Arrival, Delivery, DeliveryId, Effect, Event, Failure, HookEvent, Incident, Input, Life,
    LifeEvent, LiveFacts, Observation, ObservedSide, Outcome, Overtaken, Participant,
    PresenceChange, PresenceEvent, Presenter, Revocation, SavedChat, SessionStatus, State, Timer,
    Timestamp, Viewers, step,
};
use wire::{
    HookType::{self, PresenterOffline, PresenterStarted, ViewerOffline, ViewerStarted},
    Side,
    session_events::{PinLife, REVISIONS_OF_A_RUN},
    shared_screen::{Role, Sharing, SharingEnd},
};

use pair::Pair;

const T0: Timestamp = Timestamp(1_700_000_000_000);
const DAY: Duration = Duration::from_secs(86_400);
const GRACE: Duration = Duration::from_secs(60);

fn region() -> wire::Region {
    "us-east-1".parse().unwrap()
}

/// Something that was so many seconds after the start.
fn incident(after: u64, id: Option<&str>) -> Incident {
    Incident { at: T0.plus(Duration::from_secs(after)), id: id.map(str::to_owned) }
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
    pair.tell(Input::Committed { seq: 1, hook: PresenterStarted, delivery: Delivery::default() });
    pair.tell(Input::Committed { seq: 2, hook: PresenterStarted, delivery: Delivery::default() });
    assert_eq!(pair.told(PresenterStarted), 2);
    pair.tell(Input::Unobserved { unknown_since: Some(pair.now) });
    assert!(matches!(pair.word(), SessionStatus::Ready { .. }), "it never had the channel");
}

#[test]
fn a_delivery_without_a_revision_is_known_again_by_its_id_and_for_each_hook_alone() {
    let mut pair = Pair::new();
    let comes = |pair: &mut Pair, hook, id: Option<u64>| {
        let delivery = Delivery { revision: None, id: id.map(DeliveryId) };
        pair.tell(Input::Received(hook));
        assert!(!pair.effects.is_empty(), "it is put again whatever it was");
        pair.tell(Input::Committed { seq: 1, hook, delivery });
    };
    comes(&mut pair, PresenterStarted, Some(1));
    comes(&mut pair, PresenterOffline, Some(1));
    assert_eq!((pair.told(PresenterStarted), pair.told(PresenterOffline)), (1, 1));
    // A try of what was told before something newer brings nobody back.
    comes(&mut pair, PresenterStarted, Some(1));
    assert_eq!(pair.told(PresenterStarted), 1);
    assert!(matches!(pair.state.record.presenter, Presenter::Offline { .. }));
    // Nor does it after a restart.
    pair.state = State::restored(pair.state.record.clone());
    let since = pair.now;
    pair.tell(Input::Restored { since });
    comes(&mut pair, PresenterStarted, Some(1));
    assert_eq!(pair.told(PresenterStarted), 1);
    comes(&mut pair, PresenterStarted, Some(2));
    // Without an id there is nothing to know it by.
    comes(&mut pair, PresenterStarted, None);
    comes(&mut pair, PresenterStarted, None);
    assert_eq!(pair.told(PresenterStarted), 4);
    // A sender that tries one for hours sends others meanwhile.
    (3..20).for_each(|id| comes(&mut pair, PresenterStarted, Some(id)));
    let before = pair.told(PresenterStarted);
    comes(&mut pair, PresenterStarted, Some(1));
    assert_eq!(pair.told(PresenterStarted), before);
    (20..10_000).for_each(|id| comes(&mut pair, PresenterStarted, Some(id)));
    assert!(serde_json::to_string(&pair.state.record).unwrap().len() < 10_000, "it has an end");
}

#[test]
fn time_that_was_not_known_counts_only_once_the_broker_says_that_both_stayed() {
    for both_stayed in [true, false] {
        let mut pair = Pair::new();
        pair.happens(PresenterStarted);
        pair.happens(ViewerStarted);
        pair.observe();
        let began = pair.now;
        let last_known = began.plus(GRACE);
        pair.now = last_known.plus(GRACE * 5);
        pair.tell(Input::Missed { since: last_known });
        let counted = |pair: &Pair| pair.state.record.active_ms_until(pair.now);
        assert_eq!((counted(&pair), pair.state.record.active_since), (60_000, None));
        if !both_stayed {
            pair.broker.presenter = ObservedSide::Online { since: pair.now };
            pair.broker.viewers = ObservedSide::Online { since: pair.now };
        }
        pair.broker.revision += 1;
        pair.observe();
        assert_eq!(counted(&pair), if both_stayed { 360_000 } else { 60_000 });
        pair.now = pair.now.plus(GRACE);
        assert_eq!(counted(&pair), if both_stayed { 420_000 } else { 120_000 });
    }
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
            pair.tell(Input::Committed { seq: 1, hook, delivery: Delivery::default() });
        }
        pair.tell(saved(total));
        for hook in [ViewerStarted, ViewerOffline] {
            pair.tell(Input::Committed { seq: 1, hook, delivery: Delivery::default() });
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
        pair.broker.facts = LiveFacts {
            sharing: Sharing::Shared,
            participants: vec![participant("a", T0)],
            ..LiveFacts::default()
        };
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
