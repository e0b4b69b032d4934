//! Streams: a viewer's socket and the presenter's, spliced.
#![allow(clippy::unwrap_used)]

mod common;

use std::time::Duration;

use broker::Rate;
use common::{Page, Rig, Stream, broker, broker_with, endpoint, present};
use futures_util::SinkExt as _;
use serde_json::json;
use tokio::{io::AsyncWriteExt as _, time::timeout};
use tokio_tungstenite::{MaybeTlsStream, tungstenite::Message};

/// More than the buffers of the system and of the broker hold together, many times over.
const FLOOD: usize = 256 * 1024 * 1024;
/// What those buffers may hold.
const BUFFERED: usize = 48 * 1024 * 1024;

async fn session(rig: &Rig) -> (String, Page, Page) {
    let pin = rig.mint().await;
    let presenter = rig.program(&pin).await;
    let viewer = rig.page(&pin, "viewers").await;
    (pin, presenter, viewer)
}

#[tokio::test]
async fn what_one_end_says_the_other_hears_byte_for_byte() {
    let rig = broker().await;
    let (_, mut presenter, viewer) = session(&rig).await;
    let (mut seen, mut shown) = Stream::pair(&rig, &viewer, &mut presenter).await;
    shown.send(b"RFB 003.008\n".to_vec()).await;
    assert_eq!(seen.bytes().await, b"RFB 003.008\n");
    let large: Vec<u8> = (0..256 * 1024).map(|i| (i % 251) as u8).collect();
    seen.send(large.clone()).await;
    assert_eq!(shown.bytes().await, large);
    seen.send(Vec::new()).await;
    assert!(shown.bytes().await.is_empty());
}

#[tokio::test]
async fn the_presenter_is_told_who_wants_to_see_and_may_do_what() {
    let rig = broker().await;
    let pin = rig.mint().await;
    let mut presenter = rig.program(&pin).await;
    let mut viewer = Page::connect(&rig, uuid::Uuid::new_v4()).await;
    let hello = json!({ "session_pin": pin, "side": "viewers", "name": "Anna", "ro": true });
    viewer.greet(&hello).await;
    let mut watch = viewer.watch();
    watch["sealed"] = json!(true);
    let mut seen = Stream::open(rig.running.origin(), &watch).await;
    let told = presenter.next_of("viewer").await;
    assert_eq!(
        (&told["name"], &told["role"], &told["sealed"], &told["page"]),
        (&json!("Anna"), &json!("watch"), &json!(true), &viewer.welcome["you"])
    );
    let mut shown = Stream::open(rig.running.origin(), &present(&told)).await;
    assert_eq!(shown.answer().await, json!({ "type": "joined", "role": "watch" }));
    assert_eq!(seen.answer().await, json!({ "type": "joined", "role": "watch" }));
    let roster = presenter.roster_where(|roster| roster["watchers"][0]["watching"] == true).await;
    assert_eq!(roster["watchers"][0]["sealed"], true);
    drop(seen);
    assert_eq!(shown.end().await, "left");
    presenter.roster_where(|roster| roster["watchers"][0]["watching"] == false).await;
}

#[tokio::test]
async fn a_stream_ends_with_the_live_connection_of_either_end() {
    for leaves in ["viewer", "presenter"] {
        let rig = broker().await;
        let (_, mut presenter, viewer) = session(&rig).await;
        let (mut seen, mut shown) = Stream::pair(&rig, &viewer, &mut presenter).await;
        let (gone, _stays) =
            if leaves == "viewer" { (viewer, presenter) } else { (presenter, viewer) };
        gone.close(&rig).await;
        assert_eq!(seen.end().await, "line_ended");
        assert_eq!(shown.end().await, "line_ended");
    }
}

#[tokio::test]
async fn a_stream_ends_when_the_pin_is_revoked_or_over() {
    for revoked in [true, false] {
        let rig = broker().await;
        let (pin, mut presenter, viewer) = session(&rig).await;
        let (mut seen, mut shown) = Stream::pair(&rig, &viewer, &mut presenter).await;
        if revoked {
            rig.post("/x/revoke", &json!({ "session_pin": pin })).await;
        } else {
            // Something is said now and then, so that it isn't silence that ends it.
            for _ in 0..60 {
                seen.send(vec![1]).await;
                shown.bytes().await;
                rig.advance(Duration::from_secs(24 * 60)).await;
            }
        }
        assert_eq!(seen.end().await, "line_ended");
        assert_eq!(shown.end().await, "line_ended");
    }
}

#[tokio::test]
async fn a_stream_on_which_nothing_is_said_for_half_an_hour_ends() {
    let rig = broker().await;
    let (_, mut presenter, viewer) = session(&rig).await;
    let (mut seen, mut shown) = Stream::pair(&rig, &viewer, &mut presenter).await;
    rig.advance(Duration::from_secs(1_799)).await;
    seen.send(vec![1]).await;
    assert_eq!(shown.bytes().await, [1]);
    rig.advance(Duration::from_secs(1_799)).await;
    shown.send(vec![2]).await;
    assert_eq!(seen.bytes().await, [2]);
    rig.advance(Duration::from_secs(1_800)).await;
    assert_eq!(seen.end().await, "idle");
    assert_eq!(shown.end().await, "idle");
}

#[tokio::test]
async fn a_page_has_one_stream_and_a_new_one_takes_its_place() {
    let rig = broker().await;
    let (_, mut presenter, viewer) = session(&rig).await;
    let (mut first, _other_end) = Stream::pair(&rig, &viewer, &mut presenter).await;
    let (mut seen, mut shown) = Stream::pair(&rig, &viewer, &mut presenter).await;
    assert_eq!(first.end().await, "replaced");
    shown.send(vec![7]).await;
    assert_eq!(seen.bytes().await, [7]);
}

#[tokio::test]
async fn a_presenter_that_does_not_dial_within_10_s_is_not_waited_for() {
    let rig = broker().await;
    let (_, mut presenter, viewer) = session(&rig).await;
    let mut seen = Stream::open(rig.running.origin(), &viewer.watch()).await;
    let told = presenter.next_of("viewer").await;
    rig.advance(Duration::from_secs(10)).await;
    assert_eq!(seen.answer().await["code"], "timeout");
    assert_eq!(seen.end().await, "refused");
    let mut late = Stream::open(rig.running.origin(), &present(&told)).await;
    assert_eq!(late.answer().await["code"], "unknown");
}

#[tokio::test]
async fn a_streams_secret_works_once() {
    let rig = broker().await;
    let (_, mut presenter, viewer) = session(&rig).await;
    let mut seen = Stream::open(rig.running.origin(), &viewer.watch()).await;
    let told = presenter.next_of("viewer").await;
    let mut shown = Stream::open(rig.running.origin(), &present(&told)).await;
    assert_eq!(shown.answer().await["type"], "joined");
    assert_eq!(seen.answer().await["type"], "joined");
    let mut again = Stream::open(rig.running.origin(), &present(&told)).await;
    assert_eq!(again.answer().await["code"], "unknown");
    shown.send(vec![1]).await;
    assert_eq!(seen.bytes().await, [1]);
}

#[tokio::test]
async fn a_plain_page_as_presenter_shares_nothing() {
    let rig = broker().await;
    let pin = rig.mint().await;
    let _presenter = rig.page(&pin, "presenter").await;
    let viewer = rig.page(&pin, "viewers").await;
    let mut seen = Stream::open(rig.running.origin(), &viewer.watch()).await;
    assert_eq!(seen.answer().await["code"], "no_presenter");
}

#[tokio::test]
async fn a_wrong_first_message_is_refused_and_text_on_a_stream_ends_it() {
    let rig = broker().await;
    for hello in [
        json!({ "type": "watch" }),
        json!({ "type": "watch", "key": 7 }),
        json!([]),
        json!({ "type": "nonsense" }),
    ] {
        let mut stream = Stream::open(rig.running.origin(), &hello).await;
        assert_eq!(stream.answer().await["code"], "malformed", "{hello}");
    }
    let (_, mut presenter, viewer) = session(&rig).await;
    let (mut seen, mut shown) = Stream::pair(&rig, &viewer, &mut presenter).await;
    seen.0.send(Message::text("hello")).await.unwrap();
    assert_eq!(shown.end().await, "malformed");
}

#[tokio::test]
async fn a_message_over_256_kib_ends_the_stream() {
    let rig = broker().await;
    let (_, mut presenter, viewer) = session(&rig).await;
    let (seen, mut shown) = Stream::pair(&rig, &viewer, &mut presenter).await;
    // The broker may have hung up before all of it is written.
    let _ = { seen }.0.send(Message::binary(vec![0; 256 * 1024 + 1])).await;
    assert_eq!(shown.end().await, "left");
}

#[tokio::test]
async fn a_length_that_lies_ends_the_stream_before_anything_is_held_for_it() {
    let rig = broker().await;
    let (_, mut presenter, viewer) = session(&rig).await;
    let (mut seen, mut shown) = Stream::pair(&rig, &viewer, &mut presenter).await;
    let MaybeTlsStream::Plain(socket) = seen.0.get_mut() else { panic!("plain, on loopback") };
    // Binary, masked, and 2^62 bytes long, none of which ever comes.
    let header = [&[0x82, 0xff, 0x40, 0, 0, 0, 0, 0, 0, 0][..], &[1, 2, 3, 4]].concat();
    socket.write_all(&header).await.unwrap();
    assert_eq!(shown.end().await, "left");
}

#[tokio::test]
async fn a_viewers_key_dies_with_its_live_connection() {
    let rig = broker().await;
    let (pin, mut presenter, viewer) = session(&rig).await;
    let watch = viewer.watch();
    viewer.close(&rig).await;
    let mut seen = Stream::open(rig.running.origin(), &watch).await;
    assert_eq!(seen.answer().await["code"], "unknown");
    let again = rig.page(&pin, "viewers").await;
    Stream::pair(&rig, &again, &mut presenter).await;
}

#[tokio::test]
async fn a_page_may_not_ask_for_streams_without_end() {
    let rig = broker_with(|config| config.rates.local.streams = Rate::new(2, 60)).await;
    let (_, mut presenter, viewer) = session(&rig).await;
    for _ in 0..2 {
        Stream::pair(&rig, &viewer, &mut presenter).await;
    }
    let mut third = Stream::open(rig.running.origin(), &viewer.watch()).await;
    assert_eq!(third.answer().await["code"], "too_many");
}

#[tokio::test]
async fn a_viewer_that_never_reads_slows_nobody_and_fills_no_memory() {
    let rig = broker().await;
    let (pin, mut presenter, frozen) = session(&rig).await;
    let lively = rig.page(&pin, "viewers").await;
    let (_never_read, mut to_frozen) = Stream::pair(&rig, &frozen, &mut presenter).await;
    let (mut seen, mut shown) = Stream::pair(&rig, &lively, &mut presenter).await;

    let piece = vec![0x5a; 64 * 1024];
    let mut taken = 0;
    while taken < FLOOD {
        let send = to_frozen.0.send(Message::binary(piece.clone()));
        // Taken at once as long as there is room anywhere; afterwards never.
        if timeout(Duration::from_secs(2), send).await.is_err() {
            break;
        }
        taken += piece.len();
    }
    assert!(taken < BUFFERED, "{taken} bytes were taken for a viewer that reads none");

    for round in 0..200_u8 {
        shown.send(vec![round; 32 * 1024]).await;
        assert_eq!(seen.bytes().await, vec![round; 32 * 1024]);
        seen.send(vec![round]).await;
        assert_eq!(shown.bytes().await, [round]);
    }
    let roster = rig.page(&pin, "viewers").await.welcome["watchers"].clone();
    let watching = roster.as_array().unwrap().iter().filter(|one| one["watching"] == true).count();
    assert_eq!(watching, 2, "the frozen one still has its stream: {roster}");
}

#[tokio::test]
async fn a_stream_of_somebody_on_the_network_ends_when_that_endpoint_closes() {
    let mut rig = broker().await;
    rig.running.open_to_network(endpoint()).await.unwrap();
    let door = rig.handle().customers_origin();
    let (_, mut presenter, viewer) = session(&rig).await;
    let mut seen = Stream::open(rig.running.origin(), &viewer.watch()).await;
    let told = presenter.next_of("viewer").await;
    let mut shown = Stream::open(&door, &present(&told)).await;
    assert_eq!(shown.answer().await["type"], "joined");
    assert_eq!(seen.answer().await["type"], "joined");
    rig.running.close_to_network().await;
    assert_eq!(seen.end().await, "line_ended");
    assert_eq!(shown.end().await, "line_ended");
}
