//! Hooks whose PUT had to wait: nothing is claimed of what they would have told meanwhile.

use std::time::Duration;

use super::*;

/// Longer than a PUT takes that didn't have to wait.
const LONG: Duration = Duration::from_secs(120);

/// A session whose `presenter_started` came while `presenter_offline` waited to be put again.
fn online_and_unarmed() -> Told {
    let mut told = Told::live();
    told.fire(HookType::PresenterStarted);
    told.tell(Input::Received(HookType::PresenterOffline));
    told.tell(committed(HookType::PresenterOffline));
    told.fire(HookType::PresenterStarted);
    assert!(matches!(told.word(), SessionStatus::Ready { .. }));
    told
}

fn committed(hook: HookType) -> Input {
    Input::Committed { seq: 1, hook, delivery: Delivery::default() }
}

fn arm(told: &mut Told, hook: HookType) {
    let generation = told.state.generations[hook.index()];
    told.tell(Input::Armed { hook, generation });
}

#[test]
fn a_hook_whose_first_put_waited_leaves_the_presence_unknown() {
    let mut told = online_and_unarmed();
    told.now = told.now.plus(LONG);
    arm(&mut told, HookType::PresenterOffline);
    assert!(matches!(told.state.record.presenter, Presenter::Unknown { .. }));
    assert!(matches!(told.word(), SessionStatus::Unknown { .. }));
}

#[test]
fn while_a_put_still_waits_the_heartbeat_says_that_the_presence_is_unknown_and_says_it_once() {
    let mut told = online_and_unarmed();
    told.now = told.now.plus(LONG);
    for _ in 0..3 {
        let effects = told.tell(Input::Elapsed(Timer::Heartbeat));
        let of_it = |effect: &&Effect| {
            matches!(effect, Effect::PutHook { hook: HookType::PresenterOffline, .. })
        };
        assert_eq!(effects.iter().filter(of_it).count(), 0, "its call waits already");
    }
    assert!(matches!(told.word(), SessionStatus::Unknown { .. }));
    arm(&mut told, HookType::PresenterOffline);
    let is = |event: &&Event| matches!(event, Event::Presence(PresenceEvent::StatusUnknown { .. }));
    assert_eq!(told.events.iter().filter(is).count(), 1, "{:?}", told.events);
}

#[test]
fn a_new_session_whose_hooks_wait_for_others_claims_that_nobody_came_no_longer() {
    let mut told = Told::new();
    told.tell(Input::Created { region: None });
    told.tell(Input::RegionChosen { region: region() });
    told.tell(Input::Allocated { region: region(), expires: T0.plus(DAY) });
    told.now = told.now.plus(Duration::from_secs(2));
    told.tell(Input::Elapsed(Timer::Heartbeat));
    assert!(matches!(told.word(), SessionStatus::Waiting { .. }), "they are put at once");
    told.now = told.now.plus(LONG);
    told.arm_all();
    assert!(matches!(told.word(), SessionStatus::Unknown { .. }));
    told.fire(HookType::PresenterStarted);
    assert!(matches!(told.state.record.presenter, Presenter::Online { .. }));
}

#[test]
fn a_put_that_waited_for_a_hook_that_tells_what_is_known_anyway_changes_nothing() {
    let mut told = Told::live();
    told.tell(Input::Received(HookType::PresenterStarted));
    told.tell(committed(HookType::PresenterStarted));
    told.now = told.now.plus(LONG);
    told.tell(Input::Elapsed(Timer::Heartbeat));
    arm(&mut told, HookType::PresenterStarted);
    assert!(matches!(told.word(), SessionStatus::Ready { .. }));
}

#[test]
fn a_delivery_that_is_tried_again_does_not_hide_that_its_hook_waits() {
    let mut told = online_and_unarmed();
    told.now = told.now.plus(LONG);
    told.tell(Input::Received(HookType::PresenterOffline));
    arm(&mut told, HookType::PresenterOffline);
    assert!(matches!(told.state.record.presenter, Presenter::Unknown { .. }));
}

/// A service whose PUTs fail while its events arrive.
#[test]
fn a_hook_that_was_told_lost_is_told_back_though_its_event_came_meanwhile_and_lost_only_once() {
    let hook = HookType::PresenterStarted;
    let mut told = Told::live();
    told.tell(Input::Elapsed(Timer::Heartbeat));
    told.events.clear();
    let fails = |told: &mut Told| {
        let generation = told.state.generations[hook.index()];
        told.tell(Input::ArmFailed { hook, generation, failure: Failure::TimedOut });
        told.tell(Input::Elapsed(Timer::Rearm(hook)));
    };
    for _ in 0..2 {
        fails(&mut told);
    }
    told.tell(Input::Received(hook));
    for _ in 0..3 {
        fails(&mut told);
    }
    told.arm_all();
    let hooks = told.events.iter().filter(|event| matches!(event, Event::Hook(_)));
    let failure = Failure::TimedOut;
    let lost = HookEvent::HookLost { hook, failure, is_first: true };
    let back = HookEvent::HookBack { hook, is_last: true };
    assert!(hooks.eq([&Event::Hook(lost), &Event::Hook(back)]), "{:?}", told.events);
}
