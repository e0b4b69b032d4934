//! Tokens: random, stored by their hash together with their payload, and good for a while.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use ring::digest::{SHA256, digest};
use rusqlite::{OptionalExtension as _, Transaction};
use serde::{Serialize, de::DeserializeOwned};
use serve::Millis;

use super::super::problem::{Problem, Stop};

/// How long a token is good, unless a backend says otherwise.
pub(in super::super) const LIFE: std::time::Duration = std::time::Duration::from_secs(120);
/// For how long an expired token can be told from one that never existed, in milliseconds.
const REMEMBERED_MS: i64 = 24 * 3_600_000;
/// How many tokens are stored; the oldest ones make room for new ones.
const MOST: i64 = 10_000;

/// What a token is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Kind {
    /// Begins a registration; as often as wanted until its end, as with the service.
    Register,
    /// Completes a registration, once.
    RegisterSession,
    /// Completes a sign-in, once.
    SignInSession,
    /// Tells a backend who signed in, once.
    Verify,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Register => "register",
            Self::RegisterSession => "register session",
            Self::SignInSession => "signin session",
            Self::Verify => "verify",
        }
    }

    const fn prefix(self) -> &'static str {
        match self {
            Self::Register => "register_",
            Self::RegisterSession | Self::SignInSession => "session_",
            Self::Verify => "verify_",
        }
    }

    const fn once(self) -> bool {
        match self {
            Self::Register => false,
            Self::RegisterSession | Self::SignInSession | Self::Verify => true,
        }
    }
}

/// Makes a token with `payload` that is good until `expires_at`.
///
/// # Panics
/// If the operating system has no random bytes.
pub(in super::super) fn issue(
    tx: &Transaction<'_>,
    kind: Kind,
    payload: &impl Serialize,
    now: Millis,
    expires_at: Millis,
) -> rusqlite::Result<String> {
    let mut bytes = [0u8; 32];
    getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
    let text = format!("{}{}", kind.prefix(), BASE64URL.encode(bytes));
    let payload = serde_json::to_string(payload)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
    // Old tokens go when a new one comes, since no timer runs here.
    tx.execute(
        "DELETE FROM passwordless_tokens WHERE expires_at < ?1
            OR rowid <= (SELECT max(rowid) FROM passwordless_tokens) - ?2",
        (now.0.saturating_sub(REMEMBERED_MS), MOST),
    )?;
    tx.execute(
        "INSERT INTO passwordless_tokens(hash, kind, payload, expires_at) VALUES (?1, ?2, ?3, ?4)",
        (hash(&text), kind.name(), payload, expires_at.0),
    )?;
    Ok(text)
}

/// The payload of a token. A token that is good once is used up by this, even if the call fails afterwards.
pub(in super::super) fn take<T: DeserializeOwned>(
    tx: &Transaction<'_>,
    kind: Kind,
    text: Option<&str>,
    now: Millis,
) -> Result<T, Stop> {
    let prefix = kind.prefix();
    let text = text.filter(|text| !text.is_empty()).ok_or(Problem::MissingToken { prefix })?;
    let bare = text.strip_prefix(prefix).ok_or(Problem::InvalidToken { prefix })?;
    BASE64URL.decode(bare).map_err(|_| Problem::TokenFormat)?;
    let select = "SELECT payload, expires_at, used FROM passwordless_tokens
                  WHERE hash = ?1 AND kind = ?2";
    let found: Option<(String, i64, bool)> = tx
        .query_row(select, (hash(text), kind.name()), |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })
        .optional()?;
    let (payload, expires_at, used) = found.ok_or(Problem::InvalidToken { prefix })?;
    if used {
        return Err(Problem::InvalidToken { prefix }.into());
    }
    let expires_at = Millis(expires_at);
    if expires_at < now {
        let seconds = now.since(expires_at).as_secs();
        return Err(Problem::ExpiredToken { seconds }.into());
    }
    if kind.once() {
        tx.execute(
            "UPDATE passwordless_tokens SET used = 1, payload = '' WHERE hash = ?1",
            [hash(text)],
        )?;
    }
    serde_json::from_str(&payload).map_err(|_| Problem::InvalidToken { prefix }.into())
}

fn hash(text: &str) -> Vec<u8> {
    digest(&SHA256, text.as_bytes()).as_ref().to_vec()
}
