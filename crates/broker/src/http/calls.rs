//! The documented calls and the region probe; `session_exe` is in `downloads`.

use axum::{
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use url::form_urlencoded::byte_serialize;
use uuid::Uuid;
use wire::{ConfText, HookType, Region};

use super::{
    context::ApiContext,
    request::{Call, ConsoleKey, Fields, Query},
    response::{self, HttpResult, Transcript, html, json, pretty, success},
};
use crate::{
    hub::{
        Hub, conf::PRESENTER_VERSION, outbox::Template, refusal::Refused,
        service_calls::HookTarget, text,
    },
    random,
};

pub(super) async fn regions(State(context): State<ApiContext>) -> Response {
    let live = context.coordinator.live();
    let names: Vec<&Region> = live.regions.iter().map(|known| &known.region).collect();
    json(pretty(&names))
}

/// Answers after the region's latency and a little more, as real networks do.
pub(super) async fn probe(
    State(context): State<ApiContext>,
    Path(name): Path<String>,
) -> HttpResult {
    let live = context.coordinator.live();
    let found = live.regions.iter().find(|known| known.region.as_str() == name);
    let latency = found.ok_or(Refused::NoSuchCall)?.latency;
    // Without random numbers every request takes equally long, which hurts nobody.
    let luck = random::bytes().unwrap_or_default();
    // At most a twelfth more, so that regions 10 % apart can still be told apart.
    let jitter = latency.mul_f64(f64::from(u16::from_be_bytes(luck)) / f64::from(u16::MAX) / 12.0);
    tokio::time::sleep(latency + jitter).await;
    let mut response = name.into_response();
    response
        .headers_mut()
        .insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, header::HeaderValue::from_static("*"));
    Ok(response)
}

pub(super) async fn session_pin(call: Call, key: ConsoleKey, query: Query) -> HttpResult {
    let region: Region = query
        .get("region")
        .ok_or_else(|| Refused::malformed("region is missing"))?
        .parse()
        .map_err(|_| Refused::malformed("there is no such region; GET /regions lists them"))?;
    let minted = call.coordinator.mint(call.client, region, key.0).await?;
    Ok(json(response::session_pin(minted)))
}

pub(super) async fn hook(call: Call, fields: Fields) -> HttpResult {
    let hook: HookType = fields
        .text("type")?
        .parse()
        .map_err(|error| Refused::malformed(format!("type: {error}")))?;
    let (pin, url) = (fields.pin()?, fields.text("url")?);
    let coordinator = &call.coordinator;
    let is_own_mail = coordinator.own_mail_address(url).is_some();
    let leads_here = coordinator.deliverer.own.are_in(url).await;
    let target = HookTarget { url, is_own_mail, leads_here };
    coordinator.apply(|hub, now| hub.put_hook(call.client, pin, hook, &target, now)).await?;
    Ok(json(success()))
}

pub(super) async fn session_url(call: Call, query: Query) -> HttpResult {
    let ro = match query.get("ro") {
        None | Some("false" | "0" | "") => false,
        Some("true" | "1") => true,
        Some(_) => return Err(Refused::malformed("ro must be true or false")),
    };
    let pin = query.pin()?;
    call.coordinator.with_hub(|hub, now| hub.check_live(call.client, &pin, now))?;
    // The origin of the endpoint that was called: a client that can call it can also follow a link to it.
    let (origin, pin) = (&call.endpoint.origin, pin.expose());
    let name = text::tidy_name(query.get("un").unwrap_or_default());
    let name: String = byte_serialize(name.as_bytes()).collect();
    let url = format!("{origin}/view?session_pin={pin}&un={name}&ro={ro}");
    Ok(json(pretty(&wire::loginwithme::SessionUrl { success: true, url })))
}

pub(super) async fn parameters(call: Call, query: Query) -> HttpResult {
    let (pin, random) = (query.pin()?, random::bytes()?);
    let origin = call.coordinator.customers_origin();
    let given = |hub: &mut Hub, now| hub.give_conf(call.client, pin, origin, &random, now);
    let conf = call.coordinator.change(given).await?;
    Ok(json(render_parameters(&conf, PRESENTER_VERSION)))
}

/// The one place where a conf is written out.
pub(super) fn render_parameters(conf: &ConfText, version: &str) -> String {
    #[derive(Serialize)]
    struct Parameters<'a> {
        success: bool,
        conf: &'a str,
        version: &'a str,
    }
    pretty(&Parameters { success: true, conf: conf.expose(), version })
}

pub(super) async fn chat(call: Call, query: Query) -> HttpResult {
    let pin = query.pin()?;
    let messages = call.coordinator.with_hub(|hub, now| hub.messages(call.client, &pin, now))?;
    Ok(json(pretty(&Transcript::new(&pin, &messages))))
}

#[derive(Serialize)]
struct Accepted {
    success: bool,
    /// Tells the e-mail from all others on the event channel. The hosted service gives none.
    id: Uuid,
}

pub(super) async fn email(call: Call, Path(address): Path<String>, fields: Fields) -> HttpResult {
    let template = match fields.text("type")?.parse() {
        Ok(HookType::PresenterStarted) => Template::PresenterStarted,
        Ok(HookType::ViewerStarted) => Template::ViewerStarted,
        Ok(HookType::PresenterOffline | HookType::ViewerOffline) | Err(_) => {
            return Err(Refused::malformed("type is presenter_started or viewer_started"));
        }
    };
    let name = fields.optional("name")?;
    let pin = fields.pin()?;
    let id = call.coordinator.queue_mail(call.client, &address, template, name, &pin).await?;
    Ok(json(pretty(&Accepted { success: true, id })))
}

pub(super) async fn report_abuse(call: Call, fields: Fields) -> HttpResult {
    let pin = fields.pin()?;
    call.coordinator.apply(|hub, now| hub.report_abuse(call.client, pin, now)).await?;
    Ok(html(success()))
}

/// What a browser asks before it makes a cross-origin call. A layer adds the origin itself.
///
/// By hand and not by a library's layer, whose answers differ from those recorded of the hosted service.
pub(super) async fn preflight(headers: HeaderMap) -> Response {
    if !headers.contains_key(header::ORIGIN) {
        return StatusCode::NO_CONTENT.into_response();
    }
    let allowed = [
        (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, PUT"),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, "content-type"),
        (header::ACCESS_CONTROL_MAX_AGE, "600"),
    ];
    (StatusCode::NO_CONTENT, allowed).into_response()
}
