//! The two WebSockets of a viewer of ours: presence, chat and watchers on one, the picture on
//! the other.
//!
//! They begin with a message that carries the credential, so the URL has none.

use std::io;

use session::Failure;
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async_with_config,
    tungstenite::{Error, protocol::WebSocketConfig},
};
use url::Url;

use super::{
    CallError, Doing, LoginWithMe,
    error::{Cause, blocked, of_certificate, rustls_error},
    http,
};

/// A day's chat comes in one message.
const LIVE_BYTES: usize = 8 << 20;
/// As the broker bounds a stream's messages.
pub const STREAM_BYTES: usize = 256 << 10;

/// A WebSocket to the service.
pub type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Which WebSocket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channel {
    /// Presence, chat, who watches.
    Live,
    /// The picture.
    Screen,
}

impl LoginWithMe {
    /// Opens a WebSocket on the service's own origin. Only where
    /// [`Capabilities::carries_screens`](super::Capabilities::carries_screens).
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn dial(&self, channel: Channel) -> Result<Socket, CallError> {
        // Somebody else in the process may have installed one already: any will do.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let url = address(&self.service().base_url, channel);
        let most = match channel {
            Channel::Live => LIVE_BYTES,
            Channel::Screen => STREAM_BYTES,
        };
        let bounds = WebSocketConfig::default()
            .max_message_size(Some(most))
            .max_frame_size(Some(most))
            // tungstenite wants room for its own write buffer (128 KiB) beside the largest message.
            .max_write_buffer_size(most + (128 << 10));
        let call = async {
            let dialled = connect_async_with_config(url.as_str(), Some(bounds), true).await;
            dialled.map(|(socket, _)| socket).map_err(|error| why(&error))
        };
        http::within(self.timeouts().call, call).await.map_err(|(failure, detail)| CallError {
            doing: Doing::OpenScreen,
            failure,
            detail,
        })
    }
}

/// The service's origin with the channel's path, over TLS exactly where the service is.
fn address(base_url: &Url, channel: Channel) -> Url {
    let mut url = base_url.clone();
    let scheme = if base_url.scheme() == "https" { "wss" } else { "ws" };
    // From one of the web's schemes to another: it doesn't fail.
    let _ = url.set_scheme(scheme);
    url.set_path(match channel {
        Channel::Live => "/live",
        Channel::Screen => "/screen",
    });
    url.set_query(None);
    url
}

/// The cause of a WebSocket that did not open. The error's own text is not repeated.
fn why(error: &Error) -> Cause {
    let unreachable = |text: &str| (Failure::Unreachable, text.to_owned());
    if let Some(by) = rustls_error(error).and_then(of_certificate) {
        return blocked(by);
    }
    match error {
        Error::Http(answer) => {
            let status = answer.status().as_u16();
            let failure = match status {
                429 => Failure::RateLimited { retry_after_ms: None },
                500..=599 => Failure::Faulty { status },
                _ => Failure::Rejected { status },
            };
            (failure, format!("the service answered {status}"))
        }
        Error::Io(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            unreachable("nothing answers at the service's address")
        }
        Error::Tls(_) => {
            unreachable("no secure connection could be made, its certificate may not be trusted")
        }
        Error::Io(_) => unreachable("the service could not be reached"),
        _ => (Failure::Malformed, "the service does not speak as a broker does".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_dialled_on_the_services_own_origin_and_as_securely() {
        let at = |base: &str, channel| address(&base.parse().unwrap(), channel).to_string();
        assert_eq!(at("http://127.0.0.1:7/api/v1", Channel::Live), "ws://127.0.0.1:7/live");
        assert_eq!(at("https://a.example/b/api/v1?x=1", Channel::Screen), "wss://a.example/screen");
    }
}
