//! The machine under any sequence of inputs, and along the story that it exists for.

#![allow(clippy::unwrap_used)]

use std::time::Duration;

use proptest::prelude::*;
use session::{
    About, ChatEvent, Delivery, DeliveryId, Effect, Event, Failure, HookEvent, Input, Lamp, Life,
    MailEvent, Outcome, PresenceEvent, Presenter, Program, ProgramEvent, SavedChat, SessionStatus,
    State, Timer, Timestamp, Urgency, Viewers, mail,
    program::{DownloadFailure, Gone, ProgramObstacle},
    retry, step,
};
use wire::HookType;

const T0: Timestamp = Timestamp(1_700_000_000_000);
const DAY: Duration = Duration::from_secs(86_400);

fn region() -> wire::Region {
    "us-east-1".parse().unwrap()
}

fn saved(new: u32, total: u32, transcript: bool) -> SavedChat {
    SavedChat { new, total, transcript, ..SavedChat::default() }
}

/// A session and the clock that it is told.
struct Told {
    state: State,
    now: Timestamp,
    events: Vec<Event>,
}

impl Told {
    fn new() -> Self {
        let state = State::new(About::default(), "anna".into(), T0);
        Self { state, now: T0, events: Vec::new() }
    }

    fn live() -> Self {
        let mut told = Self::new();
        told.tell(Input::Created { region: None });
        told.tell(Input::RegionChosen { region: region() });
        told.tell(Input::Allocated { region: region(), expires: T0.plus(DAY) });
        told.arm_all();
        told
    }

    fn tell(&mut self, input: Input) -> Vec<Effect> {
        self.now = self.now.plus(Duration::from_millis(100));
        let transition = step(self.state.clone(), input, self.now);
        self.state = transition.state;
        self.events.extend(transition.events);
        transition.effects
    }

    fn arm_all(&mut self) {
        for hook in HookType::ALL {
            let generation = self.state.generations[hook.index()];
            self.tell(Input::Armed { hook, generation });
        }
    }

    fn fire(&mut self, hook: HookType) -> Vec<Effect> {
        self.tell(Input::Received(hook));
        let generation = self.state.generations[hook.index()];
        let effects = self.tell(Input::Committed { seq: 1, hook, delivery: Delivery::default() });
        self.tell(Input::Armed { hook, generation });
        effects
    }

    /// The engine ends without warning and starts again.
    fn restart(&mut self) -> Vec<Effect> {
        self.state = State::restored(self.state.record.clone());
        let since = self.now;
        self.tell(Input::Restored { since })
    }

    fn word(&self) -> SessionStatus {
        SessionStatus::new(&self.state.record, self.now)
    }

    fn lamp(&self, hook: HookType) -> &Lamp {
        &self.state.lamps[hook.index()]
    }
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
fn a_repeated_event_leaves_the_record_as_it_was() {
    for hook in HookType::ALL {
        let mut told = Told::live();
        told.fire(HookType::PresenterStarted);
        told.fire(HookType::ViewerStarted);
        told.fire(hook);
        told.tell(Input::ChatSaved(saved(0, 0, true)));
        let before = told.state.record.clone();
        told.fire(hook);
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
    told.state = State::restored(told.state.record.clone());
    told.tell(Input::Restored { since });
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
    assert!(told.events.contains(&Event::Hook(HookEvent::HookBack { hook })));
}

#[test]
fn a_mail_waits_for_what_it_claims_and_goes_out_once() {
    let mut told = Told::live();
    told.tell(Input::MailOrdered {
        to: "maria@example.com".into(),
        template: mail::Template::ToCustomer,
        name: "Anna".into(),
        when: mail::When::NextEvent,
        by: "anna".into(),
    });
    let sends = |effects: &[Effect]| {
        effects.iter().filter(|e| matches!(e, Effect::SendMail { .. })).count()
    };
    assert_eq!(sends(&told.fire(HookType::PresenterStarted)), 0);
    assert_eq!(sends(&told.fire(HookType::ViewerStarted)), 1);
    told.tell(Input::MailAccepted { id: 1, mail: None });
    assert_eq!(sends(&told.fire(HookType::ViewerStarted)), 0);
}

#[test]
fn a_standing_mail_goes_out_once_for_each_event_whatever_became_of_the_last() {
    let mut told = Told::live();
    told.tell(Input::MailOrdered {
        to: "team@example.com".into(),
        template: mail::Template::ToColleague,
        name: "Maria".into(),
        when: mail::When::EveryEvent,
        by: "anna".into(),
    });
    let sends = |effects: &[Effect]| {
        effects.iter().filter(|e| matches!(e, Effect::SendMail { .. })).count()
    };
    for answer in [
        Input::MailAccepted { id: 1, mail: None },
        Input::MailFailed { id: 1, failure: Failure::Unreachable },
        Input::MailFailed { id: 1, failure: Failure::TimedOut },
    ] {
        assert_eq!(sends(&told.fire(HookType::ViewerStarted)), 0);
        assert_eq!(sends(&told.fire(HookType::PresenterStarted)), 1);
        assert_eq!(sends(&told.tell(answer)), 0, "a call is never made twice");
    }
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
fn a_mail_for_at_once_waits_for_the_pin() {
    let mut told = Told::new();
    told.tell(Input::Created { region: None });
    let ordered = Input::MailOrdered {
        to: "maria@example.com".into(),
        template: mail::Template::ToCustomer,
        name: "Anna".into(),
        when: mail::When::Now,
        by: "anna".into(),
    };
    assert_eq!(told.tell(ordered), []);
    let effects = told.tell(Input::Allocated { region: region(), expires: T0.plus(DAY) });
    let sends = effects.iter().filter(|effect| matches!(effect, Effect::SendMail { .. })).count();
    assert_eq!(sends, 1);
}

#[test]
fn a_mail_found_half_sent_after_a_crash_is_never_repeated() {
    let mut told = Told::live();
    told.tell(Input::MailOrdered {
        to: "maria@example.com".into(),
        template: mail::Template::ToCustomer,
        name: "Anna".into(),
        when: mail::When::Now,
        by: "anna".into(),
    });
    told.state = State::restored(told.state.record.clone());
    let effects = told.tell(Input::Restored { since: T0 });
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::SendMail { .. })));
    assert_eq!(told.state.record.mail[0].status, mail::Status::MaybeSent);
}

fn save() -> Input {
    Input::SaveProgram { by: "anna".into() }
}

/// How often what is given once only is asked for.
fn asks(effects: &[Effect]) -> usize {
    effects.iter().filter(|effect| matches!(effect, Effect::AskParameters)).count()
}

#[test]
fn the_customers_program_is_asked_for_once_and_saved_in_the_name_of_who_confirmed_it() {
    let mut told = Told::live();
    assert_eq!(told.tell(save()), [Effect::AskParameters]);
    assert_eq!(told.tell(save()), [], "a second click changes nothing");
    assert_eq!(told.tell(Input::ParametersGiven), [Effect::DownloadProgram]);
    told.tell(Input::ProgramSaved { bytes: 7, path: "/x/y.exe".into() });
    assert!(
        matches!(&told.state.record.program, Program::Saved { by, bytes: 7, .. } if by == "anna")
    );
    assert!(
        told.events.contains(&Event::Program(ProgramEvent::ProgramAsked {
            by: "anna".into(),
            again: false
        }))
    );
    assert!(
        told.events
            .contains(&Event::Program(ProgramEvent::ProgramSaved { by: "anna".into(), bytes: 7 }))
    );
    assert_eq!(told.tell(save()), []);
    assert_eq!(told.state.record.program_obstacle(), Some(ProgramObstacle::Saved));
}

#[test]
fn a_session_without_a_pin_saves_no_program() {
    let mut told = Told::new();
    assert_eq!(told.tell(save()), []);
    told.tell(Input::Created { region: None });
    assert_eq!(told.tell(save()), []);
    let mut told = Told::live();
    told.tell(Input::Close { outcome: Outcome::Unknown, by: "anna".into() });
    assert_eq!(told.tell(save()), []);
    assert_eq!(told.state.record.program_obstacle(), Some(ProgramObstacle::NoPin));
}

#[test]
fn a_broken_download_is_tried_again_by_hand_with_what_was_given_before() {
    for broken in
        [DownloadFailure::Failed { failure: Failure::TimedOut }, DownloadFailure::Cancelled]
    {
        let mut told = Told::live();
        told.tell(save());
        told.tell(Input::ParametersGiven);
        assert_eq!(told.tell(Input::ProgramBroken(broken)), [], "nothing tries again by itself");
        assert!(matches!(told.state.record.program, Program::Kept { why, .. } if why == broken));
        assert_eq!(told.tell(save()), [Effect::DownloadProgram]);
    }
}

#[test]
fn a_mail_may_have_been_sent_exactly_where_no_clear_answer_came() {
    for (failure, maybe_sent) in [
        (Failure::Unreachable, false),
        (Failure::Faulty { status: 503 }, false),
        (Failure::NoAnswer, true),
        (Failure::TimedOut, true),
    ] {
        let mut told = Told::live();
        told.tell(Input::MailOrdered {
            to: "maria@example.com".into(),
            template: mail::Template::ToCustomer,
            name: "Anna".into(),
            when: mail::When::Now,
            by: "anna".into(),
        });
        told.tell(Input::MailFailed { id: 1, failure });
        assert!(told.events.contains(&Event::Mail(MailEvent::MailFailed {
            id: 1,
            failure,
            maybe_sent
        })));
    }
}

#[test]
fn cancelling_while_the_service_is_asked_keeps_what_it_gives() {
    let mut told = Told::live();
    told.tell(save());
    assert_eq!(told.tell(Input::CancelProgram), []);
    assert_eq!(told.tell(Input::ParametersGiven), []);
    let kept = Program::Kept { at: told.now, why: DownloadFailure::Cancelled };
    assert_eq!(told.state.record.program, kept);
}

#[test]
fn an_unclear_end_of_the_question_is_never_followed_by_a_second_one() {
    for unclear in [Failure::TimedOut, Failure::NoAnswer, Failure::Faulty { status: 500 }] {
        let mut told = Told::live();
        told.tell(save());
        told.tell(Input::ParametersFailed(unclear));
        assert!(matches!(told.state.record.program, Program::Gone { why: Gone::MaybeTaken, .. }));
        assert_eq!(told.tell(save()), []);
        assert_eq!(told.tell(Input::ParametersGiven), [], "too late to be taken for it");
    }
}

#[test]
fn a_question_that_reached_nobody_was_not_asked_and_may_be_asked() {
    let mut told = Told::live();
    told.tell(save());
    told.tell(Input::ParametersFailed(Failure::Unreachable));
    assert_eq!(told.state.record.program, Program::NotAsked);
    let why = DownloadFailure::Failed { failure: Failure::Unreachable };
    assert!(
        told.events.contains(&Event::Program(ProgramEvent::ProgramNotSaved { why })),
        "it says so"
    );
    assert_eq!(asks(&told.tell(save())), 1);
}

#[test]
fn what_the_disk_did_not_take_was_not_asked_and_may_be_asked() {
    let mut told = Told::live();
    told.tell(save());
    told.tell(Input::ParametersFailed(Failure::Storage));
    assert_eq!(told.state.record.program, Program::NotAsked);
    assert_eq!(asks(&told.tell(save())), 1);
}

#[test]
fn a_program_found_half_asked_after_a_crash_may_be_taken_and_is_never_asked_for_again() {
    let mut told = Told::live();
    told.tell(save());
    assert_eq!(asks(&told.restart()), 0);
    assert!(matches!(told.state.record.program, Program::Gone { why: Gone::MaybeTaken, .. }));
    assert_eq!(told.tell(save()), []);
}

#[test]
fn a_crash_during_a_download_loses_only_what_was_never_on_disk() {
    let mut told = Told::live();
    told.tell(save());
    told.tell(Input::ParametersGiven);
    told.restart();
    assert!(matches!(told.state.record.program, Program::Gone { why: Gone::Lost, .. }));

    let mut told = Told::live();
    told.tell(save());
    told.tell(Input::ParametersGiven);
    told.tell(Input::ProgramBroken(DownloadFailure::Cancelled));
    told.tell(save());
    told.restart();
    assert!(matches!(
        told.state.record.program,
        Program::Kept { why: DownloadFailure::Stopped, .. }
    ));
}

#[test]
fn what_a_program_needs_is_given_up_with_its_session() {
    let over: [fn(&mut Told); 2] = [
        |told| {
            told.tell(Input::Close { outcome: Outcome::Resolved, by: "anna".into() });
        },
        |told| {
            told.now = T0.plus(DAY);
            told.tell(Input::Elapsed(Timer::PinOver));
        },
    ];
    for end in over {
        let mut told = Told::live();
        told.tell(save());
        told.tell(Input::ParametersGiven);
        told.tell(Input::ProgramBroken(DownloadFailure::Cancelled));
        end(&mut told);
        assert!(matches!(told.state.record.program, Program::Gone { why: Gone::Ended, .. }));
        assert!(!told.state.record.program.needs_conf());
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
fn a_record_of_before_the_program_could_be_saved_is_read() {
    let told = Told::live();
    let mut stored = serde_json::to_value(&told.state.record).unwrap();
    stored.as_object_mut().unwrap().remove("program").unwrap();
    let read: session::Record = serde_json::from_value(stored).unwrap();
    assert_eq!(read.program, Program::NotAsked);
}

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
