//! How far the customer has come before their program is online.

use crate::*;

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
