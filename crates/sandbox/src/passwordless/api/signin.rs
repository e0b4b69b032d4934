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
        options,
        problem::{Problem, Stop},
        store::{
            aliases,
            credentials::{self, Credential},
            tokens::{self, Kind, LIFE},
        },
        webauthn::{self, Refusal, SignedIn},
    },
    Page, USER_VERIFICATION, backend, bytes, challenge, choice, ok, work,
};
use crate::desk::Desk;

#[derive(Deserialize)]
pub(super) struct Begin {
    /// Its name of old is `username`.
    #[serde(alias = "username", rename = "userid")]
    user_id: Option<String>,
    alias: Option<String>,
    #[serde(rename = "userverification")]
    user_verification: Option<String>,
    rpid: String,
    origin: String,
}

/// What the `session_` token of a sign-in stands for.
#[derive(Serialize, Deserialize)]
struct Begun {
    challenge: String,
    page: Page,
    user_verification: bool,
    /// The passkeys that will do; none: any.
    allow: Vec<String>,
}

#[derive(Deserialize)]
pub(super) struct Complete {
    #[serde(alias = "sessionid")]
    session: Option<String>,
    response: Shown,
    rpid: String,
    origin: String,
}

#[derive(Deserialize)]
struct Shown {
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
    /// Who the device says that it is; today's browser client leaves it out.
    #[serde(rename = "userhandle")]
    user_handle: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Verify {
    token: Option<String>,
}

/// `POST /signin/begin`: an unknown user is answered as one without passkeys, which tells nobody who is known.
pub(super) async fn begin(
    State(desk): State<Desk>,
    _: Browser,
    Input(asked): Input<Begin>,
) -> Result<Response, Problem> {
    let page = Page::checked(asked.rpid, asked.origin)?;
    let user_verification =
        choice("userVerification", asked.user_verification, "preferred", &USER_VERIFICATION)?;
    let now = desk.clock.now();
    let begun = work(&desk, move |tx| {
        let given = |text: Option<String>| text.filter(|text| !text.is_empty());
        let user_id = match (given(asked.user_id), given(asked.alias)) {
            (Some(user_id), _) => Some(user_id),
            (None, Some(alias)) => aliases::owner(tx, &alias)?,
            (None, None) => None,
        };
        let has = user_id.map(|user_id| credentials::of_user(tx, &user_id)).transpose()?;
        let allow: Vec<String> =
            has.unwrap_or_default().into_iter().map(|credential| credential.id).collect();
        let challenge = challenge();
        let data = options::request(&challenge, &page.rp_id, &allow, &user_verification);
        let session = Begun {
            challenge: BASE64URL.encode(challenge),
            page,
            user_verification: user_verification == "required",
            allow,
        };
        let session = tokens::issue(tx, Kind::SignInSession, &session, now, now.after(LIFE))?;
        Ok(json!({ "data": data, "session": session }))
    });
    Ok(ok(&begun.await?))
}

/// `POST /signin/complete`
pub(super) async fn complete(
    State(desk): State<Desk>,
    _: Browser,
    headers: HeaderMap,
    Input(asked): Input<Complete>,
) -> Result<Response, Problem> {
    let (now, device) = (desk.clock.now(), Device::of(&headers));
    let token = work(&desk, move |tx| sign_in(tx, &asked, device, now)).await?;
    Ok(ok(&json!({ "token": token })))
}

fn sign_in(
    tx: &Transaction<'_>,
    asked: &Complete,
    device: Device,
    now: Millis,
) -> Result<String, Stop> {
    let begun: Begun = tokens::take(tx, Kind::SignInSession, asked.session.as_deref(), now)?;
    let id = bytes(&asked.response.id).map(|id| BASE64URL.encode(id));
    let id = id.ok_or(Problem::UnknownCredential)?;
    let mut credential = credentials::find(tx, &id)?.ok_or(Problem::UnknownCredential)?;
    if !begun.allow.is_empty() && !begun.allow.contains(&id) {
        return Err(Problem::OtherCredential.into());
    }
    let shown = &asked.response.response;
    let handle = shown.user_handle.as_ref().filter(|handle| !handle.is_empty());
    let is_owner = |handle: &String| {
        bytes(handle).is_some_and(|handle| handle == credential.user_id.as_bytes())
    };
    if !handle.is_none_or(is_owner) {
        return Err(Problem::OtherCredential.into());
    }
    let signed_in = checked(&begun, asked, &credential).map_err(Problem::SignIn)?;
    credentials::used(tx, &id, signed_in, &device, now)?;
    credential.device = device;
    // The page of this sign-in, which may be another than the one of the registration.
    credential.origin = begun.page.origin;
    Ok(verify_token(tx, &credential, Verified::SignedIn, now)?)
}

fn checked(begun: &Begun, asked: &Complete, credential: &Credential) -> Result<SignedIn, Refusal> {
    begun.page.is(&asked.rpid, &asked.origin)?;
    if begun.page.rp_id != credential.rp_id {
        return Err(Refusal::RpId);
    }
    let challenge = bytes(&begun.challenge).ok_or(Refusal::Challenge)?;
    let shown = &asked.response.response;
    let assertion = webauthn::Assertion {
        client_data: &bytes(&shown.client_data).ok_or(Refusal::ClientData)?,
        authenticator_data: &bytes(&shown.authenticator_data).ok_or(Refusal::AuthenticatorData)?,
        signature: &bytes(&shown.signature).ok_or(Refusal::Signature)?,
    };
    let expected = begun.page.expected(&challenge, begun.user_verification);
    webauthn::sign_in(&expected, &credential.public_key, credential.counter, &assertion)
}

/// What a person did with a passkey.
#[derive(Debug, Clone, Copy)]
pub(super) enum Verified {
    Registered,
    SignedIn,
}

/// The token that tells a backend what was done; it stands for the whole answer.
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
    State(desk): State<Desk>,
    _: Backend,
    Input(asked): Input<Verify>,
) -> Result<Response, Problem> {
    let now = desk.clock.now();
    let answer: Value =
        work(&desk, move |tx| tokens::take(tx, Kind::Verify, asked.token.as_deref(), now)).await?;
    Ok(ok(&answer))
}
