//! The windows that show a customer's screen: each has a page of ours, in whose place this program speaks to the broker.
//!
//! What is absent: a PIN or a broker's credential in a page, its address or what is logged; a page that gets anything
//! after its window was closed; a window on a session whose gate was shut when the window was opened.

mod live;
mod picture;
mod stream;
mod window_page;

use std::{
    borrow::Cow,
    collections::HashMap,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use axum::extract::ws::{Message as Frame, WebSocket};
use engine::{
    SessionId,
    remote::ViewerUrl,
    token::{HookToken, TokenHash},
};
use futures_util::SinkExt as _;
use parking_lot::{Mutex, RwLock};
use serve::{HostGuard, Limits, Port, Server};
use session::Timestamp;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use url::Url;
use wire::shared_screen::Secret;

use super::{Console, Pages};
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

/// The windows, and the server of their pages, which runs from the first on.
pub(crate) struct Viewers {
    pages: Arc<dyn Pages>,
    /// When the person here opened a session's first viewer window, until that viewer was seen.
    pub opened_here: Mutex<HashMap<SessionId, Timestamp>>,
    windows: RwLock<HashMap<TokenHash, Arc<ViewerWindow>>>,
    server: tokio::sync::Mutex<Option<Server>>,
}

/// Why a window can't have a page of ours.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ViewerWindowError {
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

impl ViewerWindowError {
    pub(crate) const fn remedy(&self) -> Remedy {
        match self {
            Self::Bind(_) | Self::Serve(_) => remedy::NO_PORT,
            Self::Random(_) => (Code::TryAgain, remedy::NO_RANDOM.1),
        }
    }
}

/// A viewer window, as the server of its page knows it.
struct ViewerWindow {
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
    closed: CancellationToken,
}

impl Viewers {
    pub(super) fn new(pages: Arc<dyn Pages>) -> Self {
        let (opened_here, windows) = (Mutex::default(), RwLock::default());
        Self { pages, opened_here, windows, server: tokio::sync::Mutex::default() }
    }

    /// The address of the page of the window for `session` and this role: the one of the window that is
    /// open, else a new one. Whoever asks has passed the gate.
    ///
    /// # Errors
    /// No port or secret can be had for the page.
    pub async fn open(
        &self,
        console: &Arc<Console>,
        session: SessionId,
        read_only: bool,
        name: &str,
    ) -> Result<ViewerUrl, ViewerWindowError> {
        let addr = self.serve(console).await?;
        let mut windows = self.windows.write();
        let open = windows.values().find(|window| window.is_of(session, read_only));
        let window = match open {
            Some(window) => window.clone(),
            None => {
                let window = Arc::new(ViewerWindow::new(session, read_only, name)?);
                windows.insert(window.token.hash(), window.clone());
                window
            }
        };
        Ok(ViewerUrl::of_our_page(address(addr, &window)))
    }

    /// The window is closed: its page, wherever it may still be, gets nothing more.
    pub fn leave(&self, session: SessionId, read_only: bool) {
        let mut windows = self.windows.write();
        windows.retain(|_, window| {
            let leaves = window.is_of(session, read_only);
            if leaves {
                window.closed.cancel();
            }
            !leaves
        });
    }

    /// Ends every window, and frees the port.
    pub async fn close(self: Arc<Self>) {
        for (_, window) in self.windows.write().drain() {
            window.closed.cancel();
        }
        let server = self.server.lock().await.take();
        if let Some(server) = server {
            server.shutdown().await;
        }
    }

    /// Whether this program has the page at all: else the broker's own will do.
    pub fn has_page(&self) -> bool {
        self.asset("viewer.html").is_some()
    }

    /// A file of the page: the one that the broker's browsers have, unless the program brings its own.
    fn asset(&self, name: &str) -> Option<Cow<'static, [u8]>> {
        let bundled = || serve::page_file("viewer", name);
        self.pages.get(name).or_else(|| bundled().map(|file| Cow::Borrowed(file.text.as_bytes())))
    }

    fn find(&self, token: &str) -> Option<Arc<ViewerWindow>> {
        let windows = self.windows.read();
        windows.get(&TokenHash::from_token(token)).cloned()
    }

    async fn serve(&self, console: &Arc<Console>) -> Result<SocketAddr, ViewerWindowError> {
        let mut server = self.server.lock().await;
        if let Some(server) = &*server {
            return Ok(server.addr());
        }
        // Loopback only: the page's secret path would cross the network in the clear.
        let bound = serve::bind(Ipv4Addr::LOCALHOST.into(), Port::Any)?;
        let guard = HostGuard::new(bound.addr(), None);
        let routes = guard.protect(window_page::routes(console.clone(), guard.clone()));
        let limits =
            Limits { body_bytes: LARGEST_PICTURE, connections: CONNECTIONS, ..Limits::default() };
        let started = Server::start(bound, routes, limits, None)?;
        let addr = started.addr();
        *server = Some(started);
        Ok(addr)
    }
}

impl ViewerWindow {
    fn new(session: SessionId, read_only: bool, name: &str) -> Result<Self, ViewerWindowError> {
        Ok(Self {
            token: HookToken::random()?,
            session,
            read_only,
            name: name.to_owned(),
            key: watch::Sender::new(None),
            words: watch::Sender::new(None),
            closed: CancellationToken::new(),
        })
    }

    fn is_of(&self, session: SessionId, read_only: bool) -> bool {
        self.session == session && self.read_only == read_only
    }
}

/// What the page says in its own words of itself is in it, too: to say it isn't to have it.
fn address(addr: SocketAddr, window: &ViewerWindow) -> Url {
    let mut url = Url::parse(&format!("http://{addr}/viewer/{}/", window.token.expose()))
        .unwrap_or_else(|_| unreachable!("an IP address, a port and base64 make a URL"));
    url.query_pairs_mut().append_pair("un", &window.name);
    if window.read_only {
        url.query_pairs_mut().append_pair("ro", "true");
    }
    url
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
