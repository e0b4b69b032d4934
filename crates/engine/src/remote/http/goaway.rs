//! A server that ends a connection of HTTP/2 just when it is used again. Its frames are written by hand: a library would
//! first answer what it has taken.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

use super::*;

// Kinds of frames and their flags (RFC 9113, section 6).
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;
const ACK: u8 = 1;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
/// `:status: 200` in HPACK's static table.
const STATUS_200: u8 = 0x88;
/// What a client sends first.
const PREFACE: usize = 24;

#[derive(Default)]
struct Counts {
    connections: AtomicUsize,
    requests: AtomicUsize,
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// Answers the first request of a connection, and says at the next one that this was the last.
async fn serve(mut stream: TcpStream, counts: &Counts) -> std::io::Result<()> {
    stream.read_exact(&mut [0; PREFACE]).await?;
    stream.write_all(&frame(SETTINGS, 0, 0, &[])).await?;
    let mut answered = None;
    loop {
        let mut head = [0; 9];
        stream.read_exact(&mut head).await?;
        let [a, b, c, kind, flags, id @ ..] = head;
        stream.read_exact(&mut vec![0; u32::from_be_bytes([0, a, b, c]) as usize]).await?;
        let id = u32::from_be_bytes(id);
        let answer = match (kind, answered) {
            (SETTINGS, _) if flags & ACK == 0 => frame(SETTINGS, ACK, 0, &[]),
            (HEADERS, None) => {
                counts.requests.fetch_add(1, Ordering::SeqCst);
                answered = Some(id);
                let head = frame(HEADERS, END_HEADERS, id, &[STATUS_200]);
                [head, frame(DATA, END_STREAM, id, b"{}")].concat()
            }
            (HEADERS, Some(last)) => {
                counts.requests.fetch_add(1, Ordering::SeqCst);
                // No error: it goes away in good order, and has done nothing for the streams after the last one.
                frame(GOAWAY, 0, 0, &[last.to_be_bytes(), [0; 4]].concat())
            }
            _ => continue,
        };
        stream.write_all(&answer).await?;
    }
}

#[tokio::test]
async fn a_request_that_a_connection_is_too_late_for_is_sent_once_more() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url: Url = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
    let counts = Arc::<Counts>::default();
    let counted = counts.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            counted.connections.fetch_add(1, Ordering::SeqCst);
            let counted = counted.clone();
            tokio::spawn(async move { serve(stream, &counted).await });
        }
    });
    // As all our clients are, but that nothing is agreed on first: this server has no certificate.
    let network = builder("test", &url, &Timeouts::default()).http2_prior_knowledge();
    let client = Client::new(network.build().unwrap());
    for _ in 0..2 {
        let answer = get(&client, url.clone()).await.unwrap();
        assert_eq!(answer.version(), reqwest::Version::HTTP_2);
        assert_eq!(answer.text().await.unwrap(), "{}");
    }
    let seen = [&counts.connections, &counts.requests].map(|count| count.load(Ordering::SeqCst));
    assert_eq!(seen, [2, 3], "connections and requests");
}
