//! The demo's viewer window: the console's own page without a browser. It uses the connections of a
//! real window, sealed from end to end, and decodes the picture itself.

use std::{borrow::Cow, time::Duration};

use engine::{
    SessionId,
    desktop::{Desktop, DesktopError, DesktopReply, View},
    remote::ViewerUrl,
};
use futures_util::{SinkExt as _, StreamExt as _};
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::time::timeout;
use tokio_tungstenite::{connect_async, tungstenite::Message};

use console::app::Pages;

/// A desktop whose windows are programs.
#[derive(Default)]
pub struct DemoDesktop {
    opened: Mutex<Option<ViewerUrl>>,
}

impl DemoDesktop {
    /// The window that was opened last; each is returned once.
    pub fn opened(&self) -> Option<ViewerUrl> {
        self.opened.lock().take()
    }
}

impl Desktop for DemoDesktop {
    fn open_viewer<'a>(
        &'a self,
        _: SessionId,
        _: &'a str,
        url: ViewerUrl,
        _: View,
    ) -> DesktopReply<'a> {
        *self.opened.lock() = Some(url);
        Box::pin(async { Ok(()) })
    }

    fn show_chat(&self, _: SessionId) -> bool {
        false
    }

    fn open_browser(&self, _: &str) -> Result<(), DesktopError> {
        Ok(())
    }
}

/// The demo's window does the page's work itself, so it needs no files.
#[derive(Clone, Copy)]
pub struct NoPageNeeded;

impl Pages for NoPageNeeded {
    fn get(&self, name: &str) -> Option<Cow<'static, [u8]>> {
        (name == "viewer.html").then_some(Cow::Borrowed(b"".as_slice()))
    }
}

type Socket =
    tokio_tungstenite::WebSocketStream<tokio_tungstenite::MaybeTlsStream<tokio::net::TcpStream>>;

/// A window that shows a screen.
pub struct Window {
    live: Socket,
    screen: Socket,
    /// Received bytes of the stream that are not decoded yet.
    unread: Vec<u8>,
    /// Its size.
    pub size: (u16, u16),
    /// The picture, four bytes a pixel.
    pub picture: Vec<u8>,
}

type Done<T = ()> = Result<T, String>;

/// RFB's SetPixelFormat: four bytes a pixel, so that little code can decode it.
const PIXELS: [u8; 20] = [0, 0, 0, 0, 32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0];
const RAW_ONLY: [u8; 8] = [2, 0, 0, 1, 0, 0, 0, 0];

impl Window {
    /// Joins the session as the page at `url` would, and waits for the picture's size.
    pub async fn open(url: &ViewerUrl) -> Done<Self> {
        let (page, _) = url.expose().split_once('?').unwrap_or((url.expose(), ""));
        let base = page.replacen("http", "ws", 1);
        let mut live = dial(&format!("{base}live")).await?;
        let page = uuid::Uuid::new_v4();
        say(&mut live, &json!({ "type": "hello", "page": page })).await?;
        hear(&mut live, "welcome").await?;
        let mut screen = dial(&format!("{base}screen")).await?;
        say(&mut screen, &json!({ "type": "watch", "key": "" })).await?;
        hear(&mut screen, "joined").await?;
        let mut window = Self { live, screen, unread: vec![], size: (0, 0), picture: vec![] };
        window.greet().await?;
        Ok(window)
    }

    /// The words that both people may compare.
    pub async fn words(&mut self) -> Done<String> {
        let told = hear(&mut self.live, "words").await?;
        Ok(told["words"].as_str().unwrap_or_default().to_owned())
    }

    async fn greet(&mut self) -> Done {
        self.read(12).await?;
        self.send(b"RFB 003.008\n").await?;
        let kinds = self.read(1).await?[0];
        self.read(kinds.into()).await?;
        self.send(&[1]).await?;
        if self.read(4).await? != [0; 4] {
            return Err("the customer's program didn't let the viewer in".into());
        }
        self.send(&[1]).await?;
        let head = self.read(24).await?;
        self.size = (pair(&head[0..2]), pair(&head[2..4]));
        let name = u32::from_be_bytes([head[20], head[21], head[22], head[23]]);
        self.read(name.min(4096) as usize).await?;
        self.picture = vec![0; usize::from(self.size.0) * usize::from(self.size.1) * 4];
        self.send(&PIXELS).await?;
        self.send(&RAW_ONLY).await
    }

    /// Requests the whole picture.
    pub async fn update(&mut self) -> Done {
        self.ask(true).await?;
        self.take().await
    }

    /// Whether the picture changes within `wait`; the change is then in the picture.
    pub async fn changes(&mut self, wait: Duration) -> Done<bool> {
        self.ask(false).await?;
        match timeout(wait, self.more()).await {
            // No message was read halfway, so a later one is the next change.
            Err(_) => Ok(false),
            Ok(Err(error)) => Err(error),
            Ok(Ok(())) => self.take().await.map(|()| true),
        }
    }

    async fn ask(&mut self, everything: bool) -> Done {
        let (width, height) = (self.size.0.to_be_bytes(), self.size.1.to_be_bytes());
        let head = [3, u8::from(!everything), 0, 0, 0, 0];
        self.send(&[&head[..], &width, &height].concat()).await
    }

    /// Reads the next update into the picture.
    async fn take(&mut self) -> Done {
        loop {
            match self.read(1).await?[0] {
                0 => break,
                2 => {}
                3 => {
                    let head = self.read(7).await?;
                    let length = u32::from_be_bytes([head[3], head[4], head[5], head[6]]);
                    self.read(length.min(1 << 20) as usize).await?;
                }
                other => {
                    return Err(format!(
                        "the customer's program sent a message of the kind {other}"
                    ));
                }
            }
        }
        let parts = pair(&self.read(3).await?[1..3]);
        for _ in 0..parts {
            self.draw().await?;
        }
        Ok(())
    }

    async fn draw(&mut self) -> Done {
        let head = self.read(12).await?;
        let at = |n: usize| usize::from(pair(&head[n..n + 2]));
        let (x, y, width, height) = (at(0), at(2), at(4), at(6));
        let across = usize::from(self.size.0);
        if x + width > across || y + height > usize::from(self.size.1) || head[8..12] != [0; 4] {
            return Err("the customer's program sent what was not asked for".into());
        }
        let pixels = self.read(width * height * 4).await?;
        for (line, row) in pixels.chunks_exact((width * 4).max(1)).enumerate() {
            let from = ((y + line) * across + x) * 4;
            self.picture[from..from + row.len()].copy_from_slice(row);
        }
        Ok(())
    }

    /// Moves the pointer to this position.
    pub async fn point(&mut self, x: u16, y: u16) -> Done {
        let (x, y) = (x.to_be_bytes(), y.to_be_bytes());
        self.send(&[5, 0, x[0], x[1], y[0], y[1]]).await
    }

    /// Presses and releases a letter's key.
    pub async fn type_letter(&mut self, letter: u8) -> Done {
        for down in [1, 0] {
            self.send(&[4, down, 0, 0, 0, 0, 0, letter]).await?;
        }
        Ok(())
    }

    /// Leaves the session in good order.
    pub async fn close(self) {
        linger::hang_up(self.screen).await;
        linger::hang_up(self.live).await;
    }

    /// Waits until more bytes can be decoded.
    async fn more(&mut self) -> Done {
        while self.unread.is_empty() {
            self.receive().await?;
        }
        Ok(())
    }

    async fn receive(&mut self) -> Done {
        match self.screen.next().await {
            Some(Ok(Message::Binary(more))) => self.unread.extend_from_slice(&more),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
            Some(_) | None => return Err("the picture's stream has ended".into()),
        }
        Ok(())
    }

    async fn read(&mut self, bytes: usize) -> Done<Vec<u8>> {
        while self.unread.len() < bytes {
            self.receive().await?;
        }
        Ok(self.unread.drain(..bytes).collect())
    }

    async fn send(&mut self, bytes: &[u8]) -> Done {
        let sent = self.screen.send(Message::binary(bytes.to_vec())).await;
        sent.map_err(|_| "the picture's stream has ended".into())
    }
}

fn pair(bytes: &[u8]) -> u16 {
    u16::from_be_bytes([bytes[0], bytes[1]])
}

async fn dial(url: &str) -> Done<Socket> {
    // The address has the window's secret, and the error may have it too.
    connect_async(url).await.map(|(socket, _)| socket).map_err(|_| "connect the window".into())
}

async fn say(socket: &mut Socket, message: &Value) -> Done {
    let sent = socket.send(Message::text(message.to_string())).await;
    sent.map_err(|_| "the window's connection has ended".into())
}

/// The next message of this type.
async fn hear(socket: &mut Socket, kind: &str) -> Done<Value> {
    while let Some(Ok(message)) = socket.next().await {
        let Message::Text(text) = message else { continue };
        let told: Value = serde_json::from_str(&text).unwrap_or_default();
        if told["type"] == kind {
            return Ok(told);
        }
        if told["type"] == "refused" {
            return Err(told["error"].as_str().unwrap_or("the window was refused").to_owned());
        }
    }
    Err("the window's connection has ended".into())
}
