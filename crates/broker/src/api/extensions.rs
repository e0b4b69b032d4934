//! What this broker can do beyond the hosted service's calls, under `/api/v1/x/`.

use axum::{Extension, body::Bytes, extract::State, response::Response};
use serde::Serialize;
use wire::{
    loginwithme::SessionUrl,
    screen::{Asker, Role},
};

use super::{
    Desk, Query,
    answer::{json, pretty, success},
    calls::{Answer, Fields, pin},
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
    /// `{origin}/screen` carries a screen from its presenter to its viewers.
    screen: bool,
    /// `PUT`, `GET /api/v1/x/asker`: who asks for the screen.
    asker: bool,
    /// `POST /api/v1/x/viewer_link`: a link of one role, without the PIN.
    viewer_link: bool,
    /// `POST /api/v1/x/roster`: who shares the screen, and who watches it.
    roster: bool,
    /// There is a presenter's program to deliver.
    program: bool,
    /// Regions answer at this path of the broker's own origin.
    region_path: &'static str,
    /// The page where a customer joins.
    join_path: &'static str,
    version: &'static str,
}

pub(super) async fn capabilities(State(desk): State<Desk>) -> Response {
    let program = !desk.board.programs.all().await.is_empty();
    json(pretty(&Capabilities {
        success: true,
        revoke: true,
        reach: true,
        screen: true,
        asker: true,
        viewer_link: true,
        roster: true,
        program,
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
) -> Answer {
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
) -> Answer {
    let fields = Fields::read(&body)?;
    let answered = desk.board.reach(client, fields.text("url")?).await?;
    Ok(json(pretty(&Reached { success: true, answered })))
}

/// Says who asks for the screen; in the conf if that isn't given yet.
pub(super) async fn set_asker(
    State(desk): State<Desk>,
    Extension(client): Extension<Client>,
    body: Bytes,
) -> Answer {
    let fields = Fields::read(&body)?;
    let who = (fields.optional("technician")?, fields.optional("company")?);
    desk.board.set_asker(client, fields.pin()?, who, fields.flag("unattended")?).await?;
    Ok(json(success()))
}

#[derive(Serialize)]
struct Asking {
    success: bool,
    technician: String,
    company: String,
}

/// For the customer's page and program, before anything is shared.
pub(super) async fn asker(
    State(desk): State<Desk>,
    Extension(client): Extension<Client>,
    query: Query,
) -> Answer {
    let Asker { technician, company } = desk.board.asker(client, &pin(&query)?)?;
    Ok(json(pretty(&Asking { success: true, technician, company })))
}

/// A link that lets its holder do so much and no more.
pub(super) async fn viewer_link(
    State(desk): State<Desk>,
    Extension(client): Extension<Client>,
    body: Bytes,
) -> Answer {
    let fields = Fields::read(&body)?;
    let role = match fields.text("role")? {
        "control" => Role::Control,
        "watch" => Role::Watch,
        _ => return Err(Refused::malformed("role is control or watch")),
    };
    let name = fields.optional("name")?;
    let url = desk.board.viewer_link(client, fields.pin()?, role, name).await?;
    Ok(json(pretty(&SessionUrl { success: true, url })))
}

/// Who is there: by POST, so that no log of URLs has the PIN.
pub(super) async fn roster(
    State(desk): State<Desk>,
    Extension(client): Extension<Client>,
    body: Bytes,
) -> Answer {
    let fields = Fields::read(&body)?;
    Ok(json(pretty(&desk.board.who_is_there(client, &fields.pin()?)?)))
}
