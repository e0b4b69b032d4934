//! How long a PIN lives, by the word of the broker.

use crate::*;

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
