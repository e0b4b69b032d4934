//! How far a connection's requests have come, which decides how long its client may wait and let wait.

use std::{
    collections::{HashMap, HashSet},
    future::Future,
    io,
    pin::Pin,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    body::{Body, Bytes, HttpBody},
    extract::Request,
    http::{StatusCode, Version, header},
    response::{IntoResponse as _, Response},
};
use hyper::body::{Frame, SizeHint};
use parking_lot::Mutex;
use tokio::time::{Instant, sleep};
use tower_service::Service;

use crate::{
    Limits, Owner, Speed, Turns,
    connection_slots::{ConnectionSlot, Share},
    counters::Refusal,
    pace::Paced,
    taking::Taking,
};

/// How much of an HTTP/2 answer is given at a time.
const PIECE: usize = 16 * 1024;
/// How many bytes are read for the cost of one more read: before a connection is a WebSocket, each of a few bytes can be a
/// frame of HTTP/2 that has to be answered; afterwards it carries screens, and messages have a pace of their own.
const BYTES_OF_A_READ: usize = 1024;
const BYTES_OF_A_SOCKETS_READ: usize = 16 * 1024;

/// What a connection is doing.
#[derive(Debug)]
pub(crate) struct Progress {
    pub place: ConnectionSlot,
    accepted: Instant,
    heard: AtomicBool,
    /// Whose reads wait for one another; none where nobody's do.
    owner: OnceLock<Owner>,
    requests: Mutex<Requests>,
}

#[derive(Debug)]
struct Requests {
    next: u64,
    /// Those under way, each with how its HTTP/2 answer is taken.
    under_way: HashMap<u64, Taking>,
    /// Those of them that are handled, and only wait for their answer's turn.
    waiting: HashSet<u64>,
    quiet_since: Instant,
    any: bool,
    upgraded: bool,
    /// Of whoever has it now that it is upgraded, where that isn't the connection's peer.
    share: Option<Share>,
}

/// Until when a connection may stay as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deadline {
    /// Whoever took it over keeps its time.
    None,
    /// To be asked again then.
    Again(Instant),
    /// It ends then, and that counts as a refusal if it is one.
    Ends(Instant, Option<Refusal>),
}

impl Progress {
    pub fn new(place: ConnectionSlot) -> Self {
        let now = Instant::now();
        let requests = Requests {
            next: 0,
            under_way: HashMap::new(),
            waiting: HashSet::new(),
            quiet_since: now,
            any: false,
            upgraded: false,
            share: None,
        };
        let (heard, requests) = (AtomicBool::new(false), Mutex::new(requests));
        let owner = place.owner.map_or_else(OnceLock::new, OnceLock::from);
        Self { place, accepted: now, heard, owner, requests }
    }

    /// So many bytes were read: for how long the next read has to wait, or why there is none, which is counted.
    pub fn count_read(&self, bytes: usize) -> Result<Duration, Refusal> {
        let Some(owner) = self.owner.get() else { return Ok(Duration::ZERO) };
        let upgraded = self.requests.lock().upgraded;
        let unit = if upgraded { BYTES_OF_A_SOCKETS_READ } else { BYTES_OF_A_READ };
        let cost = u32::try_from(1 + bytes / unit).unwrap_or(u32::MAX);
        self.place.places.count(Paced::Reads, *owner, cost)
    }

    /// A byte has come.
    pub fn hear(&self) {
        self.heard.store(true, Ordering::Relaxed);
    }

    pub fn deadline(&self, limits: &Limits) -> Deadline {
        let requests = self.requests.lock();
        if requests.upgraded {
            return Deadline::None;
        }
        if !requests.any {
            return match self.heard.load(Ordering::Relaxed) {
                false => {
                    Deadline::Ends(self.accepted + limits.headers_within, Some(Refusal::Silent))
                }
                // One time for the hello of TLS, one for the headers.
                true => {
                    Deadline::Ends(self.accepted + limits.headers_within * 2, Some(Refusal::Slow))
                }
            };
        }
        if requests.under_way.is_empty() {
            return Deadline::Ends(requests.quiet_since + limits.idle_within, None);
        }
        let (within, slowest) = (limits.write_within, limits.slowest);
        let ends =
            requests.under_way.values().filter_map(|taking| taking.deadline(within, slowest));
        // Only where all of them are one owner's: through a trusted proxy come many, who would end with the slowest.
        match ends.min().filter(|_| self.place.owner.is_some()) {
            Some(at) => Deadline::Ends(at, Some(Refusal::Unread)),
            None => Deadline::Again(Instant::now() + limits.idle_within),
        }
    }

    /// Whether hyper ended it because the headers of its first request took too long.
    pub fn was_slow(&self, limits: &Limits) -> bool {
        let waited = self.accepted.elapsed() >= limits.headers_within;
        waited && self.heard.load(Ordering::Relaxed) && !self.requests.lock().any
    }

    fn begin(self: &Arc<Self>) -> UnderWay {
        let mut requests = self.requests.lock();
        let id = requests.next;
        requests.next += 1;
        requests.under_way.insert(id, Taking::default());
        requests.any = true;
        self.place.begin();
        UnderWay { id, share: None, progress: Arc::clone(self) }
    }
}

impl Requests {
    /// Whether the connection's place may be another's: nothing is left to do for it but to give answers in their turn.
    fn nothing_is_missed(&self) -> bool {
        self.under_way.len() == self.waiting.len() && !self.upgraded
    }
}

/// A request that isn't answered whole yet.
#[derive(Debug)]
struct UnderWay {
    id: u64,
    share: Option<Share>,
    progress: Arc<Progress>,
}

impl UnderWay {
    /// It is handled, and its answer has to wait so long for its turn, or until another connection takes the place.
    async fn wait_for_turn(&mut self, wait: Duration) {
        if wait.is_zero() {
            return;
        }
        self.set_waiting(true);
        tokio::select! {
            () = sleep(wait) => {}
            () = self.progress.place.taken.cancelled() => {}
        }
        self.set_waiting(false);
    }

    /// While it waits it counts in nobody's share, and whoever needs its place gets it: a hook that comes meanwhile would
    /// be lost, and this one has come.
    fn set_waiting(&mut self, waits: bool) {
        if waits {
            self.share = None;
        }
        let mut requests = self.progress.requests.lock();
        if waits {
            requests.waiting.insert(self.id);
        } else {
            requests.waiting.remove(&self.id);
        }
        if requests.nothing_is_missed() {
            self.progress.place.rest();
        } else {
            self.progress.place.begin();
        }
    }

    /// The connection is no longer ours.
    fn upgrade(&mut self) {
        let mut requests = self.progress.requests.lock();
        requests.upgraded = true;
        requests.share = self.share.take();
        if let Some(share) = &requests.share {
            // From here on it carries nobody else's.
            let _ = self.progress.owner.set(share.owner());
        }
    }

    /// Its WebSocket's turns, if it becomes one.
    fn turns(&self) -> Turns {
        let owner = self.share.as_ref().map(Share::owner).or(self.progress.place.owner);
        Turns::new(owner, &self.progress.place.places)
    }

    /// Notes how its answer is taken.
    fn note(&self, note: impl FnOnce(&mut Taking, Instant)) {
        if let Some(taking) = self.progress.requests.lock().under_way.get_mut(&self.id) {
            note(taking, Instant::now());
        }
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let mut requests = self.progress.requests.lock();
        requests.under_way.remove(&self.id);
        requests.waiting.remove(&self.id);
        requests.quiet_since = Instant::now();
        if requests.nothing_is_missed() {
            self.progress.place.rest();
        }
    }
}

/// A connection's routes, which note how far its requests have come.
#[derive(Debug, Clone)]
pub(crate) struct Tracked<S> {
    pub routes: S,
    pub progress: Arc<Progress>,
    pub slowest: Speed,
    /// Whether a request is handled at once, however many come. Its answer waits instead.
    pub at_once: bool,
}

impl<S, B> Service<Request<B>> for Tracked<S>
where
    S: Service<Request<B>, Response = Response, Error = io::Error> + Clone + Send + 'static,
    S::Future: Send + 'static,
    B: Send + 'static,
{
    type Response = Response;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Response>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.routes.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let mut under_way = self.progress.begin();
        let place = &self.progress.place;
        let shared = place.share(request.headers());
        let waits = shared.and_then(|share| {
            under_way.share = share;
            let share = under_way.share.as_ref();
            // Whoever sent it may never send it again.
            if self.at_once { Ok(place.wait_of_answer(share)) } else { place.wait(share) }
        });
        let Ok(wait) = waits else { return Box::pin(async move { Ok(too_many(under_way)) }) };
        let at_once = self.at_once;
        if request.headers().contains_key(header::UPGRADE) {
            request.extensions_mut().insert(under_way.turns());
        }
        let is_http2 = request.version() == Version::HTTP_2;
        let slowest = self.slowest;
        let mut routes = self.routes.clone();
        Box::pin(async move {
            if !at_once && !wait.is_zero() {
                sleep(wait).await;
            }
            let answer = routes.call(request);
            let response = answer.await?;
            // A WebSocket keeps its share and its place.
            if at_once && response.status() != StatusCode::SWITCHING_PROTOCOLS {
                under_way.wait_for_turn(wait).await;
            }
            match response.status() {
                StatusCode::SWITCHING_PROTOCOLS => under_way.upgrade(),
                StatusCode::REQUEST_TIMEOUT => under_way.progress.place.refused(Refusal::Slow),
                _ => {}
            }
            if is_http2 {
                // It may have no room for even the first byte.
                under_way.note(|taking, now| taking.wait(now, slowest));
            }
            Ok(response.map(|body| {
                let rest = Bytes::new();
                Body::new(TrackedBody { body, under_way, is_http2, slowest, given: 0, rest })
            }))
        })
    }
}

/// The answer to whoever has used up their share of the connections.
fn too_many(_: UnderWay) -> Response {
    const TEXT: &str = "Too much comes from your address at once. Wait a moment and try again.\n";
    (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, "5")], TEXT).into_response()
}

/// An answer's body: as long as it lives, its request is under way.
struct TrackedBody {
    body: Body,
    under_way: UnderWay,
    /// HTTP/1 doesn't ask for more before what it has is written, for which the connection has a limit of its own.
    is_http2: bool,
    slowest: Speed,
    /// How much was given last, for which there was room once more is asked for.
    given: usize,
    /// What is still to be given of a large part: given at once, all of it would count as taken.
    rest: Bytes,
}

impl TrackedBody {
    fn next_piece(&mut self) -> Option<Bytes> {
        let length = self.rest.len().min(PIECE);
        (length > 0).then(|| self.rest.split_to(length))
    }

    /// It is asked for more only when the client has room for it.
    fn note_taken(&mut self, polled: &Poll<Option<Result<Frame<Bytes>, axum::Error>>>) {
        let (given, slowest) = (std::mem::take(&mut self.given), self.slowest);
        if let Poll::Ready(Some(Ok(frame))) = polled {
            self.given = frame.data_ref().map_or(0, Bytes::len);
        }
        let waits = polled.is_ready();
        self.under_way.note(|taking, now| {
            taking.take(given, now, slowest);
            if waits {
                taking.wait(now, slowest);
            }
        });
    }

    fn first_piece(&mut self, frame: Frame<Bytes>) -> Frame<Bytes> {
        match frame.into_data() {
            Ok(data) => {
                self.rest = data;
                Frame::data(self.next_piece().unwrap_or_default())
            }
            Err(trailers) => trailers,
        }
    }
}

impl HttpBody for TrackedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if !self.is_http2 {
            return Pin::new(&mut self.body).poll_frame(cx);
        }
        let polled = match self.next_piece() {
            Some(piece) => Poll::Ready(Some(Ok(Frame::data(piece)))),
            None => match Pin::new(&mut self.body).poll_frame(cx) {
                Poll::Ready(Some(Ok(frame))) => Poll::Ready(Some(Ok(self.first_piece(frame)))),
                other => other,
            },
        };
        self.note_taken(&polled);
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (of_body, rest) = (self.body.size_hint(), self.rest.len() as u64);
        let mut hint = SizeHint::new();
        if let Some(upper) = of_body.upper() {
            hint.set_upper(upper + rest);
        }
        hint.set_lower(of_body.lower() + rest);
        hint
    }
}

#[cfg(test)]
#[path = "progress_test.rs"]
mod tests;
