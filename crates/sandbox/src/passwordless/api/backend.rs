//! The backends' calls about aliases and passkeys.

use std::collections::HashMap;

use axum::{
    extract::{Query, State},
    http::StatusCode,
    response::Response,
};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD as BASE64, URL_SAFE_NO_PAD as BASE64URL},
};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use serve::Millis;
use wire::passwordless::{check_aliases, check_user_id};

use super::{
    super::{
        input::{Backend, Input},
        problem::Problem,
        store::{
            aliases,
            credentials::{self, Credential},
        },
    },
    decode, in_transaction, ok,
};
use crate::context::ServiceContext;

#[derive(Deserialize)]
pub(super) struct SetAliasesRequest {
    #[serde(default, rename = "userid")]
    user_id: String,
    aliases: Option<Vec<String>>,
    hashing: Option<bool>,
}

#[derive(Deserialize)]
pub(super) struct ListRequest {
    #[serde(default, rename = "userid")]
    user_id: String,
}

#[derive(Deserialize)]
pub(super) struct DeleteRequest {
    #[serde(default, rename = "credentialid")]
    credential_id: String,
}

pub(super) async fn set_aliases(
    State(context): State<ServiceContext>,
    _: Backend,
    Input(request): Input<SetAliasesRequest>,
) -> Result<StatusCode, Problem> {
    check_user_id(&request.user_id).map_err(|limit| Problem::invalid("userId", limit))?;
    let given =
        request.aliases.ok_or_else(|| Problem::invalid("aliases", "The aliases are required."))?;
    let given = distinct(given)?;
    let hashing = request.hashing.unwrap_or(true);
    in_transaction(&context, move |tx| aliases::replace(tx, &request.user_id, &given, hashing))
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn list(
    State(context): State<ServiceContext>,
    _: Backend,
    Input(request): Input<ListRequest>,
) -> Result<Response, Problem> {
    list_passkeys(&context, request.user_id).await
}

/// The older way, which puts the user's id into the address.
pub(super) async fn list_by_query(
    State(context): State<ServiceContext>,
    _: Backend,
    Query(request): Query<HashMap<String, String>>,
) -> Result<Response, Problem> {
    let named = |name: &String| name.eq_ignore_ascii_case("userid");
    let user_id = request.into_iter().find(|(name, _)| named(name));
    list_passkeys(&context, user_id.map(|(_, id)| id).unwrap_or_default()).await
}

async fn list_passkeys(context: &ServiceContext, user_id: String) -> Result<Response, Problem> {
    check_user_id(&user_id).map_err(|limit| Problem::invalid("userId", limit))?;
    let found = in_transaction(context, move |tx| Ok(credentials::for_user(tx, &user_id)?)).await?;
    let values: Vec<Value> = found.iter().map(row).collect();
    Ok(ok(&json!({ "values": values })))
}

/// A passkey as the service lists it, with the relying party's id in both of its spellings.
fn row(credential: &Credential) -> Value {
    json!({
        "descriptor": { "type": "public-key", "id": credential.id },
        "publicKey": BASE64.encode(&credential.public_key),
        "userHandle": BASE64.encode(&credential.user_id),
        "signatureCounter": credential.counter,
        "attestationFmt": "none",
        "createdAt": time(credential.created_at),
        "aaGuid": credential.aaguid,
        "lastUsedAt": time(credential.last_used_at),
        "rpid": credential.rp_id,
        "rpId": credential.rp_id,
        "origin": credential.origin,
        "country": credential.device.country,
        "device": credential.device.name,
        "nickname": credential.nickname,
        "userId": credential.user_id,
        "backupState": credential.backed_up,
        "isBackupEligible": credential.backup_eligible,
        "isDiscoverable": credential.discoverable,
    })
}

/// Deletes a passkey; one that isn't there is none afterwards either, which the service takes for a success.
pub(super) async fn delete(
    State(context): State<ServiceContext>,
    _: Backend,
    Input(request): Input<DeleteRequest>,
) -> Result<StatusCode, Problem> {
    let id = decode(&request.credential_id).filter(|id| !id.is_empty()).ok_or_else(|| {
        Problem::invalid("credentialId", "The credential's id is required, in base64url.")
    })?;
    in_transaction(&context, move |tx| Ok(credentials::delete(tx, &BASE64URL.encode(id))?)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The aliases, each once, as the service reads them; within its limits.
pub(super) fn distinct(given: Vec<String>) -> Result<Vec<String>, Problem> {
    let mut known = std::collections::HashSet::new();
    let once: Vec<String> = given.into_iter().filter(|alias| known.insert(alias.clone())).collect();
    check_aliases(&once).map_err(|limit| Problem::invalid("aliases", limit))?;
    Ok(once)
}

/// A time as the service writes it.
pub(super) fn time(at: Millis) -> String {
    Timestamp::from_millisecond(at.0).unwrap_or_default().to_string()
}
