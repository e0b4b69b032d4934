//! A session's secrets and their sealed form.

use secrecy::zeroize::Zeroizing;
use serde::{Deserialize, Serialize};
use wire::Pin;

use crate::token::HookToken;

/// What only the session's actor knows: the PIN and its hooks' tokens, in `HookType::ALL`'s order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionSecrets {
    /// The PIN, once there is one.
    pub pin: Option<Pin>,
    /// The tokens of the four hooks' URLs.
    pub tokens: [HookToken; 4],
}

#[derive(Serialize, Deserialize)]
struct Plain<'a> {
    #[serde(borrow)]
    pin: Option<&'a str>,
    #[serde(borrow)]
    tokens: [&'a str; 4],
}

impl SessionSecrets {
    /// As text to be sealed; wiped from memory when dropped.
    pub(super) fn to_plain(&self) -> Zeroizing<Vec<u8>> {
        let plain = Plain {
            pin: self.pin.as_ref().map(Pin::expose),
            tokens: self.tokens.each_ref().map(HookToken::expose),
        };
        // Room for it all at once: a growing buffer would leave copies behind.
        let mut text = Zeroizing::new(Vec::with_capacity(512));
        serde_json::to_writer(&mut *text, &plain)
            .unwrap_or_else(|_| unreachable!("strings into memory"));
        text
    }

    pub(super) fn from_plain(text: &[u8]) -> Option<Self> {
        let plain: Plain<'_> = serde_json::from_slice(text).ok()?;
        let pin = plain.pin.map(str::parse).transpose().ok()?;
        let [a, b, c, d] = plain.tokens.map(|token| token.parse().ok());
        Some(Self { pin, tokens: [a?, b?, c?, d?] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_come_back_and_are_never_printed() {
        let tokens = [1, 2, 3, 4].map(|n| HookToken::from_bytes([n; 32]));
        for pin in [None, Some("7W2-97-8570".parse().unwrap())] {
            let secrets = SessionSecrets { pin, tokens: tokens.clone() };
            assert_eq!(SessionSecrets::from_plain(&secrets.to_plain()), Some(secrets.clone()));
            let printed = format!("{secrets:?}");
            assert!(!printed.contains("7W2") && !printed.contains(tokens[0].expose()), "{printed}");
        }
    }
}
