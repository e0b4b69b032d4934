//! The limits of a request: its size, and the time that it may take to arrive.
//!
//! Not tower-http's layers, which limit a body while a handler reads it: here it has arrived whole before any handler
//! runs, so that a fault can be applied to all of it and a handler never waits for a client. A server whose handlers
//! need no body says so by [`Bodies::Ignored`].

use std::time::Duration;

use axum::{
    Router,
    body::{Body, Bytes, to_bytes},
    extract::{Request, State},
    http::{StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};

use crate::{Paces, Speed, file_limit};

/// Whether a server's handlers depend on the bodies of their requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bodies {
    /// A handler sees a request once its body has arrived whole; what is over a limit or was cut
    /// off never gets to it.
    Whole,
    /// A handler sees every request at once and without its body, which is read up to the limits
    /// and discarded. Its state decides the answer only where no handler knows the path. Requests that
    /// come too fast are handled as well; their answers wait.
    Ignored,
}

/// A server's limits. Without another number it takes as many connections as half of the files that
/// this process may open, since a connection often costs another one to a third party.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The largest body in bytes; more gets 413.
    pub body_bytes: usize,
    /// How long the first byte of a connection may take, and then each request's headers; then the
    /// connection is closed. An idle HTTP/1 connection is closed after the same time.
    pub headers_within: Duration,
    /// How long a request's body may take; more gets 408.
    pub body_within: Duration,
    /// How long an HTTP/2 connection may be without a request.
    pub idle_within: Duration,
    /// How long a client may read nothing of what is being sent to it. Not shorter than a system may take to say that it
    /// has read something: see [`Speed`].
    pub write_within: Duration,
    /// How fast it has to take what is being sent to it.
    pub slowest: Speed,
    /// How many connections are open at once. One more takes the place of the oldest that has sent
    /// no request yet, or is closed at once.
    pub connections: usize,
    /// How many of them from one IPv6 /64; an eighth unless set.
    pub per_address: Option<usize>,
    /// How many of them from one owner (an IPv4 address, an IPv6 /48); a quarter unless set.
    pub per_owner: Option<usize>,
    /// How fast what comes from one owner is taken; as [many people](Paces::OF_MANY_PEOPLE) need it unless set, and
    /// without an end where there are none. This machine's never waits.
    pub paces: Option<Paces>,
    /// How long requests under way are waited for on shutdown.
    pub shutdown_within: Duration,
    /// Whether a body that is over a limit or cut off costs its request.
    pub bodies: Bodies,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes: 64 * 1024,
            headers_within: Duration::from_secs(5),
            body_within: Duration::from_secs(5),
            idle_within: Duration::from_secs(30),
            write_within: Speed::OF_THE_SLOWEST_LINE.within,
            slowest: Speed::OF_THE_SLOWEST_LINE,
            connections: file_limit::connections(),
            per_address: None,
            per_owner: None,
            paces: Some(Paces::OF_MANY_PEOPLE),
            shutdown_within: Duration::from_secs(2),
            bodies: Bodies::Whole,
        }
    }
}

impl Limits {
    /// Applies the limits of size (413) and time (408) to every body, as [`Bodies`] says.
    pub fn protect<S: Clone + Send + Sync + 'static>(&self, routes: Router<S>) -> Router<S> {
        match self.bodies {
            Bodies::Whole => routes.layer(middleware::from_fn_with_state(*self, read_body)),
            Bodies::Ignored => routes.layer(middleware::from_fn_with_state(*self, discard_body)),
        }
    }

    /// A body whose declared length is too large is refused without reading any of it.
    fn check_declared(&self, request: &Request) -> Result<(), StatusCode> {
        let declared = request.headers().get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok());
        match declared.and_then(|length| length.parse::<u64>().ok()) {
            Some(length) if length > self.body_bytes as u64 => Err(StatusCode::PAYLOAD_TOO_LARGE),
            Some(_) | None => Ok(()),
        }
    }
}

async fn read_body(State(limits): State<Limits>, request: Request, next: Next) -> Response {
    if let Err(status) = limits.check_declared(&request) {
        return refused(status);
    }
    let (parts, body) = request.into_parts();
    // A body of unknown length is read to one byte over the limit and no further.
    let read = tokio::time::timeout(limits.body_within, to_bytes(body, limits.body_bytes)).await;
    match read {
        Ok(Ok(bytes)) => next.run(Request::from_parts(parts, whole(bytes))).await,
        Ok(Err(error)) => refused(refusal(&error)),
        Err(_) => refused(StatusCode::REQUEST_TIMEOUT),
    }
}

async fn discard_body(State(limits): State<Limits>, request: Request, next: Next) -> Response {
    let declared = limits.check_declared(&request);
    let (parts, body) = request.into_parts();
    let handled = next.run(Request::from_parts(parts, Body::empty()));
    // Read beside the handler: with its body unread, a request costs its connection.
    let read = async {
        declared?;
        let mut body = Limited::new(body, limits.body_bytes);
        let discarded = async {
            while let Some(frame) = body.frame().await {
                frame.map_err(|error| refusal(&*error))?;
            }
            Ok(())
        };
        let in_time = tokio::time::timeout(limits.body_within, discarded).await;
        in_time.unwrap_or(Err(StatusCode::REQUEST_TIMEOUT))
    };
    match tokio::join!(handled, read) {
        (answer, Err(status)) if answer.status() == StatusCode::NOT_FOUND => refused(status),
        (answer, _) => answer,
    }
}

fn whole(bytes: Bytes) -> Body {
    if bytes.is_empty() { Body::empty() } else { Body::from(bytes) }
}

/// An answer in this server's own words: one without any may be a gateway's, for all that a client knows.
fn refused(status: StatusCode) -> Response {
    let why = match status {
        StatusCode::PAYLOAD_TOO_LARGE => "the request's body is too large",
        StatusCode::REQUEST_TIMEOUT => "the request's body took too long",
        _ => "the request's body is incomplete",
    };
    let body = format!("{{\"success\":false,\"error\":\"{why}\"}}");
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}

/// Over the limit, or the client went away half-way (who then never sees the response).
fn refusal(error: &(dyn std::error::Error + 'static)) -> StatusCode {
    let too_large = |error: &(dyn std::error::Error + 'static)| error.is::<LengthLimitError>();
    if too_large(error) || error.source().is_some_and(too_large) {
        StatusCode::PAYLOAD_TOO_LARGE
    } else {
        StatusCode::BAD_REQUEST
    }
}
