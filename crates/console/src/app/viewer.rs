//! The windows that show a customer's screen. Each has a page of ours; this program speaks to the
//! broker in the page's place.
//!
//! A page, its address and the log never hold a PIN or a broker's credential, a page gets nothing
//! after its window was closed, and no window opens on a session whose gate is shut.

pub(crate) mod admitting;
mod comparison;
pub(crate) mod live;
pub(crate) mod picture;
mod stream;
mod window_page;
mod words_said;

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

use self::comparison::{Compared, Presenter, Presenters, Shown};
use super::{Console, Pages};
use crate::{
    present::remedy::{self, Remedy},
    view::Code,
};

/// How long a page or a broker may take to send or accept a message.
const PATIENCE: Duration = Duration::from_secs(10);
/// The largest picture of a screen, in bytes; nothing else that a page sends is that large.
const LARGEST_PICTURE: usize = 32 << 20;
/// The pages and their two WebSockets each, with a reserve for a desk full of windows.
const CONNECTIONS: usize = 256;

/// The windows, and the server of their pages, which runs once the first window is opened.
pub(crate) struct Viewers {
    pages: Arc<dyn Pages>,
    /// When the person here opened a session's first viewer window; removed once that
    /// viewer was seen.
    pub opened_here: Mutex<HashMap<SessionId, Timestamp>>,
    windows: RwLock<HashMap<TokenHash, Arc<ViewerWindow>>>,
    /// By what each session's presenter is known again.
    presenters: Presenters,
    server: tokio::sync::Mutex<Option<Server>>,
}

/// The reason why a window can't have a page of ours.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ViewerWindowError {
    /// No port is free.
    #[error("open a viewer: {0}")]
    Bind(#[from] serve::BindError),
    /// The port can't be served.
    #[error("open a viewer: serve its page: {0}")]
    Serve(#[from] std::io::Error),
    /// No random secret can be made.
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

/// A viewer window, as its page's server knows it.
struct ViewerWindow {
    token: HookToken,
    session: SessionId,
    read_only: bool,
    /// The viewer's name in the session.
    name: String,
    /// The credential for its streams; the broker issues one to each live connection.
    key: watch::Sender<Option<Secret>>,
    /// By what its session's presenter is known again; held, so that it isn't forgotten meanwhile.
    presenter: Arc<tokio::sync::Mutex<Presenter>>,
    /// The words that both people may compare, of the last sealed stream.
    words: watch::Sender<Option<Shown>>,
    /// Cancelled when the window is closed.
    closed: CancellationToken,
}

impl Viewers {
    pub(super) fn new(pages: Arc<dyn Pages>) -> Self {
        let (opened_here, windows) = (Mutex::default(), RwLock::default());
        let (presenters, server) = (Presenters::default(), tokio::sync::Mutex::default());
        Self { pages, opened_here, windows, presenters, server }
    }

    /// The page's address for the window of `session` and this role: that of the open window, else
    /// a new one. The caller has passed the gate.
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
                let presenter = self.presenters.of(session);
                let window = Arc::new(ViewerWindow::new(session, read_only, name, presenter)?);
                windows.insert(window.token.hash(), window.clone());
                window
            }
        };
        Ok(ViewerUrl::of_our_page(address(addr, &window)))
    }

    /// Closes the window: its page, wherever it may still be open, gets nothing more.
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

    /// Ends whatever the windows of a session carry.
    fn cut_off(&self, session: SessionId) {
        self.windows.write().retain(|_, window| {
            let stays = window.session != session;
            if !stays {
                window.closed.cancel();
            }
            stays
        });
    }

    /// The words of a session were said to match: every window that shows them knows.
    fn matched(&self, session: SessionId, words: &str) {
        let windows = self.windows.read();
        for window in windows.values().filter(|window| window.session == session) {
            window.words.send_if_modified(|now| {
                let Some(now) = now.as_mut().filter(|now| now.words == words) else { return false };
                (now.compared, now.waits) = (Compared::Match, false);
                true
            });
        }
    }

    /// Closes every window, and frees the port.
    pub async fn close(self: Arc<Self>) {
        for (_, window) in self.windows.write().drain() {
            window.closed.cancel();
        }
        let server = self.server.lock().await.take();
        if let Some(server) = server {
            server.shutdown().await;
        }
    }

    /// Whether this program has the page; if not, the broker's own is used.
    pub fn has_page(&self) -> bool {
        self.asset("viewer.html").is_some()
    }

    /// A file of the page: the program's own, else the one that the broker serves to browsers.
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
    fn new(
        session: SessionId,
        read_only: bool,
        name: &str,
        presenter: Arc<tokio::sync::Mutex<Presenter>>,
    ) -> Result<Self, ViewerWindowError> {
        Ok(Self {
            token: HookToken::random()?,
            session,
            read_only,
            name: name.to_owned(),
            key: watch::Sender::new(None),
            presenter,
            words: watch::Sender::new(None),
            closed: CancellationToken::new(),
        })
    }

    fn is_of(&self, session: SessionId, read_only: bool) -> bool {
        self.session == session && self.read_only == read_only
    }
}

/// The page's address. The name and role in it are for the page to show; they grant no rights.
fn address(addr: SocketAddr, window: &ViewerWindow) -> Url {
    let mut url = Url::parse(&format!("http://{addr}/viewer/{}/", window.token.expose()))
        .unwrap_or_else(|_| unreachable!("an IP address, a port and base64 make a URL"));
    url.query_pairs_mut().append_pair("un", &window.name);
    if window.read_only {
        url.query_pairs_mut().append_pair("ro", "true");
    }
    url
}

/// Sends a text to a page; false if the page is gone or takes too long.
async fn tell(page: &mut WebSocket, text: String) -> bool {
    matches!(tokio::time::timeout(PATIENCE, page.send(Frame::Text(text.into()))).await, Ok(Ok(())))
}

/// The page's next text within [`PATIENCE`]; none if the page is gone or sends anything else.
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

/// Closes a page's WebSocket in good order.
async fn hang_up(mut page: WebSocket) {
    // A page that doesn't answer must not hold up the end of its connection.
    let _ = tokio::time::timeout(PATIENCE, page.close()).await;
}
