//! A tunnel through a SOCKS 5 proxy (RFC 1928, RFC 1929).

use std::{
    future::{Ready, ready},
    io,
    task::{Context, Poll},
};

use hyper::Uri;
use hyper_util::{client::legacy::connect::proxy::SocksV5, rt::TokioIo};
use tokio::io::{AsyncRead, AsyncWrite};
use tower_service::Service;

use crate::proxy::ProxyFailure;

/// Asks the proxy at the other end of `socket` for a tunnel to `target`.
pub(crate) async fn tunnel<S>(
    socket: S,
    target: &str,
    credentials: Option<&(Vec<u8>, Vec<u8>)>,
) -> Result<S, ProxyFailure>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let target: Uri = target.parse().map_err(|_| ProxyFailure::Answer)?;
    let mut socks = SocksV5::new(Uri::default(), Connected(Some(TokioIo::new(socket))));
    if let Some((name, password)) = credentials {
        let text = |bytes: &Vec<u8>| String::from_utf8(bytes.clone());
        let refused = |_| ProxyFailure::Credentials;
        socks = socks.with_auth(text(name).map_err(refused)?, text(password).map_err(refused)?);
    }
    let opened = socks.call(target).await;
    // The library's error can't be told apart: its type is its own.
    opened.map(TokioIo::into_inner).map_err(|_| ProxyFailure::Refused(None))
}

/// Gives the connection to the proxy that is there already.
struct Connected<S>(Option<TokioIo<S>>);

impl<S> Service<Uri> for Connected<S> {
    type Response = TokioIo<S>;
    type Error = io::Error;
    type Future = Ready<io::Result<Self::Response>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        ready(self.0.take().ok_or_else(|| io::ErrorKind::NotConnected.into()))
    }
}
