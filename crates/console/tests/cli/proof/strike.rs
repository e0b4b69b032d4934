//! What happens: people act, faults are made, and disasters strike while webhooks and e-mails are under way.

use std::time::Duration;

use serde_json::json;
use system_tests::fault_plan::DELIVERIES;
use tokio::{
    task::JoinHandle,
    time::{sleep, timeout},
};
use uuid::Uuid;

use super::{
    A_MOMENT, ACTS, OVER_A_MINUTE, Run,
    disaster::{Disaster, Whom},
    faults::{self, CHANNEL},
};
use crate::process::{Console, PATIENCE, signal};

impl Run<'_> {
    /// Everybody acts for over a minute, with faults.
    pub async fn people_act(&mut self, without_channel: bool) {
        self.broker.set_faults(&faults::of_a_minute(&mut self.chance, without_channel)).await;
        self.some_act(ACTS).await;
        self.broker.advance(OVER_A_MINUTE).await;
        self.minutes += 1;
    }

    async fn some_act(&mut self, times: u32) {
        for _ in 0..times {
            let at = self.chance.index(self.sessions.len());
            self.sessions[at].act(&self.broker, &mut self.chance).await;
        }
    }

    pub async fn happens(&mut self, disaster: Disaster) {
        let takes_channel = disaster.takes_channel();
        let refused = self.broker.faults_on(CHANNEL).await;
        let webhooks = self.webhooks_are_under_way(takes_channel).await;
        self.order_mails().await;
        match disaster {
            Disaster::Kill(whom) => self.is_killed(whom).await,
            Disaster::WithoutChannel => self.is_killed(Whom::Console).await,
            Disaster::Restart(whom) => self.is_ended(whom).await,
            Disaster::Stop(whom, time) => self.is_stopped(whom, time).await,
        }
        webhooks.abort();
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

    /// People act, and all webhooks of that are let go at once; the first has just been sent when this returns.
    async fn webhooks_are_under_way(&mut self, without_channel: bool) -> JoinHandle<()> {
        self.broker.set_faults(&faults::that_linger(&mut self.chance, without_channel)).await;
        let before = self.broker.seen_on(DELIVERIES).await;
        self.broker.hold_deliveries().await;
        self.some_act(ACTS / 2).await;
        let webhooks = self.broker.let_deliveries_go();
        let first = self.until_one_is_sent_after(before, &webhooks);
        timeout(PATIENCE, first).await.expect("no webhook was sent");
        webhooks
    }

    async fn until_one_is_sent_after(&mut self, before: u64, webhooks: &JoinHandle<()>) {
        for nth in 0.. {
            let all_are_made = webhooks.is_finished();
            if self.broker.seen_on(DELIVERIES).await > before {
                return;
            }
            // None of what people did had an armed hook.
            if all_are_made {
                let at = nth % self.sessions.len();
                self.sessions[at].presenter_comes(&self.broker).await;
            }
        }
    }

    /// E-mails are ordered in some of the sessions, at once or for the next event.
    async fn order_mails(&mut self) {
        for people in &mut self.sessions {
            if self.chance.below(4) == 0 {
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

    pub async fn start_console(&mut self, words: &[&str]) {
        let base_url = self.broker.base_url();
        let mut all = vec!["--base-url", base_url.as_str()];
        all.extend(words);
        self.console = Console::start(self.home, &all).await;
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
    async fn is_stopped(&mut self, whom: Whom, time: Duration) {
        let stopped = [
            whom.console().then_some(self.console.pid()),
            whom.broker().then_some(self.broker.pid()),
        ];
        let all = |name: &str| stopped.into_iter().flatten().for_each(|pid| signal(pid, name));
        all("STOP");
        let until_it_goes_on = async {
            // What is tested is time itself.
            sleep(time).await;
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
                sleep(A_MOMENT).await;
            }
        };
        timeout(PATIENCE, is_refused).await.expect("the channel was never asked for");
    }
}
