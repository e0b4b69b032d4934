//! The client data: the browser's statement about the page and the ceremony.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;

use super::{Expected, Refusal};

/// The browser's JSON; what else is in it doesn't matter.
#[derive(Debug, Deserialize)]
pub(super) struct ClientData {
    #[serde(rename = "type")]
    kind: String,
    challenge: String,
    origin: String,
    #[serde(default, rename = "crossOrigin")]
    cross_origin: Option<bool>,
}

impl ClientData {
    pub(super) fn parse(json: &[u8]) -> Result<Self, Refusal> {
        // Some browsers put a byte order mark before it, and the standard has it dropped.
        let json = json.strip_prefix(b"\xef\xbb\xbf").unwrap_or(json);
        serde_json::from_slice(json).map_err(|_| Refusal::ClientData)
    }

    pub(super) fn check(&self, kind: &str, expected: &Expected<'_>) -> Result<(), Refusal> {
        if self.kind != kind {
            return Err(Refusal::Type);
        }
        let challenge = URL_SAFE_NO_PAD.decode(self.challenge.trim_end_matches('='));
        if challenge.map_or(true, |challenge| challenge != expected.challenge) {
            return Err(Refusal::Challenge);
        }
        if self.origin != expected.origin {
            return Err(Refusal::Origin);
        }
        if self.cross_origin == Some(true) {
            return Err(Refusal::CrossOrigin);
        }
        Ok(())
    }
}
