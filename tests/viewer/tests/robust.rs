//! No bytes of a viewer make the server panic, hold much, or depend on where they were split.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::time::Duration;

use proptest::prelude::*;
use rfb::{Event, Limits, Monitor, Picture, ProtocolError, Rect, Server};
use viewer_tests::{Pixels, Told, join, paint};

const LIMITS: Limits = Limits { clipboard: 4096, picture: 4096, in_flight: 2 };
/// SetEncodings is the longest message that is taken whole: 65,535 numbers.
const MOST_HELD: usize = 2 * (65_535 * 4 + 4) + 64 * 1024;

fn server() -> Server {
    let mut server = Server::new(&Picture::new(200, 100), &[], "desk", LIMITS);
    server.set_clipboard("a text");
    server
}

/// What came of it all: what was heard, what was said, and how it ended.
type Outcome = (Vec<Event>, Vec<u8>, Result<(), ProtocolError>);

fn outcome(pieces: &[&[u8]]) -> Outcome {
    let (mut server, mut events) = (server(), Vec::new());
    for piece in pieces {
        let received = server.receive(piece, Duration::ZERO, &mut events);
        assert!(server.buffered_bytes() < MOST_HELD, "it holds {}", server.buffered_bytes());
        if received.is_err() {
            return (events, server.take_output(), received);
        }
    }
    (events, server.take_output(), Ok(()))
}

/// Bytes that get somewhere: mostly messages, some of them broken, some of them lies.
fn message() -> impl Strategy<Value = Vec<u8>> {
    let any_after = |kind: u8, n: usize| {
        proptest::collection::vec(any::<u8>(), n)
            .prop_map(move |rest| [&[kind], &rest[..]].concat())
    };
    let encodings = prop_oneof![
        any::<i32>(),
        proptest::sample::select(viewer_tests::ENCODINGS.to_vec()),
        -320..0_i32
    ];
    prop_oneof![
        any_after(0, 19),
        Just(Pixels::NOVNC.message()),
        proptest::collection::vec(encodings, 0..20)
            .prop_map(|list| viewer_tests::set_encodings(&list)),
        any_after(3, 9),
        any_after(4, 7),
        any_after(5, 6),
        proptest::collection::vec(any::<u8>(), 0..40)
            .prop_map(|body| viewer_tests::cut_text(&body)),
        (any::<u32>(), proptest::collection::vec(any::<u8>(), 0..40))
            .prop_map(|(flags, body)| viewer_tests::extended_cut_text(flags, &body)),
        any_after(6, 7),
        any_after(150, 9),
        (any::<u32>(), proptest::collection::vec(any::<u8>(), 0..64)).prop_map(
            |(flags, payload)| {
                let mut bytes = vec![248, 0, 0, 0];
                bytes.extend(flags.to_be_bytes());
                bytes.push(payload.len() as u8);
                bytes.extend(payload);
                bytes
            }
        ),
        any_after(251, 30),
        any_after(255, 11),
        proptest::collection::vec(any::<u8>(), 0..20),
    ]
}

fn conversation() -> impl Strategy<Value = Vec<u8>> {
    let greeting = prop_oneof![
        Just(b"RFB 003.008\n\x01\x01".to_vec()),
        Just(b"RFB 003.007\n\x01\x00".to_vec()),
        Just(b"RFB 003.003\n\x01".to_vec()),
        proptest::collection::vec(any::<u8>(), 0..20),
    ];
    (greeting, proptest::collection::vec(message(), 0..12))
        .prop_map(|(greeting, messages)| [greeting, messages.concat()].concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn where_bytes_are_split_makes_no_difference(bytes in conversation()) {
        let whole = outcome(&[&bytes]);
        let single: Vec<&[u8]> = bytes.chunks(1).collect();
        prop_assert_eq!(&outcome(&single), &whole);
        for at in 0..bytes.len() {
            prop_assert_eq!(&outcome(&[&bytes[..at], &bytes[at..]]), &whole, "split at {}", at);
        }
    }

    #[test]
    fn whatever_it_says_updates_are_made(
        conversation in proptest::collection::vec(message(), 1..30),
        sizes in proptest::collection::vec((0..300_u16, 0..200_u16), 1..6),
    ) {
        let (mut server, mut events) = (server(), Vec::new());
        server.receive(b"RFB 003.008\n\x01\x01", Duration::ZERO, &mut events).unwrap();
        for (at, message) in conversation.iter().enumerate() {
            let (w, h) = sizes[at % sizes.len()];
            let mut picture = Picture::new(w, h);
            viewer_tests::noise(&mut picture, Rect::new(0, 0, w, h), at as u64);
            server.resized(&picture, &[]);
            let received = server.receive(message, Duration::ZERO, &mut events);
            server.update(&picture, Duration::ZERO);
            server.changed(&[Rect::new(0xffff, 0xffff, 0xffff, 0xffff), Rect::new(0, 0, 0xffff, 1)]);
            server.update(&Picture::new(w / 2 + 1, h), Duration::ZERO);
            server.take_output();
            if received.is_err() {
                break;
            }
        }
    }
}

#[test]
fn lengths_that_lie_cost_nothing() {
    let (mut server, mut events) = (server(), Vec::new());
    server.receive(b"RFB 003.008\n\x01\x01", Duration::ZERO, &mut events).unwrap();
    // A clipboard of two gigabytes, of which a lot comes, and then a key.
    server.receive(&[6, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff], Duration::ZERO, &mut events).unwrap();
    for _ in 0..100 {
        server.receive(&[b'x'; 100_000], Duration::ZERO, &mut events).unwrap();
        assert!(server.buffered_bytes() < MOST_HELD);
    }
    assert_eq!(events, []);
    assert_eq!(
        server.receive(&[248, 0, 0, 0, 0, 0, 0, 0, 65], Duration::ZERO, &mut events),
        Ok(()),
        "still passed over"
    );
    let (mut server, mut events) = (self::server(), Vec::new());
    server.receive(b"RFB 003.008\n\x01\x01", Duration::ZERO, &mut events).unwrap();
    let long = viewer_tests::cut_text(&[b'x'; 5000]);
    server
        .receive(&[long, vec![4, 1, 0, 0, 0, 0, 0, 97]].concat(), Duration::ZERO, &mut events)
        .unwrap();
    assert_eq!(events, [Event::Key { down: true, keysym: 97, scancode: None }]);
    let fence = [248, 0, 0, 0, 0, 0, 0, 0, 65];
    assert_eq!(server.receive(&fence, Duration::ZERO, &mut events), Err(ProtocolError::TooLong));
}

#[test]
fn a_clipboard_that_unpacks_to_gigabytes_is_dropped() {
    let (mut server, mut viewer) =
        join(&Picture::new(9, 9), Pixels::NOVNC, &viewer_tests::ENCODINGS);
    let mut events = Vec::new();
    for claimed in [0xffff_ffff_u32, 100] {
        let mut data = claimed.to_be_bytes().to_vec();
        data.resize(50_000_000, b'x');
        let mut zlib = flate2::Compress::new(flate2::Compression::new(9), true);
        let mut zipped = Vec::with_capacity(1_000_000);
        zlib.compress_vec(&data, &mut zipped, flate2::FlushCompress::Sync).unwrap();
        let message = viewer_tests::extended_cut_text(1 << 28 | 1, &zipped);
        server.receive(&message, Duration::ZERO, &mut events).unwrap();
    }
    assert_eq!(events, [Event::Clipboard("x".repeat(100))], "only what was claimed is unpacked");
    viewer.take(&mut server);
}

#[test]
fn asking_for_the_clipboard_again_and_again_costs_one_answer() {
    let (mut server, mut viewer) =
        join(&Picture::new(9, 9), Pixels::NOVNC, &viewer_tests::ENCODINGS);
    let mut events = Vec::new();
    server
        .receive(
            &viewer_tests::extended_cut_text(0x1f00_0001, &[0; 4]),
            Duration::ZERO,
            &mut events,
        )
        .unwrap();
    server.set_clipboard(&"long ".repeat(10_000));
    let ask = viewer_tests::extended_cut_text(1 << 25 | 1, &[]);
    server.receive(&ask.repeat(1000), Duration::ZERO, &mut events).unwrap();
    viewer.take(&mut server);
    let is_answer = |told: &&Told| matches!(told, Told::ExtendedCutText(0x1000_0001, _));
    assert_eq!(viewer.told.iter().filter(is_answer).count(), 1);
}

#[test]
fn looking_and_asking_again_and_again_fills_no_memory() {
    let (mut server, mut viewer) =
        join(&Picture::new(9, 9), Pixels::NOVNC, &viewer_tests::ENCODINGS);
    let mut events = Vec::new();
    server
        .receive(
            &viewer_tests::extended_cut_text(0x1f00_0001, &[0; 4]),
            Duration::ZERO,
            &mut events,
        )
        .unwrap();
    let mut noise = 1_u32;
    // It stays longer than what may wait, even compressed.
    let text = (0..200_000).map(|_| {
        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        char::from(b'0' + (noise >> 24) as u8 % 64)
    });
    server.set_clipboard(&text.collect::<String>());
    let [look, ask] = [26, 25].map(|bit| viewer_tests::extended_cut_text(1 << bit | 1, &[]));
    let both = [look, ask].concat();
    let is_answer = |told: &&Told| matches!(told, Told::ExtendedCutText(0x1000_0001, _));
    viewer.take(&mut server);
    // Once what waited is gone, it is answered again.
    for _ in 0..2 {
        viewer.told.clear();
        server.receive(&both.repeat(100), Duration::ZERO, &mut events).unwrap();
        viewer.take(&mut server);
        assert_eq!(viewer.told.iter().filter(is_answer).count(), 1);
    }
}

#[test]
fn the_smallest_and_the_largest_screen() {
    for (w, h) in [(1, 1), (7680, 4320), (1, 4320), (65_535, 1)] {
        let mut picture = Picture::new(w, h);
        paint(&mut picture, Rect::new(0, 0, w, 1), 0x12_34_56);
        let (mut server, mut viewer) = join(&picture, Pixels::NOVNC, &viewer_tests::ENCODINGS);
        viewer.settle(&mut server, &picture);
        assert_eq!(viewer.differs_at(&picture), None, "{w}x{h}");
    }
}

#[test]
fn two_hundred_monitors_and_more() {
    let picture = Picture::new(400, 300);
    let monitor = |id: u32| Monitor { id, area: Rect::new(id as u16, 0, 1, 300) };
    let (mut server, mut viewer) = join(&picture, Pixels::NOVNC, &viewer_tests::ENCODINGS);
    viewer.settle(&mut server, &picture);
    for count in [200, 300] {
        let monitors: Vec<_> = (0..count).map(monitor).collect();
        server.resized(&picture, &monitors);
        viewer.told.clear();
        viewer.settle(&mut server, &picture);
        let [Told::Size { reason: 0, status: 0, size: (400, 300), monitors }] = &viewer.told[..]
        else {
            panic!("{:?}", viewer.told);
        };
        assert_eq!(monitors.len(), count.min(255) as usize);
        assert_eq!(monitors[199], (199, [199, 0, 1, 300]));
    }
}
