//! Requests and responses of Passwordless.dev (services.md, section 4).
//!
//! The service's document of 2023 and the service itself differ in form, so responses are read in
//! either form. A token is as secret as a password while it is valid, and leaves only through
//! `expose_secret`.

mod limits;

pub use limits::{
    ALIAS_LENGTH, LimitError, MOST_ALIASES, USER_ID_BYTES, check_aliases, check_user_id,
};

use secrecy::SecretString;
use serde::{Deserialize, Deserializer, Serialize};

/// The body of `POST /register/token`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RegisterToken {
    /// Who gets the passkey: a random id that says nothing about the person.
    pub user_id: String,
    /// The name by which the browser tells this account from others.
    pub username: String,
    /// The person's name, which the browser shows.
    #[serde(rename = "displayname")]
    pub display_name: String,
    /// Which devices may hold the passkey.
    pub authenticator_type: AuthenticatorType,
    /// Whether the passkey can be used without a username.
    pub discoverable: bool,
    /// Whether the device must check that its owner uses it.
    pub user_verification: UserVerification,
    /// All aliases of the user. An empty list keeps those that are set.
    pub aliases: Vec<String>,
    /// Whether the service stores the aliases hashed.
    pub alias_hashing: bool,
}

impl RegisterToken {
    /// A request with the service's own defaults for everything else.
    pub fn new(user_id: &str, username: &str, display_name: &str) -> Self {
        Self {
            user_id: user_id.to_owned(),
            username: username.to_owned(),
            display_name: display_name.to_owned(),
            authenticator_type: AuthenticatorType::Any,
            discoverable: true,
            user_verification: UserVerification::Preferred,
            aliases: Vec::new(),
            alias_hashing: true,
        }
    }

    /// Checks the documented limits.
    ///
    /// # Errors
    /// [`LimitError`], which says what to change.
    pub fn check(&self) -> Result<(), LimitError> {
        check_user_id(&self.user_id)?;
        if self.username.trim().is_empty() {
            return Err(LimitError::NoUsername);
        }
        check_aliases(&self.aliases)
    }
}

/// Which devices may hold a passkey.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum AuthenticatorType {
    /// Any device.
    Any,
    /// The computer itself.
    Platform,
    /// A security key or a phone.
    CrossPlatform,
}

/// Whether the device checks by PIN or fingerprint that its owner uses it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum UserVerification {
    /// If the device can.
    Preferred,
    /// A device that can't is refused.
    Required,
    /// It should not ask.
    Discouraged,
}

/// The response to `POST /register/token`.
#[derive(Debug, Clone, Deserialize)]
pub struct Token {
    /// The token with which the browser registers or signs in.
    #[serde(deserialize_with = "secret")]
    pub token: SecretString,
}

/// The response to `POST /signin/verify`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VerifiedSignIn {
    /// Whether the sign-in succeeded.
    pub success: bool,
    /// The person who signed in.
    #[serde(default, deserialize_with = "text")]
    pub user_id: String,
    /// The time of the sign-in in ISO 8601; without a zone it is UTC.
    #[serde(default, deserialize_with = "text")]
    pub timestamp: String,
    #[serde(default, rename = "rpId", deserialize_with = "text")]
    rp_id: String,
    // A second field instead of a serde alias: the service sends both names, and with an alias
    // serde would refuse the second as a duplicate.
    #[serde(default, rename = "rpid", deserialize_with = "text")]
    rpid: String,
    /// The page's origin.
    #[serde(default, deserialize_with = "text")]
    pub origin: String,
    /// The browser and its operating system.
    #[serde(default, deserialize_with = "text")]
    pub device: String,
    /// The country as two letters; empty if it isn't known.
    #[serde(default, deserialize_with = "text")]
    pub country: String,
    /// The name of the passkey.
    #[serde(default, deserialize_with = "text")]
    pub nickname: String,
    /// When the token expires, in the form of `timestamp`.
    #[serde(default, deserialize_with = "text")]
    pub expires_at: String,
    /// The token's id: each sign-in has another one.
    #[serde(default, deserialize_with = "text")]
    pub token_id: String,
    /// The passkey's id; empty in the older form of the response.
    #[serde(default, deserialize_with = "text")]
    pub credential_id: String,
    /// What the passkey was used for.
    #[serde(rename = "type")]
    pub kind: SignInKind,
}

impl VerifiedSignIn {
    /// The relying party's id from either field; `None` if both are set and differ.
    pub fn rp_id(&self) -> Option<&str> {
        match (self.rp_id.as_str(), self.rpid.as_str()) {
            (id, "") | ("", id) => Some(id),
            (id, other) => (id == other).then_some(id),
        }
    }
}

/// What a passkey was used for.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub enum SignInKind {
    /// Somebody signed in with it.
    PasskeySignin,
    /// It was created.
    PasskeyRegister,
    /// A kind that isn't documented, which must not count as a use of a passkey.
    Other(String),
}

impl From<String> for SignInKind {
    fn from(name: String) -> Self {
        match name.as_str() {
            "passkey_signin" => Self::PasskeySignin,
            "passkey_register" => Self::PasskeyRegister,
            _ => Self::Other(name),
        }
    }
}

/// A passkey: one row of the response to `POST /credentials/list`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Credential {
    /// Identifies the passkey.
    pub descriptor: Descriptor,
    /// How often its device has used it; 0 if the device doesn't count.
    #[serde(default)]
    pub signature_counter: u32,
    /// The time of its creation in ISO 8601; without a zone it is UTC.
    #[serde(default, deserialize_with = "text")]
    pub created_at: String,
    /// The time of its last use, in the same form.
    #[serde(default, deserialize_with = "text")]
    pub last_used_at: String,
    /// The page's origin.
    #[serde(default, deserialize_with = "text")]
    pub origin: String,
    /// The country as two letters; empty if it isn't known.
    #[serde(default, deserialize_with = "text")]
    pub country: String,
    /// The browser and its operating system.
    #[serde(default, deserialize_with = "text")]
    pub device: String,
    /// The name that the person gave it.
    #[serde(default, deserialize_with = "text")]
    pub nickname: String,
    /// The person to whom it belongs.
    #[serde(default, deserialize_with = "text")]
    pub user_id: String,
}

/// The identity of a passkey.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Descriptor {
    /// The id in unpadded url-safe base64.
    pub id: String,
}

// The rows stay unparsed here, so that one damaged row doesn't make the others unreadable.
/// The response to `POST /credentials/list`, in either form.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum CredentialList {
    /// The form that the service sends.
    Values {
        /// One value for each passkey.
        values: Vec<serde_json::Value>,
    },
    /// The form in the document.
    Bare(Vec<serde_json::Value>),
}

impl CredentialList {
    /// The rows of either form.
    pub fn rows(self) -> Vec<serde_json::Value> {
        match self {
            Self::Values { values } | Self::Bare(values) => values,
        }
    }
}

/// An error as `application/problem+json`. Only its code is used, never its text.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Problem {
    /// The kind of error, such as `expired_token`.
    #[serde(default, deserialize_with = "text")]
    pub error_code: String,
    /// The fields that were refused, with a text for each.
    #[serde(default)]
    pub errors: serde_json::Map<String, serde_json::Value>,
}

fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SecretString, D::Error> {
    String::deserialize(deserializer).map(SecretString::from)
}

/// A text; `null` counts as an empty one.
fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use secrecy::ExposeSecret as _;

    use super::*;

    #[test]
    fn reads_the_documented_answers() {
        let token: Token = parse(include_str!("../fixtures/passwordless/register_token.json"));
        assert!(token.token.expose_secret().starts_with("register_"));
        let signed_in: VerifiedSignIn =
            parse(include_str!("../fixtures/passwordless/signin_verify.json"));
        assert_eq!(
            (signed_in.rp_id(), &signed_in.kind),
            (Some("localhost"), &SignInKind::PasskeySignin)
        );
        let list: CredentialList =
            parse(include_str!("../fixtures/passwordless/credentials_list.json"));
        let credential: Credential = serde_json::from_value(list.rows().remove(0)).unwrap();
        assert_eq!(credential.nickname, "Fred's Macbook Pro 2");
        assert_eq!(credential.descriptor.id, "2mgrJ6LPItfxbnVc2UgFPHowNGKaYBm3Pf4so1bsXSk");
    }

    #[test]
    fn takes_the_relying_party_in_either_form_but_not_two_of_them() {
        let with = |ids: &str| {
            let text = format!(r#"{{"success":true,"type":"passkey_signin",{ids}}}"#);
            parse::<VerifiedSignIn>(&text).rp_id().map(str::to_owned)
        };
        assert_eq!(with(r#""rpId":"a.example""#).unwrap(), "a.example");
        assert_eq!(with(r#""rpid":"a.example","rpId":null"#).unwrap(), "a.example");
        assert_eq!(with(r#""rpId":"a.example","rpid":"a.example""#).unwrap(), "a.example");
        assert_eq!(with(r#""rpId":"a.example","rpid":"b.example""#), None);
    }

    #[test]
    fn an_unknown_kind_is_kept_and_a_missing_success_is_none() {
        let other: VerifiedSignIn =
            parse(r#"{"success":true,"type":"generated_signin","nickname":null,"more":1}"#);
        assert_eq!(other.kind, SignInKind::Other("generated_signin".into()));
        assert!(serde_json::from_str::<VerifiedSignIn>(r#"{"type":"passkey_signin"}"#).is_err());
    }

    #[test]
    fn sends_the_documented_names() {
        let mut asked = RegisterToken::new("u", "anna@example.org", "Anna");
        asked.authenticator_type = AuthenticatorType::CrossPlatform;
        let sent = serde_json::to_value(asked).unwrap();
        let documented = serde_json::json!({
            "userId": "u", "username": "anna@example.org", "displayname": "Anna",
            "authenticatorType": "cross-platform", "discoverable": true,
            "userVerification": "preferred", "aliases": [], "aliasHashing": true,
        });
        assert_eq!(sent, documented);
    }

    #[test]
    fn a_token_is_not_printed() {
        let token: Token = parse(r#"{"token":"register_hush"}"#);
        assert!(!format!("{token:?}").contains("hush"));
    }

    fn parse<T: serde::de::DeserializeOwned>(text: &str) -> T {
        serde_json::from_str(text).unwrap()
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), text in "\\PC{0,300}") {
            let _ = serde_json::from_slice::<VerifiedSignIn>(&bytes);
            let _ = serde_json::from_slice::<CredentialList>(&bytes);
            let _ = serde_json::from_slice::<Problem>(&bytes);
            let _ = check_aliases(&[text]);
        }
    }
}
