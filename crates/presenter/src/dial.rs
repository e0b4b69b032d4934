//! Connections to the broker. This program only dials, and accepts no connection.
//!
//! No URL and no header of a request is logged here, because it may contain a PIN.

use std::{path::Path, sync::Arc, time::Duration};

use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::{Request, StatusCode, body::Bytes, client::conn::http1, header};
use hyper_util::rt::TokioIo;
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, ServerName, pem::PemObject as _},
};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, client_async_with_config,
    tungstenite::protocol::WebSocketConfig,
};
use tunnel::{ConnectError, ProxyError, Route, RouteError, Stream};
use url::{Host, Url};

/// The longest time for name resolution, connecting, TLS and the WebSocket handshake together.
const DIAL_TIMEOUT: Duration = Duration::from_secs(15);
/// The most bytes in an answer to a GET.
const LONGEST_ANSWER: usize = 64 * 1024;

/// An open WebSocket.
pub type Socket = WebSocketStream<MaybeTlsStream<Stream>>;

/// Why the broker can't be reached. Its text is shown to the customer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DialError {
    /// The address can't be dialled.
    #[error("The server's address must begin with https:// or http:// and name a computer.")]
    Address,
    /// The file has no usable certificate.
    #[error("The file given with --ca holds no certificate that can be read.")]
    Ca,
    /// Nothing answers at the address.
    #[error(
        "The server {0} can't be reached. Check this computer's network connection and try again."
    )]
    Unreachable(String),
    /// A variable of the environment names no proxy that can be used.
    #[error("{0}.")]
    ProxySetting(RouteError),
    /// The proxy that the environment names doesn't lead there.
    #[error("{0}.")]
    Proxy(ProxyError),
    /// The other end can't prove that it is the server.
    #[error(
        "What answers at {0} can't prove that it is the server, so nothing was sent to it. Check this computer's date and time, and tell the person who helps you."
    )]
    Certificate(String),
    /// The other end isn't a broker.
    #[error("What answers at {0} is not a server that can share a screen. Check the address.")]
    Answer(String),
}

/// The broker's address, and how to authenticate it.
#[derive(Clone)]
pub struct Dialler {
    origin: Url,
    route: Route,
    tls: Option<Arc<ClientConfig>>,
}

impl Dialler {
    /// Prepares to dial the broker at `origin`, whose path is ignored. Certificates are those that
    /// this computer trusts, or those in the PEM file `ca` and no others.
    ///
    /// # Errors
    /// [`DialError::Address`], [`DialError::Ca`], [`DialError::ProxySetting`].
    pub fn new(origin: &Url, ca: Option<&Path>) -> Result<Self, DialError> {
        Self::within(origin, ca, |name| std::env::var(name).ok())
    }

    /// As [`Dialler::new`], in this environment, which may name a proxy.
    ///
    /// # Errors
    /// As there.
    pub fn within(
        origin: &Url,
        ca: Option<&Path>,
        environment: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, DialError> {
        let tls = match origin.scheme() {
            "http" => None,
            "https" => Some(Arc::new(client_config(ca)?)),
            _ => return Err(DialError::Address),
        };
        if origin.host().is_none() || origin.cannot_be_a_base() {
            return Err(DialError::Address);
        }
        let mut origin = origin.clone();
        origin.set_path("/");
        origin.set_query(None);
        origin.set_fragment(None);
        // Otherwise a name or password in the address would be in the Host header of every request.
        let _ = origin.set_username("");
        let _ = origin.set_password(None);
        let route = Route::new(&origin, environment).map_err(|error| match error {
            RouteError::Address => DialError::Address,
            RouteError::Proxy(_) => DialError::ProxySetting(error),
        })?;
        Ok(Self { origin, route, tls })
    }

    /// The broker's name for the customer: the host, and the port unless it is the
    /// scheme's default.
    pub fn host(&self) -> String {
        let host = self.origin.host_str().unwrap_or_default();
        self.origin.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
    }

    /// As [`Dialler::host`], with the proxy on the way there, for an error.
    fn place(&self) -> String {
        let host = self.host();
        self.route
            .proxy()
            .map_or_else(|| host.clone(), |proxy| format!("{host} (through the proxy {proxy})"))
    }

    /// Whether others on the network can read the traffic: there is no TLS, and the broker is on
    /// another computer.
    pub fn is_open_to_readers(&self) -> bool {
        let local = match self.origin.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(ip)) => ip.is_loopback(),
            Some(Host::Ipv6(ip)) => ip.is_loopback(),
            None => false,
        };
        self.tls.is_none() && !local
    }

    /// Opens the WebSocket at `path`; messages of more than `longest` bytes end it.
    ///
    /// # Errors
    /// [`DialError`].
    pub async fn socket(&self, path: &str, longest: usize) -> Result<Socket, DialError> {
        let config = WebSocketConfig::default()
            .read_buffer_size(16 * 1024)
            .write_buffer_size(16 * 1024)
            .max_write_buffer_size(2 * longest + 64 * 1024)
            .max_message_size(Some(longest))
            .max_frame_size(Some(longest));
        let scheme = if self.tls.is_some() { "wss" } else { "ws" };
        let url = format!("{scheme}://{}{path}", self.host());
        let opening = async {
            let stream = self.connect().await?;
            let opened = client_async_with_config(url, stream, Some(config)).await;
            opened.map(|(socket, _)| socket).map_err(|_| DialError::Answer(self.place()))
        };
        self.in_time(opening).await
    }

    /// Sends one GET and gives its status and body.
    ///
    /// # Errors
    /// [`DialError`].
    pub async fn get(&self, path: &str) -> Result<(StatusCode, Bytes), DialError> {
        self.in_time(async {
            let stream = self.connect().await?;
            let not_http = || DialError::Answer(self.place());
            let (mut sender, connection) =
                http1::handshake(TokioIo::new(stream)).await.map_err(|_| not_http())?;
            let driving = tokio::spawn(connection);
            let request = Request::get(path)
                .header(header::HOST, self.host())
                .header(header::ACCEPT, "application/json")
                .body(Empty::<Bytes>::new())
                .map_err(|_| DialError::Address)?;
            let answer = sender.send_request(request).await.map_err(|_| not_http())?;
            let status = answer.status();
            let body = Limited::new(answer.into_body(), LONGEST_ANSWER).collect().await;
            driving.abort();
            Ok((status, body.map_err(|_| not_http())?.to_bytes()))
        })
        .await
    }

    async fn in_time<T>(
        &self,
        call: impl Future<Output = Result<T, DialError>>,
    ) -> Result<T, DialError> {
        timeout(DIAL_TIMEOUT, call)
            .await
            .unwrap_or_else(|_| Err(DialError::Unreachable(self.place())))
    }

    async fn connect(&self) -> Result<MaybeTlsStream<Stream>, DialError> {
        let unreachable = |_| DialError::Unreachable(self.place());
        let stream = self.route.connect().await.map_err(|error| match error {
            ConnectError::Direct(error) => unreachable(error),
            ConnectError::Proxy(error) => DialError::Proxy(error),
        })?;
        let Some(tls) = &self.tls else { return Ok(MaybeTlsStream::Plain(stream)) };
        let name = match self.origin.host().ok_or(DialError::Address)? {
            Host::Domain(name) => {
                ServerName::try_from(name.to_owned()).map_err(|_| DialError::Address)?
            }
            Host::Ipv4(ip) => ServerName::IpAddress(ip.into()),
            Host::Ipv6(ip) => ServerName::IpAddress(ip.into()),
        };
        let secured = TlsConnector::from(Arc::clone(tls)).connect(name, stream).await;
        secured.map(MaybeTlsStream::Rustls).map_err(|error| {
            let of_tls = error.get_ref().is_some_and(|inner| inner.is::<rustls::Error>());
            if of_tls { DialError::Certificate(self.place()) } else { unreachable(error) }
        })
    }
}

fn client_config(ca: Option<&Path>) -> Result<ClientConfig, DialError> {
    let mut roots = RootCertStore::empty();
    let certificates = match ca {
        Some(file) => CertificateDer::pem_file_iter(file)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(|_| DialError::Ca)?,
        None => rustls_native_certs::load_native_certs().certs,
    };
    let (usable, _) = roots.add_parsable_certificates(certificates);
    if usable == 0 && ca.is_some() {
        return Err(DialError::Ca);
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let versions =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = versions.map_err(|_| DialError::Ca)?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}
