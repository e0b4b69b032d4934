//! The bodies of Rocket.Chat's responses, for calls that are carried out and for those that are not (services.md,
//! section 3).

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use wire::rocketchat::{DeviceSession, INVALID_PARAMS, NOT_FOUND, TOTP_INVALID, TOTP_REQUIRED};

use crate::StoreError;

/// Why a call is not carried out.
#[derive(Debug)]
pub(crate) enum CallError {
    NotLoggedIn,
    /// With `login` alone.
    WrongLogin,
    TooMany {
        seconds: u64,
    },
    InvalidParams(String),
    NoPermission,
    SecondFactor(FactorChallenge),
    NotFound,
    /// A text that the service has for it, and a type where it has one.
    Failed(&'static str, Option<&'static str>),
    Store(rusqlite::Error),
}

/// A second factor that is missing or wrong.
#[derive(Debug)]
pub(crate) struct FactorChallenge {
    pub method: &'static str,
    pub sent: bool,
    pub methods: Vec<&'static str>,
    pub wrong: bool,
    /// On signing in the answer has another form.
    pub at_login: bool,
}

impl From<rusqlite::Error> for CallError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(error)
    }
}

impl From<StoreError> for CallError {
    fn from(error: StoreError) -> Self {
        tracing::warn!(%error, "a call to Rocket.Chat's stand-in failed");
        // The client sees the same for every fault of the store.
        Self::Store(rusqlite::Error::InvalidQuery)
    }
}

/// A call that is carried out: `success: true` and more.
pub(crate) fn done(mut more: Value) -> Value {
    more["success"] = Value::Bool(true);
    more
}

/// A login session as an answer has it.
pub(crate) fn session_body(session: &DeviceSession, with_owner: bool) -> Value {
    let mut body = serde_json::to_value(session).unwrap_or_default();
    body["_id"] = session.session_id.clone().into();
    if let (false, Some(body)) = (with_owner, body.as_object_mut()) {
        body.remove("_user");
    }
    body
}

impl IntoResponse for CallError {
    fn into_response(self) -> Response {
        let failed = |error: String| json!({ "success": false, "error": error });
        let typed = |error: &str, kind: &str| json!({ "success": false, "error": format!("{error} [{kind}]"), "errorType": kind });
        let (status, body) = match self {
            Self::NotLoggedIn => (
                StatusCode::UNAUTHORIZED,
                json!({ "status": "error", "message": "You must be logged in to do this." }),
            ),
            Self::WrongLogin => (
                StatusCode::UNAUTHORIZED,
                json!({ "status": "error", "error": "Unauthorized", "message": "Unauthorized" }),
            ),
            Self::TooMany { seconds } => (
                StatusCode::TOO_MANY_REQUESTS,
                failed(format!(
                    "Error, too many requests. Please slow down. You must wait {seconds} seconds \
                     before trying this endpoint again. [error-too-many-requests]"
                )),
            ),
            Self::InvalidParams(why) => (StatusCode::BAD_REQUEST, typed(&why, INVALID_PARAMS)),
            Self::NoPermission => (
                StatusCode::FORBIDDEN,
                failed(
                    "User does not have the permissions required for this action [error-unauthorized]"
                        .into(),
                ),
            ),
            Self::SecondFactor(challenge) => challenge.body(),
            Self::NotFound => (StatusCode::NOT_FOUND, failed(NOT_FOUND.into())),
            Self::Failed(error, Some(kind)) => (StatusCode::BAD_REQUEST, typed(error, kind)),
            Self::Failed(error, None) => (StatusCode::BAD_REQUEST, failed(error.into())),
            Self::Store(_) => {
                (StatusCode::INTERNAL_SERVER_ERROR, failed("Internal server error".into()))
            }
        };
        (status, Json(body)).into_response()
    }
}

impl FactorChallenge {
    fn body(self) -> (StatusCode, Value) {
        let (text, kind) = if self.wrong {
            ("TOTP Invalid", TOTP_INVALID)
        } else {
            ("TOTP Required", TOTP_REQUIRED)
        };
        let mut details = json!({ "method": self.method, "codeGenerated": self.sent });
        if !self.wrong {
            details["availableMethods"] = self.methods.into();
        }
        let text = format!("{text} [{kind}]");
        if self.at_login {
            let body =
                json!({ "status": "error", "error": kind, "details": details, "message": text });
            return (StatusCode::UNAUTHORIZED, body);
        }
        let body =
            json!({ "success": false, "error": text, "errorType": kind, "details": details });
        (StatusCode::BAD_REQUEST, body)
    }
}
