//! The machine under any sequence of inputs, and along the story that it exists for.

#![allow(clippy::unwrap_used)]

mod any_inputs;
mod customers_program;
mod mails;
#[path = "../told/mod.rs"]
mod told;
mod urgency;
mod waiting_puts;

use proptest::prelude::*;
use session::{
    About, ChatEvent, Delivery, DeliveryId, Effect, Event, Failure, Gate, HookEvent, Input, Lamp,
    Life, MailEvent, Outcome, PresenceEvent, Presenter, Program, ProgramEvent, SavedChat,
    SessionStatus, State, Timer, Timestamp, Urgency, Viewers, mail,
    program::{DownloadFailure, Gone, ProgramObstacle},
    retry, step,
};
use wire::{HookType, Side};

use told::{DAY, T0, Told, region};

fn saved(new: u32, total: u32, transcript: bool) -> SavedChat {
    SavedChat { new, total, transcript, ..SavedChat::default() }
}

impl Told {
    fn fire(&mut self, hook: HookType) -> Vec<Effect> {
        self.tell(Input::Received(hook));
        let generation = self.state.generations[hook.index()];
        let effects = self.tell(Input::Committed { seq: 1, hook, delivery: Delivery::default() });
        self.tell(Input::Armed { hook, generation });
        effects
    }

    fn lamp(&self, hook: HookType) -> &Lamp {
        &self.state.lamps[hook.index()]
    }
}

fn save() -> Input {
    Input::SaveProgram { by: "anna".into() }
}

/// How often what is given once only is asked for.
fn asks(effects: &[Effect]) -> usize {
    effects.iter().filter(|effect| matches!(effect, Effect::AskParameters)).count()
}

#[test]
fn a_new_session_chooses_a_region_allocates_and_arms_all_four_hooks() {
    let mut told = Told::new();
    assert_eq!(told.tell(Input::Created { region: None }), [Effect::ChooseRegion]);
    assert_eq!(told.word(), SessionStatus::Allocating);
    let effects = told.tell(Input::RegionChosen { region: region() });
    assert_eq!(effects, [Effect::Allocate { region: region(), by_hand: false }]);
    let effects = told.tell(Input::Allocated { region: region(), expires: T0.plus(DAY) });
    let put: Vec<_> = effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::PutHook { hook, urgency: Urgency::New, .. } => Some(*hook),
            _ => None,
        })
        .collect();
    assert_eq!(put, HookType::ALL);
    assert!(matches!(told.word(), SessionStatus::Waiting { .. }));
}

#[test]
fn receiving_a_hook_does_nothing_but_put_it_again() {
    for hook in HookType::ALL {
        let mut told = Told::live();
        let effects = told.tell(Input::Received(hook));
        assert!(
            matches!(effects[..], [Effect::PutHook { hook: put, .. }] if put == hook),
            "{effects:?}"
        );
    }
}

#[test]
fn an_older_calls_answer_does_not_light_the_lamp() {
    let mut told = Told::live();
    let hook = HookType::PresenterStarted;
    told.tell(Input::Elapsed(Timer::Heartbeat));
    let heartbeat = told.state.generations[hook.index()];
    told.tell(Input::Received(hook));
    told.tell(Input::Armed { hook, generation: heartbeat });
    assert!(matches!(told.lamp(hook), Lamp::Rearming { .. }));
}

#[test]
fn the_story_from_waiting_to_ended_and_back() {
    let mut told = Told::live();
    told.fire(HookType::PresenterStarted);
    assert!(matches!(told.word(), SessionStatus::Ready { .. }));
    told.fire(HookType::ViewerStarted);
    assert!(matches!(told.word(), SessionStatus::Active { .. }));
    let effects = told.fire(HookType::ViewerOffline);
    assert!(effects.contains(&Effect::FetchChat { transcript: true }));
    assert!(matches!(
        told.word(),
        SessionStatus::Ended { may_still_run: true, pin_over: false, .. }
    ));
    told.tell(Input::ChatSaved(saved(3, 3, true)));
    assert!(told.events.contains(&Event::Chat(ChatEvent::TranscriptSaved { messages: 3 })));
    told.fire(HookType::ViewerStarted);
    assert!(matches!(told.word(), SessionStatus::Active { .. }));
}

#[test]
fn five_reloads_are_five_events_and_one_state() {
    let mut told = Told::live();
    told.fire(HookType::PresenterStarted);
    let first = told.state.record.presenter;
    for _ in 0..4 {
        told.fire(HookType::PresenterStarted);
        assert!(matches!(told.lamp(HookType::PresenterStarted), Lamp::Armed { .. }));
    }
    assert_eq!(told.state.record.presenter, first);
    let online = told
        .events
        .iter()
        .filter(|event| matches!(event, Event::Presence(PresenceEvent::PresenterOnline { .. })))
        .count();
    assert_eq!(online, 5);
}

#[test]
fn a_repeated_event_leaves_the_record_as_it_was_but_for_when_something_was_told() {
    for hook in HookType::ALL {
        let mut told = Told::live();
        told.fire(HookType::PresenterStarted);
        told.fire(HookType::ViewerStarted);
        told.fire(hook);
        told.tell(Input::ChatSaved(saved(0, 0, true)));
        let mut before = told.state.record.clone();
        told.fire(hook);
        let (now, then) = (&told.state.record.observed, &mut before.observed);
        let (new, old) = match hook.side() {
            Side::Presenter => (now.presenter_told, &mut then.presenter_told),
            Side::Viewers => (now.viewers_told, &mut then.viewers_told),
        };
        assert!(std::mem::replace(old, new) < new, "{hook}: it was told once more");
        assert_eq!(told.state.record, before, "{hook}");
    }
}

#[test]
fn a_presenter_that_starts_again_reopens_an_ended_session() {
    let mut told = Told::live();
    told.fire(HookType::ViewerStarted);
    told.fire(HookType::ViewerOffline);
    told.fire(HookType::PresenterStarted);
    assert!(matches!(told.word(), SessionStatus::Ready { .. }));
}

#[test]
fn after_a_restart_both_facts_are_unknown_until_their_sides_next_event() {
    let mut told = Told::live();
    told.fire(HookType::PresenterStarted);
    told.fire(HookType::ViewerStarted);
    let since = told.now;
    told.restart();
    assert_eq!(told.state.record.presenter, Presenter::Unknown { since });
    assert_eq!(told.state.record.viewers, Viewers::Unknown { since });
    assert_eq!(told.word(), SessionStatus::Unknown { since });
    told.arm_all();
    told.fire(HookType::PresenterStarted);
    assert!(matches!(told.state.record.presenter, Presenter::Online { .. }));
    assert_eq!(told.state.record.viewers, Viewers::Unknown { since });
}

#[test]
fn a_gap_in_the_hook_that_a_fact_hangs_on_makes_it_unknown() {
    let mut told = Told::live();
    told.fire(HookType::PresenterStarted);
    let hook = HookType::PresenterOffline;
    told.tell(Input::Elapsed(Timer::Heartbeat));
    let generation = told.state.generations[hook.index()];
    told.tell(Input::ArmFailed { hook, generation, failure: Failure::Unreachable });
    assert!(matches!(told.state.record.presenter, Presenter::Online { .. }));
    told.tell(Input::Elapsed(Timer::Rearm(hook)));
    let generation = told.state.generations[hook.index()];
    told.tell(Input::Armed { hook, generation });
    assert!(matches!(told.state.record.presenter, Presenter::Unknown { .. }));
    assert!(matches!(told.state.record.viewers, Viewers::Never));
}

#[test]
fn a_gap_in_a_hook_that_tells_what_is_known_anyway_changes_nothing() {
    let mut told = Told::live();
    let hook = HookType::PresenterStarted;
    told.tell(Input::Received(hook));
    let generation = told.state.generations[hook.index()];
    told.tell(Input::Committed { seq: 1, hook, delivery: Delivery::default() });
    told.tell(Input::ArmFailed { hook, generation, failure: Failure::Faulty { status: 503 } });
    told.tell(Input::Elapsed(Timer::Rearm(hook)));
    let generation = told.state.generations[hook.index()];
    told.tell(Input::Armed { hook, generation });
    assert!(matches!(told.word(), SessionStatus::Ready { .. }));
}

#[test]
fn a_hook_that_fails_twice_is_told_once_and_its_return_too() {
    let mut told = Told::live();
    let hook = HookType::ViewerOffline;
    told.tell(Input::Elapsed(Timer::Heartbeat));
    for _ in 0..4 {
        let generation = told.state.generations[hook.index()];
        told.tell(Input::ArmFailed { hook, generation, failure: Failure::TimedOut });
        told.tell(Input::Elapsed(Timer::Rearm(hook)));
    }
    let lost = told
        .events
        .iter()
        .filter(|event| matches!(event, Event::Hook(HookEvent::HookLost { .. })))
        .count();
    assert_eq!(lost, 1);
    let generation = told.state.generations[hook.index()];
    told.tell(Input::Armed { hook, generation });
    assert!(told.events.contains(&Event::Hook(HookEvent::HookBack { hook, is_last: true })));
}

#[test]
fn an_outage_that_loses_all_hooks_is_one_thing_to_tell_and_so_is_its_end() {
    let mut told = Told::live();
    told.events.clear();
    told.tell(Input::Elapsed(Timer::Heartbeat));
    let generation = |told: &Told, hook: HookType| told.state.generations[hook.index()];
    for _ in 0..3 {
        for hook in HookType::ALL {
            let generation = generation(&told, hook);
            told.tell(Input::ArmFailed { hook, generation, failure: Failure::TimedOut });
            told.tell(Input::Elapsed(Timer::Rearm(hook)));
        }
    }
    for hook in HookType::ALL {
        let generation = generation(&told, hook);
        told.tell(Input::Armed { hook, generation });
    }
    let hooks = told.events.iter().filter(|event| matches!(event, Event::Hook(_)));
    let notices: Vec<_> = hooks.map(|event| event.facts().notice("Maria Lopez")).collect();
    assert_eq!(notices.len(), 8, "each is logged");
    assert!(notices.iter().all(|notice| notice.text.starts_with("Maria Lopez: ")), "{notices:?}");
    let loud: Vec<_> =
        notices.iter().filter(|notice| notice.notify).map(|one| &*one.text).collect();
    let first = HookType::ALL[0];
    assert_eq!(
        loud,
        [
            &*format!(
                "Maria Lopez: status may be out of date (hook {first} could not be re-armed)"
            ),
            "Maria Lopez: all hooks are armed again",
        ]
    );
}

#[test]
fn what_was_said_is_fetched_well_before_its_day_is_over_whoever_is_there_or_looks() {
    let stories: [&[Input]; 5] = [
        &[],
        &[Input::OnScreen(true)],
        &[Input::Committed {
            seq: 1,
            hook: HookType::PresenterStarted,
            delivery: Delivery::default(),
        }],
        &[
            Input::Committed {
                seq: 1,
                hook: HookType::ViewerStarted,
                delivery: Delivery::default(),
            },
            Input::Committed {
                seq: 2,
                hook: HookType::ViewerOffline,
                delivery: Delivery::default(),
            },
            Input::ChatSaved(saved(0, 0, true)),
        ],
        &[Input::Missed { since: T0 }],
    ];
    let failed = Input::ChatFailed { failure: Failure::Unreachable, transcript: false };
    for story in stories {
        for answer in [Input::ChatSaved(saved(1, 1, false)), failed.clone()] {
            let mut told = Told::live();
            for input in story {
                told.tell(input.clone());
            }
            let fetch = Effect::FetchChat { transcript: false };
            assert_eq!(told.tell(Input::Elapsed(Timer::PollChat)), [fetch], "{story:?}");
            let next = told.tell(answer).into_iter().find_map(|effect| match effect {
                Effect::Start { timer: Timer::PollChat, after, .. } => Some(after),
                _ => None,
            });
            // Chance may add a quarter.
            assert!(next.unwrap().mul_f64(1.25) < DAY / 2, "{story:?}: {next:?}");
        }
    }
}

#[test]
fn a_pin_that_nobody_used_expires_and_one_that_was_used_ends() {
    let mut told = Told::live();
    told.now = T0.plus(DAY);
    told.tell(Input::Elapsed(Timer::PinOver));
    assert_eq!(told.word(), SessionStatus::Expired);

    let mut told = Told::live();
    told.fire(HookType::PresenterStarted);
    told.now = T0.plus(DAY);
    told.tell(Input::Elapsed(Timer::PinOver));
    assert!(matches!(told.word(), SessionStatus::Ended { pin_over: true, .. }));
}

#[test]
fn the_record_survives_its_storage() {
    let mut told = Told::live();
    told.fire(HookType::PresenterStarted);
    let stored = serde_json::to_string(&told.state.record).unwrap();
    assert_eq!(serde_json::from_str::<session::Record>(&stored).unwrap(), told.state.record);
}

#[test]
fn a_heartbeat_or_a_lost_hook_is_no_activity_and_a_customer_is() {
    let mut told = Told::live();
    let before = told.state.active_at;
    told.tell(Input::Elapsed(Timer::Heartbeat));
    for hook in HookType::ALL {
        let generation = told.state.generations[hook.index()];
        told.tell(Input::ArmFailed { hook, generation, failure: Failure::TimedOut });
        let generation = told.state.generations[hook.index()];
        told.tell(Input::Armed { hook, generation });
    }
    assert_eq!(told.state.active_at, before);
    told.tell(Input::Committed {
        seq: 1,
        hook: HookType::PresenterStarted,
        delivery: Delivery::default(),
    });
    assert!(told.state.active_at > before);
}
