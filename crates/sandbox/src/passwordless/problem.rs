//! Refusals as the service writes them: `application/problem+json`, exactly that.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use super::webauthn::Refusal;
use crate::StoreError;

/// Why a call is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Problem {
    /// The header with the key is missing or wrong.
    Unauthorized { header: &'static str },
    /// Fields that are missing or go beyond a limit.
    Invalid { field: &'static str, why: String },
    /// The body is not JSON, or not of the documented kinds.
    Unreadable,
    /// There is no token.
    MissingToken { prefix: &'static str },
    /// The token doesn't exist, is for another call, or was used.
    InvalidToken { prefix: &'static str },
    /// The text can't be a token.
    TokenFormat,
    /// The token has expired.
    ExpiredToken { seconds: u64 },
    /// Another attestation than "none" is asked for.
    Attestation,
    /// An alias is another user's.
    AliasConflict,
    /// Nobody has such a passkey.
    UnknownCredential,
    /// A registration didn't pass its checks.
    Registration(Refusal),
    /// A passkey with this id is there already.
    CredentialExists,
    /// A sign-in didn't pass its checks.
    SignIn(Refusal),
    /// The passkey isn't one of those that were asked for, or belongs to another user.
    OtherCredential,
    /// The store failed.
    Broken,
}

impl Problem {
    pub(super) fn invalid(field: &'static str, why: impl ToString) -> Self {
        Self::Invalid { field, why: why.to_string() }
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::Unauthorized { .. } => StatusCode::UNAUTHORIZED,
            Self::ExpiredToken { .. } => StatusCode::FORBIDDEN,
            Self::AliasConflict => StatusCode::CONFLICT,
            Self::Broken => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Invalid { .. }
            | Self::Unreadable
            | Self::MissingToken { .. }
            | Self::InvalidToken { .. }
            | Self::TokenFormat
            | Self::Attestation
            | Self::UnknownCredential
            | Self::Registration(_)
            | Self::CredentialExists
            | Self::SignIn(_)
            | Self::OtherCredential => StatusCode::BAD_REQUEST,
        }
    }

    /// The service's code; none where it has none.
    fn code(&self) -> Option<&'static str> {
        match self {
            Self::MissingToken { .. } => Some("missing_token"),
            Self::InvalidToken { .. } => Some("invalid_token"),
            Self::TokenFormat => Some("invalid_token_format"),
            Self::ExpiredToken { .. } => Some("expired_token"),
            Self::Attestation => Some("invalid_attestation"),
            Self::AliasConflict => Some("alias_conflict"),
            Self::UnknownCredential => Some("unknown_credential"),
            Self::Registration(_) | Self::CredentialExists => Some("fido2_invalid_registration"),
            Self::SignIn(_) | Self::OtherCredential => Some("signin_complete_error"),
            Self::Unauthorized { .. } | Self::Invalid { .. } | Self::Unreadable | Self::Broken => {
                None
            }
        }
    }

    fn title(&self) -> String {
        match self {
            Self::Unauthorized { header } => format!("A valid '{header}' header is required."),
            Self::Invalid { .. } => "One or more validation errors occurred.".to_owned(),
            Self::Unreadable => "The request's body could not be read.".to_owned(),
            Self::MissingToken { prefix } => {
                format!("This operation requires a token that starts with '{prefix}'.")
            }
            Self::InvalidToken { prefix } => {
                format!("The token is not valid. It should start with '{prefix}' and be unused.")
            }
            Self::TokenFormat => "The token should be valid base64url.".to_owned(),
            Self::ExpiredToken { seconds } => format!("The token expired {seconds} seconds ago."),
            Self::Attestation => "Attestation type not supported".to_owned(),
            Self::AliasConflict => "Alias is already in use by another userid".to_owned(),
            Self::UnknownCredential => "We don't recognize the passkey you sent us.".to_owned(),
            Self::Registration(refusal) => format!("The passkey was not registered: {refusal}."),
            Self::CredentialExists => "The passkey is registered already.".to_owned(),
            Self::SignIn(refusal) => format!("The sign-in was refused: {refusal}."),
            Self::OtherCredential => "The sign-in was begun for another passkey.".to_owned(),
            // The cause is in our log. The service's own text has no more, either.
            Self::Broken => "The api has encountered an error".to_owned(),
        }
    }

    fn body(&self) -> Value {
        let anchor = match self {
            // The documentation has one page for all errors, with the code as the anchor.
            Self::Unauthorized { header } => header,
            _ => self.code().unwrap_or_default(),
        };
        let mut body = json!({
            "type": format!("https://docs.passwordless.dev/guide/errors.html#{anchor}"),
            "title": self.title(),
            "status": self.status().as_u16(),
        });
        if let Some(code) = self.code() {
            body["errorCode"] = code.into();
        }
        if let Self::Invalid { field, why } = self {
            body["errors"] = json!({ *field: [why] });
        }
        body
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let kind = [(header::CONTENT_TYPE, "application/problem+json")];
        let mut response = (self.status(), kind, self.body().to_string()).into_response();
        if let Self::Unauthorized { header } = self {
            let scheme = HeaderValue::from_static(header);
            response.headers_mut().insert(header::WWW_AUTHENTICATE, scheme);
        }
        response
    }
}

/// Why a transaction ends early: a refusal commits what was written before it, a failure rolls everything back.
#[derive(Debug)]
pub(super) enum Stop {
    Refused(Problem),
    Failed(rusqlite::Error),
}

impl From<Problem> for Stop {
    fn from(problem: Problem) -> Self {
        Self::Refused(problem)
    }
}

impl From<rusqlite::Error> for Stop {
    fn from(error: rusqlite::Error) -> Self {
        Self::Failed(error)
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "answer a call of Passwordless.dev's");
        Self::Broken
    }
}
