//! A window's live connection, carried to the broker's: presence, chat and viewers.
//!
//! The page's hello is replaced by one with the PIN, so the page never has it. The stream's
//! credential is taken out of the broker's welcome and stays in this program.

use std::sync::Arc;

use axum::extract::ws::{Message as Frame, WebSocket};
use engine::remote::web_socket::{Channel, Socket};
use futures_util::{SinkExt as _, StreamExt as _};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::{sync::watch, time::timeout};
use tokio_tungstenite::tungstenite::Message;
use uuid::Uuid;
use wire::{Pin, shared_screen::Secret};

use super::{
    PATIENCE, Shown, ViewerWindow,
    admitting::{self, NOT_ADMITTED, NotDone, Pending, Signed},
    heard, tell,
    words_said::{self, Said},
};
use crate::app::Console;

/// A page's first message. Its other fields concern the window only, not the broker.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum FromPage {
    Hello { page: Uuid },
}

/// Whether the page's first message is one.
pub(crate) fn is_first(text: &str) -> bool {
    serde_json::from_str::<FromPage>(text).is_ok()
}

/// Reads the broker's first message, and holds that the page gets no key of the stream's.
pub(crate) fn take_key_out(text: &str) {
    let Ok(mut said) = serde_json::from_str(text) else { return };
    if key_in(&mut said).is_some() {
        assert_eq!(said.get("watch_key").and_then(Value::as_str), Some(KEPT));
    }
}

/// Serves one live connection of the window's page until either end closes it.
pub(super) async fn serve(mut page: WebSocket, console: &Arc<Console>, window: &ViewerWindow) {
    let first = heard(&mut page).await.and_then(|text| serde_json::from_str(&text).ok());
    if let Some(FromPage::Hello { page: id }) = first
        && let Some((mut broker, key)) = join(&mut page, console, window, id).await
    {
        let mut pending = Pending::default();
        let ended = tokio::select! {
            ended = talk(&mut page, &mut broker, (console, window), &mut pending) => ended,
            () = window.closed.cancelled() => Ended::Left,
            () = console.lifecycle.watch.stopping.cancelled() => Ended::Left,
        };
        pending.follow(console, window.session);
        match ended {
            Ended::Left => {}
            // Only here: it closes the window, which would cancel what is in the select.
            Ended::WordsDiffer => words_said::differ(console, window).await,
        }
        // A page that connected again may have a newer key by now.
        window.key.send_if_modified(|now| {
            let ours = *now == key;
            if ours {
                *now = None;
            }
            ours
        });
        linger::hang_up(broker).await;
    }
    super::hang_up(page).await;
}

/// Sends the hello to the broker in the page's place, and passes the answer on to the page.
async fn join(
    page: &mut WebSocket,
    console: &Console,
    window: &ViewerWindow,
    id: Uuid,
) -> Option<(Socket, Option<Secret>)> {
    let (client, pin) = {
        let engine = console.engine.get().await?;
        (engine.client().clone(), engine.snapshot(window.session).and_then(|now| now.pin.clone()))
    };
    let Some(pin) = pin else {
        // The session was closed here, or its PIN has expired.
        tell(page, json!({ "type": "bye", "code": "expired" }).to_string()).await;
        return None;
    };
    let mut broker = match client.dial(Channel::Live).await {
        Ok(broker) => broker,
        // The page tries again.
        Err(error) => {
            tracing::info!(%error, "a viewer window");
            return None;
        }
    };
    let hello = hello(&pin, window, id);
    timeout(PATIENCE, broker.send(Message::text(hello))).await.ok()?.ok()?;
    let mut welcome = next(&mut broker).await?;
    let key = key_in(&mut welcome);
    if key.is_some() {
        window.key.send_replace(key.clone());
    }
    tell(page, Value::Object(welcome).to_string()).await.then_some((broker, key))
}

fn hello(pin: &Pin, window: &ViewerWindow, page: Uuid) -> String {
    json!({
        "type": "hello", "session_pin": pin.expose(), "side": "viewers", "page": page,
        "name": window.name, "ro": window.read_only,
    })
    .to_string()
}

/// Takes the streams' credential out of a welcome, and adds instead that this window's
/// streams are sealed.
fn key_in(welcome: &mut Map<String, Value>) -> Option<Secret> {
    if welcome.get("type").and_then(Value::as_str) != Some("welcome") {
        return None;
    }
    let key = welcome.get_mut("watch_key").map(Value::take)?;
    welcome.insert("watch_key".into(), KEPT.into());
    welcome.insert("sealed".into(), true.into());
    key.as_str().map(|key| Secret::from(key.to_owned()))
}

/// The text that stands in the credential's place.
const KEPT: &str = "kept by the app";

/// The types of what only this program tells the page. The broker must not choose the words that
/// are compared, which would hide that it is in between, nor say what became of an answer.
const OURS_ALONE: [&str; 2] = [WORDS, NOT_ADMITTED];
const WORDS: &str = "words";

/// What the broker says; none if it can't be read, or would pass for this program's own word.
fn said_by_broker(text: &str) -> Option<Map<String, Value>> {
    let said: Map<String, Value> = serde_json::from_str(text).ok()?;
    let kind = said.get("type").and_then(Value::as_str);
    (!kind.is_some_and(|kind| OURS_ALONE.contains(&kind))).then_some(said)
}

/// The broker's next object; none if the connection is over, or it says what it may not.
async fn next(broker: &mut Socket) -> Option<Map<String, Value>> {
    let text = async {
        loop {
            match broker.next().await?.ok()? {
                Message::Text(text) => return said_by_broker(text.as_str()),
                Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {}
                Message::Binary(_) | Message::Close(_) => return None,
            }
        }
    };
    timeout(PATIENCE, text).await.ok().flatten()
}

/// How a live connection ended.
enum Ended {
    /// Either end is gone.
    Left,
    /// The person here said that the words to compare differ.
    WordsDiffer,
}

/// Carries texts both ways, one at a time, and sends the page the words to compare.
async fn talk(
    page: &mut WebSocket,
    broker: &mut Socket,
    (console, window): (&Console, &ViewerWindow),
    pending: &mut Pending,
) -> Ended {
    let mut words = window.words.subscribe();
    if !tell_words(page, &mut words).await {
        return Ended::Left;
    }
    loop {
        tokio::select! {
            frame = page.recv() => match frame {
                Some(Ok(Frame::Text(text))) => match words_said::said_by(&text) {
                    Some(Said::WordsDiffer) => return Ended::WordsDiffer,
                    Some(Said::WordsMatch { words }) => {
                        words_said::matched(console, window, &words).await;
                    }
                    None => {
                        let told = match to_broker(console, window, text.as_str(), pending).await {
                            Ok(text) => matches!(
                                timeout(PATIENCE, broker.send(Message::text(text))).await,
                                Ok(Ok(()))
                            ),
                            Err(not_done) => tell(page, not_done.told()).await,
                        };
                        if !told { return Ended::Left }
                    }
                },
                Some(Ok(Frame::Ping(_) | Frame::Pong(_))) => {}
                None | Some(Err(_) | Ok(Frame::Binary(_) | Frame::Close(_))) => return Ended::Left,
            },
            message = broker.next() => match message {
                Some(Ok(Message::Text(text))) => {
                    let Some(said) = said_by_broker(text.as_str()) else { continue };
                    pending.heard(&said);
                    if !tell(page, text.as_str().to_owned()).await { return Ended::Left }
                }
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
                None | Some(Err(_) | Ok(Message::Binary(_) | Message::Close(_))) => return Ended::Left,
            },
            given = pending.overdue() => {
                let not_done = given.note_unheeded(console, window.session).await;
                if !tell(page, not_done.told()).await { return Ended::Left }
            }
            Ok(()) = words.changed() => if !tell_words(page, &mut words).await { return Ended::Left },
        }
    }
}

/// What the broker is sent for a page's text: an answer about a viewer that waits is signed first.
async fn to_broker(
    console: &Console,
    window: &ViewerWindow,
    text: &str,
    pending: &mut Pending,
) -> Result<String, NotDone> {
    let Some(said) = admitting::said_by(text) else { return Ok(text.to_owned()) };
    let Signed { message, given } = admitting::answer(console, window, &said).await?;
    pending.add(given);
    Ok(message)
}

async fn tell_words(page: &mut WebSocket, words: &mut watch::Receiver<Option<Shown>>) -> bool {
    let shown = words.borrow_and_update().clone();
    match shown {
        Some(shown) => {
            let Shown { words, compared, waits } = shown;
            let told =
                json!({ "type": WORDS, "words": words, "compared": compared, "waits": waits });
            tell(page, told.to_string()).await
        }
        None => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_credential_stays_here_and_the_page_knows_that_it_is_sealed() {
        let text = r#"{"type":"welcome","role":"watch","watch_key":"geheim","chat":[]}"#;
        let mut welcome = serde_json::from_str(text).unwrap();
        assert_eq!(key_in(&mut welcome).unwrap().expose(), "geheim");
        let told = Value::Object(welcome);
        assert_eq!(told["sealed"], true);
        assert!(!told.to_string().contains("geheim"), "{told}");
    }

    #[test]
    fn a_broker_that_chooses_the_words_to_compare_is_not_passed_on() {
        for text in [
            r#"{"type":"words","words":"maple otter thunder","compared":"match","waits":false}"#,
            r#"{"type":"\u0077ords","words":"maple otter thunder"}"#,
            // A page takes the last of two, too.
            r#"{"type":"presence","type":"words","words":"maple otter thunder"}"#,
            r#"{"type":"not_admitted","challenge":"c","text":"It was done."}"#,
            r#"[{"type":"words"}]"#,
            "words",
            "",
        ] {
            assert_eq!(said_by_broker(text), None, "{text}");
        }
    }

    #[test]
    fn everything_else_that_a_broker_says_is_passed_on() {
        for text in [
            r#"{"type":"welcome","role":"watch"}"#,
            r#"{"type":"chat","body":"words"}"#,
            r#"{"type":"words","type":"presence"}"#,
            r#"{"type":7}"#,
            "{}",
        ] {
            assert!(said_by_broker(text).is_some(), "{text}");
        }
    }

    #[test]
    fn what_is_no_welcome_is_passed_on_as_it_is() {
        for text in [r#"{"type":"refused","watch_key":"x"}"#, r#"{"watch_key":"x"}"#, "{}"] {
            let mut said = serde_json::from_str(text).unwrap();
            assert!(key_in(&mut said).is_none(), "{text}");
            assert_eq!(Value::Object(said).to_string(), text);
        }
    }
}
