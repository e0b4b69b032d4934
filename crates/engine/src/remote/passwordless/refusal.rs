//! Classifies refusals by their code if there is one, else by their status; never by their prose.

use std::fmt;

use session::Failure;
use wire::passwordless::{LimitError, Problem};

use super::super::{CallError, Doing, error::Cause};

/// A failed call, by its remedy. It repeats nothing that the service wrote.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PasskeyError {
    /// The API secret isn't accepted.
    Unauthorized(Doing),
    /// The token isn't one, is one for something else, or was used before.
    InvalidToken(Doing),
    /// The token's time is over: somebody waited too long, or one of the clocks is wrong.
    ExpiredToken(Doing),
    /// An alias belongs to another user.
    AliasConflict(Doing),
    /// No such passkey.
    UnknownCredential(Doing),
    /// It was not sent, since it would go beyond the service's limits.
    Limit {
        /// The call that was not made.
        doing: Doing,
        limit: LimitError,
    },
    /// The service refused fields.
    Invalid {
        /// The call that failed.
        doing: Doing,
        /// The refused fields, as far as we know them.
        fields: Vec<Field>,
    },
    /// It failed as any call can.
    Call(#[from] CallError),
}

impl fmt::Display for PasskeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.doing(), self.why())
    }
}

impl PasskeyError {
    /// The call that failed.
    pub const fn doing(&self) -> Doing {
        match self {
            Self::Unauthorized(doing)
            | Self::InvalidToken(doing)
            | Self::ExpiredToken(doing)
            | Self::AliasConflict(doing)
            | Self::UnknownCredential(doing)
            | Self::Limit { doing, .. }
            | Self::Invalid { doing, .. } => *doing,
            Self::Call(call) => call.doing,
        }
    }

    /// Why the call failed, without the name of the call.
    pub fn why(&self) -> String {
        let why = match self {
            Self::Unauthorized(_) => "the passkey service does not accept the API secret",
            Self::InvalidToken(_) => "the passkey service does not accept the browser's token",
            Self::ExpiredToken(_) => "it came too late",
            Self::AliasConflict(_) => "one of the aliases belongs to somebody else",
            Self::UnknownCredential(_) => "the passkey service does not know this passkey",
            Self::Limit { limit, .. } => return limit.to_string(),
            Self::Invalid { fields, .. } => {
                return format!("the passkey service refused {}", listed(fields));
            }
            Self::Call(call) => &call.detail,
        };
        why.to_owned()
    }
}

/// A field that the service can refuse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Field {
    /// The user's id.
    UserId,
    /// The user's name.
    Username,
    /// The person's name.
    DisplayName,
    Aliases,
    Token,
    /// A passkey's id.
    CredentialId,
    /// One that we don't know.
    Other,
}

/// The error for an unsuccessful answer: by its code if there is one, else by its status.
pub(super) fn from_response(doing: Doing, cause: Cause, body: &[u8]) -> PasskeyError {
    if cause.0 == Failure::Unauthorized {
        return PasskeyError::Unauthorized(doing);
    }
    let Failure::Rejected { status } = cause.0 else { return super::failed(doing, cause).into() };
    let problem: Problem = serde_json::from_slice(body).unwrap_or_default();
    match problem.error_code.as_str() {
        "expired_token" => PasskeyError::ExpiredToken(doing),
        "invalid_token" | "missing_token" | "invalid_token_format" => {
            PasskeyError::InvalidToken(doing)
        }
        "alias_conflict" => PasskeyError::AliasConflict(doing),
        "unknown_credential" => PasskeyError::UnknownCredential(doing),
        _ if status == 409 => PasskeyError::AliasConflict(doing),
        _ if !problem.errors.is_empty() => {
            let mut fields: Vec<Field> = problem.errors.keys().map(|name| field(name)).collect();
            fields.sort_unstable();
            fields.dedup();
            PasskeyError::Invalid { doing, fields }
        }
        _ => super::failed(doing, cause).into(),
    }
}

fn field(name: &str) -> Field {
    // `aliases[3]` and `$.aliases` are the aliases too.
    let name = name.trim_start_matches("$.").to_ascii_lowercase();
    match name.split(['[', '.']).next().unwrap_or_default() {
        "userid" => Field::UserId,
        "username" => Field::Username,
        "displayname" => Field::DisplayName,
        "aliases" => Field::Aliases,
        "token" => Field::Token,
        "credentialid" => Field::CredentialId,
        _ => Field::Other,
    }
}

fn listed(fields: &[Field]) -> String {
    let names = fields.iter().map(|field| match field {
        Field::UserId => "the user id",
        Field::Username => "the username",
        Field::DisplayName => "the name",
        Field::Aliases => "the aliases",
        Field::Token => "the token",
        Field::CredentialId => "the passkey's id",
        Field::Other => "a field",
    });
    names.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_named_by_its_code_and_repeats_no_prose() {
        let of = |status, body: &str| {
            let cause = (Failure::Rejected { status }, "the service refused it".to_owned());
            from_response(Doing::SetAliases, cause, body.as_bytes())
        };
        let conflict = PasskeyError::AliasConflict(Doing::SetAliases);
        assert_eq!(of(409, r#"{"errorCode":"alias_conflict","title":"hush"}"#), conflict);
        assert_eq!(of(409, "<html>"), conflict);
        let expired = of(403, r#"{"errorCode":"expired_token","title":"expired 5 min ago"}"#);
        assert_eq!(expired, PasskeyError::ExpiredToken(Doing::SetAliases));
        let invalid =
            of(400, r#"{"errors":{"x":1,"Aliases[2]":["hush"],"$.userId":[],"aliases":[]}}"#);
        let text = "set the aliases: the passkey service refused the user id, the aliases, a field";
        assert_eq!(invalid.to_string(), text);
        assert!(matches!(of(403, "{}"), PasskeyError::Call(_)));
    }
}
