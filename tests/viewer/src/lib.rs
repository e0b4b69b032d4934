//! A viewer of its own, to prove what the server sends: it knows the specifications and none of the
//! server's code.
#![allow(clippy::unwrap_used, reason = "a viewer that can't go on has found a fault")]

mod decode;
mod draw;
mod slow_link;

use std::time::Duration;

use flate2::Decompress;
use rfb::{Event, Limits, Monitor, Picture, Server};

pub use draw::{noise, paint, scroll, text};
pub use slow_link::{Link, SlowLink};

/// How the viewer wants pixels: the PIXEL_FORMAT's own fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pixels {
    pub bits: u8,
    pub depth: u8,
    pub big_endian: bool,
    pub max: [u16; 3],
    pub shift: [u8; 3],
}

impl Pixels {
    pub const NOVNC: Self =
        Self { bits: 32, depth: 24, big_endian: false, max: [255; 3], shift: [0, 8, 16] };

    pub fn message(self) -> Vec<u8> {
        let mut bytes = vec![0, 0, 0, 0, self.bits, self.depth, self.big_endian.into(), 1];
        self.max.iter().for_each(|max| bytes.extend(max.to_be_bytes()));
        bytes.extend(self.shift);
        bytes.extend([0; 3]);
        bytes
    }

    /// What a screen's pixel (blue, green, red) must look like here.
    pub fn expected(self, bgr: [u8; 3]) -> u32 {
        let [b, g, r] = bgr.map(f64::from);
        let part = |at: usize, c: f64| {
            let scaled = (c * f64::from(self.max[at]) / 255.0).round() as u32;
            scaled << self.shift[at]
        };
        part(0, r) | part(1, g) | part(2, b)
    }

    fn number(self, bytes: &[u8]) -> u32 {
        let join = |all: u32, byte: &u8| all << 8 | u32::from(*byte);
        if self.big_endian { bytes.iter().fold(0, join) } else { bytes.iter().rev().fold(0, join) }
    }
}

/// What the viewer was told beside pixels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    Cursor { encoding: i32, hot: (u16, u16), size: (u16, u16), bytes: Vec<u8> },
    Size { reason: u16, status: u16, size: (u16, u16), monitors: Vec<(u32, [u16; 4])> },
    ExtendedKeys,
    ExtendedButtons,
    CutText(Vec<u8>),
    ExtendedCutText(u32, Vec<u8>),
    EndOfContinuousUpdates,
    Fence(u32, Vec<u8>),
}

/// What one update was made of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    pub updates: usize,
    pub rects: usize,
    pub copies: usize,
    pub jpegs: usize,
    pub bytes: usize,
}

pub struct Viewer {
    pub pixels: Pixels,
    pub width: u16,
    pub height: u16,
    pub picture: Vec<u32>,
    pub name: String,
    pub told: Vec<Told>,
    pub counts: Counts,
    /// Answers that it sends by itself: fences.
    pub replies: Vec<u8>,
    /// The time that is passed to the server, which only tests move.
    pub now: Duration,
    tight: [Decompress; 4],
    zrle: Decompress,
}

pub const ENCODINGS: [i32; 13] =
    [1, 7, 16, 0, -223, -224, -258, -308, -312, -313, 0xc0a1_e5ce_u32 as i32, -316, -239];

impl Viewer {
    /// Greets as 3.8 and says what it wants.
    pub fn join(server: &mut Server, pixels: Pixels, encodings: &[i32]) -> Self {
        let mut events = Vec::new();
        assert_eq!(server.take_output(), b"RFB 003.008\n");
        server.receive(b"RFB 003.008\n", Duration::ZERO, &mut events).unwrap();
        assert_eq!(server.take_output(), [1, 1]);
        server.receive(&[1, 1], Duration::ZERO, &mut events).unwrap();
        let init = server.take_output();
        assert_eq!(init[..4], [0; 4], "the security result");
        let (size, name) = (&init[4..8], &init[28..]);
        let new = || Decompress::new(true);
        let mut viewer = Self {
            pixels,
            width: u16::from_be_bytes([size[0], size[1]]),
            height: u16::from_be_bytes([size[2], size[3]]),
            picture: Vec::new(),
            name: String::from_utf8(name.to_vec()).unwrap(),
            told: Vec::new(),
            counts: Counts::default(),
            replies: Vec::new(),
            now: Duration::ZERO,
            tight: [new(), new(), new(), new()],
            zrle: new(),
        };
        viewer.resize(viewer.width, viewer.height);
        let hello = [pixels.message(), set_encodings(encodings)].concat();
        server.receive(&hello, Duration::ZERO, &mut events).unwrap();
        viewer.take(server);
        viewer
    }

    fn resize(&mut self, width: u16, height: u16) {
        (self.width, self.height) = (width, height);
        // A colour that no test draws.
        self.picture = vec![0xdead_beef; usize::from(width) * usize::from(height)];
    }

    /// Takes all that the server has to say.
    pub fn take(&mut self, server: &mut Server) {
        let bytes = server.take_output();
        self.counts.bytes += bytes.len();
        self.read(&bytes);
    }

    pub fn request(&self, incremental: bool) -> Vec<u8> {
        request(incremental, [0, 0, self.width, self.height])
    }

    /// Lets so much time pass that whatever was sent by now rests.
    pub fn rest(&mut self) {
        self.now += Duration::from_secs(1);
    }

    /// Asks and takes updates until the server has nothing more to say at this time.
    pub fn settle(&mut self, server: &mut Server, picture: &Picture) -> Vec<Event> {
        let mut events = Vec::new();
        for _ in 0..10_000 {
            server.receive(&self.request(true), self.now, &mut events).unwrap();
            if !server.wants_update(self.now) {
                return events;
            }
            server.update(picture, self.now);
            self.take(server);
            server.receive(&std::mem::take(&mut self.replies), self.now, &mut events).unwrap();
        }
        panic!("the server never comes to an end");
    }

    /// Where the viewer's picture isn't the shown one.
    pub fn differs_at(&self, shown: &Picture) -> Option<(usize, usize)> {
        assert_eq!((self.width, self.height), (shown.width(), shown.height()));
        let expected = shown.pixels().chunks(4).map(|p| self.pixels.expected([p[0], p[1], p[2]]));
        let at = expected.zip(&self.picture).position(|(shown, had)| shown != *had)?;
        Some((at % usize::from(self.width), at / usize::from(self.width)))
    }
}

/// A server and a viewer that has joined it.
pub fn join(picture: &Picture, pixels: Pixels, encodings: &[i32]) -> (Server, Viewer) {
    let monitor = Monitor { id: 7, area: picture.bounds() };
    let mut server = Server::new(picture, &[monitor], "desk", Limits::default());
    let viewer = Viewer::join(&mut server, pixels, encodings);
    (server, viewer)
}

pub fn set_encodings(encodings: &[i32]) -> Vec<u8> {
    let mut bytes = vec![2, 0];
    bytes.extend((encodings.len() as u16).to_be_bytes());
    encodings.iter().for_each(|encoding| bytes.extend(encoding.to_be_bytes()));
    bytes
}

pub fn request(incremental: bool, area: [u16; 4]) -> Vec<u8> {
    let mut bytes = vec![3, incremental.into()];
    area.iter().for_each(|number| bytes.extend(number.to_be_bytes()));
    bytes
}

pub fn continuous(on: bool, area: [u16; 4]) -> Vec<u8> {
    let mut bytes = request(on, area);
    bytes[0] = 150;
    bytes
}

pub fn cut_text(body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![6, 0, 0, 0];
    bytes.extend((body.len() as u32).to_be_bytes());
    bytes.extend(body);
    bytes
}

pub fn extended_cut_text(flags: u32, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![6, 0, 0, 0];
    bytes.extend((-(4 + body.len() as i32)).to_be_bytes());
    bytes.extend(flags.to_be_bytes());
    bytes.extend(body);
    bytes
}
