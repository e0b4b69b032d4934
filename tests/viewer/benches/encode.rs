//! What an update of a 1920x1080 screen takes, beside the crate rfb-encodings on the same pictures in the
//! same run, alternating. `cargo bench -p deskhand-viewer-tests`, with `-- film` only what has that in its name;
//! figures of one machine mean something as ratios only.

use std::time::{Duration, Instant};

use flate2::{Compress, Compression};
use rfb::{Event, Limits, Picture, Rect, Server};
use rfb_encodings::{
    PixelFormat,
    tight::{SimpleTightCompressor, encode_tight_rects},
    zrle::encode_zrle_persistent,
};

const WIDTH: u16 = 1920;
const HEIGHT: u16 = 1080;
const ALL: Rect = Rect::new(0, 0, WIDTH, HEIGHT);
const ROUNDS: usize = 20;
/// Time stands still for the server: its link takes all at once, and nothing rests.
const NOW: Duration = Duration::ZERO;
/// noVNC's: CopyRect, Tight, fence, continuous updates, compression 2; quality 6 is added.
const LOSSLESS: &[i32] = &[1, 7, -312, -313, -254];
const JPEG: &[i32] = &[1, 7, -312, -313, -254, -26];
const ZRLE: &[i32] = &[1, 16];

fn main() {
    println!("{:40} {:>9} {:>9} {:>11} {:>6}", "1920x1080", "ms", "cpu ms", "bytes", "ratio");
    let text = |n: u64| pictures(|picture| viewer_tests::text(picture, ALL, n));
    let texts = [text(0), text(500)];
    let scrolled = [text(0), text(1)];
    let films = [1, 2].map(|seed| pictures(|picture| viewer_tests::noise(picture, ALL, seed)));
    let window =
        [0, 1].map(|line| pictures(|p| viewer_tests::text(p, Rect::new(101, 77, 1203, 805), line)));
    let typed = pictures(|picture| {
        viewer_tests::text(picture, ALL, 0);
        viewer_tests::paint(picture, Rect::new(100, 100, 8, 16), 0xff_ff_ff);
    });
    let typed = [text(0), typed];

    line("idle: nothing differs", &mut ours(LOSSLESS, &[text(0), text(0)]), None);
    line("a letter typed, all marked", &mut ours(LOSSLESS, &typed), None);
    line(
        "text scrolls, full screen",
        &mut ours(LOSSLESS, &scrolled),
        Some(&mut tight(10, &scrolled)),
    );
    line("text scrolls, in a window", &mut ours(LOSSLESS, &window), Some(&mut tight(10, &window)));
    line("text changes, tight", &mut ours(LOSSLESS, &texts), Some(&mut tight(10, &texts)));
    line("text changes, zrle", &mut ours(ZRLE, &texts), Some(&mut zrle(&texts)));
    line("film, jpeg", &mut ours(JPEG, &films), Some(&mut tight(10, &films)));
    line("film, lossless", &mut ours(LOSSLESS, &films), Some(&mut tight(10, &films)));
}

fn pictures(draw: impl Fn(&mut Picture)) -> Picture {
    let mut picture = Picture::new(WIDTH, HEIGHT);
    draw(&mut picture);
    picture
}

/// One update: how many bytes.
type Run<'a> = dyn FnMut(usize) -> usize + 'a;

/// What updates took.
#[derive(Default)]
struct Taken {
    /// The best of all: the machine is never quiet.
    best_ms: f64,
    /// Of both threads, on average; the kernel counts in steps of 10 ms.
    cpu_ms: f64,
    bytes: usize,
}

fn line(what: &str, ours: &mut Run<'_>, mut theirs: Option<&mut Run<'_>>) {
    let wanted = std::env::args().skip(1).find(|argument| !argument.starts_with("--"));
    if wanted.is_some_and(|wanted| !what.contains(&wanted)) {
        return;
    }
    let (mut mine, mut other) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        mine.push(timed(ours, round));
        if let Some(theirs) = &mut theirs {
            other.push(timed(*theirs, round));
        }
    }
    let mine = summed(&mine);
    let (ms, cpu, bytes) = (mine.best_ms, mine.cpu_ms, mine.bytes);
    if other.is_empty() {
        return println!("{what:40} {ms:>9.2} {cpu:>9.1} {bytes:>11}");
    }
    let other = summed(&other);
    let ratio = ms / other.best_ms;
    println!("{what:40} {ms:>9.2} {cpu:>9.1} {bytes:>11} {ratio:>6.2}");
    let (ms, cpu, bytes) = (other.best_ms, other.cpu_ms, other.bytes);
    println!("{:40} {ms:>9.2} {cpu:>9.1} {bytes:>11} {:>6}", "  rfb-encodings", 1);
}

fn timed(run: &mut Run<'_>, round: usize) -> (f64, f64, usize) {
    let (start, cpu) = (Instant::now(), cpu_ms());
    let bytes = run(round);
    (start.elapsed().as_secs_f64() * 1000.0, cpu_ms() - cpu, bytes)
}

fn summed(runs: &[(f64, f64, usize)]) -> Taken {
    let best_ms = runs.iter().map(|run| run.0).fold(f64::MAX, f64::min);
    let cpu_ms = runs.iter().map(|run| run.1).sum::<f64>() / runs.len() as f64;
    Taken { best_ms, cpu_ms, bytes: runs[runs.len() - 1].2 }
}

/// What the process has used so far; 0 where the kernel doesn't tell in Linux's way.
fn cpu_ms() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() * 10.0
}

/// Our server, whose viewer has the one picture and is shown the other; it answers at once.
fn ours<'a>(encodings: &[i32], pictures: &'a [Picture; 2]) -> impl FnMut(usize) -> usize + 'a {
    let mut server = Server::new(&pictures[1], &[], "bench", Limits::default());
    let mut hello = b"RFB 003.008\n\x01\x01\x02\0\0".to_vec();
    hello.push(encodings.len() as u8);
    encodings.iter().for_each(|encoding| hello.extend(encoding.to_be_bytes()));
    say(&mut server, &hello);
    let mut update = move |picture: &Picture| {
        server.changed(&[ALL]);
        let mut bytes = 0;
        while server.wants_update(NOW) {
            let number = server.update(picture, NOW);
            bytes += server.take_output().len();
            let answer = number
                .map(|number| [&[248, 0, 0, 0, 0, 0, 0, 0, 4], &number.to_be_bytes()[..]].concat());
            say(&mut server, &answer.unwrap_or_default());
            say(&mut server, &[3, 1, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]);
        }
        bytes
    };
    update(&pictures[1]);
    update(&pictures[1]);
    move |round| update(&pictures[round % 2])
}

fn say(server: &mut Server, bytes: &[u8]) {
    let mut events: Vec<Event> = Vec::new();
    assert_eq!(server.receive(bytes, NOW, &mut events), Ok(()), "the bench speaks RFB");
}

fn tight(quality: u8, pictures: &[Picture; 2]) -> impl FnMut(usize) -> usize {
    let format = PixelFormat::rgba32();
    let pictures = pictures.each_ref().map(rgba);
    let mut compressor = SimpleTightCompressor::new(1);
    move |round| {
        let picture = &pictures[round % 2];
        let rects =
            encode_tight_rects(picture, WIDTH, HEIGHT, quality, 1, &format, &mut compressor);
        rects.iter().map(|rect| rect.4.len()).sum()
    }
}

fn zrle(pictures: &[Picture; 2]) -> impl FnMut(usize) -> usize {
    let format = PixelFormat::rgba32();
    let pictures = pictures.each_ref().map(rgba);
    let mut zlib = Compress::new(Compression::new(1), true);
    move |round| {
        let picture = &pictures[round % 2];
        encode_zrle_persistent(picture, WIDTH, HEIGHT, &format, &mut zlib)
            .map_or(0, |out| out.len())
    }
}

fn rgba(picture: &Picture) -> Vec<u8> {
    let pixels = picture.pixels().as_chunks::<4>().0;
    pixels.iter().flat_map(|[b, g, r, _]| [*r, *g, *b, 255]).collect()
}
