use super::*;

fn places(connections: usize) -> ConnectionSlots {
    let proxies = TrustedProxies::new(["10.0.0.1".parse().unwrap()]);
    let door = PeerPolicy { proxies, counts_loopback: false };
    let limits = Limits { connections, ..Limits::default() };
    ConnectionSlots::new(&limits, door, Counters::default())
}

/// Takes places that have sent a request, until one is refused.
fn fill(
    places: &ConnectionSlots,
    mut ip: impl FnMut(u32) -> String,
) -> (Vec<ConnectionSlot>, Refusal) {
    let mut held = Vec::new();
    loop {
        let peer = SocketAddr::new(ip(held.len() as u32).parse().unwrap(), 1);
        match places.take(peer) {
            Ok(place) => {
                place.prove();
                held.push(place);
            }
            Err(refusal) => return (held, refusal),
        }
    }
}

fn get(places: &ConnectionSlots, ip: &str) -> Result<ConnectionSlot, Refusal> {
    places.take(SocketAddr::new(ip.parse().unwrap(), 1))
}

#[test]
fn an_address_gets_a_part_and_leaves_the_rest_to_others() {
    for (ip, other) in [("203.0.113.9", "203.0.113.10"), ("2001:db8:1:2::1", "2001:db8:9::1")] {
        let places = places(800);
        let (held, refusal) = fill(&places, |_| ip.to_owned());
        assert_eq!((held.len(), refusal), (100, Refusal::Address), "{ip}");
        assert!(get(&places, other).is_ok());
        drop(held);
        assert!(get(&places, ip).is_ok());
        assert_eq!(places.0.table.lock().addresses.len(), 0);
        assert_eq!(places.counters().snapshot().open, 0);
    }
}

#[test]
fn an_owner_of_many_networks_gets_a_part() {
    let places = places(800);
    let (held, refusal) = fill(&places, |n| format!("2001:db8:1:{n:x}::1"));
    assert_eq!((held.len(), refusal), (200, Refusal::Owner));
    assert!(get(&places, "2001:db8:2::1").is_ok());
    assert_eq!(places.counters().snapshot().of(Refusal::Owner), 1);
}

#[test]
fn proxies_and_this_machine_are_many_and_still_leave_room_to_others_and_the_other_way_round() {
    for ip in ["127.0.0.1", "::1", "::ffff:127.0.0.1", "10.0.0.1"] {
        let places = places(800);
        let (held, refusal) = fill(&places, |_| ip.to_owned());
        assert_eq!((held.len(), refusal), (700, Refusal::Full), "{ip}");
        assert!(places.counters().snapshot().full);
        assert!(get(&places, "203.0.113.9").is_ok());
    }
    let places = places(800);
    let (held, refusal) = fill(&places, |n| format!("198.51.{}.{}", n / 250, n % 250));
    assert_eq!((held.len(), refusal), (700, Refusal::Full));
    assert!(get(&places, "127.0.0.1").is_ok());
}

#[test]
fn whoever_finds_it_full_takes_the_place_of_the_oldest_that_is_silent() {
    let places = places(8);
    let proven = get(&places, "127.0.0.1").unwrap();
    proven.prove();
    let silent: Vec<ConnectionSlot> = (0..6).map(|_| get(&places, "127.0.0.1").unwrap()).collect();
    let next = get(&places, "127.0.0.1").unwrap();
    let taken = silent.iter().map(|place| place.taken.is_cancelled()).collect::<Vec<_>>();
    assert_eq!(taken, [true, false, false, false, false, false]);
    assert!(!proven.taken.is_cancelled() && !next.taken.is_cancelled());
    assert_eq!(places.counters().snapshot().of(Refusal::Silent), 1);
    assert_eq!(places.counters().snapshot().open, 7);
    // The one whose place was taken gives nothing up.
    drop(silent);
    assert_eq!(places.counters().snapshot().open, 2);
}

#[test]
fn a_server_of_one_place_has_it_for_anybody() {
    let places = places(1);
    let held = get(&places, "203.0.113.9").unwrap();
    held.prove();
    assert_eq!(get(&places, "127.0.0.1").unwrap_err(), Refusal::Full);
    drop(held);
    assert!(get(&places, "127.0.0.1").is_ok());
}
