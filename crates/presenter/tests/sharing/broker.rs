//! A broker's end of the sockets, driven step by step by a test.

use std::net::SocketAddr;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::mpsc,
};
use tokio_tungstenite::{
    WebSocketStream, accept_hdr_async,
    tungstenite::{
        Message,
        handshake::server::{ErrorResponse, Request, Response},
    },
};

pub type Socket = WebSocketStream<TcpStream>;

/// Takes every call and hands it to the test, each path by itself.
pub struct Broker {
    pub addr: SocketAddr,
    lives: mpsc::Receiver<(Live, Value)>,
    questions: mpsc::Receiver<(Live, Value)>,
    screens: mpsc::Receiver<Socket>,
}

impl Broker {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let (live, lives) = mpsc::channel(64);
        let (question, questions) = mpsc::channel(64);
        let (screen, screens) = mpsc::channel(64);
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (live, screen, question) = (live.clone(), screen.clone(), question.clone());
                tokio::spawn(async move {
                    // A question that is answered at once is cut off while it is dialled.
                    let Some((path, socket)) = accepted(stream).await else { return };
                    if path != "/live" {
                        let _ = screen.send(socket).await;
                        return;
                    }
                    let mut socket = Live(socket);
                    let Some(first) = text(&mut socket.0).await else { return };
                    let first: Value = serde_json::from_str(&first).unwrap();
                    let to = if first["type"] == "asking" { question } else { live };
                    let _ = to.send((socket, first)).await;
                });
            }
        });
        Self { addr, lives, questions, screens }
    }

    pub fn origin(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// The next live connection, with its hello.
    pub async fn live(&mut self) -> (Live, Value) {
        self.lives.recv().await.unwrap()
    }

    /// The next connection of a program that asks, with its first message.
    pub async fn question(&mut self) -> (Live, Value) {
        self.questions.recv().await.unwrap()
    }

    /// The next live connection, welcomed, with what it said about the sharing.
    pub async fn welcomed(&mut self) -> (Live, Value) {
        let (mut live, hello) = self.live().await;
        live.tell(&json!({"type": "welcome", "side": "presenter", "resumed": false, "expires": 1}))
            .await;
        let sharing = live.hear().await;
        assert_eq!(sharing["type"], "sharing");
        (live, hello)
    }

    /// The next stream, with the secret that it gave; not answered yet.
    pub async fn screen(&mut self) -> (Socket, String) {
        let mut socket = self.screens.recv().await.unwrap();
        let hello: Value = serde_json::from_str(&text(&mut socket).await.unwrap()).unwrap();
        assert_eq!(hello["type"], "present");
        let stream = hello["stream"].as_str().unwrap().to_owned();
        (socket, stream)
    }

    pub fn was_called(&mut self) -> bool {
        self.lives.try_recv().is_ok() || self.screens.try_recv().is_ok()
    }
}

async fn accepted(stream: TcpStream) -> Option<(String, Socket)> {
    let mut path = String::new();
    #[expect(clippy::result_large_err, reason = "the library's shape")]
    let note = |request: &Request, response: Response| -> Result<Response, ErrorResponse> {
        request.uri().path().clone_into(&mut path);
        Ok(response)
    };
    let socket = accept_hdr_async(stream, note).await.ok()?;
    Some((path, socket))
}

/// Whose viewer it is, as the broker says.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// The console's that asked for the session.
    Technicians,
    /// Somebody's who has a link.
    Guests,
    /// Somebody's who has nothing but the PIN.
    Neighbours,
}

/// The broker's end of a live connection.
pub struct Live(pub Socket);

impl Live {
    pub async fn hear(&mut self) -> Value {
        serde_json::from_str(&text(&mut self.0).await.unwrap()).unwrap()
    }

    pub async fn tell(&mut self, message: &Value) {
        self.0.send(Message::text(message.to_string())).await.unwrap();
    }

    /// Says that the connection is alive, as a broker does every few seconds.
    pub async fn pings(&mut self) {
        self.0.send(Message::Ping(Vec::new().into())).await.unwrap();
    }

    pub async fn viewer(&mut self, stream: &str, role: &str, sealed: bool) {
        self.announces(stream, role, sealed, Whose::Technicians).await;
    }

    pub async fn announces(&mut self, stream: &str, role: &str, sealed: bool, whose: Whose) {
        let (invited, own) = (whose != Whose::Neighbours, whose == Whose::Technicians);
        let message = json!({
            "type": "viewer", "stream": stream, "page": "p", "name": format!("Anna {stream}"),
            "role": role, "sealed": sealed, "invited": invited, "own": own,
        });
        self.tell(&message).await;
    }
}

async fn text(socket: &mut Socket) -> Option<String> {
    loop {
        match socket.next().await?.ok()? {
            Message::Text(text) => return Some(text.to_string()),
            Message::Ping(_) | Message::Pong(_) => {}
            other => panic!("{other:?}"),
        }
    }
}
