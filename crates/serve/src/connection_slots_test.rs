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
                place.begin();
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
    // An IPv4 address is an owner; an IPv6 /64 is one of the networks of its owner, also the first one.
    for (ip, other, part) in [
        ("203.0.113.9", "203.0.113.10", 200),
        ("2001:db8:1:2::1", "2001:db8:9::1", 100),
        ("2001:db8:1::1", "2001:db8:9::1", 100),
    ] {
        let places = places(800);
        let (held, refusal) = fill(&places, |_| ip.to_owned());
        assert_eq!((held.len(), refusal), (part, Refusal::Address), "{ip}");
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

/// A household or an office whose one silent computer has used up the part of all.
#[test]
fn within_a_part_whoever_comes_takes_the_place_of_one_that_is_silent_there() {
    let places = places(800);
    let (mut busy, _) = fill(&places, |_| "203.0.113.9".to_owned());
    busy.truncate(190);
    let silent: Vec<_> = (0..10).map(|_| get(&places, "203.0.113.9").unwrap()).collect();
    let stranger = get(&places, "203.0.113.10").unwrap();
    let next = get(&places, "203.0.113.9").unwrap();
    assert!(silent[0].taken.is_cancelled() && !silent[1].taken.is_cancelled());
    assert!(!stranger.taken.is_cancelled() && !next.taken.is_cancelled());
    assert_eq!(places.counters().snapshot().open, 201);
    next.begin();
    silent[1..].iter().for_each(ConnectionSlot::begin);
    assert_eq!(get(&places, "203.0.113.9").unwrap_err(), Refusal::Address, "all are busy");
}

#[test]
fn within_an_owners_part_a_neighbour_takes_the_place_of_a_silent_one() {
    let places = places(800);
    let silent: Vec<_> =
        (0..200).map(|n| get(&places, &format!("2001:db8:1:{n:x}::1")).unwrap()).collect();
    let neighbour = get(&places, "2001:db8:1:ffff::1").unwrap();
    assert!(silent[0].taken.is_cancelled() && !neighbour.taken.is_cancelled());
    drop((silent, neighbour));
    let table = places.0.table.lock();
    assert!(table.idle_by_owner.is_empty() && table.idle_by_address.is_empty());
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
    proven.begin();
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
    held.begin();
    assert_eq!(get(&places, "127.0.0.1").unwrap_err(), Refusal::Full);
    drop(held);
    assert!(get(&places, "127.0.0.1").is_ok());
}

#[test]
fn whoever_has_nothing_under_way_gives_way_the_one_that_waits_longest_first() {
    let places = places(8);
    let held: Vec<ConnectionSlot> = (0..7).map(|_| get(&places, "127.0.0.1").unwrap()).collect();
    held.iter().for_each(ConnectionSlot::begin);
    assert_eq!(get(&places, "127.0.0.1").unwrap_err(), Refusal::Full, "all have a request");
    held[4].rest();
    held[2].rest();
    held[2].begin();
    held[3].rest();
    let taken = |n: usize| held[n].taken.is_cancelled();
    let silent = get(&places, "127.0.0.1").unwrap();
    assert!(taken(4) && !taken(3));
    // One that never sent anything goes before one that did.
    let next = get(&places, "127.0.0.1").unwrap();
    next.begin();
    assert!(silent.taken.is_cancelled() && !taken(3));
    let _last = get(&places, "127.0.0.1").unwrap();
    assert!(taken(3) && !taken(2));
    // One whose place was taken neither rests nor begins any more.
    held[4].rest();
    assert_eq!(places.counters().snapshot().open, 7);
}

fn passed_on(client: &str) -> HeaderMap {
    HeaderMap::from_iter([("x-forwarded-for".parse().unwrap(), client.parse().unwrap())])
}

#[test]
fn behind_a_trusted_proxy_each_address_and_owner_has_its_part_and_no_other() {
    let places = places(800);
    let proxy = get(&places, "10.0.0.1").unwrap();
    let shares = |n: usize, ip: &dyn Fn(usize) -> String| {
        let all = (0..n).map(|n| proxy.share(&passed_on(&ip(n))));
        let (some, refused): (Vec<_>, Vec<_>) = all.partition(Result::is_ok);
        (some, refused.len())
    };
    let (held, refused) = shares(300, &|_| "203.0.113.9".to_owned());
    assert_eq!((held.len(), refused), (200, 100));
    let (held_too, refused) = shares(300, &|n| format!("2001:db8:1:{n:x}::1"));
    assert_eq!((held_too.len(), refused), (200, 100));
    // Who is behind the proxy and at the door as well has one part.
    assert_eq!(get(&places, "203.0.113.9").unwrap_err(), Refusal::Address);
    assert!(proxy.share(&passed_on("203.0.113.10")).unwrap().is_some(), "others are served");
    // What somebody claims to be behind an address that isn't the proxy's counts for nothing.
    let direct = get(&places, "198.51.100.7").unwrap();
    assert!(direct.share(&passed_on("192.0.2.1")).unwrap().is_none());
    drop((held, held_too));
    assert!(proxy.share(&passed_on("203.0.113.9")).unwrap().is_some());
    drop((proxy, direct));
    assert!(places.0.table.lock().addresses.is_empty());
}

#[test]
fn another_policy_counts_from_the_next_connection_on() {
    let places = places(800);
    let (held, _) = fill(&places, |_| "10.0.0.2".to_owned());
    assert_eq!(held.len(), 200);
    let proxies = TrustedProxies::new(["10.0.0.2".parse().unwrap()]);
    places.use_door(PeerPolicy { proxies, counts_loopback: false });
    let (more, refusal) = fill(&places, |_| "10.0.0.2".to_owned());
    assert_eq!((more.len(), refusal), (600, Refusal::Full));
    drop((held, more));
    assert!(places.0.table.lock().addresses.is_empty(), "each is given back as it was counted");
}

#[test]
fn another_number_of_places_counts_from_the_next_connection_on_and_sends_nobody_away() {
    let places = places(80);
    let (held, _) = fill(&places, |_| "203.0.113.9".to_owned());
    assert_eq!(held.len(), 20);
    let use_connections = |total| places.use_connections(total, &Limits::default());
    use_connections(800);
    let (more, _) = fill(&places, |_| "203.0.113.9".to_owned());
    assert_eq!((more.len(), places.counters().snapshot().limit), (180, 800));
    use_connections(80);
    assert!(held.iter().chain(&more).all(|place| !place.taken.is_cancelled()));
    assert!(places.counters().snapshot().full);
    assert_eq!(get(&places, "203.0.113.10").unwrap_err(), Refusal::Full);
    drop(more);
    assert!(get(&places, "203.0.113.10").is_ok());
}
