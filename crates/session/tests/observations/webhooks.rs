//! Webhooks that are lost, late, doubled or overtaken, beside the broker's own word.

use super::*;

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
fn an_end_of_the_viewing_that_comes_after_a_newer_start_leaves_the_session_ready() {
    let mut pair = Pair::new();
    for hook in [PresenterStarted, ViewerStarted] {
        let revision = pair.happens(hook);
        pair.hook(hook, revision);
    }
    let ended = pair.happens(ViewerOffline);
    let again = pair.happens(PresenterStarted);
    pair.hook(PresenterStarted, again);
    pair.hook(ViewerOffline, ended);
    assert!(matches!(pair.word(), SessionStatus::Ready { .. }), "{:?}", pair.word());
    // One that is newer than the start ends it as ever.
    let joined = pair.happens(ViewerStarted);
    pair.hook(ViewerStarted, joined);
    let ended = pair.happens(ViewerOffline);
    pair.hook(ViewerOffline, ended);
    assert!(matches!(pair.word(), SessionStatus::Ended { .. }), "{:?}", pair.word());
}
