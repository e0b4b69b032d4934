//! What the verification service answers, or doesn't.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn who_can_not_be_asked_is_said_by_what_helps() {
    let fixture = Fixture::new().await;
    fixture.phones.add_user("tom.baker", false).await.unwrap();
    fixture.ask("tom.baker", LONG).await.unwrap();
    assert_eq!(fixture.end_of_newest().await, VerificationOutcome::NoDevice);
    fixture.ask("nobody.*", LONG).await.unwrap();
    assert_eq!(
        fixture.end_of_newest().await,
        VerificationOutcome::Failed { cause: Cause::UnknownUser }
    );
    let by_id = VerificationRequest { by_id: true, ..asked(&fixture.maria, Method::Push) };
    fixture.verify(by_id, None, LONG).await.unwrap();
    fixture.answers(true).await;
    assert_eq!(fixture.end_of_newest().await, VerificationOutcome::Approved);

    let calls = fixture.calls(ASK);
    let mut long = asked("maria.lopez", Method::Push);
    long.shown = vec![("Reason".into(), "x".repeat(1_000))];
    let slash = VerificationRequest { by_id: true, ..asked("a/../b", Method::Push) };
    for wrong in [long, asked("", Method::Push), asked("a\nb", Method::Push), slash] {
        let refused = fixture.verify(wrong, None, LONG).await;
        assert!(matches!(refused, Err(CommandError::Verification(_))), "{refused:?}");
    }
    assert_eq!(fixture.calls(ASK), calls, "nothing was sent");
    fixture.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_key_a_revoked_one_and_a_wrong_domain_are_told_apart() {
    let fixture = Fixture::new().await;
    let domain = fixture.phones.domain().to_owned();
    fixture.set_up(&domain, "x".repeat(64).into());
    fixture.ask("maria.lopez", LONG).await.unwrap();
    assert_eq!(fixture.end_of_newest().await, call(Failure::Unauthorized));
    fixture.set_up(&"0".repeat(40), fixture.phones.key());
    fixture.ask("maria.lopez", LONG).await.unwrap();
    assert_eq!(
        fixture.end_of_newest().await,
        VerificationOutcome::Failed { cause: Cause::WrongDomain }
    );

    // The key is revoked while the phone rings. A console that can't poll doesn't know whether the
    // person has answered.
    fixture.set_up(&domain, fixture.phones.key());
    fixture.ask("maria.lopez", BEFORE_LONG).await.unwrap();
    fixture.phones.next_push().await.unwrap();
    fixture.phones.set_revoked(true).await.unwrap();
    assert_eq!(fixture.end_of_newest().await, call(Failure::Unauthorized));

    fixture.running.engine.set_services(IdentityClients::default());
    let none = fixture.ask("maria.lopez", LONG).await;
    assert!(matches!(none, Err(CommandError::NotSetUp { .. })), "{none:?}");
    fixture.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_is_down_meanwhile_is_said_and_waited_for() {
    let fixture = Fixture::new().await;
    fixture.ask("maria.lopez", LONG).await.unwrap();
    let push = fixture.phones.next_push().await.unwrap();
    fixture.fails(POLL, Fault::Status { code: 503 }, None);
    let blind = |s: &Status| {
        matches!(s, Status::Waiting { blind: Some(Failure::Faulty { status: 503 }), .. })
    };
    fixture.newest("it says that it can't look", blind).await;
    assert!(fixture.phones.answer(&push.id, true).await.unwrap());
    fixture.sandbox.faults().clear();
    assert_eq!(fixture.end_of_newest().await, VerificationOutcome::Approved);
    fixture.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_jumps_at_the_service_approves_nothing() {
    let fixture = Fixture::new().await;
    fixture.ask("maria.lopez", BEFORE_LONG).await.unwrap();
    fixture.phones.next_push().await.unwrap();
    // The push has expired at the service long ago.
    fixture.sandbox.advance(Duration::from_secs(3_600));
    assert_eq!(fixture.end_of_newest().await, call(Failure::Rejected { status: 404 }));
    fixture.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_answer_of_the_service_is_a_failure_and_never_a_denial() {
    let fixture = Fixture::new().await;
    let page = Router::new().fallback(|| async { Html("<html>denied</html>") });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}/api", listener.local_addr().unwrap()).parse().unwrap();
    let portal = tokio::spawn(async move { axum::serve(listener, page).await });
    let (domain, key) = (fixture.phones.domain().to_owned(), fixture.phones.key());
    let client = LoginTc::new(LoginTcConfig { base_url, domain, key }).unwrap();
    let services = IdentityClients { logintc: Some(client), ..IdentityClients::default() };
    fixture.running.engine.set_services(services);
    fixture.ask("maria.lopez", LONG).await.unwrap();
    assert_eq!(fixture.end_of_newest().await, call(Failure::Malformed));
    portal.abort();

    let domain = fixture.phones.domain().to_owned();
    fixture.set_up(&domain, fixture.phones.key());
    fixture.fails(ASK, Fault::DropAnswer, Some(1));
    fixture.ask("maria.lopez", LONG).await.unwrap();
    assert_eq!(fixture.end_of_newest().await, call(Failure::NoAnswer));
    assert_eq!(fixture.calls(ASK), 1, "it is not asked a second time");
    fixture.end().await;
}
