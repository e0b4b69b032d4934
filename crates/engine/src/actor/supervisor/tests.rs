use session::{Failure, Life, Outcome, Presenter};
use wire::HookType::{PresenterStarted, ViewerStarted};

use super::*;
use crate::actor::testing::{Scripted, World};

struct Supervised {
    world: World,
    supervisor: ActorRef<Message>,
}

impl Supervised {
    async fn new() -> Self {
        let world = World::new().await;
        let (supervisor, _) = Actor::spawn(None, Supervisor, world.context.clone()).await.unwrap();
        Self { world, supervisor }
    }

    async fn create(&self) -> Result<SessionId, CommandError> {
        let (done, made) = oneshot::channel();
        let (about, by) = (About::default(), "anna".to_owned());
        let region = Some("here-1".parse().unwrap());
        self.supervisor.cast(Message::Create { about, by, region, done }).unwrap();
        made.await.unwrap()
    }

    async fn live(&self) -> SessionId {
        let id = self.create().await.unwrap();
        self.world.until(|| self.world.is_armed(id)).await;
        self.world.settle().await;
        id
    }

    async fn restore(&self, stored: Vec<Stored>) {
        let (done, started) = oneshot::channel();
        self.supervisor.cast(Message::Restore { stored, since: Timestamp(1), done }).unwrap();
        started.await.unwrap();
    }

    /// Another event, which kills the actor that applies it; resolves when a new actor is there.
    async fn die(&self, id: SessionId) {
        let dead = self.world.context.actor(id).unwrap().get_id();
        self.world.context.faults.kill_actors(1);
        self.world.fire(id, ViewerStarted).await;
        self.world.until(|| self.world.context.actor(id).unwrap().get_id() != dead).await;
        self.world.settle().await;
    }
}

fn has_failed(life: &Life) -> bool {
    matches!(life, Life::Failed { failure: Failure::Internal, .. })
}

#[tokio::test(start_paused = true)]
async fn a_session_that_was_made_is_on_the_disk() {
    let supervised = Supervised::new().await;
    let id = supervised.create().await.unwrap();
    assert_eq!(supervised.world.in_journal(id).await.record.by, "anna");
    assert!(supervised.world.context.actor(id).is_some());
}

#[tokio::test(start_paused = true)]
async fn no_session_is_made_that_the_disk_refuses() {
    let supervised = Supervised::new().await;
    supervised.world.break_disk();
    let refused = supervised.create().await;
    assert!(matches!(refused, Err(CommandError::NotMade)), "{refused:?}");
    supervised.world.mend_disk();
    supervised.create().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn restores_every_session_and_puts_its_hooks() {
    let supervised = Supervised::new().await;
    let world = &supervised.world;
    let (one, other) = (world.stored().await, world.stored().await);
    let stored = vec![world.in_journal(one).await, world.in_journal(other).await];
    supervised.restore(stored).await;
    world.until(|| world.is_armed(one) && world.is_armed(other)).await;
    assert_eq!(world.services.count("PUT hook"), 8);
    assert_eq!(world.services.count("GET session_pin"), 0, "they have their PINs");
}

#[tokio::test(start_paused = true)]
async fn an_event_that_killed_its_actor_is_applied_by_the_next() {
    let supervised = Supervised::new().await;
    let world = &supervised.world;
    let id = supervised.live().await;
    world.context.faults.kill_actors(1);
    world.fire(id, PresenterStarted).await;
    world.until(|| world.record(id).joined).await;
    world.until(|| world.is_armed(id)).await;
    world.settle().await;
    let stored = world.in_journal(id).await;
    assert_eq!((stored.killers.len(), stored.killers[0].kills), (1, 1));
    let happened = world.happened(id).await;
    assert_eq!(happened.iter().filter(|event| *event == "PresenterOnline").count(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_event_that_kills_twice_is_set_aside_and_the_session_goes_on() {
    let supervised = Supervised::new().await;
    let world = &supervised.world;
    let id = supervised.live().await;
    world.context.faults.kill_actors(2);
    world.fire(id, PresenterStarted).await;
    world.until(|| matches!(world.record(id).presenter, Presenter::Unknown { .. })).await;
    world.until(|| world.is_armed(id)).await;
    let stored = world.in_journal(id).await;
    assert_eq!((stored.killers[0].kills, stored.replay.len()), (2, 0));
    world.fire(id, ViewerStarted).await;
    world.until(|| world.record(id).joined).await;
}

#[tokio::test(start_paused = true)]
async fn the_others_do_not_notice_when_one_dies() {
    let supervised = Supervised::new().await;
    let world = &supervised.world;
    let (dies, lives) = (supervised.live().await, supervised.live().await);
    let actor = world.context.actor(lives).unwrap().get_id();
    let revision = world.snapshot(lives).revision;
    supervised.die(dies).await;
    world.until(|| world.is_armed(dies)).await;
    assert_eq!(world.context.actor(lives).unwrap().get_id(), actor);
    assert_eq!(world.snapshot(lives).revision, revision);
}

#[tokio::test(start_paused = true)]
async fn a_session_that_dies_a_fourth_time_within_fifteen_seconds_is_failed_and_shown() {
    let supervised = Supervised::new().await;
    let world = &supervised.world;
    let id = supervised.live().await;
    for _ in 0..3 {
        supervised.die(id).await;
        assert!(world.record(id).is_live());
    }
    supervised.die(id).await;
    world.until(|| has_failed(&world.record(id).life)).await;
    // PUTs that waited for the budget when its task failed are still sent.
    world.pass(Duration::from_secs(2)).await;
    world.services.forget_calls();
    world.pass(Duration::from_secs(120)).await;
    assert_eq!(world.services.count("PUT hook"), 0);
    assert!(has_failed(&world.in_journal(id).await.record.life));
}

#[tokio::test(start_paused = true)]
async fn deaths_that_are_far_apart_do_not_add_up() {
    let supervised = Supervised::new().await;
    let world = &supervised.world;
    let id = supervised.live().await;
    for _ in 0..5 {
        supervised.die(id).await;
        world.pass(WITHIN / 3 + Duration::from_secs(1)).await;
    }
    world.until(|| world.is_armed(id)).await;
    assert!(world.record(id).is_live());
}

#[tokio::test(start_paused = true)]
async fn a_session_whose_effect_panicked_begins_anew_from_the_journal() {
    let supervised = Supervised::new().await;
    let world = &supervised.world;
    world.services.next("GET session_pin", Scripted::Panics);
    let id = supervised.create().await.unwrap();
    world.until(|| world.is_armed(id)).await;
    assert_eq!(world.services.count("GET session_pin"), 2);
}

#[tokio::test(start_paused = true)]
async fn a_session_whose_hook_panicked_while_it_was_put_puts_all_anew() {
    let supervised = Supervised::new().await;
    let world = &supervised.world;
    let id = supervised.live().await;
    world.services.forget_calls();
    world.services.next("PUT hook viewer_started", Scripted::Panics);
    world.context.actor(id).unwrap().cast(SessionMessage::Received(ViewerStarted)).unwrap();
    world.until(|| world.services.count("PUT hook") == 5).await;
    world.until(|| world.is_armed(id)).await;
    assert!(world.context.watch.unwell().is_empty(), "the budget itself lives on");
}

#[tokio::test(start_paused = true)]
async fn ends_its_sessions_in_order_when_it_is_stopped() {
    let supervised = Supervised::new().await;
    let world = &supervised.world;
    let id = supervised.live().await;
    world.break_disk();
    let actor = world.context.actor(id).unwrap();
    let close = Input::Close { outcome: Outcome::Resolved, by: "anna".into() };
    actor.cast(SessionMessage::Input(close)).unwrap();
    world.until(|| world.snapshot(id).unsaved).await;
    world.mend_disk();
    supervised.supervisor.stop_and_wait(None, None).await.unwrap();
    let life = world.in_journal(id).await.record.life;
    assert!(matches!(life, Life::Closed { .. }), "{life:?}");
}
