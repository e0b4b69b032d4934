//! One HTTP exchange: bounded in time, size and redirects, and without retries.
//!
//! A PIN travels in queries and bodies here, so nothing in this file logs a URL or hands one on.

mod unpooled;

use std::{fmt, future::Future, sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use reqwest::{ClientBuilder, Method, Request, RequestBuilder, Response, StatusCode, header};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use session::{Failure, Obstacle};
use url::Url;
use wire::session_events::CONSOLE_KEY_HEADER;

use self::unpooled::Unpooled;
use super::{
    LoginWithMeConfig, ServiceError, Timeouts,
    error::{
        Cause, blocked, by_body, is_json, malformed, of_status, of_transport, refused, timed_out,
    },
    is_loopback,
    redirect::{location, onward},
};

/// Our own servers close an idle connection after 5 s, so we stop using it a little earlier.
const IDLE_HERE: Duration = Duration::from_secs(4);
/// At most so many redirects of a GET are followed, and only within the service's own origin.
const MOST_REDIRECTS: usize = 3;

/// Builds requests and sends them, from a pool of warm connections. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    network: reqwest::Client,
    /// For a call that is made once more.
    unpooled: Option<Unpooled>,
    stand_in: Option<Arc<dyn StandIn>>,
    console_key: Option<SecretString>,
}

/// Answers requests within the process, so that a test decides each answer and its time. Everything
/// else stays as it is: how requests are built, how long they may take, how answers are read.
pub(crate) trait StandIn: fmt::Debug + Send + Sync {
    fn answer(&self, request: Request) -> BoxFuture<'_, Result<Response, Cause>>;
}

impl Client {
    pub(super) const fn new(network: reqwest::Client) -> Self {
        Self { network, unpooled: None, stand_in: None, console_key: None }
    }

    pub(super) fn request(&self, method: Method, url: Url) -> RequestBuilder {
        let request = self.network.request(method, url);
        match &self.console_key {
            Some(key) => request.header(CONSOLE_KEY_HEADER, key.expose_secret()),
            None => request,
        }
    }

    /// This client, whose requests say that they are this console's.
    pub(super) fn with_console_key(&self, key: Option<SecretString>) -> Self {
        Self { console_key: key, ..self.clone() }
    }

    /// This client on connections that nothing else has used.
    async fn on_new_connections(&self) -> Self {
        let Some(unpooled) = &self.unpooled else { return self.clone() };
        let network = unpooled.get().await.unwrap_or_else(|| self.network.clone());
        Self { network, ..self.clone() }
    }

    /// A client whose connections are its own, built by `build`.
    pub(super) async fn with_own_connections(
        &self,
        build: impl FnOnce() -> Option<reqwest::Client> + Send + 'static,
    ) -> Option<Self> {
        if self.stand_in.is_some() {
            return Some(self.clone());
        }
        // Building one may read this computer's certificates, which blocks.
        tokio::task::spawn_blocking(build).await.ok()?.map(Self::new)
    }

    /// Sends a request once, and gives the answer, whatever it is.
    pub(super) async fn send(&self, request: RequestBuilder) -> Result<Response, Cause> {
        let request = request.build().map_err(|error| of_transport(&error))?;
        match &self.stand_in {
            None => self.network.execute(request).await.map_err(|error| of_transport(&error)),
            Some(stand_in) => stand_in.answer(request).await,
        }
    }

    #[cfg(test)]
    pub(crate) fn to(stand_in: Arc<dyn StandIn>) -> Self {
        // It only builds requests, and nothing that it would need for more is read.
        let here = Url::parse("http://localhost/").unwrap();
        let network = builder("test", &here, &Timeouts::default()).build().unwrap();
        Self { network, unpooled: None, stand_in: Some(stand_in), console_key: None }
    }
}

/// The limits of a call.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// The whole call, redirects and body included.
    pub time: Duration,
    /// The body's bytes.
    pub body: usize,
}

/// The client for calls, with a pool of warm connections.
///
/// # Errors
/// [`ServiceError::Certificates`].
pub(super) fn client(
    service: &LoginWithMeConfig,
    timeouts: &Timeouts,
) -> Result<Client, ServiceError> {
    client_of(&service.user_agent, &service.base_url, timeouts)
}

/// As [`client`], for any service at `target`.
///
/// # Errors
/// [`ServiceError::Certificates`].
pub(super) fn client_of(
    user_agent: &str,
    target: &Url,
    timeouts: &Timeouts,
) -> Result<Client, ServiceError> {
    let network = builder(user_agent, target, timeouts).build();
    let network = network.map_err(|_| ServiceError::Certificates)?;
    let unpooled = Some(Unpooled::new(user_agent, target, timeouts));
    Ok(Client { unpooled, ..Client::new(network) })
}

/// The common settings of our HTTP clients, for calls to `target`.
pub(super) fn builder(user_agent: &str, target: &Url, timeouts: &Timeouts) -> ClientBuilder {
    // Somebody else in the process may have installed one already: any will do.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = reqwest::Client::builder()
        .user_agent(user_agent)
        .connect_timeout(timeouts.connect)
        // Redirects are followed in `get` only, within the origin: a PIN may be in the URL or
        // the body.
        .redirect(reqwest::redirect::Policy::none())
        // Some calls may be made once only, and the session machine decides about the others.
        .retry(reqwest::retry::never())
        // A URL can contain a PIN, which must not reach another server.
        .referer(false)
        .tcp_nodelay(true);
    // A proxy from the environment can't reach this computer's own servers. A new connection costs
    // nothing here; elsewhere those that are warm are kept for as long as possible.
    let builder =
        if is_loopback(target) { builder.no_proxy().pool_idle_timeout(IDLE_HERE) } else { builder };
    // Reading this computer's certificates takes long, and http has no use for them.
    if target.scheme() == "http" { builder.tls_certs_only([]) } else { builder }
}

/// The URL of a call: the base URL's path, and `segments` after it, each escaped.
pub(super) fn endpoint(base_url: &Url, segments: &[&str]) -> Url {
    let mut url = base_url.clone();
    // A base URL is http or https, and every such URL has a path.
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(segments);
    }
    url
}

/// Sends a GET, follows redirects within the URL's origin, and gives the answer, whatever it is.
///
/// A service closes idle connections, and may do so just when one is used: a request that ended
/// without an answer is sent once more, on a connection of its own.
pub(super) async fn get(client: &Client, url: Url) -> Result<Response, Cause> {
    match get_once(client, url.clone()).await {
        Err((Failure::NoAnswer, _)) => get_once(&client.on_new_connections().await, url).await,
        answer => answer,
    }
}

/// As [`get`], for what the service gives only once.
pub(super) async fn get_once(client: &Client, mut url: Url) -> Result<Response, Cause> {
    for _ in 0..=MOST_REDIRECTS {
        let response = send(client, client.request(Method::GET, url.clone())).await?;
        match onward(&url, &response) {
            Some(next) => url = next,
            None => return Ok(response),
        }
    }
    Err(malformed("the service redirects in a circle"))
}

/// Sends `body` as JSON. A redirect is an answer: nothing that changes something is sent twice.
pub(super) async fn send_json(
    client: &Client,
    method: Method,
    url: Url,
    body: &(impl Serialize + Sync),
) -> Result<Response, Cause> {
    send(client, client.request(method, url).json(body)).await
}

pub(super) async fn send(client: &Client, request: RequestBuilder) -> Result<Response, Cause> {
    let request = request.header(header::ACCEPT, "application/json, */*;q=0.5");
    // An answer is small and is read as it comes.
    let response = client.send(request.header(header::ACCEPT_ENCODING, "identity")).await?;
    let encoding = response.headers().get(header::CONTENT_ENCODING);
    if encoding.is_some_and(|encoding| !encoding.to_str().is_ok_and(is_plain))
        && response.status().is_success()
    {
        return Err(blocked(Obstacle::Encoded));
    }
    Ok(response)
}

/// Whether these encodings of a body leave it as it is. Some servers name its character set here.
fn is_plain(encodings: &str) -> bool {
    const PLAIN: [&str; 4] = ["", "identity", "none", "utf-8"];
    let mut encodings = encodings.split(',').map(|encoding| encoding.trim().to_ascii_lowercase());
    encodings.all(|encoding| PLAIN.contains(&encoding.as_str()))
}

/// Whether an answer redirects to another host: what answers there is not what was asked.
pub(super) fn leads_elsewhere(from: &Url, response: &Response) -> bool {
    location(from, response).is_some_and(|next| next.host() != from.host())
}

/// Blanks may come before a refusal's JSON, but no more of them than this.
const MOST_BLANKS: usize = 4 << 10;

/// No service's answer has so many bytes; whoever announces them is another server.
const ABSURD: u64 = 1 << 30;

/// Ends `call` when its time is over.
pub(super) async fn within<T>(
    time: Duration,
    call: impl Future<Output = Result<T, Cause>>,
) -> Result<T, Cause> {
    tokio::time::timeout(time, call).await.unwrap_or_else(|_| Err(timed_out()))
}

/// A 2xx answer's whole body, at most `most` bytes of it.
pub(super) async fn body(response: Response, most: usize) -> Result<Vec<u8>, Cause> {
    if !response.status().is_success() {
        return Err(unsuccessful(response).await);
    }
    read(response, most).await
}

/// The same, where the answer may be larger than that and still be the one that was asked for.
pub(super) async fn body_or_too_large(response: Response, most: usize) -> Result<Vec<u8>, Cause> {
    if !response.status().is_success() {
        return Err(unsuccessful(response).await);
    }
    read_or_too_large(response, most).await
}

/// The cause of an unsuccessful answer. Of its body no more is read than tells whose it is.
async fn unsuccessful(mut response: Response) -> Cause {
    let cause = of_status(&response, Timestamp::now());
    if is_json(response.headers()) || !matches!(cause.0, Failure::Rejected { .. }) {
        return cause;
    }
    let mut beginning = Vec::new();
    while bare(&beginning).is_empty() && beginning.len() < MOST_BLANKS {
        let Ok(Some(piece)) = response.chunk().await else { break };
        beginning.extend_from_slice(&piece);
    }
    by_body(cause, bare(&beginning))
}

/// An answer of any status, with its whole body: for services that describe errors in the body.
pub(super) struct HttpResponse {
    pub status: StatusCode,
    /// The cause by the status and by whether the body is JSON, if it isn't a success.
    pub cause: Option<Cause>,
    pub body: Vec<u8>,
}

/// The whole answer, whatever its status; at most `most` bytes of body.
pub(super) async fn whole_response(response: Response, most: usize) -> Result<HttpResponse, Cause> {
    let status = response.status();
    let cause = (!status.is_success()).then(|| of_status(&response, Timestamp::now()));
    let is_json = is_json(response.headers());
    let body = read(response, most).await?;
    let cause = cause.map(|cause| if is_json { cause } else { by_body(cause, bare(&body)) });
    Ok(HttpResponse { status, cause, body })
}

/// Reads a body of bounded size. A larger one isn't what was asked for.
async fn read(response: Response, most: usize) -> Result<Vec<u8>, Cause> {
    read_or_too_large(response, most).await.map_err(|(failure, text)| {
        let too_large = matches!(failure, Failure::TooLarge { .. });
        (if too_large { Failure::Malformed } else { failure }, text)
    })
}

/// Reads a body that may outgrow what is read of it, although it is what was asked for.
async fn read_or_too_large(mut response: Response, most: usize) -> Result<Vec<u8>, Cause> {
    let too_large = || {
        let failure = Failure::TooLarge { most: u32::try_from(most).unwrap_or(u32::MAX) };
        (failure, failure.reason())
    };
    // A body that is announced as too large isn't read at all.
    match response.content_length() {
        Some(length) if length > ABSURD => {
            return Err(malformed("the service announces an endless answer"));
        }
        Some(length) if length > most as u64 => return Err(too_large()),
        Some(_) | None => {}
    }
    let mut body = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(|error| of_transport(&error))? {
        if body.len() + piece.len() > most {
            return Err(too_large());
        }
        body.extend_from_slice(&piece);
    }
    Ok(body)
}

/// Reads an object that says `success: true`; its prose and its content type decide nothing.
pub(super) fn succeeded<T: DeserializeOwned>(status: StatusCode, body: &[u8]) -> Result<T, Cause> {
    let value: Value = json(body)?;
    match value.get("success") {
        Some(Value::Bool(true)) => {
            serde_json::from_value(value).map_err(|_| malformed(UNDOCUMENTED))
        }
        Some(_) => Err(refused(status)),
        None => Err(malformed(UNDOCUMENTED)),
    }
}

/// Reads any JSON. The parser's own message is dropped, since it may quote the body.
pub(super) fn json<T: DeserializeOwned>(body: &[u8]) -> Result<T, Cause> {
    let body = bare(body);
    if body.is_empty() {
        return Err(malformed("the service's answer is empty"));
    }
    serde_json::from_slice(body).map_err(|_| malformed(UNDOCUMENTED))
}

/// A text without the marks that say nothing: byte order marks, blanks and zeros around it, in any order.
pub(super) fn bare(mut body: &[u8]) -> &[u8] {
    const MARK: &[u8] = b"\xef\xbb\xbf";
    const fn blank(byte: u8) -> bool {
        byte.is_ascii_whitespace() || byte == 0
    }
    loop {
        body = match body {
            [first, rest @ ..] if blank(*first) => rest,
            [rest @ .., last] if blank(*last) => rest,
            _ => match body.strip_prefix(MARK).or_else(|| body.strip_suffix(MARK)) {
                Some(rest) => rest,
                None => return body,
            },
        };
    }
}

const UNDOCUMENTED: &str = "the service's answer is not what it documents";

#[cfg(test)]
mod goaway;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_that_say_nothing_are_left_out_in_any_order() {
        let mark = "\u{feff}";
        for text in [
            "{}".to_owned(),
            format!("{mark}{{}}"),
            format!("{mark}{mark} {{}}\0"),
            format!("\r\n{mark}\t{mark}{{}}\n{mark}\n"),
        ] {
            assert_eq!(bare(text.as_bytes()), b"{}", "{text:?}");
        }
        for nothing in ["", " ", mark, " \u{feff} \0"] {
            assert!(bare(nothing.as_bytes()).is_empty(), "{nothing:?}");
        }
    }

    #[test]
    fn a_body_is_encoded_only_if_something_was_done_to_it() {
        for plain in ["", " identity", "Identity", "identity, IDENTITY", "none", "UTF-8"] {
            assert!(is_plain(plain), "{plain}");
        }
        for encoded in ["gzip", "BR", "identity, gzip", "aes128gcm"] {
            assert!(!is_plain(encoded), "{encoded}");
        }
    }
}
