//! What the broker itself knows of a session, against what the console says.

use mail_tests::Taken;
use serde_json::Value;
use system_tests::word::{Words, by_facts};
use wire::{HookType, session_events::SessionFacts};

use super::{
    people::People,
    told::{self, Told},
};
use crate::broker_process::BrokerProcess;

/// The e-mails that the broker was asked to send: to whom, and how far each has come.
pub type Outbox = [(String, String)];

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
    pub async fn of(people: &People, broker: &BrokerProcess, outbox: &Outbox) -> Self {
        let facts = broker.facts(&people.pin).await;
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
    pub fn expect_events(&self, people: &People, told: &mut Told) {
        for (hook, event) in HookType::ALL.into_iter().zip(told::HOOKS) {
            told.expect(&people.session, event, self.facts.happened[hook.index()]);
        }
    }

    /// No e-mail was taken twice, and each that is said to have been handed over was taken. Of one that a broker was
    /// just handing over when it was killed nobody knows, so that one is refused.
    pub fn check_taken(&self, people: &People, mail_server: &Taken) {
        for (to, is) in people.mailed.iter().zip(&self.mails) {
            let most = usize::from(is.is_some());
            let least = usize::from(*is == Some("handed_over"));
            let taken = mail_server.times(to);
            assert!((least..=most).contains(&taken), "{to} is {is:?} and was taken {taken} times");
        }
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
