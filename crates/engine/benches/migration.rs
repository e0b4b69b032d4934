//! F10 of the quality aims: what the first start with an older version's archive costs, and each start's quick check,
//! by the number of messages.
//!
//! `cargo bench -p deskhand-engine --bench migration -- [messages=30000,100000,300000]`. Each figure stands beside what it
//! is of the line before, divided by how many times as many messages there are: 1.00x is linear. It judges nothing.
#![allow(clippy::unwrap_used)]

#[path = "common/texts.rs"]
mod texts;

use std::{
    fs,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use engine::archive::{ARCHIVE_FILE, ARCHIVE_VERSION, Archive, ArchiveKey};
use rusqlite::Connection;
use secrecy::SecretBox;
use texts::{chinese, text};
use tokio::runtime::Builder;

/// The last version with the index of whole words: the start drops that, and everything is indexed anew afterwards.
const WORDS: usize = 12;
/// The version before this one.
const PREVIOUS: usize = ARCHIVE_VERSION - 1;
/// Arguments to a child of this program.
const FILL: &str = "fill";
const MEASURE: &str = "measure";
/// What is measured of an archive, in the order in which it happens.
const WHAT: [&str; 3] = ["migrated at the start", "indexed meanwhile", "quick check"];
/// A session has so many messages.
const SESSION: u64 = 100;

fn main() {
    let arguments: Vec<String> =
        std::env::args().skip(1).filter(|a| !a.starts_with("--")).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [FILL, path, version, messages] => {
            fill(Path::new(path), version.parse().unwrap(), messages.parse().unwrap());
        }
        [MEASURE, path] => Figures::of(Path::new(path)).tell(),
        _ => all(&arguments),
    }
}

/// Each archive is filled and measured in a process of its own: memory that was used before would be used again.
fn all(arguments: &[String]) {
    let asked = arguments.iter().find_map(|a| a.strip_prefix("messages="));
    let sizes = asked.unwrap_or("30000,100000,300000").split(',');
    let sizes: Vec<u64> = sizes.map(|size| size.parse().unwrap()).collect();
    for (older, what) in [
        (WORDS, "with the index of words, which is dropped at the start and made anew meanwhile"),
        (PREVIOUS, "of the version before, with an empty index"),
    ] {
        println!("F10 archive {what} (schema {older} to {ARCHIVE_VERSION})");
        let mut before: Option<(u64, Figures)> = None;
        for messages in &sizes {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join(ARCHIVE_FILE);
            let path = path.to_str().unwrap();
            child(&[FILL, path, &older.to_string(), &messages.to_string()]);
            let size = fs::metadata(path).unwrap().len() >> 20;
            let figures = Figures::read(&child(&[MEASURE, path]));
            println!("  {messages:>9} messages, {size} MiB");
            figures.print(*messages, before.as_ref());
            before = Some((*messages, figures));
        }
    }
}

fn child(arguments: &[&str]) -> String {
    let child = Command::new(std::env::current_exe().unwrap()).args(arguments).output().unwrap();
    assert!(child.status.success(), "{}", String::from_utf8_lossy(&child.stderr));
    String::from_utf8(child.stdout).unwrap()
}

/// What was measured of one archive, in the order of [`WHAT`].
struct Figures(Vec<Cost>);

#[derive(Clone, Copy)]
struct Cost {
    time: Duration,
    /// How much more memory than before was used at once, in KiB.
    peak: u64,
}

impl Figures {
    fn of(path: &Path) -> Self {
        let runtime = Builder::new_multi_thread().worker_threads(1).build().unwrap();
        let (archive, open) = cost(|| Archive::open(path, key()).unwrap());
        // As the console does beside everything else, with pauses.
        let ((), index) = cost(|| while runtime.block_on(archive.index_pending()).unwrap() {});
        let ((), check) = cost(|| runtime.block_on(archive.check_integrity()).unwrap());
        Self(vec![open, index, check])
    }

    fn tell(&self) {
        for Cost { time, peak } in &self.0 {
            println!("{} {peak}", time.as_micros());
        }
    }

    fn read(told: &str) -> Self {
        let costs = told.lines().map(|line| {
            let (time, peak) = line.split_once(' ').unwrap();
            let time = Duration::from_micros(time.parse().unwrap());
            Cost { time, peak: peak.parse().unwrap() }
        });
        Self(costs.collect())
    }

    fn print(&self, messages: u64, before: Option<&(u64, Self)>) {
        for (at, (what, cost)) in WHAT.into_iter().zip(&self.0).enumerate() {
            let Cost { time, peak } = cost;
            print!("    {what:<24} {time:>9.2?}   at most {:>5.1} MiB more", mib(*peak));
            if let Some((fewer, before)) = before {
                let growth = time.as_secs_f64() / before.0[at].time.as_secs_f64();
                let linear = *fewer as f64 / messages as f64;
                print!("   {:.2}x a message", growth * linear);
            }
            println!();
        }
    }
}

fn mib(kib: u64) -> f64 {
    kib as f64 / 1024.0
}

/// What something costs. The most memory is what Linux counts for this process, from now on.
fn cost<T>(work: impl FnOnce() -> T) -> (T, Cost) {
    fs::write("/proc/self/clear_refs", "5").unwrap();
    let before = status("VmRSS:");
    let start = Instant::now();
    let done = work();
    let time = start.elapsed();
    (done, Cost { time, peak: status("VmHWM:").saturating_sub(before) })
}

fn status(name: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let value = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    value.split_whitespace().next().unwrap().parse().unwrap()
}

fn key() -> ArchiveKey {
    ArchiveKey::new(SecretBox::new(Box::new([1; 32])))
}

/// Sessions with messages as that version left them.
fn fill(path: &Path, version: usize, messages: u64) {
    Archive::make_older(path, &key(), version).unwrap();
    let connection = Connection::open(path).unwrap();
    let settings =
        format!("PRAGMA key = \"x'{}'\"; PRAGMA synchronous=OFF; BEGIN;", "01".repeat(32));
    connection.execute_batch(&settings).unwrap();
    let mut random = 1;
    for n in 0..messages.div_ceil(SESSION) {
        let at = 1_700_000_000 + i64::try_from(n).unwrap() * 600;
        fill_session(&connection, version, n, at);
        for m in 0..SESSION.min(messages - n * SESSION) {
            let body = if m % 2 == 0 { text(&mut random, n) } else { chinese(&mut random) };
            fill_message(&connection, version, n, m, at, &body);
        }
    }
    connection.execute_batch("COMMIT; PRAGMA wal_checkpoint(TRUNCATE);").unwrap();
}

fn run(connection: &Connection, sql: &str, values: impl rusqlite::Params) {
    connection.prepare_cached(sql).unwrap().execute(values).unwrap();
}

fn id(n: u64) -> [u8; 16] {
    let mut id = [0; 16];
    id[..8].copy_from_slice(&n.to_be_bytes());
    id
}

/// The number of a row: milliseconds, its kind, and what counts within both.
fn doc(at: i64, kind: i64, n: u64) -> i64 {
    (at * 1000) << 20 | kind << 18 | i64::try_from(n).unwrap()
}

fn fill_session(connection: &Connection, version: usize, n: u64, at: i64) {
    let (doc, customer) = (doc(at, 0, 0), format!("customer {n}"));
    run(
        connection,
        "INSERT INTO sessions VALUES(?1, ?2, ?3, 'tess', ?4, '', '', '{\"is\":\"expired\"}', NULL, NULL, NULL, 0, NULL)",
        (doc, id(n), at * 1000, &customer),
    );
    if version == WORDS {
        index_words(connection, doc, &customer, "");
    }
}

fn fill_message(connection: &Connection, version: usize, n: u64, m: u64, at: i64, body: &str) {
    let at = at + i64::try_from(m).unwrap();
    let (doc, guid) = (doc(at, 2, 0), format!("{n:08x}-0000-4000-8000-{m:012x}"));
    let subject = ["Maria Lopez", "Tess"][usize::from(m % 2 == 1)];
    run(
        connection,
        "INSERT INTO messages(doc, session, guid, timestamp, subject, body) VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
        (doc, id(n), guid, at, subject, body),
    );
    if version == WORDS {
        index_words(connection, doc, subject, body);
    }
}

fn index_words(connection: &Connection, doc: i64, subject: &str, text: &str) {
    let sql = "INSERT INTO search(rowid, subject, ticket, text) VALUES(?1, ?2, '', ?3)";
    run(connection, sql, (doc, subject, text));
}
