//! The live connection: the one line on which the broker says who wants a stream, and is told what is
//! shared. It is kept through outages and restarts of the broker, with the same page, so that the session
//! goes on and nobody is asked again.

use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use serde::{Deserialize, Serialize};
use tokio::{
    sync::mpsc,
    time::{Instant, sleep, timeout},
};
use tokio_tungstenite::tungstenite::Message;
use uuid::Uuid;
use wire::{
    Pin,
    screen::{Program, Sharing, ToPresenter},
};

use crate::{
    dial::{DialError, Dialler, Socket},
    end::Ended,
};

/// Bytes of the longest message: a welcome repeats the day's chat.
const LONGEST: usize = 8 * 1024 * 1024;
/// The broker pings every 5 s, on streams as well; one that is silent for longer than this is gone.
pub(crate) const SILENT: Duration = Duration::from_secs(15);
/// How long one answer, or one message on its way out, may take.
const WITHIN: Duration = Duration::from_secs(10);
/// How long the first connection is tried.
const FIRST_WITHIN: Duration = Duration::from_secs(60);
/// No PIN lives longer; the broker says so sooner, if it can be reached.
pub(crate) const LONGEST_LIFE: Duration = Duration::from_secs(25 * 3600);

/// What the line is opened with.
pub struct Line {
    /// Where.
    pub dialler: Dialler,
    /// Which session.
    pub pin: Pin,
    /// The same through all reconnects.
    pub page: Uuid,
    /// The customer's name, as the others see it.
    pub name: String,
    /// This program.
    pub program: Program,
}

/// What is heard on the line.
#[derive(Debug)]
pub enum Heard {
    /// The line is up, for the first time or again. The broker doesn't know what is shared.
    Up,
    /// The line is lost, and with it all streams; it is dialled again.
    Down,
    /// A viewer waits for its stream.
    Viewer(ToPresenter),
    /// Somebody saved a picture of the screen.
    Snapshot {
        /// Their name; may be empty.
        by: String,
    },
    /// The line is closed for good. Nothing more is heard.
    Over(Ended),
}

/// What is said on the line. Only the latest counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Say {
    /// What there is to see.
    Sharing(Sharing),
    /// This program goes.
    Leave,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum ToBroker<'a> {
    Hello {
        #[serde(serialize_with = "wire::pin::expose")]
        session_pin: Pin,
        side: &'static str,
        page: Uuid,
        name: &'a str,
        program: &'a Program,
    },
    Sharing {
        state: Sharing,
    },
    Leave,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum FromBroker {
    Welcome,
    Refused {
        code: String,
    },
    Bye {
        code: String,
    },
    Snapshot {
        #[serde(default)]
        by: String,
    },
    /// Chat, presence, and what later brokers may say.
    #[serde(other)]
    Other,
}

/// Why one connection is at its end.
enum Lost {
    /// Dial again; given up, it means this, or that nobody answered sensibly.
    Retry(Option<Ended>),
    /// Dial again at once: the broker said that it will be back.
    Restarting,
    /// For good.
    Over(Ended),
    /// This program goes, or nobody listens any more.
    Left,
}

impl Line {
    /// Keeps the line until it is over or this program leaves. What is said while it is down is lost,
    /// but for [`Say::Leave`].
    pub async fn keep(self, heard: mpsc::Sender<Heard>, mut say: mpsc::Receiver<Say>) {
        let started = Instant::now();
        let (mut was_up, mut tries) = (false, 0);
        loop {
            let mut up = false;
            let lost = self.once(&heard, &mut say, &mut up).await;
            if up {
                (was_up, tries) = (true, 0);
            }
            let over = match lost {
                Lost::Left => return,
                Lost::Over(ended) => Some(in_time(ended, was_up)),
                Lost::Restarting => {
                    tries = 0;
                    None
                }
                Lost::Retry(why) if !was_up => {
                    let nobody = || Ended::Unreachable(DialError::Answer(self.dialler.host()));
                    given_up(started.elapsed(), why.unwrap_or_else(nobody))
                }
                Lost::Retry(_) => None,
            };
            let over = if over.is_some() { over } else { outlived(started.elapsed()) };
            if let Some(ended) = over {
                let _ = heard.send(Heard::Over(ended)).await;
                return;
            }
            if up && heard.send(Heard::Down).await.is_err() {
                return;
            }
            let pause = pause(tries, chance());
            tracing::debug!(?pause, tries, "dial again");
            tries += 1;
            if !waited(pause, &mut say).await {
                return;
            }
        }
    }

    /// One connection, from dialling to its end.
    async fn once(
        &self,
        heard: &mpsc::Sender<Heard>,
        say: &mut mpsc::Receiver<Say>,
        up: &mut bool,
    ) -> Lost {
        let opening = async {
            let mut socket = self.dialler.socket("/live", LONGEST).await.map_err(|error| {
                tracing::debug!(%error, "dial the live connection");
                Lost::Retry(Some(error.into()))
            })?;
            self.greet(&mut socket).await?;
            Ok(socket)
        };
        let socket = tokio::select! {
            opened = opening => opened,
            () = left(say) => return Lost::Left,
        };
        match socket {
            Err(lost) => lost,
            Ok(mut socket) => {
                *up = true;
                if heard.send(Heard::Up).await.is_err() {
                    return Lost::Left;
                }
                let lost = talk(&mut socket, heard, say).await;
                let _ = timeout(WITHIN, socket.close(None)).await;
                lost
            }
        }
    }

    async fn greet(&self, socket: &mut Socket) -> Result<(), Lost> {
        let hello = ToBroker::Hello {
            session_pin: self.pin.clone(),
            side: "presenter",
            page: self.page,
            name: &self.name,
            program: &self.program,
        };
        tell(socket, &hello).await?;
        loop {
            let answer = timeout(WITHIN, socket.next()).await;
            let Ok(Some(Ok(message))) = answer else { return Err(Lost::Retry(None)) };
            let Message::Text(text) = message else { continue };
            match serde_json::from_str(&text) {
                Ok(FromBroker::Welcome) => return Ok(()),
                Ok(FromBroker::Refused { code }) => return Err(self.refused(&code)),
                Ok(FromBroker::Bye { code }) => return Err(farewell(&code)),
                Ok(FromBroker::Snapshot { .. } | FromBroker::Other) | Err(_) => {}
            }
        }
    }

    fn refused(&self, code: &str) -> Lost {
        Lost::Over(match code {
            "unknown_pin" => Ended::UnknownPin,
            "pin_over" => Ended::PinOver,
            "taken" => Ended::Taken,
            "blocked" => Ended::Blocked,
            "malformed" | "refused" if self.program.conf.is_some() => Ended::NotItsProgram,
            "malformed" | "refused" => Ended::Unreachable(DialError::Answer(self.dialler.host())),
            "too_many" => return Lost::Retry(Some(Ended::TooMany)),
            // Not saved, or what later brokers may say: it may be better in a while.
            _ => return Lost::Retry(None),
        })
    }
}

/// Carries messages both ways until the end of this connection.
async fn talk(
    socket: &mut Socket,
    heard: &mpsc::Sender<Heard>,
    say: &mut mpsc::Receiver<Say>,
) -> Lost {
    loop {
        tokio::select! {
            said = say.recv() => match said {
                Some(Say::Sharing(state)) => {
                    if let Err(lost) = tell(socket, &ToBroker::Sharing { state }).await {
                        return lost;
                    }
                }
                Some(Say::Leave) | None => {
                    let _ = tell(socket, &ToBroker::Leave).await;
                    return Lost::Left;
                }
            },
            message = timeout(SILENT, socket.next()) => {
                let Ok(Some(Ok(message))) = message else { return Lost::Retry(None) };
                let news = match understood(&message) {
                    Understood::News(news) => news,
                    Understood::Nothing => continue,
                    Understood::Lost(lost) => return lost,
                };
                if heard.send(news).await.is_err() {
                    return Lost::Left;
                }
            }
        }
    }
}

enum Understood {
    News(Heard),
    Nothing,
    Lost(Lost),
}

fn understood(message: &Message) -> Understood {
    let text = match message {
        Message::Text(text) => text,
        Message::Close(_) => return Understood::Lost(Lost::Retry(None)),
        Message::Binary(_) | Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {
            return Understood::Nothing;
        }
    };
    if let Ok(viewer) = serde_json::from_str::<ToPresenter>(text) {
        return Understood::News(Heard::Viewer(viewer));
    }
    match serde_json::from_str(text) {
        Ok(FromBroker::Snapshot { by }) => Understood::News(Heard::Snapshot { by }),
        Ok(FromBroker::Bye { code }) => Understood::Lost(farewell(&code)),
        Ok(FromBroker::Welcome | FromBroker::Refused { .. } | FromBroker::Other) | Err(_) => {
            Understood::Nothing
        }
    }
}

fn farewell(code: &str) -> Lost {
    match code {
        "restarting" => Lost::Restarting,
        "replaced" => Lost::Over(Ended::Replaced),
        "revoked" => Lost::Over(Ended::Revoked),
        // `expired`, and any other goodbye: not to come back is what they all say.
        _ => Lost::Over(Ended::Expired),
    }
}

async fn tell(socket: &mut Socket, message: &ToBroker<'_>) -> Result<(), Lost> {
    let text = serde_json::to_string(message).map_err(|_| Lost::Retry(None))?;
    match timeout(WITHIN, socket.send(Message::text(text))).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) | Err(_) => Err(Lost::Retry(None)),
    }
}

/// Waits before the next try; false if this program goes meanwhile.
async fn waited(pause: Duration, say: &mut mpsc::Receiver<Say>) -> bool {
    tokio::select! {
        () = sleep(pause) => true,
        () = left(say) => false,
    }
}

/// Drops what is said until this program goes.
async fn left(say: &mut mpsc::Receiver<Say>) {
    while let Some(Say::Sharing(_)) = say.recv().await {}
}

/// A PIN that is over means something else to who has shared already.
fn in_time(ended: Ended, was_up: bool) -> Ended {
    match ended {
        Ended::PinOver | Ended::UnknownPin if was_up => Ended::Expired,
        ended => ended,
    }
}

/// Where nobody was ever reached: what can't become better ends it at once, the rest after a while.
fn given_up(elapsed: Duration, why: Ended) -> Option<Ended> {
    let hopeless = matches!(
        why,
        Ended::Unreachable(DialError::Address | DialError::Ca | DialError::Certificate(_))
    );
    (hopeless || elapsed > FIRST_WITHIN).then_some(why)
}

fn outlived(elapsed: Duration) -> Option<Ended> {
    (elapsed > LONGEST_LIFE).then_some(Ended::Expired)
}

/// How long to wait before try number `tries`: half a second, doubled each time up to 15 s, and of that
/// between half and all, so that not everybody comes back at the same moment.
fn pause(tries: u32, chance: u8) -> Duration {
    let whole = Duration::from_millis(500 << tries.min(5)).min(Duration::from_secs(15));
    whole / 2 + whole / 2 * u32::from(chance) / 255
}

fn chance() -> u8 {
    let mut byte = [0];
    // Without chance everybody waits the same: no reason to fail.
    let _ = getrandom::fill(&mut byte);
    byte[0]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tries_come_later_and_later_but_never_late() {
        assert_eq!(pause(0, 0), Duration::from_millis(250));
        assert_eq!(pause(0, 255), Duration::from_millis(500));
        assert_eq!(pause(3, 255), Duration::from_secs(4));
        assert_eq!(pause(u32::MAX, 255), Duration::from_secs(15));
    }

    #[test]
    fn what_can_become_better_is_tried_for_a_while() {
        let late = FIRST_WITHIN + Duration::from_secs(1);
        let gone = || Ended::Unreachable(DialError::Unreachable("a".to_owned()));
        assert_eq!(given_up(FIRST_WITHIN, gone()), None);
        assert_eq!(given_up(late, gone()), Some(gone()));
        assert_eq!(given_up(late, Ended::TooMany), Some(Ended::TooMany));
        let false_one = Ended::Unreachable(DialError::Certificate("a".to_owned()));
        assert_eq!(given_up(Duration::ZERO, false_one.clone()), Some(false_one));
    }

    #[test]
    fn nonsense_on_the_line_is_passed_over() {
        for text in ["", "{}", "[]", r#"{"type":"viewer"}"#, r#"{"type":"news"}"#, "\u{0}"] {
            assert!(matches!(understood(&Message::text(text)), Understood::Nothing), "{text}");
        }
        let viewer = r#"{"type":"viewer","stream":"s","page":"p","name":"n","role":"watch","sealed":true,"new":1}"#;
        let heard = understood(&Message::text(viewer));
        assert!(matches!(heard, Understood::News(Heard::Viewer(_))));
    }
}
