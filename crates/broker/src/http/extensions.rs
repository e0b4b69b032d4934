//! What this broker can do beyond the hosted service's calls, under `/api/v1/x/`.

use axum::response::Response;
use secrecy::ExposeSecret as _;
use serde::Serialize;
use serve::{Client, Millis};
use url::form_urlencoded::byte_serialize;
use uuid::Uuid;
use wire::{
    Pin,
    loginwithme::SessionUrl,
    shared_screen::{AdmissionAnswer, Requester, Role, RosterEntry, Sharing},
};

use super::{
    request::{Call, ConsoleKey, Fields, Query},
    response::{HttpResult, json, pretty, success},
};
use crate::{
    hub::{Hub, refusal::Refused, text, tickets::Ticket},
    random,
};

/// What this broker can do. A console shows a feature only if its name is here and true.
#[derive(Serialize)]
struct Capabilities<'a> {
    success: bool,
    /// `POST /api/v1/x/revoke {"session_pin"}` ends a PIN's life.
    revoke: bool,
    /// `POST /api/v1/x/reach {"url"}` calls a listener's `.../reach/{nonce}` once.
    reach: bool,
    /// `{origin}/screen` carries a screen from its presenter to its viewers.
    screen: bool,
    /// `PUT`, `GET /api/v1/x/asker`: who asks for the screen.
    #[serde(rename = "asker")]
    requester: bool,
    /// `POST /api/v1/x/viewer_link`: a link of one role, without the PIN.
    viewer_link: bool,
    /// `POST /api/v1/x/roster`: who shares the screen, and who watches it.
    roster: bool,
    /// `/api/v1/x/events`: a console is told of all its sessions over one WebSocket.
    events: bool,
    /// `POST /api/v1/x/chat`: a console writes a chat message, whoever is connected.
    chat: bool,
    /// `POST /api/v1/x/admit`: a console answers about a viewer that waits, without a viewer of its own.
    admit: bool,
    /// `POST /api/v1/x/delete {"session_pin"}` deletes what is kept of a session, for its console.
    delete: bool,
    /// There is at least one presenter's program to deliver.
    program: bool,
    /// Regions answer at this path of the broker's own origin.
    region_path: &'static str,
    /// The page where a customer joins.
    join_path: &'static str,
    version: &'static str,
    /// For the console that gave its key: the deliveries of its sessions' hooks are signed with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    webhook_secret: Option<&'a str>,
}

pub(super) async fn capabilities(call: Call, key: ConsoleKey) -> Response {
    let program = !call.coordinator.live().programs.all().await.is_empty();
    let secret = key.0.map(|console| call.coordinator.deliverer.secret(&console));
    json(pretty(&Capabilities {
        success: true,
        revoke: true,
        reach: true,
        screen: true,
        requester: true,
        viewer_link: true,
        roster: true,
        events: true,
        chat: true,
        admit: true,
        delete: true,
        program,
        region_path: "/region/{region}",
        join_path: "/join#{pin}",
        version: env!("CARGO_PKG_VERSION"),
        webhook_secret: secret.as_ref().map(|secret| secret.expose_secret()),
    }))
}

#[derive(Serialize)]
struct Posted {
    success: bool,
    guid: Uuid,
    /// Its place in the session's chat, as on the event channel.
    number: u64,
}

/// A chat message of the session's console.
pub(super) async fn chat(call: Call, key: ConsoleKey, fields: Fields) -> HttpResult {
    let (pin, message) = (fields.pin()?, (fields.optional("name")?, fields.text("body")?));
    let (client, guid) = (call.client, Uuid::new_v4());
    let posted = call
        .coordinator
        .change(|hub, now| hub.post_console_chat(client, key.0.as_ref(), &pin, message, guid, now));
    Ok(json(pretty(&Posted { success: true, guid, number: posted.await? })))
}

/// The answer of the session's console about a viewer that waits. The customer's program checks its signature.
pub(super) async fn admit(call: Call, key: ConsoleKey, fields: Fields) -> HttpResult {
    let pin = fields.pin()?;
    let text = |name| fields.text(name).map(str::to_owned);
    let answer = AdmissionAnswer {
        challenge: text("challenge")?,
        lets_in: fields.flag("lets_in")?,
        pairing: text("pairing")?,
        signature: text("signature")?,
    };
    let passed = call
        .coordinator
        .apply(|hub, now| hub.pass_consoles_answer(call.client, key.0.as_ref(), &pin, answer, now));
    passed.await?;
    Ok(json(success()))
}

#[derive(Serialize)]
struct Reached {
    success: bool,
    /// Anything answered there. Only the listener knows whether it was the listener.
    answered: bool,
}

/// Whoever holds the PIN can reach the customer's PC, so whoever holds it may also end it.
pub(super) async fn revoke(call: Call, fields: Fields) -> HttpResult {
    let pin = fields.pin()?;
    call.coordinator.apply(|hub, now| hub.revoke(call.client, &pin, now)).await?;
    Ok(json(success()))
}

/// Deletes chat, e-mails, links and everybody's names, for the console that minted the PIN.
pub(super) async fn delete(call: Call, key: ConsoleKey, fields: Fields) -> HttpResult {
    let pin = fields.pin()?;
    call.coordinator
        .apply(|hub, now| hub.delete_session(call.client, key.0.as_ref(), &pin, now))
        .await?;
    Ok(json(success()))
}

/// Calls a console's listener from here, so that the console sees whether hooks can reach it. The listener may be
/// where hooks may go.
pub(super) async fn reach(call: Call, fields: Fields) -> HttpResult {
    let answered = call.coordinator.reach(call.client, fields.text("url")?).await?;
    Ok(json(pretty(&Reached { success: true, answered })))
}

/// Sets who asks for the screen. It is in the conf, too, if that isn't given yet.
pub(super) async fn set_requester(call: Call, fields: Fields) -> HttpResult {
    let (technician, company) = (fields.optional("technician")?, fields.optional("company")?);
    let requester = Requester { technician: technician.to_owned(), company: company.to_owned() };
    let (pin, unattended) = (fields.pin()?, fields.flag("unattended")?);
    let set = call
        .coordinator
        .apply(|hub, now| hub.set_requester(call.client, pin, requester, unattended, now));
    set.await?;
    Ok(json(success()))
}

#[derive(Serialize)]
struct RequesterResponse {
    success: bool,
    technician: String,
    company: String,
}

/// For the customer's page and program, before anything is shared.
pub(super) async fn requester(call: Call, query: Query) -> HttpResult {
    let pin = query.pin()?;
    let requester = call.coordinator.with_hub(|hub, now| hub.requester(call.client, &pin, now))?;
    let Requester { technician, company } = requester;
    Ok(json(pretty(&RequesterResponse { success: true, technician, company })))
}

/// A link that lets its holder do what the role allows; the PIN isn't in it.
pub(super) async fn viewer_link(call: Call, fields: Fields) -> HttpResult {
    let role = match fields.text("role")? {
        "control" => Role::Control,
        "watch" => Role::Watch,
        _ => return Err(Refused::malformed("role must be control or watch")),
    };
    let name = fields.optional("name")?;
    let (pin, name) = (fields.pin()?, text::tidy_name(name));
    let credential = random::credential()?;
    let encoded: String = byte_serialize(name.as_bytes()).collect();
    let ticket = Ticket { pin, role, name };
    let issue = |hub: &mut Hub, now| hub.issue_ticket(call.client, credential.hash, ticket, now);
    call.coordinator.apply(issue).await?;
    // In the fragment, which no browser sends and no server logs.
    let (origin, ticket) = (call.coordinator.customers_origin(), credential.secret.expose());
    let url = format!("{origin}/view#ticket={ticket}&un={encoded}");
    Ok(json(pretty(&SessionUrl { success: true, url })))
}

#[derive(Serialize)]
struct RosterResponse {
    success: bool,
    sharing: Sharing,
    presenter: Option<PresenterInfo>,
    watchers: Vec<RosterEntry>,
}

#[derive(Serialize)]
struct PresenterInfo {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    platform: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
}

/// Who is there. By POST, so that no log of URLs contains the PIN.
pub(super) async fn roster(call: Call, fields: Fields) -> HttpResult {
    let pin = fields.pin()?;
    let response =
        call.coordinator.with_hub(|hub, now| roster_response(hub, call.client, &pin, now))?;
    Ok(json(pretty(&response)))
}

fn roster_response(
    hub: &mut Hub,
    client: Client,
    pin: &Pin,
    now: Millis,
) -> Result<RosterResponse, Refused> {
    hub.check_live(client, pin, now)?;
    let roster = hub.roster(pin).ok_or(Refused::PinOver)?;
    let program = hub.presenter_program(pin).map(|(_, program)| program);
    let presenter = roster.presenter.map(|name| PresenterInfo {
        name,
        platform: program.map(|program| program.platform.clone()),
        version: program.map(|program| program.version.clone()),
    });
    let (sharing, watchers) = (roster.sharing, roster.watchers);
    Ok(RosterResponse { success: true, sharing, presenter, watchers })
}
