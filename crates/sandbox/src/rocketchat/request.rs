//! A request of Rocket.Chat's API as its handlers see it: headers, address, and the parameters by name.

use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
};

use axum::{
    body::Bytes,
    extract::{ConnectInfo, FromRequest, Request},
    http::{HeaderMap, header},
    response::{IntoResponse as _, Response},
};
use serde_json::Value;

use super::store;

/// A request, reduced to what handlers need.
#[derive(Debug)]
pub(crate) struct ApiRequest {
    ip: IpAddr,
    headers: HeaderMap,
    /// The query's, or the body's.
    pub params: Params,
}

/// Parameters by name; none where they are no object.
pub(crate) type Params = BTreeMap<String, Value>;

impl ApiRequest {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Identifies the client that may use a remembered second factor again.
    pub(crate) fn fingerprint(&self) -> String {
        let agent = self.header("user-agent").unwrap_or_default();
        store::hash(&format!("{agent}\n{}", self.ip))
    }

    /// The address that the call comes from.
    pub(crate) const fn ip(&self) -> IpAddr {
        self.ip
    }
}

impl<S: Send + Sync> FromRequest<S> for ApiRequest {
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
        // Only tests that call a router without a socket come without an address.
        let ip = peer.map_or(IpAddr::from([0, 0, 0, 0]), |ConnectInfo(peer)| peer.ip());
        let headers = request.headers().clone();
        let query = request.uri().query().unwrap_or_default().to_owned();
        let read = request.method() == axum::http::Method::GET;
        let body = Bytes::from_request(request, state).await.map_err(|e| e.into_response())?;
        let params = if read { query_params(&query) } else { body_params(&headers, &body) };
        Ok(Self { ip, headers, params })
    }
}

fn query_params(query: &str) -> Params {
    let pairs = url::form_urlencoded::parse(query.as_bytes()).into_owned();
    pairs.map(|(name, value)| (name, Value::String(value))).collect()
}

fn body_params(headers: &HeaderMap, body: &[u8]) -> Params {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    if kind.is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded")) {
        return query_params(&String::from_utf8_lossy(body));
    }
    // An unreadable body counts as an empty one: the parameters that are missing then make it a 400.
    serde_json::from_slice(body).unwrap_or_default()
}

/// A parameter's text.
pub(crate) fn text<'a>(params: &'a Params, name: &str) -> &'a str {
    params.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// A parameter's number, which a query has as text.
pub(crate) fn number(params: &Params, name: &str) -> Option<usize> {
    let value = params.get(name)?;
    let number = value.as_u64().or_else(|| value.as_str()?.trim().parse().ok())?;
    usize::try_from(number).ok()
}
