//! The program from the question to the end, against a broker's end of the sockets.

#![allow(clippy::unwrap_used)]

mod adversaries;
mod broker;
mod copied;
mod customer;
mod known_again;
mod question;
mod viewer;

use std::time::Duration;

use broker::{Broker, Live};
use customer::{Customer, Done};
use futures_util::SinkExt as _;
use presenter::{
    consent::Choice, end_reason::EndReason, invitation::Invitation, screen::ScreenError,
};
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;
use viewer::Viewer;
use wire::shared_screen::{Requester, Role, Secret};

#[tokio::test(flavor = "multi_thread")]
async fn the_screen_is_shown_and_a_controller_types() {
    let mut broker = Broker::start().await;
    let (mut customer, mut live) = sharing(&mut broker).await;
    let mut viewer = joins(&mut broker, &mut live, "control").await;
    let banner = customer.banner(|banner| !banner.viewers.is_empty()).await;
    let named = &banner.viewers[0];
    assert_eq!((named.name.as_str(), named.role), ("Anna s", Role::Control));
    customer.fill(7);
    viewer.sees(7).await;
    viewer.key(true, 0x61).await;
    viewer.click(5, 6).await;
    viewer.cuts("text").await;
    assert_eq!(customer.deeds.recv().await, Some(Done::Key(true, 0x61)));
    assert_eq!(customer.deeds.recv().await, Some(Done::Pointer(5, 6, 1)));
    assert_eq!(customer.deeds.recv().await, Some(Done::Clipboard("text".into())));
    customer.choose(Choice::Stop);
    assert_eq!(live.hear().await["type"], "leave");
    assert_eq!(customer.ended().await, EndReason::Stopped);
    assert_eq!(customer.deeds.recv().await, Some(Done::ReleasedOwn));
    viewer.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_broker_is_told_who_this_is_and_that_it_shares() {
    let mut broker = Broker::start().await;
    let mut customer = Customer::start(invitation(&broker));
    customer.agrees().await;
    let (mut live, hello) = broker.live().await;
    assert_eq!(hello["type"], "hello");
    assert_eq!((&hello["session_pin"], &hello["side"]), (&json!(PIN), &json!("presenter")));
    assert_eq!((&hello["name"], &hello["program"]["conf"]), (&json!("Maria"), &json!("conf")));
    assert!(hello["program"]["platform"].as_str().unwrap().contains('-'));
    live.tell(&json!({"type": "welcome"})).await;
    assert_eq!(live.hear().await, json!({"type": "sharing", "state": "shared"}));
    customer.choose(Choice::Pause);
    assert_eq!(live.hear().await, json!({"type": "sharing", "state": "paused"}));
    customer.banner(|banner| banner.paused && !banner.reconnecting).await;
    live.tell(&json!({"type": "snapshot", "by": "Anna\u{7}"})).await;
    let banner = customer.banner(|banner| banner.notice.is_some()).await;
    assert_eq!(banner.notice.unwrap(), "Anna saved a picture of your screen");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sealed_stream_shows_the_same_words_on_both_ends() {
    let mut broker = Broker::start().await;
    let (mut customer, mut live) = sharing(&mut broker).await;
    live.viewer("s", "watch", true).await;
    let (socket, _) = broker.screen().await;
    let mut viewer = Viewer::sealed(socket, "watch").await;
    let banner = customer.banner(|banner| !banner.viewers.is_empty()).await;
    assert_eq!(banner.viewers[0].words.as_deref(), Some(viewer.words().as_str()));
    customer.fill(9);
    viewer.sees(9).await;
    // The broker puts a message of its own in between.
    viewer.socket.send(Message::binary(vec![0; 40])).await.unwrap();
    viewer.ends().await;
    customer.banner(|banner| banner.viewers.is_empty()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_that_may_only_watch_does_nothing() {
    let mut broker = Broker::start().await;
    let (mut customer, mut live) =
        copied::sharing_as(&mut broker, Choice::ShareWithClipboard).await;
    let mut watches = joins(&mut broker, &mut live, "watch").await;
    for keysym in 0x20..0x84 {
        watches.key(true, keysym).await;
        watches.click(1, 1).await;
    }
    watches.cuts("text").await;
    // An answer to what came after it all: so it all was looked at.
    watches.sees(0).await;
    let mut controls = joins(&mut broker, &mut live, "control").await;
    controls.key(true, 0x7a).await;
    assert_eq!(customer.deeds.recv().await, Some(Done::Key(true, 0x7a)));
    customer.copies("secret");
    customer.fill(1);
    assert_eq!(controls.read(8 + 6).await[8..], *b"secret");
    watches.request(true).await;
    assert_eq!(watches.update().await, 1, "and no clipboard before it");
}

/// The role of the stream's own answer may be lower than the one that was announced, never higher.
#[tokio::test(flavor = "multi_thread")]
async fn a_role_is_never_raised() {
    let mut broker = Broker::start().await;
    let (mut customer, mut live) = sharing(&mut broker).await;
    live.viewer("s", "watch", false).await;
    let (socket, _) = broker.screen().await;
    let viewer = tokio::spawn(Viewer::plain(socket, "control"));
    let_in(&mut customer).await;
    let banner = customer.banner(|banner| !banner.viewers.is_empty()).await;
    let _viewer = viewer.await.unwrap();
    assert_eq!(banner.viewers[0].role, Role::Watch);
}

#[tokio::test(flavor = "multi_thread")]
async fn pausing_lets_go_of_everything_and_lets_nothing_through() {
    let mut broker = Broker::start().await;
    let (mut customer, mut live) = sharing(&mut broker).await;
    let mut viewer = joins(&mut broker, &mut live, "control").await;
    viewer.key(true, 0x61).await;
    assert_eq!(customer.deeds.recv().await, Some(Done::Key(true, 0x61)));
    customer.choose(Choice::Pause);
    assert_eq!(customer.deeds.recv().await, Some(Done::Released));
    customer.banner(|banner| banner.paused).await;
    viewer.key(true, 0x62).await;
    viewer.cuts("text").await;
    viewer.sees(0).await;
    customer.copies("secret");
    customer.fill(1);
    viewer.request(true).await;
    assert_eq!(viewer.update().await, 1, "and no clipboard before it");
    customer.choose(Choice::Resume);
    customer.banner(|banner| !banner.paused).await;
    viewer.key(true, 0x63).await;
    assert_eq!(customer.deeds.recv().await, Some(Done::Key(true, 0x63)));
}

#[tokio::test(flavor = "multi_thread")]
async fn after_an_outage_it_comes_back_with_the_same_page_and_asks_nobody() {
    let mut broker = Broker::start().await;
    let mut customer = Customer::start(invitation(&broker));
    customer.agrees().await;
    let (mut live, first) = broker.welcomed().await;
    let viewer = joins(&mut broker, &mut live, "control").await;
    customer.banner(|banner| !banner.viewers.is_empty()).await;
    customer.choose(Choice::Pause);
    live.hear().await;
    drop(live);
    customer.banner(|banner| banner.reconnecting && banner.viewers.is_empty()).await;
    viewer.ends().await;
    let (mut live, second) = broker.live().await;
    assert_eq!((&first["page"], &first["name"]), (&second["page"], &second["name"]));
    live.tell(&json!({"type": "bye", "code": "restarting"})).await;
    let (mut live, _) = broker.live().await;
    live.tell(&json!({"type": "welcome"})).await;
    assert_eq!(live.hear().await["state"], "paused", "what the customer chose still holds");
    customer.banner(|banner| !banner.reconnecting).await;
    let _viewer = joins(&mut broker, &mut live, "control").await;
    customer.banner(|banner| !banner.viewers.is_empty()).await;
    assert!(customer.questions.try_recv().is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_on_which_nothing_comes_is_over_and_the_sharing_goes_on() {
    let mut broker = Broker::start().await;
    let (mut customer, mut live) = sharing(&mut broker).await;
    let _silent = joins(&mut broker, &mut live, "watch").await;
    customer.banner(|banner| !banner.viewers.is_empty()).await;
    let pings = async {
        // As often as a broker does it.
        let mut due = tokio::time::interval(Duration::from_secs(5));
        loop {
            due.tick().await;
            live.pings().await;
        }
    };
    tokio::select! {
        () = pings => {}
        banner = customer.banner(|banner| banner.viewers.is_empty()) => {
            assert!(!banner.reconnecting, "the live connection wasn't silent");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_drags_has_the_pointer_and_another_who_leaves_changes_nothing() {
    let mut broker = Broker::start().await;
    let (mut customer, mut live) = sharing(&mut broker).await;
    let mut anna = joins(&mut broker, &mut live, "control").await;
    let mut ben = joins(&mut broker, &mut live, "control").await;
    anna.points(1, 10, 10).await;
    assert_eq!(customer.deeds.recv().await, Some(Done::Pointer(10, 10, 1)));
    ben.points(0, 50, 50).await;
    ben.points(1, 50, 50).await;
    ben.key(true, 0x62).await;
    assert_eq!(customer.deeds.recv().await, Some(Done::Key(true, 0x62)), "only the key counts");
    ben.socket.close(None).await.unwrap();
    assert_eq!(customer.deeds.recv().await, Some(Done::ReleasedOwn));
    anna.points(1, 20, 20).await;
    assert_eq!(customer.deeds.recv().await, Some(Done::Pointer(20, 20, 1)), "still dragging");
    anna.socket.close(None).await.unwrap();
    assert_eq!(customer.deeds.recv().await, Some(Done::ReleasedOwn));
    assert_eq!(customer.deeds.recv().await, Some(Done::ReleasedButtons));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_goodbye_ends_it() {
    for (code, ended) in [
        ("expired", EndReason::Expired),
        ("revoked", EndReason::Revoked),
        ("replaced", EndReason::Replaced),
    ] {
        let mut broker = Broker::start().await;
        let (mut customer, mut live) = sharing(&mut broker).await;
        live.tell(&json!({"type": "bye", "code": code})).await;
        assert_eq!(customer.ended().await, ended);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_viewer_ends_the_capture_and_the_next_begins_it_again() {
    let mut broker = Broker::start().await;
    let (mut customer, mut live) = sharing(&mut broker).await;
    for _ in 0..2 {
        let one = joins(&mut broker, &mut live, "watch").await;
        assert_eq!(customer.screen_was().await, "opened");
        let mut other = joins(&mut broker, &mut live, "watch").await;
        customer.banner(|banner| banner.viewers.len() == 2).await;
        drop(one);
        customer.banner(|banner| banner.viewers.len() == 1).await;
        other.sees(0).await;
        assert!(customer.told.try_recv().is_err(), "it was opened once and is still");
        drop(other);
        assert_eq!(customer.screen_was().await, "closed");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_controller_that_goes_lets_go() {
    let mut broker = Broker::start().await;
    let (mut customer, mut live) = sharing(&mut broker).await;
    let mut watches = joins(&mut broker, &mut live, "watch").await;
    let mut controls = joins(&mut broker, &mut live, "control").await;
    controls.key(true, 0xffe1).await;
    assert_eq!(customer.deeds.recv().await, Some(Done::Key(true, 0xffe1)));
    drop(controls);
    assert_eq!(customer.deeds.recv().await, Some(Done::ReleasedOwn));
    watches.sees(0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_that_reads_nothing_slows_nobody() {
    let mut broker = Broker::start().await;
    let (customer, mut live) = sharing(&mut broker).await;
    let mut frozen = joins(&mut broker, &mut live, "watch").await;
    // Asks for everything and takes nothing in: more than the sockets between can hold.
    for _ in 0..100 {
        frozen.request(false).await;
    }
    let mut lively = joins(&mut broker, &mut live, "watch").await;
    for value in 1..=100 {
        // As the broker does, or else the connections count as lost after a while.
        live.pings().await;
        frozen.pings().await;
        customer.fill(value);
        lively.sees(value).await;
    }
    // Once it reads again, it is shown how things are.
    frozen.sees(100).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_viewers_dials_no_more_than_there_may_be() {
    let mut broker = Broker::start().await;
    let (mut customer, mut live) = sharing(&mut broker).await;
    for i in 0..500 {
        live.viewer(&i.to_string(), "control", false).await;
    }
    live.tell(&json!({"type": "snapshot", "by": ""})).await;
    customer.banner(|banner| banner.notice.is_some()).await;
    let mut held = Vec::new();
    for _ in 0..32 {
        held.push(broker.screen().await);
    }
    assert!(!broker.was_called());
    // One that goes makes room.
    held.pop();
    customer.banner(|banner| banner.viewers.is_empty()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_breaks_the_rules_is_over_and_the_sharing_goes_on() {
    let mut broker = Broker::start().await;
    let (mut customer, mut live) = sharing(&mut broker).await;
    let broken: [Message; 3] = [
        Message::text("{}"),
        // A message type that nobody knows.
        Message::binary(vec![0xEE]),
        Message::binary(vec![0; 300 * 1024]),
    ];
    for message in broken {
        let mut viewer = joins(&mut broker, &mut live, "watch").await;
        customer.banner(|banner| !banner.viewers.is_empty()).await;
        // The longest may be refused while it is still being sent.
        let _ = viewer.socket.send(message).await;
        viewer.ends().await;
        customer.banner(|banner| banner.viewers.is_empty()).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_screen_that_goes_away_ends_it() {
    let mut broker = Broker::start().await;
    let (mut customer, mut live) = sharing(&mut broker).await;
    let _viewer = joins(&mut broker, &mut live, "watch").await;
    customer.loses_the_screen();
    assert_eq!(customer.ended().await, EndReason::Screen(ScreenError::Gone));
}

/// The customer lets the viewer in that waits.
async fn let_in(customer: &mut Customer) {
    let banner = customer.banner(|banner| banner.newcomer.is_some()).await;
    customer.choose(Choice::LetIn(banner.newcomer.unwrap().id));
}

const PIN: &str = "7W2-97-8570";

fn invitation(broker: &Broker) -> Invitation {
    Invitation {
        broker: broker.origin().parse().unwrap(),
        pin: PIN.parse().unwrap(),
        conf: Some(Secret::from("conf".to_owned())),
        requester: Some(Requester { technician: "Anna".to_owned(), company: String::new() }),
        until: None,
        unattended: false,
        quiet: true,
        self_delete: false,
    }
}

async fn sharing(broker: &mut Broker) -> (Customer, Live) {
    copied::sharing_as(broker, Choice::Share).await
}

async fn joins(broker: &mut Broker, live: &mut Live, role: &str) -> Viewer {
    live.viewer("s", role, true).await;
    let (socket, stream) = broker.screen().await;
    assert_eq!(stream, "s");
    Viewer::sealed(socket, role).await
}
