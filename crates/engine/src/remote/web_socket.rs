//! The WebSockets of a viewer of ours, presence, chat and watchers on one and the picture on the other, and the
//! console's own event channel.
//!
//! No URL has a credential: a viewer's is in its first message, the console's in a header.

use std::io;

use jiff::Timestamp;
use secrecy::ExposeSecret as _;
use session::{Failure, Obstacle};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, client_async_tls_with_config,
    tungstenite::{
        Error,
        client::IntoClientRequest as _,
        handshake::client::Request,
        http::{HeaderValue, Response},
        protocol::WebSocketConfig,
    },
};
use tunnel::{ConnectError, ProxyError, ProxyFailure, Route, RouteError, Stream};
use url::Url;
use wire::session_events::CONSOLE_KEY_HEADER;

use super::{
    CallError, Doing, LoginWithMe,
    error::{Cause, blocked, by_body, is_json, malformed, of_certificate, of_head, rustls_error},
    http, is_loopback,
};

/// A day's chat comes in one message.
const LIVE_BYTES: usize = 8 << 20;
/// As the broker bounds a stream's messages.
pub const STREAM_BYTES: usize = 256 << 10;

/// A WebSocket to the service.
pub type Socket = WebSocketStream<MaybeTlsStream<Stream>>;

/// Which WebSocket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channel {
    /// Presence, chat, who watches.
    Live,
    /// The picture.
    Screen,
    /// What happens in all sessions of this console.
    Events,
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
            Channel::Live | Channel::Events => LIVE_BYTES,
            Channel::Screen => STREAM_BYTES,
        };
        let bounds = WebSocketConfig::default()
            .max_message_size(Some(most))
            .max_frame_size(Some(most))
            // tungstenite wants room for its own write buffer (128 KiB) beside the largest message.
            .max_write_buffer_size(most + (128 << 10));
        let call = async {
            let request = self.request(&url, channel)?;
            let stream = route(&url).map_err(|error| unroutable(&error))?.connect().await;
            let stream = stream.map_err(|error| unconnected(&error))?;
            let dialled = client_async_tls_with_config(request, stream, Some(bounds), None).await;
            dialled.map(|(socket, _)| socket).map_err(|error| why(&url, &error))
        };
        http::within(self.timeouts().call, call).await.map_err(|(failure, detail)| CallError {
            doing: if channel == Channel::Events { Doing::FollowEvents } else { Doing::OpenScreen },
            failure,
            detail,
        })
    }

    fn request(&self, url: &Url, channel: Channel) -> Result<Request, Cause> {
        let mut request = url.as_str().into_client_request().map_err(|error| why(url, &error))?;
        // On the live connection it tells the console's own window from a stranger with the PIN.
        if let (Channel::Events | Channel::Live, Some(key)) = (channel, self.console_key()) {
            let unusable = |_| malformed("this console's key can't be sent");
            let key = HeaderValue::from_str(key.expose_secret()).map_err(unusable)?;
            request.headers_mut().insert(CONSOLE_KEY_HEADER, key);
        }
        Ok(request)
    }
}

/// The service's origin with the channel's path, over TLS exactly where the service is.
fn address(base_url: &Url, channel: Channel) -> Url {
    let mut url = match channel {
        Channel::Live | Channel::Screen => base_url.clone(),
        Channel::Events => http::endpoint(base_url, &["x", "events"]),
    };
    let scheme = if base_url.scheme() == "https" { "wss" } else { "ws" };
    // From one of the web's schemes to another: it doesn't fail.
    let _ = url.set_scheme(scheme);
    match channel {
        Channel::Live => url.set_path("/live"),
        Channel::Screen => url.set_path("/screen"),
        Channel::Events => {}
    }
    url.set_query(None);
    url
}

/// The way there: as for our HTTP calls, no proxy is asked for this computer's own servers.
fn route(url: &Url) -> Result<Route, RouteError> {
    if is_loopback(url) { Route::direct(url) } else { Route::from_env(url) }
}

fn unroutable(error: &RouteError) -> Cause {
    (Failure::Unreachable, error.to_string())
}

/// The cause of a connection that was not made.
fn unconnected(error: &ConnectError) -> Cause {
    match error {
        ConnectError::Direct(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            (Failure::Unreachable, "nothing answers at the service's address".to_owned())
        }
        ConnectError::Direct(_) => {
            (Failure::Unreachable, "the service could not be reached".to_owned())
        }
        ConnectError::Proxy(error @ ProxyError { failure: ProxyFailure::Credentials, .. }) => {
            let (failure, _) = blocked(Obstacle::Proxy);
            (failure, error.to_string())
        }
        ConnectError::Proxy(error) => (Failure::Unreachable, error.to_string()),
    }
}

/// The cause of a WebSocket to `url` that did not open. The error's own text is not repeated.
fn why(url: &Url, error: &Error) -> Cause {
    let unreachable = |text: &str| (Failure::Unreachable, text.to_owned());
    if let Some(by) = rustls_error(error).and_then(of_certificate) {
        return blocked(by);
    }
    match error {
        Error::Http(answer) => of_answer(url, answer),
        Error::Tls(_) => {
            unreachable("no secure connection could be made, its certificate may not be trusted")
        }
        Error::Io(_) => unreachable("the service could not be reached"),
        _ => (Failure::Malformed, "the service does not speak as a broker does".to_owned()),
    }
}

/// The cause of an answer that is none of a WebSocket's, told apart as those of all other calls are. Of its body no
/// more is known than came with its head.
fn of_answer(url: &Url, answer: &Response<Option<Vec<u8>>>) -> Cause {
    let mut asked = url.clone();
    // A redirect names the web's own schemes.
    let _ = asked.set_scheme(if url.scheme() == "wss" { "https" } else { "http" });
    let cause = of_head(&asked, answer.status(), answer.headers(), Timestamp::now());
    let beginning = answer.body().as_deref().unwrap_or_default();
    if is_json(answer.headers()) { cause } else { by_body(cause, http::bare(beginning)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Failure {
        let answer = Response::builder().status(status);
        let answer =
            headers.iter().fold(answer, |answer, (name, value)| answer.header(*name, *value));
        let error = Error::Http(Box::new(answer.body(Some(body.into())).unwrap()));
        why(&"ws://a.example/live".parse().unwrap(), &error).0
    }

    #[test]
    fn who_refuses_a_web_socket_is_told_apart_as_of_any_other_call() {
        let json = [("content-type", "application/json; charset=utf-8")];
        let page = [("content-type", "text/html")];
        for status in [400, 403, 404, 405, 408, 413, 426] {
            let by_service = Failure::Rejected { status };
            assert_eq!(answer(status, &json, ""), by_service, "the body comes later");
            assert_eq!(answer(status, &[], "\u{feff} {\"success\": false}"), by_service);
            let gateway = Failure::Blocked { by: Obstacle::Gateway { status } };
            for (headers, body) in [(&page[..], "<html>"), (&page, ""), (&[], ""), (&[], "no")] {
                assert_eq!(answer(status, headers, body), gateway, "{status} {body}");
            }
        }
    }

    #[test]
    fn an_answer_that_is_no_refusal_says_what_is_in_the_way() {
        let blocked = |by| Failure::Blocked { by };
        assert_eq!(answer(401, &[], ""), Failure::Unauthorized);
        assert_eq!(answer(407, &[], ""), blocked(Obstacle::Proxy));
        assert_eq!(answer(502, &[], "<html>"), Failure::Faulty { status: 502 });
        let later = Failure::RateLimited { retry_after_ms: Some(7_000) };
        for status in [429, 503] {
            assert_eq!(answer(status, &[("retry-after", "7")], ""), later);
        }
        let to = |url| answer(302, &[("location", url)], "");
        assert_eq!(to("https://sign-in.example/"), blocked(Obstacle::Redirect));
        assert_eq!(to("https://a.example/live"), blocked(Obstacle::NeedsHttps));
        assert_eq!(to("/elsewhere"), Failure::Malformed);
    }

    #[test]
    fn is_dialled_on_the_services_own_origin_and_as_securely() {
        let at = |base: &str, channel| address(&base.parse().unwrap(), channel).to_string();
        assert_eq!(at("http://127.0.0.1:7/api/v1", Channel::Live), "ws://127.0.0.1:7/live");
        assert_eq!(at("https://a.example/b/api/v1?x=1", Channel::Screen), "wss://a.example/screen");
        let events = at("https://a.example/b/api/v1/", Channel::Events);
        assert_eq!(events, "wss://a.example/b/api/v1/x/events");
    }
}
