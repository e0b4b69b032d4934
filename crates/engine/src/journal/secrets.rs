//! A session's secrets and their sealed form.

use std::borrow::Cow;

use secrecy::zeroize::Zeroizing;
use serde::{Deserialize, Serialize};
use wire::{ConfText, Pin};

use crate::token::HookToken;

/// The secrets that only the session's actor knows: the PIN, its hooks' tokens in `HookType::ALL`'s
/// order, and the conf of the customer's program while its download may be retried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionSecrets {
    /// The PIN, once there is one.
    pub pin: Option<Pin>,
    /// The tokens of the four hooks' URLs.
    pub tokens: [HookToken; 4],
    /// Given once per PIN, ever; present only if the program's download didn't complete.
    pub conf: Option<ConfText>,
}

#[derive(Serialize, Deserialize)]
struct Plain<'a> {
    #[serde(borrow)]
    pin: Option<&'a str>,
    #[serde(borrow)]
    tokens: [&'a str; 4],
    /// As the service wrote it, so it may need escapes and can't be borrowed. Older rows have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    conf: Option<Cow<'a, str>>,
}

impl SessionSecrets {
    /// As text to be sealed; wiped from memory when dropped.
    pub(super) fn to_plain(&self) -> Zeroizing<Vec<u8>> {
        let plain = Plain {
            pin: self.pin.as_ref().map(Pin::expose),
            tokens: self.tokens.each_ref().map(HookToken::expose),
            conf: self.conf.as_ref().map(|conf| Cow::Borrowed(conf.expose())),
        };
        // Room for it all at once: a growing buffer would leave copies behind.
        let conf = self.conf.as_ref().map_or(0, |conf| conf.expose().len());
        let mut text = Zeroizing::new(Vec::with_capacity(512 + 2 * conf));
        serde_json::to_writer(&mut *text, &plain)
            .unwrap_or_else(|_| unreachable!("strings into memory"));
        text
    }

    pub(super) fn from_plain(text: &[u8]) -> Option<Self> {
        let plain: Plain<'_> = serde_json::from_slice(text).ok()?;
        let pin = plain.pin.map(str::parse).transpose().ok()?;
        let [a, b, c, d] = plain.tokens.map(|token| token.parse().ok());
        let conf = plain.conf.map(|conf| ConfText::from(conf.into_owned()));
        Some(Self { pin, tokens: [a?, b?, c?, d?], conf })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_come_back_and_are_never_printed() {
        let tokens = [1, 2, 3, 4].map(|n| HookToken::from_bytes([n; 32]));
        let conf = || Some(ConfText::from("eyJ0dGw\"+/".to_owned()));
        for (pin, conf) in [(None, None), (Some("7W2-97-8570".parse().unwrap()), conf())] {
            let secrets = SessionSecrets { pin, tokens: tokens.clone(), conf };
            assert_eq!(SessionSecrets::from_plain(&secrets.to_plain()), Some(secrets.clone()));
            let printed = format!("{secrets:?}");
            for secret in ["7W2", tokens[0].expose(), "eyJ"] {
                assert!(!printed.contains(secret), "{printed}");
            }
        }
    }

    #[test]
    fn a_row_of_before_confs_were_kept_is_read() {
        let tokens = [1, 2, 3, 4].map(|n| HookToken::from_bytes([n; 32]));
        let plain =
            serde_json::json!({ "pin": null, "tokens": tokens.each_ref().map(HookToken::expose) });
        let read = SessionSecrets::from_plain(plain.to_string().as_bytes());
        assert_eq!(read, Some(SessionSecrets { pin: None, tokens, conf: None }));
    }
}
