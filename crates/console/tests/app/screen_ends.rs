//! The two ends of a screen: the customer's program and the technician's window, with the real broker between them.

use engine::remote::ViewerUrl;
use seal::{Access, Pairing, Responder, Sealed};
use serde_json::{Value, json};

use crate::rig::{Page, Rig};

/// A session whose customer's program is there, and a window that may control it.
pub struct Ends {
    pub id: String,
    pub pin: String,
    pub program: Program,
    pub window: Window,
}

impl Ends {
    pub async fn of(rig: &mut Rig, customer: &str) -> Self {
        let id = rig.session(customer).await;
        let pin = rig.seen.pin(&id).await;
        let program = Program::start(rig, &pin).await;
        let window = Window::open(rig, &id, false).await;
        Self { id, pin, program, window }
    }
}

/// A presenter's program, as far as the broker and a window can tell.
pub struct Program {
    pub live: Page,
    pub origin: String,
}

/// Its end of a stream.
pub struct Stream {
    pub page: Page,
    pub sealed: Sealed,
    /// The viewer wants only to watch for now.
    pub only_watches: bool,
}

impl Program {
    pub async fn start(rig: &Rig, pin: &str) -> Self {
        let origin = rig.app.broker().unwrap().origin().to_owned();
        let mut live = Page::dial(&format!("{origin}/live")).await.unwrap();
        live.send(json!({
            "type": "hello", "session_pin": pin, "side": "presenter", "name": "Maria",
            "page": uuid::Uuid::new_v4(),
            "program": { "version": "1.2.3", "platform": "linux-x86_64" },
        }))
        .await;
        live.next_of("welcome").await;
        Self { live, origin }
    }

    /// Dials the stream that it is told of, and does its part of the exchange.
    pub async fn stream(&mut self, access: Access) -> (Page, Sealed) {
        let Stream { page, sealed, .. } = self.stream_of(access, None).await;
        (page, sealed)
    }

    /// Dials the stream that it is told of.
    pub async fn joins(&mut self) -> Page {
        let told = self.live.next_of("viewer").await;
        assert_eq!((&told["sealed"], &told["invited"]), (&json!(true), &json!(true)));
        let mut page = Page::dial(&format!("{}/screen", self.origin)).await.unwrap();
        page.send(json!({ "type": "present", "stream": told["stream"] })).await;
        page.next_of("joined").await;
        page
    }

    /// As [`Program::stream`], of a program that remembers this pairing.
    pub async fn stream_of(&mut self, access: Access, known: Option<&Pairing>) -> Stream {
        let mut page = self.joins().await;
        let recall = |id| known.filter(|known| known.id() == id).cloned();
        let responder = Responder::new(access).unwrap();
        let (end, second) = responder.answer(&page.bytes().await, recall).unwrap();
        page.send_bytes(second).await;
        let only_watches = end.only_watches();
        let sealed = end.finish(&page.bytes().await).unwrap();
        Stream { page, sealed, only_watches }
    }
}

/// What a window's page does.
pub struct Window {
    pub url: ViewerUrl,
    pub live: Page,
    pub welcome: Value,
}

impl Window {
    pub async fn open(rig: &Rig, session: &str, read_only: bool) -> Self {
        let command = json!({ "do": "open_viewer", "session": session, "read_only": read_only });
        rig.ask(command).await;
        let url = rig.desktop.2.lock().unwrap().last().unwrap().clone();
        assert!(url.is_our_page());
        let (live, welcome) = Self::join(&url).await;
        Self { url, live, welcome }
    }

    pub async fn join(url: &ViewerUrl) -> (Page, Value) {
        let mut live = Page::dial(&format!("{}live", base(url))).await.unwrap();
        // What a page asks for beside its own id counts for nothing.
        let asked = json!({
            "type": "hello", "page": uuid::Uuid::new_v4(), "side": "presenter", "ro": false,
            "name": "Mallory", "session_pin": "AAA-11-1111",
        });
        live.send(asked).await;
        let welcome = live.next_of("welcome").await;
        (live, welcome)
    }

    pub async fn watch(&self) -> Page {
        let mut screen = Page::dial(&format!("{}screen", base(&self.url))).await.unwrap();
        screen.send(json!({ "type": "watch", "key": "whatever", "sealed": false })).await;
        screen
    }

    pub async fn get(&self, path: &str) -> reqwest::Response {
        reqwest::get(format!("{}{path}", base(&self.url))).await.unwrap()
    }

    pub async fn post_picture(&self, png: Vec<u8>) -> reqwest::Result<reqwest::StatusCode> {
        let client = reqwest::Client::new();
        let sent = client.post(format!("{}picture", base(&self.url))).body(png).send().await;
        sent.map(|answer| answer.status())
    }
}

/// The page's address, without what it says of itself.
pub fn base(url: &ViewerUrl) -> &str {
    url.expose().split('?').next().unwrap()
}
