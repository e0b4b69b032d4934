//! What is said beside pixels.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::time::Duration;

use rfb::{Cursor, Event, Limits, Picture, Png, ProtocolError, Rect, Server};
use viewer_tests::{ENCODINGS, Pixels, Told, Viewer, extended_cut_text, join, paint};

const PIXEL: &[u8] = include_bytes!("pixel.png");
const PNG: u32 = 1 << 15;
const CAPS_ALL: u32 = 0x1f00_0000;
const CAPS: u32 = 1 << 24;
const REQUEST: u32 = 1 << 25;
const NOTIFY: u32 = 1 << 27;
const PROVIDE: u32 = 1 << 28;

fn greet(bytes: &[u8]) -> (Vec<u8>, Result<(), ProtocolError>) {
    let mut server = Server::new(&Picture::new(4, 3), &[], "desk", Limits::default());
    server.take_output();
    let received = server.receive(bytes, Duration::ZERO, &mut Vec::new());
    (server.take_output(), received)
}

#[test]
fn every_version_of_the_protocol_is_greeted_its_own_way() {
    let init: Vec<u8> = [
        &[0, 4, 0, 3, 32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0, 0, 0, 0, 4][..],
        b"desk",
    ]
    .concat();
    let said = |bytes: &[u8]| greet(bytes).0;
    assert_eq!(said(b"RFB 003.003\n\x00"), [&[0, 0, 0, 1], &init[..]].concat());
    assert_eq!(said(b"RFB 003.005\n\x00"), [&[0, 0, 0, 1], &init[..]].concat());
    assert_eq!(said(b"RFB 003.007\n\x01\x00"), [&[1, 1], &init[..]].concat());
    assert_eq!(said(b"RFB 003.008\n\x01\x00"), [&[1, 1, 0, 0, 0, 0], &init[..]].concat());
    for wrong in [b"RFB 002.000\n", b"RFB 003.abc\n", b"GET / HTTP/1", b"RFB 003.008 "] {
        assert_eq!(greet(wrong).1, Err(ProtocolError::Version));
    }
    assert_eq!(greet(b"RFB 003.008\n\x02").1, Err(ProtocolError::Security));
}

#[test]
fn keys_and_pointer_arrive_in_their_order() {
    let (mut server, _) = join(&Picture::new(50, 50), Pixels::NOVNC, &ENCODINGS);
    let mut events = Vec::new();
    let said: &[&[u8]] = &[
        &[4, 1, 0, 0, 0, 0, 0xff, 0x0d],
        &[255, 0, 0, 0, 0, 0, 0, 97, 0, 0, 0, 0x1e],
        &[5, 0b101, 0, 7, 1, 2],
        &[5, 0x80 | 0b1, 0, 7, 0, 9, 0b11],
    ];
    server.receive(&said.concat(), Duration::ZERO, &mut events).unwrap();
    assert_eq!(
        events,
        [
            Event::Key { down: true, keysym: 0xff0d, scancode: None },
            Event::Key { down: false, keysym: 97, scancode: Some(0x1e) },
            Event::Pointer { x: 7, y: 258, buttons: 0b101 },
            Event::Pointer { x: 7, y: 9, buttons: 0b1_1000_0001 },
        ]
    );
    // Who never spoke of more buttons means the eighth.
    let (mut server, _) = join(&Picture::new(50, 50), Pixels::NOVNC, &[0]);
    events.clear();
    server.receive(&[5, 0x80, 0, 7, 0, 9], Duration::ZERO, &mut events).unwrap();
    assert_eq!(events, [Event::Pointer { x: 7, y: 9, buttons: 0x80 }]);
}

#[test]
fn the_viewer_learns_what_it_may_send() {
    let picture = Picture::new(50, 50);
    let (mut server, mut viewer) = join(&picture, Pixels::NOVNC, &ENCODINGS);
    viewer.settle(&mut server, &picture);
    assert!(viewer.told.contains(&Told::EndOfContinuousUpdates));
    assert!(viewer.told.contains(&Told::ExtendedKeys));
    assert!(viewer.told.contains(&Told::ExtendedButtons));
    let size =
        Told::Size { reason: 0, status: 0, size: (50, 50), monitors: vec![(7, [0, 0, 50, 50])] };
    assert!(viewer.told.contains(&size), "{:?}", viewer.told);
}

#[test]
fn an_unknown_message_ends_it() {
    let (mut server, _) = join(&Picture::new(5, 5), Pixels::NOVNC, &ENCODINGS);
    assert_eq!(
        server.receive(&[99], Duration::ZERO, &mut Vec::new()),
        Err(ProtocolError::Message(99))
    );
    let (mut server, _) = join(&Picture::new(5, 5), Pixels::NOVNC, &ENCODINGS);
    assert_eq!(
        server.receive(&[255, 1], Duration::ZERO, &mut Vec::new()),
        Err(ProtocolError::Message(255))
    );
    let (mut server, _) = join(&Picture::new(5, 5), Pixels::NOVNC, &ENCODINGS);
    let map = Pixels { bits: 24, ..Pixels::NOVNC }.message();
    assert_eq!(
        server.receive(&map, Duration::ZERO, &mut Vec::new()),
        Err(ProtocolError::PixelFormat)
    );
}

#[test]
fn a_viewer_that_asked_for_nothing_gets_nothing() {
    let mut picture = Picture::new(200, 200);
    let (mut server, mut viewer) = join(&picture, Pixels::NOVNC, &ENCODINGS);
    assert!(!server.wants_update(Duration::ZERO));
    assert_eq!(server.update(&picture, Duration::ZERO), None);
    assert_eq!(server.take_output(), []);
    viewer.settle(&mut server, &picture);
    paint(&mut picture, Rect::new(1, 1, 5, 5), 0xff_00_00);
    server.changed(&[Rect::new(140, 140, 3, 3)]);
    // The last request still waits; what was said to have changed hasn't.
    assert!(server.wants_update(Duration::ZERO));
    assert_eq!(server.update(&picture, Duration::ZERO), None);
    assert!(!server.wants_update(Duration::ZERO));
}

#[test]
fn at_most_so_many_updates_are_on_their_way() {
    let mut picture = Picture::new(50, 50);
    let (mut server, mut viewer) = join(&picture, Pixels::NOVNC, &ENCODINGS);
    viewer.settle(&mut server, &picture);
    let mut events = Vec::new();
    server
        .receive(&viewer_tests::continuous(true, [0, 0, 50, 50]), Duration::ZERO, &mut events)
        .unwrap();
    let mut numbers = Vec::new();
    for colour in 1..50 {
        paint(&mut picture, Rect::new(0, 0, 9, 9), colour);
        server.changed(&[picture.bounds()]);
        numbers.extend(server.update(&picture, Duration::ZERO));
    }
    assert_eq!(numbers.len(), Limits::default().in_flight);
    viewer.take(&mut server);
    events.clear();
    server.receive(&std::mem::take(&mut viewer.replies), Duration::ZERO, &mut events).unwrap();
    assert_eq!(events, numbers.iter().map(|n| Event::Arrived(*n)).collect::<Vec<_>>());
    assert!(server.wants_update(Duration::ZERO));
    server.update(&picture, Duration::ZERO);
    viewer.take(&mut server);
    assert_eq!(viewer.differs_at(&picture), None);
    server.receive(&viewer_tests::continuous(false, [0; 4]), Duration::ZERO, &mut events).unwrap();
    viewer.take(&mut server);
    assert_eq!(viewer.told.last(), Some(&Told::EndOfContinuousUpdates));
}

#[test]
fn a_fence_is_answered() {
    let (mut server, mut viewer) = join(&Picture::new(5, 5), Pixels::NOVNC, &ENCODINGS);
    let fence = [248, 0, 0, 0, 0x80, 0, 0, 0x13, 2, b'h', b'i'];
    server.receive(&fence, Duration::ZERO, &mut Vec::new()).unwrap();
    viewer.take(&mut server);
    assert_eq!(viewer.told.last(), Some(&Told::Fence(3, b"hi".to_vec())));
}

#[test]
fn another_size_is_refused_and_the_screen_s_own_told() {
    let picture = Picture::new(50, 40);
    let (mut server, mut viewer) = join(&picture, Pixels::NOVNC, &ENCODINGS);
    viewer.settle(&mut server, &picture);
    viewer.told.clear();
    let mut wanted = vec![251, 0, 0, 100, 0, 100, 1, 0];
    wanted.extend([0; 16]);
    server.receive(&wanted, Duration::ZERO, &mut Vec::new()).unwrap();
    viewer.settle(&mut server, &picture);
    let monitors = vec![(7, [0, 0, 50, 40])];
    assert_eq!(viewer.told, [Told::Size { reason: 1, status: 1, size: (50, 40), monitors }]);
}

#[test]
fn a_viewer_that_knows_no_other_size_keeps_its_own() {
    let picture = Picture::new(100, 80);
    let (mut server, mut viewer) = join(&picture, Pixels::NOVNC, &[0]);
    viewer.settle(&mut server, &picture);
    let mut other = Picture::new(60, 200);
    paint(&mut other, Rect::new(0, 0, 60, 200), 0x00_80_00);
    server.resized(&other, &[]);
    let mut expected = Picture::new(100, 80);
    paint(&mut expected, Rect::new(0, 0, 60, 80), 0x00_80_00);
    for _ in 0..2 {
        server.receive(&viewer.request(true), Duration::ZERO, &mut Vec::new()).unwrap();
        server.update(&other, Duration::ZERO);
        viewer.take(&mut server);
    }
    assert_eq!(viewer.differs_at(&expected), None);
}

#[test]
fn texts_are_exchanged_in_unicode_or_latin1() {
    let (mut server, mut viewer) = join(&Picture::new(5, 5), Pixels::NOVNC, &ENCODINGS);
    let mut events = Vec::new();
    let caps = viewer.told.iter().find_map(|told| match told {
        Told::ExtendedCutText(flags, sizes) => Some((*flags, sizes.len())),
        _ => None,
    });
    assert_eq!(caps, Some((0x1f00_8001, 8)));
    server.receive(&extended_cut_text(0x1f00_0001, &[0; 4]), Duration::ZERO, &mut events).unwrap();
    server.set_clipboard("Grüße\n→ λ");
    viewer.take(&mut server);
    assert_eq!(viewer.told.last(), Some(&Told::ExtendedCutText(NOTIFY | 1, Vec::new())));
    server.receive(&extended_cut_text(REQUEST | 1, &[]), Duration::ZERO, &mut events).unwrap();
    viewer.take(&mut server);
    let Some(Told::ExtendedCutText(flags, zipped)) = viewer.told.last() else {
        panic!("nothing provided")
    };
    assert_eq!(*flags, PROVIDE | 1);
    let mut text = Vec::with_capacity(1000);
    let mut zlib = flate2::Decompress::new(true);
    zlib.decompress_vec(zipped, &mut text, flate2::FlushDecompress::Sync).unwrap();
    assert_eq!(text[4..], *"Grüße\r\n→ λ\0".as_bytes());
    // And back: the viewer announces, is asked, and provides the very same.
    server.receive(&extended_cut_text(NOTIFY | 1, &[]), Duration::ZERO, &mut events).unwrap();
    let provided = extended_cut_text(PROVIDE | 1, zipped);
    viewer.take(&mut server);
    assert_eq!(viewer.told.last(), Some(&Told::ExtendedCutText(REQUEST | 1, Vec::new())));
    server.receive(&provided, Duration::ZERO, &mut events).unwrap();
    assert_eq!(events, [Event::Clipboard("Grüße\n→ λ".to_owned())]);
    assert_eq!(CAPS & 0x1f00_0001, CAPS);

    let (mut server, mut viewer) = join(&Picture::new(5, 5), Pixels::NOVNC, &[0]);
    server.set_clipboard("Grüße →");
    viewer.take(&mut server);
    assert_eq!(viewer.told, [Told::CutText(b"Gr\xfc\xdfe ?".to_vec())]);
    events.clear();
    server.receive(&viewer_tests::cut_text(b"\xfc\n"), Duration::ZERO, &mut events).unwrap();
    assert_eq!(events, [Event::Clipboard("ü\n".to_owned())]);
}

#[test]
fn a_picture_goes_to_who_takes_pictures_and_is_announced_to_the_others() {
    let pixel = Png::new(PIXEL).unwrap();
    for (caps, announced) in [(CAPS_ALL | 1, NOTIFY | 1 << 3), (CAPS_ALL | PNG | 1, NOTIFY | PNG)] {
        let (mut server, mut viewer) = join(&Picture::new(5, 5), Pixels::NOVNC, &ENCODINGS);
        let mut events = Vec::new();
        server.receive(&extended_cut_text(caps, &[0; 8]), Duration::ZERO, &mut events).unwrap();
        server.set_clipboard_picture(&pixel);
        viewer.take(&mut server);
        assert_eq!(viewer.told.last(), Some(&Told::ExtendedCutText(announced, Vec::new())));
        viewer.told.clear();
        server
            .receive(&extended_cut_text(REQUEST | PNG, &[]).repeat(3), Duration::ZERO, &mut events)
            .unwrap();
        viewer.take(&mut server);
        let provided = Told::ExtendedCutText(PROVIDE | PNG, PIXEL.to_vec());
        assert_eq!(viewer.told, if caps & PNG == 0 { vec![] } else { vec![provided] });
        assert_eq!(events, []);
    }
}

#[test]
fn a_picture_of_the_viewer_comes_as_it_is_sent_if_it_is_not_too_large() {
    let limits = Limits { picture: 5000, ..Limits::default() };
    let mut server = Server::new(&Picture::new(4, 3), &[], "desk", limits);
    let mut viewer = Viewer::join(&mut server, Pixels::NOVNC, &ENCODINGS);
    let mut events = Vec::new();
    let picture = vec![7; 5000];
    for piece in extended_cut_text(PROVIDE | PNG, &picture).chunks(300) {
        server.receive(piece, Duration::ZERO, &mut events).unwrap();
    }
    assert_eq!(std::mem::take(&mut events), [Event::Picture(picture)]);
    server
        .receive(&extended_cut_text(PROVIDE | PNG, &[7; 5001]), Duration::ZERO, &mut events)
        .unwrap();
    // Two things in one message are none that this format has.
    server
        .receive(&extended_cut_text(PROVIDE | PNG | 1, PIXEL), Duration::ZERO, &mut events)
        .unwrap();
    assert_eq!(events, []);
    viewer.take(&mut server);
}

#[test]
fn a_broken_text_is_dropped() {
    let (mut server, _) = join(&Picture::new(5, 5), Pixels::NOVNC, &ENCODINGS);
    let mut events = Vec::new();
    for body in [&b""[..], b"no zlib", &[0x78, 0x9c, 0xff, 0xff]] {
        server.receive(&extended_cut_text(PROVIDE | 1, body), Duration::ZERO, &mut events).unwrap();
    }
    server
        .receive(&[6, 0, 0, 0, 0xff, 0xff, 0xff, 0xfe, 1, 2], Duration::ZERO, &mut events)
        .unwrap();
    assert_eq!(events, []);
}

#[test]
fn the_pointer_s_shape_comes_as_the_viewer_takes_it() {
    let picture = Picture::new(5, 5);
    // A red pixel that is half there, and a black one that isn't.
    let pixels = vec![0, 0, 255, 128, 0, 0, 0, 0];
    let cursor = Cursor { width: 2, height: 1, hot_x: 1, hot_y: 0, pixels };
    let cases: [(&[i32], i32, &[u8]); 4] = [
        (&[-239, -240], -239, &[255, 0, 0, 0, 0, 0, 0, 0, 0b1000_0000]),
        (&[-240], -240, &[0, 0, 0, 255, 255, 255, 0b0100_0000, 0b1000_0000]),
        (&[-239, 0x574d_5664], 0x574d_5664, &[1, 0, 255, 0, 0, 128, 0, 0, 0, 0]),
        (&[-314, -239, 0x574d_5664], -314, &[0, 0, 0, 0, 128, 0, 0, 128, 0, 0, 0, 0]),
    ];
    for (encodings, encoding, bytes) in cases {
        let (mut server, mut viewer) = join(&picture, Pixels::NOVNC, encodings);
        server.set_cursor(&cursor);
        viewer.settle(&mut server, &picture);
        let shape = Told::Cursor { encoding, hot: (1, 0), size: (2, 1), bytes: bytes.to_vec() };
        assert_eq!(viewer.told, [shape]);
        viewer.told.clear();
        // A shape whose pixels are missing is no shape.
        server.set_cursor(&Cursor { width: 9, ..cursor.clone() });
        viewer.settle(&mut server, &picture);
        assert!(
            matches!(viewer.told[..], [Told::Cursor { size: (0, 0), .. }]),
            "{:?}",
            viewer.told
        );
    }
}
