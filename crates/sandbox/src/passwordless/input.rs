//! Extractors for the service's calls: the key, and a body whose names are read in any case.

use axum::{
    body::Bytes,
    extract::{FromRef, FromRequest, FromRequestParts, Request},
    http::request::Parts,
};
use ring::digest::{SHA256, digest};
use rusqlite::Transaction;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::{TABLE, problem::Problem};
use crate::{context::ServiceContext, keys};

/// The caller has shown the API secret if it has to be a backend, and the public key otherwise.
pub(super) struct Authenticated<const IS_BACKEND: bool>;

pub(super) type Backend = Authenticated<true>;
pub(super) type Browser = Authenticated<false>;

impl<const IS_BACKEND: bool, S: Send + Sync> FromRequestParts<S> for Authenticated<IS_BACKEND>
where
    ServiceContext: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let (header, prefix, name) = match IS_BACKEND {
            true => ("ApiSecret", "app:secret:", "api_secret"),
            false => ("ApiKey", "app:public:", "api_key"),
        };
        let unauthorized = Problem::Unauthorized { header };
        let shown = parts.headers.get(header).and_then(|shown| shown.to_str().ok());
        let shown = shown.and_then(|shown| shown.strip_prefix(prefix));
        let shown = shown.ok_or(unauthorized.clone())?;
        let load = move |tx: &Transaction<'_>| keys::load_or_create(tx, TABLE, name, keys::HEX, 32);
        let stored = ServiceContext::from_ref(state).store.with(load).await?;
        // Hashes are compared, so that the time that it takes gives nothing of the key away.
        let hash = |text: &str| digest(&SHA256, text.as_bytes());
        let same = hash(shown).as_ref() == hash(&stored).as_ref();
        same.then_some(Self).ok_or(unauthorized)
    }
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
