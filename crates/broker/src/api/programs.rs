//! Delivering the presenter's program, with a session's conf or without.

use std::{convert::Infallible, fmt::Write as _};

use axum::{
    Extension,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse as _, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use futures_util::stream;
use ring::signature::KeyPair as _;
use serde::Serialize;
use wire::{ConfText, trailer::Payload};

use super::{
    Desk, Query,
    answer::{json, pretty},
    calls::Answer,
};
use crate::{error::Refused, programs::Delivery, switchboard::Client};

/// The program with the conf at its end, for whoever brings a conf that this broker gave.
pub(super) async fn session_exe(
    State(desk): State<Desk>,
    Extension(client): Extension<Client>,
    headers: HeaderMap,
    query: Query,
) -> Answer {
    let conf = query.get("conf").ok_or_else(|| Refused::malformed("conf is missing"))?;
    let conf = ConfText::from(conf.to_owned());
    desk.board.pin_of_conf(client, &conf)?;
    let flag = |name| query.get(name).is_some_and(|value| value == "true");
    let (hide_progress, self_delete) = (flag("hide_progress"), flag("self_delete"));
    let program = desk.board.programs.pick(query.get("platform"), agent(&headers)).await?;
    let payload = Payload { conf, hide_progress, self_delete };
    Ok(deliver(program.signed(&payload, &desk.board.signer)?))
}

/// The program as it was built: the customer types the PIN.
pub(super) async fn program(State(desk): State<Desk>, headers: HeaderMap, query: Query) -> Answer {
    let program = desk.board.programs.pick(query.get("platform"), agent(&headers)).await?;
    Ok(deliver(program.plain()))
}

#[derive(Serialize)]
struct ProgramInfo {
    success: bool,
    platforms: Vec<PlatformInfo>,
    /// Ed25519, 64 hex digits. Signs what `session_exe` delivers.
    public_key: String,
}

#[derive(Serialize)]
struct PlatformInfo {
    platform: String,
    size: usize,
    /// Of the program as it was built.
    sha256: String,
}

/// Which programs there are, and how to know them again.
pub(super) async fn program_info(State(desk): State<Desk>) -> Response {
    let all = desk.board.programs.all().await;
    let info = all.iter().map(|program| PlatformInfo {
        platform: program.platform.clone(),
        size: program.bytes.len(),
        sha256: hex(&program.sha256),
    });
    let public_key = hex(desk.board.signer.public_key().as_ref());
    json(pretty(&ProgramInfo { success: true, platforms: info.collect(), public_key }))
}

/// In two pieces, so that no request costs a copy of the program.
fn deliver(delivery: Delivery) -> Response {
    let Delivery { program, trailer, sha256 } = delivery;
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
        // Of all that is delivered, as a person's tool shows it of the file.
        ("x-program-sha256", hex(&sha256)),
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

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
