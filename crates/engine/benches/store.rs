//! F7 and F8 of the quality aims, each beside its baseline in the same run.
//!
//! `cargo bench -p deskhand-engine --bench store -- [archive] [journal] [messages=1000000]
//! [folder=/path] [keep]`. It prints a table and judges nothing. With `keep` the archive is filled in the folder itself,
//! or read from there if it was filled before.
#![allow(clippy::unwrap_used)]

#[path = "common/texts.rs"]
mod texts;

use std::{
    collections::VecDeque,
    fmt,
    fs::File,
    io::Write as _,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use engine::{
    SessionId,
    archive::{ARCHIVE_FILE, Archive, ArchiveKey, Summary},
    journal::{JOURNAL_FILE, Journal, Options},
    vault::SealKey,
};
use rusqlite::{params_from_iter, types::Value};
use secrecy::SecretBox;
use session::{About, SessionStatus, State, Timestamp};
use tokio::runtime::{Builder, Runtime};
use wire::{HookType, loginwithme::ChatMessage};

use texts::{chinese, text};

fn main() {
    let arguments: Vec<String> =
        std::env::args().skip(1).filter(|a| !a.starts_with("--")).collect();
    let value = |name: &str| {
        arguments.iter().find_map(|a| Some(a.strip_prefix(name)?.strip_prefix('=')?.to_owned()))
    };
    let asked = |name: &str| {
        arguments.iter().any(|a| a == name) || arguments.iter().all(|a| a.contains('='))
    };
    let parent = value("folder").map_or_else(std::env::temp_dir, PathBuf::from);
    let dir = tempfile::tempdir_in(&parent).unwrap();
    if asked("journal") {
        journal(dir.path());
    }
    if asked("archive") {
        let messages = value("messages").and_then(|n| n.parse().ok()).unwrap_or(1_000_000);
        let is_kept = arguments.iter().any(|a| a == "keep");
        archive(if is_kept { &parent } else { dir.path() }, messages);
    }
}

// F8.

const APPENDS: u32 = 400;
const IN_FLIGHT: usize = 64;

fn journal(folder: &Path) {
    let key = SealKey::new(&SecretBox::new(Box::new([1; 32])));
    let journal = Journal::open(&folder.join(JOURNAL_FILE), key, Options::default()).unwrap();
    let file = File::create(folder.join("baseline")).unwrap();
    let (mut raw, mut one, mut many) = (Vec::new(), Vec::new(), Vec::new());
    // In alternation, since the disk's mood changes.
    for _ in 0..4 {
        raw.push(rate(APPENDS, || append_and_sync(&file)));
        one.push(rate(APPENDS, || in_flight(&journal, APPENDS, 1)));
        many.push(rate(APPENDS * 8, || in_flight(&journal, APPENDS * 8, IN_FLIGHT)));
    }
    let [raw, one, many] = [raw, one, many].map(median);
    println!("F8 journal, events a second (median of 4 in alternation)");
    println!("  4 KiB append + fdatasync, one at a time   {raw:>10.0}");
    println!(
        "  journal, one at a time                    {one:>10.0}   {:.2}x (aim 0.7)",
        one / raw
    );
    println!(
        "  journal, {IN_FLIGHT} in flight                     {many:>10.0}   {:.2}x (aim 4)",
        many / raw
    );
}

fn append_and_sync(mut file: &File) {
    for _ in 0..APPENDS {
        file.write_all(&[7; 4096]).unwrap();
        file.sync_data().unwrap();
    }
}

fn in_flight(journal: &Journal, count: u32, most: usize) {
    let mut waiting = VecDeque::new();
    for _ in 0..count {
        if waiting.len() == most {
            let oldest: engine::journal::Answer<u64> = waiting.pop_front().unwrap();
            oldest.wait().unwrap();
        }
        let session = SessionId::from_bytes([1; 16]);
        waiting.push_back(journal.append(session, HookType::ViewerStarted, Timestamp(0)));
    }
    for answer in waiting {
        answer.wait().unwrap();
    }
}

fn rate(count: u32, work: impl FnOnce()) -> f64 {
    let start = Instant::now();
    work();
    f64::from(count) / start.elapsed().as_secs_f64()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

// F7.

/// What is typed: common words, rare ones, short parts, several at once, none that exist; half of it Chinese.
const QUERIES: [&str; 18] = [
    "the",
    "printer",
    "p",
    "pr",
    "pri",
    "print",
    "rinte",
    "rare7",
    "customer 77",
    "the printer",
    "word3 word5",
    "nothingofthekind",
    "打印机",
    "打印",
    "机",
    "customer 打印机",
    "打印机 坏",
    "没有这个词",
];
const ROUNDS: usize = 60;
/// For several words bare SQL reads all that the index has of each, so it's asked in every sixth round only.
const ROUNDS_BETWEEN_SLOW: usize = 6;

fn archive(folder: &Path, messages: u64) {
    let path = folder.join(ARCHIVE_FILE);
    let key = || ArchiveKey::new(SecretBox::new(Box::new([1; 32])));
    let runtime = Builder::new_multi_thread().worker_threads(1).build().unwrap();
    if !path.exists() {
        let archive = Archive::open(&path, key()).unwrap();
        let start = Instant::now();
        runtime.block_on(fill(&archive, messages));
        println!("F7 archive with {messages} messages: filled in {:.0?}", start.elapsed());
        let start = Instant::now();
        // As the console does beside everything else.
        while runtime.block_on(archive.merge_index()).unwrap() {}
        println!("  the index's pieces merged in {:.1?}", start.elapsed());
    }
    println!("  {} MiB", std::fs::metadata(&path).unwrap().len() >> 20);
    search(&runtime, &Archive::open(&path, key()).unwrap(), &path);
}

/// Types each query again and again.
fn search(runtime: &Runtime, archive: &Archive, path: &Path) {
    // One for this thread, and one for the threads on which the archive's readers work.
    let here = bare(path);
    let there = Arc::new(Mutex::new(bare(path)));
    println!(
        "  {:<24} {:>10} {:>10}   bare SQL on a reader's thread, on the caller's",
        "", "p50", "p99"
    );
    // As the window, which lists the newest sessions before anybody types; both others are open by now, too.
    runtime.block_on(archive.search("", None, 50)).unwrap();
    let [mut one_word, mut several]: [Times; 2] = Default::default();
    for (first, typed) in QUERIES.into_iter().enumerate() {
        let slow = typed.contains(' ');
        let mut times = Times::default();
        let mut hits = [0; 3];
        for round in 0..ROUNDS {
            // Whoever is first finds colder pages, so it's another one in each query and in each round.
            for who in [0, 1, 2].map(|turn| (first + round + turn) % 3) {
                if slow && who > 0 && round % ROUNDS_BETWEEN_SLOW > 0 {
                    continue;
                }
                let start = Instant::now();
                hits[who] = match who {
                    0 => runtime.block_on(archive.search(typed, None, 50)).unwrap().rows.len(),
                    1 => bare_search(&here, typed),
                    _ => {
                        let there = Arc::clone(&there);
                        let work = move || bare_search(&there.lock().unwrap(), typed);
                        runtime.block_on(runtime.spawn_blocking(work)).unwrap()
                    }
                };
                times.0[who].push(start.elapsed());
            }
        }
        // A session may have more than one row with all words, of which bare SQL answers one.
        assert!(slow || hits.iter().all(|found| *found == hits[0]), "{typed}: {hits:?}");
        println!("  {typed:<18} {:>5} {times}", hits[0]);
        if slow { &mut several } else { &mut one_word }.add(times);
    }
    println!("  {:<24} {one_word}", "one word (aim 1.5x)");
    println!("  {:<24} {several}", "several words");
    one_word.add(several);
    println!("  the whole mix: p99 {:.2?} (aim 10 ms)", percentile(&one_word.0[0], 99));
}

/// How long the archive took, and bare SQL on the caller's thread and on a reader's.
#[derive(Default)]
struct Times([Vec<Duration>; 3]);

impl Times {
    fn add(&mut self, other: Self) {
        self.0.iter_mut().zip(other.0).for_each(|(all, mut more)| all.append(&mut more));
    }
}

impl fmt::Display for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [ours, here, there] = self.0.each_ref();
        let [p50, p99] = [50, 99].map(|share| percentile(ours, share));
        write!(f, "{p50:>10.2?} {p99:>10.2?}  ")?;
        for bare in [there, here] {
            for (share, ours) in [(50, p50), (99, p99)] {
                let bare = percentile(bare, share);
                write!(f, " {bare:.2?} ({:.2}x)", ours.as_secs_f64() / bare.as_secs_f64())?;
            }
        }
        Ok(())
    }
}

fn percentile(times: &[Duration], percent: usize) -> Duration {
    let mut times = times.to_vec();
    times.sort_unstable();
    times[(times.len() * percent / 100).min(times.len() - 1)]
}

async fn fill(archive: &Archive, messages: u64) {
    const SESSION: u64 = 100;
    let mut random = 1u64;
    for n in 0..messages.div_ceil(SESSION) {
        let mut id = [0; 16];
        id[..8].copy_from_slice(&n.to_be_bytes());
        let session = SessionId::from_bytes(id);
        let at = 1_700_000_000 + n * 600;
        let about = About { customer: format!("customer {n}"), ..About::default() };
        let record = State::new(about, "tess".into(), Timestamp(at as i64 * 1000)).record;
        archive
            .save_summary(Summary::new(session, &record, &SessionStatus::Expired))
            .await
            .unwrap();
        let chat = (0..SESSION.min(messages - n * SESSION))
            .map(|m| ChatMessage {
                guid: format!("{n:08x}-0000-4000-8000-{m:012x}"),
                ttl: 0,
                timestamp: at + m,
                subject: ["Maria Lopez", "Tess"][(m % 2) as usize].into(),
                body: if m % 2 == 0 { text(&mut random, n) } else { chinese(&mut random) },
            })
            .collect();
        archive.save_messages(session, chat).await.unwrap();
    }
}

/// The same file and key, and nothing around the SQL.
fn bare(path: &Path) -> rusqlite::Connection {
    let connection = rusqlite::Connection::open(path).unwrap();
    let key = "01".repeat(32);
    connection
        .execute_batch(&format!("PRAGMA key = \"x'{key}'\"; PRAGMA cache_size=-16384;"))
        .unwrap();
    connection
}

/// The archive's job for one word in one statement: the same candidates, their texts and, for each, its session's row.
const ONE_WORD: &str = "SELECT search.rowid, messages.subject, messages.body,
         session.id, session.created, session.by, session.customer, session.ticket,
         session.contact, session.word, session.outcome, session.region, session.first_joined,
         session.active_ms, session.closed_at
     FROM search
     JOIN places ON places.place = search.rowid
     LEFT JOIN messages ON messages.doc = places.doc
     LEFT JOIN sessions AS own ON own.doc = places.doc
     LEFT JOIN sessions AS session ON session.id = coalesce(messages.session, own.id)
     WHERE search MATCH ?1 ORDER BY search.rowid DESC LIMIT 50";

/// For two words: the newest sessions that have both, and of each the newest row with both, or else with the first.
const TWO_WORDS: &str = "WITH both(ordinal) AS (
         SELECT rowid >> 43 FROM search WHERE search MATCH ?1
         INTERSECT SELECT rowid >> 43 FROM search WHERE search MATCH ?2
         ORDER BY 1 DESC LIMIT 50),
     hits(place) AS (
         SELECT coalesce(
             (SELECT rowid FROM search WHERE search MATCH ?1 || ' ' || ?2
                 AND rowid BETWEEN ordinal << 43 AND (ordinal + 1 << 43) - 1
                 ORDER BY rowid DESC LIMIT 1),
             (SELECT rowid FROM search WHERE search MATCH ?1
                 AND rowid BETWEEN ordinal << 43 AND (ordinal + 1 << 43) - 1
                 ORDER BY rowid DESC LIMIT 1))
         FROM both)
     SELECT place, messages.subject, messages.body,
         session.id, session.created, session.by, session.customer, session.ticket,
         session.contact, session.word, session.outcome, session.region, session.first_joined,
         session.active_ms, session.closed_at
     FROM hits
     JOIN places USING(place)
     LEFT JOIN messages ON messages.doc = places.doc
     LEFT JOIN sessions AS own ON own.doc = places.doc
     LEFT JOIN sessions AS session ON session.id = coalesce(messages.session, own.id)
     ORDER BY place DESC";

fn bare_search(connection: &rusqlite::Connection, typed: &str) -> usize {
    let grams: Vec<String> = typed.split(' ').map(grams).collect();
    let sql = if grams.len() == 1 { ONE_WORD } else { TWO_WORDS };
    let mut statement = connection.prepare_cached(sql).unwrap();
    let columns = statement.column_count();
    let rows = statement.query_map(params_from_iter(grams), |row| {
        (0..columns).map(|column| row.get(column)).collect::<Result<Vec<Value>, _>>()
    });
    rows.unwrap().map(Result::unwrap).count()
}

/// A term as the index has it.
fn grams(term: &str) -> String {
    let chars: Vec<char> = term.chars().collect();
    if chars.len() < 3 {
        return format!("\"{term}\"*");
    }
    let starts = (0..chars.len() - 3).step_by(3).chain([chars.len() - 3]);
    let gram = |at: usize| format!("\"{}\"", chars[at..at + 3].iter().collect::<String>());
    starts.map(gram).collect::<Vec<_>>().join(" ")
}
