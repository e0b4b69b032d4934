//! A viewer that isn't ours, TigerVNC's, shows the customer's screen bit for bit.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

use std::{net::SocketAddr, process::Command, sync::atomic::Ordering, time::Instant};

use screen_tests::{
    PATIENCE, bridge,
    display::{Display, Picture},
    live::LiveConnection,
    process::Program,
    subject::Subject,
    world::World,
};

const SIZE: (u16, u16) = (1024, 768);

/// TigerVNC's viewer on a display of its own, which it fills.
fn viewer(on: &Display, at: SocketAddr, how: &[&str]) -> Program {
    let mut command = Command::new("xtigervncviewer");
    command.env("DISPLAY", on.name()).args(["-AutoSelect=0", "-FullColor=1", "-RemoteResize=0"]);
    command.args(["-Shared=1", "-DotWhenNoCursor=0", "-AlertOnFatalError=0", "-FullScreen=1"]);
    command.args(how).arg(format!("{}::{}", at.ip(), at.port()));
    Program::start(command)
}

/// Waits until both displays show the same.
fn until_same(shown: &Display, customers: &Display, when: &str) {
    let until = Instant::now() + PATIENCE;
    loop {
        let (seen, real) = (shown.picture(), customers.picture());
        let Some((x, y)) = seen.difference(&real) else { return };
        assert!(
            Instant::now() < until,
            "{when}: at {x}, {y} the viewer shows {:?} of {:?}; {} pixels differ",
            seen.at(x, y),
            real.at(x, y),
            seen.pixels.iter().zip(&real.pixels).filter(|(a, b)| a != b).count()
        );
    }
}

/// Waits until this many of the subject's frames have been shown.
fn until_moved(shown: &Display, frames: usize) {
    let until = Instant::now() + PATIENCE;
    let mut seen = std::collections::HashSet::new();
    while seen.len() < frames {
        seen.insert(frame(&shown.picture()));
        assert!(Instant::now() < until, "nothing moves: {seen:?}");
    }
}

/// The number of the frame, as the subject writes it at the bottom left.
fn frame(picture: &Picture) -> u16 {
    let bit = |place: u16| u16::from(picture.at(place * 16 + 8, picture.height - 8)[0] > 127);
    (0..16).fold(0, |number, place| number * 2 + bit(place))
}

async fn shows_exactly_what_is_there(how: &[&str], at_most: f64) {
    let (world, customers) = (World::new().await, Display::xvfb(SIZE.0, SIZE.1));
    let mut subject = Subject::on(&customers);
    let pin = world.service.mint().await;
    let _presenter = world.shares(&pin, &customers).await;
    let origin = world.origin();
    let live = LiveConnection::viewer(&origin, &pin, "TigerVNC", true).await;
    let (addr, carried) = bridge::for_one_viewer(&origin, live).await;
    let shown = Display::xvfb(SIZE.0, SIZE.1);
    let _viewer = viewer(&shown, addr, how);

    tokio::task::block_in_place(|| {
        until_same(&shown, &customers, "at first");
        let raw = f64::from(SIZE.0) * f64::from(SIZE.1) * 4.0;
        let bytes = carried.load(Ordering::Relaxed) as f64;
        assert!(
            bytes < raw * at_most,
            "{bytes} bytes came: not in the encoding that was asked for"
        );
        for motion in ["scroll", "repaint", "video"] {
            subject.plays(motion);
            until_moved(&shown, 8);
            subject.plays("nothing");
            until_same(&shown, &customers, motion);
        }
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn raw_bit_for_bit() {
    shows_exactly_what_is_there(&["-PreferredEncoding=Raw", "-NoJPEG=1"], 3.0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn zrle_bit_for_bit() {
    shows_exactly_what_is_there(&["-PreferredEncoding=ZRLE", "-NoJPEG=1"], 0.6).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tight_bit_for_bit() {
    shows_exactly_what_is_there(&["-PreferredEncoding=Tight", "-NoJPEG=1"], 0.6).await;
}

/// Areas that look like video are sent as JPEG, and again without loss once the screen is at rest.
#[tokio::test(flavor = "multi_thread")]
async fn tight_with_jpeg_bit_for_bit_at_rest() {
    let how = ["-PreferredEncoding=Tight", "-NoJPEG=0", "-QualityLevel=6"];
    shows_exactly_what_is_there(&how, 0.8).await;
}
