//! Requests and responses of the remote-support service (services.md, section 1).
//!
//! Unknown fields are ignored. A call succeeded if `success` is `true` and in no other case. The
//! text of an error is for people: no decision is based on it.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::GeneralPurpose};
use serde::{Deserialize, Deserializer, Serialize};

use crate::{HookType, Pin, pin, secret::secret_text, shared_screen::Requester, text::bare};

/// `{"success":true}`, or `{"success":false,"error":"..."}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// Whether the call succeeded.
    pub success: bool,
    /// The service's description of a failure: undocumented, and for people only.
    #[serde(default, deserialize_with = "text_if_any", skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// The response to `POST /email/{address}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmailAccepted {
    /// Always true where the call succeeded.
    pub success: bool,
    /// The e-mail's id, by which a broker of ours tells what becomes of it. Another service's could be anything.
    #[serde(default, skip_serializing_if = "serde_json::Value::is_null")]
    id: serde_json::Value,
}

impl EmailAccepted {
    /// The longest id that is kept, in bytes.
    const LONGEST_ID: usize = 64;

    /// The e-mail's id, where there is one.
    pub fn id(&self) -> Option<String> {
        let id = self.id.as_str()?;
        (1..=Self::LONGEST_ID).contains(&id.len()).then(|| id.to_owned())
    }
}

/// The response to `GET /session_pin`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SessionPin {
    /// Always true where the call succeeded.
    pub success: bool,
    /// The new session's PIN; forgiven in lower case and with blanks around it.
    #[serde(serialize_with = "pin::expose", deserialize_with = "pin::forgiving")]
    pub session_pin: Pin,
}

// No `Debug` here and below, where a type holds a link or a conf: one log line would give it away.
/// The body of `PUT /hook/`.
#[derive(Clone, Serialize, Deserialize)]
pub struct PutHook {
    /// The type of hook to arm, one of the session's four.
    #[serde(rename = "type")]
    pub hook: HookType,
    /// The URL to which the service POSTs when the hook fires. Our URLs carry a secret token.
    pub url: String,
    /// The session.
    #[serde(serialize_with = "pin::expose")]
    pub session_pin: Pin,
}

/// The body that a fired hook POSTs, and the body of `POST /email/{address}`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct HookBody {
    // The documents show this body for the `_started` types, because `/email` takes the same one.
    // That the `_offline` types have it too is an assumption.
    /// The type of the hook that fired. `/email` accepts the two `_started` types only.
    #[serde(rename = "type")]
    pub hook: HookType,
    /// The name that the person gave: untrusted text.
    #[serde(default)]
    pub name: String,
    /// The session.
    #[serde(serialize_with = "pin::expose")]
    pub session_pin: Pin,
}

/// The response to `GET /session_url`.
#[derive(Clone, Serialize, Deserialize)]
pub struct SessionUrl {
    /// Always true where the call succeeded.
    pub success: bool,
    /// The viewer's link. It carries the PIN, so it is just as secret.
    pub url: String,
}

/// The response to `GET /session_parameters`, which the service gives only once for each session.
#[derive(Debug, Clone, Deserialize)]
pub struct SessionParameters {
    /// Always true where the call succeeded.
    pub success: bool,
    /// The configuration of the presenter's program, as the service encoded it.
    pub conf: ConfText,
    /// The presenter program's version; empty where it isn't a text. The conf is given only once, so that nothing
    /// beside it may cost it.
    #[serde(default, deserialize_with = "lenient_text")]
    pub version: String,
}

secret_text! {
    /// The conf as text: unpadded base64 of JSON. It belongs on the presenter's PC and
    /// nowhere else.
    ConfText
}

/// The content of a conf.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conf {
    /// When the session ends, in seconds since 1970: about a day after its PIN was allocated.
    pub ttl: u64,
    /// The host that carries the session.
    pub session_host: String,
    /// The host's SSH port.
    pub ssh_port: u16,
    /// The tunnel's user.
    pub sftp_user: String,
    /// The tunnel's password.
    pub sftp_pass: String,
    /// The port of the screen (RFB).
    pub rfb_port: u16,
    /// The screen's key, 8 bytes in hex.
    pub rfb_enc_key: String,
    /// The port of the sound.
    pub pulseaudio_port: u16,
    /// The port of the file transfer (SFTP).
    pub sftp_port: u16,
    /// The session's PIN in plain text.
    pub session_pin: String,
    /// The host key's MD5 fingerprint, hex with colons.
    pub host_key: String,
    /// The presenter program's version.
    pub version: String,
    // The fields from here on are our own broker's. Each is left out when it says nothing, so that
    // a conf without them is byte for byte what the service writes.
    /// The origin of the broker that the program dials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// The person who asks to see the screen.
    #[serde(flatten)]
    pub requester: Requester,
    /// Whether the screen may be shared without consent at the PC.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unattended: bool,
}

/// The conf can't be read. The error repeats nothing of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the session's configuration is damaged: it is not base64 of the expected JSON")]
pub struct DamagedConf;

impl Conf {
    /// Reads the service's text: base64 in the standard or the url-safe alphabet, with or
    /// without padding.
    ///
    /// # Errors
    /// [`DamagedConf`].
    pub fn decode(text: &ConfText) -> Result<Self, DamagedConf> {
        let plain = bare(text.expose()).trim_end_matches('=').replace('-', "+").replace('_', "/");
        let json = UNPADDED.decode(plain).map_err(|_| DamagedConf)?;
        serde_json::from_slice(&json).map_err(|_| DamagedConf)
    }

    /// Writes the text as the service writes it: unpadded standard base64 of compact JSON.
    pub fn encode(&self) -> ConfText {
        let json = serde_json::to_vec(self).unwrap_or_default();
        ConfText::from(UNPADDED.encode(json))
    }
}

const UNPADDED: GeneralPurpose = base64::engine::general_purpose::STANDARD_NO_PAD;

/// The response to `GET /chat`.
#[derive(Debug, Clone, Deserialize)]
pub struct Chat {
    /// Always true where the call succeeded.
    pub success: bool,
    /// The messages of the last day.
    pub chat: Vec<ChatMessage>,
}

/// One chat message. Name and text are untrusted: people choose them freely.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChatMessage {
    /// The message's identity: the archive holds each message once.
    #[serde(deserialize_with = "lenient_text")]
    pub guid: String,
    /// When the service deletes it, in seconds since 1970: `timestamp` + 86,400.
    #[serde(default, deserialize_with = "lenient_seconds")]
    pub ttl: u64,
    /// When it was sent, in seconds since 1970.
    #[serde(default, deserialize_with = "lenient_seconds")]
    pub timestamp: u64,
    /// The name that the sender chose.
    #[serde(default, deserialize_with = "lenient_text")]
    pub subject: String,
    /// The text.
    #[serde(default, deserialize_with = "lenient_text")]
    pub body: String,
}

impl fmt::Debug for ChatMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What people write to each other must not reach a log.
        f.debug_struct("ChatMessage").field("guid", &self.guid).finish_non_exhaustive()
    }
}

/// A time in seconds, or 0 if the value isn't one.
// The service deletes a transcript after a day, so one odd time must not make the whole of
// it unreadable.
fn lenient_seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let value = serde_json::Value::deserialize(deserializer)?;
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // `as` saturates here
    let whole = |f: f64| f as u64;
    let said = || bare(value.as_str()?).parse().ok();
    let seconds = value.as_u64().or_else(|| value.as_f64().or_else(said).map(whole));
    Ok(seconds.unwrap_or(0))
}

/// A text, or what stands in its place: a number as it is written, and nothing for anything else.
// A customer who calls themselves 42 must not lose their message to a server that writes that as a number.
fn lenient_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(match serde_json::Value::deserialize(deserializer)? {
        serde_json::Value::String(text) => text,
        number @ serde_json::Value::Number(_) => number.to_string(),
        _ => String::new(),
    })
}

/// A text, where it is one that says something.
fn text_if_any<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    lenient_text(deserializer).map(|text| Some(text).filter(|text| !text.is_empty()))
}

/// The body of `POST /report_abuse`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ReportAbuse {
    /// The reporter's User-Agent.
    pub user_agent: String,
    /// The PIN that the suspected scammer gave.
    #[serde(serialize_with = "pin::expose")]
    pub session_pin: Pin,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_the_documented_answers() {
        let pin: SessionPin = parse(include_str!("../fixtures/loginwithme/session_pin.json"));
        assert_eq!(pin.session_pin.expose(), "7W2-97-8570");
        let hook: Outcome = parse(include_str!("../fixtures/loginwithme/hook.json"));
        assert!(hook.success);
        let url: SessionUrl = parse(include_str!("../fixtures/loginwithme/session_url.json"));
        assert!(url.url.starts_with("https://connect.tier2.tech/view?session_pin="));
        let chat: Chat = parse(include_str!("../fixtures/loginwithme/chat.json"));
        assert_eq!(chat.chat.len(), 3);
        assert!(chat.chat.iter().all(|message| message.ttl == message.timestamp + 86_400));
        assert_eq!(chat.chat[1].subject, "space man@¿");
        let regions: Vec<crate::Region> =
            parse(include_str!("../fixtures/loginwithme/regions.json"));
        assert_eq!(regions.len(), 5);
    }

    #[test]
    fn a_pin_is_read_however_it_is_written() {
        for written in ["7w2-97-8570", " 7W2-97-8570\\n", "\\ufeff7W2-97-8570"] {
            let answer: SessionPin =
                parse(&format!("{{\"success\":true,\"session_pin\":\"{written}\"}}"));
            assert_eq!(answer.session_pin.expose(), "7W2-97-8570", "{written}");
        }
        let wrong = r#"{"success":true,"session_pin":"7W2-97-857"}"#;
        let error = serde_json::from_str::<SessionPin>(wrong).unwrap_err().to_string();
        assert!(!error.contains("7W2-97-857\""), "{error}");
    }

    #[test]
    fn decodes_the_documented_conf_and_writes_it_back() {
        let answer: SessionParameters =
            parse(include_str!("../fixtures/loginwithme/session_parameters.json"));
        let conf = Conf::decode(&answer.conf).unwrap();
        assert_eq!((conf.ssh_port, conf.rfb_enc_key.len()), (443, 16));
        assert_eq!(conf.version, answer.version);
        assert_eq!(conf.encode().expose(), answer.conf.expose());
    }

    #[test]
    fn odd_times_do_not_cost_the_transcript() {
        let chat: Chat = parse(
            r#"{"success":true,"chat":[{"guid":"a","timestamp":-1,"ttl":"x","subject":"s","body":"b"},{"guid":"b"}]}"#,
        );
        assert_eq!(chat.chat.iter().map(|m| m.timestamp).collect::<Vec<_>>(), [0, 0]);
    }

    fn parse<T: serde::de::DeserializeOwned>(text: &str) -> T {
        serde_json::from_str(text).unwrap()
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = serde_json::from_slice::<Chat>(&bytes);
            let _ = serde_json::from_slice::<SessionParameters>(&bytes);
            let _ = Conf::decode(&String::from_utf8_lossy(&bytes).into_owned().into());
        }
    }
}
