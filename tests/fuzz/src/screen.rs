//! A stream's bytes: the seal, and the RFB inside of it.

use std::time::Duration;

use rfb::{Limits, Picture, Png, Rect, Server};
use seal::{Access, Initiator, Offer, Responder};

use viewer_tests::{ENCODINGS, Pixels, Viewer};

const LIMITS: Limits = Limits { clipboard: 4096, picture: 4096, in_flight: 2 };
/// SetEncodings is the longest message that is taken whole: 65,535 numbers.
const MOST_HELD: usize = 2 * (65_535 * 4 + 4) + 64 * 1024;

/// What a viewer sends. The first byte says how it is cut into pieces.
pub fn fuzz_rfb_server(data: &[u8]) {
    let Some((&piece, rest)) = data.split_first() else { return };
    let mut picture = Picture::new(64, 48);
    let mut server = Server::new(&picture, &[], "desk", LIMITS);
    server.set_clipboard("a text");
    let mut events = Vec::new();
    for (turn, bytes) in rest.chunks(usize::from(piece).max(1)).enumerate() {
        if server.receive(bytes, Duration::from_millis(turn as u64 * 40), &mut events).is_err() {
            return;
        }
        assert!(server.buffered_bytes() < MOST_HELD, "it holds {}", server.buffered_bytes());
        if turn % 3 == 0 {
            let at = turn * 29 % picture.pixels().len();
            picture.pixels_mut()[at] ^= 0x5a;
            server.changed(&[Rect { x: 0, y: 0, w: 64, h: 48 }]);
        }
        server.take_output();
    }
}

/// A picture for a clipboard: a whole file, or, where the first byte is odd, chunks whose lengths and sums are right.
pub fn fuzz_png(data: &[u8]) {
    let Some((&kind, rest)) = data.split_first() else { return };
    let file = if kind % 2 == 0 { rest.to_vec() } else { chunks(rest) };
    if let Ok(png) = Png::new(&file) {
        assert_eq!(Png::new(png.bytes()).as_ref(), Ok(&png), "what was taken is sound");
    }
}

fn chunks(mut data: &[u8]) -> Vec<u8> {
    const NAMES: [&[u8; 4]; 6] = [b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND", b"tEXt"];
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    while let [name, length, rest @ ..] = data {
        let (content, after) = rest.split_at(usize::from(*length).min(rest.len()));
        let checked = [NAMES[usize::from(*name) % NAMES.len()], content].concat();
        let mut crc = flate2::Crc::new();
        crc.update(&checked);
        file.extend((content.len() as u32).to_be_bytes());
        file.extend(checked);
        file.extend(crc.sum().to_be_bytes());
        data = after;
    }
    file
}

/// A sealed stream's three messages, and what follows them.
pub fn fuzz_seal(data: &[u8]) {
    let Ok(responder) = Responder::new(Access::Watch) else { return };
    let _ = responder.answer(data, |_| None).map(|(waiting, _)| waiting.finish(data));
    let Ok((initiator, first)) = Initiator::start(Access::Watch, Offer::default()) else { return };
    let _ = initiator.finish(data);
    let Ok(responder) = Responder::new(Access::Watch) else { return };
    let Ok((waiting, _)) = responder.answer(&first, |_| None) else {
        panic!("it refuses what we begin")
    };
    assert!(waiting.finish(data).is_err(), "nobody guesses the third message");
}

/// What a screen shows, to a viewer that knows the specifications and none of the server's code. The first two bytes
/// say which encodings it takes; each six after that fill an area.
pub fn fuzz_rfb_client(data: &[u8]) {
    let Some((mask, drawn)) = data.split_first_chunk::<2>() else { return };
    let mask = u16::from_le_bytes(*mask);
    let taken = ENCODINGS.iter().enumerate().filter(|(at, _)| mask >> at & 1 == 1);
    let encodings: Vec<i32> = taken.map(|(_, encoding)| *encoding).collect();
    let mut picture = Picture::new(64, 48);
    let mut server = Server::new(&picture, &[], "desk", LIMITS);
    let mut viewer = Viewer::join(&mut server, Pixels::NOVNC, &encodings);
    for area in drawn.chunks_exact(6).take(16) {
        fill(&mut picture, area);
        server.changed(&[Rect { x: 0, y: 0, w: 64, h: 48 }]);
        viewer.settle(&mut server, &picture);
    }
}

fn fill(picture: &mut Picture, area: &[u8]) {
    let [x, y, w, h, colour, noise] = *area else { return };
    let (x, y) = (usize::from(x) % 64, usize::from(y) % 48);
    let (right, bottom) = ((x + usize::from(w)).min(64), (y + usize::from(h)).min(48));
    for row in y..bottom {
        for column in x..right {
            let at = (row * 64 + column) * 4;
            let shade = colour.wrapping_add(noise.wrapping_mul((row * 7 + column * 13) as u8));
            picture.pixels_mut()[at..at + 3].copy_from_slice(&[shade, colour, noise]);
        }
    }
}

/// What other programs on the customer's display say when the clipboard is read.
pub fn fuzz_selection(data: &[u8]) {
    presenter::fuzzing::selection(data);
}

/// The picture that a viewer window's page hands in to be saved.
pub fn fuzz_viewer_picture(data: &[u8]) {
    console::fuzzing::viewer_picture(data);
}

/// The note on the display of a run that was killed.
pub fn fuzz_leftovers(data: &[u8]) {
    presenter::fuzzing::leftovers(data);
}
