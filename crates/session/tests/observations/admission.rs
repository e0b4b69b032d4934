//! Viewers that wait to be let in: nobody sees the screen while all of them do.

use wire::shared_screen::WaitingViewer;

use super::*;

fn waiting(page: &str) -> WaitingViewer {
    WaitingViewer {
        challenge: format!("of {page}"),
        page: page.into(),
        name: "Ben".into(),
        role: Role::Watch,
        sealed: true,
        invited: false,
    }
}

/// The program is online, and two viewers are connected, of which these wait.
fn with_waiting(pages: &[&str]) -> Pair {
    let mut pair = Pair::new();
    pair.happens(PresenterStarted);
    pair.happens(ViewerStarted);
    wait(&mut pair, pages);
    pair
}

fn wait(pair: &mut Pair, pages: &[&str]) {
    pair.broker.revision += 1;
    pair.broker.facts = LiveFacts {
        sharing: Sharing::Shared,
        participants: vec![
            Participant { side: Side::Presenter, role: None, ..participant("p", T0) },
            participant("a", T0),
            participant("b", T0),
        ],
        waiting: pages.iter().map(|page| waiting(page)).collect(),
    };
    pair.observe();
}

#[test]
fn nobody_is_active_and_no_time_counts_while_all_viewers_wait() {
    let mut pair = with_waiting(&["a", "b"]);
    assert!(matches!(pair.word(), SessionStatus::Ready { .. }), "{:?}", pair.word());
    assert_eq!(pair.state.record.active_since, None);
    // One of them is let in.
    pair.now = pair.now.plus(GRACE);
    wait(&mut pair, &["b"]);
    assert!(matches!(pair.word(), SessionStatus::Active { .. }));
    assert_eq!(pair.state.record.active_since, Some(pair.now));
    pair.now = pair.now.plus(GRACE);
    wait(&mut pair, &["b", "a"]);
    assert!(matches!(pair.word(), SessionStatus::Ready { .. }));
    assert_eq!((pair.state.record.active_since, pair.state.record.active_ms), (None, 60_000));
}

#[test]
fn that_all_wait_is_claimed_no_longer_than_it_is_told() {
    let mut pair = with_waiting(&["a", "b"]);
    pair.tell(Input::Unobserved { unknown_since: None });
    assert!(matches!(pair.word(), SessionStatus::Active { .. }), "{:?}", pair.word());
    let mut pair = with_waiting(&["a", "b"]);
    pair.state = State::restored(pair.state.record.clone());
    assert!(!pair.state.record.observed.viewers_wait);
    // Whoever leaves waits no more, and nor does who comes then.
    let mut pair = with_waiting(&["a", "b"]);
    for hook in [ViewerOffline, PresenterStarted, ViewerStarted] {
        let revision = pair.happens(hook);
        pair.hook(hook, revision);
    }
    assert!(matches!(pair.word(), SessionStatus::Active { .. }), "{:?}", pair.word());
}

#[test]
fn when_whoever_went_offline_had_left_is_told_where_it_is_known() {
    for by_hook in [false, true] {
        for side in [Side::Presenter, Side::Viewers] {
            let mut pair = with_waiting(&[]);
            pair.events.clear();
            let left = pair.now.plus(GRACE);
            pair.now = left;
            pair.broker.revision += 1;
            let leaving = ObservedSide::Leaving { since: left };
            let hook = match side {
                Side::Presenter => (pair.broker.presenter = leaving, PresenterOffline).1,
                Side::Viewers => (pair.broker.viewers = leaving, ViewerOffline).1,
            };
            pair.observe();
            let revision = pair.happens(hook);
            if by_hook {
                pair.hook(hook, revision)
            } else {
                pair.observe()
            }
            let told: Vec<_> =
                pair.events.iter().filter_map(|event| event.facts().left()).collect();
            assert_eq!(told, [left], "{hook} {by_hook}");
        }
    }
    let clock = |at: Timestamp| format!("{} s", at.0 / 1000);
    let log = session::LogContext { created_by: "anna", at: T0, clock: &clock };
    let gone =
        Event::from(PresenceEvent::ViewersGone { overtaken: None, left: Some(Timestamp(5_000)) });
    assert_eq!(gone.facts().log_line(&log).text, "All viewers left at 5 s");
}
