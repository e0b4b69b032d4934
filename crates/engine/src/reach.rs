//! A test of the way to our listener: a request with a nonce to the hooks' URL.
//!
//! If the service offers it, the service makes the request, on the route that hooks take. Otherwise
//! this computer makes it, which proves that the URL leads to this very listener (name, proxy,
//! forwarding), but not that no firewall blocks the service.

pub(crate) mod known;

use std::time::{Duration, Instant};

pub use self::known::{Proof, Way};

use reqwest::Client;
use session::Failure;
use tokio::sync::oneshot;
use url::{Host, Url};

use self::known::KnownWay;
use crate::{
    Engine,
    clock::now,
    hooks::Nonces,
    remote::{LoginWithMe, USER_AGENT},
};

/// How long our own request may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// A request that reached the listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reached {
    /// The requester.
    pub by: Requester,
    /// The duration of the round trip.
    pub took: Duration,
}

/// Who made the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Requester {
    /// The service, so its hooks come too.
    Service,
    /// This computer, as the service can't be asked.
    Ourselves,
}

/// Why the URL doesn't lead here; one variant for each remedy. Its text completes "could not ...".
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReachError {
    /// Remedy: check name, port and forwarding.
    #[error("reach the listener by its URL: nothing answers there")]
    NoAnswer,
    /// Remedy: check where it is forwarded to.
    #[error("reach the listener by its URL: something else answers there ({status})")]
    SomethingElse {
        /// The HTTP status.
        status: u16,
    },
    /// Remedy: check the route from the service, and firewalls.
    #[error("reach the listener by its URL: the service called and nothing answered")]
    NothingForService,
    /// Remedy: check where it is forwarded to, as seen from there.
    #[error("reach the listener by its URL: something else answers the service there")]
    AnotherForService,
    /// Remedy: ask the service's operator, or use another URL.
    #[error("reach the listener by its URL: the service may not call this address")]
    NotAllowed,
    /// The service limits its calls. Remedy: wait.
    #[error("reach the listener by its URL: the service was asked too often")]
    TooOften,
    /// The client can't be made.
    #[error("reach the listener by its URL: no client could be made")]
    NoClient,
}

impl Engine {
    /// Requests the hooks' URL, by the service if it offers that, and remembers the result. The
    /// future holds no store of the engine, which may stop meanwhile; then no request arrives.
    ///
    /// # Errors
    /// [`ReachError`].
    pub fn test_reach(&self) -> impl Future<Output = Result<Reached, ReachError>> + Send + use<> {
        let tester = self.tester().clone();
        async move {
            let (began, tested) = (now(), tester.test_once().await);
            tester.known.tested(began, tested);
            tested
        }
    }

    /// Whether hooks can arrive, as far as is known.
    pub fn way(&self) -> Way {
        self.tester().known.now()
    }
}

/// Tests the way to the listener.
#[derive(Clone)]
pub(crate) struct Tester {
    pub service: LoginWithMe,
    /// Under this URL the service reaches our listener.
    pub hook_base: Url,
    pub nonces: Nonces,
    pub known: KnownWay,
}

impl Tester {
    async fn test_once(&self) -> Result<Reached, ReachError> {
        let nonce = uuid::Uuid::new_v4().simple().to_string();
        let url = format!("{}/reach/{nonce}", self.hook_base.as_str().trim_end_matches('/'));
        test(self.service.clone(), url, self.nonces.expect(nonce)).await
    }
}

async fn test(
    service: LoginWithMe,
    url: String,
    mut came: oneshot::Receiver<()>,
) -> Result<Reached, ReachError> {
    let url: Url = url.parse().map_err(|_| ReachError::NoAnswer)?;
    let began = Instant::now();
    // The listener notes the nonce before it answers: once the call is over, it has come or won't.
    let (by, missed) = match service_calls(&service, &url).await? {
        Some(true) => (Requester::Service, ReachError::AnotherForService),
        Some(false) => (Requester::Service, ReachError::NothingForService),
        None => (Requester::Ourselves, ReachError::SomethingElse { status: call(url).await? }),
    };
    came.try_recv().map_err(|_| missed)?;
    Ok(Reached { by, took: began.elapsed() })
}

/// Has the service call `url`; returns whether anything answered, none if it doesn't offer that.
async fn service_calls(service: &LoginWithMe, url: &Url) -> Result<Option<bool>, ReachError> {
    if !service.capabilities().await.is_ok_and(|able| able.can_reach()) {
        return Ok(None);
    }
    match service.reach(url).await.map_err(|error| error.failure) {
        Ok(answered) => Ok(Some(answered)),
        Err(Failure::Rejected { .. }) => Err(ReachError::NotAllowed),
        Err(Failure::RateLimited { .. }) => Err(ReachError::TooOften),
        Err(
            Failure::Unauthorized
            | Failure::Unreachable
            | Failure::NoAnswer
            | Failure::TimedOut
            | Failure::Faulty { .. }
            | Failure::Malformed
            | Failure::Blocked { .. }
            | Failure::TooLarge { .. }
            | Failure::NoRegion
            | Failure::Storage
            | Failure::Internal,
        ) => Ok(None),
    }
}

async fn call(url: Url) -> Result<u16, ReachError> {
    let answer = client(&url)?.get(url).send().await.map_err(|_| ReachError::NoAnswer)?;
    let status = answer.status();
    if !status.is_success() {
        return Err(ReachError::SomethingElse { status: status.as_u16() });
    }
    Ok(status.as_u16())
}

fn client(url: &Url) -> Result<Client, ReachError> {
    // Somebody else in the process may have installed one already: any will do.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = Client::builder()
        .user_agent(USER_AGENT)
        // A followed redirect would accept an answer from another server.
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
