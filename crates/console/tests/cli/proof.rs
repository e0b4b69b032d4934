//! The proof with the real program: fifty sessions for ten simulated minutes, with every fault that the plan can make,
//! and, while webhooks and e-mails are under way, kills, stops and restarts of either side and time without the channel;
//! all by a seed. At rest no state differs from the broker's own, and nothing that was acknowledged is lost, told or
//! sent twice.

mod at_rest;
mod disaster;
mod faults;
mod people;
mod strike;
mod told;
mod truth;
mod viewers;

use std::{path::Path, time::Duration};

use mail_tests::{Does, Taken};
use serde_json::{Value, json};
use system_tests::chance::Chance;
use tokio::time::{Instant, sleep};
use uuid::Uuid;
use wire::Pin;

use self::{
    disaster::{Disaster, Whom, ends},
    people::People,
};
use crate::{
    broker_process::BrokerProcess,
    process::{Console, PATIENCE, armed},
};

const OVER_A_MINUTE: Duration = Duration::from_secs(61);
/// So many of those have passed at the end.
const MINUTES: u32 = 10;
/// Between two looks at what is only answered.
const A_MOMENT: Duration = Duration::from_millis(50);

const SESSIONS: usize = 50;
/// What people do in a minute, all sessions together.
const ACTS: u32 = 40;

struct Run<'a> {
    home: &'a Path,
    broker: BrokerProcess,
    console: Console,
    mail_server: Taken,
    sessions: Vec<People>,
    chance: Chance,
    /// How many minutes have passed by the broker's clock.
    minutes: u32,
}

impl<'a> Run<'a> {
    async fn start(home: &'a Path, seed: u64) -> Self {
        let (url, mail_server) = mail_tests::counting_server(mails(&mut Chance(seed))).await;
        let broker = BrokerProcess::start_with_mail_server(home, url).await;
        let mut console = Console::start(home, &["--base-url", &broker.base_url()]).await;
        let sessions = new_sessions(&mut console).await;
        let (chance, minutes) = (Chance(seed), 0);
        let mut run = Self { home, broker, console, mail_server, sessions, chance, minutes };
        run.each_fault_happens().await;
        run.people_act(false).await;
        run.until_true("the begin").await;
        run
    }

    /// Whatever else comes of the seed, each kind of fault is made.
    async fn each_fault_happens(&mut self) {
        self.broker.set_faults(&faults::each_once()).await;
        // Each fires a webhook, and each of those leads to a call that puts the hook again.
        for people in self.sessions.iter_mut().take(faults::EACH_ONCE_TAKES) {
            people.presenter_comes(&self.broker).await;
        }
        let end = Instant::now() + PATIENCE;
        while self.broker.faults_left().await > 0 {
            assert!(Instant::now() < end, "some faults were never made");
            sleep(A_MOMENT).await;
        }
    }
}

/// New sessions, all of whose hooks are armed.
async fn new_sessions(console: &mut Console) -> Vec<People> {
    let mut ids = Vec::new();
    for n in 0..SESSIONS {
        let order = json!({
            "do": "new_session", "about": { "customer": format!("Customer {n}") },
        });
        let answer = console.ask(order).await;
        ids.push(answer["session"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned());
    }
    let mut sessions = Vec::new();
    for id in ids {
        let detail = until_armed(console, &id).await;
        let pin: Pin = detail["pin"]["text"].as_str().unwrap().parse().unwrap();
        sessions.push(People::nobody(id, pin));
    }
    sessions
}

async fn until_armed(console: &mut Console, session: &str) -> Value {
    let end = Instant::now() + PATIENCE;
    loop {
        let detail = console.ask_detail(session).await;
        if armed(&detail) {
            return detail;
        }
        assert!(Instant::now() < end, "its hooks were never armed: {detail}");
        sleep(A_MOMENT).await;
    }
}

/// What a mail server does that takes most e-mails, refuses some and puts others off, by the seed.
fn mails(chance: &mut Chance) -> Vec<Does> {
    let does = |chance: &mut Chance| match chance.below(6) {
        0 => Does::Answer("550 5.1.1 no such user"),
        1 => Does::Answer("451 4.3.0 try again later"),
        2 => Does::Drop,
        _ => Does::Take,
    };
    (0..24).map(|_| does(chance)).chain([Does::Take]).collect()
}

#[tokio::test]
async fn kills_and_restarts_leave_no_state_false_and_nothing_lost_or_told_twice() {
    let home = tempfile::tempdir().unwrap();
    let mut run = Run::start(home.path(), 29).await;
    for disaster in ends(&mut run.chance) {
        run.happens(disaster).await;
        run.until_true(&format!("{disaster:?}")).await;
    }
    run.until_viewers_are_counted().await;
    run.nobody_is_counted_who_left().await;
    run.end().await;
}

/// Each in a world of its own, all at once: what is waited for is time.
async fn prove_stops_of(seconds: u64) {
    let prove = async |whom, seed| {
        let home = tempfile::tempdir().unwrap();
        let mut run = Run::start(home.path(), seed).await;
        let disaster = Disaster::Stop(whom, Duration::from_secs(seconds));
        run.happens(disaster).await;
        run.until_true(&format!("{disaster:?}")).await;
        run.end().await;
    };
    tokio::join!(
        prove(Whom::Console, seconds),
        prove(Whom::Broker, seconds + 1),
        prove(Whom::Both, seconds + 2),
    );
}

#[tokio::test]
async fn stops_of_5_s_leave_no_state_false_and_nothing_lost_or_told_twice() {
    prove_stops_of(5).await;
}

#[tokio::test]
async fn stops_of_30_s_leave_no_state_false_and_nothing_lost_or_told_twice() {
    prove_stops_of(30).await;
}

#[tokio::test]
async fn stops_of_90_s_leave_no_state_false_and_nothing_lost_or_told_twice() {
    prove_stops_of(90).await;
}

/// Such a broker knows none of the sessions any more, so nobody can be in them, and no claim about them holds.
#[tokio::test]
async fn of_a_broker_that_lost_its_store_nothing_is_claimed() {
    let home = tempfile::tempdir().unwrap();
    let mut broker = BrokerProcess::start(home.path()).await;
    let base_url = broker.base_url();
    let mut console = Console::start(home.path(), &["--base-url", &base_url]).await;
    let (session, detail) = console.new_session("Maria Lopez").await;
    let pin: Pin = detail["pin"]["text"].as_str().unwrap().parse().unwrap();
    broker.presence(&pin, "presenter", Uuid::new_v4(), true).await;
    console.state(&session, "ready").await;
    console.forget();
    broker.lose_everything().await;
    let is_unknown = |d: &Value| {
        d["row"]["state"]["kind"] == "unknown" && d["presenter"]["is"] == "unknown" && !armed(d)
    };
    console.detail(&session, "unknown, and no lamp is green", is_unknown).await;
    console.quit().await;
}
