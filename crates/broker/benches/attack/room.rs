//! How much there is room for: sessions, connections and streams, up to where the machine ends, and the memory of each.

use std::sync::Arc;

use futures_util::SinkExt as _;
use tokio_tungstenite::tungstenite::Message;
use uuid::Uuid;

use crate::{
    Size,
    calls::{Socket, mint, most_files, next_text, owner, say},
    holds::{pages, sessions},
    served::Served,
};

pub async fn measure(size: Size) {
    println!("  Room, with {} files for the broker", most_files());
    println!("                   many    broker's memory    of each");
    measure_sessions(size).await;
    measure_connections(size).await;
    measure_streams(size).await;
}

/// What `many` of something took.
fn line(name: &str, many: usize, before: f64, after: f64, end: &str) {
    let (mib, each) = (after / 1_048_576.0, (after - before) / 1_024.0 / many.max(1) as f64);
    println!("  {name:<12} {many:>9} {mib:>12.1} MiB {each:>7.1} KiB  {end}");
}

async fn measure_sessions(size: Size) {
    let served = Arc::new(Served::start("open"));
    let before = served.memory();
    let many = sessions(&served, size.most).await.len();
    line("sessions", many, before, served.memory(), "no end in sight: memory and disk alone");
}

async fn measure_connections(size: Size) {
    let served = Arc::new(Served::start("open"));
    let pins = sessions(&served, size.sessions).await;
    let before = served.memory();
    let many = size.most;
    let open = pages(&served, pins.iter().cycle().take(many).cloned().collect()).await;
    let end = if open.len() < many { "the files end" } else { "no end" };
    line("connections", open.len(), before, served.memory(), end);
}

/// A stream with both of its ends, and the live connections that they need.
struct Stream {
    _presenter: Socket,
    _viewer: Socket,
    _from: Socket,
    _to: Socket,
}

async fn measure_streams(size: Size) {
    let served = Arc::new(Served::start("open"));
    let before = served.memory();
    let mut streams = Vec::new();
    while streams.len() < size.most {
        let Some(stream) = stream(&served, streams.len()).await else { break };
        streams.push(stream);
    }
    let end = if streams.len() < size.most { "the files end" } else { "no end" };
    line("streams", streams.len(), before, served.memory(), end);
    println!(
        "  A stream here is a session with a program, a viewer, and a screen's message sent through"
    );
}

async fn stream(served: &Served, n: usize) -> Option<Stream> {
    let (addr, from) = (served.addr, owner(u16::try_from(0x100 + n % 50_000).ok()?));
    let pin = mint(from, addr).await?;
    let hello = |side, rest| {
        let page = Uuid::new_v4();
        format!(r#"{{"type":"hello","session_pin":"{pin}","side":"{side}","page":"{page}"{rest}}}"#)
    };
    let program = r#","program":{"version":"1","platform":"linux-x86_64"}"#;
    let (mut presenter, _) = say(from, addr, "/live", hello("presenter", program)).await?;
    let (viewer, welcome) = say(from, addr, "/live", hello("viewers", "")).await?;
    let key = field(&welcome, "watch_key")?;
    let watch = format!(r#"{{"type":"watch","key":"{key}","sealed":false}}"#);
    let dialled = async {
        loop {
            let told = next_text(&mut presenter).await?;
            if let Some(secret) = field(&told, "stream") {
                let present = format!(r#"{{"type":"present","stream":"{secret}"}}"#);
                return say(from, addr, "/screen", present).await;
            }
        }
    };
    let (to, sent_from) = tokio::join!(say(from, addr, "/screen", watch), dialled);
    let ((to, _), (mut sent_from, _)) = (to?, sent_from?);
    // A large message, so that buffers are as they are when a screen is sent.
    sent_from.send(Message::binary(vec![7; 65_536])).await.ok()?;
    Some(Stream { _presenter: presenter, _viewer: viewer, _from: sent_from, _to: to })
}

/// The text of this field in a message.
fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.split(&format!("\"{name}\":\"")).nth(1)?.split('"').next()
}
