//! The bodies of the responses, byte for byte as the hosted service was recorded to send them (services.md,
//! section 1).

use std::{sync::Arc, time::Duration};

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use serde_json::ser::{PrettyFormatter, Serializer};
use uuid::Uuid;
use wire::{
    Pin,
    loginwithme::{Outcome, SessionPin},
};

use crate::hub::{chat::Message, refusal::Refused};

pub(super) type HttpResult = Result<Response, Refused>;

const JSON: &str = "application/json; charset=utf-8";

/// JSON that is indented by 4 spaces, with every character beyond ASCII as `\uXXXX`.
pub(crate) fn pretty(value: &impl Serialize) -> String {
    let mut bytes = Vec::new();
    let indent = PrettyFormatter::with_indent(b"    ");
    let written = value.serialize(&mut Serializer::with_formatter(&mut bytes, indent));
    debug_assert!(written.is_ok(), "our own types can be written");
    let mut escaped = String::with_capacity(bytes.len());
    // Afterwards and in all of the text: outside of strings JSON has no character beyond ASCII.
    for c in String::from_utf8(bytes).unwrap_or_default().chars() {
        if c.is_ascii() {
            escaped.push(c);
        } else {
            let units = c
                .encode_utf16(&mut [0; 2])
                .iter()
                .map(|unit| format!("\\u{unit:04x}"))
                .collect::<String>();
            escaped.push_str(&units);
        }
    }
    escaped
}

/// The answer to `/session_pin`, the one call that the service doesn't indent.
pub(crate) fn session_pin(pin: Pin) -> String {
    serde_json::to_string(&SessionPin { success: true, session_pin: pin }).unwrap_or_default()
}

/// `{"success": true}`
pub(super) fn success() -> String {
    pretty(&Outcome { success: true, error: None })
}

/// A response with JSON text.
pub(super) fn json(text: String) -> Response {
    ([(header::CONTENT_TYPE, JSON)], text).into_response()
}

/// JSON text that is declared as HTML, as the service declares the answer to `/report_abuse`.
pub(super) fn html(text: String) -> Response {
    ([(header::CONTENT_TYPE, "text/html; charset=UTF-8")], text).into_response()
}

/// The answer to `/chat`, with the fields in the service's order.
#[derive(Serialize)]
pub(super) struct Transcript<'a> {
    success: bool,
    chat: Vec<TranscriptEntry<'a>>,
}

#[derive(Serialize)]
struct TranscriptEntry<'a> {
    guid: Uuid,
    ttl: u64,
    timestamp: u64,
    session_pin: &'a str,
    subject: &'a str,
    body: &'a str,
}

impl<'a> Transcript<'a> {
    pub fn new(pin: &'a Pin, messages: &'a [Arc<Message>]) -> Self {
        let entry = |message: &'a Arc<Message>| TranscriptEntry {
            guid: message.guid,
            ttl: message.ttl,
            timestamp: message.timestamp,
            session_pin: pin.expose(),
            subject: &message.subject,
            body: &message.body,
        };
        Self { success: true, chat: messages.iter().map(entry).collect() }
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let status = match &self {
            Self::Malformed(_) => StatusCode::BAD_REQUEST,
            Self::UnknownPin { .. }
            | Self::UnknownKey { .. }
            | Self::NoProgram(_)
            | Self::NoSuchCall => StatusCode::NOT_FOUND,
            Self::PinOver => StatusCode::GONE,
            Self::AlreadyGiven | Self::Taken | Self::NoPresenter => StatusCode::CONFLICT,
            Self::TooMany { .. } | Self::Guessing { .. } | Self::Full => {
                StatusCode::TOO_MANY_REQUESTS
            }
            Self::NotYours | Self::NotAllowed(_) | Self::Blocked | Self::ForeignPage => {
                StatusCode::FORBIDDEN
            }
            // Waiting for a moment doesn't help, and another region of this broker neither.
            Self::AllSessions | Self::OwnSessions => StatusCode::INSUFFICIENT_STORAGE,
            Self::NotSaved | Self::OutboxFull => StatusCode::SERVICE_UNAVAILABLE,
            Self::NoAnswer => StatusCode::GATEWAY_TIMEOUT,
        };
        let error = Some(self.to_string());
        let mut response = json(pretty(&Outcome { success: false, error }));
        *response.status_mut() = status;
        if let Self::TooMany { retry_after } | Self::Guessing { retry_after } = self {
            let seconds = retry_after.as_secs().max(1);
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        response.extensions_mut().insert(RefusalKind(self.kind()));
        if !self.delay().is_zero() {
            response.extensions_mut().insert(ResponseDelay(self.delay()));
        }
        response
    }
}

/// An extension of a response that refuses: what is counted.
#[derive(Debug, Clone, Copy)]
pub(super) struct RefusalKind(pub &'static str);

/// An extension of a response that is held back for this long, since its client guesses PINs.
#[derive(Debug, Clone, Copy)]
pub(super) struct ResponseDelay(pub Duration);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use wire::{Region, loginwithme::Chat};

    use super::*;

    fn fixture(name: &str) -> String {
        let path = format!("{}/../wire/fixtures/loginwithme/{name}", env!("CARGO_MANIFEST_DIR"));
        std::fs::read_to_string(path).unwrap()
    }

    #[test]
    fn the_recorded_content_lengths_are_met_to_the_byte() {
        let pin: Pin = "7W2-97-8570".parse().unwrap();
        assert_eq!(session_pin(pin).len(), 44);
        assert_eq!(success().len(), 23);
        assert_eq!(success(), "{\n    \"success\": true\n}");
    }

    #[test]
    fn the_seeds_transcript_takes_823_bytes() {
        let chat: Chat = serde_json::from_str(&fixture("chat.json")).unwrap();
        let messages: Vec<_> = chat
            .chat
            .into_iter()
            .map(|m| Message {
                guid: m.guid.parse().unwrap(),
                ttl: m.ttl,
                timestamp: m.timestamp,
                subject: m.subject,
                body: m.body,
                number: 1,
                side: None,
                by_console: false,
            })
            .map(Arc::new)
            .collect();
        let pin: Pin = "Y4L-30-W32L".parse().unwrap();
        let text = pretty(&Transcript::new(&pin, &messages));
        assert_eq!(text.len(), 823);
        assert!(text.contains(r#""subject": "space man@\u00bf""#));
    }

    #[test]
    fn the_seeds_parameters_take_521_bytes() {
        let answer: wire::loginwithme::SessionParameters =
            serde_json::from_str(&fixture("session_parameters.json")).unwrap();
        assert_eq!(
            super::super::calls::render_parameters(&answer.conf, &answer.version).len(),
            521
        );
    }

    #[test]
    fn regions_are_a_bare_indented_list() {
        let regions: Vec<Region> = serde_json::from_str(&fixture("regions.json")).unwrap();
        assert_eq!(pretty(&regions), fixture("regions.json").trim_end());
    }

    proptest! {
        #[test]
        fn what_is_written_is_ascii_and_reads_back_the_same(text in "\\PC{0,60}|.{0,40}") {
            let written = pretty(&text);
            prop_assert!(written.is_ascii());
            prop_assert_eq!(serde_json::from_str::<String>(&written).unwrap(), text);
        }
    }
}
