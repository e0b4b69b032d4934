//! A locked console: it refuses every command, and the engine goes on by itself.

#![allow(clippy::unwrap_used)]

use deskhand_system_tests::{World, all_armed, now};
use engine::{
    CommandError,
    access::{Person, Presence, Why},
};
use session::{About, Input, Outcome, Presenter, SessionStatus, Transcript};

#[tokio::test(flavor = "multi_thread")]
async fn the_engine_refuses_whoever_is_there_and_goes_on_by_itself() {
    let world = World::new().await;
    let running = world.engine().await;
    let (id, pin) = running.armed_session().await;
    let broker = world.broker.handle();
    let person = Person { id: uuid::Uuid::new_v4(), name: "Anna".into(), email: String::new() };
    running.engine.access().set(Presence::SignedIn { person: person.clone(), since: now() });
    assert_eq!(running.engine.access().lock(Why::Asked, now()), Some(person));

    let engine = &running.engine;
    let refused = [
        engine.create(About::default(), "anna".into(), None).await.err(),
        engine.order(id, Input::Recheck).await.err(),
        engine.order(id, Input::Close { outcome: Outcome::Unknown, by: "anna".into() }).await.err(),
        engine.viewer_url(id, true, None).await.err(),
        engine.report_abuse(&pin).await.err(),
        engine.probe().err(),
    ];
    for error in refused {
        assert!(matches!(error, Some(CommandError::Locked)), "{error:?}");
    }
    assert_eq!(engine.snapshots().len(), 1);

    // A hook fires and is put again; what was written is archived.
    let customer = world.presenter_joins(&pin).await;
    running
        .until(id, "the customer is online, and all hooks are armed again", |s| {
            matches!(s.record.presenter, Presenter::Online { .. }) && all_armed(s)
        })
        .await;
    let viewer = world.viewer_joins(&pin).await;
    running
        .until(id, "it is active", |s| {
            matches!(SessionStatus::new(&s.record, now()), SessionStatus::Active { .. })
                && all_armed(s)
        })
        .await;
    broker.page_says(&pin, customer, "Maria", "the printer again").await.unwrap();
    broker.page_leaves(&pin, viewer).await;
    world.over_a_minute_passes().await;
    running
        .until(id, "its transcript is saved", |s| {
            matches!(s.record.transcript, Transcript::Saved { messages: 1, .. })
        })
        .await;
    assert!(running.engine.access().is_locked());
    running.stop().await;
}
