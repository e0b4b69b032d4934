//! F9: that the disk has an event before its sender gets 200, as the system calls show.
//!
//! Kills (`./bench F9` runs 200) can't show it, for what was written survives the death of its writer.

use std::{collections::HashMap, path::Path, process::Command};

use deskhand_system_tests::RunningEngine;

use crate::{
    Sizes,
    child::{self, Child},
    service,
};

/// The system calls that are traced: those that sync, receive and answer.
const CALLS: &str = "fdatasync,fsync,read,recvfrom,recvmsg,write,writev,sendto,sendmsg";

pub async fn measure(sizes: Sizes) {
    if Command::new("strace").arg("-V").output().is_err() {
        println!("F9 trace skipped: strace isn't installed (./bench installs it)\n");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("trace");
    let (_service, origin) = service::start();
    let mut strace = Command::new("strace");
    // Strings are cut so short that no token is in them.
    strace.args(["-f", "-y", "-ttt", "-s", "12", "-e", &format!("trace={CALLS}"), "-o"]);
    strace.arg(&file).arg(std::env::current_exe().unwrap());
    let role = format!("engine|{}|{origin}|telling", folder.path().join("engine").display());
    let mut engine = Child::starting(strace, &role);
    let client = service::warm_client();
    let newest = client.get(format!("{origin}/newest")).send().await.unwrap();
    let mut url = newest.text().await.unwrap();
    for _ in 0..sizes.traced {
        let answer = client.post(&url).body("{}").send().await.unwrap();
        assert_eq!(answer.status(), 200);
        // Until the event's turn is on the disk too: the next sync is the next event's.
        engine.says();
        url = client.get(format!("{origin}/newest")).send().await.unwrap().text().await.unwrap();
    }
    drop(engine);
    let TraceSummary { events, synced, waited_us } = read(&std::fs::read_to_string(&file).unwrap());
    println!("F9 trace of {events} events, one at a time (strace of read, fdatasync and write)");
    println!(
        "  {synced} of {events}: after the POST was read, the journal's fdatasync began and returned before \
         the 200 was written (aim all)"
    );
    if let Some(mean) = waited_us {
        println!("  from the return of fdatasync to the 200: {mean:.0} us on average, traced\n");
    }
}

/// The role of an engine with a session; `telling` of each event once its turn is on the disk.
pub async fn engine(folder: &str, origin: &str, telling: bool) {
    std::fs::create_dir_all(folder).unwrap();
    let template = format!("{origin}/region/{{region}}");
    let running =
        RunningEngine::start(Path::new(folder), &format!("{origin}/api/v1"), &template).await;
    let mut subscription = running.engine.subscribe();
    let (id, _) = running.armed_session().await;
    if !telling {
        std::future::pending::<()>().await;
    }
    let mut told = running.happened(id).await.len();
    loop {
        subscription.changed().await;
        let now = running.happened(id).await.len();
        (told..now).for_each(child::say);
        told = now;
    }
}

/// The result of a trace.
struct TraceSummary {
    events: u32,
    synced: u32,
    waited_us: Option<f64>,
}

/// An event between its POST and its 200.
struct PendingEvent {
    since: usize,
    /// When a sync that began after the POST returned.
    synced: Option<f64>,
}

fn read(trace: &str) -> TraceSummary {
    let (mut open, mut syncing): (Option<PendingEvent>, HashMap<&str, usize>) =
        (None, HashMap::new());
    let (mut events, mut synced, mut waited) = (0, 0, 0.0);
    // The lines are in the order in which the calls began and returned.
    for (place, line) in trace.lines().enumerate() {
        let mut words = line.split_whitespace();
        let (Some(thread), Some(at)) = (words.next(), words.next()) else { continue };
        let at: f64 = at.parse().unwrap_or_default();
        let unfinished = line.ends_with("<unfinished ...>");
        let begins = (line.contains(" fdatasync(") || line.contains(" fsync("))
            && line.contains("journal.db-wal");
        let began = match begins {
            true if unfinished => {
                syncing.insert(thread, place);
                None
            }
            true => Some(place),
            false if line.contains("sync resumed>") => syncing.remove(thread),
            false => None,
        };
        if let (Some(began), Some(open)) = (began, &mut open)
            && began > open.since
        {
            open.synced.get_or_insert(at);
        }
        if line.contains("\"POST /hook/") {
            open = Some(PendingEvent { since: place, synced: None });
        } else if line.contains("\"HTTP/1.1 200") && is_sent(line) {
            let Some(open) = open.take() else { continue };
            events += 1;
            if let Some(returned) = open.synced {
                synced += 1;
                waited += (at - returned) * 1e6;
            }
        }
    }
    let waited_us = (synced > 0).then(|| waited / f64::from(synced));
    TraceSummary { events, synced, waited_us }
}

/// Whether the line is of a call that sends, begun now and not resumed.
fn is_sent(line: &str) -> bool {
    [" write(", " writev(", " sendto(", " sendmsg("].iter().any(|call| line.contains(call))
}
