//! What the broker does under attack, how long one decision keeps all others waiting, and how much there is room for.
//!
//! `cargo bench -p deskhand-broker --bench attack -- [quick] [attack] [holds] [room] [SECONDS]`. In a network namespace
//! of its own, the broker is a process of its own, and so are the attackers. They compute only while nobody else does
//! (`SCHED_IDLE`): in reality they have machines of their own, and on a small one they would measure themselves. It prints
//! tables and judges nothing.
#![allow(clippy::unwrap_used)]

mod attack_sockets;
mod attackers;
mod calls;
mod holds;
mod http2;
mod others;
mod room;
mod served;
mod streams;
mod waits;

use std::process::Command;

/// All addresses of the documentation's network belong to the namespace. The limit of files is raised where that is
/// allowed: whoever runs this wants to see where the machine ends.
const SET_UP: &str = "ip link set lo up && ip -6 route add local 2001:db8::/32 dev lo && \
     echo 1 > /proc/sys/net/ipv6/ip_nonlocal_bind && \
     { ulimit -n 200000 2>/dev/null || ulimit -n \"$(ulimit -Hn)\"; } && exec \"$0\" \"$@\"";

/// How long and how much is measured.
#[derive(Debug, Clone, Copy)]
struct Size {
    /// Each half of the attack.
    seconds: u64,
    /// Sessions among which decisions are made.
    sessions: usize,
    /// At most, where the machine doesn't end before.
    most: usize,
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        ["serve", kind] => runtime().block_on(served::serve(kind)),
        ["attack-now", addr] => runtime().block_on(attackers::attack(addr.parse().unwrap())),
        ["inside", ref words @ ..] => runtime().block_on(measure(words)),
        ref words => in_namespace(words),
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Runtime::new().unwrap()
}

fn in_namespace(words: &[&str]) {
    let this = std::env::current_exe().unwrap();
    let mut unshare = Command::new("unshare");
    // Root keeps its rights, such as to open more files; everybody else needs a user namespace.
    if !is_root() {
        unshare.args(["--user", "--map-root-user"]);
    }
    unshare.args(["--net", "sh", "-c", SET_UP]).arg(this).arg("inside").args(words);
    assert!(unshare.status().unwrap().success(), "make a network namespace and measure in it");
}

fn is_root() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status.lines().any(|line| line.split_whitespace().take(2).eq(["Uid:", "0"]))
}

async fn measure(words: &[&str]) {
    // Raises this process's limit of open files, too.
    let _ = serve::Limits::default();
    let mut size = Size { seconds: 120, sessions: 10_000, most: 100_000 };
    if words.contains(&"quick") {
        size = Size { seconds: 5, sessions: 1_000, most: 2_000 };
    }
    if let Some(seconds) = words.iter().find_map(|word| word.parse().ok()) {
        size.seconds = seconds;
    }
    let parts = ["attack", "holds", "room"];
    let all = !parts.iter().any(|part| words.contains(part));
    let wanted = |part| all || words.contains(&part);
    if wanted("attack") {
        others::measure(size).await;
    }
    if wanted("holds") {
        holds::measure(size).await;
    }
    if wanted("room") {
        room::measure(size).await;
    }
}
