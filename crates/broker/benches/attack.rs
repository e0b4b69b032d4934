//! What others notice while one owner of addresses attacks the broker.
//!
//! `cargo bench -p deskhand-broker --bench attack -- [quick]`. In a network namespace of its own, callers of other
//! addresses call the broker: first alone, then while a /48 attacks it from 100,000 addresses. The attackers are a
//! process of its own, at the lowest priority, since on a small machine they would otherwise measure themselves.
//! It prints a table and judges nothing.
#![allow(clippy::unwrap_used)]

use std::{
    io,
    net::{Ipv6Addr, SocketAddr},
    process::Command,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use broker::{Broker, Config};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpSocket,
    time::{sleep, timeout},
};

const HERE: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0xffff, 0, 0, 0, 0, 1);
/// All addresses of the documentation's network belong to the namespace.
const SET_UP: &str = "ip link set lo up && ip -6 route add local 2001:db8::/32 dev lo && \
     echo 1 > /proc/sys/net/ipv6/ip_nonlocal_bind && exec \"$0\" \"$@\"";
const ATTACKERS: u32 = 64;
const ADDRESSES: u32 = 100_000;
const CALLERS: u16 = 8;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        ["attack", addr] => runtime().block_on(attack(addr.parse().unwrap())),
        ["measure", seconds] => runtime().block_on(measure(seconds.parse().unwrap())),
        ["quick"] => in_namespace("5"),
        _ => in_namespace("120"),
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Runtime::new().unwrap()
}

fn in_namespace(seconds: &str) {
    let this = std::env::current_exe().unwrap();
    let unshare = ["--user", "--map-root-user", "--net", "sh", "-c", SET_UP];
    let ran = Command::new("unshare").args(unshare).arg(this).args(["measure", seconds]).status();
    assert!(ran.unwrap().success(), "make a network namespace and measure in it");
}

async fn measure(seconds: u64) {
    let folder = tempfile::tempdir().unwrap();
    let config = Config { ip: HERE.into(), ..Config::network(folder.path().join("data")) };
    let running = Broker::start(config).await.unwrap();
    let addr = running.addr();
    let minted = call(caller(0), addr, "GET", "/session_pin?region=us-east-1", "").await.unwrap();
    let pin = minted.split("session_pin\":\"").nth(1).unwrap()[..11].to_owned();
    let quiet = others(addr, &pin, seconds).await;
    let mut nice = Command::new("nice");
    nice.args(["-n", "19"]).arg(std::env::current_exe().unwrap());
    let mut attackers = nice.args(["attack", &addr.to_string()]).spawn().unwrap();
    sleep(Duration::from_secs(1)).await;
    let attacked = others(addr, &pin, seconds).await;
    attackers.kill().unwrap();
    attackers.wait().unwrap();
    println!("  Calls of others, each on a connection of its own, for {seconds} s");
    println!("                     calls  failed      p50      p99");
    quiet.print("quiet");
    attacked.print("one /48 attacks");
    println!("  p99: {:.2} times that of the quiet broker", attacked.p(99) / quiet.p(99));
    running.shutdown().await;
}

/// What the calls of others took, in milliseconds, and how many were not answered by a 200.
#[derive(Default)]
struct Calls {
    took: Vec<f64>,
    failed: usize,
}

impl Calls {
    fn count(&mut self, served: bool, took: f64) {
        if served {
            self.took.push(took);
        } else {
            self.failed += 1;
        }
    }

    fn p(&self, percent: usize) -> f64 {
        self.took.get(self.took.len() * percent / 100).copied().unwrap_or(f64::NAN)
    }

    fn print(&self, name: &str) {
        let (all, failed) = (self.took.len() + self.failed, self.failed);
        println!("  {name:<16} {all:>8} {failed:>7} {:>5.2} ms {:>5.2} ms", self.p(50), self.p(99));
    }
}

/// Several callers, each of an owner of its own, who ask who is in a session.
async fn others(addr: SocketAddr, pin: &str, seconds: u64) -> Calls {
    let (until, calls) =
        (Instant::now() + Duration::from_secs(seconds), Arc::<Mutex<Calls>>::default());
    let callers: Vec<_> = (0..CALLERS)
        .map(|n| {
            let (body, calls) = (format!("{{\"session_pin\":\"{pin}\"}}"), Arc::clone(&calls));
            tokio::spawn(async move {
                while Instant::now() < until {
                    let began = Instant::now();
                    let answer = call(caller(n), addr, "POST", "/x/roster", &body).await;
                    let took = began.elapsed().as_secs_f64() * 1_000.0;
                    let served = answer.is_ok_and(|text| text.starts_with("HTTP/1.1 200"));
                    calls.lock().unwrap().count(served, took);
                    sleep(Duration::from_millis(10)).await;
                }
            })
        })
        .collect();
    for caller in callers {
        caller.await.unwrap();
    }
    let mut calls = std::mem::take(&mut *calls.lock().unwrap());
    calls.took.sort_by(f64::total_cmp);
    calls
}

fn caller(n: u16) -> Ipv6Addr {
    Ipv6Addr::new(0x2001, 0xdb8, 0x100 + n, 0, 0, 0, 0, 1)
}

/// Attacks until it is killed.
async fn attack(addr: SocketAddr) {
    let guess = "{\"session_pin\":\"000-00-0000\"}";
    let mail = "{\"type\":\"viewer_started\",\"name\":\"A\",\"session_pin\":\"000-00-0000\"}";
    let calls = [
        ("POST", "/x/roster", guess),
        ("POST", "/report_abuse", guess),
        ("GET", "/session_pin?region=us-east-1", ""),
        ("POST", "/email/a@example.org", mail),
        ("POST", "/x/revoke", guess),
        ("GET", "/regions", ""),
    ];
    let attackers = (0..ATTACKERS).map(|first| {
        tokio::spawn(async move {
            for n in (first..).step_by(ATTACKERS as usize) {
                let (method, path, body) = calls[n as usize % calls.len()];
                let bits = (u128::from(n % ADDRESSES) << 63) | 1;
                let base = Ipv6Addr::new(0x2001, 0xdb8, 1, 0, 0, 0, 0, 0).to_bits();
                let from = Ipv6Addr::from_bits(base | bits);
                let _ = timeout(Duration::from_secs(5), call(from, addr, method, path, body)).await;
            }
        })
    });
    for attacker in attackers.collect::<Vec<_>>() {
        attacker.await.unwrap();
    }
}

/// One call from this address; the whole answer.
async fn call(
    from: Ipv6Addr,
    addr: SocketAddr,
    method: &str,
    path: &str,
    body: &str,
) -> io::Result<String> {
    let socket = TcpSocket::new_v6()?;
    socket.bind((from, 0).into())?;
    let mut stream = socket.connect(addr).await?;
    let request = format!(
        "{method} /api/v1{path} HTTP/1.1\r\nhost: {addr}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}
