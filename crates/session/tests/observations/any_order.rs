//! Whatever is lost, late or doubled: at rest the state is the broker's, and its word is the first that fits.

use super::*;

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
        presenter in 0..5_u8, viewers in 0..6_u8, arrival in 0..7_u8, at in 1..9_i64, waits in any::<bool>(),
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
        record.observed.viewers_wait = waits;
        let (shares, watched) = (presenter == 1, viewers == 1);
        let word = pair.word();
        let fits = match &word {
            SessionStatus::BeingAsked { .. } => arrival == 4 && !shares,
            SessionStatus::Declined { .. } => arrival == 5 && !shares && at > 5,
            SessionStatus::Downloaded { .. } => arrival == 3 && !shares && at > 5,
            SessionStatus::PageOpen { .. } => arrival == 1 && !shares && at > 5,
            SessionStatus::Ended { .. } => viewers == 3,
            SessionStatus::PresenterOffline { .. } => presenter == 2 || presenter == 3,
            SessionStatus::Unknown { .. } => presenter == 4 || viewers == 5,
            SessionStatus::Active { .. } => shares && watched && !waits,
            SessionStatus::ViewerWaiting { .. } => presenter == 0 && watched,
            SessionStatus::Ready { .. } => shares && (!watched || waits),
            SessionStatus::Waiting { .. } => presenter == 0 && !watched,
            other => panic!("{other:?} is no word of a live session"),
        };
        prop_assert!(fits, "{:?}: presenter {}, viewers {}, arrival {}", word, presenter, viewers, arrival);
        let asked = arrival == 4 || arrival == 5 && at > 5;
        let asked = asked && presenter != 4 && !shares;
        prop_assert_eq!(
            asked, matches!(word, SessionStatus::BeingAsked { .. } | SessionStatus::Declined { .. })
        );
    }
}
