//! A console's end of the event channel.
#![allow(dead_code)] // each test file uses its own part of this

use futures_util::{
    SinkExt as _, StreamExt as _,
    stream::{SplitSink, SplitStream},
};
use reqwest::{Response, StatusCode};
use serde_json::{Value, json};
use tokio::{net::TcpSocket, sync::mpsc};
use tokio_tungstenite::{
    MaybeTlsStream, client_async, connect_async,
    tungstenite::{Error, Message, client::IntoClientRequest as _, handshake::client::Request},
};
use tokio_util::task::AbortOnDropHandle;

use crate::common::{Rig, Socket, json_of};

pub const KEY: &str = "a random text of one console";
pub const OTHER_KEY: &str = "a random text of another one";
const HEADER: &str = "deskhand-console";

/// It answers pings, however long its test is at something else.
pub struct Console {
    to: SplitSink<Socket, Message>,
    from: Incoming,
}

/// Where its messages come from.
enum Incoming {
    /// A task reads them. Dropped with the console, which hangs up.
    Read(mpsc::UnboundedReceiver<Message>, AbortOnDropHandle<()>),
    /// They wait in the socket until the test wants them.
    Narrow(SplitStream<Socket>),
}

/// Mints a PIN for the console with this key.
pub async fn mint(rig: &Rig, key: &str) -> String {
    let call = rig.http.get(rig.url("/session_pin?region=us-east-1")).header(HEADER, key);
    let answer = json_of(call.send().await.unwrap()).await;
    answer["session_pin"].as_str().unwrap().to_owned()
}

/// Writes a chat message as the console with this key.
pub async fn say(rig: &Rig, key: Option<&str>, pin: &str, body: &str) -> Response {
    let message = json!({ "session_pin": pin, "name": "Anna", "body": body });
    let mut call = rig.http.post(rig.url("/x/chat")).body(message.to_string());
    if let Some(key) = key {
        call = call.header(HEADER, key);
    }
    call.send().await.unwrap()
}

impl Console {
    pub async fn open(rig: &Rig, key: &str) -> Self {
        Self::dialled(rig, Some(key)).await.unwrap()
    }

    /// The status with which a channel is refused.
    pub async fn refused(rig: &Rig, key: Option<&str>) -> StatusCode {
        Self::dialled(rig, key).await.err().expect("the channel was opened")
    }

    /// A console whose end takes little before it is read.
    pub async fn open_narrow(rig: &Rig, key: &str) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4 * 1024).unwrap();
        let stream = socket.connect(rig.running.addr()).await.unwrap();
        let stream = MaybeTlsStream::Plain(stream);
        let (to, from) = client_async(request(rig, Some(key)), stream).await.unwrap().0.split();
        Self { to, from: Incoming::Narrow(from) }
    }

    async fn dialled(rig: &Rig, key: Option<&str>) -> Result<Self, StatusCode> {
        match connect_async(request(rig, key)).await {
            Ok((socket, _)) => {
                let (to, mut from) = socket.split();
                let (tell, came) = mpsc::unbounded_channel();
                let reading = tokio::spawn(async move {
                    while let Some(Ok(message)) = from.next().await {
                        if tell.send(message).is_err() {
                            return;
                        }
                    }
                });
                Ok(Self { to, from: Incoming::Read(came, AbortOnDropHandle::new(reading)) })
            }
            Err(Error::Http(answer)) => Err(answer.status()),
            Err(error) => panic!("{error}"),
        }
    }

    pub async fn send(&mut self, message: &Value) {
        self.to.send(Message::text(message.to_string())).await.unwrap();
    }

    pub async fn send_follow(&mut self, sessions: &[(&str, u64)]) {
        let one = |(pin, after): &(&str, u64)| json!({ "session_pin": pin, "chat_after": after });
        let sessions: Vec<_> = sessions.iter().map(one).collect();
        self.send(&json!({ "type": "follow", "sessions": sessions })).await;
    }

    /// Follows a session, and returns its present state.
    pub async fn follow(&mut self, pin: &str) -> Value {
        self.send_follow(&[(pin, 0)]).await;
        self.state_where(|state| state["session_pin"] == pin).await
    }

    /// The next message; `Null` when the channel has ended.
    pub async fn next(&mut self) -> Value {
        let read = async {
            loop {
                let message = match &mut self.from {
                    Incoming::Read(came, _) => came.recv().await,
                    Incoming::Narrow(socket) => socket.next().await.and_then(Result::ok),
                };
                match message {
                    Some(Message::Text(text)) => return serde_json::from_str(&text).unwrap(),
                    Some(Message::Close(frame)) => {
                        let reason = frame.map(|frame| frame.reason.to_string());
                        return json!({ "type": "closed", "reason": reason });
                    }
                    None => return Value::Null,
                    Some(_) => {}
                }
            }
        };
        tokio::time::timeout(crate::common::PATIENCE, read).await.expect("nothing was told")
    }

    /// The next message of this type.
    pub async fn next_of(&mut self, kind: &str) -> Value {
        loop {
            let message = self.next().await;
            assert!(!message.is_null(), "the channel ended before a {kind} came");
            if message["type"] == kind {
                return message;
            }
        }
    }

    /// The next state for which this holds.
    pub async fn state_where(&mut self, mut holds: impl FnMut(&Value) -> bool) -> Value {
        loop {
            let state = self.next_of("state").await;
            if holds(&state) {
                return state;
            }
        }
    }

    /// Reads to the end; whether the broker said that it restarts.
    pub async fn next_until_end(&mut self) -> bool {
        loop {
            let message = self.next().await;
            if message.is_null() {
                return false;
            }
            if message["type"] == "closed" {
                return message["reason"] == "restarting";
            }
        }
    }
}

fn request(rig: &Rig, key: Option<&str>) -> Request {
    let url = rig.url("/x/events").replacen("http", "ws", 1);
    let mut request = url.into_client_request().unwrap();
    if let Some(key) = key {
        request.headers_mut().insert(HEADER, key.parse().unwrap());
    }
    request
}
