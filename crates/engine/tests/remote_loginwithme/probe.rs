//! The probe times every region for itself and chooses among those that answer.
//!
//! The servers hold an answer back until an event, so what is slow here is slow on any machine.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex},
    time::Duration,
};

use engine::remote::{LoginWithMe, ProbeFailed, Timeouts, probe};
use session::{
    Failure,
    region::{Choice, Lane, LaneEnd},
};
use tokio::sync::{Barrier, mpsc};

use crate::{
    client, region,
    server::{Answer, Request, Server, http, json},
    service,
};

const REGIONS: &str = r#"["near","far","away"]"#;

/// The region that a request times; none for a call of the API.
fn timed(request: &Request) -> Option<String> {
    request.target.strip_prefix("/region/").map(str::to_owned)
}

fn hello() -> Answer {
    Answer::Send(http("200 OK", "text/plain", b"hello"))
}

fn nothing() -> Answer {
    Answer::SendAndHold(Vec::new())
}

/// Lists three regions and answers a timed one by `answer`.
async fn regions(answer: impl Fn(&str) -> Answer + Send + Sync + 'static) -> Server {
    Server::start(move |request| {
        std::future::ready(match timed(&request) {
            Some(name) => answer(&name),
            None => Answer::Send(json(REGIONS)),
        })
    })
    .await
}

async fn run(client: &LoginWithMe) -> Result<Choice, ProbeFailed> {
    probe(client, 3, None, |_| {}).await
}

fn lane<'a>(lanes: &'a [Lane], name: &str) -> &'a Lane {
    lanes.iter().find(|lane| lane.region.as_str() == name).unwrap()
}

#[tokio::test]
async fn a_region_that_never_answers_is_stopped_and_delays_no_other() {
    let server = regions(|name| if name == "near" { hello() } else { nothing() }).await;
    let choice = run(&client(&server.origin)).await.unwrap();
    assert_eq!(choice.region, region("near"));
    assert!(!lane(&choice.lanes, "near").samples_us.is_empty());
    for slow in ["far", "away"] {
        let slow = lane(&choice.lanes, slow);
        assert!(matches!(slow.end, LaneEnd::Stopped { .. }), "{slow:?}");
        assert!(slow.samples_us.is_empty());
    }
}

#[tokio::test]
async fn all_regions_are_timed_at_once_each_on_a_connection_of_its_own() {
    // No first answer goes out before all three have asked.
    let all = Arc::new(Barrier::new(3));
    let asked = Arc::new(Mutex::new(HashSet::new()));
    let server = Server::start(move |request| {
        let (all, asked) = (all.clone(), asked.clone());
        async move {
            let Some(name) = timed(&request) else { return Answer::Send(json(REGIONS)) };
            let first = asked.lock().unwrap().insert(name);
            if first {
                all.wait().await;
            }
            hello()
        }
    })
    .await;
    run(&client(&server.origin)).await.unwrap();
    let requests = server.requests();
    let first: HashSet<u16> =
        requests.iter().filter(|r| timed(r).is_some()).take(3).map(|r| r.port).collect();
    assert_eq!(first.len(), 3);
}

#[tokio::test]
async fn the_rounds_of_a_region_share_its_connection() {
    let server = Server::start(|request| {
        std::future::ready(match timed(&request) {
            Some(_) => hello(),
            None => Answer::Send(json(r#"["only"]"#)),
        })
    })
    .await;
    let choice = run(&client(&server.origin)).await.unwrap();
    assert_eq!(choice.lanes[0].end, LaneEnd::Finished);
    let ports: Vec<u16> =
        server.requests().iter().filter(|r| timed(r).is_some()).map(|r| r.port).collect();
    // A round that this computer held up too long may have been the last.
    assert!((2..=4).contains(&ports.len()), "a handshake and up to three rounds: {ports:?}");
    assert_eq!(ports.iter().collect::<HashSet<_>>().len(), 1, "{ports:?}");
}

#[tokio::test]
async fn any_answer_of_a_region_that_works_is_a_sample() {
    for status in [
        "404 Not Found",
        "403 Forbidden",
        "301 Moved\r\nLocation: http://127.0.0.1:9/",
        "302 Found\r\nLocation: /elsewhere",
        "302 Found",
    ] {
        let server = regions(move |_| Answer::Send(http(status, "text/html", b"<html>"))).await;
        let choice = run(&client(&server.origin)).await.unwrap();
        assert!(choice.lanes.iter().any(|lane| !lane.samples_us.is_empty()), "{status}");
    }
}

#[tokio::test]
async fn however_fast_a_region_answers_that_fails_or_leads_elsewhere_it_does_not_win() {
    let faults = [
        ("503 Busy", Failure::Faulty { status: 503 }),
        ("522 Origin timed out", Failure::Faulty { status: 522 }),
        ("302 Found\r\nLocation: http://login.example/", Failure::Malformed),
    ];
    for (status, failure) in faults {
        // The others answer only once this one has.
        let answered = Arc::new(tokio::sync::Semaphore::new(0));
        let server = Server::start(move |request| {
            let answered = answered.clone();
            async move {
                match timed(&request).as_deref() {
                    None => Answer::Send(json(REGIONS)),
                    Some("near") => {
                        answered.add_permits(2);
                        Answer::Send(http(status, "text/html", b"<html>"))
                    }
                    Some(_) => {
                        let _permit = answered.acquire().await.unwrap();
                        hello()
                    }
                }
            }
        })
        .await;
        let choice = run(&client(&server.origin)).await.unwrap();
        assert_ne!(choice.region, region("near"), "{status}");
        assert_eq!(lane(&choice.lanes, "near").end, LaneEnd::Failed { failure }, "{status}");
    }
}

#[tokio::test]
async fn a_region_that_hangs_up_has_failed() {
    // Near waits for the others to have failed: else it could be over before.
    let failed = Arc::new(tokio::sync::Semaphore::new(0));
    let opener = failed.clone();
    let server = Server::start(move |request| {
        let failed = failed.clone();
        async move {
            match timed(&request).as_deref() {
                None => Answer::Send(json(REGIONS)),
                Some("near") => {
                    failed.acquire_many(2).await.unwrap().forget();
                    failed.add_permits(2);
                    hello()
                }
                Some(_) => Answer::SendAndClose(Vec::new()),
            }
        }
    })
    .await;
    let mut open = 0;
    let choice = probe(&client(&server.origin), 2, None, |lanes| {
        let gone = lanes.iter().filter(|lane| matches!(lane.end, LaneEnd::Failed { .. })).count();
        opener.add_permits(gone.saturating_sub(open));
        open = open.max(gone);
    })
    .await
    .unwrap();
    assert_eq!(choice.region, region("near"));
    for dead in ["far", "away"] {
        let end = &lane(&choice.lanes, dead).end;
        assert_eq!(*end, LaneEnd::Failed { failure: Failure::NoAnswer });
    }
}

#[tokio::test]
async fn says_so_when_all_regions_are_dead() {
    let server = regions(|_| Answer::SendAndClose(Vec::new())).await;
    let failed = run(&client(&server.origin)).await.unwrap_err();
    assert_eq!(failed.failure, Failure::NoRegion);
    assert_eq!(failed.to_string(), "choose a region: no region answered");
    assert_eq!(failed.lanes.len(), 3);
    for lane in &failed.lanes {
        assert_eq!(lane.end, LaneEnd::Failed { failure: Failure::NoAnswer });
    }
}

#[tokio::test]
async fn gives_up_on_silent_regions_when_its_time_is_over() {
    let server = regions(|_| nothing()).await;
    let short = Duration::from_millis(50);
    for timeouts in [
        Timeouts { probe: short, ..Timeouts::default() },
        Timeouts { round_trip: short, ..Timeouts::default() },
    ] {
        let client = LoginWithMe::with_timeouts(service(&server.origin), timeouts).unwrap();
        let failed = run(&client).await.unwrap_err();
        assert_eq!(failed.failure, Failure::NoRegion);
        for lane in &failed.lanes {
            assert_eq!(lane.end, LaneEnd::Failed { failure: Failure::TimedOut });
        }
    }
}

#[tokio::test]
async fn says_why_the_regions_are_not_known() {
    let server = Server::saying(http("503 Busy", "text/html", b"<html>")).await;
    let failed = run(&client(&server.origin)).await.unwrap_err();
    assert_eq!(failed.failure, Failure::Faulty { status: 503 });
    assert!(failed.lanes.is_empty());
    assert_eq!(failed.to_string(), "choose a region: list the regions: the service answered 503");
}

#[tokio::test]
async fn shows_each_change_from_the_start_to_the_choice() {
    let server = regions(|_| hello()).await;
    let mut shown: Vec<Vec<Lane>> = Vec::new();
    let choice =
        probe(&client(&server.origin), 2, None, |lanes| shown.push(lanes.to_vec())).await.unwrap();
    assert!(shown[0].iter().all(|lane| lane.end == LaneEnd::Running && lane.samples_us.is_empty()));
    assert_eq!(*shown.last().unwrap(), choice.lanes);
    assert!(shown.windows(2).all(|pair| pair[0] != pair[1]), "only changes are shown");
}

#[tokio::test]
async fn a_dropped_probe_hangs_up() {
    let (asked, mut was_asked) = mpsc::unbounded_channel();
    let mut server = regions(move |_| {
        asked.send(()).unwrap();
        nothing()
    })
    .await;
    let client = client(&server.origin);
    let three = async {
        for _ in 0..3 {
            was_asked.recv().await.unwrap();
        }
    };
    tokio::select! {
        _ = run(&client) => unreachable!("no region answered"),
        () = three => {}
    }
    for _ in 0..3 {
        server.gone.recv().await.unwrap();
    }
}
