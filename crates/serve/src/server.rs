//! Serving: a bound socket, routes, limits, and a shutdown that waits for what is under way.

use std::{
    convert::Infallible,
    future::Future,
    io,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use axum::{Router, extract::Request, response::Response};
use axum_server::{Handle as ServerHandle, tls_rustls::RustlsAcceptor};
use hyper_util::rt::TokioTimer;
use tokio::{net::TcpListener, task::JoinHandle, time::timeout};
use tokio_util::task::TaskTracker;
use tower_service::Service;

use crate::{
    Bound, Counters, Limits,
    acceptor::Acceptor,
    connection_slots::{ConnectionSlots, PeerPolicy},
    file_limit,
    listening::{Listening, Peer},
    tls::Tls,
};

/// How long a shutdown waits for what was said last to arrive.
const GOODBYES_WITHIN: Duration = Duration::from_millis(250);
/// The most that one connection may have read before a request's headers are whole. Those who send without end would
/// otherwise have hyper's 400 KiB each.
const MOST_READ: usize = 32 * 1024;
/// How much of the bodies of one HTTP/2 connection may come before anybody reads them: of each, and of all.
const BODY_WINDOW: u32 = 64 * 1024;
const BODIES_WINDOW: u32 = 128 * 1024;

/// A running server. Dropping it leaves it running until the runtime ends; see [`Server::shutdown`].
#[derive(Debug)]
pub struct Server {
    addr: SocketAddr,
    handle: ServerHandle<Peer>,
    task: JoinHandle<io::Result<()>>,
    under_way: TaskTracker,
    lingering: TaskTracker,
    limits: Limits,
    tls: Option<Tls>,
    places: ConnectionSlots,
}

/// Put into a response's extensions by a handler: the connection is closed and no byte of the
/// response is sent, as if the network had failed.
#[derive(Debug, Clone, Copy)]
pub struct CutConnection;

impl Server {
    /// Starts to answer on a bound socket, where no proxy is trusted. Handlers find the peer in
    /// `ConnectInfo<SocketAddr>`.
    ///
    /// # Errors
    /// When the socket can't be handed to the runtime.
    pub fn start(
        bound: Bound,
        routes: Router,
        limits: Limits,
        tls: Option<Tls>,
    ) -> io::Result<Self> {
        Self::start_at(PeerPolicy::default(), bound, routes, limits, tls)
    }

    /// As [`Server::start`], where connections are told apart as the door says.
    ///
    /// # Errors
    /// When the socket can't be handed to the runtime.
    pub fn start_at(
        door: PeerPolicy,
        bound: Bound,
        routes: Router,
        limits: Limits,
        tls: Option<Tls>,
    ) -> io::Result<Self> {
        let addr = bound.addr();
        let handle = ServerHandle::new();
        let routes = limits.protect(routes);
        let (under_way, lingering) = (TaskTracker::new(), TaskTracker::new());
        let places = ConnectionSlots::new(&limits, door, Counters::default());
        let acceptor = Acceptor { limits, lingering: lingering.clone() };
        let listener = TcpListener::from_std(bound.into_listener())?;
        let listening = Listening { listener, places: places.clone() };
        let mut server =
            axum_server::Server::<Peer>::from_listener(listening).handle(handle.clone());
        server
            .http_builder()
            .http1()
            .timer(TokioTimer::new())
            .header_read_timeout(limits.headers_within)
            .max_buf_size(MOST_READ)
            // Without it hyper gives up a request that it has read when it sees in the same turn that the
            // sender has hung up, before any handler knows of it.
            .half_close(true)
            .http2()
            .timer(TokioTimer::new())
            // A peer that is gone without a word is noticed also while it is owed an answer.
            .keep_alive_interval(Some(limits.idle_within / 2))
            .keep_alive_timeout(limits.headers_within)
            .initial_stream_window_size(BODY_WINDOW)
            .initial_connection_window_size(BODIES_WINDOW)
            .max_concurrent_streams(32);
        let routes = Detached {
            make: routes.into_make_service_with_connect_info::<SocketAddr>(),
            under_way: under_way.clone(),
        };
        let task = match tls.clone() {
            None => tokio::spawn(server.acceptor(acceptor).serve(routes)),
            Some(Tls(config)) => {
                let acceptor = RustlsAcceptor::new(config)
                    // The connection's own limit for a first request ends earlier, and is counted.
                    .handshake_timeout(limits.headers_within * 3)
                    .acceptor(acceptor);
                tokio::spawn(server.acceptor(acceptor).serve(routes))
            }
        };
        Ok(Self { addr, handle, task, under_way, lingering, limits, tls, places })
    }

    /// The address that it listens on.
    pub const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Serves with another certificate from the next connection on; false if it doesn't serve https.
    pub fn replace_certificate(&self, by: &Tls) -> bool {
        self.tls.as_ref().map(|tls| tls.replace_by(by)).is_some()
    }

    /// What it counts of its connections; a clone can be kept.
    pub fn counters(&self) -> &Counters {
        self.places.counters()
    }

    /// Tells connections apart by another policy, from the next one on.
    pub fn use_door(&self, door: PeerPolicy) {
        self.places.use_door(door);
    }

    /// Takes so many connections from the next one on, or as many as it would without a number. Whoever is connected
    /// stays.
    pub fn use_connections(&self, connections: Option<usize>) {
        let connections = connections.unwrap_or_else(file_limit::connections);
        self.places.use_connections(connections, &self.limits);
    }

    /// Takes no more connections, lets requests under way finish for a while (see [`Limits`]),
    /// also those whose sender has hung up, and returns when the port is free again.
    ///
    /// WebSockets are not waited for: whoever opened them ends them. But their goodbyes get a moment to arrive, since
    /// the process may end next.
    pub async fn shutdown(self) {
        self.handle.graceful_shutdown(Some(self.limits.shutdown_within));
        if let Ok(Err(error)) = self.task.await {
            tracing::warn!(%error, "the server ended with an error");
        }
        self.under_way.close();
        if timeout(self.limits.shutdown_within, self.under_way.wait()).await.is_err() {
            tracing::warn!("requests were still being handled when the server ended");
        }
        self.lingering.close();
        // Not as long as a connection may linger: browsers keep an idle one open long after its end was told.
        let _ = timeout(GOODBYES_WITHIN, self.lingering.wait()).await;
    }
}

/// Handles each request in a task of its own, so that the work doesn't hang on the connection.
///
/// hyper drops a request's future as soon as its connection ends. If a sender posted a webhook and
/// hung up at once, the event would be lost. In its own task a request that was read is carried out
/// even if the sender has gone.
#[derive(Debug, Clone)]
struct Detached<M> {
    make: M,
    under_way: TaskTracker,
}

impl<M> Service<Peer> for Detached<M>
where
    M: Service<SocketAddr, Error = Infallible>,
    M::Future: Send + 'static,
{
    type Response = DetachedConnection<M::Response>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.make.poll_ready(cx)
    }

    fn call(&mut self, Peer(peer): Peer) -> Self::Future {
        let made = self.make.call(peer);
        let under_way = self.under_way.clone();
        Box::pin(async move { made.await.map(|routes| DetachedConnection { routes, under_way }) })
    }
}

/// One connection's routes.
#[derive(Debug, Clone)]
pub(crate) struct DetachedConnection<S> {
    routes: S,
    under_way: TaskTracker,
}

impl<S, B> Service<Request<B>> for DetachedConnection<S>
where
    S: Service<Request<B>, Response = Response, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = Response;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response, io::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), io::Error>> {
        self.routes.poll_ready(cx).map_err(|never| match never {})
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let answer = self.under_way.spawn(self.routes.call(request));
        Box::pin(async move {
            let response = match answer.await {
                Ok(answer) => answer.unwrap_or_else(|never| match never {}),
                // A panicking handler ends its connection and is reported as a panic, as it would
                // be without the task.
                Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
                Err(_) => return Err(io::Error::other("the server is ending")),
            };
            // An error makes hyper close the connection without an answer.
            if response.extensions().get::<CutConnection>().is_some() {
                return Err(io::Error::other("cut by the fault plan"));
            }
            Ok(response)
        })
    }
}
