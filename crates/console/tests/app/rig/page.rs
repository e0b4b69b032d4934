//! Pages that join a console's sessions, as a browser would open them.

use futures_util::{SinkExt as _, StreamExt as _, stream::SplitSink};
use serde_json::{Value, json};
use tokio::{net::TcpStream, sync::mpsc};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async, tungstenite};
use tokio_util::task::AbortOnDropHandle;

use super::PATIENCE;

/// A page as a browser would open it.
pub struct Page(pub Line);

/// A page's WebSocket. It answers pings, however long its test is at something else: whoever answers none is gone.
pub struct Line {
    to: SplitSink<WebSocketStream<MaybeTlsStream<TcpStream>>, tungstenite::Message>,
    came: mpsc::UnboundedReceiver<tungstenite::Result<tungstenite::Message>>,
    /// Reads what comes. Dropped with the line, which hangs up.
    _reading: AbortOnDropHandle<()>,
}

impl Line {
    fn new(socket: WebSocketStream<MaybeTlsStream<TcpStream>>) -> Self {
        let (to, mut from) = socket.split();
        let (tell, came) = mpsc::unbounded_channel();
        let reading = tokio::spawn(async move {
            while let Some(frame) = from.next().await {
                if tell.send(frame).is_err() {
                    return;
                }
            }
        });
        Self { to, came, _reading: AbortOnDropHandle::new(reading) }
    }

    /// The next frame that says something; none when the line has ended.
    pub async fn next(&mut self) -> Option<tungstenite::Result<tungstenite::Message>> {
        loop {
            match self.came.recv().await? {
                Ok(tungstenite::Message::Ping(_) | tungstenite::Message::Pong(_)) => {}
                frame => return Some(frame),
            }
        }
    }

    async fn send(&mut self, message: tungstenite::Message) -> tungstenite::Result<()> {
        self.to.send(message).await
    }
}

impl Page {
    pub async fn open(origin: &str, pin: &str, side: &str, name: &str) -> Self {
        let (socket, _) =
            connect_async(format!("{}/live", origin.replacen("http", "ws", 1))).await.unwrap();
        let mut page = Self(Line::new(socket));
        let id = uuid::Uuid::new_v4();
        page.send(
            json!({ "type": "hello", "session_pin": pin, "side": side, "page": id, "name": name }),
        )
        .await;
        page.next_of("welcome").await;
        page
    }

    /// Any WebSocket, which nothing was said on so far.
    pub async fn dial(url: &str) -> Result<Self, tungstenite::Error> {
        connect_async(url.replacen("http", "ws", 1))
            .await
            .map(|(socket, _)| Self(Line::new(socket)))
    }

    /// The bytes of the next binary message.
    pub async fn bytes(&mut self) -> Vec<u8> {
        let read = async {
            loop {
                let frame = self.0.next().await.expect("the page was hung up").unwrap();
                if let tungstenite::Message::Binary(bytes) = frame {
                    return bytes.to_vec();
                }
            }
        };
        tokio::time::timeout(PATIENCE, read).await.expect("no bytes came")
    }

    pub async fn send_bytes(&mut self, bytes: impl Into<Vec<u8>>) {
        let bytes: Vec<u8> = bytes.into();
        self.0.send(tungstenite::Message::binary(bytes)).await.unwrap();
    }

    pub async fn say(&mut self, name: &str, body: &str) {
        self.send(json!({ "type": "chat", "name": name, "body": body })).await;
        self.next_of("chat").await;
    }

    /// Waits until the broker ends the connection.
    pub async fn is_sent_away(&mut self) {
        let gone = async { while self.0.next().await.is_some_and(|frame| frame.is_ok()) {} };
        tokio::time::timeout(PATIENCE, gone).await.expect("the page is still online");
    }

    /// All that comes until it is hung up: the texts, and how many bytes beside them.
    pub async fn rest(mut self) -> (Vec<Value>, usize) {
        let (mut texts, mut bytes) = (Vec::new(), 0);
        let read = async {
            while let Some(Ok(frame)) = self.0.next().await {
                match frame {
                    tungstenite::Message::Text(text) => {
                        texts.push(serde_json::from_str(&text).unwrap());
                    }
                    tungstenite::Message::Binary(more) => bytes += more.len(),
                    _ => {}
                }
            }
        };
        tokio::time::timeout(PATIENCE, read).await.expect("the page is still online");
        (texts, bytes)
    }

    pub async fn close(mut self) {
        let _ = self.0.send(tungstenite::Message::Close(None)).await;
        while self.0.next().await.is_some_and(|frame| frame.is_ok()) {}
    }

    pub async fn send(&mut self, message: Value) {
        self.0.send(tungstenite::Message::text(message.to_string())).await.unwrap();
    }

    pub async fn next_of(&mut self, kind: &str) -> Value {
        let read = async {
            loop {
                let frame = self.0.next().await.expect("the page was hung up").unwrap();
                let tungstenite::Message::Text(text) = frame else { continue };
                let message: Value = serde_json::from_str(&text).unwrap();
                assert_ne!(message["type"], "refused", "{message}");
                if message["type"] == kind {
                    return message;
                }
            }
        };
        tokio::time::timeout(PATIENCE, read).await.expect("the page was told nothing")
    }
}
