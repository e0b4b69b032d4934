//! A live connection like that of a page, but without a page: it gets the roster and can be a
//! viewer's.

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::{net::TcpStream, sync::mpsc, time::timeout};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, tungstenite::Message};
use uuid::Uuid;

use crate::{PATIENCE, tls};

pub(crate) type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// One live connection.
#[derive(Debug)]
pub struct LiveConnection {
    /// The messages. A task reads them, so that the broker's pings are answered while the
    /// test waits.
    told: mpsc::UnboundedReceiver<Value>,
    /// The broker's answer to the hello.
    pub welcome: Value,
    /// The newest roster.
    pub roster: Value,
}

impl LiveConnection {
    /// Connects as the customer's page beside the program. It gets the roster and isn't in it.
    pub async fn companion(origin: &str, pin: &str) -> Self {
        let hello = json!({
            "type": "hello", "session_pin": pin, "side": "presenter", "companion": true,
            "page": Uuid::new_v4(), "name": "Maria",
        });
        Self::say(origin, &hello).await
    }

    /// Connects a viewer by the PIN.
    pub async fn viewer(origin: &str, pin: &str, name: &str, ro: bool) -> Self {
        let hello = json!({
            "type": "hello", "session_pin": pin, "side": "viewers", "ro": ro,
            "page": Uuid::new_v4(), "name": name,
        });
        Self::say(origin, &hello).await
    }

    /// Connects a viewer by a link with a ticket.
    pub async fn by_link(origin: &str, link: &str) -> Self {
        let (_, fragment) = link.split_once('#').unwrap();
        let ticket = fragment.split('&').find_map(|pair| pair.strip_prefix("ticket=")).unwrap();
        let hello = json!({
            "type": "hello", "ticket": ticket, "side": "viewers", "page": Uuid::new_v4(),
            "name": "Ben", "ro": false,
        });
        Self::say(origin, &hello).await
    }

    async fn say(origin: &str, hello: &Value) -> Self {
        let url = format!("{}/live", origin.replacen("http", "ws", 1));
        let mut socket = tls::dial(&url).await;
        socket.send(Message::text(hello.to_string())).await.unwrap();
        let (tell, told) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            tokio::select! {
                () = hear(socket, &tell) => {}
                () = tell.closed() => {}
            }
        });
        let mut live = Self { told, welcome: Value::Null, roster: Value::Null };
        live.welcome = live.next().await.expect("the broker hung up");
        assert_eq!(live.welcome["type"], "welcome", "{}", live.welcome);
        live.roster = live.welcome.clone();
        live
    }

    /// The next message; `None` when the connection has ended.
    pub async fn next(&mut self) -> Option<Value> {
        self.told.recv().await
    }

    /// Waits until `holds` accepts the roster.
    pub async fn until(&mut self, what: &str, holds: impl Fn(&Value) -> bool) {
        let wait = async {
            while !holds(&self.roster) {
                let message = self.next().await.expect("the broker hung up");
                if message["type"] == "presence" {
                    self.roster = message;
                }
            }
        };
        if timeout(PATIENCE, wait).await.is_err() {
            panic!("waited in vain until {what}: {}", self.roster);
        }
    }

    /// Waits until the screen's state is `none`, `shared` or `paused`.
    pub async fn until_sharing(&mut self, state: &str) {
        self.until(&format!("the screen is {state}"), |roster| roster["sharing"] == state).await;
    }

    /// Waits until the first viewer sees the screen, or no longer does.
    pub async fn until_watching(&mut self, sees: bool) {
        let what = if sees { "the viewer sees it" } else { "the viewer sees nothing" };
        self.until(what, |roster| roster["watchers"][0]["watching"] == sees).await;
    }

    /// Stays connected until the test ends, and ignores all messages.
    pub fn stay(mut self) {
        tokio::spawn(async move { while self.next().await.is_some() {} });
    }
}

async fn hear(mut socket: Socket, tell: &mpsc::UnboundedSender<Value>) {
    while let Some(Ok(message)) = socket.next().await {
        match message {
            Message::Text(text) => {
                let _ = tell.send(serde_json::from_str(&text).unwrap());
            }
            Message::Close(_) => return,
            Message::Binary(_) | Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {}
        }
    }
}
