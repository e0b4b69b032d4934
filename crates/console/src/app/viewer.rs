//! The windows that show a customer's screen: each has a page of ours and a seat, from which this
//! program speaks to the broker.
//!
//! What is absent: a PIN or a broker's credential in a page, its address or what is logged; a seat that
//! outlives its window; a seat for a session whose gate was shut when the window was opened.

mod live;
mod page;
mod picture;
mod stream;

use std::{
    borrow::Cow,
    collections::HashMap,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use axum::extract::ws::{Message as Frame, WebSocket};
use engine::{
    SessionId,
    remote::ViewerUrl,
    token::{HookToken, TokenHash},
};
use futures_util::SinkExt as _;
use serve::{HostGuard, Limits, Port, Server};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use url::Url;
use wire::shared_screen::Secret;

use super::Inner;
use crate::{
    present::remedy::{self, Remedy},
    view::Code,
};

/// How long a page or a broker may take to say or take something.
const PATIENCE: Duration = Duration::from_secs(10);
/// A picture of a screen has so many bytes at most; nothing else that a page sends is that large.
const LARGEST_PICTURE: usize = 32 << 20;
/// Pages, their two WebSockets and some spare, for a desk full of windows.
const CONNECTIONS: usize = 256;

/// The seats, and the server of their pages, which runs from the first on.
#[derive(Default)]
pub(crate) struct Viewers {
    seats: RwLock<HashMap<TokenHash, Arc<Seat>>>,
    server: tokio::sync::Mutex<Option<Server>>,
}

/// Why a window can't have a page of ours.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SeatError {
    /// No port.
    #[error("open a viewer: {0}")]
    Bind(#[from] serve::BindError),
    /// The port can't be served.
    #[error("open a viewer: serve its page: {0}")]
    Serve(#[from] std::io::Error),
    /// No secret.
    #[error("open a viewer: {0}")]
    Random(#[from] engine::token::NoRandom),
}

impl SeatError {
    pub(crate) const fn remedy(&self) -> Remedy {
        match self {
            Self::Bind(_) | Self::Serve(_) => remedy::NO_PORT,
            Self::Random(_) => (Code::TryAgain, remedy::NO_RANDOM.1),
        }
    }
}

/// A viewer window's place at a session.
struct Seat {
    token: HookToken,
    session: SessionId,
    read_only: bool,
    /// What the viewer is called in the session.
    name: String,
    /// What opens its streams; the broker gives one to each live connection.
    key: watch::Sender<Option<Secret>>,
    /// What both people may compare, while a sealed stream is up.
    words: watch::Sender<Option<String>>,
    /// The window is closed.
    left: CancellationToken,
}

impl Viewers {
    /// The address of the page of the window for `session` and this role: the one of the window that is
    /// open, else a new one. Whoever asks has passed the gate.
    ///
    /// # Errors
    /// [`SeatError`].
    pub async fn seat(
        &self,
        inner: &Arc<Inner>,
        session: SessionId,
        read_only: bool,
        name: &str,
    ) -> Result<ViewerUrl, SeatError> {
        let addr = self.serve(inner).await?;
        let mut seats = self.seats.write().unwrap_or_else(PoisonError::into_inner);
        let open = seats.values().find(|seat| seat.is_of(session, read_only));
        let seat = match open {
            Some(seat) => seat.clone(),
            None => {
                let seat = Arc::new(Seat::new(session, read_only, name)?);
                seats.insert(seat.token.hash(), seat.clone());
                seat
            }
        };
        Ok(ViewerUrl::of_our_page(address(addr, &seat)))
    }

    /// The window is closed: its page, wherever it may still be, gets nothing more.
    pub fn leave(&self, session: SessionId, read_only: bool) {
        let mut seats = self.seats.write().unwrap_or_else(PoisonError::into_inner);
        seats.retain(|_, seat| {
            let leaves = seat.is_of(session, read_only);
            if leaves {
                seat.left.cancel();
            }
            !leaves
        });
    }

    /// Ends every seat, and frees the port.
    pub async fn stop(&self) {
        for (_, seat) in self.seats.write().unwrap_or_else(PoisonError::into_inner).drain() {
            seat.left.cancel();
        }
        if let Some(server) = self.server.lock().await.take() {
            server.shutdown().await;
        }
    }

    fn find(&self, token: &str) -> Option<Arc<Seat>> {
        let seats = self.seats.read().unwrap_or_else(PoisonError::into_inner);
        seats.get(&TokenHash::of(token)).cloned()
    }

    async fn serve(&self, inner: &Arc<Inner>) -> Result<SocketAddr, SeatError> {
        let mut server = self.server.lock().await;
        if let Some(server) = &*server {
            return Ok(server.addr());
        }
        let bound = serve::bind(Ipv4Addr::LOCALHOST.into(), Port::Any)?;
        let guard = HostGuard::new(bound.addr(), None);
        let routes = guard.protect(page::routes(inner.clone(), guard.clone()));
        let limits =
            Limits { body_bytes: LARGEST_PICTURE, connections: CONNECTIONS, ..Limits::default() };
        let started = Server::start(bound, routes, limits, None)?;
        let addr = started.addr();
        *server = Some(started);
        Ok(addr)
    }
}

impl Seat {
    fn new(session: SessionId, read_only: bool, name: &str) -> Result<Self, SeatError> {
        Ok(Self {
            token: HookToken::random()?,
            session,
            read_only,
            name: name.to_owned(),
            key: watch::Sender::new(None),
            words: watch::Sender::new(None),
            left: CancellationToken::new(),
        })
    }

    fn is_of(&self, session: SessionId, read_only: bool) -> bool {
        self.session == session && self.read_only == read_only
    }
}

/// What the page says in its own words of itself is in it, too: to say it isn't to have it.
fn address(addr: SocketAddr, seat: &Seat) -> Url {
    let mut url = Url::parse(&format!("http://{addr}/viewer/{}/", seat.token.expose()))
        .unwrap_or_else(|_| unreachable!("an IP address, a port and base64 make a URL"));
    url.query_pairs_mut().append_pair("un", &seat.name);
    if seat.read_only {
        url.query_pairs_mut().append_pair("ro", "true");
    }
    url
}

/// Whether this program has the page at all: else the broker's own will do.
pub(crate) fn has_page(inner: &Inner) -> bool {
    asset(inner, "viewer.html").is_some()
}

/// A file of the page: the one that the broker's browsers have, unless the program brings its own.
fn asset(inner: &Inner, name: &str) -> Option<Cow<'static, [u8]>> {
    let bundled = || serve::page_file("viewer", name);
    inner.pages.get(name).or_else(|| bundled().map(|file| Cow::Borrowed(file.text.as_bytes())))
}

/// Says something to a page; false if it is gone, or takes too long.
async fn tell(page: &mut WebSocket, text: String) -> bool {
    matches!(tokio::time::timeout(PATIENCE, page.send(Frame::Text(text.into()))).await, Ok(Ok(())))
}

/// The next text of a page within a while; none if it is gone or says something else.
async fn heard(page: &mut WebSocket) -> Option<String> {
    let heard = async {
        loop {
            match page.recv().await?.ok()? {
                Frame::Text(text) => return Some(text.as_str().to_owned()),
                Frame::Ping(_) | Frame::Pong(_) => {}
                Frame::Binary(_) | Frame::Close(_) => return None,
            }
        }
    };
    tokio::time::timeout(PATIENCE, heard).await.ok().flatten()
}

/// Ends a page's WebSocket in good order.
async fn hang_up(mut page: WebSocket) {
    let _ = tokio::time::timeout(PATIENCE, page.close()).await;
}
