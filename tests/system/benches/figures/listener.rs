//! F3: the CPU time that a webhook takes in the listener, compared with Debian's `webhook`.
//!
//! The generator is `wrk` with `benches/post.lua`; only the listener's own process and its children count.

use std::{
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use axum::{Router, body::Bytes, extract, routing::post};
use engine::{
    SessionId, hooks,
    journal::{JOURNAL_FILE, Journal, JournalError, Options},
    token::HookToken,
    vault::SealKey,
    watch::Watch,
};
use secrecy::SecretBox;
use serve::{HostGuard, Limits, Port, Server};
use session::{Delivery, Timestamp};
use wire::HookType;

use crate::{
    Sizes,
    child::{self, Child},
    service,
};

const BENCHES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches");
/// Fewer than the events of one hook that may wait for the disk.
const CONNECTIONS: &str = "24";
/// The two listeners that the aim compares.
const OURS: &str = "listener with its journal";
const THEIRS: &str = "webhook, a rule that never matches";

/// A listener under load.
struct Subject {
    name: &'static str,
    url: String,
    process: Child,
    /// Requests that were answered, answers other than 2xx, and CPU spent, so far.
    answered: u64,
    refused: u64,
    spent: Duration,
}

pub async fn measure(sizes: Sizes) {
    let missing = ["webhook", "wrk"].into_iter().find(|name| !is_installed(name));
    if let Some(name) = missing {
        println!("F3 skipped: {name} isn't installed (./bench installs it)\n");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (_service, origin) = service::start();
    let mut subjects = subjects(folder.path(), &origin).await;
    println!("F3 CPU per request, user and system, of the listener's process and its children");
    println!("  {CONNECTIONS} connections of wrk, {} s twice, A B C C B A", sizes.load_seconds);
    for subject in &mut subjects {
        subject.load(sizes.load_seconds);
    }
    for subject in subjects.iter_mut().rev() {
        subject.load(sizes.load_seconds);
    }
    let cost = |name: &str| subjects.iter().find(|subject| subject.name == name).unwrap().cost();
    let baseline = cost(THEIRS);
    println!("  {:<38} {:>10} {:>9} {:>13} {:>9}", "", "requests", "not 2xx", "us a request", "");
    for subject in &subjects {
        println!(
            "  {:<38} {:>10} {:>9} {:>13.1} {:>8.2}x",
            subject.name,
            subject.answered,
            subject.refused,
            subject.cost(),
            subject.cost() / baseline
        );
    }
    println!("  {OURS} against {THEIRS}: {:.2}x (aim 0.5)\n", cost(OURS) / baseline);
}

async fn subjects(folder: &Path, origin: &str) -> Vec<Subject> {
    let (never, matched) = (webhook("never").await, webhook("true").await);
    let mut bare = Child::playing("axum");
    let bare_url = bare.says();
    let mut listener = Child::playing(&format!("listener|{}", folder.join("journal").display()));
    let known = listener.says();
    let mut silent = Child::playing(&format!("listener|{}", folder.join("silent").display()));
    let unknown = format!("{}x", silent.says());
    let role = format!("engine|{}|{origin}|silent", folder.join("engine").display());
    let engine = Child::playing(&role);
    let newest = service::warm_client().get(format!("{origin}/newest")).send().await.unwrap();
    let armed = newest.text().await.unwrap();
    [
        (THEIRS, never.1, never.0),
        ("webhook that runs /bin/true", matched.1, matched.0),
        ("bare axum", bare_url, bare),
        ("listener without journal (unknown token)", unknown, silent),
        (OURS, known, listener),
        ("whole engine: journal, turn, PUT to re-arm", armed, engine),
    ]
    .map(|(name, url, process)| Subject {
        name,
        url,
        process,
        answered: 0,
        refused: 0,
        spent: Duration::ZERO,
    })
    .into()
}

impl Subject {
    /// Puts it under load for a while and adds the CPU time.
    fn load(&mut self, seconds: u64) {
        // Also warms its connections.
        let (process, url) = (self.process.id(), self.url.as_str());
        let before = cpu_of(process);
        let run = Command::new("wrk")
            .args(["-t1", "-c", CONNECTIONS, "-d", &format!("{seconds}s"), "-s"])
            .arg(format!("{BENCHES}/post.lua"))
            .arg(url)
            .stderr(Stdio::inherit())
            .output()
            .unwrap();
        let text = String::from_utf8(run.stdout).unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix("came ")).unwrap();
        let numbers: Vec<u64> = line.split(' ').map(|number| number.parse().unwrap()).collect();
        self.answered += numbers[0];
        self.refused += numbers[1];
        self.spent += cpu_of(process) - before;
    }

    /// Microseconds a request.
    fn cost(&self) -> f64 {
        self.spent.as_secs_f64() * 1e6 / self.answered as f64
    }
}

/// User and system time of a process and of its children that have ended.
fn cpu_of(process: u32) -> Duration {
    const TICK: Duration = Duration::from_millis(10);
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    // What comes before the bracket is a name, which may hold anything.
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    fields[11..15].iter().map(|ticks| TICK * ticks.parse().unwrap()).sum()
}

fn is_installed(program: &str) -> bool {
    Command::new("which").arg(program).stdout(Stdio::null()).status().unwrap().success()
}

/// Debian's `webhook`, and the URL of one of its hooks.
async fn webhook(hook: &str) -> (Child, String) {
    let port = {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        free.local_addr().unwrap().port()
    };
    let mut command = Command::new("webhook");
    command.args(["-hooks", &format!("{BENCHES}/webhook.json"), "-ip", "127.0.0.1"]);
    command.args(["-port", &port.to_string()]);
    let child = Child::starting(command, "none");
    while tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    (child, format!("http://127.0.0.1:{port}/hooks/{hook}"))
}

/// The role of the simplest server that could take a hook.
pub async fn bare_axum() {
    async fn hook(_token: extract::Path<String>, _body: Bytes) {}
    let routes = Router::new().route("/hook/{token}", post(hook));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    child::say(format!("http://{}/hook/x", listener.local_addr().unwrap()));
    axum::serve(listener, routes).await.unwrap();
}

/// Discards events, so that only the listener and its journal are measured.
struct DiscardingReceiver;

impl hooks::Receiver for DiscardingReceiver {
    fn received(&self, _: SessionId, _: HookType) {}
    fn committed(&self, _: SessionId, _: HookType, _: Delivery, _: Option<u64>, _: Timestamp) {}
    fn written(&self, _: SessionId, _: u64) {}
    fn disk(&self, _: Option<&JournalError>) {}
}

/// The role of the engine's listener, guarded and limited as in the engine, with a real journal.
pub async fn with_journal(folder: &str) {
    std::fs::create_dir_all(folder).unwrap();
    let key = SealKey::new(&SecretBox::new(Box::new([1; 32])));
    let path = Path::new(folder).join(JOURNAL_FILE);
    let journal = Journal::open(&path, key, Options::default()).unwrap();
    let tokens = [1, 2, 3, 4].map(|n| HookToken::from_bytes([n; 32]));
    let known = hooks::Routes::default();
    known.open(SessionId::from_bytes([1; 16]), &tokens);
    let bound = serve::bind([127, 0, 0, 1].into(), Port::Any).unwrap();
    let addr = bound.addr();
    let watch = Watch::new(|| {});
    let routes = hooks::router(known, Default::default(), journal, DiscardingReceiver, &watch);
    let routes = HostGuard::new(addr, None).protect(routes);
    let _server = Server::start(bound, routes, Limits::default(), None).unwrap();
    child::say(format!("http://{addr}/hook/{}", tokens[0].expose()));
    std::future::pending::<()>().await;
}
