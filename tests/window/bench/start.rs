//! F6: from the start of the process to the New session button on the screen, and what it weighs.
//!
//! The timed runs have no driver. A first run under the driver finds the position of the button and
//! its pixels once it is enabled, and warms the page cache.

use std::{
    fs,
    process::Command,
    time::{Duration, Instant},
};

use fantoccini::Locator;

use crate::{
    DESKHAND, bare,
    screen::{Screen, ScreenArea},
    spread,
};
use desktop_tests::{Desktop, eventually};

const BUTTON: Locator<'_> = Locator::XPath("//button[contains(., 'New session')]");
/// The pause between the appearance of the button and the measurement of memory.
const SETTLES: Duration = Duration::from_secs(3);
/// Longer than any start.
const PATIENCE: Duration = Duration::from_secs(30);

/// A program with a window.
struct Subject {
    program: String,
    title: &'static str,
    piece: ScreenArea,
    looks: Vec<u8>,
    started_ms: Vec<f64>,
    pss_mib: Vec<f64>,
}

pub async fn measure(rounds: usize) {
    let mut desktop = Desktop::new(DESKHAND).await;
    // The bare window emits nothing here; Deskhand doesn't know the variable.
    desktop.set(bare::ROLE, "0 0".into());
    let screen = Screen::open(desktop.home());
    let own = std::env::current_exe().unwrap().to_str().unwrap().to_owned();
    let mut ours = Subject::learnt(&mut desktop, &screen, DESKHAND.to_owned(), "Deskhand").await;
    let mut theirs = Subject::learnt(&mut desktop, &screen, own, "Bare").await;
    for _ in 0..rounds {
        ours.run(&mut desktop, &screen).await;
        theirs.run(&mut desktop, &screen).await;
        theirs.run(&mut desktop, &screen).await;
        ours.run(&mut desktop, &screen).await;
    }
    let [(our_start, our_worst), (their_start, their_worst)] =
        [&ours, &theirs].map(|subject| spread(subject.started_ms.clone()));
    let [our_pss, their_pss] = [&ours, &theirs].map(|subject| spread(subject.pss_mib.clone()).0);
    println!(
        "F6 start of the process -> New session button on the screen ({} each, A B B A)",
        2 * rounds
    );
    println!("  Deskhand          p50 {our_start:>6.0} ms  most {our_worst:>6.0} ms");
    println!("  bare Tauri window p50 {their_start:>6.0} ms  most {their_worst:>6.0} ms");
    println!("  p50 against bare: {:.2}x (aim 1.3)", our_start / their_start);
    println!(
        "  PSS with its web processes: {our_pss:.0} MiB, bare {their_pss:.0} MiB, {:+.0} MiB (aim +40)",
        our_pss - their_pss
    );
    let size = fs::metadata(DESKHAND).unwrap().len() as f64 / 1e6;
    println!("  binary of this profile: {size:.1} MB (aim 20, in the release profile)\n");
}

impl Subject {
    /// Finds the position of the button and its pixels.
    async fn learnt(
        desktop: &mut Desktop,
        screen: &Screen,
        program: String,
        title: &'static str,
    ) -> Self {
        let page = desktop.open(&program).await;
        let button = page.wait().for_element(BUTTON).await.unwrap();
        assert!(button.is_enabled().await.unwrap());
        let shown = async || desktop.visible_windows().contains(&title.to_owned()).then_some(());
        eventually(format!("the window {title}"), shown).await;
        tokio::time::sleep(SETTLES).await;
        let (x, y, width, height) = button.rectangle().await.unwrap();
        let (left, top) = window_corner(desktop, title);
        // Its inner part, without the edge.
        let piece = ScreenArea {
            left: left + x as u64 + 8,
            top: top + y as u64 + 8,
            width: width as u64 - 16,
            height: height as u64 - 16,
        };
        let looks = screen.look(piece);
        page.close().await.unwrap();
        desktop.end_newest();
        gone(screen, piece, &looks).await;
        Self { program, title, piece, looks, started_ms: Vec::new(), pss_mib: Vec::new() }
    }

    async fn run(&mut self, desktop: &mut Desktop, screen: &Screen) {
        let start = Instant::now();
        let process = desktop.start(Command::new(&self.program));
        while screen.look(self.piece) != self.looks {
            assert!(start.elapsed() < PATIENCE, "the button of {} isn't seen", self.title);
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        self.started_ms.push(start.elapsed().as_secs_f64() * 1e3);
        tokio::time::sleep(SETTLES).await;
        self.pss_mib.push(pss_kib(process) / 1024.0);
        desktop.end_newest();
        gone(screen, self.piece, &self.looks).await;
    }
}

/// Waits until the button is no longer on the screen.
async fn gone(screen: &Screen, piece: ScreenArea, looks: &[u8]) {
    eventually("the window to be gone", async || (screen.look(piece) != looks).then_some(())).await;
}

fn window_corner(desktop: &Desktop, title: &str) -> (u64, u64) {
    let told = desktop.tool("xwininfo", &["-name", title]);
    let text = String::from_utf8(told.stdout).unwrap();
    let number = |label: &str| {
        let line = text.lines().find_map(|line| line.trim().strip_prefix(label)).unwrap();
        line.trim().parse().unwrap()
    };
    (number("Absolute upper-left X:"), number("Absolute upper-left Y:"))
}

/// The proportional set size of a process and its descendants, in KiB.
fn pss_kib(process: u32) -> f64 {
    let own = fs::read_to_string(format!("/proc/{process}/smaps_rollup")).unwrap_or_default();
    let own: f64 = own
        .lines()
        .find_map(|line| line.strip_prefix("Pss:"))
        .and_then(|size| size.trim().trim_end_matches(" kB").parse().ok())
        .unwrap_or_default();
    own + children(process).into_iter().map(pss_kib).sum::<f64>()
}

fn children(process: u32) -> Vec<u32> {
    let tasks = fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten();
    let of = |task: fs::DirEntry| fs::read_to_string(task.path().join("children"));
    let text: String = tasks.filter_map(|task| of(task).ok()).collect();
    text.split_whitespace().filter_map(|number| number.parse().ok()).collect()
}
