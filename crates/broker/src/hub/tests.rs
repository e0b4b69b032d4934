//! What the hub returns, seen by whoever carries it out.

use std::{fs, path::Path, time::Duration};

use serve::{Client, Millis};
use uuid::Uuid;
use wire::{
    HookType, Pin, Side,
    session_events::SideFacts,
    shared_screen::{ProgramHello, Role, Secret, Sharing, ToPresenter},
};

use super::{
    Hub,
    change::{Change, Effect, Notice},
    connections::Link,
    credential::Credential,
    join::{Access, JoinAs, JoinRequest},
    limits::{HubSettings, Rates},
    messages::ServerMessage,
    presence::{ConnectionId, PageId},
    records::{StoredState, Write},
    refusal::Refused,
    service_calls::HookTarget,
    streams::{StreamEnd, StreamId},
    tickets::Ticket,
};

const LOCAL: Client = Client(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST));
const PRESENTER: u64 = 1;
const VIEWER: u64 = 2;
const STREAM: StreamId = StreamId(9);

fn hub() -> (Hub, Pin) {
    let region = "us-east-1".parse().unwrap();
    let rates = Rates::embedded().into();
    let settings = HubSettings { regions: vec![region], rates, ..HubSettings::default() };
    let mut hub = Hub::new(settings, StoredState::default());
    let region = "us-east-1".parse().unwrap();
    let (pin, _) = hub.mint(LOCAL, region, None, &[[7; 32]], Millis(0)).unwrap();
    (hub, pin)
}

/// A page with the same number as its connection and its watch key.
fn join(hub: &mut Hub, pin: &Pin, n: u64, join_as: JoinAs) -> Result<Change, Refused> {
    let request = JoinRequest {
        access: Access::Pin(pin.clone()),
        console: None,
        join_as,
        page: PageId(Uuid::from_u128(n.into())),
        name: format!("page {n}"),
        link: Link::Open,
    };
    let joined = hub.join(ConnectionId(n), LOCAL, request, credential(n), Millis(0));
    joined.map(|(_, change)| change)
}

fn credential(n: u64) -> Credential {
    Credential::from_random([u8::try_from(n).unwrap(); 32])
}

fn program() -> JoinAs {
    let (version, platform) = ("1".into(), "linux-x86_64".into());
    JoinAs::Presenter(Some(ProgramHello { version, platform, conf: None }))
}

fn put(hub: &mut Hub, pin: &Pin, hook: HookType) {
    let target =
        HookTarget { url: "https://example.com/hook", is_own_mail: false, leads_here: false };
    hub.put_hook(LOCAL, pin.clone(), hook, &target, Millis(0)).unwrap();
}

/// A program and a viewer whose stream waits for the program, as the last change left it.
fn watched() -> (Hub, Secret, Change) {
    let (mut hub, pin) = hub();
    join(&mut hub, &pin, PRESENTER, program()).unwrap();
    join(&mut hub, &pin, VIEWER, JoinAs::Viewer { read_only: true }).unwrap();
    let (key, secret) = (credential(VIEWER).secret, credential(8));
    let told = secret.secret.clone();
    let (role, change) = hub.watch(LOCAL, &key, (STREAM, secret), true, Millis(0)).unwrap();
    assert_eq!(role, Role::Watch);
    (hub, told, change)
}

#[test]
fn a_hook_is_written_as_consumed_by_the_change_that_has_it_delivered() {
    let (mut hub, pin) = hub();
    put(&mut hub, &pin, HookType::PresenterStarted);
    let change = join(&mut hub, &pin, PRESENTER, JoinAs::plain_page(Side::Presenter)).unwrap();
    let consumed = |write: &Write| matches!(write, Write::HookConsumed { hook, .. } if *hook == HookType::PresenterStarted);
    assert_eq!(change.writes.iter().filter(|write| consumed(write)).count(), 1);
    assert!(matches!(&change.effects[0], Effect::Deliver(delivery) if delivery.pin == pin));
    assert!(change.reschedules);
}

#[test]
fn a_second_presenter_has_the_first_one_hung_up_at_once() {
    let (mut hub, pin) = hub();
    join(&mut hub, &pin, 1, JoinAs::plain_page(Side::Presenter)).unwrap();
    let change = join(&mut hub, &pin, 2, JoinAs::plain_page(Side::Presenter)).unwrap();
    let [Notice::HangUp { connection, message }] = &change.notices[..] else {
        panic!("{:?}", change.notices);
    };
    assert_eq!(*connection, ConnectionId(1));
    assert!(matches!(message, ServerMessage::Bye { code: "replaced" }));
    assert!(hub.leave(ConnectionId(1), Millis(0)).writes.is_empty(), "its place is taken");
}

#[test]
fn only_the_presenters_program_is_told_of_a_viewer_that_asks_for_a_stream() {
    let (_, secret, change) = watched();
    let [Notice::Send { to, message: ServerMessage::Presenter(request) }] = &change.notices[..]
    else {
        panic!("{:?}", change.notices);
    };
    let ToPresenter::Viewer { stream, role, sealed, .. } = request;
    assert_eq!((*to, role, sealed), (ConnectionId(PRESENTER), &Role::Watch, &true));
    assert_eq!(stream.expose(), secret.expose());
    assert!(change.writes.is_empty() && change.effects.is_empty());
}

/// Whoever has only the PIN is not vouched for, so the customer is asked about them.
#[test]
fn only_a_ticket_or_the_consoles_own_key_vouches_for_a_viewer() {
    let vouched = |shown: Option<u8>, by_ticket: bool| {
        let (mut hub, _) = hub();
        let region = "us-east-1".parse().unwrap();
        let minted = hub.mint(LOCAL, region, Some(credential(5).hash), &[[6; 32]], Millis(0));
        let (pin, _) = minted.unwrap();
        join(&mut hub, &pin, PRESENTER, program()).unwrap();
        let ticket = Ticket { pin: pin.clone(), role: Role::Watch, name: String::new() };
        hub.tickets.insert(credential(7).hash, ticket);
        let by_ticket = by_ticket.then(|| Access::Ticket(credential(7).secret));
        let request = JoinRequest {
            access: by_ticket.unwrap_or(Access::Pin(pin)),
            console: shown.map(|n| credential(n.into()).hash),
            join_as: JoinAs::Viewer { read_only: false },
            page: PageId(Uuid::from_u128(2)),
            name: String::new(),
            link: Link::Open,
        };
        hub.join(ConnectionId(VIEWER), LOCAL, request, credential(VIEWER), Millis(0)).unwrap();
        let (key, secret) = (credential(VIEWER).secret, credential(8));
        let (_, change) = hub.watch(LOCAL, &key, (STREAM, secret), true, Millis(0)).unwrap();
        let asked = change.notices.iter().find_map(|notice| match notice {
            Notice::Send { message: ServerMessage::Presenter(request), .. } => Some(request),
            Notice::Send { .. } | Notice::HangUp { .. } | Notice::EndStream { .. } => None,
        });
        let ToPresenter::Viewer { invited, own, .. } = asked.unwrap();
        (*invited, *own)
    };
    let (stranger, console) = ((false, false), (true, true));
    let by_pin = [None, Some(4), Some(5)].map(|shown| vouched(shown, false));
    assert_eq!(by_pin, [stranger, stranger, console]);
    assert_eq!(vouched(None, true), (true, false), "a guest isn't the technician");
}

#[test]
fn a_streams_secret_admits_one_presenter_and_its_end_is_told_once() {
    let (mut hub, secret, _) = watched();
    assert_eq!(hub.present(LOCAL, &secret), Ok(STREAM));
    assert!(matches!(hub.present(LOCAL, &secret), Err(Refused::UnknownKey { .. })));
    hub.stream_joined(STREAM).unwrap();
    let change = hub.leave(ConnectionId(VIEWER), Millis(0));
    let ended = |notice: &Notice| {
        matches!(notice, Notice::EndStream { stream: STREAM, why: StreamEnd::ConnectionEnded })
    };
    assert_eq!(change.notices.iter().filter(|notice| ended(notice)).count(), 1);
    assert!(hub.stream_ended(STREAM).notices.is_empty());
    assert_eq!(hub.stream_joined(STREAM).map(drop), Err(Refused::NoPresenter));
}

#[test]
fn a_presenter_that_takes_no_message_ends_only_the_streams_that_wait_for_it() {
    let (mut hub, secret, _) = watched();
    let notices = hub.give_up(ConnectionId(PRESENTER));
    assert!(matches!(&notices[..], [Notice::EndStream { stream: STREAM, .. }]), "{notices:?}");
    assert!(hub.present(LOCAL, &secret).is_err());
    let (mut hub, secret, _) = watched();
    hub.present(LOCAL, &secret).unwrap();
    hub.stream_joined(STREAM).unwrap();
    assert!(hub.give_up(ConnectionId(PRESENTER)).is_empty(), "its pictures still come");
}

#[test]
fn a_stand_in_is_asked_for_no_stream() {
    let (mut hub, pin) = hub();
    let request = JoinRequest::stand_in(pin.clone(), program(), Uuid::from_u128(1), "Maria");
    hub.join(ConnectionId(1), LOCAL, request, credential(1), Millis(0)).unwrap();
    join(&mut hub, &pin, VIEWER, JoinAs::Viewer { read_only: false }).unwrap();
    assert_eq!(hub.roster(&pin).unwrap().sharing, Sharing::Shared);
    let (key, stream) = (credential(VIEWER).secret, (STREAM, credential(8)));
    let refused = hub.watch(LOCAL, &key, stream, false, Millis(0)).unwrap_err();
    assert_eq!(refused, Refused::NoPresenter);
}

#[test]
fn what_is_due_fires_at_its_time_and_not_before() {
    let (mut hub, pin) = hub();
    put(&mut hub, &pin, HookType::ViewerStarted);
    put(&mut hub, &pin, HookType::ViewerOffline);
    join(&mut hub, &pin, VIEWER, JoinAs::plain_page(Side::Viewers)).unwrap();
    hub.leave(ConnectionId(VIEWER), Millis(1_000));
    let deadline = hub.next_deadline().unwrap();
    assert_eq!(deadline, Millis(61_001));
    assert!(hub.fire_elapsed(Millis(61_000)).effects.is_empty());
    let change = hub.fire_elapsed(deadline);
    assert!(matches!(&change.effects[..], [Effect::Deliver(_)]), "{:?}", change.effects);
    assert!(hub.fire_elapsed(deadline).effects.is_empty());
}

#[test]
fn a_revoked_session_hangs_everybody_up_and_is_over_for_all_calls() {
    let (mut hub, pin) = hub();
    join(&mut hub, &pin, PRESENTER, program()).unwrap();
    join(&mut hub, &pin, VIEWER, JoinAs::plain_page(Side::Viewers)).unwrap();
    let change = hub.revoke(LOCAL, &pin, Millis(0)).unwrap();
    let hung_up = |notice: &Notice| {
        matches!(notice, Notice::HangUp { message: ServerMessage::Bye { code: "revoked" }, .. })
    };
    assert_eq!(change.notices.iter().filter(|notice| hung_up(notice)).count(), 2);
    assert_eq!(hub.check_live(LOCAL, &pin, Millis(0)), Err(Refused::PinOver));
    assert!(join(&mut hub, &pin, 3, JoinAs::Companion).is_err());
}

#[test]
fn nothing_here_reaches_a_clock_chance_a_socket_the_disk_or_a_door() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/hub");
    for file in fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap();
        if path.ends_with("tests.rs") {
            continue;
        }
        for foreign in [
            "tokio::",
            "axum::",
            "reqwest::",
            "rusqlite::",
            "lettre::",
            "getrandom",
            "new_v4",
            "SystemTime",
            "Instant",
            "Clock",
            "std::fs",
            "std::net::Tcp",
        ] {
            assert!(!code.contains(foreign), "{} has {foreign}", path.display());
        }
        for used in code.split("crate::").skip(1) {
            assert!(used.starts_with("hub"), "{}: crate::{used:.20}", path.display());
        }
    }
}

#[test]
fn each_guess_is_answered_later_than_the_last_until_there_is_no_answer() {
    let rates = Rates::network();
    let settings = HubSettings { rates: rates.into(), ..HubSettings::default() };
    let mut hub = Hub::new(settings, StoredState::default());
    let guesser = Client::from_ip([198, 51, 100, 1].into());
    let pin: Pin = "AAA-AA-AAAA".parse().unwrap();
    let mut guess = || hub.known(guesser, &pin, Millis(0)).unwrap_err();
    let delays: Vec<_> = (0..rates.guesses.times)
        .map(|_| match guess() {
            Refused::UnknownPin { delay } => delay,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(delays[..5], [Duration::ZERO; 5][..]);
    assert!(delays[4..].is_sorted_by(|a, b| a < b), "{delays:?}");
    assert!(matches!(guess(), Refused::TooMany { .. }));
}

#[test]
fn a_hook_carries_the_revision_of_the_state_after_its_change() {
    let (mut hub, pin) = hub();
    let other = hub.mint(LOCAL, "us-east-1".parse().unwrap(), None, &[[9; 32]], Millis(0));
    let (other, mut minted) = other.unwrap();
    hub.stamp(&mut minted);
    put(&mut hub, &pin, HookType::PresenterStarted);
    let before = hub.facts(&pin, Millis(0)).unwrap();
    let mut change = join(&mut hub, &pin, PRESENTER, program()).unwrap();
    assert_eq!(change.changed.iter().filter(|changed| **changed != pin).count(), 0);
    hub.stamp(&mut change);
    let after = hub.facts(&pin, Millis(0)).unwrap();
    assert!(after.revision > before.revision);
    assert_eq!(change.changed, [pin], "once, whatever changed about it");
    let Effect::Deliver(delivery) = &change.effects[0] else { panic!("{:?}", change.effects) };
    assert_eq!(delivery.revision, after.revision);
    assert_eq!(delivery.id(), delivery.clone().id());
    assert!(hub.facts(&other, Millis(0)).unwrap().revision < after.revision);
}

#[test]
fn revisions_begin_after_those_of_an_earlier_run() {
    let (hub_before, pin) = hub();
    let session = hub_before.sessions[&pin].session.clone();
    let sessions = vec![(pin.clone(), session)];
    let stored = StoredState { sessions, first_revision: 7_000, ..StoredState::default() };
    let mut hub = Hub::new(HubSettings::default(), stored);
    assert_eq!(hub.facts(&pin, Millis(0)).unwrap().revision, 7_000);
    let mut change = hub.note_download(LOCAL, &pin, Millis(0)).unwrap();
    hub.stamp(&mut change);
    assert_eq!(hub.facts(&pin, Millis(0)).unwrap().revision, 7_001);
}

#[test]
fn who_may_follow_a_session_depends_on_the_key_that_minted_it() {
    let (mut hub, keyless) = hub();
    let region = "us-east-1".parse().unwrap();
    let (pin, _) = hub.mint(LOCAL, region, Some([1; 32]), &[[9; 32]], Millis(0)).unwrap();
    let stranger = Client::from_ip([198, 51, 100, 1].into());
    let mut check = |client, key: Option<[u8; 32]>, pin: &Pin| {
        hub.check_console(client, key.as_ref(), pin, Millis(0))
    };
    assert_eq!(check(stranger, Some([1; 32]), &pin), Ok(()));
    for (client, key) in [(LOCAL, None), (LOCAL, Some([2; 32])), (stranger, Some([2; 32]))] {
        assert_eq!(check(client, key, &pin), Err(Refused::NotYours));
    }
    assert_eq!(check(LOCAL, None, &keyless), Ok(()));
    assert_eq!(check(stranger, Some([1; 32]), &keyless), Err(Refused::NotYours));
    let unknown = "000-00-0000".parse().unwrap();
    for _ in 0..Rates::embedded().guesses.times {
        let refused = check(stranger, Some([1; 32]), &unknown);
        assert!(matches!(refused, Err(Refused::UnknownPin { .. })), "{refused:?}");
    }
    let refused = check(stranger, Some([1; 32]), &unknown);
    assert!(matches!(refused, Err(Refused::TooMany { .. })), "it counts as a guess: {refused:?}");
    assert_eq!(check(stranger, Some([1; 32]), &pin), Ok(()), "the key is no guess");
}

#[test]
fn a_chat_message_is_told_by_number_once_it_is_on_disk() {
    let (mut hub, pin) = hub();
    let guid = Uuid::from_u128(1);
    let posted = hub.post_console_chat(LOCAL, None, &pin, ("Anna", "Hello"), guid, Millis(0));
    let (number, change) = posted.unwrap();
    assert_eq!((number, &change.changed[..]), (1, &[pin.clone()][..]));
    assert!(hub.chat_after(&pin, 0, 10, Millis(0)).is_empty());
    hub.mark_chat_saved(&pin, number);
    let told = hub.chat_after(&pin, 0, 10, Millis(0));
    assert_eq!((told[0].number, told[0].side), (1, Some(Side::Viewers)));
    assert!(hub.chat_after(&pin, 1, 10, Millis(0)).is_empty());
    assert_eq!(hub.facts(&pin, Millis(0)).unwrap().messages, 1);
}

#[test]
fn a_session_whose_pin_is_over_still_says_who_is_there_and_counts_no_event() {
    let (mut hub, pin) = hub();
    put(&mut hub, &pin, HookType::ViewerStarted);
    put(&mut hub, &pin, HookType::ViewerOffline);
    join(&mut hub, &pin, VIEWER, JoinAs::plain_page(Side::Viewers)).unwrap();
    hub.revoke(LOCAL, &pin, Millis(0)).unwrap();
    hub.leave(ConnectionId(VIEWER), Millis(0));
    assert_eq!(hub.next_deadline(), Some(Millis(60_001)));
    let change = hub.fire_elapsed(Millis(60_001));
    assert!(change.effects.is_empty(), "its hooks fire no more: {:?}", change.effects);
    assert_eq!(change.changed, std::slice::from_ref(&pin));
    let facts = hub.facts(&pin, Millis(60_001)).unwrap();
    assert_eq!(facts.viewers, SideFacts::Offline { for_ms: 0 });
    assert_eq!(facts.happened, [0, 1, 0, 0]);
}

#[test]
fn sessions_end_and_are_forgotten_in_turns_and_each_at_its_time() {
    let (mut hub, first) = hub();
    let region = || "us-east-1".parse().unwrap();
    for n in 0..1_000_u32 {
        let mut random = [8; 32];
        for (digit, byte) in random.iter_mut().enumerate().take(9) {
            *byte = u8::try_from(n / 3_u32.pow(u32::try_from(digit).unwrap()) % 3).unwrap();
        }
        hub.mint(LOCAL, region(), None, &[random], Millis(1)).unwrap();
    }
    let known = hub.sessions.len();
    assert!(known > 900, "{known}");
    let life = i64::try_from(hub.settings.durations.pin_life.as_millis()).unwrap();
    assert_eq!(hub.next_deadline(), Some(Millis(life)));
    assert_eq!(hub.fire_elapsed(Millis(life)).changed, [first]);
    let mut told = Vec::new();
    while hub.next_deadline().is_some_and(|at| at <= Millis(life + 1)) {
        let changed = hub.fire_elapsed(Millis(life + 1)).changed;
        assert!((1..=128).contains(&changed.len()), "a turn is bounded");
        told.push(changed.len());
    }
    assert_eq!(told.iter().sum::<usize>(), known - 1, "each is told once");
    let long_after = Millis(life * 10);
    while hub.next_deadline().is_some_and(|at| at <= long_after) {
        hub.fire_elapsed(long_after);
    }
    assert!(hub.sessions.is_empty() && hub.next_deadline().is_none());
}
