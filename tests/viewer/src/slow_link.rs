//! A link between server and viewer in simulated time: rate, delay, loss, a queue, and TCP's order. No clock, no
//! socket; the same seed gives the same run.

use std::{collections::VecDeque, time::Duration};

use rfb::{Event, Limits, Picture, Rect, Server};

use crate::{ENCODINGS, Pixels, Viewer, continuous};

/// The most bytes of a packet.
const PACKET: usize = 1_448;
/// How long the viewer takes for an update before it answers the fence behind it.
const DRAWS: Duration = Duration::from_millis(2);

/// What lies between the two.
#[derive(Debug, Clone, Copy)]
pub struct Link {
    /// Bits a second.
    pub rate: f64,
    pub round_trip: Duration,
    /// The part of the packets that has to be sent again, a round trip later.
    pub loss: f64,
    /// How much longer a packet may take than the last one.
    pub jitter: Duration,
}

impl Link {
    pub const fn new(mbits: f64, round_trip_ms: u64) -> Self {
        let round_trip = Duration::from_millis(round_trip_ms);
        Self { rate: mbits * 1e6, round_trip, loss: 0.0, jitter: Duration::ZERO }
    }

    pub const fn losing(self, loss: f64) -> Self {
        Self { loss, ..self }
    }

    pub const fn jittering(self, jitter_ms: u64) -> Self {
        Self { jitter: Duration::from_millis(jitter_ms), ..self }
    }
}

/// A server with a screen, a viewer, and what is on its way between them.
pub struct SlowLink {
    pub link: Link,
    pub picture: Picture,
    pub server: Server,
    pub viewer: Viewer,
    pub now: Duration,
    /// What the viewer did, as the server heard it.
    pub events: Vec<Event>,
    /// Until when the link is busy with what was sent.
    busy_until: Duration,
    /// How long the link was busy so far.
    pub busy: Duration,
    /// Until when nothing comes through.
    dead_until: Duration,
    to_viewer: VecDeque<(Duration, Vec<u8>)>,
    to_server: VecDeque<(Duration, Vec<u8>)>,
    chance: u64,
}

impl SlowLink {
    /// A viewer as noVNC is one: it wants JPEG of quality 6, continuous updates, and answers fences.
    pub fn new(link: Link, picture: Picture, seed: u64) -> Self {
        let encodings = [&ENCODINGS[..], &[-26, -254]].concat();
        let mut server = Server::new(&picture, &[], "desk", Limits::default());
        let viewer = Viewer::join(&mut server, Pixels::NOVNC, &encodings);
        let (w, h) = (picture.width(), picture.height());
        let mut this = Self {
            link,
            picture,
            server,
            viewer,
            now: Duration::ZERO,
            events: Vec::new(),
            busy_until: Duration::ZERO,
            busy: Duration::ZERO,
            dead_until: Duration::ZERO,
            to_viewer: VecDeque::new(),
            to_server: VecDeque::new(),
            chance: seed,
        };
        this.say([continuous(true, [0, 0, w, h]), this.viewer.request(false)].concat());
        this
    }

    /// Sends the viewer's bytes on their way.
    pub fn say(&mut self, bytes: Vec<u8>) {
        let begins = self.now.max(self.dead_until);
        let last = self.to_server.back().map_or(Duration::ZERO, |(at, _)| *at);
        self.to_server.push_back(((begins + self.link.round_trip / 2).max(last), bytes));
    }

    /// Nothing comes through for so long; what is sent meanwhile comes later.
    pub fn dies_for(&mut self, how_long: Duration) {
        self.dead_until = self.now + how_long;
        self.busy_until = self.busy_until.max(self.dead_until);
        for (at, _) in self.to_viewer.iter_mut().chain(&mut self.to_server) {
            *at += how_long;
        }
    }

    /// The screen has changed there.
    pub fn changed(&mut self, area: Rect) {
        self.server.changed(&[area]);
        self.serve();
    }

    /// Lets time pass until then, and carries what comes.
    pub fn run_until(&mut self, end: Duration) {
        while let Some(next) = self.next().filter(|next| *next <= end) {
            self.now = self.now.max(next);
            self.arrive();
            self.serve();
        }
        self.now = end;
    }

    pub fn run_for(&mut self, how_long: Duration) {
        self.run_until(self.now + how_long);
    }

    fn next(&self) -> Option<Duration> {
        let viewer = self.to_viewer.front().map(|(at, _)| *at);
        let server = self.to_server.front().map(|(at, _)| *at);
        // The program's own wait: at once where the time is over already.
        let rests = self.server.rests_at();
        [viewer, server, rests].into_iter().flatten().min()
    }

    fn arrive(&mut self) {
        while let Some((_, bytes)) = self.to_viewer.pop_front_if(|(at, _)| *at <= self.now) {
            self.viewer.counts.bytes += bytes.len();
            self.viewer.read(&bytes);
            let replies = std::mem::take(&mut self.viewer.replies);
            if !replies.is_empty() {
                self.say(replies);
            }
        }
        while let Some((_, bytes)) = self.to_server.pop_front_if(|(at, _)| *at <= self.now) {
            self.server.receive(&bytes, self.now, &mut self.events).unwrap();
        }
    }

    /// What the program does whenever something has happened.
    fn serve(&mut self) {
        while self.server.wants_update(self.now) {
            self.server.update(&self.picture, self.now);
            let bytes = self.server.take_output();
            if bytes.is_empty() {
                return;
            }
            self.send(bytes);
        }
        let bytes = self.server.take_output();
        if !bytes.is_empty() {
            self.send(bytes);
        }
    }

    fn send(&mut self, bytes: Vec<u8>) {
        let mut arrives = self.to_viewer.back().map_or(Duration::ZERO, |(at, _)| *at);
        for packet in bytes.chunks(PACKET) {
            let takes = Duration::from_secs_f64(packet.len() as f64 * 8.0 / self.link.rate);
            self.busy_until = self.busy_until.max(self.now) + takes;
            self.busy += takes;
            let mut at = self.busy_until + self.link.round_trip / 2;
            at += self.link.jitter.mul_f64(self.random());
            if self.random() < self.link.loss {
                at += self.link.round_trip;
            }
            // TCP gives out nothing before what was sent earlier.
            arrives = arrives.max(at);
        }
        self.to_viewer.push_back((arrives + DRAWS, bytes));
    }

    fn random(&mut self) -> f64 {
        self.chance = self
            .chance
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.chance >> 40) as f64 / (1_u64 << 24) as f64
    }
}
