//! Extractors for the service's calls: the key, and a body whose names are read in any case.

use axum::{
    body::Bytes,
    extract::{FromRef, FromRequest, FromRequestParts, Request},
    http::{HeaderMap, request::Parts},
};
use ring::digest::{SHA256, digest};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::{TABLE, problem::Problem};
use crate::{context::ServiceContext, keys};

/// The caller has shown the API secret: a backend.
pub(super) struct Backend;

/// The caller has shown the public key: a browser.
pub(super) struct Browser;

impl<S: Send + Sync> FromRequestParts<S> for Backend
where
    ServiceContext: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let (context, headers) = (ServiceContext::from_ref(state), &parts.headers);
        require(&context, headers, "ApiSecret", "app:secret:", "api_secret").await.map(|()| Self)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Browser
where
    ServiceContext: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let (context, headers) = (ServiceContext::from_ref(state), &parts.headers);
        require(&context, headers, "ApiKey", "app:public:", "api_key").await.map(|()| Self)
    }
}

async fn require(
    context: &ServiceContext,
    headers: &HeaderMap,
    header: &'static str,
    prefix: &'static str,
    name: &'static str,
) -> Result<(), Problem> {
    let unauthorized = Problem::Unauthorized { header };
    let shown = headers.get(header).and_then(|shown| shown.to_str().ok());
    let shown = shown.and_then(|shown| shown.strip_prefix(prefix)).ok_or(unauthorized.clone())?;
    let kept =
        context.store.with(move |tx| keys::load_or_create(tx, TABLE, name, keys::HEX, 32)).await?;
    // Hashes are compared, so that the time that it takes gives nothing of the key away.
    let same =
        digest(&SHA256, shown.as_bytes()).as_ref() == digest(&SHA256, kept.as_bytes()).as_ref();
    same.then_some(()).ok_or(unauthorized)
}

/// A JSON body; the service takes its names in any case (`RPID`, `clientDataJson`, `userid`).
pub(super) struct Input<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Input<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let body = Bytes::from_request(request, state).await.map_err(|_| Problem::Unreadable)?;
        let value: Value = serde_json::from_slice(&body).map_err(|_| Problem::Unreadable)?;
        read(value).map(Self)
    }
}

/// Reads what was sent; the names of `T`'s fields are in lower case.
pub(super) fn read<T: DeserializeOwned>(value: Value) -> Result<T, Problem> {
    serde_json::from_value(lower(value)).map_err(|_| Problem::Unreadable)
}

/// All names in lower case, and what is null as if it weren't there.
fn lower(value: Value) -> Value {
    match value {
        // A null counts as a missing field, for a client may write all of its fields always.
        Value::Object(fields) => Value::Object(
            fields
                .into_iter()
                .filter(|(_, value)| !value.is_null())
                .map(|(name, value)| (name.to_ascii_lowercase(), lower(value)))
                .collect::<Map<_, _>>(),
        ),
        Value::Array(items) => items.into_iter().map(lower).collect(),
        other => other,
    }
}
