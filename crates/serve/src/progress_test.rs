use axum::http::HeaderMap;

use super::*;
use crate::{Counters, PeerPolicy, TrustedProxies, connection_slots::ConnectionSlots};

#[test]
fn a_slow_visitor_ends_its_own_connection_and_not_the_one_of_a_proxy() {
    let limits = Limits::default();
    let places = ConnectionSlots::new(&limits, PeerPolicy::default(), Counters::default());
    for (from, ends) in [([203, 0, 113, 7], true), ([127, 0, 0, 1], false)] {
        let place = places.take((from, 9).into()).unwrap();
        let progress = Arc::new(Progress::new(place));
        let slow = progress.begin();
        let since = Instant::now();
        slow.note(|taking, _| taking.wait(since, limits.slowest));
        let deadline = progress.deadline(&limits);
        let unread = Deadline::Ends(since + limits.write_within, Some(Refusal::Unread));
        assert_eq!(deadline == unread, ends, "{deadline:?}");
        assert_eq!(matches!(deadline, Deadline::Again(_)), !ends, "{deadline:?}");
    }
}

/// A server that has one place, and one share, for each owner.
fn of_one_place_each() -> ConnectionSlots {
    let proxies = TrustedProxies::new(["10.0.0.1".parse().unwrap()]);
    let limits = Limits { per_owner: Some(1), connections: 64, ..Limits::default() };
    let door = PeerPolicy { proxies, counts_loopback: false };
    ConnectionSlots::new(&limits, door, Counters::default())
}

#[test]
fn while_only_an_answer_waits_the_place_is_free_for_whoever_comes() {
    let places = of_one_place_each();
    let take = || places.take(([203, 0, 113, 7], 9).into());
    let progress = Arc::new(Progress::new(take().unwrap()));
    let mut handled = progress.begin();
    let beside = progress.begin();
    handled.set_waiting(true);
    assert_eq!(take().unwrap_err(), Refusal::Address, "one beside it is being handled");
    drop(beside);
    handled.set_waiting(false);
    assert_eq!(take().unwrap_err(), Refusal::Address, "its answer is being given");
    handled.set_waiting(true);
    let next = take().unwrap();
    assert!(progress.place.taken.is_cancelled() && !next.taken.is_cancelled());
    // Whoever lost the place takes nothing back.
    handled.set_waiting(false);
    drop(handled);
    let after = take().unwrap();
    assert!(next.taken.is_cancelled() && !after.taken.is_cancelled());
}

#[test]
fn while_only_an_answer_waits_it_is_nobodys_share() {
    let places = of_one_place_each();
    let progress = Arc::new(Progress::new(places.take(([10, 0, 0, 1], 9).into()).unwrap()));
    let passed_on = ("x-forwarded-for".parse().unwrap(), "203.0.113.7".parse().unwrap());
    let headers = HeaderMap::from_iter([passed_on]);
    let share = || progress.place.share(&headers);
    let mut handled = progress.begin();
    handled.share = share().unwrap();
    assert!(handled.share.is_some());
    assert_eq!(share().unwrap_err(), Refusal::Address);
    handled.set_waiting(true);
    assert!(share().unwrap().is_some());
}

#[tokio::test]
async fn an_answer_waits_no_longer_than_its_place_is_kept() {
    let places = of_one_place_each();
    let take = || places.take(([203, 0, 113, 7], 9).into());
    let progress = Arc::new(Progress::new(take().unwrap()));
    let mut handled = progress.begin();
    let days = Duration::from_secs(1_000_000);
    // The wait has begun by then.
    let comes = async { take().unwrap() };
    let ((), next) = tokio::join!(biased; handled.wait_for_turn(days), comes);
    assert!(!next.taken.is_cancelled());
}
