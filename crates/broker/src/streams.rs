//! Streams: a viewer asks for the screen, the presenter's program dials for it, and the two are
//! spliced. Each viewer has a stream of its own, so that a slow one slows nobody else.

use std::{collections::HashMap, sync::Arc, time::Duration};

use axum::extract::ws::{CloseFrame, Message as Frame, WebSocket, close_code};
use serve::Client;
use tokio::{sync::oneshot, time::timeout};
use wire::{
    Pin,
    screen::{Role, Secret, StreamAnswer, StreamHello, ToPresenter},
};

use crate::{
    error::Refused,
    keys::{self, KeyHash},
    lines::Seat,
    rules::presence::LineId,
    splice::splice,
    state::State,
    switchboard::Switchboard,
};

/// How long a socket has to say what it is for, and to take what it is told.
const HELLO_WITHIN: Duration = Duration::from_secs(5);

/// One stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct StreamId(u64);

/// Why a stream ended: the close frame's reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// An end closed it, or is gone.
    Left,
    /// The same page asked for another.
    Replaced,
    /// The live connection of an end is over, and with it its right to this.
    LineEnded,
    /// Nothing came for too long.
    Idle,
    /// An end said what doesn't belong here.
    Malformed,
}

impl Ending {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::Replaced => "replaced",
            Self::LineEnded => "line_ended",
            Self::Idle => "idle",
            Self::Malformed => "malformed",
        }
    }
}

/// All streams, those included that wait for the presenter.
#[derive(Debug, Default)]
pub(crate) struct Streams {
    all: HashMap<StreamId, Stream>,
    /// Where a presenter that knows a stream's secret leaves its socket; once.
    offers: HashMap<KeyHash, StreamId>,
    next: u64,
}

#[derive(Debug)]
pub(crate) struct Stream {
    pin: Pin,
    viewer: LineId,
    presenter: LineId,
    secret: KeyHash,
    pub sealed: bool,
    /// Both sockets came from this machine.
    local: bool,
    joined: bool,
    dialled: Option<oneshot::Sender<WebSocket>>,
    end: oneshot::Sender<Ending>,
}

/// What the task of a viewer's socket waits for.
struct Opened {
    id: StreamId,
    role: Role,
    dialled: oneshot::Receiver<WebSocket>,
    ended: oneshot::Receiver<Ending>,
}

impl Streams {
    /// The stream, if both ends are there.
    pub fn joined(&self, id: StreamId) -> Option<&Stream> {
        self.all.get(&id).filter(|stream| stream.joined)
    }

    /// Ends what this line is an end of; answers the session if somebody now sees less.
    pub fn end_of_line(&mut self, line: LineId, why: Ending) -> Option<Pin> {
        self.end_where(|stream| stream.viewer == line || stream.presenter == line, why).pop()
    }

    /// Ends what has an end on another machine.
    pub fn end_strangers(&mut self) -> Vec<Pin> {
        self.end_where(|stream| !stream.local, Ending::LineEnded)
    }

    fn end(&mut self, id: StreamId, why: Ending) -> Option<Pin> {
        let stream = self.all.remove(&id)?;
        self.offers.remove(&stream.secret);
        let _ = stream.end.send(why);
        stream.joined.then_some(stream.pin)
    }

    fn end_where(&mut self, chosen: impl Fn(&Stream) -> bool, why: Ending) -> Vec<Pin> {
        let ids: Vec<StreamId> =
            self.all.iter().filter(|(_, stream)| chosen(stream)).map(|(id, _)| *id).collect();
        ids.into_iter().filter_map(|id| self.end(id, why)).collect()
    }
}

impl State {
    /// A viewer asks for its stream; the presenter's program is told to dial.
    fn open_stream(
        &mut self,
        client: Client,
        line: LineId,
        sealed: bool,
    ) -> Result<Opened, Refused> {
        let viewer = self.lines.get(&line).ok_or(Refused::PinOver)?;
        let Seat::Viewer(seat) = &viewer.seat else { return Err(Refused::PinOver) };
        let (pin, role, old) = (viewer.pin.clone(), seat.role, seat.stream);
        let page = keys::public_half(viewer.page.0);
        let (presenter, _) = self.sharer_of(&pin).ok_or(Refused::NoPresenter)?;
        let (secret, hash) = keys::make()?;
        let name = self.name_of(line);
        let told = ToPresenter::Viewer { stream: secret, page, name, role, sealed };
        if !self.tell_presenter(presenter, told) {
            return Err(Refused::NoPresenter);
        }
        if let Some(old) = old {
            self.streams.end(old, Ending::Replaced);
        }
        let (dial, dialled) = oneshot::channel();
        let (end, ended) = oneshot::channel();
        let id = StreamId(self.streams.next);
        self.streams.next += 1;
        self.streams.offers.insert(hash, id);
        let stream = Stream {
            pin,
            viewer: line,
            presenter,
            secret: hash,
            sealed,
            local: client.is_this_machine(),
            joined: false,
            dialled: Some(dial),
            end,
        };
        self.streams.all.insert(id, stream);
        if let Some(Seat::Viewer(seat)) = self.lines.get_mut(&line).map(|line| &mut line.seat) {
            seat.stream = Some(id);
        }
        Ok(Opened { id, role, dialled, ended })
    }

    /// Where the presenter's socket goes, if this stream waits for it.
    fn take_offer(
        &mut self,
        client: Client,
        secret: &Secret,
    ) -> Option<oneshot::Sender<WebSocket>> {
        let id = self.streams.offers.remove(&keys::hash_of(secret.expose()))?;
        let stream = self.streams.all.get_mut(&id)?;
        stream.local &= client.is_this_machine();
        stream.dialled.take()
    }

    /// Both ends are there. False if the stream has ended meanwhile.
    fn stream_joined(&mut self, id: StreamId) -> bool {
        let Some(stream) = self.streams.all.get_mut(&id) else { return false };
        stream.joined = true;
        let pin = stream.pin.clone();
        self.tell_roster(&pin);
        true
    }

    fn stream_ended(&mut self, id: StreamId) {
        if let Some(pin) = self.streams.end(id, Ending::Left) {
            self.tell_roster(&pin);
        }
    }
}

impl Switchboard {
    fn watch(&self, client: Client, key: &Secret, sealed: bool) -> Result<Opened, Refused> {
        let (mut state, now) = self.lock();
        let rates = self.rates.of(client);
        let found = state.watch_keys.get(&keys::hash_of(key.expose())).copied();
        let line = state.known_key(client, found, rates, now)?;
        let (pin, page) = match state.lines.get(&line) {
            Some(line) => (line.pin.clone(), line.page),
            None => return Err(Refused::PinOver),
        };
        state.live(client, &pin, rates, now)?;
        let wait = state.windows.streams.admit(&page, rates.streams, now);
        wait.map_err(|retry_after| Refused::TooMany { retry_after })?;
        state.open_stream(client, line, sealed)
    }

    /// A wrong secret is no guess that counts: whoever asks for streams and leaves could otherwise
    /// have the presenter, which then dials too late, shut out.
    fn present(
        &self,
        client: Client,
        stream: &Secret,
    ) -> Result<oneshot::Sender<WebSocket>, Refused> {
        let unknown = Refused::UnknownKey { answer_after: Duration::ZERO };
        self.lock().0.take_offer(client, stream).ok_or(unknown)
    }
}

/// Serves one socket of `/screen` until its stream ends.
pub(crate) async fn serve(mut socket: WebSocket, board: Arc<Switchboard>, client: Client) {
    let outcome = match timeout(HELLO_WITHIN, hello(&mut socket)).await.ok().flatten() {
        Some(StreamHello::Watch { key, sealed }) => match board.watch(client, &key, sealed) {
            Ok(opened) => return carry(socket, &board, opened).await,
            Err(refused) => Err(refused),
        },
        Some(StreamHello::Present { stream }) => board.present(client, &stream),
        None => Err(Refused::malformed("the first message says what this socket is for")),
    };
    match outcome {
        // The viewer's task has it from here on; if that is gone, the socket closes with it.
        Ok(place) => drop(place.send(socket)),
        Err(refused) => refuse(socket, &refused).await,
    }
}

async fn carry(mut viewer: WebSocket, board: &Arc<Switchboard>, opened: Opened) {
    let Opened { id, role, dialled, mut ended } = opened;
    let until = board.clock.now().after(board.durations.dial);
    let presenter = tokio::select! {
        presenter = dialled => presenter.map_err(|_| Refused::NoPresenter),
        () = board.clock.sleep_until(until) => Err(Refused::NoAnswer),
        () = gone(&mut viewer) => Err(Refused::malformed("nothing is said before the stream is there")),
        _ = &mut ended => Err(Refused::NoPresenter),
    };
    match presenter {
        Ok(presenter) => {
            let sockets = [presenter, viewer];
            if let Some([presenter, viewer]) = join(sockets, role, board, id).await {
                let pace = (&board.clock, board.durations.stream_idle);
                splice(viewer, presenter, pace, &mut ended).await;
            }
        }
        Err(refused) => refuse(viewer, &refused).await,
    }
    board.lock().0.stream_ended(id);
}

/// Tells both ends that they have each other.
async fn join(
    mut sockets: [WebSocket; 2],
    role: Role,
    board: &Switchboard,
    id: StreamId,
) -> Option<[WebSocket; 2]> {
    for socket in &mut sockets {
        if !answer(socket, &StreamAnswer::Joined { role }).await {
            return None;
        }
    }
    board.lock().0.stream_joined(id).then_some(sockets)
}

/// Returns when a viewer that should wait leaves or speaks.
async fn gone(viewer: &mut WebSocket) {
    while let Some(Ok(Frame::Ping(_) | Frame::Pong(_))) = viewer.recv().await {}
}

async fn hello(socket: &mut WebSocket) -> Option<StreamHello> {
    loop {
        match socket.recv().await?.ok()? {
            Frame::Text(text) => return serde_json::from_str(text.as_str()).ok(),
            Frame::Ping(_) | Frame::Pong(_) => {}
            Frame::Binary(_) | Frame::Close(_) => return None,
        }
    }
}

async fn refuse(mut socket: WebSocket, refused: &Refused) {
    tokio::time::sleep(refused.answer_after()).await;
    let code = refused.code().to_owned();
    answer(&mut socket, &StreamAnswer::Refused { code, error: refused.to_string() }).await;
    let goodbye = CloseFrame { code: close_code::NORMAL, reason: "refused".into() };
    let _ = timeout(HELLO_WITHIN, socket.send(Frame::Close(Some(goodbye)))).await;
}

async fn answer(socket: &mut WebSocket, message: &StreamAnswer) -> bool {
    let Ok(text) = serde_json::to_string(message) else { return false };
    matches!(timeout(HELLO_WITHIN, socket.send(Frame::Text(text.into()))).await, Ok(Ok(())))
}
