//! The viewer's page in a real browser, with a screen from the real RFB server behind the real broker.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod browsing;
mod common;

use std::time::Duration;

use browser_tests::Driver;
use browsing::{holds, press, see, type_into};
use common::{Page, Rig, Stream, broker, present};
use fantoccini::{Client, Locator};
use futures_util::StreamExt as _;
use rfb::{Event, Limits, Monitor, Picture, Rect, Server};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Message;

const PATIENCE: Duration = Duration::from_secs(60);
/// Both monitors, side by side.
const SIZE: (u16, u16) = (320, 100);

/// What a test makes the presenter do.
enum Order {
    Clipboard(&'static str),
    Cut,
    Say(Value),
}

/// A presenter without a display: every key gives its picture another colour.
struct Screen {
    orders: mpsc::UnboundedSender<Order>,
    events: mpsc::UnboundedReceiver<Event>,
    told: mpsc::UnboundedReceiver<Value>,
}

impl Screen {
    async fn shared(rig: &Rig, pin: &str) -> Self {
        let (orders, take) = mpsc::unbounded_channel();
        let (tell, events) = mpsc::unbounded_channel();
        let (pass, told) = mpsc::unbounded_channel();
        let page = rig.program(pin).await;
        tokio::spawn(present_to(rig.running.origin().to_owned(), page, take, tell, pass));
        Self { orders, events, told }
    }

    fn order(&self, order: Order) {
        self.orders.send(order).unwrap_or_else(|_| panic!("the presenter is gone"));
    }

    /// The next event for which this holds.
    async fn event(&mut self, holds: impl Fn(&Event) -> bool) -> Event {
        let next = async {
            loop {
                let event = self.events.recv().await.unwrap();
                if holds(&event) {
                    return event;
                }
            }
        };
        tokio::time::timeout(PATIENCE, next).await.expect("no such event came")
    }

    /// The next message of the live connection for which this holds.
    async fn told(&mut self, holds: impl Fn(&Value) -> bool) -> Value {
        let next = async {
            loop {
                let message = self.told.recv().await.unwrap();
                if holds(&message) {
                    return message;
                }
            }
        };
        tokio::time::timeout(PATIENCE, next).await.expect("no such message came")
    }
}

async fn present_to(
    origin: String,
    mut page: Page,
    mut orders: mpsc::UnboundedReceiver<Order>,
    events: mpsc::UnboundedSender<Event>,
    told: mpsc::UnboundedSender<Value>,
) {
    let mut picture = Picture::new(SIZE.0, SIZE.1);
    let mut joined: Option<(Stream, Server)> = None;
    loop {
        tokio::select! {
            order = orders.recv() => match order {
                None => return,
                Some(Order::Cut) => joined = None,
                Some(Order::Say(message)) => page.send(&message).await,
                Some(Order::Clipboard(text)) => {
                    if let Some((stream, server)) = &mut joined {
                        server.set_clipboard(text);
                        flush(stream, server, &picture).await;
                    }
                }
            },
            message = page.read() => {
                if message["type"] == "viewer" {
                    joined = Some(dial(&origin, &message, &picture).await);
                }
                if message.is_null() || told.send(message).is_err() { return }
            }
            bytes = next_bytes(&mut joined) => match (bytes, &mut joined) {
                (Some(bytes), Some((stream, server))) => {
                    let mut seen = Vec::new();
                    server.receive(&bytes, Duration::ZERO, &mut seen).unwrap();
                    for event in seen {
                        if let Event::Key { down: true, keysym, .. } = event {
                            let colour = [u8::try_from(keysym & 0xff).unwrap(), 120, 200, 0];
                            picture.pixels_mut().chunks_mut(4).for_each(|p| p.copy_from_slice(&colour));
                            server.changed(&[picture.bounds()]);
                        }
                        let _ = events.send(event);
                    }
                    flush(stream, server, &picture).await;
                }
                (None, _) | (_, None) => joined = None,
            },
        }
    }
}

async fn dial(origin: &str, told: &Value, picture: &Picture) -> (Stream, Server) {
    let mut stream = Stream::open(origin, &present(told)).await;
    assert_eq!(stream.answer().await["type"], "joined");
    let half = SIZE.0 / 2;
    let monitor = |id: u32, x| Monitor { id, area: Rect::new(x, 0, half, SIZE.1) };
    let mut server =
        Server::new(picture, &[monitor(1, 0), monitor(2, half)], "Test", Limits::default());
    flush(&mut stream, &mut server, picture).await;
    (stream, server)
}

async fn flush(stream: &mut Stream, server: &mut Server, picture: &Picture) {
    while server.wants_update(Duration::ZERO) {
        server.update(picture, Duration::ZERO);
    }
    let output = server.take_output();
    if !output.is_empty() {
        stream.send(output).await;
    }
}

/// The viewer's next bytes; nothing comes while nobody is joined, `None` when the stream has ended.
async fn next_bytes(joined: &mut Option<(Stream, Server)>) -> Option<Vec<u8>> {
    let Some((stream, _)) = joined else { return std::future::pending().await };
    loop {
        match stream.0.next().await {
            Some(Ok(Message::Binary(bytes))) => return Some(bytes.to_vec()),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
            Some(Ok(_) | Err(_)) | None => return None,
        }
    }
}

/// The viewer's page, with the picture on it.
async fn viewing(driver: &Driver, rig: &Rig, pin: &str, ro: bool) -> Client {
    let viewer = driver.browser("technician", 1100, 900).await;
    let link = rig.get_json(&format!("/session_url?session_pin={pin}&ro={ro}&un=Anna")).await;
    viewer.goto(link["url"].as_str().unwrap()).await.unwrap();
    shows(&viewer).await;
    viewer
}

async fn shows(viewer: &Client) {
    holds(viewer, "document.getElementById('notice').hidden").await;
    holds(viewer, &format!("document.querySelector('#screen canvas').width === {}", SIZE.0)).await;
}

/// Waits until the first pixel is this blue.
async fn blue_is(viewer: &Client, blue: u8) {
    let pixel = "document.querySelector('#screen canvas').getContext('2d').getImageData(0, 0, 1, 1).data[2]";
    holds(viewer, &format!("{pixel} === {blue}")).await;
}

/// Types into whatever has the keyboard.
async fn type_keys(viewer: &Client, keys: &str) {
    viewer.active_element().await.unwrap().send_keys(keys).await.unwrap();
}

#[tokio::test]
async fn a_key_pressed_in_the_viewer_changes_the_picture_that_it_shows() {
    let (driver, rig) = (Driver::start(), broker().await);
    let pin = rig.mint().await;
    let mut screen = Screen::shared(&rig, &pin).await;
    let viewer = viewing(&driver, &rig, &pin, false).await;
    see(&viewer, "state-text", "Connected").await;
    type_keys(&viewer, "a").await;
    blue_is(&viewer, b'a').await;
    // The special keys come in their order, and the keyboard is the customer's again.
    press(&viewer, "keys").await;
    let item = Locator::XPath("//div[@id='keys-list']//button[starts-with(., 'Ctrl+Alt+Del')]");
    viewer.find(item).await.unwrap().click().await.unwrap();
    screen.event(|event| matches!(event, Event::Key { keysym: 0xffff, down: true, .. })).await;
    screen.event(|event| matches!(event, Event::Key { keysym: 0xffe3, down: false, .. })).await;
    type_keys(&viewer, "b").await;
    blue_is(&viewer, b'b').await;
    // What was measured is shown here, and told to the customer.
    see(&viewer, "quality-word", "ms").await;
    let measured = |message: &Value| message["watchers"][0]["latency_ms"].is_u64();
    screen.told(measured).await;
    // One monitor of two.
    press(&viewer, "monitors").await;
    let second = Locator::XPath("//div[@id='monitors-list']//button[starts-with(., 'Screen 2')]");
    viewer.find(second).await.unwrap().click().await.unwrap();
    holds(&viewer, "document.querySelector('#screen canvas').width === 160").await;
    see(&viewer, "monitors-word", "Screen 2").await;
    viewer.close().await.unwrap();
}

#[tokio::test]
async fn the_screen_comes_back_by_itself_and_a_pause_is_said() {
    let (driver, rig) = (Driver::start(), broker().await);
    let pin = rig.mint().await;
    let screen = Screen::shared(&rig, &pin).await;
    let viewer = viewing(&driver, &rig, &pin, false).await;
    let lost = "window.lost = 0; new MutationObserver(() => { window.lost += 1; })\
        .observe(document.getElementById('notice'), { attributes: true, attributeFilter: ['hidden'] })";
    viewer.execute(lost, vec![]).await.unwrap();
    screen.order(Order::Cut);
    holds(&viewer, "window.lost > 0").await;
    shows(&viewer).await;
    screen.order(Order::Say(json!({ "type": "sharing", "state": "paused" })));
    see(&viewer, "paused", "Control is paused by the customer").await;
    holds(&viewer, "document.getElementById('keys-menu').hidden").await;
    screen.order(Order::Say(json!({ "type": "sharing", "state": "shared" })));
    holds(&viewer, "document.getElementById('paused').hidden").await;
    let rig = rig.restart().await;
    see(&viewer, "stage-title", "No screen is shared any more").await;
    let mut again = Screen::shared(&rig, &pin).await;
    shows(&viewer).await;
    type_keys(&viewer, "c").await;
    again.event(|event| matches!(event, Event::Key { keysym: 0x63, .. })).await;
    viewer.close().await.unwrap();
}

#[tokio::test]
async fn clipboards_chat_and_pictures_pass_between_both_sides() {
    let (driver, rig) = (Driver::start(), broker().await);
    let pin = rig.mint().await;
    let mut screen = Screen::shared(&rig, &pin).await;
    let viewer = viewing(&driver, &rig, &pin, false).await;
    type_keys(&viewer, &chord("k")).await;
    type_into(&viewer, "clip", "Grüße, 5 €").await;
    press(&viewer, "clip-send").await;
    let text = screen.event(|event| matches!(event, Event::Clipboard(_))).await;
    assert_eq!(text, Event::Clipboard("Grüße, 5 €".into()));
    screen.order(Order::Clipboard("vom Kunden: ä €"));
    holds(&viewer, "document.getElementById('clip').value === 'vom Kunden: ä €'").await;
    type_keys(&viewer, "\u{e00c}").await;

    holds(&viewer, "document.getElementById('side').hidden").await;
    screen.order(Order::Say(json!({ "type": "chat", "name": "Maria", "body": "are you there?" })));
    see(&viewer, "unread", "1").await;
    type_keys(&viewer, &chord("c")).await;
    see(&viewer, "log", "are you there?").await;
    see(&viewer, "people", "Anna (you)").await;
    type_keys(&viewer, "yes\n").await;
    screen.told(|message| message["message"]["body"] == "yes").await;
    type_keys(&viewer, &chord("c")).await;

    type_keys(&viewer, &chord("p")).await;
    let told = screen.told(|message| message["type"] == "snapshot").await;
    assert_eq!(told["by"], "Anna");
    see(&viewer, "told", "The customer has been told").await;
    let stray = |event: &Event| matches!(event, Event::Key { keysym: 0x70 | 0x50, .. });
    while let Ok(event) = screen.events.try_recv() {
        assert!(!stray(&event), "a shortcut of the page reached the customer");
    }
    viewer.close().await.unwrap();
}

/// Ctrl, Alt and Shift held, and this key.
fn chord(key: &str) -> String {
    format!("\u{e009}\u{e00a}\u{e008}{key}")
}

#[tokio::test]
async fn a_watcher_is_told_so_and_passes_nothing_on() {
    let (driver, rig) = (Driver::start(), broker().await);
    let pin = rig.mint().await;
    let mut screen = Screen::shared(&rig, &pin).await;
    let viewer = viewing(&driver, &rig, &pin, true).await;
    see(&viewer, "readonly", "Read-only").await;
    holds(&viewer, "document.getElementById('clipboard-menu').hidden").await;
    viewer.find(Locator::Css("#screen canvas")).await.unwrap().click().await.unwrap();
    type_keys(&viewer, "abc").await;
    // Its round trips go the same way, so what was sent before them has come.
    let measured = |message: &Value| message["watchers"][0]["latency_ms"].is_u64();
    screen.told(measured).await;
    rig.advance(Duration::from_secs(3)).await;
    screen.told(measured).await;
    while let Ok(event) = screen.events.try_recv() {
        assert!(!matches!(event, Event::Key { .. } | Event::Pointer { .. }), "{event:?}");
    }
    viewer.close().await.unwrap();
}

#[tokio::test]
async fn the_page_is_there_or_says_that_this_build_has_none() {
    let rig = broker().await;
    let answer = rig.http.get(format!("{}/view", rig.running.origin())).send().await.unwrap();
    let policy = answer.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self'"));
    assert!(!policy.contains("unsafe") && !policy.contains('*'));
    let page = answer.text().await.unwrap();
    let text = |name| serve::page_file("viewer", name).map(|file| file.text);
    match (text("viewer.html"), text("viewer.js"), text("viewer.css")) {
        (Some(html), Some(js), Some(css)) => {
            assert_eq!(page, html);
            assert!(!page.contains("<script>") && !page.contains("style="));
            assert!(js.contains("Mozilla Public License 2.0"));
            assert!(!css.contains("url(") && !css.contains("@import"));
        }
        _ => assert!(page.contains("This build has no pages")),
    }
}
