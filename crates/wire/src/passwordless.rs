//! Passwordless.dev's requests and answers (services.md, section 4).
//!
//! The document of 2023 and the service of today differ in form, so answers are read in either. Tokens
//! are as secret as a password while they live, and leave only through `expose_secret`.

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
    /// Who gets the passkey: a random id that says nothing of the person.
    pub user_id: String,
    /// What the browser shows to tell the account from others.
    pub username: String,
    /// The person's name, for the browser.
    #[serde(rename = "displayname")]
    pub display_name: String,
    /// Which devices may hold the passkey.
    pub authenticator_type: AuthenticatorType,
    /// The passkey can be used without saying who one is.
    pub discoverable: bool,
    /// Whether the device must check that it is its owner.
    pub user_verification: UserVerification,
    /// All aliases of the user; with none, those that are set stay.
    pub aliases: Vec<String>,
    /// The service keeps the aliases hashed.
    pub alias_hashing: bool,
}

impl RegisterToken {
    /// With the service's own defaults for all else.
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

    /// Whether it keeps the documented limits.
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
    /// Each.
    Any,
    /// This computer.
    Platform,
    /// A security key or a phone.
    CrossPlatform,
}

/// Whether the device checks, by PIN or finger, that it is its owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum UserVerification {
    /// Where it can.
    Preferred,
    /// It must.
    Required,
    /// It need not.
    Discouraged,
}

/// The answer to `POST /register/token`.
#[derive(Debug, Clone, Deserialize)]
pub struct Token {
    /// What the browser registers with, or signs in with.
    #[serde(deserialize_with = "secret")]
    pub token: SecretString,
}

/// The answer to `POST /signin/verify`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VerifiedSignIn {
    /// Whether somebody has signed in at all.
    pub success: bool,
    /// Who.
    #[serde(default, deserialize_with = "text")]
    pub user_id: String,
    /// When, in ISO 8601; without a zone it is UTC.
    #[serde(default, deserialize_with = "text")]
    pub timestamp: String,
    #[serde(default, rename = "rpId", deserialize_with = "text")]
    rp_id: String,
    // A field of its own and no alias: the service of today sends both.
    #[serde(default, rename = "rpid", deserialize_with = "text")]
    rpid: String,
    /// The page's origin.
    #[serde(default, deserialize_with = "text")]
    pub origin: String,
    /// The browser and its system.
    #[serde(default, deserialize_with = "text")]
    pub device: String,
    /// Two letters, or nothing.
    #[serde(default, deserialize_with = "text")]
    pub country: String,
    /// What the passkey is called.
    #[serde(default, deserialize_with = "text")]
    pub nickname: String,
    /// When the token ends, as `timestamp`.
    #[serde(default, deserialize_with = "text")]
    pub expires_at: String,
    /// Which token it was; each names one sign-in.
    #[serde(default, deserialize_with = "text")]
    pub token_id: String,
    /// Which passkey; empty in the service's older form.
    #[serde(default, deserialize_with = "text")]
    pub credential_id: String,
    /// What was done with it.
    #[serde(rename = "type")]
    pub kind: SignInKind,
}

impl VerifiedSignIn {
    /// The relying party's id, in either form; none if the two contradict each other.
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
    /// To sign in.
    PasskeySignin,
    /// It was made.
    PasskeyRegister,
    /// Something else: no passkey, as far as is known.
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

/// One row of the answer to `POST /credentials/list`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Credential {
    /// Names it.
    pub descriptor: Descriptor,
    /// How often it was used, as its device counts; 0 where it doesn't.
    #[serde(default)]
    pub signature_counter: u32,
    /// When it was made, in ISO 8601; without a zone it is UTC.
    #[serde(default, deserialize_with = "text")]
    pub created_at: String,
    /// When it was last used, likewise.
    #[serde(default, deserialize_with = "text")]
    pub last_used_at: String,
    /// The page's origin.
    #[serde(default, deserialize_with = "text")]
    pub origin: String,
    /// Two letters, or nothing.
    #[serde(default, deserialize_with = "text")]
    pub country: String,
    /// The browser and its system.
    #[serde(default, deserialize_with = "text")]
    pub device: String,
    /// What it is called.
    #[serde(default, deserialize_with = "text")]
    pub nickname: String,
    /// Whose it is.
    #[serde(default, deserialize_with = "text")]
    pub user_id: String,
}

/// A credential's name.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Descriptor {
    /// Its id in unpadded url-safe base64.
    pub id: String,
}

/// The answer to `POST /credentials/list`, in either form. Rows are read one by one, so that a damaged one
/// doesn't cost the others.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum CredentialList {
    /// As the service answers today.
    Values {
        /// The rows.
        values: Vec<serde_json::Value>,
    },
    /// As the document has it.
    Bare(Vec<serde_json::Value>),
}

impl CredentialList {
    /// The rows.
    pub fn rows(self) -> Vec<serde_json::Value> {
        match self {
            Self::Values { values } | Self::Bare(values) => values,
        }
    }
}

/// An `application/problem+json`: its code is decided upon, its prose isn't read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Problem {
    /// Which problem, such as `expired_token`.
    #[serde(default, deserialize_with = "text")]
    pub error_code: String,
    /// The fields that were not accepted, with prose for each.
    #[serde(default)]
    pub errors: serde_json::Map<String, serde_json::Value>,
}

fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SecretString, D::Error> {
    String::deserialize(deserializer).map(SecretString::from)
}

/// A text; null counts as an empty one.
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
