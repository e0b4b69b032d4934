//! Reading requests: the client that makes a call, its URL's query, and the fields of its JSON body.

use std::{ops::RangeInclusive, sync::Arc};

use axum::{
    Extension,
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Request, rejection::ExtensionRejection},
    http::request::Parts,
    response::{IntoResponse as _, Response},
};
use serde_json::Value;
use serve::Client;
use wire::{Pin, session_events::CONSOLE_KEY_HEADER};

use super::context::ApiContext;
use crate::{
    coordinator::Coordinator,
    endpoint::Endpoint,
    hub::{
        credential::{KeyHash, sha256},
        refusal::Refused,
    },
};

/// A call: who makes it, where it came in, and who decides on it.
pub(super) struct Call {
    pub coordinator: Arc<Coordinator>,
    pub endpoint: Arc<Endpoint>,
    pub client: Client,
}

impl FromRequestParts<ApiContext> for Call {
    type Rejection = ExtensionRejection;

    async fn from_request_parts(
        parts: &mut Parts,
        context: &ApiContext,
    ) -> Result<Self, Self::Rejection> {
        let Extension(client) = Extension::from_request_parts(parts, context).await?;
        let ApiContext { coordinator, endpoint, .. } = context.clone();
        Ok(Self { coordinator, endpoint, client })
    }
}

/// The hash of the key that a console says its own sessions by; none if it gave no key.
pub(super) struct ConsoleKey(pub Option<KeyHash>);

/// Shorter keys could be guessed, longer ones only cost.
const KEY_LENGTHS: RangeInclusive<usize> = 16..=256;

impl ConsoleKey {
    pub fn required(self) -> Result<KeyHash, Refused> {
        self.0.ok_or_else(|| {
            Refused::malformed(format!("the header {CONSOLE_KEY_HEADER} is missing"))
        })
    }
}

impl<S: Sync> FromRequestParts<S> for ConsoleKey {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refused> {
        let Some(value) = parts.headers.get(CONSOLE_KEY_HEADER) else { return Ok(Self(None)) };
        let key = value.to_str().ok().filter(|key| KEY_LENGTHS.contains(&key.len()));
        let key = key.ok_or_else(|| {
            Refused::malformed(format!(
                "{CONSOLE_KEY_HEADER} must be a random text of 16 to 256 ASCII characters"
            ))
        })?;
        Ok(Self(Some(sha256(key))))
    }
}

/// The query of a URL. It is read leniently: what can't be decoded isn't there.
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    pub fn pin(&self) -> Result<Pin, Refused> {
        parse_pin(
            self.get("session_pin").ok_or_else(|| Refused::malformed("session_pin is missing"))?,
        )
    }

    /// The first value of this name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

impl<S: Sync> FromRequestParts<S> for Query {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let query = parts.uri.query().unwrap_or_default();
        Ok(Self(url::form_urlencoded::parse(query.as_bytes()).into_owned().collect()))
    }
}

/// A JSON object of a request, whatever Content-Type it came with.
pub(super) struct Fields(serde_json::Map<String, Value>);

impl<S: Send + Sync> FromRequest<S> for Fields {
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Self::Rejection> {
        let body = Bytes::from_request(request, state).await.map_err(|e| e.into_response())?;
        Self::read(&body).map_err(|refused| refused.into_response())
    }
}

impl Fields {
    fn read(body: &[u8]) -> Result<Self, Refused> {
        match serde_json::from_slice(body) {
            Ok(Value::Object(fields)) => Ok(Self(fields)),
            Ok(_) => Err(Refused::malformed("the body is not a JSON object")),
            // The parser's own message could quote a PIN.
            Err(_) => Err(Refused::malformed("the body is not JSON")),
        }
    }

    pub fn text(&self, name: &str) -> Result<&str, Refused> {
        match self.0.get(name) {
            Some(Value::String(text)) => Ok(text),
            Some(_) => Err(Refused::malformed(format!("{name} is not a text"))),
            None => Err(Refused::malformed(format!("{name} is missing"))),
        }
    }

    /// An empty text if there is no such field.
    pub fn optional(&self, name: &str) -> Result<&str, Refused> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(""),
            Some(_) => self.text(name),
        }
    }

    /// False if there is no such field.
    pub fn flag(&self, name: &str) -> Result<bool, Refused> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(_) => Err(Refused::malformed(format!("{name} is true or false"))),
        }
    }

    pub fn pin(&self) -> Result<Pin, Refused> {
        parse_pin(self.text("session_pin")?)
    }
}

/// Reads bytes as a call's body, then as its query, for everything that calls ask of these.
pub(crate) fn read_fields(bytes: &[u8]) {
    if let Ok(fields) = Fields::read(bytes) {
        let _ = fields.pin();
        for name in fields.0.keys() {
            let _ = (fields.text(name), fields.optional(name), fields.flag(name));
        }
    }
    let query = Query(url::form_urlencoded::parse(bytes).into_owned().collect());
    let _ = query.pin();
}

fn parse_pin(text: &str) -> Result<Pin, Refused> {
    text.parse().map_err(|shape| Refused::malformed(format!("session_pin: {shape}")))
}
