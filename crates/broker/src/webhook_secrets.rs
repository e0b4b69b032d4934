//! The secrets with which hooks' deliveries are signed: one for each console, derived from the hash of its key, so that
//! none has to be stored (Standard Webhooks, <https://www.standardwebhooks.com>).

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ring::hmac;
use secrecy::{ExposeSecret as _, SecretString};

use crate::{hub::credential::KeyHash, store::SigningKey};

/// Tells these secrets from whatever else may be derived from the store's key.
const PURPOSE: &[u8] = b"deskhand: secrets of webhooks, version 1";

/// What every console's secret is derived from.
pub(crate) struct WebhookSecrets(hmac::Key);

impl WebhookSecrets {
    /// Derives from the key that signs programs, which is as lasting as the store, and which nobody is told.
    pub fn new(key: &SigningKey) -> Self {
        let root = hmac::Key::new(hmac::HMAC_SHA256, key.expose_secret());
        Self(hmac::Key::new(hmac::HMAC_SHA256, hmac::sign(&root, PURPOSE).as_ref()))
    }

    /// A console's secret, as it is told to the console.
    pub fn secret(&self, console: &KeyHash) -> SecretString {
        format!("whsec_{}", STANDARD.encode(hmac::sign(&self.0, console).as_ref())).into()
    }

    /// The `webhook-signature` of one attempt of a delivery.
    pub fn signature(&self, console: &KeyHash, id: &str, timestamp: u64, body: &[u8]) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, hmac::sign(&self.0, console).as_ref());
        let mut signed = hmac::Context::with_key(&key);
        signed.update(format!("{id}.{timestamp}.").as_bytes());
        signed.update(body);
        format!("v1,{}", STANDARD.encode(signed.sign().as_ref()))
    }
}

impl std::fmt::Debug for WebhookSecrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("WebhookSecrets")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_can_be_checked_with_the_secret_that_the_console_was_told() {
        let secrets = WebhookSecrets::new(&vec![1; 32].into());
        let told = secrets.secret(&[2; 32]);
        let bytes = STANDARD.decode(told.expose_secret().strip_prefix("whsec_").unwrap()).unwrap();
        let key = hmac::Key::new(hmac::HMAC_SHA256, &bytes);
        let expected = STANDARD.encode(hmac::sign(&key, b"msg_1.17.{}").as_ref());
        let signature = secrets.signature(&[2; 32], "msg_1", 17, b"{}");
        assert_eq!(signature, format!("v1,{expected}"));
        assert_ne!(secrets.signature(&[3; 32], "msg_1", 17, b"{}"), signature);
        assert_ne!(secrets.secret(&[3; 32]).expose_secret(), told.expose_secret());
    }
}
