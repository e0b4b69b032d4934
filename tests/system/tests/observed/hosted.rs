//! A service without extensions tells by webhooks alone, and never twice. What it lost on the way nobody can know; but
//! no claim outlives evidence that events may have been missed.
//!
//! What can be known of a side: nothing since the last evidence, unless a webhook has arrived since; else what the
//! last one that arrived says. Evidence is time that passed without the console, a start of it, and a way to the
//! listener that is found broken.

mod road;

use std::time::Duration;

use broker::Handle;
use deskhand_system_tests::{RunningEngine, World, all_armed, chance::Chance, word::by_facts};
use engine::{Snapshot, reach::Way};
use serve::{Fault, FaultRule};
use session::{Input, Lamp, Presenter, Viewers};
use wire::Side;

use self::road::Road;
use super::plan::People;

const SESSIONS: usize = 20;
const ACTS: u32 = 30;

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

/// A hosted service offers no extensions.
fn no_extensions() -> FaultRule {
    FaultRule::always("/api/v1/x/capabilities", Fault::Status { code: 404 })
}

/// It loses, delays, doubles and reorders what it delivers, and delivers again what it took for lost.
fn lost_deliveries(chance: &mut Chance) -> Vec<FaultRule> {
    let fault = |chance: &mut Chance| match chance.below(8) {
        0 | 1 => Fault::Drop,
        2 => Fault::DropAnswer,
        3 => Fault::Delay { ms: chance.below(200) },
        4 => Fault::Duplicate,
        5 => Fault::Reorder,
        6 => Fault::Status { code: 500 + u16::try_from(chance.below(5)).unwrap() },
        _ => Fault::Status { code: 400 },
    };
    twenty("deliver", chance, fault)
}

/// Every webhook arrives, but often one can't be armed again.
fn refused_hooks(chance: &mut Chance) -> Vec<FaultRule> {
    let fault = |chance: &mut Chance| match chance.below(4) {
        0 | 1 => Fault::Status { code: 500 + u16::try_from(chance.below(5)).unwrap() },
        2 => Fault::Drop,
        _ => Fault::DropAnswer,
    };
    twenty("/api/v1/hook/", chance, fault)
}

fn twenty(
    route: &str,
    chance: &mut Chance,
    fault: impl Fn(&mut Chance) -> Fault,
) -> Vec<FaultRule> {
    let rule = |_| {
        let after = u32::try_from(chance.below(20)).unwrap();
        FaultRule { route: route.into(), fault: fault(chance), after, times: Some(1) }
    };
    std::iter::once(no_extensions()).chain((0..20).map(rule)).collect()
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

    async fn more_sessions(&mut self, running: &RunningEngine, count: usize) {
        for _ in 0..count {
            let (id, pin) = running.armed_session().await;
            self.sessions.push(People::nobody(id, pin));
        }
    }

    async fn people_act(&mut self) {
        let broker = self.broker();
        broker.faults().set(lost_deliveries(&mut self.chance));
        for _ in 0..ACTS {
            let at = self.chance.index(self.sessions.len());
            self.sessions[at].come_or_leave(&broker, &mut self.chance).await;
            broker.idle().await;
        }
        broker.advance(Duration::from_secs(61)).await;
        broker.idle().await;
        self.all_delivered().await;
    }

    /// Lets the broker try again what nobody answered, until nothing is under way any more.
    async fn all_delivered(&mut self) {
        let broker = self.broker();
        broker.faults().set(vec![no_extensions()]);
        let is_under_way = |people: &People| {
            let facts = broker.facts(&people.pin).unwrap();
            facts.under_way.unwrap().iter().any(|&count| count > 0)
        };
        while self.sessions.iter().any(is_under_way) {
            // One that the next was to overtake waits for a next one.
            let at = self.chance.index(self.sessions.len());
            self.sessions[at].presenter_comes(&broker).await;
            broker.advance(Duration::from_secs(15)).await;
            broker.idle().await;
            tokio::task::yield_now().await;
        }
    }

    /// Somebody acts while hooks can't be armed again. Each time it is waited until the console knows whether they are.
    async fn people_act_without_some_hooks(&mut self, running: &RunningEngine) {
        let broker = self.broker();
        broker.faults().set(refused_hooks(&mut self.chance));
        for _ in 0..ACTS {
            let at = self.chance.index(self.sessions.len());
            self.sessions[at].come_or_leave(&broker, &mut self.chance).await;
            self.until_put(&broker, running, at).await;
        }
        broker.advance(Duration::from_secs(61)).await;
        for at in 0..self.sessions.len() {
            self.until_put(&broker, running, at).await;
        }
    }

    async fn until_put(&self, broker: &Handle, running: &RunningEngine, at: usize) {
        broker.idle().await;
        let is_known = |snapshot: &Snapshot| {
            let first_try = |lamp: &Lamp| matches!(lamp, Lamp::Rearming { attempt: 1, .. });
            !snapshot.lamps.iter().any(first_try)
        };
        running.until(self.sessions[at].id, "its hooks were put once", is_known).await;
    }

    /// The sides of which the console claims anything; each is so.
    async fn check_against_the_truth(&self, running: &RunningEngine) -> usize {
        let broker = self.broker();
        let mut claimed = 0;
        for people in &self.sessions {
            let facts = broker.facts(&people.pin).unwrap();
            let snapshot = running.engine.snapshot(people.id).unwrap();
            let is = by_facts(&facts);
            for (claim, is) in claims(&snapshot).into_iter().zip([is.presenter, is.viewers]) {
                assert!(claim == "unknown" || claim == is, "{claim} is claimed: {facts:?}");
                claimed += usize::from(claim != "unknown");
            }
        }
        claimed
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

    /// Has all hooks put twice: what is refused once may be taken the next time.
    async fn put_twice(&self, running: &RunningEngine) {
        for times in 1..=2 {
            for people in &self.sessions {
                running.engine.tell(people.id, Input::Recheck);
            }
            for people in &self.sessions {
                let is_put = |lamp: &Lamp| match *lamp {
                    Lamp::Armed { .. } => true,
                    Lamp::Failed { attempt, .. } => attempt >= times,
                    Lamp::Rearming { .. } | Lamp::Off | Lamp::Consumed { .. } => false,
                };
                let are_put = |snapshot: &Snapshot| snapshot.lamps.iter().all(is_put);
                running.until(people.id, "its hooks were put", are_put).await;
            }
        }
    }

    async fn all_armed(&self, running: &RunningEngine) {
        for people in &self.sessions {
            running.until(people.id, "its hooks are armed", all_armed).await;
        }
    }
}

async fn start(seed: u64, sessions: usize) -> (Run, RunningEngine) {
    let (world, road) = (World::without_channel().await, Road::start().await);
    let running = world.engine_with(road.listener()).await;
    road.lead_to(Some(running.engine.listener()));
    let mut run = Run { world, road, sessions: Vec::new(), chance: Chance(seed) };
    running.engine.test_reach().await.unwrap();
    run.more_sessions(&running, sessions).await;
    (run, running)
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_hosted_service_nothing_is_claimed_that_could_be_known_to_be_unknown() {
    let (mut run, mut running) = start(4, SESSIONS).await;
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
    running.until_way("it is broken", |way| matches!(way, Way::Broken { .. })).await;
    run.until_no_claim_is_false(&running, false).await;

    assert!(run.road.delivered() > 60, "webhooks came all the same");
    running.stop().await;
    run.world.broker.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_hooks_cannot_be_armed_again_no_claim_is_false() {
    let (mut run, running) = start(5, SESSIONS).await;
    let mut claimed = 0;
    for _ in 0..6 {
        run.people_act_without_some_hooks(&running).await;
        run.broker().faults().set(vec![no_extensions()]);
        run.put_twice(&running).await;
        run.all_armed(&running).await;
        claimed += run.check_against_the_truth(&running).await;
    }
    assert!(claimed > 60, "only {claimed} claims, so nothing was tested");
    running.stop().await;
    run.world.broker.shutdown().await;
}

/// The console's clock says that they live on.
#[tokio::test(flavor = "multi_thread")]
async fn of_a_pin_that_is_over_by_the_services_clock_nothing_is_claimed() {
    const HOUR: Duration = Duration::from_secs(3_600);
    let (mut run, running) = start(6, 5).await;
    run.broker().advance(23 * HOUR).await;
    run.more_sessions(&running, 5).await;
    run.people_act().await;
    run.until_no_claim_is_false(&running, false).await;

    run.broker().advance(HOUR).await;
    run.broker().idle().await;
    let over = run.sessions[..5].iter().map(|people| (people.id, people.pin.clone()));
    let over: Vec<_> = over.map(|(id, pin)| People::nobody(id, pin)).collect();
    run.put_twice(&running).await;
    run.road.events_may_have_been_missed(&over);
    run.until_no_claim_is_false(&running, false).await;

    run.sessions.drain(..5);
    run.people_act().await;
    run.until_no_claim_is_false(&running, false).await;
    run.sessions = over;
    run.until_no_claim_is_false(&running, false).await;
    running.stop().await;
    run.world.broker.shutdown().await;
}
