//! Those against whom docs/adr/0016 promises something: a broker that lies, a middle, and a
//! neighbour who has the PIN.

use futures_util::{SinkExt as _, StreamExt as _};
use presenter::{consent::Choice, end_reason::EndReason};
use seal::{Access, Initiator, Offer, Pairing};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;
use wire::shared_screen::WaitingViewer;

use crate::{
    broker::{Broker, Live, Socket, Whose},
    joins, let_in, sharing,
    viewer::{Viewer, join},
};

/// Whatever the viewer asked for, the broker says that its stream isn't sealed.
#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_denies_the_seal_gets_no_picture_unless_the_customer_lets_it_in() {
    let mut broker = Broker::start().await;
    let (mut customer, mut live) = sharing(&mut broker).await;
    live.viewer("s", "control", false).await;
    let (mut socket, _) = broker.screen().await;
    join(&mut socket, "control").await;
    let banner = customer.banner(|banner| banner.newcomer.is_some()).await;
    let newcomer = banner.newcomer.unwrap();
    assert_eq!((newcomer.name.as_str(), newcomer.sealed), ("Anna s", false));
    assert!(banner.viewers.is_empty());
    customer.choose(Choice::Refuse(newcomer.id));
    nothing_but_the_end(socket).await;
    assert!(customer.told.try_recv().is_err(), "nothing was captured");
    // Trying again asks nobody again.
    live.viewer("t", "control", false).await;
    let (mut socket, _) = broker.screen().await;
    join(&mut socket, "control").await;
    nothing_but_the_end(socket).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_web_page_that_was_let_in_comes_back_without_a_question_and_is_said_to_be_open() {
    let mut broker = Broker::start().await;
    let (mut customer, mut live) = sharing(&mut broker).await;
    live.viewer("s", "watch", false).await;
    let (socket, _) = broker.screen().await;
    let viewer = tokio::spawn(Viewer::plain(socket, "watch"));
    let_in(&mut customer).await;
    let banner = customer.banner(|banner| !banner.viewers.is_empty()).await;
    assert_eq!(banner.viewers[0].words, None, "and so the banner says that it is open");
    drop(viewer.await.unwrap());
    customer.banner(|banner| banner.viewers.is_empty()).await;
    live.viewer("t", "watch", false).await;
    let (socket, _) = broker.screen().await;
    let _viewer = Viewer::plain(socket, "watch").await;
    let banner = customer.banner(|banner| !banner.viewers.is_empty()).await;
    assert_eq!(banner.newcomer, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_neighbour_with_the_pin_waits_even_with_a_sealed_stream() {
    let mut broker = Broker::start().await;
    let (mut customer, mut live) = sharing(&mut broker).await;
    live.announces("s", "control", true, Whose::Neighbours).await;
    let (socket, _) = broker.screen().await;
    let viewer = tokio::spawn(Viewer::sealed(socket, "control"));
    let banner = customer.banner(|banner| banner.newcomer.is_some()).await;
    let newcomer = banner.newcomer.unwrap();
    assert_eq!((newcomer.sealed, newcomer.invited), (true, false));
    assert!(banner.viewers.is_empty() && !viewer.is_finished());
    customer.choose(Choice::LetIn(newcomer.id));
    viewer.await.unwrap();
}

/// An answer that was meant for one viewer lets in no other.
#[tokio::test(flavor = "multi_thread")]
async fn a_late_click_lets_in_nobody_else() {
    let mut broker = Broker::start().await;
    let (mut customer, mut live) = sharing(&mut broker).await;
    live.viewer("s", "watch", false).await;
    let (mut socket, _) = broker.screen().await;
    join(&mut socket, "watch").await;
    let banner = customer.banner(|banner| banner.newcomer.is_some()).await;
    let first = banner.newcomer.unwrap().id;
    drop(socket);
    customer.banner(|banner| banner.newcomer.is_none()).await;
    // The same page, with more rights.
    live.viewer("t", "control", false).await;
    let (mut socket, _) = broker.screen().await;
    join(&mut socket, "control").await;
    let banner = customer.banner(|banner| banner.newcomer.is_some()).await;
    let second = banner.newcomer.unwrap().id;
    assert_ne!(first, second);
    customer.choose(Choice::LetIn(first));
    customer.choose(Choice::Refuse(second));
    nothing_but_the_end(socket).await;
}

/// It has seen the presenter's answer, by which it knows the words, and drops what doesn't suit it.
#[tokio::test(flavor = "multi_thread")]
async fn a_middle_that_drops_the_third_message_has_three_tries() {
    let mut broker = Broker::start().await;
    let (mut customer, mut live) = sharing(&mut broker).await;
    for _ in 0..3 {
        answered(&mut broker, &mut live).await;
    }
    assert_eq!(customer.ended().await, EndReason::Interfered);
    let told = live.hear().await;
    assert_eq!((&told["type"], &told["why"]), (&json!("leave"), &json!("interfered")));
}

/// Somebody who was given a link to watch is no danger to the sharing.
#[tokio::test(flavor = "multi_thread")]
async fn a_guests_broken_exchanges_end_its_own_access_and_not_the_sharing() {
    let mut broker = Broker::start().await;
    let (mut customer, mut live) = sharing(&mut broker).await;
    for _ in 0..3 {
        let mut socket = guest_begins(&mut broker, &mut live).await;
        assert!(socket.next().await.unwrap().unwrap().is_binary());
    }
    let banner = customer.banner(|banner| banner.notice.is_some()).await;
    assert!(banner.notice.unwrap().contains("shut out"));
    let fourth = guest_begins(&mut broker, &mut live).await;
    nothing_but_the_end(fourth).await;
    let _technician = joins(&mut broker, &mut live, "control").await;
    customer.banner(|banner| banner.viewers.len() == 1).await;
}

/// The customer is told which end has to be updated, and so is the viewer.
#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_of_another_version_is_told_so_and_the_customer_too() {
    let mut broker = Broker::start().await;
    let (mut customer, mut live) = sharing(&mut broker).await;
    for (length, said) in [(64, "their Deskhand is too old"), (200, "this program is too old")] {
        live.viewer("s", "control", true).await;
        let (mut socket, _) = broker.screen().await;
        join(&mut socket, "control").await;
        socket.send(Message::binary(vec![7; length])).await.unwrap();
        let told = socket.next().await.unwrap().unwrap();
        assert_eq!(told.into_data()[..], [0xfe, 2]);
        let is_told = |notice: &String| notice.contains(said);
        customer.banner(|banner| banner.notice.as_ref().is_some_and(is_told)).await;
    }
}

/// Losing the connection, which the broker can do at will, gives it no further tries.
#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_hangs_up_in_between_has_three_tries_as_well() {
    let mut broker = Broker::start().await;
    let (mut customer, mut live) = sharing(&mut broker).await;
    for _ in 0..2 {
        let socket = answered(&mut broker, &mut live).await;
        drop(live);
        customer.banner(|banner| banner.reconnecting).await;
        drop(socket);
        (live, _) = broker.welcomed().await;
        customer.banner(|banner| !banner.reconnecting).await;
    }
    answered(&mut broker, &mut live).await;
    assert_eq!(customer.ended().await, EndReason::Interfered);
}

/// Many at once are no more guesses: the second is answered only when the first is over.
#[tokio::test(flavor = "multi_thread")]
async fn exchanges_at_the_same_time_are_answered_one_by_one() {
    let mut broker = Broker::start().await;
    let (_customer, mut live) = sharing(&mut broker).await;
    let (mut first, mut second) =
        (begun(&mut broker, &mut live).await, begun(&mut broker, &mut live).await);
    let mut held = tokio::select! {
        _ = first.0.next() => first,
        _ = second.0.next() => { std::mem::swap(&mut first, &mut second); first }
    };
    live.tell(&json!({"type": "snapshot", "by": ""})).await;
    assert!(futures_util::FutureExt::now_or_never(second.0.next()).is_none());
    // One that gives up before its turn is let go at once.
    let (mut given_up, _) = begun(&mut broker, &mut live).await;
    given_up.close(None).await.unwrap();
    nothing_but_the_end(given_up).await;
    held.0.close(None).await.unwrap();
    assert!(second.0.next().await.unwrap().unwrap().is_binary());
}

/// A viewer that comes back after each outage is no attack.
#[tokio::test(flavor = "multi_thread")]
async fn outages_after_the_exchange_end_nothing() {
    let mut broker = Broker::start().await;
    let (mut customer, mut live) = sharing(&mut broker).await;
    for _ in 0..6 {
        live.viewer("s", "watch", true).await;
        let (socket, _) = broker.screen().await;
        let viewer = Viewer::sealed(socket, "watch").await;
        customer.banner(|banner| !banner.viewers.is_empty()).await;
        drop(viewer);
        customer.banner(|banner| banner.viewers.is_empty()).await;
    }
}

/// The broker carries the technician's answer, and can neither make one nor bend it.
#[tokio::test(flavor = "multi_thread")]
async fn only_the_technicians_own_console_lets_a_waiting_viewer_in() {
    let mut broker = Broker::start().await;
    let (mut customer, mut live) = sharing(&mut broker).await;
    let technician = joins(&mut broker, &mut live, "control").await;
    live.announces("n", "control", true, Whose::Neighbours).await;
    let (socket, _) = broker.screen().await;
    let neighbour = tokio::spawn(Viewer::sealed(socket, "control"));
    let waits = waiting(&mut live).await;
    assert_eq!((waits.name.as_str(), waits.sealed, waits.invited), ("Anna n", true, false));
    let own = technician.pairing();
    // What the technician was shown was another name; then by a key of the broker's own.
    let bent = WaitingViewer { name: "Ben".to_owned(), ..waits.clone() };
    live.tell(&lets_in(&own, &bent)).await;
    let strangers = Pairing::from_bytes(&[7; 32]).unwrap();
    let mut forged = lets_in(&strangers, &waits);
    live.tell(&forged).await;
    forged["pairing"] = json!(own.id().to_string());
    live.tell(&forged).await;
    live.tell(&json!({"type": "snapshot", "by": "x"})).await;
    customer.banner(|banner| banner.notice.is_some() && banner.newcomer.is_some()).await;
    assert!(!neighbour.is_finished());
    live.tell(&lets_in(&own, &waits)).await;
    let _watches = neighbour.await.unwrap();
    customer.banner(|banner| banner.newcomer.is_none() && banner.viewers.len() == 2).await;
}

/// Whoever has a link has a pairing too, and could be a friend of the one who waits.
#[tokio::test(flavor = "multi_thread")]
async fn a_guest_with_a_link_lets_nobody_in() {
    let mut broker = Broker::start().await;
    let (mut customer, mut live) = sharing(&mut broker).await;
    live.announces("g", "watch", true, Whose::Guests).await;
    let (socket, _) = broker.screen().await;
    let guest = Viewer::sealed(socket, "watch").await;
    live.announces("n", "control", true, Whose::Neighbours).await;
    let (socket, _) = broker.screen().await;
    let neighbour = tokio::spawn(Viewer::sealed(socket, "control"));
    let waits = waiting(&mut live).await;
    live.tell(&lets_in(&guest.pairing(), &waits)).await;
    live.tell(&json!({"type": "snapshot", "by": "x"})).await;
    let banner = customer.banner(|banner| banner.notice.is_some()).await;
    assert_eq!(banner.notice.as_deref(), Some("x saved a picture of your screen"));
    assert!(banner.newcomer.is_some() && !neighbour.is_finished());
}

/// Whoever has the PIN can bring such a question about. Only the customer's answer to it counts.
#[tokio::test(flavor = "multi_thread")]
async fn another_program_takes_over_only_if_the_customer_says_so() {
    let mut broker = Broker::start().await;
    let (mut customer, mut live) = sharing(&mut broker).await;
    live.tell(&json!({"type": "other_program"})).await;
    let first =
        customer.banner(|banner| banner.other_program.is_some()).await.other_program.unwrap();
    customer.choose(Choice::Stay(first));
    customer.banner(|banner| banner.other_program.is_none()).await;
    live.tell(&json!({"type": "other_program"})).await;
    let next =
        customer.banner(|banner| banner.other_program.is_some()).await.other_program.unwrap();
    // Late clicks on the first question answer nothing.
    customer.choose(Choice::Move(first));
    customer.choose(Choice::Stay(first));
    customer.choose(Choice::Pause);
    let still = customer.banner(|banner| banner.paused).await;
    assert_eq!(still.other_program, Some(next));
    assert_eq!(live.hear().await, json!({"type": "sharing", "state": "paused"}));
    customer.choose(Choice::Move(next));
    assert_eq!(live.hear().await, json!({"type": "leave", "why": "moved"}));
    assert_eq!(customer.ended().await, EndReason::Moved);
}

/// The viewer that waits, as the technician is told of it.
async fn waiting(live: &mut Live) -> WaitingViewer {
    loop {
        let told = live.hear().await;
        if told["type"] == "waiting" && !told["viewers"].as_array().unwrap().is_empty() {
            return serde_json::from_value(told["viewers"][0].clone()).unwrap();
        }
    }
}

/// An answer about the viewer that was `shown`, signed with `pairing`.
fn lets_in(pairing: &Pairing, shown: &WaitingViewer) -> Value {
    json!({
        "type": "admit", "challenge": shown.challenge, "lets_in": true,
        "pairing": pairing.id().to_string(), "signature": pairing.sign(&shown.answer_bytes(true)),
    })
}

/// A stream whose first message is on its way.
async fn begun(broker: &mut Broker, live: &mut Live) -> (Socket, Initiator) {
    live.viewer("s", "control", true).await;
    let (mut socket, _) = broker.screen().await;
    join(&mut socket, "control").await;
    let (initiator, first) = Initiator::start(Access::Control, Offer::default()).unwrap();
    socket.send(Message::binary(first)).await.unwrap();
    (socket, initiator)
}

async fn guest_begins(broker: &mut Broker, live: &mut Live) -> Socket {
    live.announces("g", "watch", true, Whose::Guests).await;
    let (mut socket, _) = broker.screen().await;
    join(&mut socket, "watch").await;
    let (_, first) = Initiator::start(Access::Watch, Offer::default()).unwrap();
    socket.send(Message::binary(first)).await.unwrap();
    socket
}

/// A stream whose exchange was answered and is then left alone: the socket ends with what holds it.
async fn answered(broker: &mut Broker, live: &mut Live) -> Socket {
    let (mut socket, _) = begun(broker, live).await;
    assert!(socket.next().await.unwrap().unwrap().is_binary());
    socket
}

async fn nothing_but_the_end(mut socket: Socket) {
    while let Some(Ok(message)) = socket.next().await {
        assert!(message.is_close() || message.is_ping() || message.is_pong(), "{message:?}");
    }
}
