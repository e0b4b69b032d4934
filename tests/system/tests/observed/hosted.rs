//! A service without extensions tells by webhooks alone, and never twice. What it lost on the way nobody can know; but
//! no claim outlives evidence that events may have been missed.
//!
//! What can be known of a side: nothing since the last evidence, unless a webhook has arrived since; else what the
//! last one that arrived says. Evidence is time that passed without the console, a start of it, and a way to the
//! listener that is found broken.

use std::{
    collections::{HashMap, HashSet},
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::Bytes,
    extract::{OriginalUri, State},
    http::{Method, StatusCode},
};
use broker::Handle;
use deskhand_system_tests::{PATIENCE, RunningEngine, World, all_armed, http};
use engine::{Listener, Snapshot, reach::Way};
use serve::{Fault, FaultRule, Port};
use session::{Presenter, Viewers};
use wire::{HookType, Side, loginwithme::HookBody};

use super::plan::{Chance, People};

const SESSIONS: usize = 20;
const ACTS: u32 = 30;

/// The way from the service to the listener: it takes off the headers that only our own broker sends, and remembers
/// what arrived.
#[derive(Clone)]
struct Road {
    at: SocketAddr,
    /// The listener; none while the road is broken.
    to: Arc<Mutex<Option<SocketAddr>>>,
    known: Arc<Mutex<Known>>,
    http: reqwest::Client,
}

/// What the console can know.
#[derive(Default)]
struct Known {
    last: HashMap<(String, Side), HookType>,
    /// The sides of which nothing has arrived since the last evidence.
    in_doubt: HashSet<(String, Side)>,
    delivered: u32,
}

impl Road {
    async fn start() -> Self {
        let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = socket.local_addr().unwrap();
        let road = Self { at, to: Arc::default(), known: Arc::default(), http: http() };
        let routes = Router::new().fallback(pass).with_state(road.clone());
        tokio::spawn(async move { axum::serve(socket, routes).await });
        road
    }

    fn listener(&self) -> Listener {
        let public_url = Some(format!("http://{}/", self.at).parse().unwrap());
        Listener { ip: [127, 0, 0, 1].into(), port: Port::Any, public_url }
    }

    fn lead_to(&self, listener: Option<SocketAddr>) {
        *self.to.lock().unwrap() = listener;
    }

    /// From now on nothing is known before it arrives.
    fn events_may_have_been_missed(&self, sessions: &[People]) {
        let sides = [Side::Presenter, Side::Viewers];
        let both = |people: &People| sides.map(|side| (people.pin.expose().to_owned(), side));
        self.known.lock().unwrap().in_doubt.extend(sessions.iter().flat_map(both));
    }

    /// What can be known of a side.
    fn known_of(&self, people: &People, side: Side) -> &'static str {
        let (known, which) = (self.known.lock().unwrap(), (people.pin.expose().to_owned(), side));
        match known.last.get(&which) {
            _ if known.in_doubt.contains(&which) => "unknown",
            None => "never",
            Some(hook) if hook.is_started() => "online",
            Some(_) => "offline",
        }
    }
}

async fn pass(
    State(road): State<Road>,
    method: Method,
    OriginalUri(uri): OriginalUri,
    body: Bytes,
) -> StatusCode {
    let to = *road.to.lock().unwrap();
    let Some(to) = to else { return StatusCode::NOT_FOUND };
    let call = road.http.request(method, format!("http://{to}{uri}")).body(body.clone());
    let Ok(answer) = call.send().await else { return StatusCode::BAD_GATEWAY };
    if let (200, Ok(hook)) = (answer.status().as_u16(), serde_json::from_slice::<HookBody>(&body)) {
        let which = (hook.session_pin.expose().to_owned(), hook.hook.side());
        let mut known = road.known.lock().unwrap();
        known.in_doubt.remove(&which);
        known.last.insert(which, hook.hook);
        known.delivered += 1;
    }
    answer.status()
}

/// What the console claims of both sides.
fn claims(snapshot: &Snapshot) -> [&'static str; 2] {
    let presenter = match snapshot.record.presenter {
        Presenter::Never => "never",
        Presenter::Online { .. } => "online",
        Presenter::Offline { .. } => "offline",
        Presenter::Unknown { .. } => "unknown",
    };
    let viewers = match snapshot.record.viewers {
        Viewers::Never => "never",
        Viewers::Some { .. } => "online",
        Viewers::None { .. } => "offline",
        Viewers::Unknown { .. } => "unknown",
    };
    [presenter, viewers]
}

/// A hosted service offers no extensions, and loses, delays and doubles what it delivers.
fn faults(chance: &mut Chance) -> Vec<FaultRule> {
    let rule = |route: &str, fault, after, times| {
        let route = route.to_owned();
        FaultRule { route, fault, after, times }
    };
    let none = Fault::Status { code: 404 };
    let mut rules = vec![rule("/api/v1/x/capabilities", none, 0, None)];
    for _ in 0..20 {
        let fault = match chance.below(5) {
            0 | 1 => Fault::Drop,
            2 => Fault::Delay { ms: chance.below(200) },
            3 => Fault::Duplicate,
            _ => Fault::Status { code: 400 },
        };
        let after = u32::try_from(chance.below(20)).unwrap();
        rules.push(rule("deliver", fault, after, Some(1)));
    }
    rules
}

struct Run {
    world: World,
    road: Road,
    sessions: Vec<People>,
    chance: Chance,
}

impl Run {
    fn broker(&self) -> Handle {
        self.world.broker.handle()
    }

    async fn people_act(&mut self) {
        let broker = self.broker();
        broker.faults().set(faults(&mut self.chance));
        for _ in 0..ACTS {
            let at = self.chance.index(self.sessions.len());
            self.sessions[at].come_or_leave(&broker, &mut self.chance).await;
            // One after the other, or nobody knew in which order they arrived.
            broker.idle().await;
        }
        broker.advance(Duration::from_secs(61)).await;
        broker.idle().await;
    }

    /// Waits until the console claims of every session what can be known, and nothing else. `doubts`: it may also
    /// hold for unknown what came right after time that passed without it.
    async fn until_no_claim_is_false(&self, running: &RunningEngine, doubts: bool) {
        for people in &self.sessions {
            let is_honest = |snapshot: &Snapshot| {
                let claims = claims(snapshot);
                [Side::Presenter, Side::Viewers].into_iter().zip(claims).all(|(side, claim)| {
                    let known = self.road.known_of(people, side);
                    claim == known || (doubts && claim == "unknown")
                })
            };
            let known =
                [Side::Presenter, Side::Viewers].map(|side| self.road.known_of(people, side));
            running
                .until(people.id, &format!("it claims what is known: {known:?}"), is_honest)
                .await;
        }
    }

    async fn all_armed(&self, running: &RunningEngine) {
        for people in &self.sessions {
            running.until(people.id, "its hooks are armed", all_armed).await;
        }
    }
}

async fn until_way(running: &RunningEngine, what: &str, holds: impl Fn(Way) -> bool) {
    let mut subscription = running.engine.subscribe();
    let wait = async {
        while !holds(running.engine.way()) {
            subscription.changed().await;
        }
    };
    let waited = tokio::time::timeout(PATIENCE, wait).await;
    assert!(waited.is_ok(), "waited in vain until {what}: {:?}", running.engine.way());
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_hosted_service_nothing_is_claimed_that_could_be_known_to_be_unknown() {
    let (world, road) = (World::without_channel().await, Road::start().await);
    let mut running = world.engine_with(road.listener()).await;
    road.lead_to(Some(running.engine.listener()));
    let mut run = Run { world, road, sessions: Vec::new(), chance: Chance(4) };
    running.engine.test_reach().await.unwrap();
    for _ in 0..SESSIONS {
        let (id, pin) = running.armed_session().await;
        run.sessions.push(People::nobody(id, pin));
    }
    run.people_act().await;
    run.until_no_claim_is_false(&running, false).await;

    for seconds in [5, 30, 90] {
        running.faults.let_time_pass_unseen(Duration::from_secs(seconds));
        run.road.events_may_have_been_missed(&run.sessions);
        run.until_no_claim_is_false(&running, false).await;
        run.all_armed(&running).await;
        run.people_act().await;
        run.until_no_claim_is_false(&running, true).await;
    }

    running.stop().await;
    run.road.lead_to(None);
    run.road.events_may_have_been_missed(&run.sessions);
    run.people_act().await;
    running = run.world.engine_with(run.road.listener()).await;
    run.road.lead_to(Some(running.engine.listener()));
    run.until_no_claim_is_false(&running, false).await;
    running.engine.test_reach().await.unwrap();
    run.all_armed(&running).await;
    run.people_act().await;
    run.until_no_claim_is_false(&running, false).await;

    run.road.lead_to(None);
    run.people_act().await;
    running.engine.test_reach().await.unwrap_err();
    run.road.events_may_have_been_missed(&run.sessions);
    until_way(&running, "it is broken", |way| matches!(way, Way::Broken { .. })).await;
    run.until_no_claim_is_false(&running, false).await;

    assert!(run.road.known.lock().unwrap().delivered > 60, "webhooks came all the same");
    running.stop().await;
    run.world.broker.shutdown().await;
}
