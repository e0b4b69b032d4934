//! The pages of customer and viewer, connected over the service's nginx.

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::{sync::mpsc, task::JoinHandle, time::timeout};
use tokio_tungstenite::{connect_async, tungstenite::Message};
use wire::Pin;

use crate::process::PATIENCE;

/// A page that is open.
pub struct Page {
    name: String,
    say: mpsc::UnboundedSender<Value>,
    /// Ends when the service has closed the connection.
    talk: JoinHandle<()>,
}

impl Page {
    /// Opens one of `side` (`presenter`, `viewers`), and waits until the service has let it in.
    pub async fn open(pin: &Pin, side: &str, name: &str) -> Self {
        let (mut socket, _) = connect_async("wss://service.example/live").await.unwrap();
        let hello = json!({
            "type": "hello", "session_pin": pin.expose(), "side": side,
            "page": uuid::Uuid::new_v4(), "name": name,
        });
        socket.send(text(&hello)).await.unwrap();
        let welcome = socket.next().await.unwrap().unwrap().into_text().unwrap();
        assert!(welcome.contains("\"welcome\""), "{welcome}");
        let (say, mut said) = mpsc::unbounded_channel();
        let talk = tokio::spawn(async move {
            loop {
                tokio::select! {
                    // Reading answers the service's pings.
                    received = socket.next() => match received {
                        Some(Ok(message)) if !message.is_close() => {}
                        Some(_) | None => return,
                    },
                    Some(message) = said.recv() => socket.send(text(&message)).await.unwrap(),
                }
            }
        });
        Self { name: name.to_owned(), say, talk }
    }

    /// Writes into the chat.
    pub fn says(&self, body: &str) {
        self.say.send(json!({ "type": "chat", "name": self.name, "body": body })).unwrap();
    }

    /// Is closed by whoever looked at it; returns when the service knows.
    pub async fn leaves(self) {
        self.say.send(json!({ "type": "leave" })).unwrap();
        timeout(PATIENCE, self.talk).await.expect("the service closes the connection").unwrap();
    }
}

fn text(message: &Value) -> Message {
    Message::text(message.to_string())
}
