use serve::Client;
use wire::Pin;

use super::*;
use crate::hub::{
    Hub,
    limits::{HubSettings, Rates},
    rates::Rate,
    records::StoredState,
    refusal::Refused,
};

const LOCAL: Client = Client(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST));

/// A hub, and a session that was minted without a key.
fn hub() -> (Hub, Pin) {
    let (regions, rates) = (vec!["us-east-1".parse().unwrap()], Rates::embedded().into());
    let settings = HubSettings { regions, rates, ..HubSettings::default() };
    let mut hub = Hub::new(settings, StoredState::default());
    let region = "us-east-1".parse().unwrap();
    let (pin, _) = hub.mint(LOCAL, region, None, &[[7; 32]], Millis(0)).unwrap();
    (hub, pin)
}

#[test]
fn only_the_key_of_the_console_proves_that_it_wrote_a_message() {
    let (mut hub, keyless) = hub();
    let region = "us-east-1".parse().unwrap();
    let (pin, _) = hub.mint(LOCAL, region, Some([1; 32]), &[[9; 32]], Millis(0)).unwrap();
    let mut says = |pin: &Pin, key: Option<[u8; 32]>| {
        let said = ("Anna", "hello");
        let guid = Uuid::nil();
        hub.post_console_chat(LOCAL, key.as_ref(), pin, said, guid, Millis(0)).unwrap();
        hub.mark_chat_saved(pin, 9);
        hub.chat_after(pin, 0, 9, Millis(0)).pop().unwrap().by_console
    };
    assert!(says(&pin, Some([1; 32])));
    // Any program on the broker's computer may write to a session without a key.
    assert!(!says(&keyless, None) && !says(&keyless, Some([1; 32])));
}

#[test]
fn a_console_goes_on_after_a_message_by_its_own_id_and_not_by_its_number_alone() {
    let (mut hub, pin) = hub();
    let id = Uuid::from_u128;
    for n in 1..=3 {
        hub.post_console_chat(LOCAL, None, &pin, ("Anna", "hello"), id(n), Millis(0)).unwrap();
    }
    hub.mark_chat_saved(&pin, 3);
    let position = |number, guid: Option<u128>| {
        hub.chat_position(&pin, number, guid.map(|guid| id(guid).to_string()).as_deref())
    };
    assert_eq!((position(2, Some(2)), position(3, Some(3))), (2, 3));
    // The store was put back from a copy: the number is another message's, or nobody's yet.
    assert_eq!((position(3, Some(9)), position(7, Some(7))), (0, 0));
    // An earlier version of the console knows the number alone.
    assert_eq!((position(2, None), position(7, None)), (2, 3));
}

#[test]
fn a_chat_is_full_by_its_bytes_and_has_room_again_when_they_are_forgotten() {
    let message = |number, ttl| {
        let (subject, body) = ("Anna".to_owned(), "x".repeat(64 * 1024 - 4));
        let (guid, side) = (Uuid::nil(), None);
        Message { guid, ttl, timestamp: 0, subject, body, number, side, by_console: false }
    };
    let mut chat = ChatLog::default();
    chat.restore(message(1, 60));
    (2..=7).for_each(|number| chat.add(message(number, 60)));
    assert!(!chat.is_full());
    chat.add(message(8, 90));
    assert!(chat.is_full());
    chat.forget_old(Millis(60_000));
    assert!(!chat.is_full());
    assert_eq!(chat.bytes, 64 * 1024);
    (9..=15).for_each(|number| chat.add(message(number, 90)));
    assert!(chat.is_full());
    chat.empty();
    assert_eq!((chat.is_full(), chat.bytes, chat.next_number()), (false, 0, 16));
}

#[test]
fn who_is_given_a_chat_shares_its_messages() {
    let (mut hub, pin) = hub();
    hub.post_console_chat(LOCAL, None, &pin, ("Anna", "hello"), Uuid::nil(), Millis(0)).unwrap();
    let mut given = || hub.messages(LOCAL, &pin, Millis(0)).unwrap().pop().unwrap();
    assert!(Arc::ptr_eq(&given(), &given()));
}

#[test]
fn a_chat_is_given_to_nobody_without_end() {
    let (regions, mut rates) = (vec!["us-east-1".parse().unwrap()], Rates::network());
    rates.transcripts = Rate::new(1, 60);
    let settings = HubSettings { regions, rates: rates.into(), ..HubSettings::default() };
    let mut hub = Hub::new(settings, StoredState::default());
    let [one, other] = [1, 2].map(|n| Client::from_ip([198, 51, 100, n].into()));
    let region = "us-east-1".parse().unwrap();
    let (pin, _) = hub.mint(one, region, None, &[[7; 32]], Millis(0)).unwrap();
    let mut given = |client, at| hub.messages(client, &pin, Millis(at)).map(drop);
    assert!(
        (0..4).all(|_| given(one, 0).is_ok()),
        "an IPv4 address is an owner, which has four times as much"
    );
    assert!(matches!(given(one, 0), Err(Refused::TooMany { .. })));
    assert_eq!([given(other, 0), given(one, 60_000)], [Ok(()), Ok(())]);
}

#[test]
fn a_page_is_told_who_wrote_and_the_services_own_call_stays_as_it_is() {
    let written = |side, by_console| Message {
        guid: Uuid::nil(),
        ttl: 1,
        timestamp: 1,
        subject: "Technician".to_owned(),
        body: "hello".to_owned(),
        number: 1,
        side,
        by_console,
    };
    let cases = [
        (written(Some(Side::Presenter), false), Some("customer")),
        (written(Some(Side::Viewers), true), Some("technician")),
        (written(Some(Side::Viewers), false), Some("viewer")),
        (written(None, false), None),
    ];
    for (message, by) in cases {
        let shown = serde_json::to_value(ShownMessage::new(&message)).unwrap();
        assert_eq!(shown.get("by").and_then(|by| by.as_str()), by);
        assert_eq!(shown["subject"], "Technician");
        assert!(serde_json::to_value(&message).unwrap().get("by").is_none());
    }
}
