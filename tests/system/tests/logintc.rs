//! Push verification: the console's own client against the sandbox, over loopback.

#![allow(clippy::unwrap_used)]

use std::time::Duration;

use engine::remote::{
    CallError, Doing, LoginTc,
    logintc::{Attribute, Code, Error, LoginTcConfig, PushState, User},
};
use sandbox::{Config, Running, Sandbox, logintc::Logintc};
use secrecy::SecretString;
use serve::{Clock, Fault, FaultRule, Millis};
use session::Failure;
use tempfile::TempDir;

struct World {
    running: Running,
    service: Logintc,
    client: LoginTc,
    _data: TempDir,
}

const MARIA: &str = "maria.lopez";

impl World {
    async fn new() -> Self {
        let data = tempfile::tempdir().unwrap();
        let mut config = Config::embedded(data.path());
        config.clock = Clock::frozen(Millis(1_800_000_000_000));
        let running = Sandbox::start(config).await.unwrap();
        let service = running.logintc();
        service.add_user(MARIA, true).await.unwrap().unwrap();
        let client = client(&service, service.domain(), service.key());
        Self { running, service, client, _data: data }
    }

    fn fails(&self, route: &str, fault: Fault) {
        let route = route.to_owned();
        self.running.faults().set(vec![FaultRule { route, fault, after: 0, times: None }]);
    }
}

fn client(service: &Logintc, domain: &str, key: SecretString) -> LoginTc {
    let base_url = service.base_url().parse().unwrap();
    LoginTc::new(LoginTcConfig { base_url, domain: domain.to_owned(), key }).unwrap()
}

fn maria() -> User {
    User::Username(MARIA.to_owned())
}

fn shown() -> Vec<Attribute> {
    [("Technician", "Anna Keller"), ("Reason", "プリンター — «ü»")]
        .map(|(key, value)| Attribute { key: key.to_owned(), value: value.to_owned() })
        .to_vec()
}

#[tokio::test]
async fn a_push_shows_what_was_sent_and_is_answered() {
    let world = World::new().await;
    world.client.ping().await.unwrap();
    for (approve, state) in [(true, PushState::Approved), (false, PushState::Denied)] {
        let asked = world.client.ask(&maria(), &shown(), None).await.unwrap();
        assert_eq!(asked.state, PushState::Pending);
        let push = world.service.next_push().await.unwrap();
        assert_eq!((&push.id, push.username.as_str()), (&asked.id, MARIA));
        assert_eq!(push.attributes, shown());
        assert_eq!(world.client.poll(&asked.id).await, Ok(PushState::Pending));
        assert!(world.service.answer(&push.id, approve).await.unwrap());
        assert_eq!(world.client.poll(&asked.id).await, Ok(state));
    }
}

#[tokio::test]
async fn a_cancelled_push_leaves_the_phone_and_cannot_be_cancelled_again() {
    let world = World::new().await;
    let asked = world.client.ask(&maria(), &[], None).await.unwrap();
    world.client.cancel(&asked.id).await.unwrap();
    assert!(world.service.pending().await.unwrap().is_empty());
    let gone = world.client.cancel(&asked.id).await;
    assert_eq!(gone, Err(Error::Gone(Doing::CancelPhone)));
}

#[tokio::test]
async fn a_push_that_nobody_answers_is_gone_in_the_end() {
    let world = World::new().await;
    let asked = world.client.ask(&maria(), &[], None).await.unwrap();
    world.running.advance(Duration::from_secs(60));
    assert_eq!(world.client.poll(&asked.id).await, Ok(PushState::Pending));
    world.running.advance(Duration::from_secs(240));
    assert_eq!(world.client.poll(&asked.id).await, Err(Error::Gone(Doing::PollPhone)));
}

#[tokio::test]
async fn codes_decide_at_once_and_are_good_once() {
    let world = World::new().await;
    let tom = world.service.add_user("tom.baker", false).await.unwrap().unwrap();
    let by_id = User::Id(tom.clone());
    assert_eq!(world.client.ask(&by_id, &[], None).await, Err(Error::NoDevice));
    assert_eq!(world.client.mail_code(&tom).await, Err(Error::NotEnabled));
    world.service.set_mail(true).await.unwrap();
    world.client.mail_code(&tom).await.unwrap();
    let mailed = world.service.mailed(&tom).await.unwrap().remove(0);
    let bypass = world.service.add_bypass_code(&tom).await.unwrap();
    for typed in [mailed, bypass] {
        let code = Code::from_typed(&typed).unwrap();
        for state in [PushState::Approved, PushState::Denied] {
            let asked = world.client.ask(&by_id, &shown(), Some(&code)).await.unwrap();
            assert_eq!(asked.state, state);
        }
    }
}

#[tokio::test]
async fn strangers_and_wrong_keys_are_told_apart() {
    let world = World::new().await;
    let nobody = User::Username("nobody".to_owned());
    let unknown = world.client.ask(&nobody, &[], None).await;
    assert_eq!(unknown, Err(Error::UnknownUser(Doing::AskPhone)));
    let unknown = world.client.mail_code("0123456789abcdef").await;
    assert_eq!(unknown, Err(Error::UnknownUser(Doing::MailCode)));
    let elsewhere = client(&world.service, &"0".repeat(40), world.service.key());
    let wrong = elsewhere.ask(&maria(), &[], None).await;
    assert_eq!(wrong, Err(Error::WrongDomain(Doing::AskPhone)));
    let stranger = client(&world.service, world.service.domain(), "a".repeat(64).into());
    assert_eq!(stranger.ping().await, Err(Error::Unauthorized(Doing::PingVerification)));

    let asked = world.client.ask(&maria(), &[], None).await.unwrap();
    world.service.set_revoked(true).await.unwrap();
    let revoked = world.client.poll(&asked.id).await;
    assert_eq!(revoked, Err(Error::Unauthorized(Doing::PollPhone)));
    assert!(revoked.unwrap_err().to_string().contains("API key"));
}

#[tokio::test]
async fn an_answer_that_is_lost_is_no_reason_to_ask_twice() {
    let world = World::new().await;
    world.fails("/api/domains/{domain}/sessions", Fault::DropAnswer);
    let lost = world.client.ask(&maria(), &[], None).await;
    assert!(
        matches!(lost, Err(Error::Call(CallError { failure: Failure::NoAnswer, .. }))),
        "{lost:?}"
    );
    assert_eq!(
        world.service.pending().await.unwrap().len(),
        1,
        "it may have been sent: it was, once"
    );
}

#[tokio::test]
async fn a_fault_of_the_service_is_neither_an_approval_nor_a_denial() {
    let world = World::new().await;
    let asked = world.client.ask(&maria(), &[], None).await.unwrap();
    let failure = async || match world.client.poll(&asked.id).await {
        Err(Error::Call(call)) => call.failure,
        other => panic!("{other:?}"),
    };
    let route = "/api/domains/{domain}/sessions/{session}";
    for (code, expected) in [
        (503, Failure::Faulty { status: 503 }),
        (429, Failure::RateLimited { retry_after_ms: None }),
        (404, Failure::Malformed),
    ] {
        world.fails(route, Fault::Status { code });
        assert_eq!(failure().await, expected);
    }
    world.running.faults().clear();
    assert_eq!(world.client.poll(&asked.id).await, Ok(PushState::Pending));
}
