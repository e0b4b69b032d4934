//! A viewer without a page, which can send anything on its stream and can stop reading.

use futures_util::{SinkExt as _, StreamExt as _};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;

use crate::{
    PATIENCE, bridge,
    live::{LiveConnection, Socket},
};

/// A viewer's stream after the RFB handshake. It requests raw pixels.
#[derive(Debug)]
pub struct RawViewer {
    stream: Socket,
    left: Vec<u8>,
    /// The size of the screen.
    pub size: (u16, u16),
}

impl RawViewer {
    /// Opens the stream of the viewer that has this live connection.
    pub async fn on(origin: &str, live: LiveConnection) -> Self {
        let stream = bridge::stream(origin, &live.welcome).await;
        live.stay();
        let mut bare = Self { stream, left: Vec::new(), size: (0, 0) };
        assert_eq!(bare.read(12).await, b"RFB 003.008\n");
        bare.say(b"RFB 003.008\n").await;
        let types = bare.read(1).await[0];
        assert!(bare.read(types.into()).await.contains(&1), "no security type None");
        bare.say(&[1]).await;
        assert_eq!(bare.read(4).await, [0; 4]);
        bare.say(&[1]).await;
        let begin = bare.read(24).await;
        bare.size = (number(&begin[0..2]), number(&begin[2..4]));
        let name = u32::from_be_bytes([begin[20], begin[21], begin[22], begin[23]]);
        bare.read(name as usize).await;
        bare
    }

    /// Presses and releases a key.
    pub async fn key(&mut self, keysym: u32) {
        for down in [1, 0] {
            let mut message = vec![4, down, 0, 0];
            message.extend(keysym.to_be_bytes());
            self.say(&message).await;
        }
    }

    /// Clicks at a position of the screen.
    pub async fn click(&mut self, (x, y): (u16, u16)) {
        for buttons in [1, 0] {
            let mut message = vec![5, buttons];
            message.extend(x.to_be_bytes().into_iter().chain(y.to_be_bytes()));
            self.say(&message).await;
        }
    }

    /// Puts a text into the clipboard.
    pub async fn cut(&mut self, text: &str) {
        let mut message = vec![6, 0, 0, 0];
        message.extend((text.len() as u32).to_be_bytes());
        message.extend(text.as_bytes());
        self.say(&message).await;
    }

    /// Waits for a text that the customer has copied. No update may be under way.
    pub async fn copied(&mut self) -> String {
        let head = self.read(8).await;
        assert_eq!(head[0], 3, "no text");
        let length = u32::from_be_bytes([head[4], head[5], head[6], head[7]]);
        // This viewer negotiates no extended clipboard, so the text is Latin-1.
        self.read(length as usize).await.into_iter().map(char::from).collect()
    }

    /// Requests the top left part of the screen; with `changes` only the changes since the
    /// last update.
    pub async fn ask(&mut self, changes: bool, (width, height): (u16, u16)) {
        let mut message = vec![3, u8::from(changes), 0, 0, 0, 0];
        message.extend(width.to_be_bytes().into_iter().chain(height.to_be_bytes()));
        self.say(&message).await;
    }

    /// Requests one pixel and waits for it. By then the presenter has handled all earlier messages.
    pub async fn round_trip(&mut self) {
        self.ask(false, (1, 1)).await;
        loop {
            match self.read(1).await[0] {
                0 => break,
                2 => {}
                3 => {
                    let head = self.read(7).await;
                    let length = u32::from_be_bytes([head[3], head[4], head[5], head[6]]);
                    self.read(length as usize).await;
                }
                other => panic!("an unknown message: {other}"),
            }
        }
        let head = self.read(3).await;
        for _ in 0..number(&head[1..3]) {
            let rect = self.read(12).await;
            assert_eq!(rect[8..12], [0; 4], "asked for nothing but raw pixels");
            let pixels = usize::from(number(&rect[4..6])) * usize::from(number(&rect[6..8]));
            self.read(pixels * 4).await;
        }
    }

    /// Sends these bytes.
    pub async fn say(&mut self, bytes: &[u8]) {
        self.stream.send(Message::binary(bytes.to_vec())).await.unwrap();
    }

    async fn read(&mut self, length: usize) -> Vec<u8> {
        while self.left.len() < length {
            let message = timeout(PATIENCE, self.stream.next()).await;
            let message = message.expect("nothing came").expect("the stream ended").unwrap();
            self.left.extend(message.into_data());
        }
        self.left.drain(..length).collect()
    }
}

fn number(bytes: &[u8]) -> u16 {
    u16::from_be_bytes([bytes[0], bytes[1]])
}
