//! The reader of a proxy's answers as one call: for the fuzz targets in `tests/fuzz`, which are no part of any program.

use tokio::{
    io::{AsyncWriteExt as _, duplex},
    runtime::{Builder, Runtime},
};
use url::Url;

use crate::{route::Route, socks};

/// A route through a proxy, and a runtime in which its answers are read.
pub struct ProxyAnswers {
    route: Route,
    runtime: Runtime,
}

impl ProxyAnswers {
    /// Through a proxy that is given a name and a password; none if that can't be.
    pub fn new() -> Option<Self> {
        let target: Url = "https://support.example.org".parse().ok()?;
        let variable =
            |name: &str| (name == "https_proxy").then(|| "http://ann:geheim@proxy:3128".to_owned());
        let route = Route::new(&target, variable).ok()?;
        Some(Self { route, runtime: Builder::new_current_thread().build().ok()? })
    }

    /// The proxy answers this to CONNECT, and hangs up. True if it made a tunnel.
    ///
    /// # Panics
    /// If the error has the password.
    pub fn read(&self, answer: &[u8]) -> bool {
        let Some(proxy) = &self.route.proxy else { return false };
        let (ours, mut theirs) = duplex(4096);
        let answers = async {
            // The request is shorter than the pipe, so the proxy need not read it.
            let _ = theirs.write_all(answer).await;
            let _ = theirs.shutdown().await;
        };
        let both = async { tokio::join!(self.route.tunnel(proxy, ours), answers).0 };
        let tunnel = self.runtime.block_on(both);
        if let Err(failure) = &tunnel {
            assert!(!format!("{failure:?}").contains("geheim"));
        }
        tunnel.is_ok()
    }
}

/// A runtime in which the answers of a SOCKS proxy are read.
pub struct SocksAnswers(Runtime);

impl SocksAnswers {
    /// None if there can't be a runtime.
    pub fn new() -> Option<Self> {
        Builder::new_current_thread().build().ok().map(Self)
    }

    /// The proxy, which is given a name and a password, answers this and hangs up. True if it made a tunnel.
    ///
    /// # Panics
    /// If the error has the password.
    pub fn read(&self, answer: &[u8]) -> bool {
        let (ours, mut theirs) = duplex(4096);
        let credentials = (b"ann".to_vec(), b"geheim".to_vec());
        let asks = async {
            // The tunnel is dropped at once, or what the proxy still writes would wait for a reader.
            socks::tunnel(ours, "support.example.org:443", Some(&credentials)).await.map(drop)
        };
        let answers = async {
            // What is asked is shorter than the pipe, so the proxy need not read it.
            let _ = theirs.write_all(answer).await;
            let _ = theirs.shutdown().await;
        };
        let tunnel = self.0.block_on(async { tokio::join!(asks, answers).0 });
        if let Err(failure) = &tunnel {
            assert!(!format!("{failure:?}").contains("geheim"));
        }
        tunnel.is_ok()
    }
}
