//! What a refusal means: by its code where it has one, else by its status; its prose isn't read.

use session::Failure;
use wire::passwordless::{LimitError, Problem};

use super::super::{CallError, Doing, error::Cause};

/// A failed call, by its remedy. It repeats nothing that the service wrote.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PasskeyError {
    /// The API secret isn't accepted.
    #[error("{0}: the passkey service does not accept the API secret; enter it again")]
    Unauthorized(Doing),
    /// The token isn't one, is one for something else, or was used before.
    #[error("{0}: the passkey service does not accept what the browser brought; begin again")]
    InvalidToken(Doing),
    /// The token's time is over: somebody waited too long, or one of the clocks is wrong.
    #[error("{0}: it came too late; begin again, and check this computer's clock if that repeats")]
    ExpiredToken(Doing),
    /// An alias belongs to another user.
    #[error("{0}: one of the aliases belongs to somebody else; remove or change it")]
    AliasConflict(Doing),
    /// No such passkey.
    #[error("{0}: the passkey service does not know this passkey; load the list again")]
    UnknownCredential(Doing),
    /// It was not sent, since it would go beyond the service's limits.
    #[error("{doing}: {limit}")]
    Limit {
        /// What was to be done.
        doing: Doing,
        /// What to change.
        limit: LimitError,
    },
    /// The service refused fields.
    #[error("{doing}: the passkey service refused {}; change that", listed(fields))]
    Invalid {
        /// What was being done.
        doing: Doing,
        /// Which, as far as we know them.
        fields: Vec<Field>,
    },
    /// It failed as any call can.
    #[error(transparent)]
    Call(#[from] CallError),
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
    /// The aliases.
    Aliases,
    /// A token.
    Token,
    /// A passkey's id.
    CredentialId,
    /// One that we don't know.
    Other,
}

/// What an answer that isn't a success means: by its code where it has one, else by its status.
pub(super) fn of(doing: Doing, cause: Cause, body: &[u8]) -> PasskeyError {
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
            super::of(Doing::SetAliases, cause, body.as_bytes())
        };
        let conflict = PasskeyError::AliasConflict(Doing::SetAliases);
        assert_eq!(of(409, r#"{"errorCode":"alias_conflict","title":"hush"}"#), conflict);
        assert_eq!(of(409, "<html>"), conflict);
        let expired = of(403, r#"{"errorCode":"expired_token","title":"expired 5 min ago"}"#);
        assert!(expired.to_string().contains("clock"), "{expired}");
        let invalid =
            of(400, r#"{"errors":{"x":1,"Aliases[2]":["hush"],"$.userId":[],"aliases":[]}}"#);
        let text = "set the aliases: the passkey service refused the user id, the aliases, a field; change that";
        assert_eq!(invalid.to_string(), text);
        assert!(matches!(of(403, "{}"), PasskeyError::Call(_)));
    }
}
