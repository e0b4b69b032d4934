//! Whatever comes, in whatever order: each hook is cared for, and nothing that is given once is asked for twice.

use super::*;

fn any_broken() -> impl Strategy<Value = DownloadFailure> {
    prop_oneof![
        any_failure().prop_map(|failure| DownloadFailure::Failed { failure }),
        Just(DownloadFailure::Cancelled),
        Just(DownloadFailure::Stopped),
    ]
}

/// What a session is told about the customer's program.
fn any_program_input() -> impl Strategy<Value = Input> {
    prop_oneof![
        4 => Just(save()),
        1 => Just(Input::CancelProgram),
        2 => Just(Input::ParametersGiven),
        1 => any_failure().prop_map(Input::ParametersFailed),
        1 => Just(Input::ProgramSaved { bytes: 1, path: "/x".into() }),
        1 => any_broken().prop_map(Input::ProgramBroken),
    ]
}

fn any_hook() -> impl Strategy<Value = HookType> {
    proptest::sample::select(HookType::ALL.to_vec())
}

fn any_failure() -> impl Strategy<Value = Failure> {
    proptest::sample::select(vec![
        Failure::Unreachable,
        Failure::NoAnswer,
        Failure::TimedOut,
        Failure::Malformed,
        Failure::Faulty { status: 500 },
        Failure::Rejected { status: 404 },
        Failure::RateLimited { retry_after_ms: Some(5) },
    ])
}

fn any_input() -> impl Strategy<Value = Input> {
    prop_oneof![
        Just(Input::Created { region: None }),
        Just(Input::Restored { since: T0 }),
        Just(Input::ServiceFails),
        Just(Input::RegionChosen { region: region() }),
        Just(Input::Allocated { region: region(), expires: T0.plus(DAY) }),
        any_failure().prop_map(Input::AllocateFailed),
        Just(Input::Retry { region: None }),
        any_hook().prop_map(Input::Received),
        (any::<u64>(), any_hook(), proptest::option::of(0..9_u64), proptest::option::of(0..9_u64))
            .prop_map(|(seq, hook, revision, id)| {
                let delivery = Delivery { revision, id: id.map(DeliveryId) };
                Input::Committed { seq, hook, delivery }
            }),
        (any_hook(), 0..6_u32).prop_map(|(hook, generation)| Input::Armed { hook, generation }),
        (any_hook(), 0..6_u32, any_failure())
            .prop_map(|(hook, generation, failure)| Input::ArmFailed { hook, generation, failure }),
        Just(Input::Elapsed(Timer::Heartbeat)),
        any_hook().prop_map(|hook| Input::Elapsed(Timer::Rearm(hook))),
        Just(Input::Elapsed(Timer::PollChat)),
        Just(Input::Elapsed(Timer::RetryTranscript)),
        Just(Input::Elapsed(Timer::PinOver)),
        any::<i64>().prop_map(|since| Input::Missed { since: Timestamp(since) }),
        any::<bool>().prop_map(Input::OnScreen),
        (any::<u32>(), any::<u32>(), any::<bool>())
            .prop_map(|(new, total, transcript)| Input::ChatSaved(saved(new, total, transcript))),
        (any_failure(), any::<bool>())
            .prop_map(|(failure, transcript)| Input::ChatFailed { failure, transcript }),
        any_program_input(),
        Just(Input::Close { outcome: Outcome::Unknown, by: "anna".into() }),
        Just(Input::GaveUp),
    ]
}

/// A failed hook has a timer running; one being re-armed has a call under way. Checked by replaying
/// what the effects said.
fn hook_is_cared_for(lamp: &Lamp, timer: bool, call: bool) -> bool {
    match lamp {
        Lamp::Armed { .. } => true,
        Lamp::Rearming { .. } => call,
        Lamp::Failed { .. } => timer || call,
        Lamp::Off | Lamp::Consumed { .. } => false,
    }
}

proptest! {
    #[test]
    fn every_hook_of_a_live_session_is_armed_being_rearmed_or_visibly_failed(
        inputs in proptest::collection::vec((any_input(), -50_000_i64..100_000), 0..60),
    ) {
        let mut state = State::new(About::default(), "anna".into(), T0);
        let mut now = T0;
        let mut timers = std::collections::HashSet::new();
        for (input, later) in inputs {
            now = Timestamp(now.0 + later);
            if let Input::Elapsed(timer) = &input {
                // Only a timer that runs can run out.
                if !timers.remove(timer) { continue; }
            }
            if let Input::Restored { .. } = &input {
                timers.clear();
            }
            let received = match input { Input::Received(hook) => Some(hook), _ => None };
            let transition = step(state, input, now);
            state = transition.state;
            if let Some(hook) = received {
                let only_puts = transition.effects.iter().all(
                    |effect| matches!(effect, Effect::PutHook { hook: put, .. } if *put == hook),
                );
                prop_assert!(only_puts, "something came beside the re-arming");
            }
            for effect in &transition.effects {
                match effect {
                    Effect::Start { timer, .. } => { timers.insert(*timer); }
                    Effect::Heartbeat { .. } => { timers.insert(Timer::Heartbeat); }
                    Effect::Stop { timer } => { timers.remove(timer); }
                    _ => {}
                }
            }
            if state.record.is_live() {
                for hook in HookType::ALL {
                    let lamp = &state.lamps[hook.index()];
                    let timer = timers.contains(&Timer::Rearm(hook));
                    prop_assert!(hook_is_cared_for(lamp, timer, true), "{hook} {lamp:?}");
                    if matches!(lamp, Lamp::Failed { .. }) {
                        prop_assert!(timer, "{hook} failed and nothing will try again");
                    }
                }
                prop_assert!(timers.contains(&Timer::Heartbeat));
                prop_assert!(matches!(state.record.life, Life::Live(_)));
            }
            let _ = SessionStatus::new(&state.record, now);
        }
    }

    #[test]
    fn a_pins_parameters_are_asked_for_at_most_once_whatever_comes(
        inputs in proptest::collection::vec(
            prop_oneof![3 => any_program_input(), 1 => any_input()], 0..60),
    ) {
        let mut told = Told::live();
        let mut asked = 0;
        for input in inputs {
            let pin_before = told.state.record.allocation().map(|allocation| allocation.at);
            let confirmed = matches!(input, Input::SaveProgram { .. });
            let reached_nobody = input == Input::ParametersFailed(Failure::Unreachable)
                && matches!(told.state.record.program, Program::Asking { .. });
            let effects = if let Input::Restored { .. } = input {
                told.restart()
            } else {
                told.tell(input)
            };
            let pin_now = told.state.record.allocation().map(|allocation| allocation.at);
            if reached_nobody || pin_now != pin_before {
                asked = 0;
            }
            asked += asks(&effects);
            prop_assert!(asked <= 1, "asked a second time");
            prop_assert!(asks(&effects) == 0 || confirmed, "asked without a person's word");
            prop_assert!(
                told.state.record.is_live() || !told.state.record.program.needs_conf(),
                "a conf outlives its session: {:?}", told.state.record.program
            );
        }
    }
}
