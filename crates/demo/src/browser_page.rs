//! A page as a browser would open it: the demo's customer and colleague.
//!
//! It speaks the broker's live connection over a real WebSocket, so to the console it looks like a
//! person's page.

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::{sync::mpsc, task::JoinHandle};
use tokio_tungstenite::{connect_async, tungstenite::Message};
use uuid::Uuid;

pub struct Page {
    say: mpsc::Sender<Value>,
    told: mpsc::UnboundedReceiver<Value>,
    connection: JoinHandle<()>,
}

/// The person who opens a page, and where.
#[derive(Clone)]
pub struct Visitor<'a> {
    /// The broker, such as `http://127.0.0.1:47211`.
    pub origin: &'a str,
    /// The PIN.
    pub pin: &'a str,
    /// The role in which it joins.
    pub side: PageRole,
    /// What the person is called.
    pub name: &'a str,
}

/// The role in which a page joins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PageRole {
    /// The presenter itself, if no program runs.
    Presenter,
    /// The customer's page beside the program: it chats, and doesn't count as present.
    Companion,
    /// A viewer.
    Viewer,
}

impl PageRole {
    const fn side(self) -> &'static str {
        match self {
            Self::Presenter | Self::Companion => "presenter",
            Self::Viewer => "viewers",
        }
    }
}

impl Page {
    /// Loads the page: a new one each time, as a browser does.
    ///
    /// # Errors
    /// The reason why it could not join, for people.
    pub async fn open(who: Visitor<'_>) -> Result<Self, String> {
        let url = format!("{}/live", who.origin.replacen("http", "ws", 1));
        let (socket, _) =
            connect_async(url).await.map_err(|error| format!("connect to the broker: {error}"))?;
        let (say, told, connection) = carry(socket);
        let mut page = Self { say, told, connection };
        let hello = json!({
            "type": "hello", "session_pin": who.pin, "side": who.side.side(), "companion": who.side == PageRole::Companion,
            "page": Uuid::new_v4(), "name": who.name,
        });
        page.send(hello).await?;
        page.told("welcome").await?;
        Ok(page)
    }

    /// Sends a chat message, and waits until the broker has sent it back.
    ///
    /// # Errors
    /// The reason why it wasn't sent, for people.
    pub async fn chat(&mut self, name: &str, body: &str) -> Result<(), String> {
        self.send(json!({ "type": "chat", "name": name, "body": body })).await?;
        self.hears(body).await
    }

    /// Waits until this page shows a chat message with this text.
    ///
    /// # Errors
    /// The reason why it didn't, for people.
    pub async fn hears(&mut self, body: &str) -> Result<(), String> {
        while self.told("chat").await?["message"]["body"] != body {}
        Ok(())
    }

    /// Closes the page and waits until the broker has hung up.
    pub async fn close(self) {
        drop(self.say);
        // If the broker is gone, the connection is closed as well.
        let _ = self.connection.await;
    }

    async fn send(&self, message: Value) -> Result<(), String> {
        self.say.send(message).await.map_err(|_| "the page's connection has ended".to_owned())
    }

    /// The next message of this type.
    async fn told(&mut self, kind: &str) -> Result<Value, String> {
        loop {
            let message = self.told.recv().await.ok_or("the page's connection has ended")?;
            if message["type"] == kind {
                return Ok(message);
            }
            if message["type"] == "refused" || message["type"] == "bye" {
                let why = message["error"].as_str().or(message["code"].as_str());
                return Err(format!("the broker refused the page: {}", why.unwrap_or("no reason")));
            }
        }
    }
}

type Socket =
    tokio_tungstenite::WebSocketStream<tokio_tungstenite::MaybeTlsStream<tokio::net::TcpStream>>;

/// Carries messages both ways; reading also answers the broker's pings.
fn carry(
    mut socket: Socket,
) -> (mpsc::Sender<Value>, mpsc::UnboundedReceiver<Value>, JoinHandle<()>) {
    let (say, mut to_say) = mpsc::channel::<Value>(8);
    let (tell, told) = mpsc::unbounded_channel();
    let connection = tokio::spawn(async move {
        loop {
            tokio::select! {
                message = to_say.recv() => match message {
                    Some(message) => {
                        if socket.send(Message::text(message.to_string())).await.is_err() { return }
                    }
                    None => break,
                },
                frame = socket.next() => match frame {
                    Some(Ok(Message::Text(text))) => {
                        if let Ok(message) = serde_json::from_str(&text) {
                            let _ = tell.send(message);
                        }
                    }
                    Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                    Some(Ok(_)) => {}
                },
            }
        }
        // RFC 6455, 7.1.1: the side that closes waits for the other to close as well; only then
        // does the broker know that the page is gone.
        let _ = socket.close(None).await;
        while socket.next().await.is_some_and(|frame| frame.is_ok()) {}
    });
    (say, told, connection)
}
