//! The proof: fifty sessions for ten simulated minutes. Whatever becomes of the webhooks, at rest no state differs from
//! the broker's own, and nothing that was acknowledged is lost or told twice.

use std::{collections::BTreeMap, time::Duration};

use broker::Handle;
use deskhand_system_tests::{
    RunningEngine, World, all_armed,
    chance::Chance,
    fault_plan::faults,
    word::{by_console, by_facts},
};
use serve::{Fault, FaultRule};
use session::Input;
use wire::{HookType, session_events::PinLife};

use super::{plan::People, until_followed};

const SESSIONS: usize = 50;
/// So many have a PIN that runs out in the middle of it.
const RUN_OUT: usize = 10;
const MINUTES: u32 = 10;
/// Half a minute, so that some are away for less than the grace when something else happens.
const STEP: Duration = Duration::from_secs(31);
/// What people do in one step, all sessions together.
const ACTS: u32 = 40;

/// The names of the events by which a hook's event is told, in the order of `HookType::ALL`.
fn name(hook: HookType) -> &'static str {
    match hook {
        HookType::PresenterStarted => "PresenterOnline",
        HookType::ViewerStarted => "ViewerJoined",
        HookType::PresenterOffline => "PresenterOffline",
        HookType::ViewerOffline => "ViewersGone",
    }
}

async fn more_sessions(running: &RunningEngine, count: usize) -> Vec<People> {
    let mut sessions = Vec::new();
    for _ in 0..count {
        let (id, pin) = running.armed_session().await;
        sessions.push(People::nobody(id, pin));
    }
    sessions
}

fn is_live(broker: &Handle, people: &People) -> bool {
    broker.facts(&people.pin).unwrap().life == PinLife::Live
}

/// Waits until every session is as the broker has it.
async fn until_true(world: &World, running: &RunningEngine, sessions: &[People]) {
    let broker = world.broker.handle();
    for people in sessions {
        let is_so = |snapshot: &engine::Snapshot| {
            let facts = broker.facts(&people.pin).unwrap();
            // What comes after the end of the PIN changes nothing any more.
            let is_newest = snapshot.record.observed.newest_revision() >= facts.revision;
            by_console(snapshot) == by_facts(&facts)
                && (is_newest || facts.life != PinLife::Live)
                && snapshot.record.observed.chat_number == facts.messages
        };
        let facts = broker.facts(&people.pin);
        let what = format!("it is as the broker has it: {facts:?}");
        running.until(people.id, &what, is_so).await;
    }
}

async fn check_all_was_told_once(world: &World, running: &RunningEngine, sessions: &[People]) {
    for people in sessions {
        let chat = running.engine.archive().transcript(people.id).await.unwrap();
        let bodies: Vec<_> = chat.iter().map(|message| message.body.as_str()).collect();
        assert_eq!(bodies, people.said, "every message once, in order");
        let facts = world.broker.handle().facts(&people.pin).unwrap();
        let told = running.happened(people.id).await;
        let told = |hook| told.iter().filter(|event| *event == name(hook)).count() as u64;
        let told = BTreeMap::from(HookType::ALL.map(|hook| (name(hook), told(hook))));
        let is = HookType::ALL.map(|hook| (name(hook), facts.happened[hook.index()]));
        assert_eq!(told, BTreeMap::from(is), "every event once");
    }
}

async fn prove(seed: u64) {
    let world = World::new().await;
    let running = world.engine().await;
    let (broker, mut chance) = (world.broker.handle(), Chance(seed));
    let mut sessions = more_sessions(&running, RUN_OUT).await;
    broker.advance(Duration::from_secs(24 * 3_600) - Duration::from_secs(30) * MINUTES).await;
    sessions.append(&mut more_sessions(&running, SESSIONS - RUN_OUT).await);
    let ids: Vec<_> = sessions.iter().map(|people| people.id).collect();
    until_followed(&running, &ids).await;
    let mut passed = Duration::ZERO;
    while passed < Duration::from_secs(60) * MINUTES {
        broker.faults().set(faults(&mut chance));
        for _ in 0..ACTS {
            let people = &mut sessions[chance.index(SESSIONS)];
            if is_live(&broker, people) {
                people.act(&broker, &mut chance).await;
            }
        }
        until_true(&world, &running, &sessions).await;
        // The console was stopped for a while, now and then.
        if let Some(&seconds) = [5, 30, 90].get(chance.index(12)) {
            running.faults.let_time_pass_unseen(Duration::from_secs(seconds));
        }
        broker.advance(STEP).await;
        until_true(&world, &running, &sessions).await;
        passed += STEP;
    }
    let made: u64 = broker.faults().counts().values().map(|count| count.faults).sum();
    // How many requests the plan meets depends on how they overlap: it is 150 to 200 of them.
    assert!(made > 100, "only {made} faults were made");
    broker.faults().clear();
    ids.iter().for_each(|id| running.engine.tell(*id, Input::Recheck));
    let live: Vec<_> = sessions.iter().filter(|people| is_live(&broker, people)).collect();
    assert_eq!(live.len(), SESSIONS - RUN_OUT);
    for people in live {
        running.until(people.id, "its hooks are armed", all_armed).await;
    }
    until_true(&world, &running, &sessions).await;
    check_all_was_told_once(&world, &running, &sessions).await;
    running.stop().await;
    world.broker.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_becomes_of_the_webhooks_no_state_is_false_at_rest() {
    prove(13).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nor_with_a_second_seed() {
    prove(20_261_129).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nor_with_a_third_one() {
    prove(7_777_777).await;
}

/// Where the channel can't be had, webhooks alone tell. They are retried, doubled and reordered all the same.
#[tokio::test(flavor = "multi_thread")]
async fn without_the_channel_for_a_while_no_webhook_is_told_twice() {
    let world = World::new().await;
    let broker = world.broker.handle();
    let channel = FaultRule::always("/api/v1/x/events", Fault::Status { code: 503 });
    broker.faults().set(vec![channel.clone()]);
    let running = world.engine().await;
    let mut sessions = more_sessions(&running, 8).await;
    let mut chance = Chance(77);
    for _ in 0..4 {
        let mut rules = faults(&mut chance);
        // What is lost can't be known before the channel is there.
        rules.retain(|rule| rule.route == "deliver" && rule.fault != Fault::Drop);
        rules.push(channel.clone());
        broker.faults().set(rules);
        for _ in 0..ACTS {
            let at = chance.index(sessions.len());
            sessions[at].act(&broker, &mut chance).await;
        }
        broker.advance(STEP).await;
    }
    broker.faults().clear();
    until_true(&world, &running, &sessions).await;
    for people in &sessions {
        let facts = broker.facts(&people.pin).unwrap();
        let told = running.happened(people.id).await;
        for hook in HookType::ALL {
            let told = told.iter().filter(|event| *event == name(hook)).count() as u64;
            assert!(
                told <= facts.happened[hook.index()],
                "{hook} was told {told} times: {facts:?}"
            );
        }
    }
    running.stop().await;
    world.broker.shutdown().await;
}
