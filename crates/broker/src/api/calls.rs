//! The documented calls, and the region probe; `session_exe` stands with the programs.

use axum::{
    Extension,
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use serde_json::Value;
use wire::{ConfText, HookType, Pin, Region};

use super::{
    Desk, Query,
    answer::{self, html, json, pretty, success},
};
use crate::{error::Refused, mail::Template, switchboard::Client};

pub(super) type Answer = Result<Response, Refused>;

pub(super) async fn regions(State(desk): State<Desk>) -> Response {
    let names: Vec<&Region> = desk.board.regions.iter().map(|known| &known.region).collect();
    json(pretty(&names))
}

/// Answers after the region's latency and a little more: every request has its own luck.
pub(super) async fn probe(State(desk): State<Desk>, Path(name): Path<String>) -> Answer {
    let found = desk.board.regions.iter().find(|known| known.region.as_str() == name);
    let latency = found.ok_or(Refused::NoSuchCall)?.latency;
    let mut luck = [0; 2];
    let _ = getrandom::fill(&mut luck);
    // At most a twelfth more, so that regions 10 % apart can still be told apart.
    let jitter = latency.mul_f64(f64::from(u16::from_be_bytes(luck)) / f64::from(u16::MAX) / 12.0);
    tokio::time::sleep(latency + jitter).await;
    let mut response = name.into_response();
    response
        .headers_mut()
        .insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, header::HeaderValue::from_static("*"));
    Ok(response)
}

pub(super) async fn session_pin(
    State(desk): State<Desk>,
    Extension(client): Extension<Client>,
    query: Query,
) -> Answer {
    let region: Region = query
        .get("region")
        .ok_or_else(|| Refused::malformed("region is missing"))?
        .parse()
        .map_err(|_| Refused::malformed("there is no such region; GET /regions lists them"))?;
    Ok(json(answer::session_pin(desk.board.mint(client, region).await?)))
}

pub(super) async fn hook(
    State(desk): State<Desk>,
    Extension(client): Extension<Client>,
    body: Bytes,
) -> Answer {
    let fields = Fields::read(&body)?;
    let hook: HookType = fields
        .text("type")?
        .parse()
        .map_err(|error| Refused::malformed(format!("type: {error}")))?;
    desk.board.put_hook(client, fields.pin()?, hook, fields.text("url")?).await?;
    Ok(json(success()))
}

pub(super) async fn session_url(
    State(desk): State<Desk>,
    Extension(client): Extension<Client>,
    query: Query,
) -> Answer {
    let ro = match query.get("ro") {
        None | Some("false" | "0" | "") => false,
        Some("true" | "1") => true,
        Some(_) => return Err(Refused::malformed("ro is true or false")),
    };
    let un = query.get("un").unwrap_or_default();
    let url = desk.board.session_url(client, &desk.door, &pin(&query)?, ro, un)?;
    Ok(json(pretty(&wire::loginwithme::SessionUrl { success: true, url })))
}

pub(super) async fn parameters(
    State(desk): State<Desk>,
    Extension(client): Extension<Client>,
    query: Query,
) -> Answer {
    let (conf, version) = desk.board.give_conf(client, pin(&query)?).await?;
    Ok(json(render_parameters(&conf, version)))
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

pub(super) async fn chat(
    State(desk): State<Desk>,
    Extension(client): Extension<Client>,
    query: Query,
) -> Answer {
    let text = desk.board.transcript(client, &pin(&query)?, |transcript| pretty(&transcript))?;
    Ok(json(text))
}

pub(super) async fn email(
    State(desk): State<Desk>,
    Extension(client): Extension<Client>,
    Path(address): Path<String>,
    body: Bytes,
) -> Answer {
    let fields = Fields::read(&body)?;
    let template = match fields.text("type")?.parse() {
        Ok(HookType::PresenterStarted) => Template::PresenterStarted,
        Ok(HookType::ViewerStarted) => Template::ViewerStarted,
        Ok(HookType::PresenterOffline | HookType::ViewerOffline) | Err(_) => {
            return Err(Refused::malformed("type is presenter_started or viewer_started"));
        }
    };
    let name = fields.optional("name")?;
    desk.board.mail(client, &address, template, name, &fields.pin()?).await?;
    Ok(json(success()))
}

pub(super) async fn report_abuse(
    State(desk): State<Desk>,
    Extension(client): Extension<Client>,
    body: Bytes,
) -> Answer {
    let fields = Fields::read(&body)?;
    desk.board.report(client, fields.pin()?).await?;
    Ok(html(success()))
}

/// What a browser asks before it makes a cross-origin call. The origin itself is added by a layer.
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

pub(super) fn pin(query: &Query) -> Result<Pin, Refused> {
    let text =
        query.get("session_pin").ok_or_else(|| Refused::malformed("session_pin is missing"))?;
    text.parse().map_err(|shape| Refused::malformed(format!("session_pin: {shape}")))
}

/// A JSON object of a request, whatever Content-Type it came with.
pub(super) struct Fields(serde_json::Map<String, Value>);

impl Fields {
    pub fn read(body: &[u8]) -> Result<Self, Refused> {
        match serde_json::from_slice(body) {
            Ok(Value::Object(fields)) => Ok(Self(fields)),
            Ok(_) => Err(Refused::malformed("the body is not a JSON object")),
            // The parser's own words could quote a PIN.
            Err(_) => Err(Refused::malformed("the body is not JSON")),
        }
    }

    pub fn text(&self, name: &str) -> Result<&str, Refused> {
        match self.0.get(name) {
            Some(Value::String(text)) => Ok(text),
            Some(_) => Err(Refused::malformed(format!("{name} is not a text"))),
            None => Err(Refused::malformed(format!("{name} is missing"))),
        }
    }

    pub fn optional(&self, name: &str) -> Result<&str, Refused> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(""),
            Some(_) => self.text(name),
        }
    }

    /// False if it isn't there.
    pub fn flag(&self, name: &str) -> Result<bool, Refused> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(_) => Err(Refused::malformed(format!("{name} is true or false"))),
        }
    }

    pub fn pin(&self) -> Result<Pin, Refused> {
        let text = self.text("session_pin")?;
        text.parse().map_err(|shape| Refused::malformed(format!("session_pin: {shape}")))
    }
}
