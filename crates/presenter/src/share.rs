//! One viewer's stream: a WebSocket of its own, so that a slow viewer slows nobody else.
//!
//! At most one update is on its way into the socket; the next is made of the newest picture when the
//! socket has taken that one. So a viewer that reads slowly sees fewer pictures and costs no memory.

use std::{sync::Arc, time::Duration};

use futures_util::{
    SinkExt as _, StreamExt as _,
    stream::{SplitSink, SplitStream},
};
use rfb::{Limits, ProtocolError, Server};
use seal::{Access, Opener, Responder, SealError, Sealed, Sealer};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, mpsc},
    task::spawn_blocking,
    time::{Instant, sleep_until, timeout, timeout_at},
};
use tokio_tungstenite::tungstenite::{Bytes, Message};
use wire::screen::{Role, StreamAnswer, StreamHello, ToPresenter};

use crate::{
    dial::{DialError, Dialler, Socket},
    live::SILENT,
    screen::ScreenError,
    stage::{Seat, Stage},
};

/// Bytes of the longest message on a stream.
const LONGEST: usize = 256 * 1024;
/// Bytes of the messages that an unsealed update is cut into.
const PIECE: usize = 64 * 1024;
/// How long the answer, and each message of the exchange, may take.
const WITHIN: Duration = Duration::from_secs(10);
/// Messages from the viewer that wait to be looked at.
const WAITING: usize = 8;
/// What a viewer may say while it takes nothing in.
const UNANSWERED: usize = LONGEST;
/// A screen that hasn't changed for so long is at rest: what was sent in a hurry is sent exactly.
const REST: Duration = Duration::from_millis(150);
/// What the viewer calls the desktop.
const DESKTOP: &str = "Shared screen";

/// Why a stream is over. Nothing that the viewer said is in it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ShareError {
    #[error("dial the stream: {0}")]
    Dial(#[from] DialError),
    #[error("the broker refuses the stream: {0}")]
    Refused(&'static str),
    #[error("the stream is lost")]
    Lost,
    #[error("the stream took too long")]
    Slow,
    #[error(transparent)]
    Seal(#[from] SealError),
    #[error(transparent)]
    Rfb(#[from] ProtocolError),
    #[error(transparent)]
    Screen(#[from] ScreenError),
    #[error("the viewer's picture couldn't be made")]
    Broken,
}

/// Serves the viewer that `call` is about until it goes. `watching` is called when it sees the screen,
/// with what it may do and the words to compare.
pub(crate) async fn serve(
    call: ToPresenter,
    dialler: &Dialler,
    stage: &Stage,
    clipboard: bool,
    watching: impl AsyncFnOnce(Role, Option<String>),
) -> Result<(), ShareError> {
    let ToPresenter::Viewer { stream, role, sealed, .. } = call;
    let mut socket = dialler.socket("/screen", LONGEST).await?;
    let hello = serde_json::to_string(&StreamHello::Present { stream });
    socket.send(Message::text(hello.map_err(|_| ShareError::Broken)?)).await.map_err(lost)?;
    let role = role.min(joined(&mut socket).await?);
    let (sealer, opener, words) = if sealed {
        let Sealed { sealer, opener, words } = exchange(&mut socket, role).await?;
        (Some(sealer), Some(opener), Some(words.to_string()))
    } else {
        (None, None, None)
    };
    let seat = stage.enter(role == Role::Control, clipboard).await?;
    let pen = Pen::new(&seat, sealer);
    watching(role, words).await;
    show(socket, pen, opener, seat).await
}

async fn joined(socket: &mut Socket) -> Result<Role, ShareError> {
    let Message::Text(text) = next(socket).await? else { return Err(ShareError::Lost) };
    match serde_json::from_str(&text) {
        Ok(StreamAnswer::Joined { role }) => Ok(role),
        Ok(StreamAnswer::Refused { .. }) => Err(ShareError::Refused("it is over already")),
        Err(_) => Err(ShareError::Refused("its answer can't be read")),
    }
}

async fn exchange(socket: &mut Socket, role: Role) -> Result<Sealed, ShareError> {
    let access = match role {
        Role::Watch => Access::Watch,
        Role::Control => Access::Control,
    };
    let first = next(socket).await?.into_data();
    let (awaiting, second) = Responder::new(access)?.answer(&first)?;
    socket.send(Message::binary(second)).await.map_err(lost)?;
    Ok(awaiting.finish(&next(socket).await?.into_data())?)
}

/// The next message that is neither ping nor pong.
async fn next(socket: &mut Socket) -> Result<Message, ShareError> {
    let deadline = Instant::now() + WITHIN;
    loop {
        let heard = timeout_at(deadline, socket.next()).await;
        match heard.map_err(|_| ShareError::Slow)? {
            Some(Ok(message @ (Message::Text(_) | Message::Binary(_)))) => return Ok(message),
            Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
            Some(Ok(Message::Close(_)) | Err(_)) | None => return Err(ShareError::Lost),
        }
    }
}

/// Three futures in one task: they end together.
async fn show(
    socket: Socket,
    pen: Pen,
    opener: Option<Opener>,
    seat: Seat,
) -> Result<(), ShareError> {
    let (sink, from) = socket.split();
    let (heard, hears) = mpsc::channel(WAITING);
    let (drawn, draws) = mpsc::channel(1);
    let ended = tokio::try_join!(
        hear(from, opener, heard),
        speak(sink, draws),
        draw(pen, Arc::new(seat), hears, drawn),
    );
    ended.map(|_| ())
}

/// What the viewer says, opened. Where it says nothing the broker pings, so silence means that the way is
/// lost, be it this stream's alone.
async fn hear(
    mut from: SplitStream<Socket>,
    mut opener: Option<Opener>,
    heard: mpsc::Sender<Bytes>,
) -> Result<(), ShareError> {
    loop {
        let bytes = match timeout(SILENT, from.next()).await.map_err(|_| ShareError::Slow)? {
            Some(Ok(Message::Binary(bytes))) => bytes,
            Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => continue,
            Some(Ok(Message::Text(_) | Message::Close(_)) | Err(_)) | None => {
                return Err(ShareError::Lost);
            }
        };
        let plain = match &mut opener {
            Some(opener) => opener.open(&bytes)?.into(),
            None => bytes,
        };
        heard.send(plain).await.map_err(|_| ShareError::Lost)?;
    }
}

/// One update, cut into messages; the permit is for the next.
type Update = (Vec<Message>, OwnedSemaphorePermit);

async fn speak(
    mut sink: SplitSink<Socket, Message>,
    mut draws: mpsc::Receiver<Update>,
) -> Result<(), ShareError> {
    while let Some((messages, permit)) = draws.recv().await {
        for message in messages {
            sink.send(message).await.map_err(lost)?;
        }
        drop(permit);
    }
    Ok(())
}

/// Takes in what the viewer says and draws what is new, one update at a time.
async fn draw(
    mut pen: Pen,
    seat: Arc<Seat>,
    mut hears: mpsc::Receiver<Bytes>,
    drawn: mpsc::Sender<Update>,
) -> Result<(), ShareError> {
    let free = Arc::new(Semaphore::new(1));
    let mut events = Vec::new();
    // The server's greeting waits already.
    let (mut due, mut unanswered) = (true, 0);
    // A screen on which nothing happens from the first look on is at rest, too.
    let (mut rest, mut rested) = (Some(Instant::now() + REST), false);
    loop {
        tokio::select! {
            bytes = hears.recv(), if unanswered < UNANSWERED => {
                let bytes = bytes.ok_or(ShareError::Lost)?;
                unanswered += bytes.len().max(1);
                pen.server.receive(&bytes, &mut events)?;
                for event in events.drain(..) {
                    seat.act(event).await;
                }
                due = true;
            }
            () = seat.news(), if !due => {
                due = true;
                rest = Some(Instant::now() + REST);
            }
            () = sleep_until(rest.unwrap_or_else(Instant::now)), if rest.is_some() && !due => {
                rest = None;
                (due, rested) = (true, true);
            }
            permit = Arc::clone(&free).acquire_owned(), if due => {
                let permit = permit.map_err(|_| ShareError::Lost)?;
                unanswered = 0;
                let seat = Arc::clone(&seat);
                let at_rest = std::mem::take(&mut rested);
                let turn = spawn_blocking(move || {
                    let messages = pen.turn(&seat, at_rest);
                    (pen, messages)
                });
                let messages;
                (pen, messages) = turn.await.map_err(|_| ShareError::Broken)?;
                let messages = messages?;
                due = !messages.is_empty() && pen.server.wants_update();
                if !messages.is_empty() {
                    drawn.send((messages, permit)).await.map_err(|_| ShareError::Lost)?;
                }
            }
        }
    }
}

/// What draws for one viewer.
struct Pen {
    server: Server,
    sealer: Option<Sealer>,
}

impl Pen {
    fn new(seat: &Seat, sealer: Option<Sealer>) -> Self {
        let (picture, monitors, cursor) = seat.look();
        let mut server = Server::new(&picture, &monitors, DESKTOP, Limits::default());
        server.set_cursor(&cursor);
        Self { server, sealer }
    }

    /// Takes what is new and says what there is to say. It takes long: not for the runtime's threads.
    fn turn(&mut self, seat: &Seat, at_rest: bool) -> Result<Vec<Message>, ShareError> {
        if at_rest {
            self.server.set_at_rest();
        }
        if let Some(text) = seat.clipboard() {
            self.server.set_clipboard(&text);
        }
        // What the viewer can't be sent yet is left for the capture to know, and becomes newer.
        if self.server.may_update() {
            self.update(seat);
        }
        self.messages()
    }

    fn update(&mut self, seat: &Seat) {
        let (picture, news) = seat.take();
        if let Some(monitors) = &news.resized {
            self.server.resized(&picture, monitors);
        }
        if !news.damage.is_empty() {
            self.server.changed(&news.damage);
        }
        if let Some(cursor) = &news.cursor {
            self.server.set_cursor(cursor);
        }
        if self.server.wants_update() {
            self.server.update(&picture);
        }
    }

    fn messages(&mut self) -> Result<Vec<Message>, ShareError> {
        let output = self.server.take_output();
        if output.is_empty() {
            return Ok(Vec::new());
        }
        if let Some(sealer) = &mut self.sealer {
            let sealed = sealer.seal_all(&output)?;
            return Ok(sealed.into_iter().map(Message::binary).collect());
        }
        let output = Bytes::from(output);
        let pieces = (0..output.len()).step_by(PIECE);
        let cut = |at: usize| output.slice(at..output.len().min(at + PIECE));
        Ok(pieces.map(|at| Message::Binary(cut(at))).collect())
    }
}

fn lost(_: tokio_tungstenite::tungstenite::Error) -> ShareError {
    ShareError::Lost
}
