//! A test of the way to our listener: a request with a nonce, to a path beside the hooks' and made as they are.
//!
//! If the service offers it, the service makes the request, on the route that hooks take. Otherwise
//! this computer makes it, which proves that the URL leads to this very listener (name, proxy,
//! forwarding), but not that no firewall blocks the service.
//!
//! A way that worked can break at any time, and one that was broken is mended by somebody else. So it
//! is tested again and again: at the heartbeat's pace, after time that passed without us, and after
//! outages of the service. A hook that arrives is the best proof.

use std::time::{Duration, Instant};

use reqwest::{Client, header::CONTENT_TYPE};
use session::Failure;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;
use url::{Host, Url};

pub use crate::way::{Proof, ReachError, Reached, Requester, Way};
use crate::{
    clock::now,
    faults::Faults,
    hooks::Nonces,
    remote::{LoginWithMe, USER_AGENT},
    way::KnownWay,
};

/// How long our own request may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// A way that works is tested at the heartbeat's pace within these bounds: a service may allow few
/// tests a minute, and a lamp must not stay green for long without a proof.
const TEST_EVERY: [Duration; 2] = [Duration::from_secs(15), Duration::from_secs(60)];
/// How often a broken one is tested: somebody may be waiting for it.
const TEST_BROKEN_EVERY: Duration = Duration::from_secs(20);
/// One test may fail by chance; after so long a second one decides.
const CONFIRM_AFTER: Duration = Duration::from_secs(2);

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
    /// Tests it, and remembers the result.
    pub async fn test(&self) -> Result<Reached, ReachError> {
        self.test_unless(|_| false).await
    }

    /// Tests it, and remembers the result unless it is one of these. One test at a time: otherwise one that began
    /// before the way broke could end last, and what it says would stand.
    async fn test_unless(
        &self,
        to_be_confirmed: impl FnOnce(&Result<Reached, ReachError>) -> bool,
    ) -> Result<Reached, ReachError> {
        let _alone = self.known.one_at_a_time().await;
        let (began, tested) = (now(), self.test_once().await);
        if !to_be_confirmed(&tested) {
            self.known.tested(began, tested);
        }
        tested
    }

    async fn test_once(&self) -> Result<Reached, ReachError> {
        let nonce = uuid::Uuid::new_v4().simple().to_string();
        let url = url_of_test(&self.hook_base, &nonce);
        test(self.service.clone(), url, self.nonces.expect(nonce)).await
    }
}

/// Tests the way until the engine stops.
pub(crate) async fn keep_testing(
    tester: Tester,
    heartbeat: Duration,
    faults: Faults,
    stopping: CancellationToken,
) {
    let [shortest, longest] = TEST_EVERY;
    let known = tester.known.clone();
    let testing = async {
        loop {
            test_and_confirm(&tester).await;
            let rest = if known.now().is_broken() {
                TEST_BROKEN_EVERY
            } else {
                heartbeat.clamp(shortest, longest)
            };
            let asked = || tokio::time::timeout(rest, known.is_to_be_tested());
            while asked().await.is_err() && faults.way_is_tested_only_when_asked() {}
        }
    };
    stopping.run_until_cancelled(testing).await;
}

async fn test_and_confirm(tester: &Tester) {
    let mut again = false;
    let once_more = |tested: &Result<_, _>| {
        again = tested.is_err() && matches!(tester.known.now(), Way::Works { .. });
        again
    };
    let _ = tester.test_unless(once_more).await;
    if again {
        tokio::time::sleep(CONFIRM_AFTER).await;
        let _ = tester.test().await;
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

/// Where hooks go, so that a proxy that passes on nothing else, or refuses what isn't a GET, shows itself.
fn url_of_test(hook_base: &Url, nonce: &str) -> String {
    format!("{}/hook/reach/{nonce}", hook_base.as_str().trim_end_matches('/'))
}

async fn call(url: Url) -> Result<u16, ReachError> {
    let post = client(&url)?.post(url).header(CONTENT_TYPE, "application/json").body("{}");
    let answer = post.send().await.map_err(|_| ReachError::NoAnswer)?;
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

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
        net::TcpListener,
    };

    use super::*;

    /// A proxy that passes on what is POSTed to the hooks' path, and nothing else.
    async fn for_hooks_alone(listener: TcpListener) {
        let (connection, _) = listener.accept().await.unwrap();
        let mut connection = BufReader::new(connection);
        let (mut first, mut line, mut length) = (String::new(), String::new(), 0);
        connection.read_line(&mut first).await.unwrap();
        while line != "\r\n" {
            line.clear();
            connection.read_line(&mut line).await.unwrap();
            if let Some(told) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = told.trim().parse().unwrap();
            }
        }
        connection.read_exact(&mut vec![0; length]).await.unwrap();
        let is_hooks = first.starts_with("POST /desk/hook/");
        let answer = if is_hooks { "200 OK" } else { "405 Method Not Allowed" };
        let answer = format!("HTTP/1.1 {answer}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        connection.write_all(answer.as_bytes()).await.unwrap();
    }

    #[tokio::test]
    async fn our_own_call_takes_the_way_of_the_hooks() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base: Url = format!("http://{}/desk/", listener.local_addr().unwrap()).parse().unwrap();
        let nonce = "0123456789abcdef0123456789abcdef";
        let url = url_of_test(&base, nonce).parse().unwrap();
        let (called, ()) = tokio::join!(call(url), for_hooks_alone(listener));
        assert_eq!(called, Ok(200));
    }
}
