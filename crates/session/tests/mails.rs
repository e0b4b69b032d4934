//! E-mails by the service's answer and the broker's own word: in every order in which these can come, no mail is said
//! to be further than it is known to be, and what is told is told once.

#![allow(clippy::unwrap_used)]

mod broker_word;

use std::time::Duration;

use session::{
    About, Effect, Event, Failure, Input, MailEvent, Observation, ObservedSide, State, Timestamp,
    mail::{Order, Status, Template, When},
    step,
};
use wire::session_events::{MailFacts, MailState};

const T0: Timestamp = Timestamp(1_700_000_000_000);

struct Told {
    state: State,
    events: Vec<&'static str>,
    effects: Vec<Effect>,
    mails: Vec<MailFacts>,
    revision: u64,
}

impl Told {
    /// A live session with these orders.
    fn with(orders: &[When]) -> Self {
        let state = State::new(About::default(), "anna".into(), T0);
        let (events, effects, mails) = (Vec::new(), Vec::new(), Vec::new());
        let mut told = Self { state, events, effects, mails, revision: 1 };
        let region: wire::Region = "us-east-1".parse().unwrap();
        let expires = T0.plus(Duration::from_secs(86_400));
        told.tell(Input::RegionChosen { region: region.clone() });
        told.tell(Input::Allocated { region, expires });
        for &when in orders {
            told.tell(Input::MailOrdered {
                to: "maria@example.com".into(),
                template: Template::ToCustomer,
                name: "Anna".into(),
                when,
                by: "anna".into(),
            });
        }
        told.events.clear();
        told
    }

    fn tell(&mut self, input: Input) {
        let transition = step(self.state.clone(), input, T0);
        self.state = transition.state;
        self.effects = transition.effects;
        let mails = transition.events.iter().filter(|event| matches!(event, Event::Mail(_)));
        self.events.extend(mails.map(|event| event.facts().name()));
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
        &self.state.record.mail[place]
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
    let mut told = Told::with(&[When::NextEvent]);
    told.observe();
    let seen = |revision, viewers, happened| Observation {
        revision,
        viewers,
        happened,
        ..broker_word::of_a_new_session()
    };
    let gone = ObservedSide::Offline { since: T0.plus(Duration::from_secs(9)) };
    told.tell(Input::Observed(Box::new(seen(2, gone, [0, 1, 0, 1]))));
    assert_eq!((told.sends(), told.order(0).status), (0, Status::Waiting));
    let back = ObservedSide::Online { since: T0.plus(Duration::from_secs(99)) };
    told.tell(Input::Observed(Box::new(seen(3, back, [0, 2, 0, 1]))));
    assert_eq!(told.sends(), 1);
}

#[test]
fn each_step_of_a_mail_is_told_once_whichever_of_answer_and_word_comes_first() {
    for answer_first in [true, false] {
        let mut told = Told::with(&[When::Now]);
        if answer_first {
            told.accepted(1, "a");
            told.says("a", MailState::Queued, None);
        } else {
            told.says("a", MailState::Queued, None);
            told.accepted(1, "a");
        }
        assert_eq!(told.events, ["mail_sent"]);
        told.says("a", MailState::Queued, Some("451 later"));
        told.says("a", MailState::Queued, Some("451 later still"));
        told.says("a", MailState::HandedOver, None);
        told.observe();
        assert_eq!(told.events, ["mail_sent", "mail_delayed", "mail_handed_over"]);
        assert!(!told.order(0).can_be_repeated());
    }
}

#[test]
fn the_end_can_come_before_the_answer() {
    let mut told = Told::with(&[When::Now]);
    told.says("a", MailState::Refused, Some("550 no such user"));
    assert_eq!((told.fate(0), &told.events[..]), (None, &[][..]));
    told.accepted(1, "a");
    assert_eq!(told.fate(0), Some(MailState::Refused));
    assert_eq!(told.events, ["mail_sent", "mail_refused"]);
}

#[test]
fn a_mail_is_sent_again_only_where_it_is_known_or_feared_not_to_have_gone() {
    let repeat = |told: &mut Told| {
        told.tell(Input::MailRepeated { id: 1 });
        told.sends()
    };
    for (state, reason, sends) in [
        (MailState::Queued, None, 0),
        (MailState::HandedOver, None, 0),
        (MailState::NotSent, Some("no mail server is configured"), 1),
        (MailState::Refused, Some("550 no such user"), 1),
    ] {
        let mut told = Told::with(&[When::Now]);
        told.accepted(1, "a");
        told.says("a", state, reason);
        assert_eq!(repeat(&mut told), sends, "{state:?}");
        assert_eq!(repeat(&mut told), 0, "it is under way");
        told.accepted(1, "b");
        told.says("b", MailState::HandedOver, None);
        assert_eq!(told.fate(0), Some(if sends == 1 { MailState::HandedOver } else { state }));
    }
    let mut accepted = Told::with(&[When::Now]);
    accepted.tell(Input::MailAccepted { id: 1, mail: None });
    assert_eq!(repeat(&mut accepted), 0, "a hosted service may have sent it");
    for failure in [Failure::Unreachable, Failure::TimedOut] {
        let mut failed = Told::with(&[When::Now]);
        failed.tell(Input::MailFailed { id: 1, failure });
        assert_eq!(repeat(&mut failed), 1);
    }
}

#[test]
fn a_mail_without_an_answer_is_found_among_the_brokers_where_no_other_can_be_meant() {
    let mut told = Told::with(&[When::Now]);
    told.says("a", MailState::Queued, None);
    told.tell(Input::MailFailed { id: 1, failure: Failure::TimedOut });
    assert_eq!(told.events, ["mail_failed"]);
    told.says("a", MailState::Refused, Some("550 no such user"));
    assert_eq!(told.events, ["mail_failed", "mail_refused"]);

    // It never came to the broker.
    let mut told = Told::with(&[When::Now]);
    told.tell(Input::MailFailed { id: 1, failure: Failure::TimedOut });
    told.observe();
    assert_eq!(told.order(0).status, Status::MaybeSent);

    // Two are in doubt and one came.
    let mut told = Told::with(&[When::Now, When::Now]);
    for id in [1, 2] {
        told.tell(Input::MailFailed { id, failure: Failure::TimedOut });
    }
    told.says("a", MailState::HandedOver, None);
    assert!([0, 1].iter().all(|&place| told.order(place).status == Status::MaybeSent));

    // Both came, in whatever order: which is whose?
    let mut told = Told::with(&[When::Now, When::Now]);
    for id in [1, 2] {
        told.tell(Input::MailFailed { id, failure: Failure::TimedOut });
    }
    told.mails = [("b", MailState::HandedOver), ("a", MailState::Refused)]
        .map(|(id, state)| MailFacts { id: id.into(), state, reason: None })
        .to_vec();
    told.revision += 1;
    told.observe();
    assert!([0, 1].iter().all(|&place| told.order(place).status == Status::MaybeSent));

    // The other one's answer is still on its way.
    let mut told = Told::with(&[When::Now, When::Now]);
    told.tell(Input::MailFailed { id: 1, failure: Failure::TimedOut });
    told.says("b", MailState::HandedOver, None);
    assert_eq!(told.order(0).status, Status::MaybeSent);
    told.accepted(2, "b");
    assert_eq!(
        (told.order(0).status, told.fate(1)),
        (Status::MaybeSent, Some(MailState::HandedOver))
    );
}

#[test]
fn after_a_start_the_first_word_says_what_became_of_it() {
    let mut told = Told::with(&[When::Now]);
    told.accepted(1, "a");
    told.says("a", MailState::Queued, None);
    told.state = State::restored(told.state.record.clone());
    told.tell(Input::Restored { since: T0 });
    told.says("a", MailState::HandedOver, None);
    assert_eq!(told.events, ["mail_sent", "mail_handed_over"]);
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
    let log = session::LogContext { created_by: "anna", clock: &|_| "14:00".into() };
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
