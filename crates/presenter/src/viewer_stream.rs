//! One viewer's stream. It is a WebSocket of its own, so that a slow viewer delays nobody else.
//!
//! At most one update is being written to the socket. When it is written, the next one is made from
//! the newest picture. So a viewer that reads slowly sees fewer pictures, and no queue grows.

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
use wire::shared_screen::{Role, StreamAnswer, StreamHello, ToPresenter};

use crate::{
    admission::Arrival,
    broker_connection::SILENCE_TIMEOUT,
    dial::{DialError, Dialler, Socket},
    exchanges::{Exchanges, With},
    known_viewers::KnownViewers,
    screen::{Contents, ScreenError},
    shared_clipboard::Copied,
    shared_screen::{ScreenSubscription, SharedScreen},
};

/// The most bytes in a message on a stream.
const LONGEST_MESSAGE: usize = 256 * 1024;
/// The most bytes in each of the messages into which an unencrypted update is cut.
const PIECE: usize = 64 * 1024;
/// How long the broker's answer, and each message of the key exchange, may take.
const STEP_TIMEOUT: Duration = Duration::from_secs(10);
/// The most messages from the viewer that wait to be handled.
const QUEUE: usize = 8;
/// After this many bytes no more are taken from a viewer until an update was made. Otherwise a
/// viewer that sends without a pause would never get a picture.
const MOST_UNANSWERED: usize = LONGEST_MESSAGE;
/// The desktop's name in RFB.
const DESKTOP_NAME: &str = "Shared screen";

/// Why a stream has ended. The error quotes nothing that the viewer sent.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StreamError {
    #[error("dial the stream: {0}")]
    Dial(#[from] DialError),
    #[error("the broker refuses the stream: {0}")]
    Refused(&'static str),
    #[error("the stream's connection was lost")]
    Lost,
    #[error("the customer didn't let the viewer in")]
    NotLetIn,
    #[error("too many key exchanges with guests broke off or made new keys")]
    ShutOut,
    #[error("the stream took too long")]
    Slow,
    #[error(transparent)]
    Seal(#[from] SealError),
    #[error(transparent)]
    Rfb(#[from] ProtocolError),
    #[error(transparent)]
    Screen(#[from] ScreenError),
    #[error("make an update for the viewer: the encoder failed")]
    Broken,
}

/// What a stream needs of the sharing.
pub(crate) struct Parts<'a> {
    pub dialler: &'a Dialler,
    pub screen: &'a SharedScreen,
    pub exchanges: &'a Exchanges,
    pub known: &'a KnownViewers,
    pub clipboard: bool,
}

/// Serves the viewer of `request` until it leaves. `let_in` is asked before the viewer learns
/// anything. `on_watching` is called with the viewer's role and the words to compare, when the viewer
/// begins to see the screen.
pub(crate) async fn serve(
    request: ToPresenter,
    parts: Parts<'_>,
    let_in: impl AsyncFnOnce(Arrival) -> bool,
    on_watching: impl AsyncFnOnce(Role, Option<String>),
) -> Result<(), StreamError> {
    let ToPresenter::Viewer { stream, page, role, sealed, invited, own, .. } = request;
    let mut socket = parts.dialler.socket("/screen", LONGEST_MESSAGE).await?;
    let hello = serde_json::to_string(&StreamHello::Present { stream });
    socket.send(Message::text(hello.map_err(|_| StreamError::Broken)?)).await.map_err(lost)?;
    // Both roles come from the broker. If they differ, the lesser one is the safe choice.
    let role = role.min(joined(&mut socket).await?);
    // What the broker said of the encryption decides only whether it is attempted here: without it
    // the viewer waits for the customer, whatever the viewer itself asked for.
    let first = if sealed { Some(next_message(&mut socket).await?.into_data()) } else { None };
    let with = if own { With::Own } else { With::Guest(Some(page.clone())) };
    let arrival = Arrival { page, role, sealed, invited };
    tokio::select! {
        allowed = let_in(arrival) => if !allowed { return Err(StreamError::NotLetIn) },
        left = gone(&mut socket) => return Err(left),
    }
    let (role, sealer, opener, words) = if let Some(first) = first {
        let (exchanged, role) = exchange(&mut socket, (role, with), &first, &parts).await?;
        let Sealed { sealer, opener, words, .. } = exchanged;
        (role, Some(sealer), Some(opener), Some(words.to_string()))
    } else {
        (role, None, None, None)
    };
    let subscription = parts.screen.subscribe(role == Role::Control, parts.clipboard).await?;
    let writer = UpdateWriter::new(&subscription, sealer);
    on_watching(role, words).await;
    run_stream(socket, writer, opener, subscription).await
}

async fn joined(socket: &mut Socket) -> Result<Role, StreamError> {
    let Message::Text(text) = next_message(socket).await? else { return Err(StreamError::Lost) };
    match serde_json::from_str(&text) {
        Ok(StreamAnswer::Joined { role }) => Ok(role),
        Ok(StreamAnswer::Refused { .. }) => Err(StreamError::Refused("it is over already")),
        Err(_) => Err(StreamError::Refused("its answer can't be read")),
    }
}

/// Returns when a viewer that waits leaves, or sends what it must not yet.
async fn gone(socket: &mut Socket) -> StreamError {
    loop {
        match timeout(SILENCE_TIMEOUT, socket.next()).await {
            Ok(Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_)))) => {}
            Ok(
                Some(Ok(Message::Text(_) | Message::Binary(_) | Message::Close(_)) | Err(_)) | None,
            ) => {
                return StreamError::Lost;
            }
            Err(_) => return StreamError::Slow,
        }
    }
}

/// Agrees on keys with the viewer; also, what it may do from now on.
async fn exchange(
    socket: &mut Socket,
    (role, with): (Role, With),
    first: &[u8],
    parts: &Parts<'_>,
) -> Result<(Sealed, Role), StreamError> {
    let access = match role {
        Role::Watch => Access::Watch,
        Role::Control => Access::Control,
    };
    let own = with == With::Own;
    let responder = Responder::new(access)?;
    // Before the viewer's pairing is looked for: another of its streams may be making it just now.
    // It sends nothing before its answer, so what comes meanwhile ends the wait.
    let turn = parts.exchanges.begin_unless(with, gone(socket)).await?;
    let mut turn = turn.ok_or(StreamError::ShutOut)?;
    let answer = responder.answer(first, |id| parts.known.recall(id));
    if let Err(SealError::Older | SealError::Later) = answer {
        // So that the viewer can say which of the two has to be updated.
        let _ = socket.send(Message::binary(seal::refusal().to_vec())).await;
        let _ = socket.close(None).await;
    }
    let (awaiting, second) = answer?;
    turn.answered();
    let role = if awaiting.only_watches() { Role::Watch } else { role };
    socket.send(Message::binary(second)).await.map_err(lost)?;
    let sealed = awaiting.finish(&next_message(socket).await?.into_data())?;
    parts.known.remember(&sealed.pairing, own);
    turn.completed(sealed.known_again);
    Ok((sealed, role))
}

/// The next message that is neither ping nor pong.
async fn next_message(socket: &mut Socket) -> Result<Message, StreamError> {
    let deadline = Instant::now() + STEP_TIMEOUT;
    loop {
        let heard = timeout_at(deadline, socket.next()).await;
        match heard.map_err(|_| StreamError::Slow)? {
            Some(Ok(message @ (Message::Text(_) | Message::Binary(_)))) => return Ok(message),
            Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
            Some(Ok(Message::Close(_)) | Err(_)) | None => return Err(StreamError::Lost),
        }
    }
}

/// Receives, sends and draws until one of the three ends. They share one task, so they
/// end together.
async fn run_stream(
    socket: Socket,
    writer: UpdateWriter,
    opener: Option<Opener>,
    subscription: ScreenSubscription,
) -> Result<(), StreamError> {
    let (sink, from) = socket.split();
    let (received_tx, received) = mpsc::channel(QUEUE);
    let (updates_tx, updates) = mpsc::channel(1);
    let ended = tokio::try_join!(
        receive(from, opener, received_tx),
        send(sink, updates),
        draw(writer, Arc::new(subscription), received, updates_tx),
    );
    ended.map(|_| ())
}

/// Receives and decrypts the viewer's messages. The broker pings on each stream, so silence means
/// that this connection is lost, even if the others aren't.
async fn receive(
    mut from: SplitStream<Socket>,
    mut opener: Option<Opener>,
    received: mpsc::Sender<Bytes>,
) -> Result<(), StreamError> {
    loop {
        let bytes =
            match timeout(SILENCE_TIMEOUT, from.next()).await.map_err(|_| StreamError::Slow)? {
                Some(Ok(Message::Binary(bytes))) => bytes,
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => continue,
                Some(Ok(Message::Text(_) | Message::Close(_)) | Err(_)) | None => {
                    return Err(StreamError::Lost);
                }
            };
        let plain = match &mut opener {
            Some(opener) => opener.open(&bytes)?.into(),
            None => bytes,
        };
        received.send(plain).await.map_err(|_| StreamError::Lost)?;
    }
}

/// One update, cut into messages, and the permit that allows the next one when it is dropped.
type Update = (Vec<Message>, OwnedSemaphorePermit);

async fn send(
    mut sink: SplitSink<Socket, Message>,
    mut updates: mpsc::Receiver<Update>,
) -> Result<(), StreamError> {
    while let Some((messages, permit)) = updates.recv().await {
        for message in messages {
            sink.send(message).await.map_err(lost)?;
        }
        drop(permit);
    }
    Ok(())
}

/// Handles the viewer's messages, and draws the changes of the screen, one update at a time.
async fn draw(
    mut writer: UpdateWriter,
    subscription: Arc<ScreenSubscription>,
    mut received: mpsc::Receiver<Bytes>,
    updates: mpsc::Sender<Update>,
) -> Result<(), StreamError> {
    let sender_free = Arc::new(Semaphore::new(1));
    let mut events = Vec::new();
    // An output is due from the start: RFB begins with the server's ProtocolVersion.
    let (mut due, mut unanswered) = (true, 0);
    loop {
        let rests_at = writer.server.rests_at().map(|at| writer.began + at);
        tokio::select! {
            bytes = received.recv(), if unanswered < MOST_UNANSWERED => {
                let bytes = bytes.ok_or(StreamError::Lost)?;
                // Empty messages count as one byte, because they cost time, too.
                unanswered += bytes.len().max(1);
                writer.server.receive(&bytes, writer.began.elapsed(), &mut events)?;
                for event in events.drain(..) {
                    subscription.handle(event).await;
                }
                due = true;
            }
            () = subscription.changed(), if !due => due = true,
            () = sleep_until(rests_at.unwrap_or(writer.began)), if rests_at.is_some() && !due => {
                due = true;
            }
            permit = Arc::clone(&sender_free).acquire_owned(), if due => {
                let permit = permit.map_err(|_| StreamError::Lost)?;
                unanswered = 0;
                let subscription = Arc::clone(&subscription);
                let encoding = spawn_blocking(move || {
                    let messages = writer.write(&subscription);
                    (writer, messages)
                });
                let messages;
                (writer, messages) = encoding.await.map_err(|_| StreamError::Broken)?;
                let messages = messages?;
                due = !messages.is_empty() && writer.server.wants_update(writer.began.elapsed());
                if !messages.is_empty() {
                    updates.send((messages, permit)).await.map_err(|_| StreamError::Lost)?;
                }
            }
        }
    }
}

/// Writes one viewer's updates, encrypted if its stream is.
struct UpdateWriter {
    server: Server,
    /// From when on the server's times count.
    began: Instant,
    sealer: Option<Sealer>,
}

impl UpdateWriter {
    fn new(subscription: &ScreenSubscription, sealer: Option<Sealer>) -> Self {
        let (picture, monitors, cursor) = subscription.current();
        let mut server = Server::new(&picture, &monitors, DESKTOP_NAME, Limits::default());
        server.set_cursor(&cursor);
        Self { server, began: Instant::now(), sealer }
    }

    /// Writes an update if one is due, and returns the bytes to send. Encoding takes too long for
    /// the runtime's threads.
    fn write(&mut self, subscription: &ScreenSubscription) -> Result<Vec<Message>, StreamError> {
        match subscription.take_clipboard() {
            Some(Copied::Contents(Contents::Text(text))) => self.server.set_clipboard(&text),
            Some(Copied::Contents(Contents::Picture(picture))) => {
                self.server.set_clipboard_picture(&picture);
            }
            Some(Copied::NotCarried(why)) => self.server.set_uncarried_clipboard(why.is_picture()),
            None => {}
        }
        // While the viewer's link is full, it takes no picture. So the capture waits, and the viewer
        // gets a newer picture later.
        if self.server.may_update() {
            self.update(subscription);
        }
        self.take_messages()
    }

    fn update(&mut self, subscription: &ScreenSubscription) {
        let (picture, changes) = subscription.take();
        if let Some(monitors) = &changes.resized {
            self.server.resized(&picture, monitors);
        }
        if !changes.damage.is_empty() {
            self.server.changed(&changes.damage);
        }
        if let Some(cursor) = &changes.cursor {
            self.server.set_cursor(cursor);
        }
        let now = self.began.elapsed();
        if self.server.wants_update(now) {
            self.server.update(&picture, now);
        }
    }

    fn take_messages(&mut self) -> Result<Vec<Message>, StreamError> {
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

fn lost(_: tokio_tungstenite::tungstenite::Error) -> StreamError {
    StreamError::Lost
}
