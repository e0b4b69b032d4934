//! Tells the broker that the customer is being asked, and what they answered, so that their technician sees how far
//! they are. It reveals to the broker what the live connection would: the PIN, the conf, this program's version and
//! platform, and this computer's address; neither the customer's name nor anything of the screen.
//!
//! It is a connection of its own, on which nobody counts as present. The question doesn't depend on it: a broker of an
//! earlier version refuses it, and nothing follows from that.

use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use serde::Serialize;
use tokio::{
    runtime::Handle,
    sync::watch,
    task::JoinHandle,
    time::{sleep, timeout},
};
use tokio_tungstenite::tungstenite::Message;
use uuid::Uuid;
use wire::{Pin, shared_screen::ProgramHello};

use crate::{
    broker_connection::SILENCE_TIMEOUT,
    dial::{Dialler, Socket},
};

/// Bytes of the longest message. It is that long because a welcome repeats the day's chat.
const LONGEST_MESSAGE: usize = 8 * 1024 * 1024;
/// How long sending one message may take.
const STEP_TIMEOUT: Duration = Duration::from_secs(10);
/// How long to wait before a connection that was lost is dialled again.
const PAUSE: Duration = Duration::from_secs(5);
/// How long a customer who declined may have to wait until the broker knows.
const FAREWELL: Duration = Duration::from_secs(5);

/// What the customer answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    Agreed,
    Declined,
}

/// What is reported to whom.
pub struct ConsentReport {
    pub dialler: Dialler,
    pub pin: Pin,
    pub page: Uuid,
    pub program: ProgramHello,
}

/// The report of a question that is on the screen. Dropped, it ends as if the program were gone.
pub struct Reporting {
    answer: watch::Sender<Option<Answer>>,
    task: JoinHandle<()>,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum ToBroker<'a> {
    Asking {
        #[serde(serialize_with = "wire::pin::expose")]
        session_pin: Pin,
        page: Uuid,
        program: &'a ProgramHello,
    },
    Agreed,
    Declined,
}

/// How one connection ended.
enum Ended {
    /// The broker knows the answer, or doesn't want to know of the question.
    ForGood,
    /// It was lost, or there was none.
    Lost,
}

impl ConsentReport {
    /// Reports, from now on and until the customer has answered.
    pub fn start(self, runtime: &Handle) -> Reporting {
        let (answer, answers) = watch::channel(None);
        Reporting { answer, task: runtime.spawn(self.keep(answers)) }
    }

    async fn keep(self, mut answers: watch::Receiver<Option<Answer>>) {
        loop {
            // Once there is an answer, one attempt is worth while and no more.
            let last = answers.borrow_and_update().is_some();
            let ended = match self.dialled(answers.clone()).await {
                Some(mut socket) => {
                    let ended = self.report(&mut socket, &mut answers).await;
                    linger::hang_up(socket).await;
                    ended
                }
                None => Ended::Lost,
            };
            if last || matches!(ended, Ended::ForGood) {
                return;
            }
            tokio::select! {
                () = sleep(PAUSE) => {}
                changed = answers.changed() => if changed.is_err() { return },
            }
        }
    }

    /// Dials, unless the customer agrees meanwhile: the live connection says more then, and this one must not come
    /// after it.
    async fn dialled(&self, mut answers: watch::Receiver<Option<Answer>>) -> Option<Socket> {
        tokio::select! {
            biased;
            Ok(_) = answers.wait_for(|answer| *answer == Some(Answer::Agreed)) => None,
            opened = self.dialler.socket("/live", LONGEST_MESSAGE) => opened.ok(),
        }
    }

    async fn report(
        &self,
        socket: &mut Socket,
        answers: &mut watch::Receiver<Option<Answer>>,
    ) -> Ended {
        let session_pin = self.pin.clone();
        let asking = ToBroker::Asking { session_pin, page: self.page, program: &self.program };
        if !told(socket, &asking).await {
            return Ended::Lost;
        }
        loop {
            let answer = *answers.borrow_and_update();
            if let Some(answer) = answer {
                let message = match answer {
                    Answer::Agreed => ToBroker::Agreed,
                    Answer::Declined => ToBroker::Declined,
                };
                return if told(socket, &message).await { Ended::ForGood } else { Ended::Lost };
            }
            tokio::select! {
                changed = answers.changed() => if changed.is_err() { return Ended::ForGood },
                message = timeout(SILENCE_TIMEOUT, socket.next()) => match message {
                    Ok(Some(Ok(Message::Text(text)))) if is_the_end(&text) => return Ended::ForGood,
                    Ok(Some(Ok(Message::Close(_)) | Err(_)) | None) | Err(_) => return Ended::Lost,
                    // A welcome, the chat, who comes and goes: none of it matters to the question.
                    Ok(Some(Ok(_))) => {}
                },
            }
        }
    }
}

impl Reporting {
    /// Reports the answer. Waits for a moment where nothing else would tell the broker.
    pub async fn answered(self, answer: Answer) {
        let _ = self.answer.send(Some(answer));
        match answer {
            // In its own time: the live connection is dialled meanwhile.
            Answer::Agreed => drop(self.task),
            Answer::Declined => {
                let _ = timeout(FAREWELL, self.task).await;
            }
        }
    }
}

/// Whether a message of the broker says that the session is over or the question not wanted.
fn is_the_end(text: &str) -> bool {
    #[derive(serde::Deserialize)]
    struct Kind {
        #[serde(rename = "type")]
        kind: String,
    }
    serde_json::from_str(text).is_ok_and(|Kind { kind }| kind == "refused" || kind == "bye")
}

async fn told(socket: &mut Socket, message: &ToBroker<'_>) -> bool {
    let Ok(text) = serde_json::to_string(message) else { return false };
    matches!(timeout(STEP_TIMEOUT, socket.send(Message::text(text))).await, Ok(Ok(())))
}
