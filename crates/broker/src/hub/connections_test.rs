use std::collections::HashSet;

use proptest::prelude::*;
use uuid::Uuid;
use wire::shared_screen::ProgramHello;

use super::*;
use crate::hub::{
    credential::{Credential, sha256},
    join::{Access, JoinAs, JoinRequest},
    limits::HubSettings,
    records::StoredState,
    session::Session,
};

fn viewer(pin: &Pin, page: u8, invited: bool, client: Client) -> Connection {
    let key = sha256(&format!("{page}"));
    let viewer = Viewer::new(Role::Watch, invited, false, key);
    let page = PageId(Uuid::from_u128(page.into()));
    let participant = Participant::Viewer(viewer);
    Connection { client, pin: pin.clone(), page, participant, link: Link::Open }
}

proptest! {
    /// The count that is kept is what counting them all would give.
    #[test]
    fn viewers_are_counted_by_page_whoever_comes_and_goes(
        steps in proptest::collection::vec((0u64..12, 0u8..4, any::<bool>()), 0..60)
    ) {
        let pin: Pin = "7W2-97-8570".parse().unwrap();
        let client = Client::from_ip([198, 51, 100, 1].into());
        let mut all = Connections::default();
        for (id, page, invited) in steps {
            let id = ConnectionId(id);
            if all.remove(id).is_none() {
                all.insert(id, viewer(&pin, page, invited, client));
            }
            for beside in 0u8..5 {
                let beside = PageId(Uuid::from_u128(beside.into()));
                let others = all.of_session(&pin).filter(|(_, one)| one.page != beside);
                let others: Vec<_> = others.map(|(_, one)| one).collect();
                let pages = |bare: bool| {
                    let is_so = |one: &&&Connection| {
                        !bare || one.participant.as_viewer().is_some_and(|viewer| !viewer.invited)
                    };
                    others.iter().filter(is_so).map(|one| one.page).collect::<HashSet<_>>().len()
                };
                let expected = Viewers { all: pages(false), bare: pages(true) };
                prop_assert_eq!(all.viewers_beside(&pin, beside), expected);
            }
        }
    }
}

fn program(conf: Option<&str>) -> ProgramHello {
    let conf = conf.map(|conf| conf.to_owned().into());
    ProgramHello { version: String::new(), platform: String::new(), conf }
}

#[test]
fn pages_without_end_leave_room_for_the_customers_program() {
    let mut hub = Hub::new(HubSettings::default(), StoredState::default());
    let pin: Pin = "7W2-97-8570".parse().unwrap();
    let here = Client::from_ip([127, 0, 0, 1].into());
    let life = Duration::from_secs(60);
    let mut session = Session::new("us-east-1".parse().unwrap(), here, Millis(0), life);
    session.conf_hash = Some(sha256("right"));
    hub.add_session(pin.clone(), session);
    let mut next = 0;
    let mut joins = |hub: &mut Hub, join_as| {
        next += 1;
        let (id, page) = (ConnectionId(next.into()), PageId(Uuid::from_u128(next.into())));
        let client = Client::from_ip([198, 51, 100, next].into());
        let (access, name, link) = (Access::Pin(pin.clone()), String::new(), Link::Open);
        let request = JoinRequest { access, console: None, join_as, page, name, link };
        let key = Credential::from_random([next; 32]);
        hub.join(id, client, request, key, Millis(0)).map(|_| id)
    };
    let pages: Vec<_> = (0..64).map(|_| joins(&mut hub, JoinAs::Companion).unwrap()).collect();
    for refused in [JoinAs::Companion, JoinAs::Presenter(None), JoinAs::Asking(program(None))] {
        assert!(matches!(joins(&mut hub, refused), Err(Refused::TooMany { .. })));
    }
    joins(&mut hub, JoinAs::Asking(program(Some("right")))).unwrap();
    joins(&mut hub, JoinAs::Presenter(Some(program(None)))).unwrap();
    joins(&mut hub, JoinAs::Viewer { read_only: false }).unwrap();
    // Whoever goes leaves its place, and whoever is hung up does before its socket is closed.
    hub.leave(pages[0], Millis(0));
    hub.give_up(pages[1]);
    assert!(joins(&mut hub, JoinAs::Companion).is_ok());
    hub.leave(pages[1], Millis(0));
    assert!(matches!(joins(&mut hub, JoinAs::Companion), Err(Refused::TooMany { .. })));
}

/// How many of so many viewers get in from one network after another, each into a session that has room.
fn let_in(hub: &mut Hub, times: u32, first: u32, from: impl Fn(u32) -> Client) -> usize {
    let mut joins = |n: u32| {
        let pin: Pin = format!("7W2-97-{:04}", n % 100).parse().unwrap();
        let (id, page) = (ConnectionId(n.into()), PageId(Uuid::from_u128(n.into())));
        let (access, name, link) = (Access::Pin(pin), String::new(), Link::Open);
        let join_as = JoinAs::Viewer { read_only: false };
        let request = JoinRequest { access, console: None, join_as, page, name, link };
        let mut random = [0; 32];
        random[..4].copy_from_slice(&n.to_be_bytes());
        hub.join(id, from(n), request, Credential::from_random(random), Millis(0)).is_ok()
    };
    (first..first + times).filter(|n| joins(*n)).count()
}

#[test]
fn an_office_behind_one_ipv4_address_has_an_owners_share_and_leaves_the_rest_to_others() {
    let mut hub = Hub::new(HubSettings::default(), StoredState::default());
    let life = Duration::from_secs(60);
    for n in 0..100 {
        let here = Client::from_ip([127, 0, 0, 1].into());
        let session = Session::new("us-east-1".parse().unwrap(), here, Millis(0), life);
        hub.add_session(format!("7W2-97-{n:04}").parse().unwrap(), session);
    }
    let ipv4 = |last| Client::from_ip([198, 51, 100, last].into());
    let ipv6 = |subnet: u32| {
        let bits = 0x2001_0db8_0001_u128 << 80 | u128::from(subnet) << 64 | 1;
        Client::from_ip(std::net::Ipv6Addr::from_bits(bits).into())
    };
    assert_eq!(let_in(&mut hub, 200, 0, |_| ipv4(1)), 200, "200 colleagues");
    assert_eq!(let_in(&mut hub, 200, 200, |_| ipv4(1)), 56, "and then no more");
    assert_eq!(let_in(&mut hub, 200, 400, |_| ipv6(7)), 64, "one of many networks");
    assert_eq!(let_in(&mut hub, 400, 600, ipv6), 192, "and all of them together");
    assert_eq!(let_in(&mut hub, 200, 1_000, |_| ipv4(2)), 200, "others come in");
}
