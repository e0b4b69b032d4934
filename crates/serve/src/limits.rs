//! The limits of a request: its size, and the time that it may take to arrive.
//!
//! Not tower-http's layers, which limit a body while a handler reads it: here it has arrived whole before any handler
//! runs, so that a fault can be applied to all of it and a handler never waits for a client.

use std::{error::Error as _, time::Duration};

use axum::{
    Router,
    body::{Body, Bytes, to_bytes},
    extract::{Request, State},
    http::{StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use http_body_util::LengthLimitError;

/// A server's limits.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The largest body in bytes; more gets 413.
    pub body_bytes: usize,
    /// How long a request's headers may take; then the connection is closed. An idle connection
    /// is closed after the same time.
    pub headers_within: Duration,
    /// How long a request's body may take; more gets 408.
    pub body_within: Duration,
    /// How many connections are open at once; one more is closed at once.
    pub connections: usize,
    /// How long requests under way are waited for on shutdown.
    pub shutdown_within: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes: 64 * 1024,
            headers_within: Duration::from_secs(5),
            body_within: Duration::from_secs(5),
            connections: 1024,
            shutdown_within: Duration::from_secs(2),
        }
    }
}

impl Limits {
    /// Reads every body whole before a handler sees the request, and refuses what is over the
    /// limit in size (413) or time (408).
    pub fn protect<S: Clone + Send + Sync + 'static>(&self, routes: Router<S>) -> Router<S> {
        routes.layer(middleware::from_fn_with_state(*self, read_body))
    }
}

async fn read_body(State(limits): State<Limits>, request: Request, next: Next) -> Response {
    // A body whose declared length is too large is refused without reading any of it.
    let declared = request.headers().get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok());
    if declared.and_then(|v| v.parse().ok()).is_some_and(|n: u64| n > limits.body_bytes as u64) {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    }
    let (parts, body) = request.into_parts();
    // A body of unknown length is read to one byte over the limit and no further.
    let read = tokio::time::timeout(limits.body_within, to_bytes(body, limits.body_bytes)).await;
    match read {
        Ok(Ok(bytes)) => next.run(Request::from_parts(parts, whole(bytes))).await,
        Ok(Err(error)) => refusal(&error).into_response(),
        Err(_) => StatusCode::REQUEST_TIMEOUT.into_response(),
    }
}

fn whole(bytes: Bytes) -> Body {
    if bytes.is_empty() { Body::empty() } else { Body::from(bytes) }
}

/// Over the limit, or the client went away half-way (who then never sees the response).
fn refusal(error: &axum::Error) -> StatusCode {
    if error.source().is_some_and(|cause| cause.is::<LengthLimitError>()) {
        StatusCode::PAYLOAD_TOO_LARGE
    } else {
        StatusCode::BAD_REQUEST
    }
}
