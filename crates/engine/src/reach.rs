//! A test of the way to our listener: a request to the URL that hooks are given, with a nonce.
//!
//! It is made from this computer, so it proves that the URL leads to this very listener (name, proxy,
//! forwarding), not that no firewall keeps the service away.

use std::time::{Duration, Instant};

use reqwest::Client;
use url::{Host, Url};

use crate::{Engine, remote::USER_AGENT};

/// How long the request and the nonce may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Why the URL doesn't lead here, by what helps. Its text completes "could not ...".
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReachError {
    /// Check name, port and forwarding.
    #[error(
        "reach the listener by its URL: nothing answers there; check the name, the port and the forwarding"
    )]
    NoAnswer,
    /// Check what it is forwarded to.
    #[error(
        "reach the listener by its URL: something else answers there ({status}); check what it is forwarded to"
    )]
    SomethingElse {
        /// The HTTP status.
        status: u16,
    },
    /// The client can't be made.
    #[error("reach the listener by its URL: no client could be made; install ca-certificates")]
    NoClient,
}

impl Engine {
    /// Calls the listener by the URL that hooks are given; answers how long it took.
    ///
    /// # Errors
    /// [`ReachError`].
    pub async fn test_reach(&self) -> Result<Duration, ReachError> {
        let nonce = uuid::Uuid::new_v4().simple().to_string();
        let base = self.hook_base().as_str().trim_end_matches('/');
        let url: Url = format!("{base}/reach/{nonce}").parse().map_err(|_| ReachError::NoAnswer)?;
        let client = client(&url)?;
        let came = self.expect_nonce(nonce);
        let began = Instant::now();
        let call = async {
            let answer = client.get(url).send().await.map_err(|_| ReachError::NoAnswer)?;
            let status = answer.status();
            if !status.is_success() {
                return Err(ReachError::SomethingElse { status: status.as_u16() });
            }
            came.await.map_err(|_| ReachError::SomethingElse { status: status.as_u16() })
        };
        tokio::time::timeout(PATIENCE, call).await.unwrap_or(Err(ReachError::NoAnswer))?;
        Ok(began.elapsed())
    }
}

fn client(url: &Url) -> Result<Client, ReachError> {
    // Somebody else in the process may have installed one already: any will do.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = Client::builder()
        .user_agent(USER_AGENT)
        .redirect(reqwest::redirect::Policy::none())
        .timeout(PATIENCE);
    let here = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    };
    let builder = if here { builder.no_proxy() } else { builder };
    // Reading this computer's certificates takes long, and http has no use for them.
    let builder = if url.scheme() == "http" { builder.tls_certs_only([]) } else { builder };
    builder.build().map_err(|_| ReachError::NoClient)
}
