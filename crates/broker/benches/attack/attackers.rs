//! One owner of a /48 attacks every call and socket from 100,000 addresses.

use std::{
    net::{Ipv6Addr, SocketAddr},
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use tokio::time::{sleep, timeout};

use crate::{
    attack_sockets,
    calls::{call, connect, mint},
};

const ADDRESSES: u32 = 100_000;
/// So many call at any time, so many keep sockets, and so many only knock.
const ATTACKERS: u32 = 64;
/// How long one attack lasts at most.
const GIVES_UP: Duration = Duration::from_secs(5);

/// So many connections are held at least where they are let: each until it is ended, and then another one.
const HELD: u32 = 6_000;
/// Between two knocks of one attacker. Without it the attackers would measure how fast the system makes connections.
const KNOCKS: Duration = Duration::from_millis(10);

/// Every call, with what its callers would say. The PIN is the attacker's own every other time.
const CALLS: [(&str, &str, &str); 26] = [
    ("GET", "/regions", ""),
    ("GET", "/session_pin?region=us-east-1", ""),
    ("GET", "/session_url?session_pin=PIN&ro=false", ""),
    ("GET", "/session_parameters?session_pin=PIN", ""),
    ("GET", "/session_exe?conf=x&session_pin=PIN", ""),
    ("GET", "/chat?session_pin=PIN", ""),
    (
        "PUT",
        "/hook/",
        r#"{"type":"viewer_started","url":"https://example.org/hook","session_pin":"PIN"}"#,
    ),
    ("POST", "/email/a@example.org", r#"{"type":"viewer_started","name":"A","session_pin":"PIN"}"#),
    ("POST", "/report_abuse", r#"{"user_agent":"x","session_pin":"PIN"}"#),
    ("GET", "/x/capabilities", ""),
    ("POST", "/x/chat", r#"{"session_pin":"PIN","name":"A","body":"B"}"#),
    ("POST", "/x/revoke", r#"{"session_pin":"000-00-0000"}"#),
    ("POST", "/x/delete", r#"{"session_pin":"PIN"}"#),
    (
        "POST",
        "/x/reach",
        r#"{"url":"https://[2001:db8:2::1]/reach/00000000000000000000000000000000"}"#,
    ),
    ("PUT", "/x/asker", r#"{"session_pin":"PIN","technician":"A","company":"B"}"#),
    ("GET", "/x/asker?session_pin=PIN", ""),
    ("POST", "/x/viewer_link", r#"{"session_pin":"PIN","role":"watch","name":"A"}"#),
    ("POST", "/x/roster", r#"{"session_pin":"PIN"}"#),
    (
        "POST",
        "/x/admit",
        r#"{"session_pin":"PIN","challenge":"x","lets_in":true,"pairing":"x","signature":"x"}"#,
    ),
    ("GET", "/x/program_info", ""),
    ("GET", "/x/program?platform=linux-x86_64", ""),
    ("GET", "/nothing", ""),
    ("GET", "/../../readyz", ""),
    ("OPTIONS", "/hook/", ""),
    ("HEAD", "/session_pin?region=us-east-1", ""),
    ("POST", "/x/roster", "{"),
];

/// What isn't a call of the API.
const OTHERS: [&str; 8] = [
    "/",
    "/join",
    "/view",
    "/healthz",
    "/readyz",
    "/metrics",
    "/region/us-east-1",
    "/control/sessions",
];

/// How often an attacker has begun something.
static BEGUN: AtomicU64 = AtomicU64::new(0);

/// Attacks until its standard input ends; then it prints how often it has begun something.
pub async fn attack(addr: SocketAddr) {
    let pin = mint(address(0), addr).await.unwrap_or_default();
    for first in 0..ATTACKERS {
        let (calling, keeping) = (pin.clone(), pin.clone());
        tokio::spawn(async move {
            for n in (first..).step_by(ATTACKERS as usize) {
                begin(one_call(addr, n, &calling)).await;
            }
        });
        tokio::spawn(async move {
            for n in (first..).step_by(ATTACKERS as usize) {
                begin(attack_sockets::one(addr, address(n), n, &keeping)).await;
            }
        });
        tokio::spawn(async move {
            for n in (first..).step_by(ATTACKERS as usize) {
                begin(knock(addr, n)).await;
                sleep(KNOCKS).await;
            }
        });
    }
    tokio::spawn(hold(addr));
    let ended = || std::io::stdin().lines().for_each(drop);
    tokio::task::spawn_blocking(ended).await.unwrap();
    println!("{}", BEGUN.load(Ordering::Relaxed));
}

async fn begin(attack: impl Future<Output = ()>) {
    BEGUN.fetch_add(1, Ordering::Relaxed);
    let _ = timeout(GIVES_UP, attack).await;
}

/// One of the /48's addresses: 50,000 networks of 64 bits, with two addresses each.
fn address(n: u32) -> Ipv6Addr {
    let base = Ipv6Addr::new(0x2001, 0xdb8, 1, 0, 0, 0, 0, 0).to_bits();
    Ipv6Addr::from_bits(base | (u128::from(n % ADDRESSES) << 63) | 1)
}

async fn one_call(addr: SocketAddr, n: u32, pin: &str) {
    let kinds = CALLS.len() + OTHERS.len();
    let (kind, round) = (n as usize % kinds, n / kinds as u32);
    let Some((method, path, body)) = CALLS.get(kind) else {
        let _ = call(address(n), addr, ("GET", OTHERS[kind - CALLS.len()], "")).await;
        return;
    };
    // Each call with either, however many calls there are.
    let pin = if round.is_multiple_of(2) { pin } else { "000-00-0000" };
    let path = format!("/api/v1{}", path.replace("PIN", pin));
    let _ = call(address(n), addr, (method, &path, &body.replace("PIN", pin))).await;
}

/// Connects, and goes away at once: with a reset, so that no port is kept.
async fn knock(addr: SocketAddr, n: u32) {
    if let Ok(stream) = connect(address(n), addr).await {
        let _ = stream.set_zero_linger();
    }
}

/// Holds as many connections as are let, most of them in the middle of a request or an answer, and keeps coming.
async fn hold(addr: SocketAddr) {
    for n in 0..HELD {
        tokio::spawn(async move {
            for round in 0.. {
                BEGUN.fetch_add(1, Ordering::Relaxed);
                let from = address(n + round * HELD);
                match n % 8 {
                    0 | 1 => attack_sockets::silent(from, addr, b"").await,
                    2 => attack_sockets::slow_reader(from, addr).await,
                    3 => attack_sockets::stuck_streams(from, addr).await,
                    _ => attack_sockets::trickle(from, addr).await,
                }
                sleep(Duration::from_secs(1)).await;
            }
        });
        sleep(Duration::from_millis(2)).await;
    }
}
