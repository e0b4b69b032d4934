//! How often the chat is fetched, as docs/headless.md says of `show`.

use super::*;

/// How long until the chat is fetched again after a fetch has ended.
fn next_fetch(pair: &mut Pair) -> Duration {
    pair.tell(Input::ChatFailed { failure: Failure::Unreachable, transcript: false });
    let next = pair.effects.iter().find_map(|effect| match effect {
        Effect::Start { timer: Timer::PollChat, after, .. } => Some(*after),
        _ => None,
    });
    next.expect("it is fetched again")
}

#[test]
fn the_chat_is_fetched_often_where_nobody_tells_of_it_and_somebody_looks() {
    const HOURS: u64 = 3_600;
    // Whether the broker tells of each message, whether the session is on screen, whether somebody is there.
    let cases = [
        (false, true, true, 2),
        (false, true, false, 10),
        (false, false, true, 10),
        (false, false, false, 60),
        (true, true, true, 10),
        (true, true, false, 10),
        (true, false, true, 6 * HOURS),
        (true, false, false, 6 * HOURS),
    ];
    for (is_told, on_screen, somebody, seconds) in cases {
        let mut pair = Pair::new();
        if is_told {
            pair.observe();
        }
        if somebody {
            let revision = pair.happens(PresenterStarted);
            pair.hook(PresenterStarted, revision);
        }
        pair.tell(Input::OnScreen(on_screen));
        let case = (is_told, on_screen, somebody);
        assert_eq!(next_fetch(&mut pair), Duration::from_secs(seconds), "{case:?}");
    }
}
