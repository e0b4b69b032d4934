//! One owner of a /48 attacks every call and socket from 100,000 addresses.

use std::{
    net::{Ipv6Addr, SocketAddr},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    time::timeout,
};
use uuid::Uuid;

use crate::calls::{call, connect, say};

const ADDRESSES: u32 = 100_000;
/// So many call at any time, and so many keep sockets.
const ATTACKERS: u32 = 64;
/// How long one attack lasts at most.
const GIVES_UP: Duration = Duration::from_secs(5);

/// Every call, with what its callers would say. The PIN is the attacker's own every other time.
const CALLS: [(&str, &str, &str); 22] = [
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
    (
        "POST",
        "/x/reach",
        r#"{"url":"https://[2001:db8:2::1]/reach/00000000000000000000000000000000"}"#,
    ),
    ("PUT", "/x/asker", r#"{"session_pin":"PIN","technician":"A","company":"B"}"#),
    ("GET", "/x/asker?session_pin=PIN", ""),
    ("POST", "/x/viewer_link", r#"{"session_pin":"PIN","role":"watch","name":"A"}"#),
    ("POST", "/x/roster", r#"{"session_pin":"PIN"}"#),
    ("GET", "/x/program_info", ""),
    ("GET", "/x/program?platform=linux-x86_64", ""),
    ("GET", "/nothing", ""),
    ("GET", "/../../readyz", ""),
    ("POST", "/x/roster", "{"),
];

/// Attacks until it is killed.
pub async fn attack(addr: SocketAddr) {
    let pin = crate::calls::mint(address(0), addr).await.unwrap_or_default();
    let tasks = (0..ATTACKERS).flat_map(|first| {
        let (calling, keeping) = (pin.clone(), pin.clone());
        let calls = tokio::spawn(async move {
            for n in (first..).step_by(ATTACKERS as usize) {
                let _ = timeout(GIVES_UP, one_call(addr, n, &calling)).await;
            }
        });
        let sockets = tokio::spawn(async move {
            for n in (first..).step_by(ATTACKERS as usize) {
                let _ = timeout(GIVES_UP, one_socket(addr, n, &keeping)).await;
            }
        });
        [calls, sockets]
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
}

/// One of the /48's addresses: 50,000 networks of 64 bits, with two addresses each.
fn address(n: u32) -> Ipv6Addr {
    let base = Ipv6Addr::new(0x2001, 0xdb8, 1, 0, 0, 0, 0, 0).to_bits();
    Ipv6Addr::from_bits(base | (u128::from(n % ADDRESSES) << 63) | 1)
}

async fn one_call(addr: SocketAddr, n: u32, pin: &str) {
    let (method, path, body) = CALLS[n as usize % CALLS.len()];
    // Each call with either, however many calls there are.
    let pin = if (n / CALLS.len() as u32).is_multiple_of(2) { pin } else { "000-00-0000" };
    let path = format!("/api/v1{}", path.replace("PIN", pin));
    let _ = call(address(n), addr, (method, &path, &body.replace("PIN", pin))).await;
}

/// Opens a socket in one of several bad ways, and keeps it as long as it is let.
async fn one_socket(addr: SocketAddr, n: u32, pin: &str) {
    let (from, page) = (address(n), Uuid::from_u128(n.into()));
    let wrong = "000-00-0000";
    let hello = |pin, rest| {
        format!(r#"{{"type":"hello","session_pin":"{pin}","page":"{page}","name":"A",{rest}}}"#)
    };
    match n % 8 {
        0 => silent(from, addr, b"").await,
        1 => silent(from, addr, b"POST /api/v1/x/roster HTTP/1.1\r\nhost: x\r\n").await,
        2 => silent(from, addr, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await,
        3 => live(from, addr, hello(wrong, r#""side":"viewers""#)).await,
        4 => live(from, addr, hello(pin, r#""side":"viewers""#)).await,
        5 => live(from, addr, hello(pin, r#""side":"presenter","companion":true"#)).await,
        6 => drop(say(from, addr, "/screen", r#"{"type":"watch","key":"x"}"#.to_owned()).await),
        _ => {
            drop(say(from, addr, "/screen", r#"{"type":"present","stream":"x"}"#.to_owned()).await)
        }
    }
}

async fn silent(from: Ipv6Addr, addr: SocketAddr, first: &[u8]) {
    let Ok(mut stream) = connect(from, addr).await else { return };
    let _ = stream.write_all(first).await;
    let _ = stream.read(&mut [0; 64]).await;
}

/// Joins if it is let, and chats as fast as it is answered.
async fn live(from: Ipv6Addr, addr: SocketAddr, hello: String) {
    use futures_util::SinkExt as _;
    let Some((mut socket, _)) = say(from, addr, "/live", hello).await else { return };
    loop {
        let chat = r#"{"type":"chat","name":"A","body":"B"}"#;
        if socket.send(chat.into()).await.is_err() {
            return;
        }
        if crate::calls::next_text(&mut socket).await.is_none() {
            return;
        }
    }
}
