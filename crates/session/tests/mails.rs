//! E-mails by the service's answer and the broker's own word: in every order in which these can come, no mail is said
//! to be further than it is known to be, and what is told is told once.

#![allow(clippy::unwrap_used)]

mod broker_word;
mod told;

use std::time::Duration;

use session::{
    Effect, Event, Failure, Input, MailEvent, Observation, ObservedSide,
    mail::{Order, Status, Template, When},
};
use wire::session_events::{MailFacts, MailState};

use told::{T0, Told};

/// A session, and a broker with the mails that it has of it.
struct Pair {
    session: Told,
    /// What the last input asked for.
    effects: Vec<Effect>,
    mails: Vec<MailFacts>,
    revision: u64,
}

impl Pair {
    /// A live session with these orders.
    fn with(orders: &[When]) -> Self {
        let (session, effects, mails) = (Told::live(), Vec::new(), Vec::new());
        let mut pair = Self { session, effects, mails, revision: 1 };
        for &when in orders {
            pair.tell(Input::MailOrdered {
                to: "maria@example.com".into(),
                template: Template::ToCustomer,
                name: "Anna".into(),
                when,
                by: "anna".into(),
            });
        }
        pair.session.events.clear();
        pair
    }

    fn tell(&mut self, input: Input) {
        self.effects = self.session.tell(input);
    }

    fn mail_events(&self) -> Vec<&'static str> {
        let mails = self.session.events.iter().filter(|event| matches!(event, Event::Mail(_)));
        mails.map(|event| event.facts().name()).collect()
    }

    /// The broker says what has become of its mails; a mail that is new to it comes last.
    fn says(&mut self, id: &str, state: MailState, reason: Option<&str>) {
        let mail = MailFacts { id: id.into(), state, reason: reason.map(str::to_owned) };
        match self.mails.iter_mut().find(|known| known.id == mail.id) {
            Some(known) => *known = mail,
            None => self.mails.push(mail),
        }
        self.revision += 1;
        self.observe();
    }

    fn observe(&mut self) {
        self.tell(Input::Observed(Box::new(Observation {
            revision: self.revision,
            mails: self.mails.clone(),
            ..broker_word::of_a_new_session()
        })));
    }

    fn accepted(&mut self, id: u32, mail: &str) {
        self.tell(Input::MailAccepted { id, mail: Some(mail.into()) });
    }

    fn order(&self, place: usize) -> &Order {
        &self.session.state.record.mail[place]
    }

    fn fate(&self, place: usize) -> Option<MailState> {
        self.order(place).fate.as_ref().map(|fate| fate.state)
    }

    fn sends(&self) -> usize {
        self.effects.iter().filter(|effect| matches!(effect, Effect::SendMail { .. })).count()
    }
}

/// Somebody came and left while nobody looked: what an e-mail says of that is not so any more.
#[test]
fn nobody_is_written_to_about_somebody_who_has_left_again() {
    let mut pair = Pair::with(&[When::NextEvent]);
    pair.observe();
    let seen = |revision, viewers, happened| Observation {
        revision,
        viewers,
        happened,
        ..broker_word::of_a_new_session()
    };
    let gone = ObservedSide::Offline { since: T0.plus(Duration::from_secs(9)) };
    pair.tell(Input::Observed(Box::new(seen(2, gone, [0, 1, 0, 1]))));
    assert_eq!((pair.sends(), pair.order(0).status), (0, Status::Waiting));
    let back = ObservedSide::Online { since: T0.plus(Duration::from_secs(99)) };
    pair.tell(Input::Observed(Box::new(seen(3, back, [0, 2, 0, 1]))));
    assert_eq!(pair.sends(), 1);
}

#[test]
fn each_step_of_a_mail_is_told_once_whichever_of_answer_and_word_comes_first() {
    for answer_first in [true, false] {
        let mut pair = Pair::with(&[When::Now]);
        if answer_first {
            pair.accepted(1, "a");
            pair.says("a", MailState::Queued, None);
        } else {
            pair.says("a", MailState::Queued, None);
            pair.accepted(1, "a");
        }
        assert_eq!(pair.mail_events(), ["mail_sent"]);
        pair.says("a", MailState::Queued, Some("451 later"));
        pair.says("a", MailState::Queued, Some("451 later still"));
        pair.says("a", MailState::HandedOver, None);
        pair.observe();
        assert_eq!(pair.mail_events(), ["mail_sent", "mail_delayed", "mail_handed_over"]);
        assert!(!pair.order(0).can_be_repeated());
    }
}

#[test]
fn the_end_can_come_before_the_answer() {
    let mut pair = Pair::with(&[When::Now]);
    pair.says("a", MailState::Refused, Some("550 no such user"));
    assert_eq!((pair.fate(0), pair.mail_events()), (None, vec![]));
    pair.accepted(1, "a");
    assert_eq!(pair.fate(0), Some(MailState::Refused));
    assert_eq!(pair.mail_events(), ["mail_sent", "mail_refused"]);
}

#[test]
fn a_mail_is_sent_again_only_where_it_is_known_or_feared_not_to_have_gone() {
    let repeat = |pair: &mut Pair| {
        pair.tell(Input::MailRepeated { id: 1 });
        pair.sends()
    };
    for (state, reason, sends) in [
        (MailState::Queued, None, 0),
        (MailState::HandedOver, None, 0),
        (MailState::NotSent, Some("no mail server is configured"), 1),
        (MailState::Refused, Some("550 no such user"), 1),
    ] {
        let mut pair = Pair::with(&[When::Now]);
        pair.accepted(1, "a");
        pair.says("a", state, reason);
        assert_eq!(repeat(&mut pair), sends, "{state:?}");
        assert_eq!(repeat(&mut pair), 0, "it is under way");
        pair.accepted(1, "b");
        pair.says("b", MailState::HandedOver, None);
        assert_eq!(pair.fate(0), Some(if sends == 1 { MailState::HandedOver } else { state }));
    }
    let mut accepted = Pair::with(&[When::Now]);
    accepted.tell(Input::MailAccepted { id: 1, mail: None });
    assert_eq!(repeat(&mut accepted), 0, "a hosted service may have sent it");
    for failure in [Failure::Unreachable, Failure::TimedOut] {
        let mut failed = Pair::with(&[When::Now]);
        failed.tell(Input::MailFailed { id: 1, failure });
        assert_eq!(repeat(&mut failed), 1);
    }
}

#[test]
fn a_mail_without_an_answer_is_found_among_the_brokers_where_no_other_can_be_meant() {
    let mut pair = Pair::with(&[When::Now]);
    pair.says("a", MailState::Queued, None);
    pair.tell(Input::MailFailed { id: 1, failure: Failure::TimedOut });
    assert_eq!(pair.mail_events(), ["mail_failed"]);
    pair.says("a", MailState::Refused, Some("550 no such user"));
    assert_eq!(pair.mail_events(), ["mail_failed", "mail_refused"]);

    // It never came to the broker.
    let mut pair = Pair::with(&[When::Now]);
    pair.tell(Input::MailFailed { id: 1, failure: Failure::TimedOut });
    pair.observe();
    assert_eq!(pair.order(0).status, Status::MaybeSent);

    // Two are in doubt and one came.
    let mut pair = Pair::with(&[When::Now, When::Now]);
    for id in [1, 2] {
        pair.tell(Input::MailFailed { id, failure: Failure::TimedOut });
    }
    pair.says("a", MailState::HandedOver, None);
    assert!([0, 1].iter().all(|&place| pair.order(place).status == Status::MaybeSent));

    // Both came, in whatever order: which is whose?
    let mut pair = Pair::with(&[When::Now, When::Now]);
    for id in [1, 2] {
        pair.tell(Input::MailFailed { id, failure: Failure::TimedOut });
    }
    pair.mails = [("b", MailState::HandedOver), ("a", MailState::Refused)]
        .map(|(id, state)| MailFacts { id: id.into(), state, reason: None })
        .to_vec();
    pair.revision += 1;
    pair.observe();
    assert!([0, 1].iter().all(|&place| pair.order(place).status == Status::MaybeSent));

    // The other one's answer is still on its way.
    let mut pair = Pair::with(&[When::Now, When::Now]);
    pair.tell(Input::MailFailed { id: 1, failure: Failure::TimedOut });
    pair.says("b", MailState::HandedOver, None);
    assert_eq!(pair.order(0).status, Status::MaybeSent);
    pair.accepted(2, "b");
    assert_eq!(
        (pair.order(0).status, pair.fate(1)),
        (Status::MaybeSent, Some(MailState::HandedOver))
    );
}

#[test]
fn after_a_start_the_first_word_says_what_became_of_it() {
    let mut pair = Pair::with(&[When::Now]);
    pair.accepted(1, "a");
    pair.says("a", MailState::Queued, None);
    pair.session.restart();
    pair.says("a", MailState::HandedOver, None);
    assert_eq!(pair.mail_events(), ["mail_sent", "mail_handed_over"]);
}

#[test]
fn a_record_of_before_reads_as_accepted() {
    let order: Order = serde_json::from_str(
        r#"{"id":1,"to":"maria@example.com","template":"to_customer","name":"Anna","when":"now",
            "by":"anna","status":{"is":"sent","at":1700000000000}}"#,
    )
    .unwrap();
    assert_eq!(order.status, Status::Accepted { at: T0 });
    assert!(!order.can_be_repeated());
}

#[test]
fn no_line_says_that_a_mail_arrived() {
    let (id, template, reason) = (1, Template::ToCustomer, "550 no such user".to_owned());
    let log = session::LogContext { created_by: "anna", at: T0, clock: &|_| "14:00".into() };
    for event in [
        MailEvent::MailSent { id, template },
        MailEvent::MailKept { id, template },
        MailEvent::MailDelayed { id, template, reason: reason.clone() },
        MailEvent::MailHandedOver { id, template },
        MailEvent::MailRefused { id, template, reason },
    ] {
        let event = Event::from(event);
        for text in [event.facts().notice("HD-1").text, event.facts().log_line(&log).text] {
            assert!(!text.ends_with("sent") && !text.contains("delivered"), "{text}");
        }
    }
}
