//! The customer's program where it can't share: an exit code and one sentence.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use screen_tests::{
    display::Display,
    process::{Program, built, by},
    subject::Subject,
    world::{World, plain, unattended},
};

/// Checks that it ends by itself with this exit code, and that its one sentence contains this.
fn ends(mut program: Program, code: i32, sentence: &str) {
    let (status, complaints) = program.ends();
    assert!(complaints.contains(sentence), "{status}: {complaints}");
    assert_eq!(status.code(), Some(code), "{complaints}");
    assert!(!complaints.contains("panicked"), "{complaints}");
}

fn with_conf(mut command: Command, conf: &Path) -> Program {
    command.args(["--yes", "--admit-all"]).arg("--conf").arg(conf);
    Program::start(command)
}

/// The program on a computer whose clock is wrong by `offset`. It gets the library of `faketime`
/// directly: the program of that name starts another process, which would survive a kill.
fn with_clock(offset: &str, mut program: Command) -> Command {
    // The dynamic linker knows what `$LIB` is on this machine.
    program.env("LD_PRELOAD", "/usr/$LIB/faketime/libfaketimeMT.so.1").env("FAKETIME", offset);
    program
}

/// A session with a conf that needs no consent.
async fn invited(world: &World) -> (String, PathBuf) {
    let pin = world.service.mint().await;
    let conf = world.service.conf(&pin, true, world.folder()).await;
    (pin, conf)
}

/// Checks that the screen is shared, that a viewer gets it, and that the program goes on.
async fn is_seen(world: &World, pin: &str, program: &mut Program) {
    let mut heard = world.companion(pin).await;
    heard.until_sharing("shared").await;
    world.raw_viewer(pin, "Anna", true).await.round_trip().await;
    assert!(program.runs());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_display_or_with_wayland_only_it_says_what_to_do() {
    let world = World::new().await;
    let (_, conf) = invited(&world).await;
    let program = || plain(&built("deskhand-presenter"));
    ends(with_conf(program(), &conf), 1, "found no screen: start it from the desktop");
    let mut wayland = program();
    wayland.env("WAYLAND_DISPLAY", "wayland-0");
    ends(with_conf(wayland, &conf), 1, "uses Wayland");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conf_that_is_broken_or_asks_first_or_is_not_this_sessions() {
    let (world, display) = (World::new().await, Display::xvfb(640, 480));
    let (pin, conf) = invited(&world).await;
    let broken = world.folder().join("broken");
    for text in ["", "!", "bm90IGpzb24", &fs::read_to_string(&conf).unwrap()[..40]] {
        fs::write(&broken, text).unwrap();
        ends(Program::start(unattended(&display, &broken)), 3, "configuration is damaged");
    }
    let attended = world.service.mint().await;
    let attended = world.service.conf(&attended, false, world.folder()).await;
    ends(Program::start(unattended(&display, &attended)), 2, "--yes needs a configuration");
    // The same conf with one other value, so the broker never gave it out.
    let text = fs::read_to_string(&conf).unwrap().into();
    let mut own = wire::loginwithme::Conf::decode(&text).unwrap();
    own.sftp_user.push('x');
    fs::write(&broken, own.encode().expose()).unwrap();
    ends(Program::start(unattended(&display, &broken)), 5, "doesn't accept this program");
    world.service.post("/x/revoke", &serde_json::json!({ "session_pin": pin })).await;
    ends(Program::start(unattended(&display, &conf)), 5, "no longer valid");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pin_that_is_over_is_said_to_be_so_whatever_the_clock_here_says() {
    let (world, display) = (World::new().await, Display::xvfb(640, 480));
    let (_, conf) = invited(&world).await;
    world.broker.handle().advance(Duration::from_secs(90_000)).await;
    ends(Program::start(unattended(&display, &conf)), 5, "no longer valid");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_wrong_by_days_is_mentioned_and_stops_nothing() {
    let (world, display) = (World::new().await, Display::xvfb(640, 480));
    for (clock, said) in [("+3d", "over already"), ("-3d", "has not begun yet")] {
        let (pin, conf) = invited(&world).await;
        let mut program = Program::start(with_clock(clock, unattended(&display, &conf)));
        program.complains("that the clock may be wrong", |line| {
            (line.contains(said) && line.contains("The clock may be wrong")).then_some(())
        });
        is_seen(&world, &pin, &mut program).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_right_is_not_mentioned() {
    let (world, display) = (World::new().await, Display::xvfb(640, 480));
    let (pin, conf) = invited(&world).await;
    let program = Program::start(unattended(&display, &conf));
    world.companion(&pin).await.until_sharing("shared").await;
    // The warning about the clock comes before that line.
    program.complains("that it is connected", |line| {
        assert!(!line.contains("clock"), "{line}");
        line.starts_with("Connected").then_some(())
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_as_delivered_shares_and_one_that_was_changed_does_nothing() {
    let (world, display) = (World::new().await, Display::xvfb(640, 480));
    let (pin, conf) = invited(&world).await;
    let text = fs::read_to_string(&conf).unwrap();
    let path = format!("/session_exe?hide_progress=false&self_delete=false&conf={text}");
    let bytes = world.service.download(&path.replace('+', "%2B")).await;
    let file = world.folder().join("deskhand-presenter.run");

    save(&file, &bytes);
    let mut delivered = plain(&file);
    delivered.env("DISPLAY", display.name()).args(["--yes", "--admit-all"]);
    let delivered = Program::start(delivered);
    world.companion(&pin).await.until_sharing("shared").await;
    drop(delivered);

    let mut changed = bytes.clone();
    let names = b"Download it again from the page";
    let place = changed.windows(names.len()).position(|part| part == names).unwrap();
    changed[place] = b'd';
    save(&file, &changed);
    ends(Program::start(plain(&file)), 3, "was changed after the server made it");

    // Where the customer's disk was full before all of it was there, its end is missing.
    save(&file, &bytes[..bytes.len() - 100]);
    ends(Program::start(plain(&file)), 2, "Download it from the page with your PIN");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_takes_nothing_more_stops_nothing() {
    let (world, display) = (World::new().await, Display::xvfb(640, 480));
    let (pin, conf) = invited(&world).await;
    let mut full = Command::new("sh");
    full.args(["-c", "ulimit -f 0 && exec \"$@\"", "sh"]);
    let mut program = Program::start(by(full, &unattended(&display, &conf)));
    is_seen(&world, &pin, &mut program).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_display_that_goes_away_ends_the_sharing() {
    let (world, display) = (World::new().await, Display::xvfb(640, 480));
    let (pin, conf) = invited(&world).await;
    let program = Program::start(unattended(&display, &conf));
    let mut heard = world.companion(&pin).await;
    heard.until_sharing("shared").await;
    let mut viewer = world.raw_viewer(&pin, "Anna", false).await;
    viewer.round_trip().await;
    drop(display);
    heard.until_sharing("none").await;
    ends(program, 1, "The screen went away");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_smallest_screen_and_a_very_large_one_are_shared() {
    let world = World::new().await;
    for size in [(1, 1), (7680, 4320)] {
        let display = Display::xvfb(size.0, size.1);
        let _subject = (size.0 > 1).then(|| Subject::on(&display));
        let (pin, conf) = invited(&world).await;
        let _program = Program::start(unattended(&display, &conf));
        world.companion(&pin).await.until_sharing("shared").await;
        let mut viewer = world.raw_viewer(&pin, "Anna", true).await;
        assert_eq!(viewer.size, size);
        viewer.round_trip().await;
    }
}

fn save(file: &Path, bytes: &[u8]) {
    // A file that runs can't be written to, but another can take its place.
    let fresh = file.with_extension("fresh");
    fs::write(&fresh, bytes).unwrap();
    fs::set_permissions(&fresh, fs::Permissions::from_mode(0o755)).unwrap();
    fs::rename(&fresh, file).unwrap();
}
