//! A viewer's end of a stream: as much of RFB as a test needs.

use futures_util::{SinkExt as _, StreamExt as _};
use seal::{Access, Initiator, Offer, Pairing, Sealed};
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use crate::{broker::Socket, customer::SIZE};

pub struct Viewer {
    pub socket: Socket,
    sealed: Option<Sealed>,
    heard: Vec<u8>,
}

impl Viewer {
    /// Lets the presenter's stream in, and speaks the plain protocol.
    pub async fn plain(mut socket: Socket, role: &str) -> Self {
        join(&mut socket, role).await;
        Self::greeted(socket, None).await
    }

    /// As [`Viewer::plain`], sealed.
    pub async fn sealed(socket: Socket, role: &str) -> Self {
        Self::offers(socket, role, Offer::default()).await
    }

    /// As [`Viewer::sealed`], by a viewer that was there before.
    pub async fn comes_back(socket: Socket, role: &str, pairing: Pairing) -> Self {
        Self::offers(socket, role, Offer { known: Some(pairing), only_watches: false }).await
    }

    pub async fn offers(mut socket: Socket, role: &str, offer: Offer) -> Self {
        join(&mut socket, role).await;
        let access = if role == "watch" { Access::Watch } else { Access::Control };
        let (initiator, first) = Initiator::start(access, offer).unwrap();
        socket.send(Message::binary(first)).await.unwrap();
        let second = socket.next().await.unwrap().unwrap().into_data();
        let (sealed, third) = initiator.finish(&second).unwrap();
        socket.send(Message::binary(third)).await.unwrap();
        Self::greeted(socket, Some(sealed)).await
    }

    async fn greeted(socket: Socket, sealed: Option<Sealed>) -> Self {
        let mut viewer = Self { socket, sealed, heard: Vec::new() };
        assert_eq!(viewer.read(12).await, b"RFB 003.008\n");
        viewer.say(b"RFB 003.008\n").await;
        assert_eq!(viewer.read(2).await, [1, 1]);
        viewer.say(&[1]).await;
        assert_eq!(viewer.read(4).await, [0; 4]);
        viewer.say(&[1]).await;
        let init = viewer.read(24).await;
        assert_eq!(init[..4], [SIZE.0.to_be_bytes(), SIZE.1.to_be_bytes()].concat());
        let name = u32::from_be_bytes(init[20..24].try_into().unwrap());
        viewer.read(name as usize).await;
        // SetEncodings: raw and nothing else.
        viewer.say(&[2, 0, 0, 1, 0, 0, 0, 0]).await;
        viewer
    }

    pub fn words(&self) -> String {
        self.sealed.as_ref().unwrap().words.to_string()
    }

    pub fn pairing(&self) -> Pairing {
        self.sealed.as_ref().unwrap().pairing.clone()
    }

    pub async fn say(&mut self, bytes: &[u8]) {
        let messages = match &mut self.sealed {
            Some(sealed) => sealed.sealer.seal_all(bytes).unwrap(),
            None => vec![bytes.to_vec()],
        };
        for message in messages {
            self.socket.send(Message::binary(message)).await.unwrap();
        }
    }

    pub async fn read(&mut self, length: usize) -> Vec<u8> {
        while self.heard.len() < length {
            match self.socket.next().await.expect("the stream ended").unwrap() {
                Message::Binary(bytes) => match &mut self.sealed {
                    Some(sealed) => self.heard.extend(sealed.opener.open(&bytes).unwrap()),
                    None => self.heard.extend_from_slice(&bytes),
                },
                Message::Ping(_) | Message::Pong(_) => {}
                other => panic!("{other:?}"),
            }
        }
        self.heard.drain(..length).collect()
    }

    pub async fn key(&mut self, down: bool, keysym: u32) {
        let keysym = keysym.to_be_bytes();
        self.say(&[&[4, u8::from(down), 0, 0][..], &keysym].concat()).await;
    }

    pub async fn click(&mut self, x: u16, y: u16) {
        self.points(1, x, y).await;
    }

    pub async fn points(&mut self, buttons: u8, x: u16, y: u16) {
        self.say(&[&[5, buttons][..], &x.to_be_bytes(), &y.to_be_bytes()].concat()).await;
    }

    pub async fn cuts(&mut self, text: &str) {
        let length = u32::try_from(text.len()).unwrap().to_be_bytes();
        self.say(&[&[6, 0, 0, 0][..], &length, text.as_bytes()].concat()).await;
    }

    pub async fn request(&mut self, incremental: bool) {
        let (w, h) = (SIZE.0.to_be_bytes(), SIZE.1.to_be_bytes());
        self.say(&[&[3, u8::from(incremental), 0, 0, 0, 0][..], &w, &h].concat()).await;
    }

    /// The first byte of the first pixel of the next update, which may come in several rectangles.
    pub async fn update(&mut self) -> u8 {
        let head = self.read(4).await;
        assert_eq!(head[0], 0, "an update");
        let mut first = None;
        for _ in 0..u16::from_be_bytes([head[2], head[3]]) {
            let area = self.read(12).await;
            let side = |at: usize| usize::from(u16::from_be_bytes([area[at], area[at + 1]]));
            assert_eq!(area[8..], [0; 4], "raw");
            let pixels = self.read(side(4) * side(6) * 4).await;
            first.get_or_insert(pixels[0]);
        }
        first.expect("an empty update")
    }

    /// Asks until a picture is seen whose pixels are `value`.
    pub async fn sees(&mut self, value: u8) {
        self.request(false).await;
        while self.update().await != value {
            self.request(true).await;
        }
    }

    /// Says that the stream is alive, as the broker does every few seconds.
    pub async fn pings(&mut self) {
        self.socket.send(Message::Ping(Vec::new().into())).await.unwrap();
    }

    /// Waits for the presenter to end the stream.
    pub async fn ends(mut self) {
        while let Some(Ok(message)) = self.socket.next().await {
            if message.is_close() {
                return;
            }
        }
    }
}

pub async fn join(socket: &mut Socket, role: &str) {
    let joined = json!({"type": "joined", "role": role}).to_string();
    socket.send(Message::text(joined)).await.unwrap();
}
