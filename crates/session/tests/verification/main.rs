//! Verifications under any sequence of inputs: asked for once, ended once, never approved on hope; and
//! the gate that they open.

#![allow(clippy::unwrap_used)]

mod asking;
#[path = "../told/mod.rs"]
mod told;

use std::{collections::HashSet, time::Duration};

use proptest::prelude::*;
use session::{
    Delivery, Effect, Event, Failure, Gate, Input, Outcome, Timer, Timestamp, VerificationChange,
    VerificationEvent, mail,
    verification::{
        Cause, LAST_LOOK, MOST, Method, POLL, Policy, ShutReason, Status, Subject, Verdict,
        VerificationAnswer, VerificationObstacle, VerificationOutcome, VerificationRequest, WAIT,
    },
};
use wire::HookType;

use told::{DAY, T0, Told, region};

const REQUIRE: Gate = Gate { policy: Policy::Require, minutes: 30, control_waits: false };

fn asked(who: Subject) -> VerificationRequest {
    VerificationRequest {
        who,
        user: "maria.lopez".into(),
        by_id: false,
        how: Method::Push,
        by: "anna".into(),
        reason: "printer".into(),
        shown: vec![("Technician".into(), "anna".into())],
        denied_before: None,
    }
}

fn verify(who: Subject) -> Input {
    Input::Verify { asked: asked(who), wait: WAIT }
}

impl Told {
    fn gated() -> Self {
        let mut told = Self::live();
        told.tell(Input::GateSet(REQUIRE));
        told
    }

    fn answered(&mut self, id: u32, answer: VerificationAnswer) -> Vec<Effect> {
        self.tell(Input::VerificationAnswered { id, answer })
    }

    /// The service has said that nobody answered, and has taken the push back.
    fn taken_back(&mut self, id: u32) -> Vec<Effect> {
        self.tell(Input::PushTakenBack { id, unseen: None, left: None })
    }

    fn status(&self, id: u32) -> &Status {
        &self.state.record.verifications.iter().find(|v| v.id == id).unwrap().status
    }

    fn end(&self, id: u32) -> Option<VerificationOutcome> {
        match self.status(id) {
            Status::Ended { end, .. } => Some(*end),
            Status::Asking { .. } | Status::Waiting { .. } => None,
        }
    }

    fn verdict(&self) -> Verdict {
        self.state.gate.verdict(&self.state.record, self.now)
    }

    fn shut(&self) -> Option<ShutReason> {
        self.state.gate.keeps_shut(&self.state.record, self.now)
    }

    fn approve(&mut self, who: Subject) -> Vec<Effect> {
        self.tell(verify(who));
        let id = self.state.record.verifications.last().unwrap().id;
        self.answered(id, VerificationAnswer::Approved)
    }

    fn order_mail(&mut self, template: mail::Template, when: mail::When) -> Vec<Effect> {
        let (to, name) = ("bob@example.com".to_owned(), "Maria".to_owned());
        self.tell(Input::MailOrdered { to, template, name, when, by: "anna".into() })
    }
}

fn asks(effects: &[Effect]) -> usize {
    effects.iter().filter(|effect| matches!(effect, Effect::AskPhone { .. })).count()
}

fn mails(effects: &[Effect]) -> usize {
    effects.iter().filter(|effect| matches!(effect, Effect::SendMail { .. })).count()
}

#[test]
fn the_sessions_end_cancels_what_is_under_way_and_shuts_the_gate() {
    for end in [
        Input::Close { outcome: Outcome::Resolved, by: "anna".into() },
        Input::Elapsed(Timer::PinOver),
    ] {
        let mut told = Told::gated();
        told.approve(Subject::Customer);
        assert_eq!(told.shut(), None);
        told.tell(verify(Subject::Customer));
        told.answered(2, VerificationAnswer::Pending);
        if let Input::Elapsed(_) = end {
            told.now = T0.plus(DAY);
        }
        assert!(told.tell(end).contains(&Effect::CancelPhone { id: 2 }));
        assert_eq!(told.end(2), Some(VerificationOutcome::Cancelled));
        assert_eq!(told.shut(), Some(ShutReason::Over));
        assert_eq!(asks(&told.tell(verify(Subject::Customer))), 0);
    }
}

#[test]
fn the_gate_follows_the_customers_newest_answer_and_its_age() {
    let mut told = Told::gated();
    assert_eq!(told.shut(), Some(ShutReason::NotVerified));
    told.approve(Subject::Technician);
    assert_eq!(told.shut(), Some(ShutReason::NotVerified), "whose PC it is, is not known by that");
    told.tell(verify(Subject::Customer));
    assert_eq!(told.shut(), Some(ShutReason::UnderWay));
    told.tell(Input::Elapsed(Timer::VerificationOver(2)));
    assert_eq!(told.shut(), Some(ShutReason::NotVerified));
    let effects = told.approve(Subject::Customer);
    let at = told.now;
    let until = at.plus(Duration::from_secs(30 * 60));
    assert!(matches!(told.verdict(), Verdict::Open { until: Some(said), .. } if said == until));
    assert!(effects.iter().any(|e| matches!(e, Effect::Start { timer: Timer::GateOver, .. })));
    // One that nobody answers takes nothing away, a denial does at once.
    told.tell(verify(Subject::Customer));
    assert_eq!(told.shut(), None);
    told.answered(4, VerificationAnswer::Denied);
    assert_eq!(told.shut(), Some(ShutReason::Denied { at: told.now }));
    told.approve(Subject::Customer);
    let at = told.now;
    told.now = at.plus(Duration::from_secs(30 * 60 - 1));
    assert_eq!(told.shut(), None);
    told.now = at.plus(Duration::from_secs(30 * 60));
    assert_eq!(told.shut(), Some(ShutReason::TooOld { at }));
}

#[test]
fn a_wrong_code_is_no_denial_and_takes_no_approval_away() {
    let mut told = Told::gated();
    told.approve(Subject::Customer);
    for how in [Method::Otp, Method::BypassCode] {
        let asked = VerificationRequest { how, ..asked(Subject::Customer) };
        told.tell(Input::Verify { asked, wait: WAIT });
        let id = told.state.record.verifications.last().unwrap().id;
        told.answered(id, VerificationAnswer::Denied);
        assert_eq!(told.end(id), Some(VerificationOutcome::Failed { cause: Cause::WrongCode }));
        assert_eq!(told.shut(), None);
    }
}

#[test]
fn an_override_opens_the_gate_for_as_long_as_a_verification_would() {
    let mut told = Told::gated();
    told.tell(verify(Subject::Customer));
    told.answered(1, VerificationAnswer::Denied);
    told.tell(Input::GateOverridden { by: "anna".into(), reason: "I know the voice".into() });
    let at = told.now;
    assert_eq!(told.shut(), None);
    assert_eq!(told.state.record.overridden.as_ref().unwrap().at, at);
    told.restart();
    assert_eq!(told.shut(), None);
    told.now = at.plus(Duration::from_secs(30 * 60));
    assert_eq!(told.shut(), Some(ShutReason::TooOld { at }));
}

#[test]
fn a_policy_that_asks_for_nothing_or_only_warns_keeps_nothing_shut() {
    let mut told = Told::live();
    assert!(matches!(told.verdict(), Verdict::Open { until: None, .. }));
    told.tell(Input::GateSet(Gate { policy: Policy::Warn, ..REQUIRE }));
    assert!(matches!(told.verdict(), Verdict::Shut { .. }));
    assert_eq!(told.shut(), None);
    let effects = told.order_mail(mail::Template::ToColleague, mail::When::Now);
    assert_eq!(mails(&effects), 1);
}

#[test]
fn a_colleagues_mail_waits_for_the_gate_and_a_customers_does_not() {
    let mut told = Told::gated();
    let effects = told.order_mail(mail::Template::ToCustomer, mail::When::Now);
    assert_eq!(mails(&effects), 1);
    told.order_mail(mail::Template::ToColleague, mail::When::NextEvent);
    told.order_mail(mail::Template::ToColleague, mail::When::Now);
    let hook = HookType::PresenterStarted;
    assert_eq!(
        mails(&told.tell(Input::Committed { seq: 1, hook, delivery: Delivery::default() })),
        0
    );
    let status = |told: &Told, place: usize| told.state.record.mail[place].status;
    assert_eq!((status(&told, 1), status(&told, 2)), (mail::Status::Held, mail::Status::Held));
    // A crash loses neither, and the start sends none.
    assert_eq!(mails(&told.restart()), 0);
    told.tell(Input::Committed { seq: 2, hook, delivery: Delivery::default() });
    let effects = told.approve(Subject::Customer);
    assert_eq!(mails(&effects), 2, "the customer is there and verified: both go out, once");
    assert_eq!(mails(&told.tell(Input::GateSet(REQUIRE))), 0);
}

#[test]
fn a_held_mail_whose_claim_is_not_true_any_more_waits_for_its_event_again() {
    let mut told = Told::gated();
    told.order_mail(mail::Template::ToColleague, mail::When::NextEvent);
    told.tell(Input::Committed {
        seq: 1,
        hook: HookType::PresenterStarted,
        delivery: Delivery::default(),
    });
    told.tell(Input::Committed {
        seq: 2,
        hook: HookType::PresenterOffline,
        delivery: Delivery::default(),
    });
    assert_eq!(mails(&told.approve(Subject::Customer)), 0);
    assert_eq!(told.state.record.mail[0].status, mail::Status::Waiting);
    let effects = told.tell(Input::Committed {
        seq: 3,
        hook: HookType::PresenterStarted,
        delivery: Delivery::default(),
    });
    assert_eq!(mails(&effects), 1);
}

#[test]
fn a_record_of_before_verifications_is_read() {
    let mut value = serde_json::to_value(&Told::live().state.record).unwrap();
    let fields = value.as_object_mut().unwrap();
    assert!(fields.remove("verifications").is_some() && fields.remove("overridden").is_some());
    let record: session::Record = serde_json::from_value(value).unwrap();
    assert!(record.verifications.is_empty() && record.overridden.is_none());
}

#[test]
fn a_status_and_an_event_come_back_from_the_disk_as_they_were() {
    let failure = Failure::RateLimited { retry_after_ms: Some(5) };
    for cause in [Cause::UnknownUser, Cause::WrongCode, Cause::WrongDomain, Cause::Call { failure }]
    {
        let status = Status::Ended { at: T0, end: VerificationOutcome::Failed { cause } };
        let text = serde_json::to_string(&status).unwrap();
        assert_eq!(serde_json::from_str::<Status>(&text).unwrap(), status, "{text}");
        let change = VerificationChange::VerificationFailed { cause };
        let (who, user) = (Subject::Customer, "m".into());
        let event = Event::Verification(VerificationEvent { id: 1, who, user, change });
        let text = serde_json::to_string(&event).unwrap();
        assert_eq!(serde_json::from_str::<Event>(&text).unwrap(), event, "{text}");
    }
}

fn any_who() -> impl Strategy<Value = Subject> {
    proptest::sample::select(vec![Subject::Customer, Subject::Technician])
}

fn any_end() -> impl Strategy<Value = VerificationOutcome> {
    proptest::sample::select(vec![
        VerificationOutcome::NoDevice,
        VerificationOutcome::Failed { cause: Cause::UnknownUser },
        VerificationOutcome::Failed { cause: Cause::Call { failure: Failure::TimedOut } },
    ])
}

fn any_failure() -> impl Strategy<Value = Option<Failure>> {
    proptest::option::of(Just(Failure::Unreachable))
}

fn any_input() -> impl Strategy<Value = Input> {
    let answer = proptest::sample::select(vec![
        VerificationAnswer::Pending,
        VerificationAnswer::Approved,
        VerificationAnswer::Denied,
    ]);
    let id = 0..5_u32;
    let policy = proptest::sample::select(vec![Policy::Off, Policy::Warn, Policy::Require]);
    prop_oneof![
        6 => any_who().prop_map(verify),
        6 => (id.clone(), answer).prop_map(|(id, answer)| Input::VerificationAnswered { id, answer }),
        1 => (id.clone(), any_end()).prop_map(|(id, end)| Input::VerificationFailed { id, end }),
        1 => id.clone().prop_map(|id| Input::PollFailed { id, failure: Failure::NoAnswer }),
        2 => id.clone().prop_map(|id| Input::Elapsed(Timer::PollVerification(id))),
        1 => id.clone().prop_map(|id| Input::Elapsed(Timer::VerificationOver(id))),
        1 => id.clone().prop_map(|id| Input::CancelVerification { id }),
        1 => (id, any_failure(), any_failure())
            .prop_map(|(id, unseen, left)| Input::PushTakenBack { id, unseen, left }),
        1 => Just(Input::Elapsed(Timer::GateOver)),
        1 => (policy, any::<bool>())
            .prop_map(|(policy, control_waits)| Input::GateSet(Gate { policy, minutes: 1, control_waits })),
        1 => Just(Input::GateOverridden { by: "anna".into(), reason: "known".into() }),
        1 => Just(Input::Committed { seq: 1, hook: HookType::PresenterStarted, delivery: Delivery::default() }),
        1 => Just(Input::MailOrdered {
            to: "bob@example.com".into(),
            template: mail::Template::ToColleague,
            name: "Maria".into(),
            when: mail::When::EveryEvent,
            by: "anna".into(),
        }),
        1 => Just(Input::Restored { since: T0 }),
        1 => Just(Input::Elapsed(Timer::PinOver)),
        1 => Just(Input::GaveUp),
        1 => Just(Input::Retry { region: None }),
        1 => Just(Input::Allocated { region: region(), expires: T0.plus(DAY) }),
    ]
}

proptest! {
    #[test]
    fn each_order_is_asked_once_ends_once_and_is_never_left_alone(
        inputs in proptest::collection::vec((any_input(), 0_i64..30_000), 0..80),
    ) {
        let mut told = Told::gated();
        let (mut asked, mut ended) = (HashSet::new(), HashSet::new());
        for (input, later) in inputs {
            told.now = Timestamp(told.now.0 + later);
            let restarts = matches!(input, Input::Restored { .. });
            let ordered = matches!(input, Input::Verify { .. });
            let before: Vec<Option<VerificationOutcome>> =
                told.state.record.verifications.iter().map(|v| told.end(v.id)).collect();
            let effects = if restarts { told.restart() } else { told.tell(input) };
            for effect in &effects {
                match effect {
                    Effect::AskPhone { id, .. } => {
                        prop_assert!(ordered, "asked without an order");
                        prop_assert!(asked.insert(*id), "asked a second time");
                    }
                    Effect::SendMail { template: mail::Template::ToColleague, .. } => {
                        prop_assert!(told.shut().is_none(), "a viewer's link went out");
                        prop_assert!(!told.state.gate.control_waits, "a link to control went out");
                    }
                    _ => {}
                }
            }
            for (place, verification) in told.state.record.verifications.iter().enumerate() {
                if let Some(end) = told.end(verification.id) {
                    ended.insert(verification.id);
                    if let Some(Some(old)) = before.get(place) {
                        let word = [VerificationOutcome::Approved, VerificationOutcome::Denied];
                        let late = old.is_ours() && word.contains(&end);
                        prop_assert!(*old == end || late, "an end changed");
                    }
                } else {
                    prop_assert!(told.timers.contains(&Timer::VerificationOver(verification.id)));
                    prop_assert!(!ended.contains(&verification.id), "it came back");
                    prop_assert!(told.state.record.is_live(), "it outlives its session");
                }
            }
        }
    }
}
