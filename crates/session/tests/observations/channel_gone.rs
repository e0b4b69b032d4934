//! What is known once the channel is gone, or the broker's store was put back from a copy.

use super::*;

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

/// What was told last of the unknown: since when.
fn unknown_since(pair: &Pair) -> Vec<Timestamp> {
    let of = |event: &Event| match event {
        Event::Presence(PresenceEvent::StatusUnknown { since }) => Some(*since),
        _ => None,
    };
    pair.events.iter().filter_map(of).collect()
}

#[test]
fn a_side_is_unknown_since_the_last_that_was_told_of_it_and_never_since_before() {
    let lost = T0.plus(Duration::from_secs(9));
    let ways: [fn(Timestamp) -> Input; 3] = [
        |since| Input::Unobserved { unknown_since: Some(since) },
        |since| Input::Missed { since },
        |since| Input::WayBroken { since },
    ];
    for (place, way) in ways.into_iter().enumerate() {
        let mut pair = Pair::new();
        if place == 0 {
            pair.observe();
        }
        // The channel is silent from then on, and a hook still tells of the viewers.
        let revision = pair.happens(ViewerStarted);
        pair.hook(ViewerStarted, revision);
        let told = pair.now;
        assert!(told > lost);
        pair.now = told.plus(GRACE);
        pair.tell(way(lost));
        let record = &pair.state.record;
        assert_eq!(record.presenter, Presenter::Unknown { since: lost }, "{place}");
        assert_eq!(record.viewers, Viewers::Unknown { since: told }, "{place}");
        assert_eq!(unknown_since(&pair), [lost], "the earlier of the two");
        // Once it is unknown, it stays so since then.
        pair.now = pair.now.plus(GRACE);
        pair.tell(Input::Missed { since: pair.now });
        assert_eq!(pair.state.record.viewers, Viewers::Unknown { since: told }, "{place}");
        assert_eq!(unknown_since(&pair), [lost]);
    }
}

#[test]
fn those_who_left_are_unknown_since_they_were_last_told_to_be_away() {
    let mut pair = Pair::new();
    pair.now = T0.plus(GRACE);
    pair.broker.presenter = ObservedSide::Leaving { since: T0 };
    pair.broker.viewers = ObservedSide::Online { since: T0 };
    pair.observe();
    let told = pair.now;
    pair.now = told.plus(GRACE / 2);
    pair.tell(Input::Unobserved { unknown_since: None });
    assert_eq!(pair.state.record.presenter, Presenter::Unknown { since: told });
    assert_eq!(unknown_since(&pair), [told]);
    assert!(pair.is_online(Side::Viewers), "a hook would tell that they went");
}

#[test]
fn what_was_told_by_a_clock_that_stood_ahead_is_no_time_to_come() {
    let mut pair = Pair::new();
    pair.now = T0.plus(DAY);
    pair.observe();
    pair.now = T0;
    pair.tell(Input::Unobserved { unknown_since: Some(T0) });
    assert_eq!(pair.state.record.presenter, Presenter::Unknown { since: T0 });
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
