//! The live connection: on it the broker announces each viewer that wants a stream, and this
//! program reports whether the screen is shared. After an outage or a restart of the broker it is
//! dialled again with the same page id, so that the session goes on and the customer isn't
//! asked again.

mod retry;

use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use tokio::{
    sync::mpsc,
    time::{Instant, sleep, timeout},
};
use tokio_tungstenite::tungstenite::Message;
use uuid::Uuid;
use wire::{
    Pin,
    shared_screen::{
        AdmissionAnswer, ProgramHello, Sharing, SharingEnd, ToPresenter, WaitingViewer,
    },
};

pub(crate) use self::retry::LONGEST_LIFE;
use self::retry::{adjusted, backoff, given_up, outlived, random_byte};
use crate::{
    broker_messages::{FromBroker, ToBroker},
    dial::{DialError, Dialler, Socket},
    end_reason::EndReason,
};

/// Bytes of the longest message. It is that long because a welcome repeats the day's chat.
const LONGEST_MESSAGE: usize = 8 * 1024 * 1024;
/// After this time without a message the broker counts as unreachable: it pings every 5 s, on
/// streams as well.
pub(crate) const SILENCE_TIMEOUT: Duration = Duration::from_secs(15);
/// How long one answer, or sending one message, may take.
const STEP_TIMEOUT: Duration = Duration::from_secs(10);
/// The data for the first connection and for every later one.
pub struct BrokerConnection {
    pub dialler: Dialler,
    pub pin: Pin,
    /// The page id. It stays the same through all reconnects, so the broker recognises this program
    /// and doesn't take it for a new participant.
    pub page: Uuid,
    /// The customer's name, as the others see it.
    pub name: String,
    pub program: ProgramHello,
}

/// A report of the connection.
#[derive(Debug)]
pub enum BrokerEvent {
    /// It is up, for the first time or again. The broker doesn't know yet whether the screen
    /// is shared.
    Up,
    /// It was lost, and with it all streams; it is being dialled again.
    Down,
    /// A viewer waits for its stream.
    Viewer(ToPresenter),
    /// A viewer saved a picture of the screen.
    Snapshot {
        /// The viewer's name; may be empty.
        by: String,
    },
    /// Another program with this PIN was refused.
    OtherProgram,
    /// The technician's answer about a viewer that waits, by the broker's word.
    Admit(AdmissionAnswer),
    /// It is closed for good. Nothing comes after this.
    Over(EndReason),
}

/// A message for the broker. Each one replaces those before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PresenterMessage {
    Sharing(Sharing),
    /// Who waits to be let in.
    Waiting(Vec<WaitingViewer>),
    /// This program ends, for this reason where the broker doesn't know it.
    Leave(Option<SharingEnd>),
}

/// Why one socket was closed, and what follows from it.
enum Lost {
    /// Dial again. The reason is shown if the program gives up; `None` means that no broker answers
    /// at the address.
    Retry(Option<EndReason>),
    /// Dial again at once: the broker said that it is restarting.
    Restarting,
    /// Don't dial again.
    Over(EndReason),
    /// This program ends, or the receiver of the events is gone.
    Left,
}

impl BrokerConnection {
    /// Keeps the connection up until the session is over or this program leaves. While the
    /// connection is down, messages other than [`PresenterMessage::Leave`] are dropped.
    pub async fn keep(
        self,
        events: mpsc::Sender<BrokerEvent>,
        mut outgoing: mpsc::Receiver<PresenterMessage>,
    ) {
        let started = Instant::now();
        let (mut was_up, mut tries) = (false, 0);
        loop {
            let mut up = false;
            let lost = self.connect_once(&events, &mut outgoing, &mut up).await;
            if up {
                (was_up, tries) = (true, 0);
            }
            let over = match lost {
                Lost::Left => return,
                Lost::Over(ended) => Some(adjusted(ended, was_up)),
                Lost::Restarting => {
                    tries = 0;
                    None
                }
                Lost::Retry(why) if !was_up => {
                    let nobody = || EndReason::Unreachable(DialError::Answer(self.dialler.host()));
                    given_up(started.elapsed(), why.unwrap_or_else(nobody))
                }
                Lost::Retry(_) => None,
            };
            // A broker that can't be reached can't report the end of the PIN.
            let over = if over.is_some() { over } else { outlived(started.elapsed()) };
            if let Some(ended) = over {
                let _ = events.send(BrokerEvent::Over(ended)).await;
                return;
            }
            if up && events.send(BrokerEvent::Down).await.is_err() {
                return;
            }
            let pause = backoff(tries, random_byte());
            tracing::debug!(?pause, tries, "dial again");
            tries += 1;
            if !waited(pause, &mut outgoing).await {
                return;
            }
        }
    }

    /// Opens one socket and serves it to its end.
    async fn connect_once(
        &self,
        events: &mpsc::Sender<BrokerEvent>,
        outgoing: &mut mpsc::Receiver<PresenterMessage>,
        up: &mut bool,
    ) -> Lost {
        let opening = async {
            let mut socket =
                self.dialler.socket("/live", LONGEST_MESSAGE).await.map_err(|error| {
                    tracing::debug!(%error, "dial the live connection");
                    Lost::Retry(Some(error.into()))
                })?;
            self.greet(&mut socket).await?;
            Ok(socket)
        };
        let socket = tokio::select! {
            opened = opening => opened,
            // Dialling may take 15 s; a customer who stops sharing must not wait for it.
            () = left(outgoing) => return Lost::Left,
        };
        match socket {
            Err(lost) => lost,
            Ok(mut socket) => {
                *up = true;
                if events.send(BrokerEvent::Up).await.is_err() {
                    return Lost::Left;
                }
                let lost = exchange_messages(&mut socket, events, outgoing).await;
                linger::hang_up(socket).await;
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
            let answer = timeout(STEP_TIMEOUT, socket.next()).await;
            let Ok(Some(Ok(message))) = answer else { return Err(Lost::Retry(None)) };
            let Message::Text(text) = message else { continue };
            match serde_json::from_str(&text) {
                Ok(FromBroker::Welcome) => return Ok(()),
                Ok(FromBroker::Refused { code }) => return Err(self.refused(&code)),
                Ok(FromBroker::Bye { code }) => return Err(farewell(&code)),
                Ok(
                    FromBroker::Snapshot { .. }
                    | FromBroker::OtherProgram
                    | FromBroker::Admit(_)
                    | FromBroker::Other,
                )
                | Err(_) => {}
            }
        }
    }

    fn refused(&self, code: &str) -> Lost {
        Lost::Over(match code {
            "unknown_pin" => EndReason::UnknownPin,
            "pin_over" => EndReason::PinOver,
            "taken" => EndReason::Taken,
            "blocked" => EndReason::Blocked,
            "malformed" | "refused" if self.program.conf.is_some() => EndReason::NotItsProgram,
            "malformed" | "refused" => {
                EndReason::Unreachable(DialError::Answer(self.dialler.host()))
            }
            "too_many" => return Lost::Retry(Some(EndReason::TooMany)),
            // The broker couldn't save the connection, or it is a later version with codes of its
            // own. Another attempt may succeed.
            _ => return Lost::Retry(None),
        })
    }
}

/// Carries messages both ways until the socket's end.
async fn exchange_messages(
    socket: &mut Socket,
    events: &mpsc::Sender<BrokerEvent>,
    outgoing: &mut mpsc::Receiver<PresenterMessage>,
) -> Lost {
    loop {
        tokio::select! {
            said = outgoing.recv() => match said {
                Some(PresenterMessage::Sharing(state)) => {
                    if let Err(lost) = tell(socket, &ToBroker::Sharing { state }).await {
                        return lost;
                    }
                }
                Some(PresenterMessage::Waiting(viewers)) => {
                    if let Err(lost) = tell(socket, &ToBroker::Waiting { viewers }).await {
                        return lost;
                    }
                }
                Some(PresenterMessage::Leave(why)) => {
                    let _ = tell(socket, &ToBroker::Leave { why }).await;
                    return Lost::Left;
                }
                None => {
                    let _ = tell(socket, &ToBroker::Leave { why: None }).await;
                    return Lost::Left;
                }
            },
            message = timeout(SILENCE_TIMEOUT, socket.next()) => {
                let Ok(Some(Ok(message))) = message else { return Lost::Retry(None) };
                let news = match meaning(&message) {
                    Meaning::Event(news) => news,
                    Meaning::Nothing => continue,
                    Meaning::Lost(lost) => return lost,
                };
                if events.send(news).await.is_err() {
                    return Lost::Left;
                }
            }
        }
    }
}

/// What a message from the broker means.
enum Meaning {
    Event(BrokerEvent),
    Nothing,
    Lost(Lost),
}

/// Whether a text of the broker says something to this program.
pub(crate) fn means_something(text: &str) -> bool {
    !matches!(meaning(&Message::text(text)), Meaning::Nothing)
}

fn meaning(message: &Message) -> Meaning {
    let text = match message {
        Message::Text(text) => text,
        Message::Close(_) => return Meaning::Lost(Lost::Retry(None)),
        Message::Binary(_) | Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {
            return Meaning::Nothing;
        }
    };
    if let Ok(viewer) = serde_json::from_str::<ToPresenter>(text) {
        return Meaning::Event(BrokerEvent::Viewer(viewer));
    }
    match serde_json::from_str(text) {
        Ok(FromBroker::Snapshot { by }) => Meaning::Event(BrokerEvent::Snapshot { by }),
        Ok(FromBroker::OtherProgram) => Meaning::Event(BrokerEvent::OtherProgram),
        Ok(FromBroker::Admit(answer)) => Meaning::Event(BrokerEvent::Admit(answer)),
        Ok(FromBroker::Bye { code }) => Meaning::Lost(farewell(&code)),
        Ok(FromBroker::Welcome | FromBroker::Refused { .. } | FromBroker::Other) | Err(_) => {
            Meaning::Nothing
        }
    }
}

fn farewell(code: &str) -> Lost {
    match code {
        "restarting" => Lost::Restarting,
        "replaced" => Lost::Over(EndReason::Replaced),
        "revoked" => Lost::Over(EndReason::Revoked),
        // `expired` and any unknown code: after a Bye the program must never reconnect.
        _ => Lost::Over(EndReason::Expired),
    }
}

async fn tell(socket: &mut Socket, message: &ToBroker<'_>) -> Result<(), Lost> {
    let text = serde_json::to_string(message).map_err(|_| Lost::Retry(None))?;
    match timeout(STEP_TIMEOUT, socket.send(Message::text(text))).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) | Err(_) => Err(Lost::Retry(None)),
    }
}

/// Waits before the next attempt; returns `false` if this program leaves meanwhile.
async fn waited(pause: Duration, outgoing: &mut mpsc::Receiver<PresenterMessage>) -> bool {
    tokio::select! {
        () = sleep(pause) => true,
        () = left(outgoing) => false,
    }
}

/// Drops messages until this program leaves.
async fn left(outgoing: &mut mpsc::Receiver<PresenterMessage>) {
    while let Some(PresenterMessage::Sharing(_) | PresenterMessage::Waiting(_)) =
        outgoing.recv().await
    {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nonsense_on_the_line_is_passed_over() {
        for text in ["", "{}", "[]", r#"{"type":"viewer"}"#, r#"{"type":"news"}"#, "\u{0}"] {
            assert!(matches!(meaning(&Message::text(text)), Meaning::Nothing), "{text}");
        }
        let viewer = r#"{"type":"viewer","stream":"s","page":"p","name":"n","role":"watch","sealed":true,"new":1}"#;
        let heard = meaning(&Message::text(viewer));
        assert!(matches!(heard, Meaning::Event(BrokerEvent::Viewer(_))));
    }
}
