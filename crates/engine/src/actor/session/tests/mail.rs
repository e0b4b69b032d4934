use std::time::Duration;

use session::{
    Failure, Gate, Input,
    mail::{Status, Template, When},
    verification::Policy,
};
use tokio::sync::oneshot;
use wire::HookType::{PresenterStarted, ViewerStarted};

use crate::{
    SessionId,
    actor::{
        message::SessionMessage,
        testing::{Scripted, World},
    },
    error::CommandError,
    journal::Fault,
};

fn mail(template: Template, when: When) -> Input {
    Input::MailOrdered {
        to: "kim@a.example".into(),
        template,
        name: "Kim".into(),
        when,
        by: "anna".into(),
    }
}

fn status(world: &World, id: SessionId) -> Status {
    world.record(id).mail[0].status
}

fn is_settled(status: Status) -> bool {
    match status {
        Status::Waiting | Status::Held | Status::Sending => false,
        Status::Accepted { .. } | Status::MaybeSent | Status::Failed { .. } => true,
    }
}

#[tokio::test(start_paused = true)]
async fn a_mail_is_sent_once_with_what_was_ordered() {
    let world = World::new().await;
    let session = world.live().await;
    world.order(&session, mail(Template::ToColleague, When::Now)).await.unwrap();
    world.until(|| matches!(status(&world, session.id), Status::Accepted { .. })).await;
    world.pass(Duration::from_secs(60)).await;
    let mails: Vec<_> = world.services.calls();
    let mails: Vec<_> = mails.iter().filter(|call| call.name.starts_with("POST email")).collect();
    assert_eq!(mails.len(), 1);
    assert!(mails[0].name.ends_with("kim@a.example"), "{}", mails[0].name);
    assert_eq!(
        (&mails[0].body["type"], &mails[0].body["name"]),
        (&"presenter_started".into(), &"Kim".into())
    );
}

#[tokio::test(start_paused = true)]
async fn a_mail_waits_for_the_event_that_makes_it_true() {
    let world = World::new().await;
    let session = world.live().await;
    world.order(&session, mail(Template::ToCustomer, When::NextEvent)).await.unwrap();
    world.settle().await;
    assert_eq!(world.services.count("POST email"), 0);
    for _ in 0..2 {
        world.fire(session.id, ViewerStarted).await;
        world.until(|| matches!(status(&world, session.id), Status::Accepted { .. })).await;
        world.settle().await;
    }
    assert_eq!(world.services.count("POST email"), 1);
}

/// The adversary is the time between the decision and the call: the disk writes meanwhile.
#[tokio::test(start_paused = true)]
async fn a_guard_that_is_set_while_a_mail_is_written_down_holds_it_until_it_is_lifted() {
    let world = World::new().await;
    let session = world.live().await;
    let set = |gate| {
        *world.context.gate.write() = gate;
        session.tell(Input::GateSet(gate));
    };
    let guards = [
        Gate { control_waits: true, ..Gate::default() },
        Gate { policy: Policy::Require, ..Gate::default() },
    ];
    for (place, guard) in guards.into_iter().enumerate() {
        world.disk.set(Some(Fault::Hangs));
        let (done, answer) = oneshot::channel();
        session.send(SessionMessage::Command(mail(Template::ToColleague, When::Now), done));
        world.settle().await;
        set(guard);
        world.settle().await;
        world.mend_disk();
        answer.await.unwrap().unwrap();
        let status = || world.record(session.id).mail[place].status;
        world.until(|| status() == Status::Held).await;
        world.settle().await;
        assert_eq!(world.services.count("POST email"), place, "{guard:?}");
        set(Gate::default());
        world.until(|| matches!(status(), Status::Accepted { .. })).await;
        assert_eq!(world.services.count("POST email"), place + 1, "{guard:?}");
    }
}

/// What happened before the setting was changed sends nothing when it is noticed after.
#[tokio::test(start_paused = true)]
async fn a_guard_counts_before_the_session_has_heard_of_it() {
    let world = World::new().await;
    let session = world.live().await;
    world.order(&session, mail(Template::ToColleague, When::NextEvent)).await.unwrap();
    *world.context.gate.write() = Gate { control_waits: true, ..Gate::default() };
    world.fire(session.id, PresenterStarted).await;
    world.until(|| status(&world, session.id) == Status::Held).await;
    world.settle().await;
    assert_eq!(world.services.count("POST email"), 0);
}

#[tokio::test(start_paused = true)]
async fn a_mail_without_a_clear_answer_may_have_been_sent_and_is_never_repeated() {
    let failed = |failure| Status::Failed { failure };
    let cases = [
        (Scripted::status(400), failed(Failure::Rejected { status: 400 })),
        (Scripted::status(401), failed(Failure::Unauthorized)),
        (
            Scripted::TryLater { status: 429, seconds: 1 },
            failed(Failure::RateLimited { retry_after_ms: Some(1_000) }),
        ),
        (Scripted::status(503), failed(Failure::Faulty { status: 503 })),
        (Scripted::Unreachable, failed(Failure::Unreachable)),
        (Scripted::garbage(), Status::MaybeSent),
        (Scripted::HangsUp, Status::MaybeSent),
        (Scripted::Never, Status::MaybeSent),
        (Scripted::late(11, Scripted::ok()), Status::MaybeSent),
    ];
    let world = World::new().await;
    for (answer, expected) in cases {
        let session = world.live().await;
        world.services.next("POST email", answer.clone());
        world.order(&session, mail(Template::ToColleague, When::Now)).await.unwrap();
        world.until(|| world.services.count("POST email") == 1).await;
        world.pass(Duration::from_secs(10)).await;
        world.until(|| is_settled(status(&world, session.id))).await;
        world.pass(Duration::from_secs(20)).await;
        assert_eq!(status(&world, session.id), expected, "{answer:?}");
        assert_eq!(world.services.count("POST email"), 1, "{answer:?}");
        session.actor.stop_and_wait(None, None).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn no_mail_is_sent_that_the_disk_does_not_know_of() {
    let world = World::new().await;
    let session = world.live().await;
    world.break_disk();
    let refused = world.order(&session, mail(Template::ToColleague, When::Now)).await;
    assert!(matches!(refused, Err(CommandError::NotSaved(_))), "{refused:?}");
    assert!(world.record(session.id).mail.is_empty(), "it is not ordered");
    world.mend_disk();
    world.pass(Duration::from_secs(60)).await;
    assert_eq!(world.services.count("POST email"), 0);
}

#[tokio::test(start_paused = true)]
async fn a_mail_that_was_being_sent_when_the_program_died_is_not_sent_again() {
    let world = World::new().await;
    let session = world.live().await;
    world.services.next("POST email", Scripted::Never);
    world.order(&session, mail(Template::ToColleague, When::Now)).await.unwrap();
    world.until(|| world.services.count("POST email") == 1).await;
    session.actor.kill();
    session.ended.await.unwrap();
    let stored = world.in_journal(session.id).await;
    assert_eq!(stored.record.mail[0].status, Status::Sending);
    let mut start = world.fresh(None);
    (start.id, start.secrets) = (session.id, stored.secrets);
    start.state = session::State::restored(stored.record);
    start.first = Input::Restored { since: crate::clock::now() };
    let again = world.start(start).await;
    world.until(|| world.is_armed(again.id)).await;
    world.until(|| status(&world, again.id) == Status::MaybeSent).await;
    assert_eq!(world.services.count("POST email"), 1);
}
