//! What everybody else notices of the attack: the same calls, on a quiet broker and then while it is attacked.

use std::{
    io::Read as _,
    net::SocketAddr,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use tokio::time::{sleep, timeout};
use uuid::Uuid;

use crate::{
    Size,
    calls::{self, PATIENCE, call, mint, owner, say},
    served::Served,
};

const CALLERS: u16 = 8;
/// Between two calls of one caller.
const PAUSE: Duration = Duration::from_millis(10);
/// What they do, in turn.
const KINDS: [&str; 6] = ["mint", "regions", "hook", "session_url", "roster", "live page"];

pub async fn measure(size: Size) {
    let mut served = Served::start("network");
    let pins = Arc::new(pins(served.addr).await);
    // What is slow for the first time only is no part of it.
    others(served.addr, &pins, size.seconds.min(5)).await;
    let quiet = Half::measure(&mut served, &pins, size).await;
    let attackers = Attackers::start(served.addr);
    sleep(Duration::from_secs(1)).await;
    let mut attacked = Half::measure(&mut served, &pins, size).await;
    attacked.attackers_computed = attackers.computed();
    let begun = attackers.end();
    println!(
        "  Calls of others, each from an owner and on a connection of its own, {} s. The attackers compute only while nobody else does.",
        size.seconds
    );
    println!("                    quiet                        one /48 attacks");
    println!("                    calls failed    p50    p99    calls failed    p50    p99  times");
    for (kind, name) in KINDS.iter().enumerate() {
        line(name, &quiet.calls.of(Some(kind)), &attacked.calls.of(Some(kind)));
    }
    line("all", &quiet.calls.of(None), &attacked.calls.of(None));
    println!("  Whose time it is                      quiet  attacked");
    quiet.compare(&attacked, size, begun);
    refusals(&served).await;
}

/// What one half of the measurement has given.
struct Half {
    calls: Calls,
    longest_hold: f64,
    /// Seconds of the processor.
    broker_computed: f64,
    attackers_computed: f64,
    waits: [f64; 4],
}

impl Half {
    async fn measure(served: &mut Served, pins: &Arc<Vec<String>>, size: Size) -> Self {
        served.longest_hold().await;
        served.waits();
        let before = served.computed();
        let calls = others(served.addr, pins, size.seconds).await;
        let broker_computed = served.computed() - before;
        let longest_hold = served.longest_hold().await;
        let waits = served.waits();
        Self { calls, longest_hold, broker_computed, attackers_computed: 0.0, waits }
    }

    fn compare(&self, attacked: &Self, size: Size, begun: u64) {
        let row = |name: &str, unit: &str, of: &dyn Fn(&Self) -> f64| {
            println!("  {name:<36} {:>6.2} {:>9.2} {unit}", of(self), of(attacked));
        };
        row("longest decision", "ms", &|half| half.longest_hold);
        row("a thread waits for a core, p50", "ms", &|half| half.waits[0]);
        row("a thread waits for a core, p99", "ms", &|half| half.waits[1]);
        row("then a task waits for a worker, p50", "ms", &|half| half.waits[2]);
        row("then a task waits for a worker, p99", "ms", &|half| half.waits[3]);
        let seconds = size.seconds as f64;
        row("cores that the broker uses", "", &|half| half.broker_computed / seconds);
        row("cores that the attackers use", "", &|half| half.attackers_computed / seconds);
        let per_call = |half: &Self| half.broker_computed * 1e6 / half.calls.0.len() as f64;
        let of_attack = attacked.broker_computed - self.broker_computed;
        println!(
            "  The broker computes {:.0} µs for a call of others, its client's end not counted",
            per_call(self)
        );
        println!(
            "  The attackers began {begun} things; the broker computed {:.0} µs for each",
            of_attack.max(0.0) * 1e6 / begun.max(1) as f64
        );
    }
}

/// The attackers' process.
struct Attackers(Child);

impl Attackers {
    fn start(addr: SocketAddr) -> Self {
        let mut command = Command::new("chrt");
        command.args(["--idle", "0"]).arg(std::env::current_exe().unwrap());
        command.args(["attack-now", &addr.to_string()]);
        Self(command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap())
    }

    fn computed(&self) -> f64 {
        calls::computed(self.0.id())
    }

    /// How often they have begun something.
    fn end(mut self) -> u64 {
        drop(self.0.stdin.take());
        let mut told = String::new();
        let mut stdout = self.0.stdout.take().unwrap();
        stdout.read_to_string(&mut told).unwrap();
        self.0.wait().unwrap();
        told.trim().parse().unwrap()
    }
}

async fn refusals(served: &Served) {
    let told = served.figures("deskhand_broker_sockets_refused_total").await;
    println!("  Refused and ended: {}", told.join(", "));
    let text = served.control("GET", "/control/sessions", "").await;
    println!("  Sessions by now: {}", text.matches("\"id\"").count());
}

/// A session for each caller.
async fn pins(addr: SocketAddr) -> Vec<String> {
    let mut pins = Vec::new();
    for n in 0..CALLERS {
        pins.push(mint(owner(0xf000 + n), addr).await.unwrap());
    }
    pins
}

fn line(name: &str, quiet: &Took, attacked: &Took) {
    let times = attacked.p(99) / quiet.p(99);
    println!("  {name:<14} {quiet} {attacked} {times:>6.2}");
}

/// What the calls took, in milliseconds, and how many were not served.
#[derive(Default)]
struct Took {
    millis: Vec<f64>,
    failed: usize,
}

impl Took {
    fn p(&self, percent: usize) -> f64 {
        self.millis.get(self.millis.len() * percent / 100).copied().unwrap_or(f64::NAN)
    }
}

impl std::fmt::Display for Took {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (all, failed) = (self.millis.len() + self.failed, self.failed);
        write!(f, "{all:>8} {failed:>6} {:>6.2} {:>6.2}", self.p(50), self.p(99))
    }
}

#[derive(Default)]
struct Calls(Vec<(usize, Option<f64>)>);

impl Calls {
    /// Those of one kind, or all.
    fn of(&self, kind: Option<usize>) -> Took {
        let mut took = Took::default();
        for (_, millis) in self.0.iter().filter(|(of, _)| kind.is_none_or(|kind| kind == *of)) {
            match millis {
                Some(millis) => took.millis.push(*millis),
                None => took.failed += 1,
            }
        }
        took.millis.sort_by(f64::total_cmp);
        took
    }
}

async fn others(addr: SocketAddr, pins: &Arc<Vec<String>>, seconds: u64) -> Calls {
    let until = Instant::now() + Duration::from_secs(seconds);
    let calls = Arc::<Mutex<Calls>>::default();
    let callers: Vec<_> = (0..CALLERS)
        .map(|caller| {
            let (pins, calls) = (Arc::clone(pins), Arc::clone(&calls));
            tokio::spawn(async move {
                for n in 0.. {
                    if Instant::now() >= until {
                        return;
                    }
                    let kind = n % KINDS.len();
                    let began = Instant::now();
                    let pin = &pins[usize::from(caller)];
                    let served = timeout(PATIENCE, act(addr, kind, caller, n, pin)).await;
                    let took = began.elapsed().as_secs_f64() * 1_000.0;
                    let took = served.unwrap_or(false).then_some(took);
                    calls.lock().unwrap().0.push((kind, took));
                    sleep(PAUSE).await;
                }
            })
        })
        .collect();
    for caller in callers {
        caller.await.unwrap();
    }
    std::mem::take(&mut *calls.lock().unwrap())
}

/// Does one thing; whether it was served.
async fn act(addr: SocketAddr, kind: usize, caller: u16, n: usize, pin: &str) -> bool {
    // Another owner each time, of 7,000 for each caller, as customers are.
    let from = owner(0x100 + caller * 7_000 + u16::try_from(n % 7_000).unwrap());
    let hook = format!(
        r#"{{"type":"viewer_started","url":"https://example.org/hook/{n}","session_pin":"{pin}"}}"#
    );
    let body = format!(r#"{{"session_pin":"{pin}"}}"#);
    let url = format!("/api/v1/session_url?session_pin={pin}&ro=false");
    let asked = match kind {
        0 => ("GET", "/api/v1/session_pin?region=us-east-1", ""),
        1 => ("GET", "/api/v1/regions", ""),
        2 => ("PUT", "/api/v1/hook/", hook.as_str()),
        3 => ("GET", url.as_str(), ""),
        4 => ("POST", "/api/v1/x/roster", body.as_str()),
        _ => return joins(from, addr, pin).await,
    };
    call(from, addr, asked).await.is_ok_and(|text| text.starts_with("HTTP/1.1 200"))
}

async fn joins(from: std::net::Ipv6Addr, addr: SocketAddr, pin: &str) -> bool {
    let page = Uuid::new_v4();
    let hello = format!(
        r#"{{"type":"hello","session_pin":"{pin}","side":"presenter","page":"{page}","companion":true}}"#
    );
    let joined = say(from, addr, "/live", hello).await;
    joined.is_some_and(|(_, text)| text.contains("\"welcome\""))
}
