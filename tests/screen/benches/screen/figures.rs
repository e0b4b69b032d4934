//! The measurements and the table.

use std::time::{Duration, Instant};

use screen_tests::{
    browser::{Driver, PageScreen, press},
    subject::SQUARE,
};

use crate::{
    Sizes,
    contender::{Contender, Kind, SIZE},
};

const MOTIONS: [(&str, &str); 3] = [
    ("scroll", "text that the program scrolls by three lines, frames/s"),
    ("repaint", "text that the program paints anew, frames/s"),
    ("video", "video-like, 30 a second, frames/s"),
];

/// The results of both passes.
#[derive(Default)]
pub struct Figures {
    keys: Vec<f64>,
    motions: [Vec<Moved>; 3],
    at_rest: Vec<Load>,
}

struct Moved {
    frames: f64,
    load: Load,
}

struct Load {
    /// CPU seconds per second.
    cpu: f64,
    /// Bytes, at the end.
    rss: f64,
}

pub async fn measure(kind: Kind, driver: &Driver, pass: usize, sizes: Sizes, into: &mut Figures) {
    let mut contender = kind.start().await;
    // The browser is large enough to show the whole screen unscaled: without a graphics card,
    // scaling costs more than all the servers' work. Only our page has a chat, which would shrink
    // the screen.
    let browser = driver.browser(&format!("{}-{pass}", kind.name()), 2400, 1300).await;
    browser.goto(&contender.url).await.unwrap();
    let shown = PageScreen(&browser);
    shown.watch(SIZE.0).await;
    if kind == Kind::Ours {
        press(&browser, "scale").await;
    }
    // The first ones warm up the page.
    for press in 0..sizes.keys + 5 {
        let took = shown.key_to_pixel(SQUARE).await;
        if press >= 5 {
            into.keys.push(took);
        }
        // Irregular pauses, like those of a person, so that no key is in step with the frames.
        tokio::time::sleep(Duration::from_millis(40 + (press as u64 * 37) % 61)).await;
    }
    let began = (Instant::now(), contender.cost());
    tokio::time::sleep(sizes.watch / 2).await;
    into.at_rest.push(load(&contender, began));
    for ((motion, _), into) in MOTIONS.iter().zip(&mut into.motions) {
        contender.subject.plays(motion);
        // The first second isn't counted, because servers adapt to the motion.
        shown.frames_a_second(Duration::from_secs(1)).await;
        let began = (Instant::now(), contender.cost());
        let frames = shown.frames_a_second(sizes.watch).await;
        into.push(Moved { frames, load: load(&contender, began) });
    }
    browser.close().await.unwrap();
}

fn load(contender: &Contender, (at, before): (Instant, screen_tests::process::Cost)) -> Load {
    let now = contender.cost();
    let cpu = now.cpu.saturating_sub(before.cpu).as_secs_f64() / at.elapsed().as_secs_f64();
    Load { cpu, rss: now.rss as f64 }
}

/// The table: each figure, and its ratio to TigerVNC's.
pub fn print(measured: &[(Kind, Figures)], sizes: Sizes) {
    let presses = sizes.keys * 2;
    println!("\nScreen of {} x {}, page in headless Chromium, A B C C B A", SIZE.0, SIZE.1);
    print!("{:<62}", "");
    for (kind, _) in measured {
        print!("{:>18}", kind.name());
    }
    println!();
    let what = format!("key press to pixel, p50 of {presses}, ms");
    row(&what, measured, 1, |f| percentile(&f.keys, 50));
    row("key press to pixel, p90, ms", measured, 1, |f| percentile(&f.keys, 90));
    row("at rest: CPU s/s", measured, 3, |f| mean(&f.at_rest, |load| load.cpu));
    for (place, (_, what)) in MOTIONS.iter().enumerate() {
        row(what, measured, 1, |f| mean(&f.motions[place], |moved| moved.frames));
        row("    CPU s/s", measured, 2, |f| mean(&f.motions[place], |moved| moved.load.cpu));
        row("    CPU ms a frame", measured, 1, |f| {
            mean(&f.motions[place], |moved| moved.load.cpu * 1e3 / moved.frames.max(0.01))
        });
        row("    RSS, MiB", measured, 0, |f| {
            mean(&f.motions[place], |moved| moved.load.rss / f64::from(1 << 20))
        });
    }
}

fn row(what: &str, measured: &[(Kind, Figures)], digits: usize, figure: impl Fn(&Figures) -> f64) {
    let baseline = measured.iter().find(|(kind, _)| *kind == Kind::TigerVnc);
    let baseline = baseline.map(|(_, figures)| figure(figures));
    print!("{what:<62}");
    for (kind, figures) in measured {
        let value = figure(figures);
        match baseline {
            Some(base) if *kind != Kind::TigerVnc && base > 0.0 => {
                print!("{value:>10.digits$} {:>6.2}x", value / base);
            }
            _ => print!("{value:>10.digits$}        "),
        }
    }
    println!();
}

fn mean<T>(of: &[T], figure: impl Fn(&T) -> f64) -> f64 {
    of.iter().map(figure).sum::<f64>() / of.len().max(1) as f64
}

fn percentile(of: &[f64], share: usize) -> f64 {
    let mut sorted = of.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted
        .get((sorted.len() * share / 100).min(sorted.len().saturating_sub(1)))
        .copied()
        .unwrap_or(f64::NAN)
}
