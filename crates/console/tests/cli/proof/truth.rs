//! What the broker itself knows of a session, against what the console says.

use serde_json::Value;
use system_tests::word::{Words, by_facts};
use wire::{HookType, session_events::SessionFacts};

use super::people::People;
use crate::{broker_process::BrokerProcess, process::Console};

/// A session by the broker's own word.
#[derive(Debug)]
pub struct Truth {
    words: Words,
    facts: SessionFacts,
    /// How far each e-mail has come, in the console's words, in the order in which they were ordered; none of one that
    /// never came to the broker.
    mails: Vec<Option<&'static str>>,
}

impl Truth {
    pub async fn of(people: &People, broker: &BrokerProcess) -> Self {
        let (facts, outbox) = (broker.facts(&people.pin).await, broker.mails().await);
        let mails = people.mailed.iter().map(|address| {
            let mut states = outbox.iter().filter(|(to, _)| to == address);
            let state = states.next().map(|(_, state)| in_words(state));
            assert!(states.next().is_none(), "the e-mail to {address} went out twice: {outbox:?}");
            state
        });
        let mails = mails.collect();
        Self { words: by_facts(&facts), facts, mails }
    }

    /// Whether the console shows just that.
    pub fn is_shown(&self, people: &People, detail: &Value) -> bool {
        detail["row"]["state"]["kind"] == self.words.state
            && detail["presenter"]["is"] == self.words.presenter
            && detail["viewers"]["is"] == self.words.viewers
            && detail["chat_total"] == self.facts.messages
            && people.mailed.iter().zip(&self.mails).all(|(to, is)| shows_mail(detail, to, *is))
    }

    /// Each event is told once, by webhook or channel. One that a newer one has overtaken is told, too.
    pub async fn check_events(&self, people: &People, console: &mut Console) {
        let names = ["presenter_online", "viewer_joined", "presenter_offline", "viewers_gone"];
        for (hook, name) in HookType::ALL.into_iter().zip(names) {
            told_just(self.facts.happened[hook.index()], name, people, console).await;
        }
    }
}

/// Each end of an e-mail is told once. No e-mail is under way any more.
pub async fn check_told_mails(detail: &Value, people: &People, console: &mut Console) {
    for (state, name) in [("handed_over", "mail_handed_over"), ("refused", "mail_refused")] {
        let mails = detail["mails"].as_array().unwrap().iter();
        let ended = mails.filter(|mail| mail["state"] == state).count() as u64;
        told_just(ended, name, people, console).await;
    }
}

/// Waits until an event of a session was told so often; it is never told more often.
async fn told_just(times: u64, name: &str, people: &People, console: &mut Console) {
    let is = |line: &&Value| {
        line["push"] == "happening" && line["session"] == people.session && line["event"] == name
    };
    loop {
        let told = console.said().iter().filter(is).count() as u64;
        assert!(told <= times, "{name} was told {told} times and not {times}");
        if told == times {
            return;
        }
        console.forget();
        let what = format!("{name}, told {told} times and not {times}");
        console.until(&what, |line| line["push"] == "happening").await;
    }
}

/// Whether an e-mail is shown as the broker has it. Whoever was killed while the broker was asked may know less, but
/// only of several at once: a single one is found among the broker's.
fn shows_mail(detail: &Value, to: &str, is: Option<&str>) -> bool {
    let others = detail["mails"].as_array().unwrap().iter().filter(|mail| mail["to"] != to);
    let is_one_of_several = others.map(|mail| &mail["state"]).any(|state| state == "maybe_sent");
    let mut shown = detail["mails"].as_array().unwrap().iter().filter(|mail| mail["to"] == to);
    let (Some(mail), None) = (shown.next(), shown.next()) else { return false };
    match (mail["state"].as_str().unwrap(), is) {
        ("maybe_sent", Some(_)) => is_one_of_several,
        ("maybe_sent" | "waiting" | "failed", None) => true,
        (shown, Some(is)) => shown == is,
        (_, None) => false,
    }
}

/// The outbox's word in those of the console.
fn in_words(outbox: &str) -> &'static str {
    match outbox {
        "kept" => "not_sent",
        "sending" | "waiting" => "queued",
        "sent" => "handed_over",
        "failed" => "refused",
        other => panic!("{other} is no word of the outbox"),
    }
}
