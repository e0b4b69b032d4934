//! Requests and responses of the push verification service (services.md, section 2).
//!
//! Unknown fields are ignored and unknown states are kept. Codes never print themselves. The text
//! of an error is for people: no decision is based on it.

use serde::{Deserialize, Serialize, Serializer};

use crate::secret::secret_text;

/// The media type of requests and responses. The service accepts any other as well.
pub const MEDIA_TYPE: &str = "application/vnd.logintc.v1+json";

/// Limits that we assume: the service documents none.
pub mod limits {
    /// The number of attributes of one push.
    pub const ATTRIBUTES: usize = 16;
    /// The characters in an attribute's key.
    pub const KEY: usize = 64;
    /// The characters in an attribute's value.
    pub const VALUE: usize = 255;
    /// The characters in a username.
    pub const USERNAME: usize = 255;
    /// The characters in the id of a user or a session. Every documented sample has 40 hex digits.
    pub const ID: usize = 64;
}

/// The codes of errors.
pub mod code {
    /// The user has no device: no token that is loaded and not revoked.
    pub const NO_DEVICE: &str = "api.error.notfound.token";
    // Only the code above was ever seen. Those below follow its pattern, which is an assumption.
    /// The user doesn't exist.
    pub const NO_USER: &str = "api.error.notfound.user";
    /// The domain doesn't exist.
    pub const NO_DOMAIN: &str = "api.error.notfound.domain";
    /// The session doesn't exist: it was cancelled, or it has expired.
    pub const NO_SESSION: &str = "api.error.notfound.session";
    /// The API key is wrong or was revoked.
    pub const BAD_KEY: &str = "api.error.unauthorized";
    /// One-time passwords by e-mail are not enabled in the domain.
    pub const MAIL_NOT_ENABLED: &str = "api.error.forbidden.otp.email";
    /// The request isn't as documented.
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

/// Whether `text` can be the id of a user or a session.
pub fn is_id(text: &str) -> bool {
    // Looser than the 40 hex digits of the samples, but an id becomes part of a path and must not
    // lead out of it.
    !text.is_empty()
        && text.len() <= limits::ID
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

/// The body of `POST /domains/{d}/sessions`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CreateSession {
    /// The person who is asked to approve.
    pub user: UserRef,
    /// What the phone shows beside the question.
    #[serde(default)]
    pub attributes: Vec<Attribute>,
    /// The person's address, for the service's own records.
    #[serde(rename = "ipAddress", default, skip_serializing_if = "Option::is_none")]
    pub ip_address: Option<String>,
    /// A one-time password instead of a push.
    #[serde(default, skip_serializing_if = "Option::is_none", serialize_with = "expose")]
    pub otp: Option<Digits>,
    /// A bypass code instead of a push. It takes precedence over `otp`.
    #[serde(default, skip_serializing_if = "Option::is_none", serialize_with = "expose")]
    pub bypasscode: Option<Digits>,
}

/// A user, by either id or name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserRef {
    /// The service's own id of the user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The name that the user signs in with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
}

/// A line that the phone shows to help the person decide.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attribute {
    /// The label.
    pub key: String,
    /// The text beside the label.
    pub value: String,
}

secret_text! {
    /// The digits of a code.
    Digits
}

/// A code that a person reads out or types instead of answering a push. Its length tells which kind
/// it is.
#[derive(Debug, Clone)]
pub enum Code {
    /// A one-time password of 6 or 8 digits.
    Otp(Digits),
    /// A bypass code of 9 digits.
    Bypass(Digits),
}

/// The text isn't a code. The error doesn't repeat it, because it may be a code with a
/// typing error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a one-time password has 6 or 8 digits and a bypass code has 9")]
pub struct InvalidCode;

impl Code {
    /// Reads a code as people type it: blanks and dashes between the digits are ignored.
    ///
    /// # Errors
    /// [`InvalidCode`] if what is left isn't 6, 8 or 9 digits.
    pub fn from_typed(text: &str) -> Result<Self, InvalidCode> {
        let digits: String = text.chars().filter(|&c| !c.is_whitespace() && c != '-').collect();
        if !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(InvalidCode);
        }
        match digits.len() {
            6 | 8 => Ok(Self::Otp(digits.into())),
            9 => Ok(Self::Bypass(digits.into())),
            _ => Err(InvalidCode),
        }
    }
}

// `id` comes before `state`, because one client of the service reads both at fixed offsets.
/// The response to the session calls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushSession {
    /// The session's id. The response to a poll may leave it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The person's decision so far.
    pub state: PushState,
}

/// The person's decision on a push.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum PushState {
    /// The push was sent; the person hasn't answered it, or has ignored it.
    Pending,
    /// The person approved it.
    Approved,
    /// The person denied it.
    Denied,
    /// A state that isn't documented. It is neither an approval nor a denial.
    Other(String),
}

impl From<String> for PushState {
    fn from(text: String) -> Self {
        match text.as_str() {
            "pending" => Self::Pending,
            "approved" => Self::Approved,
            "denied" => Self::Denied,
            _ => Self::Other(text),
        }
    }
}

impl From<PushState> for String {
    fn from(state: PushState) -> Self {
        match state {
            PushState::Pending => "pending".to_owned(),
            PushState::Approved => "approved".to_owned(),
            PushState::Denied => "denied".to_owned(),
            PushState::Other(text) => text,
        }
    }
}

/// The body of `POST /domains/{d}/users/{u}/otp`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailCode {
    /// The way in which the code is delivered.
    #[serde(rename = "deliverableOTPType")]
    pub by: String,
}

impl MailCode {
    /// The only way that the service knows.
    pub const EMAIL: &'static str = "EMAIL";
}

/// The response to `GET /ping`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ping {
    /// `OK` while the service works.
    pub status: String,
}

/// The body of a response that refuses the request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorResponse {
    /// At least one error.
    pub errors: Vec<ApiError>,
}

/// One error of a refused request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiError {
    /// One of the constants in [`code`], or another one.
    pub code: String,
    /// The service's description, for people only.
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
        let session: PushSession = serde_json::from_str(documented).unwrap();
        assert_eq!(session.state, PushState::Pending);
        let compact = include_str!("../fixtures/logintc/session.json");
        assert_eq!(serde_json::to_string(&session).unwrap(), compact);
        let ping: Ping =
            serde_json::from_str(include_str!("../fixtures/logintc/ping.json")).unwrap();
        assert_eq!(ping.status, "OK");
        let errors: ErrorResponse =
            serde_json::from_str(include_str!("../fixtures/logintc/no_device.json")).unwrap();
        assert_eq!(errors.errors[0].code, code::NO_DEVICE);
    }

    #[test]
    fn keeps_an_unknown_state_and_ignores_unknown_fields() {
        let session: PushSession =
            serde_json::from_str(r#"{"state":"escalated","since":{"a":[1]}}"#).unwrap();
        assert_eq!(
            session,
            PushSession { id: None, state: PushState::Other("escalated".to_owned()) }
        );
        // Neither another case nor a blank makes an approval of it.
        for text in ["Approved", "approved ", "APPROVED"] {
            assert!(matches!(PushState::from(text.to_owned()), PushState::Other(_)), "{text}");
        }
    }

    #[test]
    fn a_code_is_told_by_its_length_and_never_prints_itself() {
        let typed = |text: &str| Code::from_typed(text);
        assert!(matches!(typed("123 456"), Ok(Code::Otp(code)) if code.expose() == "123456"));
        assert!(matches!(typed("1234-5678"), Ok(Code::Otp(_))));
        assert!(matches!(typed("123456789"), Ok(Code::Bypass(_))));
        for wrong in ["", "12345", "1234567", "1234567890", "12345a", "١٢٣٤٥٦"] {
            assert!(matches!(typed(wrong), Err(InvalidCode)), "{wrong}");
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
            let _ = serde_json::from_slice::<PushSession>(&bytes);
            let _ = serde_json::from_slice::<ErrorResponse>(&bytes);
            let _ = serde_json::from_slice::<CreateSession>(&bytes);
            let _ = Code::from_typed(&String::from_utf8_lossy(&bytes));
        }
    }
}
