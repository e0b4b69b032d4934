//! What is drawn is what is shown.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use presenter::screen::{self, Capture, Change, ScreenError, ViewerId};
use rfb::{Picture, Rect};
use x11rb::protocol::xproto::{self, ConnectionExt as _};
use x11rb::wrapper::ConnectionExt as _;

use crate::desk::{ConsentUi, Painter};

/// Looks until this is so, and returns all changes on the way.
fn look_until(
    capture: &mut dyn Capture,
    picture: &mut Picture,
    mut so: impl FnMut(&Picture, &[Change]) -> bool,
) -> Vec<Change> {
    let mut all = Vec::new();
    while !so(picture, &all) {
        all.extend(capture.next(picture, &[]).unwrap());
    }
    all
}

fn damage(changes: &[Change]) -> Vec<Rect> {
    let areas = |change: &Change| match change {
        Change::Damage(areas) => areas.clone(),
        Change::Resized(_) | Change::Cursor(_) | Change::Clipboard(_) | Change::NotCarried(_) => {
            Vec::new()
        }
    };
    changes.iter().flat_map(areas).collect()
}

fn pixel(picture: &Picture, x: u16, y: u16) -> [u8; 3] {
    let row = picture.row(x, y, 1);
    [row[0], row[1], row[2]]
}

/// Pixels that are different everywhere.
fn noise(width: u16, height: u16) -> Vec<u8> {
    let mut seed = 1u32;
    let mut next = move || {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        seed >> 24
    };
    let pixels = usize::from(width) * usize::from(height);
    (0..pixels)
        .flat_map(|_| [next(), next(), next(), 0])
        .map(|value| u8::try_from(value).unwrap())
        .collect()
}

fn colours(pixels: &[u8]) -> Vec<[u8; 3]> {
    pixels.chunks_exact(4).map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect()
}

#[test]
fn shows_bit_for_bit_what_is_drawn_and_where() {
    shows_what_is_drawn(&[]);
}

#[test]
fn shows_it_without_shared_memory() {
    shows_what_is_drawn(&["-extension", "MIT-SHM"]);
}

fn shows_what_is_drawn(options: &[&str]) {
    let desk = ConsentUi::start("1280x1024x24", options);
    let painter = Painter::start(&desk, 1280, 1024);
    let (mut capture, _waker, _input) = screen::open(Some(&desk.display)).unwrap();
    let mut picture = capture.whole().unwrap();
    assert_eq!((picture.width(), picture.height()), (1280, 1024));

    let drawn = noise(150, 90);
    painter.draw(1001, 503, 150, 90, &drawn);
    let last = colours(&drawn)[150 * 90 - 1];
    let changes =
        look_until(&mut *capture, &mut picture, |picture, _| pixel(picture, 1150, 592) == last);
    assert_eq!(damage(&changes), [Rect::new(1001, 503, 150, 90)], "no more than was drawn");
    for (y, row) in (503..).zip(drawn.chunks_exact(150 * 4)) {
        assert_eq!(colours(picture.row(1001, y, 150)), colours(row), "row {y}");
    }
    assert_eq!(colours(picture.pixels()), colours(capture.whole().unwrap().pixels()));
}

#[test]
fn shows_a_whole_screen_of_noise() {
    let desk = ConsentUi::start("1920x1080x24", &[]);
    let painter = Painter::start(&desk, 1920, 1080);
    let (mut capture, _waker, _input) = screen::open(Some(&desk.display)).unwrap();
    let drawn = noise(1920, 1080);
    for (y, rows) in (0..).step_by(60).zip(drawn.chunks(1920 * 4 * 60)) {
        painter.draw(0, y, 1920, 60, rows);
    }
    assert_eq!(colours(capture.whole().unwrap().pixels()), colours(&drawn));
}

#[test]
fn shows_sixteen_bits_as_the_colours_that_they_are() {
    let desk = ConsentUi::start("320x200x16", &[]);
    let painter = Painter::start(&desk, 320, 200);
    let (mut capture, _waker, _input) = screen::open(Some(&desk.display)).unwrap();
    painter.fill(0xf800, 0, 0, 319, 200);
    let picture = capture.whole().unwrap();
    assert_eq!(pixel(&picture, 318, 199), [0, 0, 255]);
    assert_eq!(pixel(&picture, 319, 199), [0, 0, 0]);
}

#[test]
fn refuses_a_screen_with_a_palette() {
    let desk = ConsentUi::start("320x200x8", &[]);
    let refused = screen::open(Some(&desk.display)).err();
    assert_eq!(refused, Some(ScreenError::Lacks("a colour depth of 16, 24 or 32 bits")));
}

#[test]
fn follows_a_new_size_and_back() {
    let desk = ConsentUi::start("1024x768x24", &[]);
    let painter = Painter::start(&desk, 1024, 768);
    let (mut capture, _waker, _input) = screen::open(Some(&desk.display)).unwrap();
    let mut picture = capture.whole().unwrap();
    desk.run(
        "xrandr",
        &"--newmode 800x600 40 800 800 800 800 600 600 600 600".split(' ').collect::<Vec<_>>(),
    );
    desk.run("xrandr", &["--addmode", "screen", "800x600"]);
    for (size, width, height) in [("800x600", 800, 600), ("1024x768", 1024, 768)] {
        desk.run("xrandr", &["--output", "screen", "--mode", size]);
        let changes = look_until(&mut *capture, &mut picture, |picture, _| {
            (picture.width(), picture.height()) == (width, height)
        });
        assert!(changes.contains(&Change::Resized(capture.monitors())), "{changes:?}");
        let monitors = capture.monitors();
        assert_eq!(monitors.len(), 1);
        assert_eq!(monitors[0].area, picture.bounds());
        painter.fill(0x0012_3456, 0, 0, 1024, 768);
        look_until(&mut *capture, &mut picture, |picture, _| {
            pixel(picture, width - 1, height - 1) == [0x56, 0x34, 0x12]
        });
    }
}

#[test]
fn knows_two_hundred_monitors() {
    let desk = ConsentUi::start("1024x768x24", &[]);
    let (mut capture, _waker, _input) = screen::open(Some(&desk.display)).unwrap();
    let mut picture = capture.whole().unwrap();
    // RandR takes one at a time, and each is a change.
    let monitors = (0..200).map(|at| {
        format!("xrandr --setmonitor M{at} 5/1x5/1+{}+{} none", at % 20 * 5, at / 20 * 5)
    });
    let script = monitors.collect::<Vec<_>>().join(" && ");
    desk.run("sh", &["-c", &script]);
    look_until(
        &mut *capture,
        &mut picture,
        |_, changes| matches!(changes.last(), Some(Change::Resized(monitors)) if monitors.len() >= 200),
    );
    let before = capture.monitors();
    desk.run("xrandr", &["--delmonitor", "M0"]);
    look_until(&mut *capture, &mut picture, |_, changes| !changes.is_empty());
    let after = capture.monitors();
    assert_eq!(after.len() + 1, before.len());
    assert!(after.iter().all(|monitor| before.contains(monitor)), "ids stay");
}

#[test]
fn shows_a_screen_of_one_pixel() {
    let desk = ConsentUi::start("1x1x24", &[]);
    let painter = Painter::start(&desk, 1, 1);
    painter.fill(0x00ab_cdef, 0, 0, 1, 1);
    let (mut capture, _waker, _input) = screen::open(Some(&desk.display)).unwrap();
    assert_eq!(pixel(&capture.whole().unwrap(), 0, 0), [0xef, 0xcd, 0xab]);
}

#[test]
fn shows_eight_thousand_pixels_across() {
    let desk = ConsentUi::start("7680x4320x24", &[]);
    let painter = Painter::start(&desk, 7680, 4320);
    painter.fill(0x0001_0203, 7679, 4319, 1, 1);
    let (mut capture, _waker, _input) = screen::open(Some(&desk.display)).unwrap();
    let picture = capture.whole().unwrap();
    assert_eq!(pixel(&picture, 7679, 4319), [3, 2, 1]);
    assert_eq!(pixel(&picture, 7678, 4319), [0, 0, 0]);
}

#[test]
fn refuses_a_screen_that_is_too_wide() {
    let desk = ConsentUi::start("20000x10x24", &[]);
    let refused = screen::open(Some(&desk.display)).err();
    assert_eq!(refused, Some(ScreenError::Size { width: 20_000, height: 10 }));
}

#[test]
fn shows_the_pointers_shape_when_it_changes() {
    let desk = ConsentUi::start("640x480x24", &[]);
    let painter = Painter::start(&desk, 640, 480);
    let (mut capture, _waker, mut input) = screen::open(Some(&desk.display)).unwrap();
    let mut picture = capture.whole().unwrap();
    input.pointer(ViewerId(1), 100, 100, 0).unwrap();

    // A solid red block of 8 x 8 with the point in its middle.
    let conn = &painter.conn;
    let (pixmap, cursor, gc) = (id(&painter), id(&painter), id(&painter));
    conn.create_pixmap(1, pixmap, painter.root, 8, 8).unwrap();
    conn.create_gc(gc, pixmap, &xproto::CreateGCAux::new().foreground(1)).unwrap();
    let all = xproto::Rectangle { x: 0, y: 0, width: 8, height: 8 };
    conn.poly_fill_rectangle(pixmap, gc, &[all]).unwrap();
    conn.create_cursor(cursor, pixmap, pixmap, 0xffff, 0, 0, 0, 0, 0, 4, 4).unwrap();
    let settings = xproto::ChangeWindowAttributesAux::new().cursor(cursor);
    conn.change_window_attributes(painter.window, &settings).unwrap();
    conn.sync().unwrap();

    look_until(&mut *capture, &mut picture, |_, changes| {
        let red = |change: &Change| match change {
            Change::Cursor(cursor) => cursor.pixels.starts_with(&[0, 0, 255, 255]),
            Change::Damage(_)
            | Change::Resized(_)
            | Change::Clipboard(_)
            | Change::NotCarried(_) => false,
        };
        changes.iter().any(red)
    });
    let cursor = capture.cursor();
    assert_eq!((cursor.width, cursor.height, cursor.hot_x, cursor.hot_y), (8, 8, 4, 4));
    assert_eq!(cursor.pixels, [0, 0, 255, 255].repeat(64));
}

fn id(painter: &Painter) -> u32 {
    use x11rb::connection::Connection as _;
    painter.conn.generate_id().unwrap()
}

#[test]
fn wakes_without_a_change() {
    let desk = ConsentUi::start("640x480x24", &[]);
    let (mut capture, waker, _input) = screen::open(Some(&desk.display)).unwrap();
    let mut picture = capture.whole().unwrap();
    waker.wake();
    waker.wake();
    assert_eq!(capture.next(&mut picture, &[]).unwrap(), []);
    let other = std::thread::spawn(move || {
        waker.wake();
        waker
    });
    assert_eq!(capture.next(&mut picture, &[]).unwrap(), []);
    other.join().unwrap();
}

#[test]
fn keeps_up_with_a_screen_that_changes_all_the_time() {
    let desk = ConsentUi::start("640x480x24", &[]);
    let painter = Painter::start(&desk, 640, 480);
    let (mut capture, _waker, _input) = screen::open(Some(&desk.display)).unwrap();
    let mut picture = capture.whole().unwrap();
    let last = 0x0000_2710;
    let looks = Arc::new(AtomicU32::new(0));
    let seen = Arc::clone(&looks);
    let drawing = std::thread::spawn(move || {
        // Until it was looked at often, however slow the computer is.
        let busy = (1..last).cycle().take_while(|_| seen.load(Ordering::SeqCst) < 50);
        for colour in busy.chain([last]) {
            painter.fill(colour, 0, 0, 640, 480);
        }
        painter
    });
    let started = Instant::now();
    while pixel(&picture, 639, 479) != [0x10, 0x27, 0] {
        capture.next(&mut picture, &[]).unwrap();
        looks.fetch_add(1, Ordering::SeqCst);
    }
    drawing.join().unwrap();
    let (looks, most) = (looks.load(Ordering::SeqCst), started.elapsed().as_millis() / 8 + 2);
    assert!(u128::from(looks) <= most, "{looks} looks in {most} times 8 ms");
}

#[test]
fn says_when_the_screen_is_gone() {
    let mut desk = ConsentUi::start("640x480x24", &[]);
    let (mut capture, waker, mut input) = screen::open(Some(&desk.display)).unwrap();
    let mut picture = capture.whole().unwrap();
    let waiting = std::thread::spawn(move || {
        loop {
            if let Err(error) = capture.next(&mut picture, &[]) {
                return (error, capture.whole().err());
            }
        }
    });
    desk.stop();
    assert_eq!(waiting.join().unwrap(), (ScreenError::Gone, Some(ScreenError::Gone)));
    waker.wake();
    let typed = (0..10).find_map(|_| input.key(ViewerId(1), true, 0x61, None).err());
    assert_eq!(typed, Some(ScreenError::Gone));
    let pointed = (0..10).find_map(|_| input.pointer(ViewerId(1), 1, 1, 0).err());
    assert_eq!(pointed, Some(ScreenError::Gone));
}

/// Said, not judged: the numbers belong to this computer. `--nocapture` shows them.
#[test]
fn costs_nothing_at_rest() {
    let desk = ConsentUi::start("1920x1080x24", &[]);
    let painter = Painter::start(&desk, 1920, 1080);
    let (mut capture, waker, _input) = screen::open(Some(&desk.display)).unwrap();
    let mut picture = capture.whole().unwrap();

    let started = Instant::now();
    for colour in 1..=20 {
        painter.fill(colour, 0, 0, 1920, 1080);
        let colour = u8::try_from(colour).unwrap();
        look_until(&mut *capture, &mut picture, |picture, _| pixel(picture, 0, 0)[0] == colour);
    }
    println!("a full screen of 1920 x 1080, drawn and fetched: {:?}", started.elapsed() / 20);
    let started = Instant::now();
    for _ in 0..20 {
        capture.whole().unwrap();
    }
    println!("a full screen of 1920 x 1080, fetched anew: {:?}", started.elapsed() / 20);

    let resting = std::thread::spawn(move || {
        let before = cpu();
        let changes = capture.next(&mut picture, &[]).unwrap();
        (changes, cpu() - before)
    });
    Command::new("sleep").arg("1").status().unwrap();
    waker.wake();
    let (changes, spent) = resting.join().unwrap();
    assert_eq!(changes, []);
    println!("a second at rest: {spent:?}");
    assert!(spent < Duration::from_millis(50), "{spent:?} of a second");
}

/// The processor's time that this thread has taken.
fn cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(stat.split(' ').next().unwrap().parse().unwrap())
}
