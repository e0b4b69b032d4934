use std::time::Duration;

use serde_json::json;

use super::*;
use crate::actor::testing::{Scripted, World, region};

type Chosen = oneshot::Receiver<Result<Choice, Failure>>;

fn choose(world: &World) -> Chosen {
    let (answer, chosen) = oneshot::channel();
    world.context.regions.cast(Message::Choose(answer)).unwrap();
    chosen
}

/// Lets the time of a race pass bit by bit, as it does outside.
async fn race(world: &World, time: Duration) {
    for _ in 0..time.as_millis() / 10 {
        world.pass(Duration::from_millis(10)).await;
    }
}

async fn outcome(world: &World, mut chosen: Chosen) -> Result<Choice, Failure> {
    // Small steps while regions are timed, large ones until the answers that never come have
    // timed out.
    let steps = std::iter::repeat_n(10, 30).chain(std::iter::repeat_n(1_000, 20));
    for milliseconds in steps {
        if let Ok(result) = chosen.try_recv() {
            return result;
        }
        world.pass(Duration::from_millis(milliseconds)).await;
    }
    panic!("nobody answered within 20 s");
}

fn takes(world: &World, call: &'static str, milliseconds: u64) {
    let late = Duration::from_millis(milliseconds);
    world.services.always(call, Scripted::Late(late, Box::new(Scripted::ok())));
}

#[tokio::test(start_paused = true)]
async fn chooses_the_fastest_region() {
    let world = World::new().await;
    takes(&world, "GET region/here-1", 90);
    takes(&world, "GET region/there-2", 20);
    let choice = outcome(&world, choose(&world)).await.unwrap();
    assert_eq!(choice.region, region("there-2"));
}

#[tokio::test(start_paused = true)]
async fn all_who_ask_meanwhile_share_one_race() {
    let world = World::new().await;
    takes(&world, "GET region/here-1", 30);
    let asked = [choose(&world), choose(&world), choose(&world)];
    world.context.regions.cast(Message::Probe).unwrap();
    for chosen in asked {
        assert_eq!(outcome(&world, chosen).await.unwrap().region, region("there-2"));
    }
    assert_eq!(world.services.count("GET regions"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_race_is_shown_while_it_runs_and_with_what_came_of_it() {
    let world = World::new().await;
    takes(&world, "GET region/", 50);
    world.context.regions.cast(Message::Probe).unwrap();
    let shown = || world.race.borrow().clone();
    world.until(|| shown().is_some_and(|race| race.lanes.len() == 2)).await;
    assert_eq!(shown().unwrap().result, None);
    race(&world, Duration::from_millis(200)).await;
    world.until(|| shown().unwrap().result.is_some()).await;
}

#[tokio::test(start_paused = true)]
async fn a_list_that_cannot_be_had_is_everybodys_failure_and_the_next_race_begins_anew() {
    let cases = [
        (Scripted::status(401), Failure::Unauthorized),
        (Scripted::status(404), Failure::Rejected { status: 404 }),
        (Scripted::status(503), Failure::Faulty { status: 503 }),
        (Scripted::garbage(), Failure::Malformed),
        (Scripted::json(&json!([])), Failure::Malformed),
        (Scripted::json(&json!(["../up", 7])), Failure::Malformed),
        (Scripted::Unreachable, Failure::Unreachable),
        (Scripted::HangsUp, Failure::NoAnswer),
        (Scripted::Never, Failure::TimedOut),
    ];
    let world = World::new().await;
    for (answer, expected) in cases {
        world.services.next("GET regions", answer.clone());
        if matches!(answer, Scripted::HangsUp) {
            // It is asked once more.
            world.services.next("GET regions", answer.clone());
        }
        let (one, other) = (choose(&world), choose(&world));
        assert_eq!(outcome(&world, one).await, Err(expected), "{answer:?}");
        assert_eq!(outcome(&world, other).await, Err(expected), "{answer:?}");
        assert_eq!(world.race.borrow().clone().unwrap().result, Some(Err(expected)));
    }
    assert!(outcome(&world, choose(&world)).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_region_that_never_answers_does_not_hold_up_the_one_that_does() {
    let world = World::new().await;
    world.services.always("GET region/here-1", Scripted::Never);
    takes(&world, "GET region/there-2", 30);
    let chosen = choose(&world);
    race(&world, Duration::from_millis(200)).await;
    let choice = chosen.await.unwrap().unwrap();
    assert_eq!(choice.region, region("there-2"));
}

#[tokio::test(start_paused = true)]
async fn no_region_that_answers_is_a_failure_of_its_own() {
    let world = World::new().await;
    world.services.always("GET region/", Scripted::Unreachable);
    assert_eq!(outcome(&world, choose(&world)).await, Err(Failure::NoRegion));
}

#[tokio::test(start_paused = true)]
async fn the_region_in_use_is_kept_when_another_is_only_slightly_faster() {
    let world = World::new().await;
    takes(&world, "GET region/here-1", 20);
    takes(&world, "GET region/there-2", 80);
    assert_eq!(outcome(&world, choose(&world)).await.unwrap().region, region("here-1"));
    takes(&world, "GET region/here-1", 80);
    takes(&world, "GET region/there-2", 75);
    assert_eq!(outcome(&world, choose(&world)).await.unwrap().region, region("here-1"));
}

#[tokio::test(start_paused = true)]
async fn a_race_that_panics_is_a_failure_and_not_the_last_one() {
    let world = World::new().await;
    world.services.next("GET regions", Scripted::Panics);
    assert_eq!(outcome(&world, choose(&world)).await, Err(Failure::Internal));
    assert!(outcome(&world, choose(&world)).await.is_ok());
}
