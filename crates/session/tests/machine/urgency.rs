//! Which hooks are put first, and soon: what is on screen, and after failures.

use crate::*;

#[test]
fn a_failure_on_screen_has_all_hooks_put_soon_and_for_a_minute_after_it() {
    let mut told = Told::live();
    told.tell(Input::OnScreen(true));
    let hook = HookType::ViewerOffline;
    told.tell(Input::Elapsed(Timer::Heartbeat));
    let failure = Failure::Unreachable;
    let generation = told.state.generations[hook.index()];
    let effects = told.tell(Input::ArmFailed { hook, generation, failure });
    assert!(effects.contains(&Effect::Heartbeat { hurried: true }));
    told.tell(Input::Elapsed(Timer::Rearm(hook)));
    let generation = told.state.generations[hook.index()];
    // A timer that each failure started anew would never run out.
    let effects = told.tell(Input::ArmFailed { hook, generation, failure });
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::Heartbeat { .. })));
    told.arm_all();
    let effects = told.tell(Input::Elapsed(Timer::Heartbeat));
    assert!(effects.contains(&Effect::Heartbeat { hurried: true }));
    told.now = told.now.plus(retry::FRESH_FAULT);
    let effects = told.tell(Input::Elapsed(Timer::Heartbeat));
    assert!(effects.contains(&Effect::Heartbeat { hurried: false }));
}

#[test]
fn when_others_calls_fail_what_is_on_screen_finds_out_once_and_then_hurries() {
    let mut told = Told::live();
    assert_eq!(told.tell(Input::ServiceFails), [], "nobody looks at it");
    told.tell(Input::OnScreen(true));
    let effects = told.tell(Input::ServiceFails);
    assert_eq!(puts(&effects), [Urgency::OnScreen; 4]);
    assert!(effects.contains(&Effect::Heartbeat { hurried: true }));
    assert_eq!(told.tell(Input::ServiceFails), [], "it is on its way");
}

#[test]
fn after_an_outage_nothing_is_known_and_what_is_on_screen_is_put_first() {
    let mut told = Told::live();
    told.fire(HookType::PresenterStarted);
    told.arm_all();
    let since = told.now;
    let effects = told.tell(Input::Missed { since });
    assert_eq!(puts(&effects), [Urgency::Other; 4]);
    assert!(matches!(told.state.record.presenter, Presenter::Unknown { .. }));
    told.tell(Input::OnScreen(true));
    assert_eq!(puts(&told.tell(Input::Missed { since })), [Urgency::OnScreen; 4]);
}

/// How urgent the PUTs among `effects` are.
fn puts(effects: &[Effect]) -> Vec<Urgency> {
    let urgency = |effect: &Effect| {
        let Effect::PutHook { urgency, .. } = effect else { return None };
        Some(*urgency)
    };
    effects.iter().filter_map(urgency).collect()
}
