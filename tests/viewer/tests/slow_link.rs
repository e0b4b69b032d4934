//! The screen over links that are slow, far, lossy or dead for a while, in simulated time.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::time::Duration;

use rfb::{Picture, Rect};
use viewer_tests::{Link, SlowLink, noise, paint, scroll, text};

const LAN: Link = Link::new(1000.0, 1);
const CABLE: Link = Link::new(20.0, 30);
const LOSSY: Link = Link::new(5.0, 60).losing(0.005);
const SLOW: Link = Link::new(1.0, 120);
const FAR: Link = Link::new(20.0, 150);

const SIZE: Rect = Rect::new(0, 0, 1280, 720);
/// Where what moves is.
const MOVING: Rect = Rect::new(80, 64, 720, 560);
/// Where the caret is.
const CARET: Rect = Rect::new(1000, 400, 10, 18);
const FRAME: Duration = Duration::from_millis(33);

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// A desktop of text, with a photo.
fn desktop() -> Picture {
    let mut picture = Picture::new(SIZE.w, SIZE.h);
    text(&mut picture, SIZE, 1);
    noise(&mut picture, Rect::new(900, 40, 300, 200), 7);
    picture
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Load {
    Rest,
    Scroll,
    Film,
}

fn move_on(load: Load, picture: &mut Picture, frame: u64) -> Option<Rect> {
    match load {
        Load::Rest => return None,
        Load::Scroll => {
            scroll(picture, MOVING, (0, -48));
            let strip = Rect::new(MOVING.x, MOVING.y + MOVING.h - 48, MOVING.w, 48);
            text(picture, strip, frame * 3);
        }
        Load::Film => film(picture, MOVING, frame),
    }
    Some(MOVING)
}

/// Soft shapes that move, with a little noise: what JPEG takes to a tenth.
fn film(picture: &mut Picture, area: Rect, frame: u64) {
    let width = usize::from(picture.width());
    for y in area.y..area.y + area.h {
        for x in area.x..area.x + area.w {
            let (u, v) = (u64::from(x) + frame * 7, u64::from(y) + frame * 3);
            let grain = ((u64::from(x) * 7_919) ^ (u64::from(y) * 104_729) ^ (frame * 31)) % 7;
            let at = (usize::from(y) * width + usize::from(x)) * 4;
            let colour =
                [(u / 3 + grain) as u8, (v / 2 + u / 5) as u8, (u * v / 900 + grain) as u8];
            picture.pixels_mut()[at..at + 3].copy_from_slice(&colour);
        }
    }
}

/// What a run showed.
#[derive(Debug)]
struct Seen {
    /// How long after a key's press its change is in the viewer's picture, in ms beyond the round trip, sorted.
    late: Vec<u64>,
    /// The part of the time in which the link was busy.
    used: f64,
}

impl Seen {
    fn at(&self, part: usize) -> u64 {
        self.late[self.late.len() * part / 10]
    }
}

/// Presses a key each 400 ms, for ten seconds, while something moves.
fn typing(link: Link, load: Load, seed: u64) -> Seen {
    let mut run = SlowLink::new(link, desktop(), seed);
    // Long enough for the first picture without loss on the slowest link.
    run.run_for(Duration::from_secs(if load == Load::Rest { 60 } else { 5 }));
    let (began, busy) = (run.now, run.busy);
    let mut late = Vec::new();
    let (mut frame, mut next_frame) = (0, run.now);
    for key in 1..=25_u32 {
        let pressed = run.now;
        // Half of the round trip until the key is there; the program draws at once.
        let drawn = pressed + link.round_trip / 2;
        let colour = 0x10_10_10 * (key % 15) + 0x40;
        let (mut is_drawn, mut seen) = (false, None);
        let next_key = pressed + ms(400 + u64::from(key % 7) * 11);
        while run.now < next_key || seen.is_none() {
            assert!(run.now < pressed + Duration::from_secs(60), "the key never shows");
            if !is_drawn && run.now >= drawn {
                paint(&mut run.picture, CARET, colour);
                run.changed(CARET);
                is_drawn = true;
            }
            if run.now >= next_frame {
                next_frame += FRAME;
                frame += 1;
                if let Some(area) = move_on(load, &mut run.picture, frame) {
                    run.changed(area);
                }
            }
            run.run_for(ms(1));
            let at = usize::from(CARET.y) * usize::from(SIZE.w) + usize::from(CARET.x);
            let bgr = colour.to_le_bytes();
            let shows =
                run.viewer.picture[at] == run.viewer.pixels.expected([bgr[0], bgr[1], bgr[2]]);
            if is_drawn && seen.is_none() && shows {
                seen = Some(run.now - pressed);
            }
        }
        late.extend(seen.map(|seen| seen.saturating_sub(link.round_trip).as_millis() as u64));
    }
    late.sort_unstable();
    let used = (run.busy - busy).as_secs_f64() / (run.now - began).as_secs_f64();
    Seen { late, used }
}

#[test]
fn a_key_shows_at_once_where_nothing_moves() {
    for link in [LAN, CABLE, LOSSY, SLOW, FAR] {
        let seen = typing(link, Load::Rest, 3);
        println!("{link:?}: {} / {} ms", seen.at(5), seen.at(9));
        // Two of them are the viewer's own, and one is the step of this test.
        assert!(seen.at(5) <= 5, "{link:?}: {seen:?}");
    }
}

#[test]
fn a_key_shows_soon_while_text_scrolls() {
    for (link, most) in [(LAN, 60), (CABLE, 60), (LOSSY, 60), (SLOW, 150), (FAR, 60)] {
        let seen = typing(link, Load::Scroll, 4);
        println!("{link:?}: {} / {} ms, {:.0} %", seen.at(5), seen.at(9), seen.used * 100.0);
        assert!(seen.at(5) <= most, "{link:?}: {seen:?}");
    }
}

#[test]
fn a_key_shows_soon_beside_a_film() {
    for (link, most) in [(LAN, 60), (CABLE, 60), (LOSSY, 60), (SLOW, 150), (FAR, 60)] {
        let seen = typing(link, Load::Film, 5);
        println!("{link:?}: {} / {} ms, {:.0} %", seen.at(5), seen.at(9), seen.used * 100.0);
        assert!(seen.at(5) <= most, "{link:?}: {seen:?}");
    }
}

#[test]
fn a_picture_is_bit_for_bit_within_a_minute_after_a_film_on_a_slow_link() {
    for seed in 0..20 {
        let mut run = SlowLink::new(SLOW, desktop(), seed);
        run.run_for(Duration::from_secs(2));
        let until = 60 + seed * 3;
        for frame in 0..until {
            film(&mut run.picture, Rect::new(80, 64, 320, 240), frame);
            run.changed(Rect::new(80, 64, 320, 240));
            run.run_for(FRAME);
        }
        run.run_for(Duration::from_secs(60));
        assert_eq!(run.viewer.differs_at(&run.picture), None, "after {until} frames");
        let bytes = run.viewer.counts.bytes;
        run.run_for(Duration::from_secs(60));
        assert_eq!(run.viewer.counts.bytes, bytes, "what rests costs nothing");
    }
}

#[test]
fn what_rests_becomes_sharp_beside_a_film() {
    let mut run = SlowLink::new(LOSSY, desktop(), 9);
    for frame in 0..900 {
        film(&mut run.picture, Rect::new(64, 64, 256, 192), frame);
        run.changed(Rect::new(64, 64, 256, 192));
        run.run_for(FRAME);
    }
    let film = Rect::new(0, 0, 384, 320);
    let mut blurred = 0;
    for (at, had) in run.viewer.picture.iter().enumerate() {
        let (x, y) = ((at % usize::from(SIZE.w)) as u16, (at / usize::from(SIZE.w)) as u16);
        if x < film.w && y < film.h {
            continue;
        }
        let pixel = run.picture.row(x, y, 1);
        blurred += usize::from(run.viewer.pixels.expected([pixel[0], pixel[1], pixel[2]]) != *had);
    }
    assert_eq!(blurred, 0);
}

#[test]
fn a_link_that_changes_or_dies_is_followed() {
    let mut run = SlowLink::new(CABLE.jittering(8), desktop(), 11);
    let mut frame = 0;
    let mut play = |run: &mut SlowLink, frames: u64| {
        for _ in 0..frames {
            frame += 1;
            film(&mut run.picture, MOVING, frame);
            run.changed(MOVING);
            run.run_for(FRAME);
        }
        // How long until what changes now is seen, beyond the round trip.
        paint(&mut run.picture, CARET, 0x77_00_00 + frame as u32);
        run.changed(CARET);
        let began = run.now;
        let at = usize::from(CARET.y) * usize::from(SIZE.w) + usize::from(CARET.x);
        let bgr = (0x77_00_00 + frame as u32).to_le_bytes();
        while run.viewer.picture[at] != run.viewer.pixels.expected([bgr[0], bgr[1], bgr[2]]) {
            run.run_for(ms(1));
            assert!(run.now < began + Duration::from_secs(10), "it never shows");
        }
        (run.now - began).saturating_sub(run.link.round_trip / 2)
    };
    assert!(play(&mut run, 150) < ms(200));
    for rate in [10e6, 5e6, 2.5e6] {
        run.link.rate = rate;
        let late = play(&mut run, 150);
        assert!(late < ms(200), "{late:?} at {rate}");
    }
    for rate in [5e6, 10e6, 20e6] {
        run.link.rate = rate;
        let late = play(&mut run, 150);
        assert!(late < ms(200), "{late:?} at {rate}");
    }
    run.dies_for(Duration::from_secs(5));
    run.run_for(Duration::from_secs(5));
    let late = play(&mut run, 60);
    assert!(late < ms(200), "{late:?} two seconds after the link is back");
    let (bytes, began) = (run.viewer.counts.bytes, run.now);
    play(&mut run, 150);
    let rate = (run.viewer.counts.bytes - bytes) as f64 * 8.0 / (run.now - began).as_secs_f64();
    assert!(rate > 10e6, "half of the link at least is used again: {rate}");
}
