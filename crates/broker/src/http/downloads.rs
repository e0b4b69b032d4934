//! Downloads of the presenter's program, with a session's conf or without.

use std::convert::Infallible;

use axum::{
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse as _, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use data_encoding::HEXLOWER;
use futures_util::stream;
use ring::signature::KeyPair as _;
use serde::Serialize;
use wire::{ConfText, Pin, trailer::Payload};

use super::{
    context::ApiContext,
    request::{Call, Query},
    response::{HttpResult, json, pretty},
};
use crate::{hub::refusal::Refused, programs::ProgramDownload};

/// The program with the conf at its end, for whoever brings a conf that this broker gave.
pub(super) async fn session_exe(call: Call, headers: HeaderMap, query: Query) -> HttpResult {
    let conf = query.get("conf").ok_or_else(|| Refused::malformed("conf is missing"))?;
    let conf = ConfText::from(conf.to_owned());
    let pin = call.coordinator.with_hub(|hub, now| hub.pin_from_conf(call.client, &conf, now))?;
    call.coordinator.with_hub(|hub, now| hub.count_download(call.client, now))?;
    let flag = |name| query.get(name).is_some_and(|value| value == "true");
    let (hide_progress, self_delete) = (flag("hide_progress"), flag("self_delete"));
    let program =
        call.coordinator.live().programs.pick(query.get("platform"), agent(&headers)).await?;
    let payload = Payload { conf, hide_progress, self_delete };
    let delivered = deliver(program.signed(&payload, &call.coordinator.signer)?);
    note_download(&call, &pin).await?;
    Ok(delivered)
}

/// The program as it was built: the customer types the PIN.
pub(super) async fn program(call: Call, headers: HeaderMap, query: Query) -> HttpResult {
    call.coordinator.with_hub(|hub, now| hub.count_download(call.client, now))?;
    let program =
        call.coordinator.live().programs.pick(query.get("platform"), agent(&headers)).await?;
    // Without a PIN nobody learns of the download.
    if query.get("session_pin").is_some() {
        note_download(&call, &query.pin()?).await?;
    }
    Ok(deliver(program.plain()))
}

async fn note_download(call: &Call, pin: &Pin) -> Result<(), Refused> {
    call.coordinator.apply(|hub, now| hub.note_download(call.client, pin, now)).await
}

#[derive(Serialize)]
struct ProgramInfo {
    success: bool,
    platforms: Vec<PlatformInfo>,
    /// The Ed25519 key that checks what `session_exe` delivers, as 64 hex digits.
    public_key: String,
}

#[derive(Serialize)]
struct PlatformInfo {
    platform: String,
    size: usize,
    /// Of the program as it was built.
    sha256: String,
}

/// Which programs there are, and how to recognise them.
pub(super) async fn program_info(State(context): State<ApiContext>) -> Response {
    let all = context.coordinator.live().programs.all().await;
    let info = all.iter().map(|program| PlatformInfo {
        platform: program.platform.clone(),
        size: program.bytes.len(),
        sha256: HEXLOWER.encode(&program.sha256),
    });
    let public_key = HEXLOWER.encode(context.coordinator.signer.public_key().as_ref());
    json(pretty(&ProgramInfo { success: true, platforms: info.collect(), public_key }))
}

/// In two pieces, so that no request costs a copy of the program.
fn deliver(download: ProgramDownload) -> Response {
    let ProgramDownload { program, trailer, sha256 } = download;
    let length = program.bytes.len() + trailer.len();
    let extension = if program.platform.starts_with("windows") { "exe" } else { "run" };
    let name = format!("attachment; filename=\"deskhand-presenter.{extension}\"");
    let digest = format!("sha-256=:{}:", STANDARD.encode(sha256));
    let pieces: [Result<Bytes, Infallible>; 2] = [Ok(program.bytes.clone()), Ok(trailer)];
    let mut response = Body::from_stream(stream::iter(pieces)).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_LENGTH, length.into());
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    let texts = [
        ("content-disposition", name),
        ("repr-digest", digest),
        // Of everything that is delivered, as a person's tool shows it for the file.
        ("x-program-sha256", HEXLOWER.encode(&sha256)),
        ("x-program-platform", program.platform.clone()),
    ];
    for (name, text) in texts {
        if let Ok(value) = HeaderValue::from_str(&text) {
            headers.insert(name, value);
        }
    }
    response
}

fn agent(headers: &HeaderMap) -> &str {
    headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or_default()
}
