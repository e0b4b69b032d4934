//! The gate: a push that a crash cut short opens nothing, and no door is another way in.

use session::Gate;

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_between_question_and_answer_leaves_it_unknown_and_asks_nobody_again() {
    let fixture = Fixture::new().await;
    fixture.running.engine.set_gate(gate(Policy::Require));
    fixture.fails(ASK, NEVER, None);
    fixture.ask("maria.lopez", LONG).await.unwrap();
    fixture.until_called(ASK).await;
    fixture.running.faults.kill_actors(1);
    fixture.world.presenter_joins(&fixture.pin).await;
    assert_eq!(fixture.end_of_newest().await, VerificationOutcome::Unknown);
    fixture.sandbox.faults().clear();
    fixture.running.until(fixture.id, "its actor is back", all_armed).await;

    // Also while the console waits for an answer.
    fixture.ask("maria.lopez", LONG).await.unwrap();
    let push = fixture.phones.next_push().await.unwrap();
    fixture.newest("no answer yet", |s| matches!(s, Status::Waiting { .. })).await;
    let Fixture { world, sandbox, phones, running, id, pin, maria } = fixture;
    running.stop().await;
    phones.answer(&push.id, true).await.unwrap();
    let running = world.engine().await;
    running.engine.set_gate(gate(Policy::Require));
    running.until(id, "it is back", all_armed).await;
    let fixture = Fixture { world, sandbox, phones, running, id, pin, maria };
    assert_eq!(fixture.end_of_newest().await, VerificationOutcome::Unknown);
    assert_eq!(shut(fixture.viewer().await), ShutReason::NotVerified);
    assert_eq!(fixture.calls(ASK), 2);
    fixture.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_gate_is_shut_no_viewer_comes_through_any_door() {
    let fixture = Fixture::new().await;
    fixture.viewer().await.unwrap();
    fixture.running.engine.set_gate(gate(Policy::Warn));
    fixture.viewer().await.unwrap();
    fixture.running.engine.set_gate(gate(Policy::Require));
    assert_eq!(shut(fixture.viewer().await), ShutReason::NotVerified);
    assert_eq!(shut(fixture.mail(Template::ToColleague, When::Now).await), ShutReason::NotVerified);
    fixture.mail(Template::ToCustomer, When::Now).await.unwrap();
    let first =
        |s: &engine::Snapshot| matches!(s.record.mail[0].status, MailStatus::Accepted { .. });
    fixture.running.until(fixture.id, "the customer's mail went out", first).await;
    fixture.mail(Template::ToColleague, When::NextEvent).await.unwrap();
    fixture.world.presenter_joins(&fixture.pin).await;
    let rule = |s: &engine::Snapshot| s.record.mail.last().map(|order| order.status);
    let held = |s: &engine::Snapshot| rule(s) == Some(MailStatus::Held);
    fixture.running.until(fixture.id, "its mail is held", held).await;
    assert_eq!(fixture.world.broker.handle().outbox().len(), 1);

    fixture.ask("maria.lopez", LONG).await.unwrap();
    assert_eq!(shut(fixture.viewer().await), ShutReason::UnderWay);
    fixture.answers(true).await;
    assert_eq!(fixture.end_of_newest().await, VerificationOutcome::Approved);
    fixture.viewer().await.unwrap();
    let sent = |s: &engine::Snapshot| matches!(rule(s), Some(MailStatus::Accepted { .. }));
    fixture.running.until(fixture.id, "its mail went out", sent).await;
    assert_eq!(fixture.world.broker.handle().outbox().len(), 2);
    fixture.mail(Template::ToColleague, When::Now).await.unwrap();

    fixture.ask("maria.lopez", LONG).await.unwrap();
    fixture.answers(false).await;
    assert_eq!(fixture.end_of_newest().await, VerificationOutcome::Denied);
    assert!(matches!(shut(fixture.viewer().await), ShutReason::Denied { .. }));
    let (by, reason) = ("anna".to_owned(), "I know the voice".to_owned());
    fixture.running.engine.override_gate(fixture.id, by, reason).await.unwrap();
    fixture.viewer().await.unwrap();
    fixture.running.until_happened(fixture.id, "GateOverridden", 1).await;

    // A verification in one session doesn't count in another.
    let (other, _) = fixture.running.armed_session().await;
    let refused = fixture.running.engine.viewer_url(other, true, None).await.map(drop);
    assert_eq!(shut(refused), ShutReason::NotVerified);
    // Who has just denied isn't sent a push again at once; a code rings nowhere.
    let otp = fixture.phones.otp(&fixture.maria).await.unwrap().unwrap();
    assert_eq!(fixture.code(&otp).await, VerificationOutcome::Approved);
    assert!(fixture.running.engine.viewer_url(other, true, None).await.is_err());
    fixture.end().await;
}

const fn gate(policy: Policy) -> Gate {
    Gate { policy, minutes: 30, control_waits: false }
}
