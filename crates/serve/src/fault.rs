//! The fault plan: faults that a server makes on purpose, by route, and a count of them.
//!
//! With an empty plan nothing here changes a request. Rules are tried in order; each says how often
//! it applies, so that a run with the same rules and the same requests is the same run.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{MatchedPath, Request, State},
    http::StatusCode,
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

/// A fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Fault {
    /// The answer (or the delivery) takes this long more.
    Delay {
        /// Milliseconds of real time.
        ms: u64,
    },
    /// The request isn't handled; this status is answered instead. On a delivery it means nothing.
    Status {
        /// The HTTP status, such as 503.
        code: u16,
    },
    /// The request never arrives: the connection is closed, nothing was done.
    Drop,
    /// The request arrives and is handled, and its answer is lost.
    DropAnswer,
    /// It arrives twice.
    Duplicate,
    /// A delivery waits until the next one has been made. On a request it means nothing.
    Reorder,
}

/// A fault, where it happens and how often.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaultRule {
    /// The route: its template as the server documents it (`/api/v1/hook/`), or `*` for all.
    pub route: String,
    /// What happens there.
    #[serde(flatten)]
    pub fault: Fault,
    /// Lets this many pass first.
    #[serde(default)]
    pub after: u32,
    /// Then happens this many times; forever if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u32>,
}

/// A plan that all of a server's copies share.
#[derive(Debug, Clone, Default)]
pub struct FaultPlan(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    rules: Vec<FaultRule>,
    /// Requests seen and faults made, by route; kept when the rules change.
    seen: BTreeMap<String, Count>,
}

/// What happened on one route.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Count {
    /// Requests or deliveries that came by.
    pub seen: u64,
    /// Those to which a fault was applied.
    pub faults: u64,
}

impl FaultPlan {
    /// Replaces all rules.
    pub fn set(&self, rules: Vec<FaultRule>) {
        self.0.lock().rules = rules;
    }

    /// Removes all rules.
    pub fn clear(&self) {
        self.set(Vec::new());
    }

    /// The rules as they stand, with what is left of `after` and `times`.
    pub fn rules(&self) -> Vec<FaultRule> {
        self.0.lock().rules.clone()
    }

    /// What happened so far, by route.
    pub fn counts(&self) -> BTreeMap<String, Count> {
        self.0.lock().seen.clone()
    }

    /// Counts one request or delivery on `route`, and gives the fault that applies to it.
    pub fn take(&self, route: &str) -> Option<Fault> {
        let mut inner = self.0.lock();
        let fault =
            inner.rules.iter_mut().filter(|rule| rule.is_for(route)).find_map(FaultRule::use_up);
        // Counted without a fault too: tests read here that a request came at all.
        let count = inner.seen.entry(route.to_owned()).or_default();
        count.seen += 1;
        count.faults += u64::from(fault.is_some());
        fault
    }

    /// Applies the plan to every request; the route is the one that the router matched.
    pub fn protect<S: Clone + Send + Sync + 'static>(&self, routes: Router<S>) -> Router<S> {
        routes.route_layer(middleware::from_fn_with_state(self.clone(), apply))
    }
}

impl FaultRule {
    /// What happens to everything on a route, from now on.
    pub fn always(route: &str, fault: Fault) -> Self {
        Self { route: route.into(), fault, after: 0, times: None }
    }

    fn is_for(&self, route: &str) -> bool {
        self.route == "*" || self.route == route
    }

    fn use_up(&mut self) -> Option<Fault> {
        // A rule that lets one pass leaves it to the rules below.
        if self.after > 0 {
            self.after -= 1;
            return None;
        }
        match &mut self.times {
            None => Some(self.fault),
            Some(0) => None,
            Some(left) => {
                *left -= 1;
                Some(self.fault)
            }
        }
    }
}

async fn apply(State(plan): State<FaultPlan>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    match plan.take(route.as_deref().unwrap_or("")) {
        None | Some(Fault::Reorder) => next.run(request).await,
        Some(Fault::Delay { ms }) => {
            tokio::time::sleep(Duration::from_millis(ms)).await;
            next.run(request).await
        }
        Some(Fault::Status { code }) => {
            StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR).into_response()
        }
        Some(Fault::Drop) => cut_connection(),
        // Handled first: the client sees the same as with `Drop`, and the server has done it.
        Some(Fault::DropAnswer) => {
            next.run(request).await;
            cut_connection()
        }
        Some(Fault::Duplicate) => handle_twice(request, next).await,
    }
}

fn cut_connection() -> Response {
    let mut response = Response::new(Body::empty());
    response.extensions_mut().insert(crate::CutConnection);
    response
}

/// The whole body has arrived by now (see `Limits`), so it can be handled twice.
async fn handle_twice(request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(bytes) = to_bytes(body, usize::MAX).await else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let first = Request::from_parts(parts.clone(), Body::from(bytes.clone()));
    // One after the other, as a client that tries again: only the second answer arrives.
    next.clone().run(first).await;
    next.run(Request::from_parts(parts, Body::from(bytes))).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(route: &str, after: u32, times: Option<u32>) -> FaultRule {
        FaultRule { route: route.to_owned(), fault: Fault::Drop, after, times }
    }

    #[test]
    fn a_rule_lets_some_pass_then_applies_as_often_as_it_says() {
        let plan = FaultPlan::default();
        plan.set(vec![rule("/a", 1, Some(2))]);
        let met: Vec<_> = (0..5).map(|_| plan.take("/a").is_some()).collect();
        assert_eq!(met, [false, true, true, false, false]);
        assert_eq!(plan.take("/b"), None);
        assert_eq!(plan.counts()["/a"], Count { seen: 5, faults: 2 });
    }

    #[test]
    fn an_empty_plan_only_counts() {
        let plan = FaultPlan::default();
        plan.set(vec![rule("*", 0, None)]);
        assert!(plan.take("/x").is_some());
        plan.clear();
        assert_eq!((plan.take("/x"), plan.counts()["/x"].seen), (None, 2));
    }

    #[test]
    fn a_rule_is_written_as_flat_json() {
        let text = r#"{"route":"/api/v1/hook/","kind":"delay","ms":40,"times":3}"#;
        let rule: FaultRule = serde_json::from_str(text).unwrap();
        assert_eq!(rule.fault, Fault::Delay { ms: 40 });
        assert_eq!((rule.after, rule.times), (0, Some(3)));
    }
}
