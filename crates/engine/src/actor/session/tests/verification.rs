use std::time::Duration;

use serde_json::json;
use session::{
    Failure, Input, Outcome,
    verification::{Cause, Method, Status, Subject, VerificationOutcome, VerificationRequest},
};
use tokio::sync::oneshot;

use crate::{
    SessionId,
    actor::{
        message::{SessionMessage, VerificationOrder},
        testing::{QUESTION, Running, Scripted, World},
    },
    error::CommandError,
    remote::logintc::Code,
};

const SECOND: Duration = Duration::from_secs(1);
const PATIENCE: Duration = Duration::from_secs(60);

async fn verify(world: &World, session: &Running, code: Option<Code>) -> Result<(), CommandError> {
    verify_within(world, session, code, PATIENCE).await
}

async fn verify_within(
    world: &World,
    session: &Running,
    code: Option<Code>,
    wait: Duration,
) -> Result<(), CommandError> {
    let how = if code.is_some() { Method::Otp } else { Method::Push };
    let asked = VerificationRequest {
        who: Subject::Customer,
        // Somebody else in each session: who was asked too often isn't asked again.
        user: session.id.to_string(),
        by_id: false,
        how,
        by: "anna".into(),
        reason: String::new(),
        shown: vec![("Ticket".into(), "T-1".into())],
        denied_before: None,
    };
    let order = VerificationOrder { client: world.logintc(), asked, code, wait };
    let (done, answer) = oneshot::channel();
    session.send(SessionMessage::Verify { order: Box::new(order), done });
    answer.await.unwrap()
}

fn says(state: &str) -> Scripted {
    Scripted::json(&json!({ "id": QUESTION, "state": state }))
}

fn refuses(status: u16, code: &str) -> Scripted {
    let body = json!({ "errors": [{ "code": code, "message": "no" }] }).to_string();
    Scripted::Http { status, kind: "application/json", body }
}

fn status(world: &World, id: SessionId) -> Option<Status> {
    world.record(id).verifications.last().map(|verification| verification.status.clone())
}

fn end(world: &World, id: SessionId) -> Option<VerificationOutcome> {
    match status(world, id)? {
        Status::Asking { .. } | Status::Waiting { .. } => None,
        Status::Ended { end, .. } => Some(end),
    }
}

#[tokio::test(start_paused = true)]
async fn a_push_is_sent_once_and_looked_after_until_somebody_answers() {
    let world = World::new().await;
    let session = world.live().await;
    verify(&world, &session, None).await.unwrap();
    for looks in 1..=3 {
        world.until(|| matches!(status(&world, session.id), Some(Status::Waiting { .. }))).await;
        world.settle().await;
        world.pass(SECOND).await;
        world.until(|| world.services.count("poll phone") == looks).await;
    }
    world.settle().await;
    world.services.next("poll phone", says("approved"));
    world.pass(SECOND).await;
    world.until(|| end(&world, session.id) == Some(VerificationOutcome::Approved)).await;
    world.pass(PATIENCE).await;
    assert_eq!((world.services.count("ask phone"), world.services.count("poll phone")), (1, 4));
    let asked = &world.services.calls()[0].body;
    assert_eq!(asked["user"]["username"], session.id.to_string());
    assert_eq!(asked["attributes"][0]["value"], "T-1");
}

#[tokio::test(start_paused = true)]
async fn a_denial_is_the_persons_word_and_a_wrong_code_is_not() {
    let world = World::new().await;
    let session = world.live().await;
    world.services.next("ask phone", says("denied"));
    verify(&world, &session, None).await.unwrap();
    world.until(|| end(&world, session.id) == Some(VerificationOutcome::Denied)).await;
    world.services.next("ask phone", says("denied"));
    let code = Code::from_typed("123 456").unwrap();
    verify(&world, &session, Some(code)).await.unwrap();
    let wrong = VerificationOutcome::Failed { cause: Cause::WrongCode };
    world.until(|| end(&world, session.id) == Some(wrong)).await;
    assert_eq!(world.services.calls()[1].body["otp"], "123456");
}

#[tokio::test(start_paused = true)]
async fn a_question_that_the_service_does_not_take_ends_by_what_helps() {
    let call = |failure| VerificationOutcome::Failed { cause: Cause::Call { failure } };
    let failed = |cause| VerificationOutcome::Failed { cause };
    let cases = [
        (refuses(404, "api.error.notfound.token"), VerificationOutcome::NoDevice),
        (refuses(404, "api.error.notfound.user"), failed(Cause::UnknownUser)),
        (refuses(404, "api.error.notfound.domain"), failed(Cause::WrongDomain)),
        (refuses(401, "api.error.unauthorized"), call(Failure::Unauthorized)),
        (Scripted::status(500), call(Failure::Faulty { status: 500 })),
        (Scripted::garbage(), call(Failure::Malformed)),
        (Scripted::json(&json!({ "state": "approved" })), call(Failure::Malformed)),
        (Scripted::Unreachable, call(Failure::Unreachable)),
        (Scripted::Never, call(Failure::TimedOut)),
        (Scripted::late(11, says("approved")), call(Failure::TimedOut)),
    ];
    let world = World::new().await;
    for (answer, expected) in cases {
        let session = world.live().await;
        world.services.forget_calls();
        world.services.next("ask phone", answer.clone());
        verify(&world, &session, None).await.unwrap();
        world.until(|| world.services.count("ask phone") == 1).await;
        world.pass(10 * SECOND).await;
        world.until(|| end(&world, session.id).is_some()).await;
        assert_eq!(end(&world, session.id), Some(expected), "{answer:?}");
        world.pass(2 * SECOND).await;
        assert_eq!(world.services.count("ask phone"), 1, "{answer:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn no_phone_rings_that_the_disk_does_not_know_of() {
    let world = World::new().await;
    let session = world.live().await;
    world.break_disk();
    let refused = verify(&world, &session, None).await;
    assert!(matches!(refused, Err(CommandError::NotSaved(_))), "{refused:?}");
    assert!(world.record(session.id).verifications.is_empty(), "it is not begun");
    world.mend_disk();
    world.settle().await;
    assert_eq!(world.services.count("ask phone"), 0);
}

#[tokio::test(start_paused = true)]
async fn a_push_that_nobody_answers_is_taken_back_when_its_time_is_up() {
    let world = World::new().await;
    let session = world.live().await;
    verify(&world, &session, None).await.unwrap();
    world.until(|| matches!(status(&world, session.id), Some(Status::Waiting { .. }))).await;
    world.pass(PATIENCE).await;
    world.until(|| end(&world, session.id) == Some(VerificationOutcome::TimedOut)).await;
    world.until(|| world.services.count("cancel phone") == 1).await;
}

/// A push that nobody has answered yet, whose time is up half a second after its first poll.
async fn waiting_push(world: &World) -> Running {
    let session = world.live().await;
    verify_within(world, &session, None, SECOND + SECOND / 2).await.unwrap();
    world.until(|| matches!(status(world, session.id), Some(Status::Waiting { .. }))).await;
    world.settle().await;
    world.pass(SECOND).await;
    world.until(|| world.services.count("poll phone") == 1).await;
    world.settle().await;
    session
}

#[tokio::test(start_paused = true)]
async fn an_answer_just_before_the_end_is_not_lost() {
    for (answer, expected) in
        [("denied", VerificationOutcome::Denied), ("approved", VerificationOutcome::Approved)]
    {
        let world = World::new().await;
        let session = waiting_push(&world).await;
        world.services.always("poll phone", says(answer));
        world.pass(SECOND / 2).await;
        world.until(|| end(&world, session.id).is_some()).await;
        assert_eq!(end(&world, session.id), Some(expected));
        assert_eq!(world.services.count("cancel phone"), 0);

        let world = World::new().await;
        let session = waiting_push(&world).await;
        world.services.always("poll phone", says(answer));
        world.order(&session, Input::CancelVerification { id: 1 }).await.unwrap();
        world.until(|| end(&world, session.id).is_some()).await;
        assert_eq!(end(&world, session.id), Some(expected));
    }
}

#[tokio::test(start_paused = true)]
async fn a_push_that_cannot_be_taken_back_is_tried_again_and_its_answer_counts() {
    let world = World::new().await;
    let session = waiting_push(&world).await;
    world.services.always("cancel phone", Scripted::status(503));
    world.order(&session, Input::CancelVerification { id: 1 }).await.unwrap();
    world.until(|| end(&world, session.id) == Some(VerificationOutcome::Cancelled)).await;
    world.pass(2 * SECOND).await;
    world.until(|| world.services.count("cancel phone") >= 2).await;
    world.services.always("poll phone", says("denied"));
    world.settle().await;
    world.pass(5 * SECOND).await;
    world.until(|| end(&world, session.id) == Some(VerificationOutcome::Denied)).await;
}

#[tokio::test(start_paused = true)]
async fn a_question_cancelled_while_the_service_is_asked_is_taken_back_once_it_has_a_name() {
    let world = World::new().await;
    let session = world.live().await;
    world.services.next("ask phone", Scripted::late(3, says("pending")));
    verify(&world, &session, None).await.unwrap();
    world.until(|| world.services.count("ask phone") == 1).await;
    world.order(&session, Input::CancelVerification { id: 1 }).await.unwrap();
    assert_eq!(end(&world, session.id), Some(VerificationOutcome::Cancelled));
    world.settle().await;
    assert_eq!(world.services.count("cancel phone"), 0);
    world.pass(3 * SECOND).await;
    world.until(|| world.services.count("cancel phone") == 1).await;
}

#[tokio::test(start_paused = true)]
async fn a_look_that_fails_is_neither_a_yes_nor_a_no() {
    let world = World::new().await;
    let session = world.live().await;
    verify(&world, &session, None).await.unwrap();
    let waits = |blind: Option<Failure>| matches!(status(&world, session.id), Some(Status::Waiting { blind: b, .. }) if b == blind);
    world.until(|| waits(None)).await;
    for (answer, failure) in [
        (Scripted::garbage(), Failure::Malformed),
        (says("perhaps"), Failure::Malformed),
        (Scripted::status(503), Failure::Faulty { status: 503 }),
        (Scripted::json(&json!({ "id": "another", "state": "approved" })), Failure::Malformed),
    ] {
        world.services.next("poll phone", answer.clone());
        world.settle().await;
        world.pass(SECOND).await;
        world.until(|| waits(Some(failure))).await;
    }
    world.settle().await;
    world.services.next("poll phone", says("approved"));
    world.pass(SECOND).await;
    world.until(|| end(&world, session.id) == Some(VerificationOutcome::Approved)).await;
}

#[tokio::test(start_paused = true)]
async fn nobody_is_asked_twice_at_a_time_nor_for_a_session_that_is_over() {
    let world = World::new().await;
    let session = world.live().await;
    verify(&world, &session, None).await.unwrap();
    let second = verify(&world, &session, None).await;
    assert!(matches!(second, Err(CommandError::DoesNotFit(_))), "{second:?}");
    let close = Input::Close { outcome: Outcome::Unknown, by: "anna".into() };
    world.until(|| matches!(status(&world, session.id), Some(Status::Waiting { .. }))).await;
    world.order(&session, close).await.unwrap();
    assert_eq!(end(&world, session.id), Some(VerificationOutcome::Cancelled));
    world.until(|| world.services.count("cancel phone") == 1).await;
    let third = verify(&world, &session, None).await;
    assert!(matches!(third, Err(CommandError::DoesNotFit(_))), "{third:?}");
    assert_eq!(world.services.count("ask phone"), 1);
}
