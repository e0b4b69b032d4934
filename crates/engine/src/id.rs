//! A session's identity within this console. The service knows nothing of it.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A session's identity: random, no secret, the same in journal, archive and window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SessionId(Uuid);

/// The error for a text that is no session's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a session's id is 32 hexadecimal digits in five groups")]
pub struct SessionIdShape;

impl SessionId {
    /// A new session's identity.
    pub fn random() -> Self {
        Self(Uuid::new_v4())
    }

    /// The identity with these 16 bytes.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(Uuid::from_bytes(bytes))
    }

    /// Its 16 bytes, as the databases store it.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }
}

impl From<Uuid> for SessionId {
    fn from(uuid: Uuid) -> Self {
        Self(uuid)
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for SessionId {
    type Err = SessionIdShape;

    fn from_str(text: &str) -> Result<Self, SessionIdShape> {
        text.parse().map(Self).map_err(|_| SessionIdShape)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_bytes_and_json_are_the_same_identity() {
        let id = SessionId::random();
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(SessionId::from_bytes(*id.as_bytes()), id);
        assert_eq!(serde_json::to_value(id).unwrap(), id.to_string());
        assert_eq!("x".parse::<SessionId>(), Err(SessionIdShape));
    }
}
