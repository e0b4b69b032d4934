//! The WebAuthn options for a browser, as the service writes them.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use strum::{EnumString, VariantNames};

use super::webauthn::PublicKey;

/// How long a browser waits for the person, in milliseconds.
const PATIENCE_MS: u32 = 60_000;

/// Which device a passkey may be made with.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, EnumString, VariantNames,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case", ascii_case_insensitive)]
pub(super) enum AuthenticatorType {
    #[default]
    Any,
    Platform,
    CrossPlatform,
}

/// Whether the device checks that it is its owner who uses it.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, EnumString, VariantNames,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case", ascii_case_insensitive)]
pub(super) enum UserVerification {
    #[default]
    Preferred,
    Required,
    Discouraged,
}

/// The options with which a browser creates a passkey.
pub(super) struct Creation<'a> {
    pub challenge: &'a [u8],
    pub rp_id: &'a str,
    pub user_id: &'a str,
    pub username: &'a str,
    pub display_name: &'a str,
    pub authenticator_type: AuthenticatorType,
    pub discoverable: bool,
    pub user_verification: UserVerification,
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
        // WebAuthn has no word for any device: the member is left out then.
        if self.authenticator_type != AuthenticatorType::Any {
            selection["authenticatorAttachment"] = json!(self.authenticator_type);
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

/// The options with which a browser signs in; without `allow` any passkey that the device can offer will do.
pub(super) fn request(
    challenge: &[u8],
    rp_id: &str,
    allow: &[String],
    user_verification: UserVerification,
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
