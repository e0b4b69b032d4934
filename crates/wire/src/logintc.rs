//! The push verification service's requests and answers (services.md, section 2).
//!
//! Answers ignore fields that they don't know and keep states that they don't know. Codes never print
//! themselves; an error's prose is kept for people and never decided upon.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize, Serializer};

/// The media type of requests and answers. The service takes any.
pub const MEDIA_TYPE: &str = "application/vnd.logintc.v1+json";

/// What the service's limits are taken to be: it documents none (our assumptions).
pub mod limits {
    /// Attributes of one push.
    pub const ATTRIBUTES: usize = 16;
    /// Characters of an attribute's key.
    pub const KEY: usize = 64;
    /// Characters of an attribute's value.
    pub const VALUE: usize = 255;
    /// Characters of a username.
    pub const USERNAME: usize = 255;
    /// Characters of a user's or session's id: 40 hex digits in every sample.
    pub const ID: usize = 64;
}

/// An error's codes.
pub mod code {
    /// The user has no device: no token that is loaded and not revoked.
    pub const NO_DEVICE: &str = "api.error.notfound.token";
    /// No such user (assumed after [`NO_DEVICE`], as all below).
    pub const NO_USER: &str = "api.error.notfound.user";
    /// No such domain.
    pub const NO_DOMAIN: &str = "api.error.notfound.domain";
    /// No such session: it was cancelled, or has expired.
    pub const NO_SESSION: &str = "api.error.notfound.session";
    /// The API key is wrong, or was revoked.
    pub const BAD_KEY: &str = "api.error.unauthorized";
    /// One-time passwords by e-mail are not enabled in the domain.
    pub const MAIL_NOT_ENABLED: &str = "api.error.forbidden.otp.email";
    /// The request is not what is documented.
    pub const BAD_REQUEST: &str = "api.error.invalid";
}

/// Whether `text` is a domain's id: 40 hex digits.
pub fn is_domain(text: &str) -> bool {
    text.len() == 40 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// Whether `text` is an API key: 64 letters and digits.
pub fn is_key(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| b.is_ascii_alphanumeric())
}

/// Whether `text` can be a user's or session's id. Samples have 40 hex digits; what matters is that it
/// can't leave its place in a path.
pub fn is_id(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= limits::ID
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

/// The body of `POST /domains/{d}/sessions`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CreateSession {
    /// Who is asked.
    pub user: UserRef,
    /// What the phone shows.
    #[serde(default)]
    pub attributes: Vec<Attribute>,
    /// Where the person is, for the service's own records.
    #[serde(rename = "ipAddress", default, skip_serializing_if = "Option::is_none")]
    pub ip_address: Option<String>,
    /// A one-time password instead of a push.
    #[serde(default, skip_serializing_if = "Option::is_none", serialize_with = "expose")]
    pub otp: Option<Digits>,
    /// A bypass code instead of a push; it wins over `otp`.
    #[serde(default, skip_serializing_if = "Option::is_none", serialize_with = "expose")]
    pub bypasscode: Option<Digits>,
}

/// A user by id or by name; the service is given one of the two.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserRef {
    /// By id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// By name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
}

/// Something that the phone shows, to help the person decide.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attribute {
    /// Its name.
    pub key: String,
    /// Its value.
    pub value: String,
}

/// A code as it was given. It leaves only through [`Digits::expose`].
#[derive(Clone, Deserialize)]
#[serde(from = "String")]
pub struct Digits(SecretString);

impl Digits {
    /// The code in plain text, for a request or a comparison.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl From<String> for Digits {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl fmt::Debug for Digits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digits(redacted)")
    }
}

/// A code that a person reads out or types instead of answering a push; its length tells which.
#[derive(Debug, Clone)]
pub enum Code {
    /// A one-time password of 6 or 8 digits.
    Otp(Digits),
    /// A bypass code of 9 digits.
    Bypass(Digits),
}

/// A text that is no code. It doesn't repeat the text, which may be a code with a typing error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a one-time password has 6 or 8 digits and a bypass code has 9")]
pub struct CodeShape;

impl Code {
    /// A code as a person types it: blanks and dashes between the digits are forgiven.
    ///
    /// # Errors
    /// [`CodeShape`] if what is left isn't 6, 8 or 9 digits.
    pub fn from_typed(text: &str) -> Result<Self, CodeShape> {
        let digits: String = text.chars().filter(|&c| !c.is_whitespace() && c != '-').collect();
        if !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(CodeShape);
        }
        match digits.len() {
            6 | 8 => Ok(Self::Otp(digits.into())),
            9 => Ok(Self::Bypass(digits.into())),
            _ => Err(CodeShape),
        }
    }
}

/// The answer to the session calls. `id` comes before `state`: a shipped client reads by position.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// The session; may be left out where it was asked for by its id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// How far it is.
    pub state: State,
}

/// How far a session is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum State {
    /// Sent, and not answered or ignored.
    Pending,
    /// The person approved it.
    Approved,
    /// The person denied it.
    Denied,
    /// Something else: no approval and no denial.
    Other(String),
}

impl From<String> for State {
    fn from(text: String) -> Self {
        match text.as_str() {
            "pending" => Self::Pending,
            "approved" => Self::Approved,
            "denied" => Self::Denied,
            _ => Self::Other(text),
        }
    }
}

impl From<State> for String {
    fn from(state: State) -> Self {
        match state {
            State::Pending => "pending".to_owned(),
            State::Approved => "approved".to_owned(),
            State::Denied => "denied".to_owned(),
            State::Other(text) => text,
        }
    }
}

/// The body of `POST /domains/{d}/users/{u}/otp`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailCode {
    /// By which way: `EMAIL` is the only one.
    #[serde(rename = "deliverableOTPType")]
    pub by: String,
}

impl MailCode {
    /// The one way that there is.
    pub const EMAIL: &'static str = "EMAIL";
}

/// The answer to `GET /ping`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ping {
    /// `OK`.
    pub status: String,
}

/// The body of an answer that says no.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Errors {
    /// At least one.
    pub errors: Vec<ApiError>,
}

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiError {
    /// See [`code`].
    pub code: String,
    /// The service's words: for people only.
    #[serde(default)]
    pub message: String,
}

#[allow(clippy::ref_option)] // serde's signature
fn expose<S: Serializer>(code: &Option<Digits>, serializer: S) -> Result<S::Ok, S::Error> {
    match code {
        Some(code) => serializer.serialize_some(code.expose()),
        None => serializer.serialize_none(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn writes_the_documented_requests() {
        for text in [
            include_str!("../fixtures/logintc/create_by_id.json"),
            include_str!("../fixtures/logintc/create_with_attributes.json"),
            include_str!("../fixtures/logintc/create_with_otp.json"),
        ] {
            let request: CreateSession = serde_json::from_str(text).unwrap();
            assert_eq!(serde_json::to_string(&request).unwrap(), text);
        }
        let mail = MailCode { by: MailCode::EMAIL.to_owned() };
        let written = serde_json::to_string(&mail).unwrap();
        assert_eq!(written, include_str!("../fixtures/logintc/mail_code.json"));
    }

    #[test]
    fn reads_the_documented_answers_and_writes_them_compact() {
        let documented = include_str!("../fixtures/logintc/session_documented.json");
        let session: Session = serde_json::from_str(documented).unwrap();
        assert_eq!(session.state, State::Pending);
        let compact = include_str!("../fixtures/logintc/session.json");
        assert_eq!(serde_json::to_string(&session).unwrap(), compact);
        let ping: Ping =
            serde_json::from_str(include_str!("../fixtures/logintc/ping.json")).unwrap();
        assert_eq!(ping.status, "OK");
        let errors: Errors =
            serde_json::from_str(include_str!("../fixtures/logintc/no_device.json")).unwrap();
        assert_eq!(errors.errors[0].code, code::NO_DEVICE);
    }

    #[test]
    fn keeps_an_unknown_state_and_ignores_unknown_fields() {
        let session: Session =
            serde_json::from_str(r#"{"state":"escalated","since":{"a":[1]}}"#).unwrap();
        assert_eq!(session, Session { id: None, state: State::Other("escalated".to_owned()) });
        // Neither another case nor a blank makes an approval of it.
        for text in ["Approved", "approved ", "APPROVED"] {
            assert!(matches!(State::from(text.to_owned()), State::Other(_)), "{text}");
        }
    }

    #[test]
    fn a_code_is_told_by_its_length_and_never_prints_itself() {
        let typed = |text: &str| Code::from_typed(text);
        assert!(matches!(typed("123 456"), Ok(Code::Otp(code)) if code.expose() == "123456"));
        assert!(matches!(typed("1234-5678"), Ok(Code::Otp(_))));
        assert!(matches!(typed("123456789"), Ok(Code::Bypass(_))));
        for wrong in ["", "12345", "1234567", "1234567890", "12345a", "١٢٣٤٥٦"] {
            assert!(matches!(typed(wrong), Err(CodeShape)), "{wrong}");
        }
        assert!(!format!("{:?}", typed("123456").unwrap()).contains("123"));
    }

    #[test]
    fn shapes_are_told_apart() {
        let domain = "9120580e94f134cb7c9f27cd1e43dbc82980e152";
        assert!(is_domain(domain) && is_id(domain) && is_key(&"aZ09".repeat(16)));
        assert!(!is_domain(&domain.to_uppercase()) && !is_domain(&domain[1..]));
        for wrong in ["", ".", "..", "a/b", "a?b", "a%2fb", "ä", &"a".repeat(65)] {
            assert!(!is_id(wrong), "{wrong}");
        }
        assert!(!is_key(&"a".repeat(63)) && !is_key(&format!("{}\n", "a".repeat(63))));
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = serde_json::from_slice::<Session>(&bytes);
            let _ = serde_json::from_slice::<Errors>(&bytes);
            let _ = serde_json::from_slice::<CreateSession>(&bytes);
            let _ = Code::from_typed(&String::from_utf8_lossy(&bytes));
        }
    }
}
