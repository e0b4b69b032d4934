//! The control API's routes for this broker: stand-ins for pages, deliveries, the outbox.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{delete, get, post},
};
use data_encoding::HEXLOWER;
use ring::digest;
use serde::Deserialize;
use serde_json::json;
use serve::{Owner, control::Advance};
use uuid::Uuid;
use wire::{
    Pin, Side,
    shared_screen::{ProgramHello, Sharing},
};

use crate::{
    coordinator::Coordinator,
    handle::this_machine,
    hub::{
        abuse::Block,
        census::LiveSession,
        customer::Answer,
        join::{JoinAs, JoinRequest},
        outbox::Mail,
        refusal::Refused,
    },
};

/// Moves this broker's clock. The control API responds once the deliveries that this causes have been made or given up.
pub(crate) fn advance(coordinator: &Arc<Coordinator>) -> Advance {
    let coordinator = Arc::clone(coordinator);
    Arc::new(move |by| {
        let coordinator = Arc::clone(&coordinator);
        Box::pin(async move {
            coordinator.advance(by).await;
            coordinator.deliverer.idle().await;
        })
    })
}

/// - `POST /control/presence {session_pin, side, page, name, online, sharing?, companion?, asking?}`: connects or
///   disconnects a page without a browser; a presenter with `sharing` (`shared`, `paused`) counts as a program that
///   shares its screen, one with `companion` as the customer's page beside the program, one with `asking` as a program
///   that asks the customer;
/// - `POST /control/answer {session_pin, page, agrees}`: has the customer answer such a program;
/// - `POST /control/download {session_pin}`: notes a download of the program;
/// - `POST /control/chat {session_pin, page, name, body}`: has such a page write a chat message;
/// - `POST /control/deliveries {hold}`: holds fired hooks back, or lets them go;
/// - `POST /control/facts {session_pin}`: the state of a session, as its console is told of it;
/// - `GET /control/outbox`: the e-mails, newest last;
/// - `GET /control/blocks`: the addresses (IPv4) and networks (IPv6 /48) that are blocked after reports of abuse, the
///   oldest block first, each with the second since 1970 in which it began;
/// - `DELETE /control/blocks/{owner}`: ends the block of this address or network, and forgets what led to it.
/// - `GET /control/sessions`: the sessions whose PIN works, oldest first, by an id that gives no PIN away.
pub(crate) fn routes(coordinator: Arc<Coordinator>) -> Router {
    Router::new()
        .route("/control/presence", post(presence))
        .route("/control/answer", post(answer))
        .route("/control/download", post(download))
        .route("/control/chat", post(chat))
        .route("/control/deliveries", post(deliveries))
        .route("/control/facts", post(facts))
        .route("/control/outbox", get(outbox))
        .route("/control/blocks", get(blocks))
        // The rest of the path, since a network has a slash in it.
        .route("/control/blocks/{*owner}", delete(lift_block))
        .route("/control/sessions", get(sessions))
        .with_state(coordinator)
}

#[derive(Deserialize)]
struct Presence {
    session_pin: Pin,
    side: Side,
    page: Uuid,
    #[serde(default)]
    name: String,
    online: bool,
    /// The presenter shares a screen, as far as others can tell; none of its streams is ever answered.
    sharing: Option<Sharing>,
    /// The customer's page, which counts for no presence.
    #[serde(default)]
    companion: bool,
    /// A program that asks the customer whether they agree.
    #[serde(default)]
    asking: bool,
}

/// Reads a text as each order that has a body.
pub(crate) fn read_order(text: &[u8]) {
    let _ = serde_json::from_slice::<Presence>(text);
    let _ = serde_json::from_slice::<CustomersAnswer>(text);
    let _ = serde_json::from_slice::<Download>(text);
    let _ = serde_json::from_slice::<Chat>(text);
    let _ = serde_json::from_slice::<Deliveries>(text);
    let _ = serde_json::from_slice::<FactsOf>(text);
}

async fn presence(
    State(coordinator): State<Arc<Coordinator>>,
    Json(request): Json<Presence>,
) -> Result<Response, Refused> {
    if request.online {
        go_online(&coordinator, request).await?;
        return Ok(done());
    }
    let id = coordinator.find_connection(&request.session_pin, request.page);
    let Some(id) = id else { return Ok(not_online()) };
    coordinator.disconnect(id).await;
    Ok(done())
}

async fn go_online(coordinator: &Arc<Coordinator>, request: Presence) -> Result<(), Refused> {
    let Presence { session_pin: pin, side, page, name, online: _, sharing, companion, asking } =
        request;
    let shown = match (side, sharing) {
        (Side::Presenter, Some(state @ (Sharing::Shared | Sharing::Paused))) => Some(state),
        (Side::Presenter | Side::Viewers, _) => None,
    };
    let join_as = match shown {
        Some(_) => JoinAs::Presenter(Some(stand_in_program())),
        None if asking => JoinAs::Asking(stand_in_program()),
        None if companion => JoinAs::Companion,
        None => JoinAs::plain_page(side),
    };
    let request = JoinRequest::stand_in(pin, join_as, page, &name);
    let id = coordinator.connect_stand_in(request).await?;
    match shown {
        Some(state) => coordinator.apply(|hub, now| hub.share(id, state, now)).await,
        None => Ok(()),
    }
}

/// A program without a screen, for tests and demos.
pub(crate) fn stand_in_program() -> ProgramHello {
    ProgramHello { version: "0".into(), platform: "stand-in".into(), conf: None }
}

#[derive(Deserialize)]
struct CustomersAnswer {
    session_pin: Pin,
    page: Uuid,
    agrees: bool,
}

async fn answer(
    State(coordinator): State<Arc<Coordinator>>,
    Json(request): Json<CustomersAnswer>,
) -> Result<Response, Refused> {
    let id = coordinator.find_connection(&request.session_pin, request.page);
    let Some(id) = id else { return Ok(not_online()) };
    let answer = if request.agrees { Answer::Agreed } else { Answer::Declined };
    coordinator.apply(|hub, now| hub.answer_question(id, answer, now)).await?;
    Ok(done())
}

#[derive(Deserialize)]
struct Download {
    session_pin: Pin,
}

async fn download(
    State(coordinator): State<Arc<Coordinator>>,
    Json(request): Json<Download>,
) -> Result<Response, Refused> {
    let pin = &request.session_pin;
    coordinator.apply(|hub, now| hub.note_download(this_machine(), pin, now)).await?;
    Ok(done())
}

#[derive(Deserialize)]
struct Chat {
    session_pin: Pin,
    page: Uuid,
    #[serde(default)]
    name: String,
    body: String,
}

async fn chat(
    State(coordinator): State<Arc<Coordinator>>,
    Json(request): Json<Chat>,
) -> Result<Response, Refused> {
    let id = coordinator.find_connection(&request.session_pin, request.page);
    let Some(id) = id else { return Ok(not_online()) };
    let chat = (&*request.name, &*request.body);
    coordinator.apply(|hub, now| hub.post_chat(id, chat, Uuid::new_v4(), now)).await?;
    Ok(done())
}

#[derive(Deserialize)]
struct Deliveries {
    hold: bool,
}

async fn deliveries(
    State(coordinator): State<Arc<Coordinator>>,
    Json(request): Json<Deliveries>,
) -> Response {
    if request.hold {
        coordinator.deliverer.hold();
    } else {
        coordinator.release_deliveries();
        coordinator.deliverer.idle().await;
    }
    done()
}

#[derive(Deserialize)]
struct FactsOf {
    session_pin: Pin,
}

async fn facts(
    State(coordinator): State<Arc<Coordinator>>,
    Json(request): Json<FactsOf>,
) -> Result<Response, Refused> {
    let pin = &request.session_pin;
    let facts = coordinator.with_hub(|hub, now| coordinator.facts(hub, pin, now));
    Ok(Json(facts.ok_or(Refused::NotYours)?).into_response())
}

async fn outbox(State(coordinator): State<Arc<Coordinator>>) -> Response {
    let entry = |mail: &Mail| {
        json!({
            "id": mail.id, "at_s": mail.at.seconds(), "to": mail.to, "subject": mail.subject,
            "body": mail.body, "state": mail.state.word(), "reason": mail.state.reason(),
        })
    };
    let mails: Vec<Mail> = coordinator.with_hub(|hub, _| hub.outbox().iter().cloned().collect());
    let mails: Vec<_> = mails.iter().map(entry).collect();
    Json(json!({ "success": true, "outbox": mails })).into_response()
}

async fn blocks(State(coordinator): State<Arc<Coordinator>>) -> Response {
    let entry = |block: &Block| json!({ "owner": block.owner.to_string(), "since_s": block.since.seconds() });
    let blocks: Vec<_> = coordinator.blocks().iter().map(entry).collect();
    Json(json!({ "success": true, "blocks": blocks })).into_response()
}

async fn lift_block(
    State(coordinator): State<Arc<Coordinator>>,
    Path(owner): Path<String>,
) -> Result<Response, Refused> {
    let malformed = |error| Refused::malformed(format!("lift a block: {error}"));
    let owner: Owner = owner.parse().map_err(malformed)?;
    if coordinator.lift_block(owner).await? {
        return Ok(done());
    }
    let error = "lift a block: this address is not blocked; list the blocks to see which are";
    let body = Json(json!({ "success": false, "error": error }));
    Ok((StatusCode::NOT_FOUND, body).into_response())
}

async fn sessions(State(coordinator): State<Arc<Coordinator>>) -> Response {
    let entry = |session: &LiveSession| {
        let LiveSession { pin, region, minted, expires, connected, streams } = session;
        json!({
            "id": session_id(&coordinator, pin), "region": region.as_str(),
            "minted_s": minted.seconds(), "expires_s": expires.seconds(),
            "program": connected.programs > 0,
            "customer_pages": connected.customer_pages + connected.asking,
            "viewers": connected.viewers, "streams": streams,
        })
    };
    let sessions: Vec<_> = coordinator.live_sessions().iter().map(entry).collect();
    Json(json!({ "success": true, "sessions": sessions })).into_response()
}

/// Tells one session from another in listings. Made with a secret of this broker's, or whoever has a listing could
/// try all PINs and find the few that have this id.
fn session_id(coordinator: &Coordinator, pin: &Pin) -> String {
    let signed = coordinator
        .signer
        .sign(&[b"a session's id in listings: ", pin.expose().as_bytes()].concat());
    HEXLOWER.encode(&digest::digest(&digest::SHA256, signed.as_ref()).as_ref()[..3])
}

fn not_online() -> Response {
    let body = Json(json!({ "success": false, "error": "this page is not online" }));
    (StatusCode::CONFLICT, body).into_response()
}

fn done() -> Response {
    Json(json!({ "success": true })).into_response()
}
