//! Where a test's hooks go.

use std::{
    collections::HashSet,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::Bytes,
    extract::{ConnectInfo, Path},
    routing::post,
};
use serde_json::Value;
use serve::{Limits, Port, Server};
use tokio::sync::mpsc;

use super::PATIENCE;

/// Takes hooks on a free port.
pub struct Receiver {
    server: Server,
    came: mpsc::UnboundedReceiver<(String, Value)>,
    /// Whose connections the hooks came on.
    peers: Arc<Mutex<Vec<SocketAddr>>>,
}

impl Receiver {
    pub fn start() -> Self {
        let (tell, came) = mpsc::unbounded_channel();
        let peers = Arc::<Mutex<Vec<SocketAddr>>>::default();
        let seen = peers.clone();
        let take = move |Path(path): Path<String>, ConnectInfo(peer), body: Bytes| async move {
            seen.lock().unwrap().push(peer);
            // A test of the way has no body.
            tell.send((path, serde_json::from_slice(&body).unwrap_or_default())).unwrap();
        };
        let routes = Router::new().route("/hook/{*path}", post(take));
        let bound = serve::bind(Ipv4Addr::LOCALHOST.into(), Port::Any).unwrap();
        let server = Server::start(bound, routes, Limits::default(), None).unwrap();
        Self { server, came, peers }
    }

    /// How many connections the hooks came on.
    pub fn connections(&self) -> usize {
        self.peers.lock().unwrap().iter().collect::<HashSet<_>>().len()
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}/hook/{path}", self.server.addr())
    }

    /// The next hook that comes: the path that it was sent to, and its body.
    pub async fn next(&mut self) -> (String, Value) {
        tokio::time::timeout(PATIENCE, self.came.recv()).await.expect("no hook came").unwrap()
    }

    /// Asserts that the next one went to this path.
    pub async fn expect(&mut self, path: &str) -> Value {
        let (to, body) = self.next().await;
        assert_eq!(to, path);
        body
    }

    /// Asserts that nothing has come; call it when the broker is idle.
    pub fn expect_nothing(&mut self) {
        if let Ok((path, _)) = self.came.try_recv() {
            panic!("{path} fired");
        }
    }
}
