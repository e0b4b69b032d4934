//! Dialling a [`Route`].

use std::{io, sync::Arc, time::Duration};

use http_body_util::Empty;
use hyper::{Request, body::Bytes, client::conn::http1, header};
use hyper_util::rt::TokioIo;
use rustls::{ClientConfig, RootCertStore, pki_types::ServerName};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::TlsConnector;
use url::Host;

use crate::{
    proxy::{Kind, Proxy, ProxyError, ProxyFailure},
    route::Route,
    socks,
    stream::Stream,
};

/// How long a proxy may take until the tunnel is there.
const PROXY_TIMEOUT: Duration = Duration::from_secs(10);
/// The most bytes of a proxy's answer.
const LONGEST_ANSWER: usize = 64 * 1024;

/// Why a server wasn't reached.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// On the direct way.
    #[error(transparent)]
    Direct(#[from] io::Error),
    #[error(transparent)]
    Proxy(#[from] ProxyError),
}

impl Route {
    /// Dials the server. A direct way has no time limit but the system's.
    ///
    /// # Errors
    /// [`ConnectError`].
    pub async fn connect(&self) -> Result<Stream, ConnectError> {
        let Some(proxy) = &self.proxy else {
            return Ok(Stream::Tcp(tcp(&self.host, self.port).await?));
        };
        let through = timeout(PROXY_TIMEOUT, self.through(proxy)).await;
        through.unwrap_or(Err(ProxyFailure::Silent)).map_err(|failure| proxy.failed(failure).into())
    }

    async fn through(&self, proxy: &Proxy) -> Result<Stream, ProxyFailure> {
        let socket = tcp(&proxy.host, proxy.port).await.map_err(|_| ProxyFailure::Unreachable)?;
        match proxy.kind {
            Kind::Http => self.tunnel(proxy, socket).await,
            Kind::Https => self.tunnel(proxy, secured(proxy, socket).await?).await,
            Kind::Socks => {
                let target = format!("{}:{}", self.host, self.port);
                socks::tunnel(socket, &target, proxy.credentials.as_ref()).await.map(Stream::Tcp)
            }
        }
    }

    /// Asks an HTTP proxy for a tunnel (RFC 9110, section 9.3.6).
    pub(crate) async fn tunnel(
        &self,
        proxy: &Proxy,
        io: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    ) -> Result<Stream, ProxyFailure> {
        let no_proxy = |_| ProxyFailure::Answer;
        let mut http = http1::Builder::new();
        http.max_buf_size(LONGEST_ANSWER);
        let (mut sender, connection) = http.handshake(TokioIo::new(io)).await.map_err(no_proxy)?;
        // It ends with the sender, or when the tunnel is there.
        tokio::spawn(connection.with_upgrades());
        let target = format!("{}:{}", self.host, self.port);
        let mut request = Request::connect(&target).header(header::HOST, &target);
        if let Some(value) = proxy.authorization() {
            request = request.header(header::PROXY_AUTHORIZATION, value);
        }
        let request = request.body(Empty::<Bytes>::new()).map_err(|_| ProxyFailure::Answer)?;
        let answer = sender.send_request(request).await.map_err(no_proxy)?;
        if !answer.status().is_success() {
            return Err(ProxyFailure::of_status(answer.status().as_u16()));
        }
        let upgraded = hyper::upgrade::on(answer).await.map_err(no_proxy)?;
        Ok(Stream::Tunnel(TokioIo::new(upgraded)))
    }
}

async fn tcp(host: &Host, port: u16) -> io::Result<TcpStream> {
    let socket = match host {
        Host::Domain(name) => TcpStream::connect((name.as_str(), port)).await,
        Host::Ipv4(ip) => TcpStream::connect((*ip, port)).await,
        Host::Ipv6(ip) => TcpStream::connect((*ip, port)).await,
    }?;
    socket.set_nodelay(true)?;
    Ok(socket)
}

/// TLS with the proxy itself, whose certificate this computer has to trust.
async fn secured(
    proxy: &Proxy,
    socket: TcpStream,
) -> Result<impl AsyncRead + AsyncWrite + Unpin + Send + 'static, ProxyFailure> {
    let refused = |_| ProxyFailure::Certificate;
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(refused)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = match &proxy.host {
        Host::Domain(name) => {
            ServerName::try_from(name.clone()).map_err(|_| ProxyFailure::Certificate)?
        }
        Host::Ipv4(ip) => ServerName::IpAddress((*ip).into()),
        Host::Ipv6(ip) => ServerName::IpAddress((*ip).into()),
    };
    TlsConnector::from(Arc::new(config)).connect(name, socket).await.map_err(|error| {
        let of_tls = error.get_ref().is_some_and(|inner| inner.is::<rustls::Error>());
        if of_tls { ProxyFailure::Certificate } else { ProxyFailure::Answer }
    })
}
