//! How far the customer has come before their program is online.

use super::*;

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
    pair.happens(PresenterStarted);
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
fn a_program_that_left_is_offline_since_then_also_once_its_hook_or_the_end_of_its_grace_is_told() {
    for by_hook in [true, false] {
        let mut pair = Pair::new();
        pair.happens(PresenterStarted);
        pair.observe();
        let left = pair.now;
        let since_it_left = SessionStatus::PresenterOffline { since: left };
        pair.broker.presenter = ObservedSide::Leaving { since: left };
        pair.broker.revision += 1;
        pair.observe();
        assert_eq!(pair.word(), since_it_left);
        pair.now = pair.now.plus(GRACE);
        let revision = pair.happens(PresenterOffline);
        if by_hook {
            pair.hook(PresenterOffline, revision);
            assert_eq!(pair.word(), since_it_left);
        }
        pair.observe();
        assert_eq!(pair.word(), since_it_left, "by hook: {by_hook}");
        // It came and left again meanwhile: that is another time.
        pair.now = pair.now.plus(GRACE);
        pair.happens(PresenterStarted);
        pair.happens(PresenterOffline);
        pair.observe();
        assert_eq!(pair.word(), SessionStatus::PresenterOffline { since: pair.now });
    }
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

/// What was told of the customer's way, by name.
fn told(pair: &Pair) -> Vec<&'static str> {
    let arrivals = pair.events.iter().filter(|event| matches!(event, Event::Arrival(_)));
    arrivals.map(|event| event.facts().name()).collect()
}

#[test]
fn whatever_a_second_program_does_a_customer_who_shares_shares() {
    for arrival in [
        |since| Arrival::Asked { since },
        |since| Arrival::Declined { since },
        |since| Arrival::Downloaded { since },
        |since| Arrival::PageOpen { since },
    ] {
        for by_hook in [false, true] {
            let mut pair = Pair::new();
            pair.happens(PresenterStarted);
            pair.broker.arrival = Arrival::Agreed { since: pair.now };
            pair.observe();
            pair.now = pair.now.plus(GRACE);
            pair.broker.revision += 1;
            pair.broker.arrival = arrival(pair.now);
            pair.observe();
            assert!(matches!(pair.word(), SessionStatus::Ready { .. }), "{:?}", pair.word());
            assert_eq!(told(&pair), [""; 0]);
            // Nor does it come back once the customer's own program is gone, but for a question that is asked still.
            if matches!(pair.broker.arrival, Arrival::Asked { .. }) {
                continue;
            }
            if by_hook {
                let revision = pair.happens(PresenterOffline);
                pair.hook(PresenterOffline, revision);
                assert!(matches!(pair.word(), SessionStatus::PresenterOffline { .. }));
            }
            let left = pair.now.plus(GRACE);
            pair.broker.revision += 1;
            pair.broker.presenter = ObservedSide::Leaving { since: left };
            pair.now = left;
            pair.observe();
            assert!(matches!(pair.word(), SessionStatus::PresenterOffline { .. }));
            pair.broker.revision += 1;
            pair.broker.presenter = ObservedSide::Offline { since: left.plus(GRACE) };
            pair.now = left.plus(GRACE);
            pair.observe();
            assert!(matches!(pair.word(), SessionStatus::PresenterOffline { .. }));
            assert_eq!(told(&pair), [""; 0]);
        }
    }
}

#[test]
fn who_declines_within_the_minute_after_leaving_has_declined_and_stays_so() {
    for arrival in [|since| Arrival::Declined { since }, |since| Arrival::PageOpen { since }] {
        let mut pair = Pair::new();
        pair.happens(PresenterStarted);
        pair.happens(ViewerStarted);
        pair.observe();
        let left = pair.now.plus(GRACE);
        let since = left.plus(Duration::from_secs(30));
        pair.broker.presenter = ObservedSide::Leaving { since: left };
        pair.broker.arrival = arrival(since);
        pair.broker.revision += 1;
        pair.now = since;
        pair.observe();
        let word = pair.word();
        assert!(!matches!(word, SessionStatus::PresenterOffline { .. }));
        pair.broker.presenter = ObservedSide::Offline { since: left.plus(GRACE) };
        pair.broker.revision += 1;
        pair.now = left.plus(GRACE);
        pair.observe();
        assert_eq!(pair.word(), word);
    }
}

#[test]
fn an_answer_stays_when_the_viewers_who_waited_for_it_leave() {
    for by_hook in [false, true] {
        let mut pair = Pair::new();
        pair.happens(ViewerStarted);
        pair.broker.arrival = Arrival::Declined { since: pair.now };
        pair.observe();
        let word = pair.word();
        let revision = pair.happens(ViewerOffline);
        if by_hook {
            pair.hook(ViewerOffline, revision)
        } else {
            pair.observe()
        }
        assert_eq!((pair.word(), matches!(word, SessionStatus::Declined { .. })), (word, true));
    }
}

#[test]
fn each_step_of_the_customer_is_told_once_also_over_a_stop() {
    let mut pair = Pair::new();
    let all = ["page_opened", "program_downloaded", "customer_asked", "customer_declined"];
    let steps: [fn(Timestamp) -> Arrival; 4] = [
        |since| Arrival::PageOpen { since },
        |since| Arrival::Downloaded { since },
        |since| Arrival::Asked { since },
        |since| Arrival::Declined { since },
    ];
    for (number, arrival) in steps.into_iter().enumerate() {
        // One soon after the other.
        pair.now = pair.now.plus(Duration::from_secs(2));
        pair.broker.revision += 1;
        pair.broker.arrival = arrival(pair.now);
        pair.observe();
        pair.broker.revision += 1;
        pair.observe();
        pair.state = State::restored(
            serde_json::from_str(&serde_json::to_string(&pair.state.record).unwrap()).unwrap(),
        );
        let since = pair.now;
        pair.tell(Input::Restored { since });
        pair.now = pair.now.plus(Duration::from_millis(300));
        pair.broker.arrival = arrival(pair.now);
        pair.broker.revision += 1;
        pair.observe();
        assert_eq!(told(&pair), all[..=number]);
    }
    // They try once more.
    pair.broker.revision += 1;
    pair.now = pair.now.plus(Duration::from_secs(5));
    pair.broker.arrival = Arrival::Asked { since: pair.now };
    pair.observe();
    assert_eq!(told(&pair).len(), 5);
}

#[test]
fn a_page_that_is_loaded_in_a_loop_is_told_once_a_minute_at_most() {
    let mut pair = Pair::new();
    for _ in 0..30 {
        for arrival in [|since| Arrival::PageOpen { since }, |since| Arrival::PageClosed { since }]
        {
            pair.now = pair.now.plus(Duration::from_secs(3));
            pair.broker.revision += 1;
            pair.broker.arrival = arrival(pair.now);
            pair.observe();
        }
    }
    assert_eq!(told(&pair), ["page_opened"; 3]);
    // A clock that is set makes none of it news.
    pair.broker.revision += 1;
    pair.now = pair.now.plus(GRACE);
    pair.broker.arrival = Arrival::PageOpen { since: pair.now };
    pair.observe();
    pair.broker.revision += 1;
    pair.broker.arrival = Arrival::PageOpen { since: pair.now.plus(DAY) };
    pair.observe();
    assert_eq!(told(&pair).len(), 4);
}

#[test]
fn a_question_that_goes_unanswered_tells_nothing_old_anew() {
    let mut pair = Pair::new();
    let opened = Arrival::PageOpen { since: pair.now };
    for arrival in [opened, Arrival::Asked { since: pair.now.plus(GRACE) }, opened] {
        pair.broker.revision += 1;
        pair.broker.arrival = arrival;
        pair.observe();
    }
    assert_eq!(told(&pair), ["page_opened", "customer_asked"]);
}
