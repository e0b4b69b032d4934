//! How long a PIN lives, by the word of the broker.

use super::*;

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

/// What was told of the end of the PIN: whether by our own clock alone.
fn told_over(pair: &Pair) -> Vec<bool> {
    let of = |event: &Event| match event {
        Event::Life(LifeEvent::PinOver { by_own_clock, .. }) => Some(*by_own_clock),
        _ => None,
    };
    pair.events.iter().filter_map(of).collect()
}

/// When the PIN's life is looked at again.
fn looks_again(pair: &Pair) -> Option<Duration> {
    pair.effects.iter().find_map(|effect| match effect {
        Effect::Start { timer: Timer::PinOver, after, .. } => Some(*after),
        _ => None,
    })
}

/// A session that the broker tells of, at the end of its PIN's life by our own clock.
fn at_the_end_by_our_clock() -> Pair {
    let mut pair = Pair::new();
    pair.happens(PresenterStarted);
    pair.observe();
    pair.now = T0.plus(DAY);
    pair.tell(Input::Elapsed(Timer::PinOver));
    pair
}

const MINUTE: Duration = Duration::from_secs(60);

#[test]
fn a_pin_that_is_over_by_our_clock_alone_waits_for_the_brokers_word() {
    let mut ahead = at_the_end_by_our_clock();
    assert!(ahead.effects.contains(&Effect::AskState), "{:?}", ahead.effects);
    assert_eq!((looks_again(&ahead), told_over(&ahead)), (Some(MINUTE), vec![]));
    assert!(matches!(ahead.word(), SessionStatus::Ready { .. }), "{:?}", ahead.word());
    // It lives for ten minutes more: our clock stood ahead.
    ahead.broker.expires = Some(ahead.now.plus(10 * MINUTE));
    ahead.observe();
    assert_eq!(looks_again(&ahead), Some(10 * MINUTE));
    // At its end by that word, the broker is waited for once more, and says that it is over.
    ahead.now = ahead.now.plus(10 * MINUTE);
    ahead.tell(Input::Elapsed(Timer::PinOver));
    assert_eq!((looks_again(&ahead), told_over(&ahead)), (Some(MINUTE), vec![]));
    ahead.broker.life = PinLife::Expired;
    ahead.observe();
    assert_eq!(told_over(&ahead), [false], "the broker said so");
    assert!(matches!(ahead.state.record.life, Life::Over { .. }));

    // Our clock stands behind: the broker's word counts, and nothing is waited for.
    let mut behind = Pair::new();
    behind.now = T0.plus(DAY - 10 * MINUTE);
    behind.broker.life = PinLife::Expired;
    behind.observe();
    assert_eq!(told_over(&behind), [false]);
}

#[test]
fn a_pin_of_which_the_broker_says_nothing_is_over_by_our_own_clock_after_a_minute() {
    let mut silent = at_the_end_by_our_clock();
    silent.now = silent.now.plus(MINUTE);
    silent.tell(Input::Elapsed(Timer::PinOver));
    assert_eq!(told_over(&silent), [true]);
    assert!(matches!(silent.word(), SessionStatus::Ended { pin_over: true, .. }));

    // The computer woke meanwhile, so that the clock is looked at early: what is left of the minute is waited for.
    let mut woke = at_the_end_by_our_clock();
    woke.now = woke.now.plus(MINUTE / 4);
    woke.tell(Input::Elapsed(Timer::PinOver));
    assert_eq!((looks_again(&woke), told_over(&woke)), (Some(MINUTE * 3 / 4), vec![]));
    assert!(!woke.effects.contains(&Effect::AskState), "it was asked");

    // Set back meanwhile, our clock gives it time again, and the wait begins anew after that.
    let mut set_back = at_the_end_by_our_clock();
    set_back.now = T0.plus(DAY - MINUTE);
    set_back.tell(Input::Elapsed(Timer::PinOver));
    set_back.now = T0.plus(DAY);
    set_back.tell(Input::Elapsed(Timer::PinOver));
    assert_eq!((looks_again(&set_back), told_over(&set_back)), (Some(MINUTE), vec![]));

    // What was over while this console didn't run: the broker is asked as well.
    let mut restored = at_the_end_by_our_clock();
    restored.state = State::restored(restored.state.record.clone());
    restored.tell(Input::Restored { since: T0 });
    restored.tell(Input::Elapsed(Timer::PinOver));
    assert_eq!((looks_again(&restored), told_over(&restored)), (Some(MINUTE), vec![]));
}

#[test]
fn where_nobody_tells_states_a_pin_is_over_by_our_clock_at_once() {
    let mut hosted = Pair::new();
    hosted.now = T0.plus(DAY);
    hosted.tell(Input::Elapsed(Timer::PinOver));
    assert_eq!(told_over(&hosted), [false], "nobody else could say so");
    assert!(matches!(hosted.state.record.life, Life::Over { .. }));
}

/// The broker tells how long it lives from now on, so that what a wrong clock wrote down counts for nothing.
#[test]
fn the_brokers_word_on_a_pin_of_a_clock_that_was_ahead_is_not_mended_again() {
    let mut pair = Pair::new();
    pair.now = Timestamp(T0.0 - YEARS);
    let end = pair.now.plus(DAY / 2);
    pair.broker.expires = Some(end);
    pair.observe();
    pair.tell(Input::Elapsed(Timer::PinOver));
    assert!(pair.state.record.is_live());
    let Life::Live(allocation) = &pair.state.record.life else { unreachable!() };
    assert_eq!(allocation.end(pair.now), end);
}

const YEARS: i64 = 3 * 365 * 86_400_000;

fn close() -> Input {
    Input::Close { outcome: Outcome::Resolved, by: "anna".into() }
}

/// Until when a closed session's PIN is said to stay valid.
fn valid_until(pair: &Pair) -> Option<Timestamp> {
    match pair.word() {
        SessionStatus::Closed { pin_valid_until, .. } => pin_valid_until,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_closed_sessions_pin_is_never_said_to_live_longer_than_its_life_whenever_the_clock_was_put_right()
 {
    // Nobody answered, or the service ends none.
    let answers =
        [None, Some(Revocation::Impossible), Some(Revocation::Failed(Failure::Unreachable))];
    for answer in answers {
        for right_before_close in [false, true] {
            // The clock stood three years ahead when the PIN was given out.
            let mut pair = Pair::new();
            let right = Timestamp(T0.0 - YEARS);
            if right_before_close {
                pair.now = right;
            }
            pair.tell(close());
            pair.now = right;
            if let Some(answer) = answer {
                pair.tell(Input::Revoked(answer));
            }
            assert_eq!(valid_until(&pair), Some(right.plus(DAY)), "before a start {answer:?}");
            pair.state = State::restored(pair.state.record.clone());
            pair.tell(Input::Restored { since: right });
            assert_eq!(valid_until(&pair), Some(right.plus(DAY)), "{answer:?}");
            // From then on it is counted.
            pair.now = right.plus(DAY);
            assert_eq!(valid_until(&pair), None, "{answer:?}");
            pair.tell(Input::Elapsed(Timer::RetryRevoke));
            assert!(!pair.effects.contains(&Effect::RevokePin), "it was asked for long enough");
            pair.now = right.plus(2 * DAY);
            assert!(pair.state.record.closed_pin_is_done(pair.now), "{answer:?}");
        }
    }
}

#[test]
fn the_tries_to_end_a_pin_stop_when_its_life_is_over_by_a_clock_that_was_put_right_meanwhile() {
    let mut pair = Pair::new();
    pair.tell(close());
    pair.now = Timestamp(T0.0 - YEARS);
    let right = pair.now;
    for _ in 0..3 {
        pair.tell(Input::Revoked(Revocation::Failed(Failure::Unreachable)));
        pair.tell(Input::Elapsed(Timer::RetryRevoke));
        assert!(pair.effects.contains(&Effect::RevokePin));
        pair.now = pair.now.plus(Duration::from_secs(60));
    }
    assert_eq!(valid_until(&pair), Some(right.plus(DAY)));
    pair.now = right.plus(DAY);
    pair.tell(Input::Elapsed(Timer::RetryRevoke));
    assert!(!pair.effects.contains(&Effect::RevokePin), "{:?}", pair.effects);
}

#[test]
fn a_pin_is_asked_to_end_when_its_session_is_closed_although_the_clock_says_that_it_is_over() {
    for ahead in [DAY + Duration::from_secs(3600), 1000 * DAY] {
        let mut pair = Pair::new();
        pair.now = T0.plus(ahead);
        pair.tell(close());
        assert!(pair.effects.contains(&Effect::RevokePin), "the service knows");
        pair.tell(Input::Revoked(Revocation::Impossible));
        assert_eq!(valid_until(&pair), None);
        pair.now = T0.plus(Duration::from_secs(60));
        assert_eq!(valid_until(&pair), Some(T0.plus(DAY)), "the clock was put right");
    }
}

#[test]
fn a_session_that_gave_up_while_the_clock_stood_ahead_can_be_tried_again_a_day_later() {
    let mut pair = Pair::new();
    pair.tell(Input::GaveUp);
    let right = Timestamp(T0.0 - YEARS);
    pair.now = right;
    pair.state = State::restored(pair.state.record.clone());
    pair.tell(Input::Restored { since: right });
    pair.tell(Input::Retry { region: None });
    assert!(matches!(pair.state.record.life, Life::Failed { .. }), "its PIN may be good");
    pair.now = right.plus(DAY);
    pair.tell(Input::Retry { region: None });
    assert_eq!(pair.state.record.life, Life::Allocating);
}
