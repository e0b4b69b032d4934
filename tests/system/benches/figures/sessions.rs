//! F4: many sessions in one process, against as many bare ractor actors.
//!
//! Each count runs in a process of its own; the service is another one. What an engine without a session
//! takes is subtracted.

use std::{path::Path, time::Instant};

use deskhand_system_tests::{RunningEngine, now};
use engine::{
    SessionId,
    journal::{self, JOURNAL_FILE, Journal, SessionSecrets, SessionTurn},
    token::HookToken,
    vault::{Options, Vault},
};
use ractor::{Actor, ActorProcessingErr, ActorRef};
use session::{About, Life, State, state::Allocation};
use wire::Pin;

use crate::{
    Sizes,
    child::{self, Child},
    service,
    spread::millis,
};

/// The memory and the time that a number of sessions took.
struct ResourceUse {
    kib: f64,
    ms: f64,
}

pub async fn measure(sizes: Sizes) {
    let (_service, origin) = service::start();
    println!("F4 sessions in one process, restored, waiting for their customers");
    println!(
        "  A session holds: its record, four lamps, the sealed PIN and tokens in the journal and open ones"
    );
    println!(
        "  in memory, four routes, its snapshot, three timers, and four PUTs that wait for the budget (20 a"
    );
    println!(
        "  second), which is what it holds most; one subscriber has seen every session. A bare actor"
    );
    println!(
        "  holds nothing; a holding one the same record, PIN and tokens, and nothing that acts."
    );
    println!("  {:>8} {:>22} {:>22} {:>22}", "", "sessions", "bare actors", "holding actors");
    println!("  {:>8} {} {} {}", "count", HEAD, HEAD, HEAD);
    let mut sizes_kib = Vec::new();
    for &count in sizes.sessions {
        let folder = tempfile::tempdir().unwrap();
        prepare(folder.path(), count).await;
        let role = format!("sessions|{}|{origin}", folder.path().display());
        let ours = taken(&role);
        let bare = taken(&format!("actors|bare|{count}"));
        let holding = taken(&format!("actors|holding|{count}"));
        println!(
            "  {count:>8} {} {} {}",
            each(&ours, count),
            each(&bare, count),
            each(&holding, count)
        );
        println!(
            "  {:>8} memory {:.2}x, spawn {:.2}x of bare; {:.2}x, {:.2}x of holding (aim 1.5)",
            "",
            ours.kib / bare.kib,
            ours.ms / bare.ms,
            ours.kib / holding.kib,
            ours.ms / holding.ms
        );
        sizes_kib.push((count as f64, ours.kib));
    }
    // Between neighbouring counts, for what an empty engine costs is in all of them.
    let growth: Vec<f64> = sizes_kib
        .windows(2)
        .map(|pair| (pair[1].1 - pair[0].1) / (pair[1].0 - pair[0].0))
        .collect();
    let text: Vec<String> = growth.iter().map(|kib| format!("{kib:.2}")).collect();
    println!("  KiB for each further session, from count to count: {}", text.join(", "));
    if let [first, .., last] = growth[..] {
        println!("  growth: the last is {:.2} of the first (aim 0.85 to 1.15)", last / first);
    }
    println!();
}

const HEAD: &str = "   KiB each    us each";

fn each(taken: &ResourceUse, count: usize) -> String {
    let count = count as f64;
    format!("{:>11.2}{:>11.1}", taken.kib / count, taken.ms * 1e3 / count)
}

fn taken(role: &str) -> ResourceUse {
    let said = Child::playing(role).says();
    let (kib, ms) = said.split_once(' ').unwrap();
    ResourceUse { kib: kib.parse().unwrap(), ms: ms.parse().unwrap() }
}

/// Leaves `count` live sessions in a folder's journal, as an engine that was killed does.
async fn prepare(folder: &Path, count: usize) {
    let options = Options { keyring: None, ..Options::default() };
    let vault = Vault::open(folder, options).unwrap();
    let path = folder.join(JOURNAL_FILE);
    let journal = Journal::open(&path, vault.journal_key(), journal::Options::default()).unwrap();
    let saved: Vec<_> = (0..count)
        .map(|n| {
            journal.save_turn(SessionTurn {
                session: SessionId::random(),
                record: waiting(n).record.into(),
                secrets: Some(secrets(n)),
                applied_seq: 0,
                events: Vec::new(),
            })
        })
        .collect();
    for answer in saved {
        answer.await.unwrap();
    }
}

fn waiting(n: usize) -> State {
    let about = About { customer: format!("Customer {n}"), ..About::default() };
    let mut state = State::new(about, "anna".into(), now());
    let expires = now().plus(std::time::Duration::from_secs(80_000));
    let region = "a".parse().unwrap();
    state.record.life = Life::Live(Allocation { region, at: now(), expires });
    state
}

fn secrets(n: usize) -> SessionSecrets {
    let pin: Pin = format!("{:03}-{:02}-{:04}", n / 10_000 % 1_000, 0, n % 10_000).parse().unwrap();
    let tokens = [0, 1, 2, 3].map(|hook| {
        let mut bytes = [hook; 32];
        bytes[..8].copy_from_slice(&n.to_be_bytes());
        HookToken::from_bytes(bytes)
    });
    SessionSecrets { pin: Some(pin), tokens, conf: None }
}

/// The role of an engine that finds its sessions again.
pub async fn restored(folder: &str, origin: &str) {
    let (service, template) = (format!("{origin}/api/v1"), format!("{origin}/region/{{region}}"));
    // Engines without a session first, so that what any engine costs isn't counted; the first of them
    // also pays what a process pays once.
    let folder = Path::new(folder);
    // Within the folder that is removed by whoever made it, for this process is killed.
    let (empty, other) = (folder.join("empty"), folder.join("other"));
    std::fs::create_dir(&empty).unwrap();
    std::fs::create_dir(&other).unwrap();
    let first = RunningEngine::start(&empty, &service, &template).await;
    let before = resident_kib();
    let second = RunningEngine::start(&other, &service, &template).await;
    let any_kib = resident_kib() - before;
    let before = resident_kib();
    let running = RunningEngine::start(folder, &service, &template).await;
    let mut subscription = running.engine.subscribe();
    let seen = subscription.changed().await.snapshots.len();
    assert_eq!(seen, running.engine.snapshots().len());
    let kib = resident_kib() - before - any_kib;
    for running in [first, second, running] {
        running.stop().await;
    }
    let any_ms = fastest_start(&empty, &service, &template).await;
    let ms = fastest_start(folder, &service, &template).await - any_ms;
    child::say(format!("{kib} {ms}"));
    std::future::pending::<()>().await;
}

/// The fastest of a few starts, because the time of a small start depends on the disk.
async fn fastest_start(folder: &Path, service: &str, template: &str) -> f64 {
    let mut fastest = f64::INFINITY;
    for _ in 0..5 {
        let start = Instant::now();
        let running = RunningEngine::start(folder, service, template).await;
        fastest = fastest.min(millis(start.elapsed()));
        running.stop().await;
    }
    fastest
}

/// The role of as many actors that do nothing.
pub async fn bare(holding: bool, count: &str) {
    let count: usize = count.parse().unwrap();
    let before = resident_kib();
    let start = Instant::now();
    let mut actors = Vec::new();
    for n in 0..count {
        let held = holding.then(|| (waiting(n), secrets(n)));
        actors.push(Actor::spawn(None, BareActor, held).await.unwrap().0);
    }
    let took = millis(start.elapsed());
    child::say(format!("{} {took}", resident_kib() - before));
    std::future::pending::<()>().await;
    drop(actors);
}

struct BareActor;

impl Actor for BareActor {
    type Msg = ();
    type State = Option<(State, SessionSecrets)>;
    type Arguments = Option<(State, SessionSecrets)>;

    async fn pre_start(
        &self,
        _: ActorRef<()>,
        held: Self::Arguments,
    ) -> Result<Self::State, ActorProcessingErr> {
        Ok(held)
    }
}

fn resident_kib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}
