//! Making a passkey: a backend's token, a browser's begin, the device's answer.

use axum::{extract::State, http::HeaderMap, response::Response};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use jiff::{Timestamp, civil, tz::TimeZone};
use rusqlite::Transaction;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use serve::Millis;
use uuid::Uuid;
use wire::passwordless::{LimitError, check_user_id};

use super::{
    super::{
        device::Device,
        input::{Backend, Browser, Input},
        options::{AuthenticatorType, Creation, UserVerification},
        problem::{Problem, Stop},
        store::{
            aliases,
            credentials::{self, Credential},
            tokens::{self, Kind, LIFE},
        },
        webauthn::{self, NewCredential, Refusal},
    },
    CeremonyScope, backend, challenge, choice, decode, in_transaction, ok,
    signin::{Verified, verify_token},
};
use crate::context::ServiceContext;

/// A nickname's length, at most.
const NICKNAME_LENGTH: usize = 255;

#[derive(Deserialize)]
pub(super) struct RegisterTokenRequest {
    #[serde(default, rename = "userid")]
    user_id: String,
    #[serde(default)]
    username: String,
    #[serde(rename = "displayname")]
    display_name: Option<String>,
    attestation: Option<String>,
    #[serde(rename = "authenticatortype")]
    authenticator_type: Option<String>,
    discoverable: Option<bool>,
    #[serde(rename = "userverification")]
    user_verification: Option<String>,
    #[serde(rename = "expiresat")]
    expires_at: Option<String>,
    #[serde(default)]
    aliases: Vec<String>,
    #[serde(rename = "aliashashing")]
    alias_hashing: Option<bool>,
}

/// The payload of a `register_` token.
#[derive(Serialize, Deserialize)]
struct Registration {
    user_id: String,
    username: String,
    display_name: String,
    authenticator_type: AuthenticatorType,
    discoverable: bool,
    user_verification: UserVerification,
    aliases: Vec<String>,
    alias_hashing: bool,
}

/// The payload of a registration's `session_` token.
#[derive(Serialize, Deserialize)]
struct RegistrationCeremony {
    user_id: String,
    challenge: String,
    // Its name in tokens that an older version issued.
    #[serde(rename = "page")]
    scope: CeremonyScope,
    user_verification: bool,
    aliases: Vec<String>,
    alias_hashing: bool,
}

#[derive(Deserialize)]
pub(super) struct BeginRequest {
    token: Option<String>,
    rpid: String,
    origin: String,
}

#[derive(Deserialize)]
pub(super) struct CompleteRequest {
    #[serde(alias = "sessionid")]
    session: Option<String>,
    response: NewPasskey,
    nickname: Option<String>,
    rpid: String,
    origin: String,
}

#[derive(Deserialize)]
struct NewPasskey {
    id: String,
    #[serde(default, alias = "extensions", rename = "clientextensionresults")]
    extensions: Value,
    response: Attestation,
}

#[derive(Deserialize)]
struct Attestation {
    #[serde(rename = "attestationobject")]
    object: String,
    #[serde(rename = "clientdatajson")]
    client_data: String,
}

/// `POST /register/token`
pub(super) async fn token(
    State(context): State<ServiceContext>,
    _: Backend,
    Input(request): Input<RegisterTokenRequest>,
) -> Result<Response, Problem> {
    let now = context.clock.now();
    let expires_at = match &request.expires_at {
        Some(text) => time(text)
            .ok_or_else(|| Problem::invalid("expiresAt", "It should be a time in ISO 8601."))?,
        None => now.after(LIFE),
    };
    let request = request.checked()?;
    let token = in_transaction(&context, move |tx| {
        aliases::free_for(tx, &request.user_id, &request.aliases)?;
        Ok(tokens::issue(tx, Kind::Register, &request, now, expires_at)?)
    });
    Ok(ok(&json!({ "token": token.await? })))
}

impl RegisterTokenRequest {
    fn checked(self) -> Result<Registration, Problem> {
        check_user_id(&self.user_id).map_err(|limit| Problem::invalid("userId", limit))?;
        if self.username.trim().is_empty() {
            return Err(Problem::invalid("username", LimitError::NoUsername));
        }
        if self.attestation.is_some_and(|kind| !matches!(kind.as_str(), "" | "none" | "None")) {
            return Err(Problem::Attestation);
        }
        Ok(Registration {
            display_name: self.display_name.unwrap_or_else(|| self.username.clone()),
            authenticator_type: choice("authenticatorType", self.authenticator_type.as_deref())?,
            user_verification: choice("userVerification", self.user_verification.as_deref())?,
            aliases: backend::distinct(self.aliases)?,
            user_id: self.user_id,
            username: self.username,
            discoverable: self.discoverable.unwrap_or(true),
            alias_hashing: self.alias_hashing.unwrap_or(true),
        })
    }
}

/// `POST /register/begin`
pub(super) async fn begin(
    State(context): State<ServiceContext>,
    _: Browser,
    Input(request): Input<BeginRequest>,
) -> Result<Response, Problem> {
    let scope = CeremonyScope::new(request.rpid, request.origin)?;
    let now = context.clock.now();
    let ceremony = in_transaction(&context, move |tx| {
        let token: Registration = tokens::take(tx, Kind::Register, request.token.as_deref(), now)?;
        let (challenge, has) = (challenge(), credentials::for_user(tx, &token.user_id)?);
        let exclude: Vec<String> = has.into_iter().map(|credential| credential.id).collect();
        let data = Creation {
            challenge: &challenge,
            rp_id: &scope.rp_id,
            user_id: &token.user_id,
            username: &token.username,
            display_name: &token.display_name,
            authenticator_type: token.authenticator_type,
            discoverable: token.discoverable,
            user_verification: token.user_verification,
            exclude: &exclude,
        }
        .json();
        let session = RegistrationCeremony {
            challenge: BASE64URL.encode(challenge),
            user_verification: token.user_verification == UserVerification::Required,
            scope,
            user_id: token.user_id,
            aliases: token.aliases,
            alias_hashing: token.alias_hashing,
        };
        let session = tokens::issue(tx, Kind::RegisterSession, &session, now, now.after(LIFE))?;
        Ok(json!({ "data": data, "session": session }))
    });
    Ok(ok(&ceremony.await?))
}

/// `POST /register/complete`
pub(super) async fn complete(
    State(context): State<ServiceContext>,
    _: Browser,
    headers: HeaderMap,
    Input(request): Input<CompleteRequest>,
) -> Result<Response, Problem> {
    if request.nickname.as_ref().is_some_and(|name| name.encode_utf16().count() > NICKNAME_LENGTH) {
        return Err(Problem::invalid("nickname", "It should be at most 255 characters."));
    }
    let (now, device) = (context.clock.now(), Device::from_headers(&headers));
    let token = in_transaction(&context, move |tx| register(tx, request, device, now)).await?;
    Ok(ok(&json!({ "token": token })))
}

fn register(
    tx: &Transaction<'_>,
    request: CompleteRequest,
    device: Device,
    now: Millis,
) -> Result<String, Stop> {
    let ceremony: RegistrationCeremony =
        tokens::take(tx, Kind::RegisterSession, request.session.as_deref(), now)?;
    let made = checked(&ceremony, &request).map_err(Problem::Registration)?;
    // Again, for another user may have taken one since the token was issued.
    aliases::free_for(tx, &ceremony.user_id, &ceremony.aliases)?;
    let discoverable =
        request.response.extensions.pointer("/credprops/rk").and_then(Value::as_bool);
    let credential = Credential {
        id: BASE64URL.encode(&made.id),
        user_id: ceremony.user_id,
        public_key: made.public_key,
        counter: made.counter,
        aaguid: Uuid::from_bytes(made.aaguid).to_string(),
        rp_id: ceremony.scope.rp_id,
        origin: ceremony.scope.origin,
        device,
        nickname: request.nickname,
        discoverable,
        backup_eligible: made.backup_eligible,
        backed_up: made.backed_up,
        created_at: now,
        last_used_at: now,
    };
    if !credential.insert(tx)? {
        return Err(Problem::CredentialExists.into());
    }
    if !ceremony.aliases.is_empty() {
        aliases::replace(tx, &credential.user_id, &ceremony.aliases, ceremony.alias_hashing)?;
    }
    Ok(verify_token(tx, &credential, Verified::Registered, now)?)
}

fn checked(
    ceremony: &RegistrationCeremony,
    request: &CompleteRequest,
) -> Result<NewCredential, Refusal> {
    ceremony.scope.check(&request.rpid, &request.origin)?;
    let challenge = decode(&ceremony.challenge).ok_or(Refusal::Challenge)?;
    let sent = &request.response.response;
    let client_data = decode(&sent.client_data).ok_or(Refusal::ClientData)?;
    let object = decode(&sent.object).ok_or(Refusal::AttestationObject)?;
    let expected = ceremony.scope.expected(&challenge, ceremony.user_verification);
    let made = webauthn::register(&expected, &client_data, &object)?;
    // A page names the passkey beside the device's own answer; both must mean the same one.
    let named = decode(&request.response.id).is_some_and(|id| id == made.id);
    if named { Ok(made) } else { Err(Refusal::CredentialId) }
}

/// A time as backends write it; without a zone it is UTC.
fn time(text: &str) -> Option<Millis> {
    let zoned = text.parse::<Timestamp>().ok();
    let at =
        zoned.or_else(|| TimeZone::UTC.to_timestamp(text.parse::<civil::DateTime>().ok()?).ok())?;
    Some(Millis(at.as_millisecond()))
}
