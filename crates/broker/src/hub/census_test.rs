use std::{net::Ipv4Addr, time::Duration};

use proptest::prelude::*;
use serve::{Client, Owner};
use uuid::Uuid;
use wire::shared_screen::ProgramHello;

use super::*;
use crate::hub::{
    abuse::Block,
    connections::Connection,
    credential::Credential,
    join::{Access, JoinAs, JoinRequest},
    limits::{HubSettings, Rates},
    messages::ServerMessage,
    presence::{ConnectionId, PageId},
    records::StoredState,
    session::Session,
    streams::StreamId,
};

const LIFE: Duration = Duration::from_secs(86_400);

fn pin(n: u64) -> Pin {
    Pin::from_typed(&format!("{n:09}")).unwrap()
}

fn client(n: u64) -> Client {
    let far = Ipv4Addr::new(198, 51, 100, 1);
    Client::from_ip(if n.is_multiple_of(2) { Ipv4Addr::LOCALHOST } else { far }.into())
}

/// A hub with this many sessions, each minted a millisecond after the one before it.
fn hub(sessions: u64) -> Hub {
    let settings = HubSettings { rates: Rates::embedded().into(), ..HubSettings::default() };
    let mut hub = Hub::new(settings, StoredState::default());
    for n in 0..sessions {
        let minted = Millis(i64::try_from(n).unwrap());
        hub.add_session(pin(n), Session::new("r".parse().unwrap(), client(0), minted, LIFE));
        hub.reschedule(&pin(n));
    }
    hub
}

fn join(hub: &mut Hub, session: u64, n: u64, join_as: JoinAs) {
    let request = JoinRequest {
        access: Access::Pin(pin(session)),
        console: None,
        join_as,
        page: PageId(Uuid::from_u128(n.into())),
        name: String::new(),
        link: if n.is_multiple_of(5) { Link::StandIn } else { Link::Open },
    };
    // Some are refused, since others hold the place or the session is over.
    let _ = hub.join(ConnectionId(n), client(n), request, key(n), Millis(0));
}

fn key(n: u64) -> Credential {
    let mut random = [0; 32];
    random[..8].copy_from_slice(&n.to_le_bytes());
    Credential::from_random(random)
}

fn in_turns(hub: &Hub, now: Millis) -> Vec<SomeSessions> {
    let mut place = None;
    let turn = std::iter::from_fn(|| {
        let some = hub.live_sessions_after(place, now);
        place = some.rest;
        Some(some)
    });
    let (mut turns, mut turn) = (Vec::new(), turn);
    loop {
        let some = turn.next().unwrap();
        let is_last = some.rest.is_none();
        turns.push(some);
        if is_last {
            return turns;
        }
    }
}

#[test]
fn however_many_sessions_and_connections_there_are_each_turn_looks_at_few() {
    let (sessions, connections) = (10_000, 2_000);
    let mut hub = hub(sessions);
    for n in 1..=connections {
        join(&mut hub, n % 700, n, JoinAs::Companion);
    }
    let turns = in_turns(&hub, Millis(0));
    let looked_at = |turn: &SomeSessions| {
        let pages = turn.sessions.iter().map(|one| one.connected.customer_pages);
        turn.sessions.len() + usize::try_from(pages.sum::<u64>()).unwrap()
    };
    // The last session of a turn may have some more connections.
    assert!(turns.iter().all(|turn| looked_at(turn) <= IN_ONE_TURN + 3));
    let all: Vec<&LiveSession> = turns.iter().flat_map(|turn| &turn.sessions).collect();
    assert_eq!(all.len() as u64, sessions);
    assert!(all.is_sorted_by_key(|one| one.minted), "oldest first");
    let pages: u64 = all.iter().map(|one| one.connected.customer_pages).sum();
    assert_eq!((pages, hub.census().connected.customer_pages), (connections, connections));
}

#[test]
fn a_session_that_is_over_is_counted_no_longer_and_one_that_was_stored_is() {
    let mut hub = hub(3);
    hub.revoke(client(0), &pin(1), Millis(3)).unwrap();
    assert_eq!(hub.census().live_sessions, 2);
    let mut other = self::hub(3);
    for _ in 0..2 {
        other.delete_session(client(0), None, &pin(1), Millis(3)).unwrap();
        assert_eq!(other.census().live_sessions, 2);
    }
    // The first one's life is over, which the listing sees even before its deadline was looked at.
    let now = Millis(0).after(LIFE);
    let listed = in_turns(&hub, now).into_iter().flat_map(|turn| turn.sessions);
    assert_eq!(listed.map(|one| one.pin).collect::<Vec<_>>(), [pin(2)]);
    hub.fire_elapsed(now);
    assert_eq!(hub.census().live_sessions, 1);
    let sessions = [5, 4, 6].map(|n| {
        (pin(n), Session::new("r".parse().unwrap(), client(0), Millis(n.cast_signed()), LIFE))
    });
    let stored = StoredState { sessions: sessions.into(), ..StoredState::default() };
    let hub = Hub::new(HubSettings::default(), stored);
    let listed = in_turns(&hub, Millis(9)).into_iter().flat_map(|turn| turn.sessions);
    assert_eq!(listed.map(|one| one.pin).collect::<Vec<_>>(), [pin(4), pin(5), pin(6)]);
}

#[test]
fn everybody_is_hung_up_in_turns_that_look_at_few() {
    let mut hub = hub(1_000);
    (1..=1_000).for_each(|n| join(&mut hub, n % 1_000, n, JoinAs::Companion));
    let strangers = (1..=1_000).filter(|n| !client(*n).is_this_machine() && n % 5 != 0).count();
    let message = ServerMessage::restarting();
    let count = |turns: Vec<Vec<_>>| {
        assert!(turns.len() > 1 && turns.iter().all(|turn| turn.len() <= IN_ONE_TURN));
        turns.iter().map(Vec::len).sum::<usize>()
    };
    let turns = std::iter::from_fn(|| hub.hang_up_strangers(&message)).collect();
    assert_eq!(count(turns), strangers);
    let turns = std::iter::from_fn(|| hub.hang_up_some(&message)).collect();
    assert_eq!(count(turns), 800 - strangers, "the rest, without those that have no socket");
    assert_eq!(hub.census().connected, Connected::default());
}

#[test]
fn blocks_are_listed_in_turns_oldest_first() {
    let block = |n: u32| Block {
        owner: Owner::of_ip(Ipv4Addr::from_bits(n).into()),
        since: Millis((n % 7).into()),
    };
    let blocked: Vec<Block> = (1..=1_000).map(block).collect();
    let stored = StoredState { blocked, ..StoredState::default() };
    let hub = Hub::new(HubSettings::default(), stored);
    let mut all: Vec<Block> = Vec::new();
    loop {
        let some = hub.blocks_after(all.last().copied());
        assert!(some.len() <= IN_ONE_TURN);
        if some.is_empty() {
            break;
        }
        all.extend(some);
    }
    assert_eq!(all.len(), 1_000);
    assert!(all.is_sorted_by_key(|block| (block.since, block.owner)));
}

/// Counts by looking at everything.
fn recount(hub: &Hub, sessions: u64) -> (Connected, u64) {
    let (mut connected, mut streams) = (Connected::default(), 0);
    let all = (0..sessions).flat_map(|n| hub.connections.of_session(&pin(n)).collect::<Vec<_>>());
    for (id, connection) in all {
        let Connection { link, participant, .. } = connection;
        if *link != Link::HungUp {
            *connected.of(participant) += 1;
        }
        let theirs = hub.streams.of_connection(id);
        streams += theirs.filter(|(_, stream)| stream.viewer == id && stream.joined).count() as u64;
    }
    (connected, streams)
}

fn act(hub: &mut Hub, (what, session, n): (u8, u64, u64)) {
    let program = || ProgramHello { version: String::new(), platform: String::new(), conf: None };
    match what {
        0 | 1 => join(hub, session, n, JoinAs::Presenter(Some(program()))),
        2 => join(hub, session, n, JoinAs::Companion),
        3 => join(hub, session, n, JoinAs::Asking(program())),
        4 | 5 => join(hub, session, n, JoinAs::Viewer { read_only: false }),
        6 => drop(hub.leave(ConnectionId(n), Millis(0))),
        7 => drop(hub.give_up(ConnectionId(n))),
        8..=11 => {
            let id = StreamId(n + 100 * u64::from(what));
            let (secret, viewer) = (key(id.0), key(n).secret);
            let told = secret.secret.clone();
            if hub.watch(client(n), &viewer, (id, secret), false, Millis(0)).is_ok() && what > 8 {
                hub.present(client(session), &told).unwrap();
                hub.stream_joined(id).unwrap();
            }
        }
        12 => drop(hub.stream_ended(StreamId(n + 100 * (8 + session)))),
        13 => drop(hub.hang_up_strangers(&ServerMessage::restarting())),
        _ => drop(hub.revoke(client(0), &pin(session), Millis(0))),
    }
}

proptest! {
    #[test]
    fn what_is_counted_at_each_change_is_what_a_look_at_everything_counts(
        acts in prop::collection::vec((0u8..15, 0u64..3, 1u64..40), 1..120),
    ) {
        let (mut hub, mut used) = (hub(3), std::collections::HashSet::new());
        for one in acts {
            // An id is given to one connection only.
            if one.0 < 6 && !used.insert(one.2) {
                continue;
            }
            act(&mut hub, one);
            let census = hub.census();
            prop_assert_eq!((census.connected, census.streams), recount(&hub, 3));
        }
    }
}
