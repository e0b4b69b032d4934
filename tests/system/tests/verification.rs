//! Push verification: the real engine against the real stand-in. A phone rings once, only a yes is a yes,
//! and while the gate is shut no viewer comes through any door.

#![allow(clippy::unwrap_used)]

use std::time::Duration;

use axum::{Router, response::Html};
use deskhand_system_tests::{Desk, PATIENCE, World, all_armed};
use engine::{
    CommandError, SessionId,
    journal::Fault as DiskFault,
    remote::{
        IdentityClients, LoginTc,
        logintc::{Code, LoginTcConfig},
    },
};
use sandbox::{Config, Sandbox, logintc::Logintc};
use secrecy::SecretString;
use serve::{Fault, FaultRule};
use session::{
    Failure, Input, Outcome, Verification,
    mail::{Status as MailStatus, Template, When},
    verification::{
        Cause, Method, Policy, ShutReason, Status, Subject, VerificationOutcome,
        VerificationRequest,
    },
};

const ASK: &str = "/api/domains/{domain}/sessions";
const POLL: &str = "/api/domains/{domain}/sessions/{session}";
/// Longer than any test waits: such an answer never comes.
const NEVER: Fault = Fault::Delay { ms: 3_600_000 };
/// For what is answered.
const LONG: Duration = Duration::from_secs(60);
/// For what is not.
const SHORT: Duration = Duration::from_millis(1_500);

/// A console in a world with a verification service, a session with a PIN, and Maria, who has a phone.
struct Scene {
    world: World,
    sandbox: sandbox::Running,
    phones: Logintc,
    maria: String,
    desk: Desk,
    id: SessionId,
    pin: wire::Pin,
}

impl Scene {
    async fn new() -> Self {
        let world = World::new().await;
        let sandbox = Sandbox::start(Config::embedded(world.folder.path().join("sandbox"))).await;
        let sandbox = sandbox.unwrap();
        let phones = sandbox.logintc();
        let maria = phones.add_user("maria.lopez", true).await.unwrap().unwrap();
        let desk = world.engine().await;
        let (id, pin) = desk.armed_session().await;
        let scene = Self { world, sandbox, phones, maria, desk, id, pin };
        scene.set_up(scene.phones.domain(), scene.phones.key());
        scene
    }

    fn set_up(&self, domain: &str, key: SecretString) {
        let base_url = self.phones.base_url().parse().unwrap();
        let client =
            LoginTc::new(LoginTcConfig { base_url, domain: domain.to_owned(), key }).unwrap();
        self.desk
            .engine
            .set_services(IdentityClients { logintc: Some(client), ..IdentityClients::default() });
    }

    async fn ask(&self, user: &str, wait: Duration) -> Result<(), CommandError> {
        self.verify(asked(user, Method::Push), None, wait).await
    }

    async fn code(&self, code: &str) -> VerificationOutcome {
        let code = Code::from_typed(code).unwrap();
        let how = match code {
            Code::Otp(_) => Method::Otp,
            Code::Bypass(_) => Method::BypassCode,
        };
        self.verify(asked("maria.lopez", how), Some(code), LONG).await.unwrap();
        self.end_of_newest().await
    }

    async fn verify(
        &self,
        asked: VerificationRequest,
        code: Option<Code>,
        wait: Duration,
    ) -> Result<(), CommandError> {
        self.desk.engine.verify(self.id, asked, code, wait).await
    }

    /// Maria answers as soon as her phone rings.
    async fn answers(&self, approve: bool) {
        let push = self.phones.next_push().await.unwrap();
        assert!(self.phones.answer(&push.id, approve).await.unwrap());
    }

    async fn approved(&self) {
        self.ask("maria.lopez", LONG).await.unwrap();
        self.answers(true).await;
        assert_eq!(self.end_of_newest().await, VerificationOutcome::Approved);
    }

    async fn newest(&self, what: &str, holds: impl Fn(&Status) -> bool) -> Verification {
        let newest = |s: &engine::Snapshot| s.record.verifications.last().cloned();
        let fits = |s: &engine::Snapshot| newest(s).is_some_and(|v| holds(&v.status));
        let snapshot = self.desk.until(self.id, what, fits).await;
        newest(&snapshot).unwrap()
    }

    async fn end_of_newest(&self) -> VerificationOutcome {
        let ended = |status: &Status| matches!(status, Status::Ended { .. });
        match self.newest("it ended", ended).await.status {
            Status::Ended { end, .. } => end,
            other => unreachable!("{other:?}"),
        }
    }

    fn fails(&self, route: &str, fault: Fault, times: Option<u32>) {
        let route = route.to_owned();
        self.sandbox.faults().set(vec![FaultRule { route, fault, after: 0, times }]);
    }

    fn calls(&self, route: &str) -> u64 {
        self.sandbox.faults().counts().get(route).map_or(0, |count| count.seen)
    }

    /// Waits until nothing rings any more.
    async fn until_quiet(&self) {
        let quiet = async {
            while !self.phones.pending().await.unwrap().is_empty() {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, quiet).await.expect("a phone rings on");
    }

    /// Waits until a call has arrived.
    async fn until_called(&self, route: &str) {
        let called = async {
            while self.calls(route) == 0 {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, called).await.expect("no call came");
    }

    async fn mail(&self, template: Template, when: When) -> Result<(), CommandError> {
        let input = Input::MailOrdered {
            to: "bob@example.com".into(),
            template,
            name: "Maria".into(),
            when,
            by: "anna".into(),
        };
        self.desk.engine.order(self.id, input).await
    }

    async fn viewer(&self) -> Result<(), CommandError> {
        self.desk.engine.viewer_url(self.id, false, None).await.map(drop)
    }

    async fn end(self) {
        self.desk.stop().await;
        self.sandbox.shutdown().await;
        self.world.broker.shutdown().await;
    }
}

fn asked(user: &str, how: Method) -> VerificationRequest {
    VerificationRequest {
        who: Subject::Customer,
        user: user.into(),
        by_id: false,
        how,
        by: "anna".into(),
        reason: "The printer is jammed".into(),
        shown: vec![
            ("Technician".into(), "Anna Keller".into()),
            ("Reason".into(), "The printer is jammed".into()),
        ],
    }
}

fn call(failure: Failure) -> VerificationOutcome {
    VerificationOutcome::Failed { cause: Cause::Call { failure } }
}

fn shut(outcome: Result<(), CommandError>) -> ShutReason {
    match outcome {
        Err(CommandError::Gate { why, .. }) => why,
        other => panic!("the gate let pass, or something else failed: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_shows_what_helps_to_decide_and_is_approved_and_kept() {
    let scene = Scene::new().await;
    scene.ask("maria.lopez", LONG).await.unwrap();
    let push = scene.phones.next_push().await.unwrap();
    assert_eq!(push.username, "maria.lopez");
    let shown: Vec<_> =
        push.attributes.iter().map(|a| (a.key.as_str(), a.value.as_str())).collect();
    assert_eq!(shown, [("Technician", "Anna Keller"), ("Reason", "The printer is jammed")]);
    let waits = |status: &Status| matches!(status, Status::Waiting { blind: None, .. });
    scene.newest("no answer yet", waits).await;
    let again = scene.ask("maria.lopez", LONG).await;
    assert!(matches!(again, Err(CommandError::DoesNotFit(_))), "her phone rings once: {again:?}");
    assert!(scene.phones.answer(&push.id, true).await.unwrap());
    assert_eq!(scene.end_of_newest().await, VerificationOutcome::Approved);
    assert_eq!(scene.calls(ASK), 1);
    let told = scene.desk.happened(scene.id).await;
    assert!(
        told.ends_with(&["VerificationAsked".into(), "VerificationApproved".into()]),
        "{told:?}"
    );

    let kept = scene.newest("it ended", |_| true).await;
    let archived = async {
        while scene.desk.engine.archive().contents(scene.id).await.unwrap().verifications
            != [kept.clone()]
        {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, archived).await.expect("it is not in the archive");
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_no_is_a_no_and_silence_is_neither() {
    let scene = Scene::new().await;
    scene.ask("maria.lopez", LONG).await.unwrap();
    scene.answers(false).await;
    assert_eq!(scene.end_of_newest().await, VerificationOutcome::Denied);

    scene.ask("maria.lopez", SHORT).await.unwrap();
    let push = scene.phones.next_push().await.unwrap();
    scene.newest("it is given up", |s| s.ended(VerificationOutcome::TimedOut).is_some()).await;
    scene.until_quiet().await;
    assert!(!scene.phones.answer(&push.id, true).await.unwrap(), "it was taken back");
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_is_taken_back_when_somebody_cancels_it_or_the_session_ends() {
    let scene = Scene::new().await;
    scene.ask("maria.lopez", LONG).await.unwrap();
    scene.phones.next_push().await.unwrap();
    let id = scene.newest("it is asked", |_| true).await.id;
    scene.desk.engine.order(scene.id, Input::CancelVerification { id }).await.unwrap();
    assert_eq!(scene.end_of_newest().await, VerificationOutcome::Cancelled);
    scene.until_quiet().await;

    scene.ask("maria.lopez", LONG).await.unwrap();
    scene.phones.next_push().await.unwrap();
    let close = Input::Close { outcome: Outcome::Unknown, by: "anna".into() };
    scene.desk.engine.order(scene.id, close).await.unwrap();
    assert_eq!(scene.end_of_newest().await, VerificationOutcome::Cancelled);
    scene.until_quiet().await;
    let late = scene.ask("maria.lopez", LONG).await;
    assert!(matches!(late, Err(CommandError::DoesNotFit(_))), "{late:?}");
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_can_not_be_asked_is_said_by_what_helps() {
    let scene = Scene::new().await;
    scene.phones.add_user("tom.baker", false).await.unwrap();
    scene.ask("tom.baker", LONG).await.unwrap();
    assert_eq!(scene.end_of_newest().await, VerificationOutcome::NoDevice);
    scene.ask("nobody.*", LONG).await.unwrap();
    assert_eq!(
        scene.end_of_newest().await,
        VerificationOutcome::Failed { cause: Cause::UnknownUser }
    );
    let by_id = VerificationRequest { by_id: true, ..asked(&scene.maria, Method::Push) };
    scene.verify(by_id, None, LONG).await.unwrap();
    scene.answers(true).await;
    assert_eq!(scene.end_of_newest().await, VerificationOutcome::Approved);

    let calls = scene.calls(ASK);
    let mut long = asked("maria.lopez", Method::Push);
    long.shown = vec![("Reason".into(), "x".repeat(1_000))];
    let slash = VerificationRequest { by_id: true, ..asked("a/../b", Method::Push) };
    for wrong in [long, asked("", Method::Push), asked("a\nb", Method::Push), slash] {
        let refused = scene.verify(wrong, None, LONG).await;
        assert!(matches!(refused, Err(CommandError::Verification(_))), "{refused:?}");
    }
    assert_eq!(scene.calls(ASK), calls, "nothing was sent");
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn codes_are_good_once_and_a_wrong_one_is_no_denial() {
    let scene = Scene::new().await;
    let otp = scene.phones.otp(&scene.maria).await.unwrap().unwrap();
    assert_eq!(scene.code(&otp).await, VerificationOutcome::Approved);
    let wrong = VerificationOutcome::Failed { cause: Cause::WrongCode };
    assert_eq!(scene.code(&otp).await, wrong);
    let bypass = scene.phones.add_bypass_code(&scene.maria).await.unwrap();
    assert_eq!(scene.code(&bypass).await, VerificationOutcome::Approved);
    assert_eq!(scene.code(&bypass).await, wrong);

    scene.phones.set_mail(false).await.unwrap();
    let off = scene.desk.engine.mail_code(&scene.maria).await;
    assert!(off.unwrap_err().to_string().contains("not enabled in this domain"));
    scene.phones.set_mail(true).await.unwrap();
    scene.desk.engine.mail_code(&scene.maria).await.unwrap();
    let mailed = scene.phones.mailed(&scene.maria).await.unwrap();
    assert_eq!(scene.code(&mailed[0]).await, VerificationOutcome::Approved);
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_key_a_revoked_one_and_a_wrong_domain_are_told_apart() {
    let scene = Scene::new().await;
    let domain = scene.phones.domain().to_owned();
    scene.set_up(&domain, "x".repeat(64).into());
    scene.ask("maria.lopez", LONG).await.unwrap();
    assert_eq!(scene.end_of_newest().await, call(Failure::Unauthorized));
    scene.set_up(&"0".repeat(40), scene.phones.key());
    scene.ask("maria.lopez", LONG).await.unwrap();
    assert_eq!(
        scene.end_of_newest().await,
        VerificationOutcome::Failed { cause: Cause::WrongDomain }
    );

    // Revoked while the phone rings: who can't look doesn't know that nobody answered.
    scene.set_up(&domain, scene.phones.key());
    scene.ask("maria.lopez", SHORT).await.unwrap();
    scene.phones.next_push().await.unwrap();
    scene.phones.set_revoked(true).await.unwrap();
    assert_eq!(scene.end_of_newest().await, call(Failure::Unauthorized));

    scene.desk.engine.set_services(IdentityClients::default());
    let none = scene.ask("maria.lopez", LONG).await;
    assert!(matches!(none, Err(CommandError::NotSetUp { .. })), "{none:?}");
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_is_down_meanwhile_is_said_and_waited_for() {
    let scene = Scene::new().await;
    scene.ask("maria.lopez", LONG).await.unwrap();
    let push = scene.phones.next_push().await.unwrap();
    scene.fails(POLL, Fault::Status { code: 503 }, None);
    let blind = |s: &Status| {
        matches!(s, Status::Waiting { blind: Some(Failure::Faulty { status: 503 }), .. })
    };
    scene.newest("it says that it can't look", blind).await;
    assert!(scene.phones.answer(&push.id, true).await.unwrap());
    scene.sandbox.faults().clear();
    assert_eq!(scene.end_of_newest().await, VerificationOutcome::Approved);
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_jumps_at_the_service_approves_nothing() {
    let scene = Scene::new().await;
    scene.ask("maria.lopez", SHORT).await.unwrap();
    scene.phones.next_push().await.unwrap();
    // For the service the push is long over.
    scene.sandbox.advance(Duration::from_secs(3_600));
    assert_eq!(scene.end_of_newest().await, call(Failure::Rejected { status: 404 }));
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_answer_of_the_service_is_a_failure_and_never_a_denial() {
    let scene = Scene::new().await;
    let page = Router::new().fallback(|| async { Html("<html>denied</html>") });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}/api", listener.local_addr().unwrap()).parse().unwrap();
    let portal = tokio::spawn(async move { axum::serve(listener, page).await });
    let (domain, key) = (scene.phones.domain().to_owned(), scene.phones.key());
    let client = LoginTc::new(LoginTcConfig { base_url, domain, key }).unwrap();
    let services = IdentityClients { logintc: Some(client), ..IdentityClients::default() };
    scene.desk.engine.set_services(services);
    scene.ask("maria.lopez", LONG).await.unwrap();
    assert_eq!(scene.end_of_newest().await, call(Failure::Malformed));
    portal.abort();

    let domain = scene.phones.domain().to_owned();
    scene.set_up(&domain, scene.phones.key());
    scene.fails(ASK, Fault::DropAnswer, Some(1));
    scene.ask("maria.lopez", LONG).await.unwrap();
    assert_eq!(scene.end_of_newest().await, call(Failure::NoAnswer));
    assert_eq!(scene.calls(ASK), 1, "it is not asked a second time");
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_disk_does_not_take_is_not_asked() {
    let scene = Scene::new().await;
    scene.desk.disk.set(Some(DiskFault::DiskFull));
    let refused = scene.ask("maria.lopez", LONG).await;
    assert!(matches!(refused, Err(CommandError::NotSaved(_))), "{refused:?}");
    assert_eq!(scene.end_of_newest().await, call(Failure::Storage));
    scene.desk.disk.set(None);
    assert_eq!(scene.calls(ASK), 0);
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_between_question_and_answer_leaves_it_unknown_and_asks_nobody_again() {
    let scene = Scene::new().await;
    scene.desk.engine.set_gate(Policy::Require, 30);
    scene.fails(ASK, NEVER, None);
    scene.ask("maria.lopez", LONG).await.unwrap();
    scene.until_called(ASK).await;
    scene.desk.faults.kill_actors(1);
    scene.world.presenter_joins(&scene.pin).await;
    assert_eq!(scene.end_of_newest().await, VerificationOutcome::Unknown);
    scene.sandbox.faults().clear();
    scene.desk.until(scene.id, "its actor is back", all_armed).await;

    // While an answer is waited for, too.
    scene.ask("maria.lopez", LONG).await.unwrap();
    let push = scene.phones.next_push().await.unwrap();
    scene.newest("no answer yet", |s| matches!(s, Status::Waiting { .. })).await;
    let Scene { world, sandbox, phones, desk, id, pin, maria } = scene;
    desk.stop().await;
    phones.answer(&push.id, true).await.unwrap();
    let desk = world.engine().await;
    desk.engine.set_gate(Policy::Require, 30);
    desk.until(id, "it is back", all_armed).await;
    let scene = Scene { world, sandbox, phones, desk, id, pin, maria };
    assert_eq!(scene.end_of_newest().await, VerificationOutcome::Unknown);
    assert_eq!(shut(scene.viewer().await), ShutReason::NotVerified);
    assert_eq!(scene.calls(ASK), 2);
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_gate_is_shut_no_viewer_comes_through_any_door() {
    let scene = Scene::new().await;
    scene.viewer().await.unwrap();
    scene.desk.engine.set_gate(Policy::Warn, 30);
    scene.viewer().await.unwrap();
    scene.desk.engine.set_gate(Policy::Require, 30);
    assert_eq!(shut(scene.viewer().await), ShutReason::NotVerified);
    assert_eq!(shut(scene.mail(Template::ToColleague, When::Now).await), ShutReason::NotVerified);
    scene.mail(Template::ToCustomer, When::Now).await.unwrap();
    let first = |s: &engine::Snapshot| matches!(s.record.mail[0].status, MailStatus::Sent { .. });
    scene.desk.until(scene.id, "the customer's mail went out", first).await;
    scene.mail(Template::ToColleague, When::NextEvent).await.unwrap();
    scene.world.presenter_joins(&scene.pin).await;
    let rule = |s: &engine::Snapshot| s.record.mail.last().map(|order| order.status);
    let held = |s: &engine::Snapshot| rule(s) == Some(MailStatus::Held);
    scene.desk.until(scene.id, "its mail is held", held).await;
    assert_eq!(scene.world.broker.handle().outbox().len(), 1);

    scene.ask("maria.lopez", LONG).await.unwrap();
    assert_eq!(shut(scene.viewer().await), ShutReason::UnderWay);
    scene.answers(true).await;
    assert_eq!(scene.end_of_newest().await, VerificationOutcome::Approved);
    scene.viewer().await.unwrap();
    let sent = |s: &engine::Snapshot| matches!(rule(s), Some(MailStatus::Sent { .. }));
    scene.desk.until(scene.id, "its mail went out", sent).await;
    assert_eq!(scene.world.broker.handle().outbox().len(), 2);
    scene.mail(Template::ToColleague, When::Now).await.unwrap();

    scene.ask("maria.lopez", LONG).await.unwrap();
    scene.answers(false).await;
    assert_eq!(scene.end_of_newest().await, VerificationOutcome::Denied);
    assert!(matches!(shut(scene.viewer().await), ShutReason::Denied { .. }));
    let (by, reason) = ("anna".to_owned(), "I know the voice".to_owned());
    scene.desk.engine.override_gate(scene.id, by, reason).await.unwrap();
    scene.viewer().await.unwrap();
    scene.desk.until_told(scene.id, "GateOverridden", 1).await;

    // Verified here says nothing about another session.
    let (other, _) = scene.desk.armed_session().await;
    let refused = scene.desk.engine.viewer_url(other, true, None).await.map(drop);
    assert_eq!(shut(refused), ShutReason::NotVerified);
    scene.approved().await;
    assert!(scene.desk.engine.viewer_url(other, true, None).await.is_err());
    scene.end().await;
}
