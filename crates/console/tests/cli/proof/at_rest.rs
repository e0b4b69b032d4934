//! The console is held against the broker once nothing happens any more.

use serde_json::{Value, json};
use tokio::time::{Instant, sleep, timeout};

use super::{
    A_MOMENT, MINUTES, OVER_A_MINUTE, Run,
    people::People,
    told::Told,
    truth::{Outbox, Truth},
};
use crate::{
    broker_process::BrokerProcess,
    process::{Console, PATIENCE},
};

impl Run<'_> {
    /// Waits until the console has of every session what the broker knows. All are asked about, then again those that
    /// differ; for as long as they become fewer there is time.
    pub async fn until_true(&mut self, after: &str) {
        let mut left: Vec<&People> = self.sessions.iter().collect();
        let mut end = Instant::now() + PATIENCE;
        loop {
            let outbox = self.broker.mails().await;
            let (mut differ, mut last) = (Vec::new(), String::new());
            for people in &left {
                let detail = self.console.ask_detail(&people.session).await;
                let truth = Truth::of(people, &self.broker, &outbox).await;
                if !truth.is_shown(people, &detail) {
                    last = format!("{truth:?}, and not {detail}");
                    differ.push(*people);
                }
            }
            if differ.is_empty() {
                return;
            }
            if differ.len() < left.len() {
                end = Instant::now() + PATIENCE;
            }
            assert!(Instant::now() < end, "after {after} {} differ: {last}", differ.len());
            left = differ;
            sleep(A_MOMENT).await;
        }
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
                    sleep(A_MOMENT).await;
                } else {
                    return;
                }
            }
        };
        timeout(PATIENCE, end).await.expect("an e-mail is still on its way");
    }

    /// Everything that ever happened is counted.
    pub async fn end(mut self) {
        while self.minutes < MINUTES {
            self.people_act(false).await;
        }
        self.until_true("the last minute").await;
        self.mails_end().await;
        self.starts_anew(&["--from-seq", "0"]).await;
        self.until_true("the last start").await;
        let (outbox, mut expected) = (self.broker.mails().await, Told::default());
        for people in &self.sessions {
            let (truth, detail) =
                until_shown(people, &self.broker, &outbox, &mut self.console).await;
            check_archive(people, &mut self.console).await;
            truth.check_taken(people, &self.mail_server);
            truth.expect_events(people, &mut expected);
            expected.mails(&people.session, &detail);
        }
        expected.clone().until_all(&mut self.console).await;
        // Counted again when nothing more can come: what is told twice may be told late.
        self.ends_in_good_order().await;
        expected.check_is_just(self.console.said());
    }

    async fn starts_anew(&mut self, words: &[&str]) {
        self.ends_in_good_order().await;
        self.start_console(words).await;
    }

    async fn ends_in_good_order(&mut self) {
        self.console.close_input();
        assert_eq!(self.console.ended().await, Some(0));
    }
}

/// Every message that the broker acknowledged is archived once.
async fn check_archive(people: &People, console: &mut Console) {
    let export = json!({ "do": "export", "session": people.session, "format": "json" });
    let export = console.ask(export).await["text"].as_str().unwrap().to_owned();
    for text in &people.said {
        assert_eq!(export.matches(text.as_str()).count(), 1, "{text} is archived once");
    }
}

/// Waits until the console has pushed of a session what the broker knows: that, and the detail.
async fn until_shown(
    people: &People,
    broker: &BrokerProcess,
    outbox: &Outbox,
    console: &mut Console,
) -> (Truth, Value) {
    console.forget();
    console.ask(json!({ "do": "show", "session": people.session })).await;
    let mut what = "a detail".to_owned();
    for seen in 0_u32.. {
        let mut at = 0;
        let is_next = |_: &Value| {
            at += 1;
            at > seen
        };
        let detail = console.detail(&people.session, &what, is_next).await;
        let truth = Truth::of(people, broker, outbox).await;
        if truth.is_shown(people, &detail) {
            return (truth, detail);
        }
        what = format!("{truth:?}, and not {detail}");
    }
    unreachable!()
}
