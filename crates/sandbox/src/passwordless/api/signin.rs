//! Signing in: a browser's begin, the device's answer, a backend's check.

use axum::{extract::State, http::HeaderMap, response::Response};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use rusqlite::Transaction;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use serve::Millis;
use uuid::Uuid;

use super::{
    super::{
        device::Device,
        input::{Backend, Browser, Input},
        options::{self, UserVerification},
        problem::{Problem, Stop},
        store::{
            aliases,
            credentials::{self, Credential},
            tokens::{self, Kind, LIFE},
        },
        webauthn::{self, Refusal, SignedIn},
    },
    CeremonyScope, backend, challenge, choice, decode, in_transaction, ok,
};
use crate::context::ServiceContext;

#[derive(Deserialize)]
pub(super) struct BeginRequest {
    /// Its name of old is `username`.
    #[serde(alias = "username", rename = "userid")]
    user_id: Option<String>,
    alias: Option<String>,
    #[serde(rename = "userverification")]
    user_verification: Option<String>,
    rpid: String,
    origin: String,
}

/// The payload of a sign-in's `session_` token.
#[derive(Serialize, Deserialize)]
struct SignInCeremony {
    challenge: String,
    // Its name in tokens that an older version issued.
    #[serde(rename = "page")]
    scope: CeremonyScope,
    user_verification: bool,
    /// The passkeys that will do; none: any.
    allow: Vec<String>,
}

#[derive(Deserialize)]
pub(super) struct CompleteRequest {
    #[serde(alias = "sessionid")]
    session: Option<String>,
    response: UsedPasskey,
    rpid: String,
    origin: String,
}

#[derive(Deserialize)]
struct UsedPasskey {
    id: String,
    response: Assertion,
}

#[derive(Deserialize)]
struct Assertion {
    #[serde(rename = "authenticatordata")]
    authenticator_data: String,
    #[serde(rename = "clientdatajson")]
    client_data: String,
    signature: String,
    /// The user's id as the device has it; today's browser client leaves it out.
    #[serde(rename = "userhandle")]
    user_handle: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct VerifyRequest {
    token: Option<String>,
}

/// `POST /signin/begin`: an unknown user is answered as one without passkeys, which tells nobody who is known.
pub(super) async fn begin(
    State(context): State<ServiceContext>,
    _: Browser,
    Input(request): Input<BeginRequest>,
) -> Result<Response, Problem> {
    let scope = CeremonyScope::new(request.rpid, request.origin)?;
    let user_verification: UserVerification =
        choice("userVerification", request.user_verification.as_deref())?;
    let now = context.clock.now();
    let ceremony = in_transaction(&context, move |tx| {
        let given = |text: Option<String>| text.filter(|text| !text.is_empty());
        let user_id = match (given(request.user_id), given(request.alias)) {
            (Some(user_id), _) => Some(user_id),
            (None, Some(alias)) => aliases::owner(tx, &alias)?,
            (None, None) => None,
        };
        let has = user_id.map(|user_id| credentials::for_user(tx, &user_id)).transpose()?;
        let allow: Vec<String> =
            has.unwrap_or_default().into_iter().map(|credential| credential.id).collect();
        let challenge = challenge();
        let data = options::request(&challenge, &scope.rp_id, &allow, user_verification);
        let session = SignInCeremony {
            challenge: BASE64URL.encode(challenge),
            scope,
            user_verification: user_verification == UserVerification::Required,
            allow,
        };
        let session = tokens::issue(tx, Kind::SignInSession, &session, now, now.after(LIFE))?;
        Ok(json!({ "data": data, "session": session }))
    });
    Ok(ok(&ceremony.await?))
}

/// `POST /signin/complete`
pub(super) async fn complete(
    State(context): State<ServiceContext>,
    _: Browser,
    headers: HeaderMap,
    Input(request): Input<CompleteRequest>,
) -> Result<Response, Problem> {
    let (now, device) = (context.clock.now(), Device::from_headers(&headers));
    let token = in_transaction(&context, move |tx| sign_in(tx, &request, device, now)).await?;
    Ok(ok(&json!({ "token": token })))
}

fn sign_in(
    tx: &Transaction<'_>,
    request: &CompleteRequest,
    device: Device,
    now: Millis,
) -> Result<String, Stop> {
    let ceremony: SignInCeremony =
        tokens::take(tx, Kind::SignInSession, request.session.as_deref(), now)?;
    let id = decode(&request.response.id).map(|id| BASE64URL.encode(id));
    let id = id.ok_or(Problem::UnknownCredential)?;
    let mut credential = credentials::find(tx, &id)?.ok_or(Problem::UnknownCredential)?;
    if !ceremony.allow.is_empty() && !ceremony.allow.contains(&id) {
        return Err(Problem::OtherCredential.into());
    }
    let shown = &request.response.response;
    // Only a handle that is there can contradict: browsers may leave it out.
    let handle = shown.user_handle.as_ref().filter(|handle| !handle.is_empty());
    let is_owner = |handle: &String| {
        decode(handle).is_some_and(|handle| handle == credential.user_id.as_bytes())
    };
    if !handle.is_none_or(is_owner) {
        return Err(Problem::OtherCredential.into());
    }
    let signed_in = checked(&ceremony, request, &credential).map_err(Problem::SignIn)?;
    credentials::used(tx, &id, signed_in, &device, now)?;
    credential.device = device;
    // The page of this sign-in, which may be another than the one of the registration.
    credential.origin = ceremony.scope.origin;
    Ok(verify_token(tx, &credential, Verified::SignedIn, now)?)
}

fn checked(
    ceremony: &SignInCeremony,
    request: &CompleteRequest,
    credential: &Credential,
) -> Result<SignedIn, Refusal> {
    ceremony.scope.check(&request.rpid, &request.origin)?;
    if ceremony.scope.rp_id != credential.rp_id {
        return Err(Refusal::RpId);
    }
    let challenge = decode(&ceremony.challenge).ok_or(Refusal::Challenge)?;
    let shown = &request.response.response;
    let assertion = webauthn::Assertion {
        client_data: &decode(&shown.client_data).ok_or(Refusal::ClientData)?,
        authenticator_data: &decode(&shown.authenticator_data).ok_or(Refusal::AuthenticatorData)?,
        signature: &decode(&shown.signature).ok_or(Refusal::Signature)?,
    };
    let expected = ceremony.scope.expected(&challenge, ceremony.user_verification);
    webauthn::sign_in(&expected, &credential.public_key, credential.counter, &assertion)
}

/// What a person did with a passkey.
#[derive(Debug, Clone, Copy)]
pub(super) enum Verified {
    Registered,
    SignedIn,
}

/// A `verify_` token, whose payload is the whole response that a backend gets for it.
pub(super) fn verify_token(
    tx: &Transaction<'_>,
    credential: &Credential,
    did: Verified,
    now: Millis,
) -> rusqlite::Result<String> {
    let expires_at = now.after(LIFE);
    let answer = json!({
        "success": true,
        "userId": credential.user_id,
        "timestamp": backend::time(now),
        "rpId": credential.rp_id,
        "rpid": credential.rp_id,
        "origin": credential.origin,
        "device": credential.device.name,
        "country": credential.device.country,
        "nickname": credential.nickname,
        "credentialId": credential.id,
        "expiresAt": backend::time(expires_at),
        "tokenId": Uuid::new_v4(),
        "type": match did {
            Verified::Registered => "passkey_register",
            Verified::SignedIn => "passkey_signin",
        },
    });
    tokens::issue(tx, Kind::Verify, &answer, now, expires_at)
}

/// `POST /signin/verify`
pub(super) async fn verify(
    State(context): State<ServiceContext>,
    _: Backend,
    Input(request): Input<VerifyRequest>,
) -> Result<Response, Problem> {
    let now = context.clock.now();
    let answer: Value = in_transaction(&context, move |tx| {
        tokens::take(tx, Kind::Verify, request.token.as_deref(), now)
    })
    .await?;
    Ok(ok(&answer))
}
