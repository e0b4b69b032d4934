//! Streams with both of their ends.

use std::net::{Ipv6Addr, SocketAddr};

use futures_util::{SinkExt as _, StreamExt as _};
use tokio_tungstenite::tungstenite::Message;
use uuid::Uuid;

use crate::calls::{Socket, mint, next_text, say};

/// A stream with both of its ends, and the live connections that they need.
pub struct Stream {
    _presenter: Socket,
    _viewer: Socket,
    pub from: Socket,
    to: Socket,
}

impl Stream {
    /// The next message of the screen, as its viewer gets it.
    pub async fn next_picture(&mut self) -> Option<Message> {
        loop {
            match self.to.next().await?.ok()? {
                picture @ Message::Binary(_) => return Some(picture),
                Message::Close(_) => return None,
                _ => {}
            }
        }
    }
}

/// A session of this address with a program, a viewer and a stream, on which a screen's message was sent.
pub async fn stream(addr: SocketAddr, from: Ipv6Addr) -> Option<Stream> {
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
    Some(Stream { _presenter: presenter, _viewer: viewer, from: sent_from, to })
}

/// The text of this field in a message.
fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.split(&format!("\"{name}\":\"")).nth(1)?.split('"').next()
}
