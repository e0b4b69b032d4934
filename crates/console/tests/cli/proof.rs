//! The proof with the real program: kills, stops and restarts of either side, and time without the channel, by a seed.
//! At rest no state differs from the broker's own, and nothing that was acknowledged is lost or told twice.

mod disaster;
mod people;
mod truth;

use std::{
    path::Path,
    time::{Duration, Instant},
};

use mail_tests::Does;
use serde_json::{Value, json};
use system_tests::chance::Chance;
use uuid::Uuid;
use wire::Pin;

use self::{
    disaster::{Disaster, Whom, ends},
    people::People,
    truth::{Truth, check_told_mails},
};
use crate::{
    broker_process::BrokerProcess,
    process::{Console, PATIENCE, armed, signal},
};

const SESSIONS: usize = 6;
const ACTS: u32 = 16;
const OVER_A_MINUTE: Duration = Duration::from_secs(61);
/// Between two looks at what the broker only answers.
const A_MOMENT: Duration = Duration::from_millis(50);
const CHANNEL: &str = "/api/v1/x/events";

struct Run<'a> {
    home: &'a Path,
    broker: BrokerProcess,
    console: Console,
    sessions: Vec<People>,
    chance: Chance,
}

impl<'a> Run<'a> {
    async fn start(home: &'a Path, seed: u64) -> Self {
        let url = mail_server(&mut Chance(seed)).await;
        let broker = BrokerProcess::start_with_mail_server(home, url).await;
        let console = Console::start(home, &["--base-url", &broker.base_url()]).await;
        let mut run = Self { home, broker, console, sessions: Vec::new(), chance: Chance(seed) };
        for n in 0..SESSIONS {
            let (session, detail) = run.console.new_session(&format!("Customer {n}")).await;
            let pin = detail["pin"]["text"].as_str().unwrap().parse().unwrap();
            run.sessions.push(People::nobody(session, pin));
        }
        run.people_act(false).await;
        run.until_true("the begin").await;
        run
    }

    /// Everybody acts for over a minute, while webhooks and answers are lost, doubled and reordered.
    async fn people_act(&mut self, without_channel: bool) {
        self.set_faults(without_channel).await;
        for _ in 0..ACTS {
            let at = self.chance.index(self.sessions.len());
            self.sessions[at].act(&self.broker, &mut self.chance).await;
        }
        self.broker.advance(OVER_A_MINUTE).await;
    }

    async fn set_faults(&mut self, without_channel: bool) {
        let chance = &mut self.chance;
        let mut rules: Vec<Value> = (0..6)
            .map(|_| {
                let kind = ["drop", "drop_answer", "duplicate", "reorder"][chance.index(4)];
                let after = chance.below(8);
                json!({ "route": "deliver", "kind": kind, "after": after, "times": 1 })
            })
            .collect();
        let (mail, after) = ("/api/v1/email/{address}", chance.below(4));
        rules.push(json!({ "route": mail, "kind": "drop_answer", "after": after, "times": 1 }));
        if without_channel {
            rules.push(json!({ "route": CHANNEL, "kind": "status", "code": 503 }));
        }
        self.broker.set_faults(rules.into()).await;
    }

    /// E-mails are ordered in half of the sessions, at once or for the next event.
    async fn order_mails(&mut self) {
        for people in &mut self.sessions {
            if self.chance.below(2) == 0 {
                let to = format!("{}@example.org", Uuid::new_v4());
                let when = ["now", "next_event"][self.chance.index(2)];
                let to_customer = self.chance.below(2) == 0;
                let order = json!({
                    "do": "mail", "session": people.session, "to": to, "to_customer": to_customer,
                    "when": when,
                });
                let answer = self.console.ask(order).await;
                assert_eq!(answer["reply"], "done", "{answer}");
                people.mailed.push(to);
            }
        }
    }

    async fn start_console(&mut self, words: &[&str]) {
        let base_url = self.broker.base_url();
        let mut all = vec!["--base-url", base_url.as_str()];
        all.extend(words);
        self.console = Console::start(self.home, &all).await;
    }

    async fn happens(&mut self, disaster: Disaster) {
        self.order_mails().await;
        let takes_channel = disaster.takes_channel();
        let refused = self.broker.faults_on(CHANNEL).await;
        match disaster {
            Disaster::Kill(whom) => self.is_killed(whom).await,
            Disaster::WithoutChannel => self.is_killed(Whom::Console).await,
            Disaster::Restart(whom) => self.is_ended(whom).await,
            Disaster::Stop(whom, time) => self.is_stopped(whom, time, takes_channel).await,
        }
        if disaster.ends_broker() {
            for people in &mut self.sessions {
                people.connect_again(&self.broker, &mut self.chance).await;
            }
        }
        self.people_act(takes_channel).await;
        match disaster {
            Disaster::Kill(whom) | Disaster::Restart(whom) if whom.console() => {
                self.start_console(&[]).await;
            }
            Disaster::WithoutChannel => self.start_console(&[]).await,
            Disaster::Kill(_) | Disaster::Restart(_) | Disaster::Stop(..) => {}
        }
        if takes_channel {
            self.channel_is_refused_after(refused).await;
            self.people_act(true).await;
            self.people_act(false).await;
        }
    }

    async fn is_killed(&mut self, whom: Whom) {
        if whom.console() {
            self.console.signal("KILL");
            assert_eq!(self.console.ended().await, None);
        }
        if whom.broker() {
            self.broker.kill().await;
        }
    }

    async fn is_ended(&mut self, whom: Whom) {
        if whom.console() {
            self.console.close_input();
            assert_eq!(self.console.ended().await, Some(0));
        }
        if whom.broker() {
            self.broker.restart().await;
        }
    }

    /// While the console alone is stopped, people act.
    async fn is_stopped(&mut self, whom: Whom, time: Duration, takes_channel: bool) {
        self.set_faults(takes_channel).await;
        let stopped = [
            whom.console().then_some(self.console.pid()),
            whom.broker().then_some(self.broker.pid()),
        ];
        let all = |name: &str| stopped.into_iter().flatten().for_each(|pid| signal(pid, name));
        all("STOP");
        let until_it_goes_on = async {
            // What is tested is time itself.
            tokio::time::sleep(time).await;
            all("CONT");
        };
        match whom {
            Whom::Console => {
                tokio::join!(until_it_goes_on, self.people_act(false));
            }
            Whom::Broker | Whom::Both => until_it_goes_on.await,
        }
    }

    async fn channel_is_refused_after(&self, refused: u64) {
        let is_refused = async {
            while self.broker.faults_on(CHANNEL).await == refused {
                tokio::time::sleep(A_MOMENT).await;
            }
        };
        tokio::time::timeout(PATIENCE, is_refused).await.expect("the channel was never asked for");
    }

    /// Waits until the console shows of every session what the broker knows.
    async fn until_true(&mut self, after: &str) {
        for people in &self.sessions {
            until_shown(people, &self.broker, &mut self.console, after).await;
        }
    }

    /// Waits until the console shows who watches.
    async fn until_viewers_are_counted(&mut self) {
        for people in &self.sessions {
            let watching = people.viewers.len();
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
        let page = Uuid::new_v4();
        self.broker.presence(&people.pin, "viewers", page, true).await;
        people.viewers.push(page);
        self.console.forget();
        self.console.ask(json!({ "do": "show", "session": people.session })).await;
        let count = |detail: &Value| detail["screen"]["watchers"].as_array().map(Vec::len);
        let all = Some(people.viewers.len());
        self.console.detail(&people.session, "one more", |detail| count(detail) == all).await;
        self.console.ask(json!({ "do": "show", "session": shown.session })).await;
        for page in people.viewers.drain(..) {
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
        let truth = Truth::of(people, &self.broker).await;
        panic!("they are still counted: {} and {}, for {truth:?}", last["screen"], last["row"]);
    }

    /// Waits until each e-mail was taken by the mail server or refused.
    async fn mails_end(&self) {
        let end = async {
            loop {
                let mails = self.broker.mails().await;
                let is = |word: &str| mails.iter().any(|(_, state)| state == word);
                if is("waiting") {
                    self.broker.advance(OVER_A_MINUTE).await;
                } else if is("sending") {
                    tokio::time::sleep(A_MOMENT).await;
                } else {
                    return;
                }
            }
        };
        tokio::time::timeout(PATIENCE, end).await.expect("an e-mail is still on its way");
    }

    async fn check_all_was_told_once(&mut self) {
        self.mails_end().await;
        self.console.close_input();
        assert_eq!(self.console.ended().await, Some(0));
        self.start_console(&["--from-seq", "0"]).await;
        let mut known = Vec::new();
        for people in &self.sessions {
            let (broker, console) = (&self.broker, &mut self.console);
            let (truth, detail) = until_shown(people, broker, console, "the last start").await;
            let export = json!({ "do": "export", "session": people.session, "format": "json" });
            let export = self.console.ask(export).await["text"].as_str().unwrap().to_owned();
            for text in &people.said {
                assert_eq!(export.matches(text.as_str()).count(), 1, "{text} is archived once");
            }
            truth.check_events(people, &mut self.console).await;
            check_told_mails(&detail, people, &mut self.console).await;
            known.push((truth, detail));
        }
        // Counted again when nothing more can come: what is told twice may be told late.
        self.console.close_input();
        assert_eq!(self.console.ended().await, Some(0));
        for (people, (truth, detail)) in self.sessions.iter().zip(&known) {
            truth.check_events(people, &mut self.console).await;
            check_told_mails(detail, people, &mut self.console).await;
        }
    }

    async fn end(mut self) {
        self.check_all_was_told_once().await;
    }
}

/// Waits until the console shows of a session what the broker knows: that, and the detail.
async fn until_shown(
    people: &People,
    broker: &BrokerProcess,
    console: &mut Console,
    after: &str,
) -> (Truth, Value) {
    console.forget();
    console.ask(json!({ "do": "show", "session": people.session })).await;
    let mut what = format!("after {after}: a detail");
    for seen in 0_u32.. {
        let mut at = 0;
        let is_next = |_: &Value| {
            at += 1;
            at > seen
        };
        let detail = console.detail(&people.session, &what, is_next).await;
        // Asked each time, since e-mails and deadlines go on by themselves: what the broker knew when the detail was
        // made, or something newer of which the console is still told.
        let truth = Truth::of(people, broker).await;
        if truth.is_shown(people, &detail) {
            return (truth, detail);
        }
        what = format!("after {after}: {truth:?}, and not {detail}");
    }
    unreachable!()
}

/// A mail server that takes most e-mails, refuses some and puts others off, by the seed.
async fn mail_server(chance: &mut Chance) -> String {
    let does = |chance: &mut Chance| match chance.below(6) {
        0 => Does::Answer("550 5.1.1 no such user"),
        1 => Does::Answer("451 4.3.0 try again later"),
        2 => Does::Drop,
        _ => Does::Take,
    };
    let does = (0..24).map(|_| does(chance)).chain([Does::Take]).collect();
    mail_tests::server(&[], does).await.0
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
