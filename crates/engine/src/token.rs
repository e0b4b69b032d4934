//! A hook's token: whoever has it can make an event of its session, so it is 256 random bits and
//! never prints itself. The listener knows it only by its SHA-256.

use std::{fmt, str::FromStr};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::digest::{SHA256, digest};
use secrecy::{ExposeSecret as _, SecretString};

/// How many characters a token's text has.
pub const TOKEN_CHARS: usize = 43;

/// The secret part of a hook's URL: 43 characters of URL-safe base64.
#[derive(Clone)]
pub struct HookToken(SecretString);

/// The SHA-256 of a token, by which the listener finds its hook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TokenHash([u8; 32]);

/// A text that can't be a token. It doesn't repeat the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a hook's token is {TOKEN_CHARS} characters of URL-safe base64")]
pub struct TokenShape;

/// The operating system gave no random bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("make a secret: the operating system gave no random bytes")]
pub struct NoRandom;

/// A number of two digits that two people compare.
///
/// # Errors
/// [`NoRandom`].
pub fn two_digits() -> Result<u8, NoRandom> {
    let mut byte = [u8::MAX];
    // Twice 90: above it the first numbers would come more often.
    while byte[0] >= 180 {
        getrandom::fill(&mut byte).map_err(|_| NoRandom)?;
    }
    Ok(10 + byte[0] % 90)
}

impl HookToken {
    /// A new token from the operating system's random bytes.
    ///
    /// # Errors
    /// [`NoRandom`].
    pub fn random() -> Result<Self, NoRandom> {
        let mut bytes = [0u8; 32];
        getrandom::fill(&mut bytes).map_err(|_| NoRandom)?;
        Ok(Self::from_bytes(bytes))
    }

    /// The token with these bits.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(URL_SAFE_NO_PAD.encode(bytes).into())
    }

    /// The text, for the hook's URL.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// The hash by which the listener finds the hook.
    pub fn hash(&self) -> TokenHash {
        TokenHash::from_token(self.expose())
    }
}

impl TokenHash {
    /// The hash of any text that came as a token.
    pub fn from_token(text: &str) -> Self {
        let mut hash = [0u8; 32];
        hash.copy_from_slice(digest(&SHA256, text.as_bytes()).as_ref());
        Self(hash)
    }
}

impl fmt::Display for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl FromStr for HookToken {
    type Err = TokenShape;

    fn from_str(text: &str) -> Result<Self, TokenShape> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| TokenShape)?;
        Ok(Self::from_bytes(bytes.try_into().map_err(|_| TokenShape)?))
    }
}

impl fmt::Debug for HookToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HookToken(redacted)")
    }
}

impl PartialEq for HookToken {
    fn eq(&self, other: &Self) -> bool {
        // Comparing hashes leaks nothing about the token, however the comparison is timed.
        self.hash() == other.hash()
    }
}

impl Eq for HookToken {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_43_url_safe_characters_and_found_by_its_hash() {
        let token = HookToken::random().unwrap();
        assert_eq!(token.expose().len(), TOKEN_CHARS);
        assert_eq!(token.expose().parse(), Ok(token.clone()));
        assert_eq!(TokenHash::from_token(token.expose()), token.hash());
        assert_ne!(HookToken::random().unwrap(), token);
    }

    #[test]
    fn another_shape_is_refused() {
        for wrong in ["", "abc", &"a".repeat(44), &"+".repeat(43), &"é".repeat(43)] {
            assert_eq!(wrong.parse::<HookToken>(), Err(TokenShape));
        }
    }

    #[test]
    fn debug_never_shows_the_token() {
        let token = HookToken::from_bytes([7; 32]);
        assert!(!format!("{token:?}").contains(token.expose()));
    }
}
