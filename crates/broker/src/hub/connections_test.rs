use std::collections::HashSet;

use proptest::prelude::*;
use uuid::Uuid;

use super::*;

fn viewer(pin: &Pin, page: u8, invited: bool, client: Client) -> Connection {
    let key = crate::hub::credential::sha256(&format!("{page}"));
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
