//! What a browser is asked with: the WebAuthn options as the service writes them.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use serde_json::{Value, json};

use super::webauthn::PublicKey;

/// How long a browser waits for the person, in milliseconds.
const PATIENCE_MS: u32 = 60_000;

/// What a passkey is asked for with.
pub(super) struct Creation<'a> {
    pub challenge: &'a [u8],
    pub rp_id: &'a str,
    pub user_id: &'a str,
    pub username: &'a str,
    pub display_name: &'a str,
    pub authenticator_type: &'a str,
    pub discoverable: bool,
    pub user_verification: &'a str,
    /// The user's passkeys: a device that has one of them makes no other.
    pub exclude: &'a [String],
}

impl Creation<'_> {
    pub(super) fn json(&self) -> Value {
        let mut selection = json!({
            "residentKey": if self.discoverable { "required" } else { "discouraged" },
            "requireResidentKey": self.discoverable,
            "userVerification": self.user_verification,
        });
        if self.authenticator_type != "any" {
            selection["authenticatorAttachment"] = self.authenticator_type.into();
        }
        let algorithms = PublicKey::ALGORITHMS;
        json!({
            "rp": { "id": self.rp_id, "name": self.rp_id },
            "user": {
                "name": self.username,
                "id": BASE64URL.encode(self.user_id),
                "displayName": self.display_name,
            },
            "challenge": BASE64URL.encode(self.challenge),
            "pubKeyCredParams": algorithms.map(|alg| json!({ "type": "public-key", "alg": alg })),
            "timeout": PATIENCE_MS,
            "attestation": "none",
            "authenticatorSelection": selection,
            "excludeCredentials": descriptors(self.exclude),
            "extensions": { "credProps": true },
            "status": "ok",
            "errorMessage": "",
        })
    }
}

/// What a sign-in is asked for with; without `allow` any passkey that the device can offer will do.
pub(super) fn request(
    challenge: &[u8],
    rp_id: &str,
    allow: &[String],
    user_verification: &str,
) -> Value {
    json!({
        "challenge": BASE64URL.encode(challenge),
        "timeout": PATIENCE_MS,
        "rpId": rp_id,
        "allowCredentials": descriptors(allow),
        "userVerification": user_verification,
        "extensions": {},
        "status": "ok",
        "errorMessage": "",
    })
}

fn descriptors(ids: &[String]) -> Vec<Value> {
    ids.iter().map(|id| json!({ "type": "public-key", "id": id })).collect()
}
