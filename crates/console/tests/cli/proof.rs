//! The proof with the real program: kills, stops and restarts of either side, by a seed. At rest no state differs from
//! the broker's own, and nothing that was acknowledged is lost or told twice.

use std::{
    collections::BTreeMap,
    path::Path,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use system_tests::word::{Words, by_facts};
use uuid::Uuid;
use wire::{HookType, Pin, session_events::SessionFacts};

use crate::{
    broker_process::BrokerProcess,
    process::{Console, PATIENCE, armed},
};

const SESSIONS: usize = 6;
const ACTS: u32 = 12;
const OVER_A_MINUTE: Duration = Duration::from_secs(61);

/// How long the console is stopped, in seconds: longer than what counts as late. More can be set.
fn stops() -> Vec<u64> {
    let set = std::env::var("DESKHAND_TEST_STOPS");
    set.map_or_else(|_| vec![6], |set| set.split(',').map(|one| one.parse().unwrap()).collect())
}

#[derive(Debug, Clone, Copy)]
enum Disaster {
    KillConsole,
    RestartConsole,
    StopConsole { seconds: u64 },
    KillBroker,
    RestartBroker,
    KillBoth,
}

impl Disaster {
    const fn ends_broker(self) -> bool {
        matches!(self, Self::KillBroker | Self::RestartBroker | Self::KillBoth)
    }
}

struct Chance(u64);

impl Chance {
    fn below(&mut self, end: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }

    fn index(&mut self, length: usize) -> usize {
        usize::try_from(self.below(length as u64)).unwrap()
    }

    /// Each kind once, in an order that the seed decides.
    fn disasters(&mut self) -> Vec<Disaster> {
        use Disaster::{
            KillBoth, KillBroker, KillConsole, RestartBroker, RestartConsole, StopConsole,
        };
        let mut left = vec![KillConsole, RestartConsole, KillBroker, RestartBroker, KillBoth];
        left.extend(stops().into_iter().map(|seconds| StopConsole { seconds }));
        let count = left.len();
        (0..count).map(|_| left.swap_remove(self.index(left.len()))).collect()
    }
}

/// A session with those who are connected to it.
struct People {
    session: String,
    pin: Pin,
    pages: BTreeMap<&'static str, Vec<Uuid>>,
    said: Vec<String>,
}

impl People {
    async fn act(&mut self, broker: &BrokerProcess, chance: &mut Chance) {
        let (side, most) = if chance.below(3) == 0 { ("presenter", 1) } else { ("viewers", 3) };
        let pages = self.pages.entry(side).or_default();
        match chance.below(4) {
            0 => {
                if let Some(page) = pages.pop() {
                    broker.presence(&self.pin, side, page, false).await;
                }
            }
            1 | 2 if pages.len() < most => {
                let page = Uuid::new_v4();
                broker.presence(&self.pin, side, page, true).await;
                pages.push(page);
            }
            _ => {
                if let Some(page) = pages.last() {
                    let text = Uuid::new_v4().to_string();
                    broker.says(&self.pin, *page, &text).await;
                    self.said.push(text);
                }
            }
        }
    }

    /// After the broker's end some pages connect again, and the others are gone.
    async fn connect_again(&mut self, broker: &BrokerProcess, chance: &mut Chance) {
        for (side, pages) in &mut self.pages {
            let before = std::mem::take(pages);
            for page in before {
                if chance.below(2) == 0 {
                    broker.presence(&self.pin, side, page, true).await;
                    pages.push(page);
                }
            }
        }
    }
}

struct Run<'a> {
    home: &'a Path,
    broker: BrokerProcess,
    console: Console,
    sessions: Vec<People>,
    chance: Chance,
}

impl Run<'_> {
    async fn people_act(&mut self) {
        let drops: Vec<Value> = (0..6)
            .map(|_| {
                let kind = ["drop", "drop_answer", "duplicate", "reorder"][self.chance.index(4)];
                let after = self.chance.below(8);
                json!({ "route": "deliver", "kind": kind, "after": after, "times": 1 })
            })
            .collect();
        self.broker.set_faults(drops.into()).await;
        for _ in 0..ACTS {
            let at = self.chance.index(self.sessions.len());
            self.sessions[at].act(&self.broker, &mut self.chance).await;
        }
        self.broker.advance(OVER_A_MINUTE).await;
    }

    async fn start_console(&mut self, words: &[&str]) {
        let base_url = self.broker.base_url();
        let mut all = vec!["--base-url", base_url.as_str()];
        all.extend(words);
        self.console = Console::start(self.home, &all).await;
    }

    async fn happens(&mut self, disaster: Disaster) {
        match disaster {
            Disaster::KillConsole | Disaster::KillBoth => {
                self.console.signal("KILL");
                assert_eq!(self.console.ended().await, None);
            }
            Disaster::RestartConsole => {
                self.console.close_input();
                assert_eq!(self.console.ended().await, Some(0));
            }
            Disaster::StopConsole { .. } => self.console.signal("STOP"),
            Disaster::KillBroker => self.broker.kill().await,
            Disaster::RestartBroker => self.broker.restart().await,
        }
        if matches!(disaster, Disaster::KillBoth) {
            self.broker.kill().await;
        }
        if disaster.ends_broker() {
            for people in &mut self.sessions {
                people.connect_again(&self.broker, &mut self.chance).await;
            }
        }
        self.people_act().await;
        match disaster {
            Disaster::StopConsole { seconds } => {
                // What is tested is time itself.
                tokio::time::sleep(Duration::from_secs(seconds)).await;
                self.console.signal("CONT");
            }
            Disaster::KillConsole | Disaster::RestartConsole | Disaster::KillBoth => {
                self.start_console(&[]).await;
            }
            Disaster::KillBroker | Disaster::RestartBroker => {}
        }
    }

    /// Waits until the console shows of every session what the broker knows.
    async fn until_true(&mut self, after: &str) {
        for people in &self.sessions {
            let facts = self.broker.facts(&people.pin).await;
            let (words, messages) = (by_facts(&facts), facts.messages);
            self.console.forget();
            self.console.ask(json!({ "do": "show", "session": people.session })).await;
            let what = format!("after {after}: {words:?} with {messages} messages, for {facts:?}");
            let is = |detail: &Value| is_shown(detail, words) && detail["chat_total"] == messages;
            self.console.detail(&people.session, &what, is).await;
        }
    }

    /// Waits until the console shows who watches.
    async fn until_viewers_are_counted(&mut self) {
        for people in &self.sessions {
            let watching = people.pages.get("viewers").map_or(0, Vec::len);
            self.console.forget();
            self.console.ask(json!({ "do": "show", "session": people.session })).await;
            let what = format!("{watching} viewers");
            let is = |detail: &Value| {
                detail["screen"]["watchers"].as_array().is_some_and(|all| all.len() == watching)
            };
            self.console.detail(&people.session, &what, is).await;
        }
    }

    /// Viewers who leave a session that isn't on screen are soon no longer counted.
    async fn nobody_is_counted_who_left(&mut self) {
        let [people, .., shown] = &mut self.sessions[..] else { unreachable!() };
        let (page, viewers) = (Uuid::new_v4(), people.pages.entry("viewers").or_default());
        self.broker.presence(&people.pin, "viewers", page, true).await;
        self.console.forget();
        self.console.ask(json!({ "do": "show", "session": people.session })).await;
        let count = |detail: &Value| detail["screen"]["watchers"].as_array().map(Vec::len);
        let all = Some(viewers.len() + 1);
        self.console.detail(&people.session, "one more", |detail| count(detail) == all).await;
        self.console.ask(json!({ "do": "show", "session": shown.session })).await;
        for page in viewers.drain(..).chain([page]) {
            self.broker.presence(&people.pin, "viewers", page, false).await;
        }
        let mut last = Value::Null;
        let end = Instant::now() + PATIENCE;
        while Instant::now() < end {
            self.console.forget();
            let asked = json!({ "do": "detail", "session": people.session });
            last = self.console.ask(asked).await["detail"].take();
            if count(&last) == Some(0) {
                return;
            }
            // The rosters are asked for in rounds, each of which shows at the session on screen, among other things.
            self.console.detail(&shown.session, "the next round", |_| true).await;
        }
        let facts = self.broker.facts(&people.pin).await;
        panic!("they are still counted: {} and {}, for {facts:?}", last["screen"], last["row"]);
    }

    async fn check_all_was_told_once(&mut self) {
        self.console.close_input();
        assert_eq!(self.console.ended().await, Some(0));
        self.start_console(&["--from-seq", "0"]).await;
        self.until_true("the last start").await;
        for people in &self.sessions {
            let facts = self.broker.facts(&people.pin).await;
            let export = json!({ "do": "export", "session": people.session, "format": "json" });
            let export = self.console.ask(export).await["text"].as_str().unwrap().to_owned();
            for text in &people.said {
                assert_eq!(export.matches(text.as_str()).count(), 1, "{text} is archived once");
            }
            check_events(&mut self.console, &people.session, &facts).await;
        }
    }
}

fn is_shown(detail: &Value, words: Words) -> bool {
    detail["row"]["state"]["kind"] == words.state
        && detail["presenter"]["is"] == words.presenter
        && detail["viewers"]["is"] == words.viewers
}

/// Each event is told once, by webhook or channel. One that a newer one has overtaken is told, too.
async fn check_events(console: &mut Console, session: &str, facts: &SessionFacts) {
    let names = ["presenter_online", "viewer_joined", "presenter_offline", "viewers_gone"];
    for (hook, name) in HookType::ALL.into_iter().zip(names) {
        let is = |line: &&Value| {
            line["push"] == "happening" && line["session"] == session && line["event"] == name
        };
        let happened = facts.happened[hook.index()];
        loop {
            let told = console.said().iter().filter(is).count() as u64;
            assert!(told <= happened, "{name} was told {told} times: {facts:?}");
            if told == happened {
                break;
            }
            console.forget();
            let what = format!("{name}, told {told} times: {facts:?}");
            console.until(&what, |line| line["push"] == "happening").await;
        }
    }
}

#[tokio::test]
async fn kills_stops_and_restarts_leave_no_state_false_and_nothing_lost_or_told_twice() {
    let home = tempfile::tempdir().unwrap();
    let broker = BrokerProcess::start(home.path()).await;
    let base_url = broker.base_url();
    let mut console = Console::start(home.path(), &["--base-url", &base_url]).await;
    let mut sessions = Vec::new();
    for n in 0..SESSIONS {
        let (session, detail) = console.new_session(&format!("Customer {n}")).await;
        let pin = detail["pin"]["text"].as_str().unwrap().parse().unwrap();
        sessions.push(People { session, pin, pages: BTreeMap::new(), said: Vec::new() });
    }
    let mut run = Run { home: home.path(), broker, console, sessions, chance: Chance(29) };
    run.people_act().await;
    run.until_true("the begin").await;
    for disaster in run.chance.disasters() {
        run.happens(disaster).await;
        run.until_true(&format!("{disaster:?}")).await;
    }
    run.until_viewers_are_counted().await;
    run.nobody_is_counted_who_left().await;
    run.check_all_was_told_once().await;
    run.console.quit().await;
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
