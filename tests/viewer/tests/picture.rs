//! The viewer's picture becomes the shown one, whatever happens on the screen.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use proptest::prelude::*;
use rfb::{Picture, Rect};
use viewer_tests::{Pixels, join, noise, paint, scroll, text};

const TIGHT: &[i32] = &[1, 7, -312, -308, -223];
const ZRLE: &[i32] = &[1, 16, -223];
const RAW: &[i32] = &[0];

#[test]
fn what_is_shown_arrives_in_every_encoding() {
    let mut picture = Picture::new(333, 201);
    text(&mut picture, Rect::new(0, 0, 333, 100), 1);
    noise(&mut picture, Rect::new(10, 90, 200, 100), 3);
    for encodings in [TIGHT, ZRLE, RAW] {
        let (mut server, mut viewer) = join(&picture, Pixels::NOVNC, encodings);
        viewer.settle(&mut server, &picture);
        assert_eq!(viewer.differs_at(&picture), None, "{encodings:?}");
        assert_eq!(viewer.name, "desk");
    }
}

#[test]
fn a_small_change_costs_few_bytes() {
    let mut picture = Picture::new(1920, 1080);
    text(&mut picture, Rect::new(0, 0, 1920, 1080), 1);
    let (mut server, mut viewer) = join(&picture, Pixels::NOVNC, TIGHT);
    viewer.settle(&mut server, &picture);
    let before = viewer.counts;
    paint(&mut picture, Rect::new(130, 120, 8, 16), 0xff_ff_ff);
    server.changed(&[picture.bounds()]);
    viewer.settle(&mut server, &picture);
    assert_eq!(viewer.differs_at(&picture), None);
    assert_eq!(viewer.counts.rects - before.rects, 1);
    assert!(viewer.counts.bytes - before.bytes < 60);
}

#[derive(Debug, Clone)]
enum Step {
    Paint(Rect, u32),
    Noise(Rect, u64),
    Text(Rect, u64),
    Scroll(Rect, (i32, i32)),
    Resize(u16, u16),
    /// Ask for all or a part of it, anew or not.
    Ask(bool, Rect),
    Update,
    Rest,
}

fn step() -> impl Strategy<Value = Step> {
    let area = || (0..400_u16, 0..300_u16, 1..400_u16, 1..300_u16);
    let area = move || area().prop_map(|(x, y, w, h)| Rect::new(x, y, w, h));
    prop_oneof![
        (area(), any::<u32>()).prop_map(|(area, colour)| Step::Paint(area, colour & 0xff_ff_ff)),
        (area(), any::<u64>()).prop_map(|(area, seed)| Step::Noise(area, seed)),
        (area(), 0..1000_u64).prop_map(|(area, line)| Step::Text(area, line)),
        (area(), (-40..40_i32, -40..40_i32)).prop_map(|(area, by)| Step::Scroll(area, by)),
        (area(), (0..1_i32, -40..40_i32)).prop_map(|(area, by)| Step::Scroll(area, by)),
        (1..400_u16, 1..300_u16).prop_map(|(w, h)| Step::Resize(w, h)),
        (any::<bool>(), area()).prop_map(|(anew, area)| Step::Ask(anew, area)),
        Just(Step::Update),
        Just(Step::Update),
        Just(Step::Rest),
    ]
}

fn within(area: Rect, picture: &Picture) -> Rect {
    let (x, y) = (area.x.min(picture.width() - 1), area.y.min(picture.height() - 1));
    Rect::new(x, y, area.w.min(picture.width() - x), area.h.min(picture.height() - y))
}

/// Does the steps, then rests, and looks whether both pictures are the same.
fn the_same_in_the_end(pixels: Pixels, encodings: &[i32], steps: &[Step]) {
    let mut picture = Picture::new(300, 200);
    let (mut server, mut viewer) = join(&picture, pixels, encodings);
    let mut events = Vec::new();
    for step in steps {
        let mut draw = |area: Rect, how: &dyn Fn(&mut Picture, Rect)| {
            let area = within(area, &picture);
            how(&mut picture, area);
            server.changed(&[area]);
        };
        match step {
            Step::Paint(area, colour) => draw(*area, &|p, area| paint(p, area, *colour)),
            Step::Noise(area, seed) => draw(*area, &|p, area| noise(p, area, *seed)),
            Step::Text(area, line) => draw(*area, &|p, area| text(p, area, *line)),
            Step::Scroll(area, by) => draw(*area, &|p, area| scroll(p, area, *by)),
            Step::Resize(w, h) => {
                picture = Picture::new(*w, *h);
                text(&mut picture, Rect::new(0, 0, *w, *h), 5);
                server.resized(&picture, &[]);
            }
            Step::Ask(incremental, area) => {
                let area = [area.x, area.y, area.w, area.h];
                let request = viewer_tests::request(*incremental, area);
                server.receive(&request, viewer.now, &mut events).unwrap();
            }
            Step::Update => {
                server.update(&picture, viewer.now);
                viewer.take(&mut server);
                let replies = std::mem::take(&mut viewer.replies);
                server.receive(&replies, viewer.now, &mut events).unwrap();
            }
            Step::Rest => viewer.rest(),
        }
    }
    // What changed before the last update is sent as JPEG first, and rests only after that.
    viewer.settle(&mut server, &picture);
    viewer.rest();
    viewer.settle(&mut server, &picture);
    assert_eq!(viewer.differs_at(&picture), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn tight_is_right(steps in proptest::collection::vec(step(), 1..24), level in 0..10_i32) {
        let encodings = [TIGHT, &[-256 + level]].concat();
        the_same_in_the_end(Pixels::NOVNC, &encodings, &steps);
    }

    #[test]
    fn tight_with_jpeg_is_right_at_rest(steps in proptest::collection::vec(step(), 1..24), quality in 0..10_i32) {
        let encodings = [TIGHT, &[-32 + quality]].concat();
        the_same_in_the_end(Pixels::NOVNC, &encodings, &steps);
    }

    #[test]
    fn zrle_is_right(steps in proptest::collection::vec(step(), 1..24)) {
        the_same_in_the_end(Pixels::NOVNC, ZRLE, &steps);
    }

    #[test]
    fn every_pixel_format_is_right(
        steps in proptest::collection::vec(step(), 1..12),
        format in 0..6_usize,
        encodings in prop_oneof![Just(TIGHT), Just(ZRLE), Just(&[1, 0, -223][..])],
    ) {
        the_same_in_the_end(FORMATS[format], encodings, &steps);
    }
}

const FORMATS: [Pixels; 6] = [
    Pixels { bits: 8, depth: 8, big_endian: false, max: [7, 7, 3], shift: [0, 3, 6] },
    Pixels { bits: 16, depth: 16, big_endian: false, max: [31, 63, 31], shift: [11, 5, 0] },
    Pixels { bits: 16, depth: 15, big_endian: true, max: [31, 31, 31], shift: [10, 5, 0] },
    Pixels { bits: 32, depth: 24, big_endian: true, max: [255; 3], shift: [16, 8, 0] },
    Pixels { bits: 32, depth: 24, big_endian: false, max: [255; 3], shift: [24, 16, 8] },
    Pixels { bits: 32, depth: 32, big_endian: true, max: [1023, 1023, 1023], shift: [20, 10, 0] },
];

/// A screen with a terminal that isn't aligned to anything, beside things that stay.
fn desktop(first_line: u64) -> Picture {
    let mut picture = Picture::new(1280, 800);
    noise(&mut picture, Rect::new(0, 0, 1280, 60), 1);
    text(&mut picture, Rect::new(900, 100, 300, 600), 777);
    text(&mut picture, Rect::new(101, 77, 603, 611), first_line);
    picture
}

#[test]
fn a_terminal_that_scrolls_in_a_window_is_copied() {
    let before = desktop(0);
    let (mut server, mut viewer) = join(&before, Pixels::NOVNC, TIGHT);
    viewer.settle(&mut server, &before);
    let first = viewer.counts;
    for lines in [1, 2, 30, 20] {
        let mut after = desktop(lines);
        // Its cursor stays at the bottom, so the copy isn't right everywhere.
        paint(&mut after, Rect::new(101, 660, 8, 16), 0xff_ff_ff);
        server.changed(&[after.bounds()]);
        let before = viewer.counts;
        viewer.settle(&mut server, &after);
        assert_eq!(viewer.differs_at(&after), None);
        assert!(viewer.counts.copies > before.copies, "{lines} lines were not copied");
        let bytes = viewer.counts.bytes - before.bytes;
        assert!(bytes < first.bytes / 3 + 2000, "{lines}: {bytes} bytes of {}", first.bytes);
    }
}

#[test]
fn a_page_that_is_pushed_sideways_or_down_is_copied() {
    for by in [(37, 0), (-120, 0), (0, 53), (0, -7)] {
        let mut picture = desktop(0);
        let (mut server, mut viewer) = join(&picture, Pixels::NOVNC, TIGHT);
        viewer.settle(&mut server, &picture);
        let before = viewer.counts;
        scroll(&mut picture, Rect::new(101, 77, 603, 611), by);
        server.changed(&[picture.bounds()]);
        viewer.settle(&mut server, &picture);
        assert_eq!(viewer.differs_at(&picture), None);
        assert!(viewer.counts.copies > before.copies, "{by:?} was not copied");
    }
}

#[test]
fn a_film_comes_as_jpeg_and_bit_for_bit_at_rest() {
    let mut picture = Picture::new(640, 480);
    let encodings = [TIGHT, &[-32 + 6]].concat();
    let (mut server, mut viewer) = join(&picture, Pixels::NOVNC, &encodings);
    for seed in 0..3 {
        noise(&mut picture, Rect::new(0, 0, 640, 480), seed);
        server.changed(&[picture.bounds()]);
        viewer.settle(&mut server, &picture);
    }
    assert!(viewer.counts.jpegs > 0);
    assert!(viewer.differs_at(&picture).is_some(), "JPEG is never exact");
    assert!(!server.wants_update(viewer.now), "nothing more while it may move");
    viewer.rest();
    viewer.settle(&mut server, &picture);
    assert_eq!(viewer.differs_at(&picture), None);
}

#[test]
fn without_a_quality_nothing_is_lossy() {
    let mut picture = Picture::new(640, 480);
    noise(&mut picture, Rect::new(0, 0, 640, 480), 9);
    let (mut server, mut viewer) = join(&picture, Pixels::NOVNC, TIGHT);
    viewer.settle(&mut server, &picture);
    assert_eq!(viewer.counts.jpegs, 0);
    assert_eq!(viewer.differs_at(&picture), None);
}
