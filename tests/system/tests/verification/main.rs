//! Push verification: the real engine against the sandbox. A phone rings once, only an approval
//! counts as one, and while the gate is shut no viewer gets in on any way.

#![allow(clippy::unwrap_used)]

mod gate;
mod service;

use std::time::Duration;

use axum::{Router, response::Html};
use deskhand_system_tests::{PATIENCE, RunningEngine, World, all_armed};
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
/// The time limit for a push that is answered.
const LONG: Duration = Duration::from_secs(60);
/// The time limit for a push that isn't answered.
const SHORT: Duration = Duration::from_millis(1_500);
/// The time limit for one that isn't answered either, but about which something happens before.
const BEFORE_LONG: Duration = Duration::from_secs(15);

/// A console in a world with a verification service, a session with a PIN, and Maria, who has
/// a phone.
struct Fixture {
    world: World,
    sandbox: sandbox::Running,
    phones: Logintc,
    maria: String,
    running: RunningEngine,
    id: SessionId,
    pin: wire::Pin,
}

impl Fixture {
    async fn new() -> Self {
        let world = World::new().await;
        let sandbox = Sandbox::start(Config::embedded(world.folder.path().join("sandbox"))).await;
        let sandbox = sandbox.unwrap();
        let phones = sandbox.logintc();
        let maria = phones.add_user("maria.lopez", true).await.unwrap().unwrap();
        let running = world.engine().await;
        let (id, pin) = running.armed_session().await;
        let fixture = Self { world, sandbox, phones, maria, running, id, pin };
        fixture.set_up(fixture.phones.domain(), fixture.phones.key());
        fixture
    }

    fn set_up(&self, domain: &str, key: SecretString) {
        let base_url = self.phones.base_url().parse().unwrap();
        let client =
            LoginTc::new(LoginTcConfig { base_url, domain: domain.to_owned(), key }).unwrap();
        self.running
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
        self.running.engine.verify(self.id, asked, code, wait).await
    }

    /// Maria answers as soon as her phone rings.
    async fn answers(&self, approve: bool) {
        let push = self.phones.next_push().await.unwrap();
        assert!(self.phones.answer(&push.id, approve).await.unwrap());
    }

    async fn newest(&self, what: &str, holds: impl Fn(&Status) -> bool) -> Verification {
        let newest = |s: &engine::Snapshot| s.record.verifications.last().cloned();
        let fits = |s: &engine::Snapshot| newest(s).is_some_and(|v| holds(&v.status));
        let snapshot = self.running.until(self.id, what, fits).await;
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
        self.running.engine.order(self.id, input).await
    }

    async fn viewer(&self) -> Result<(), CommandError> {
        self.running.engine.viewer_url(self.id, false, None).await.map(drop)
    }

    async fn end(self) {
        self.running.stop().await;
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
        denied_before: None,
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
    let fixture = Fixture::new().await;
    fixture.ask("maria.lopez", LONG).await.unwrap();
    let push = fixture.phones.next_push().await.unwrap();
    assert_eq!(push.username, "maria.lopez");
    let shown: Vec<_> =
        push.attributes.iter().map(|a| (a.key.as_str(), a.value.as_str())).collect();
    assert_eq!(shown, [("Technician", "Anna Keller"), ("Reason", "The printer is jammed")]);
    let waits = |status: &Status| matches!(status, Status::Waiting { blind: None, .. });
    fixture.newest("no answer yet", waits).await;
    let again = fixture.ask("maria.lopez", LONG).await;
    assert!(matches!(again, Err(CommandError::DoesNotFit(_))), "her phone rings once: {again:?}");
    assert!(fixture.phones.answer(&push.id, true).await.unwrap());
    assert_eq!(fixture.end_of_newest().await, VerificationOutcome::Approved);
    assert_eq!(fixture.calls(ASK), 1);
    let told = fixture.running.happened(fixture.id).await;
    assert!(
        told.ends_with(&["VerificationAsked".into(), "VerificationApproved".into()]),
        "{told:?}"
    );

    let kept = fixture.newest("it ended", |_| true).await;
    let archived = async {
        while fixture.running.engine.archive().contents(fixture.id).await.unwrap().verifications
            != [kept.clone()]
        {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, archived).await.expect("it is not in the archive");
    fixture.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_no_is_a_no_and_silence_is_neither() {
    let fixture = Fixture::new().await;
    fixture.ask("maria.lopez", SHORT).await.unwrap();
    let push = fixture.phones.next_push().await.unwrap();
    fixture.newest("it is given up", |s| s.ended(VerificationOutcome::TimedOut).is_some()).await;
    fixture.until_quiet().await;
    assert!(!fixture.phones.answer(&push.id, true).await.unwrap(), "it was taken back");

    fixture.ask("maria.lopez", LONG).await.unwrap();
    fixture.answers(false).await;
    assert_eq!(fixture.end_of_newest().await, VerificationOutcome::Denied);
    fixture.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_is_taken_back_when_somebody_cancels_it_or_the_session_ends() {
    let fixture = Fixture::new().await;
    fixture.ask("maria.lopez", LONG).await.unwrap();
    fixture.phones.next_push().await.unwrap();
    let id = fixture.newest("it is asked", |_| true).await.id;
    fixture.running.engine.order(fixture.id, Input::CancelVerification { id }).await.unwrap();
    assert_eq!(fixture.end_of_newest().await, VerificationOutcome::Cancelled);
    fixture.until_quiet().await;

    fixture.ask("maria.lopez", LONG).await.unwrap();
    fixture.phones.next_push().await.unwrap();
    let close = Input::Close { outcome: Outcome::Unknown, by: "anna".into() };
    fixture.running.engine.order(fixture.id, close).await.unwrap();
    assert_eq!(fixture.end_of_newest().await, VerificationOutcome::Cancelled);
    fixture.until_quiet().await;
    let late = fixture.ask("maria.lopez", LONG).await;
    assert!(matches!(late, Err(CommandError::DoesNotFit(_))), "{late:?}");
    fixture.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn codes_are_good_once_and_a_wrong_one_is_no_denial() {
    let fixture = Fixture::new().await;
    let otp = fixture.phones.otp(&fixture.maria).await.unwrap().unwrap();
    assert_eq!(fixture.code(&otp).await, VerificationOutcome::Approved);
    let wrong = VerificationOutcome::Failed { cause: Cause::WrongCode };
    assert_eq!(fixture.code(&otp).await, wrong);
    let bypass = fixture.phones.add_bypass_code(&fixture.maria).await.unwrap();
    assert_eq!(fixture.code(&bypass).await, VerificationOutcome::Approved);
    assert_eq!(fixture.code(&bypass).await, wrong);

    fixture.phones.set_mail(false).await.unwrap();
    let off = fixture.running.engine.mail_code(&fixture.maria).await;
    assert!(off.unwrap_err().to_string().contains("not enabled in this domain"));
    fixture.phones.set_mail(true).await.unwrap();
    fixture.running.engine.mail_code(&fixture.maria).await.unwrap();
    let mailed = fixture.phones.mailed(&fixture.maria).await.unwrap();
    assert_eq!(fixture.code(&mailed[0]).await, VerificationOutcome::Approved);
    fixture.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_disk_does_not_take_is_not_asked() {
    let fixture = Fixture::new().await;
    fixture.running.disk.set(Some(DiskFault::DiskFull));
    let refused = fixture.ask("maria.lopez", LONG).await;
    assert!(matches!(refused, Err(CommandError::NotSaved(_))), "{refused:?}");
    let snapshot = fixture.running.engine.snapshot(fixture.id).unwrap();
    assert!(snapshot.record.verifications.is_empty(), "it was not begun");
    fixture.running.disk.set(None);
    assert_eq!(fixture.calls(ASK), 0);
    fixture.end().await;
}
