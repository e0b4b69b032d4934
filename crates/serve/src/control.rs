//! The control API: moves the clock and sets faults, on a listener of its own.
//!
//! Every route, also one that its owner adds, answers 401 without the token.

use std::{future::Future, io, net::IpAddr, path::PathBuf, pin::Pin, sync::Arc, time::Duration};

use axum::{
    Json, Router,
    extract::{Request, State},
    http::{StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde::Deserialize;
use serde_json::json;

use crate::{
    BindError, ControlToken, FaultPlan, FaultRule, HostGuard, Limits, Port, Server, bind,
    token::TokenError,
};

/// The longest time by which a clock can be moved at once: a month.
const FURTHEST: Duration = Duration::from_secs(31 * 86_400);

/// Moves the server's clock and returns once every deadline that has passed was applied.
pub type Advance = Arc<dyn Fn(Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;

/// Where a control API listens and where its token is written.
#[derive(Debug, Clone)]
pub struct Control {
    /// The address to listen on.
    pub ip: IpAddr,
    /// The port to listen on.
    pub port: Port,
    /// The file of the token, which is made anew (mode 0600) at each start.
    pub token_file: PathBuf,
}

impl Control {
    /// Starts the control API of a server, with `extra` routes beside its own.
    ///
    /// # Errors
    /// When the token can't be written or the address can't be listened on.
    pub fn start<E: From<TokenError> + From<BindError> + From<io::Error>>(
        &self,
        advance: Advance,
        faults: FaultPlan,
        extra: Router,
    ) -> Result<Server, E> {
        let token = ControlToken::create(&self.token_file)?;
        let bound = bind(self.ip, self.port)?;
        let guard = HostGuard::new(bound.addr(), None);
        let routes = guard.protect(routes(token, advance, faults, extra));
        Ok(Server::start(bound, routes, Limits::default(), None)?)
    }
}

/// The control routes of a server.
///
/// - `POST /control/clock {"advance_s": 61}` moves the clock and applies the deadlines that have passed, before it responds;
/// - `GET`, `PUT` (`{"rules": [...]}`) and `DELETE /control/faults` read, set and clear the plan;
/// - whatever `extra` adds.
pub fn routes(token: ControlToken, advance: Advance, faults: FaultPlan, extra: Router) -> Router {
    let plan = get(read_faults).put(set_faults).delete(clear_faults);
    Router::new()
        .route("/control/clock", post(move_clock).with_state(advance))
        .route("/control/faults", plan.with_state(faults))
        .merge(extra)
        // `layer` and not `route_layer`: without the token nobody learns which routes there are.
        .layer(middleware::from_fn_with_state(token, require_token))
}

#[derive(Deserialize)]
struct MoveClock {
    advance_s: f64,
}

async fn move_clock(State(advance): State<Advance>, Json(request): Json<MoveClock>) -> Response {
    match Duration::try_from_secs_f64(request.advance_s) {
        Ok(by) if by <= FURTHEST => {
            advance(by).await;
            Json(json!({ "success": true })).into_response()
        }
        Ok(_) | Err(_) => {
            let error = "advance_s is a number of seconds from 0 to 2678400";
            let body = Json(json!({ "success": false, "error": error }));
            (StatusCode::BAD_REQUEST, body).into_response()
        }
    }
}

#[derive(Deserialize)]
struct SetFaults {
    rules: Vec<FaultRule>,
}

async fn read_faults(State(plan): State<FaultPlan>) -> Response {
    Json(json!({ "rules": plan.rules(), "counts": plan.counts() })).into_response()
}

async fn set_faults(State(plan): State<FaultPlan>, Json(request): Json<SetFaults>) -> Response {
    plan.set(request.rules);
    Json(json!({ "success": true })).into_response()
}

async fn clear_faults(State(plan): State<FaultPlan>) -> Response {
    plan.clear();
    Json(json!({ "success": true })).into_response()
}

async fn require_token(
    State(token): State<ControlToken>,
    request: Request,
    next: Next,
) -> Response {
    let given = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    if given.is_some_and(|given| token.accepts(given)) {
        next.run(request).await
    } else {
        (StatusCode::UNAUTHORIZED, "The control token is missing or wrong.\n").into_response()
    }
}
