//! What this broker can do beyond the hosted service's calls, under `/api/v1/x/`.

use axum::{Extension, body::Bytes, extract::State, response::Response};
use serde::Serialize;

use super::{
    Desk,
    answer::{json, pretty, success},
    calls::Fields,
};
use crate::{error::Refused, switchboard::Client};

/// What there is. A console shows a feature only if its name is here and true.
#[derive(Serialize)]
struct Capabilities {
    success: bool,
    /// `POST /api/v1/x/revoke {"session_pin"}` ends a PIN's life.
    revoke: bool,
    /// `POST /api/v1/x/reach {"url"}` calls a listener's `.../reach/{nonce}` once.
    reach: bool,
    /// Regions answer at this path of the broker's own origin.
    region_path: &'static str,
    /// The page where a customer joins.
    join_path: &'static str,
    version: &'static str,
}

pub(super) async fn capabilities() -> Response {
    json(pretty(&Capabilities {
        success: true,
        revoke: true,
        reach: true,
        region_path: "/region/{region}",
        join_path: "/join#{pin}",
        version: env!("CARGO_PKG_VERSION"),
    }))
}

#[derive(Serialize)]
struct Reached {
    success: bool,
    /// Anything answered there. Whether it was the listener, only that knows.
    answered: bool,
}

/// Whoever holds the PIN can reach the customer's PC, so whoever holds it may also end it.
pub(super) async fn revoke(
    State(desk): State<Desk>,
    Extension(client): Extension<Client>,
    body: Bytes,
) -> Result<Response, Refused> {
    let fields = Fields::read(&body)?;
    desk.board.revoke(client, &fields.pin()?).await?;
    Ok(json(success()))
}

/// Calls a console's listener from here, so that the console sees whether hooks can come to it. Where
/// that may be is what holds for hooks.
pub(super) async fn reach(
    State(desk): State<Desk>,
    Extension(client): Extension<Client>,
    body: Bytes,
) -> Result<Response, Refused> {
    let fields = Fields::read(&body)?;
    let answered = desk.board.reach(client, fields.text("url")?).await?;
    Ok(json(pretty(&Reached { success: true, answered })))
}
