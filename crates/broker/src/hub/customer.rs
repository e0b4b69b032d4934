//! How far a session's customer has come before a program of theirs is online.
//!
//! What was seen last counts, with two exceptions: a page that opens or closes says less than a download or an answer,
//! and a question that is on the screen says more than anything else.

use std::{collections::BTreeSet, time::Duration};

use serde::{Deserialize, Serialize};
use serve::Millis;
use wire::{session_events::Arrival, shared_screen::SharingEnd};

use super::presence::{ConnectionId, millis_between};

/// What comes again before so much quiet has passed is the same incident: consoles tell each one loudly, and whoever has
/// the PIN can try in a loop for as long as they like.
const QUIET: Duration = Duration::from_secs(60);

/// What was seen of the customer. None of it is presence, and none of it fires a hook.
#[derive(Debug, Clone, Default)]
pub struct Customer {
    open_pages: BTreeSet<ConnectionId>,
    /// Since when a page has been open, or none any more.
    page_since: Option<Millis>,
    downloaded: Option<Millis>,
    /// The program that asks them at present.
    asking: Option<(ConnectionId, Millis)>,
    answer: Option<(Answer, Millis)>,
    other_program: Option<Incident>,
    /// When one came last, which may be long after the incident began.
    other_program_again: Option<Millis>,
    /// Why their program ended the sharing, until one is online again.
    sharing_end: Option<(SharingEnd, Incident)>,
    /// When it was said last.
    sharing_end_again: Option<Millis>,
    /// The number of the last incident.
    incidents: u64,
}

/// Something that consoles are told once, however often they are told that it was so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Incident {
    pub at: Millis,
    /// Its number among those of its session.
    number: u64,
}

impl Incident {
    /// A text that no other incident of the session has, also where numbers come again because the store was put back
    /// from a copy.
    pub fn id(self) -> String {
        format!("{}-{}", self.number, self.at.0)
    }
}

/// What the customer answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    Declined,
    /// Or there was nothing to ask.
    Agreed,
}

/// What is stored of it. Connections don't survive a restart.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct StoredCustomer {
    #[serde(default)]
    page_open: bool,
    #[serde(default)]
    page_since_ms: Option<i64>,
    #[serde(default)]
    downloaded_ms: Option<i64>,
    #[serde(default)]
    answer: Option<(Answer, i64)>,
    #[serde(default)]
    other_program_ms: Option<i64>,
    #[serde(default)]
    sharing_end: Option<(SharingEnd, i64)>,
    #[serde(default)]
    other_program_again_ms: Option<i64>,
    #[serde(default)]
    sharing_end_again_ms: Option<i64>,
    #[serde(default)]
    incidents: u64,
    #[serde(default)]
    other_program_number: u64,
    #[serde(default)]
    sharing_end_number: u64,
}

impl Customer {
    /// A page of the customer connects.
    pub fn page_opened(&mut self, id: ConnectionId, now: Millis) {
        if self.open_pages.is_empty() {
            self.page_since = Some(now);
        }
        self.open_pages.insert(id);
    }

    /// The connection of a page ends.
    pub fn page_closed(&mut self, id: ConnectionId, now: Millis) {
        if self.open_pages.remove(&id) && self.open_pages.is_empty() {
            self.page_since = Some(now);
        }
    }

    /// The program is downloaded for this session.
    pub const fn downloaded(&mut self, now: Millis) {
        self.downloaded = Some(now);
    }

    /// A program asks whether they agree.
    pub const fn asked(&mut self, id: ConnectionId, now: Millis) {
        self.asking = Some((id, now));
    }

    /// They answer the question that this program asks; false if it is none that is asked at present.
    pub fn answered(&mut self, id: ConnectionId, answer: Answer, now: Millis) -> bool {
        let answered = self.stopped_asking(id);
        if answered {
            self.answer = Some((answer, now));
        }
        answered
    }

    /// A program's question is no longer on the screen; false if it was answered or replaced before.
    pub fn stopped_asking(&mut self, id: ConnectionId) -> bool {
        self.asking.take_if(|(asking, _)| *asking == id).is_some()
    }

    /// A program of theirs is online, and from here on the presence tells. `others` if another one was.
    pub fn came_online(&mut self, others: bool, now: Millis) {
        self.sharing_end = None;
        let known = matches!(self.settled(), Some((Answer::Agreed, _)));
        if !known {
            self.answer = Some((Answer::Agreed, now));
        }
        if others {
            self.saw_other_program(now);
        }
    }

    /// A second program came with this session's PIN. Tries that go on are one incident.
    pub fn saw_other_program(&mut self, now: Millis) {
        if self.other_program.is_none() || !is_again(self.other_program_again, now) {
            self.other_program = Some(self.incident(now));
        }
        self.other_program_again = Some(now);
    }

    /// When the last incident of a second program began.
    pub const fn other_program(&self) -> Option<Incident> {
        self.other_program
    }

    /// Their program says why it ends the sharing. Said again and again, it is one incident.
    pub fn ended_sharing(&mut self, why: SharingEnd, now: Millis) {
        let is_known = self.sharing_end.is_some_and(|(known, _)| known == why);
        if !is_known || !is_again(self.sharing_end_again, now) {
            self.sharing_end = Some((why, self.incident(now)));
        }
        self.sharing_end_again = Some(now);
    }

    const fn incident(&mut self, at: Millis) -> Incident {
        self.incidents += 1;
        Incident { at, number: self.incidents }
    }

    /// Why their program ended the sharing, and when; none while one is online.
    pub const fn sharing_end(&self) -> Option<(SharingEnd, Incident)> {
        self.sharing_end
    }

    /// How far they have come.
    pub fn arrival(&self, now: Millis) -> Arrival {
        let for_ms = |since| millis_between(since, now);
        if let Some((_, since)) = self.asking {
            return Arrival::Asked { for_ms: for_ms(since) };
        }
        match (self.settled(), self.downloaded, self.page_since) {
            (Some((Answer::Agreed, at)), ..) => Arrival::Agreed { for_ms: for_ms(at) },
            (Some((Answer::Declined, at)), ..) => Arrival::Declined { for_ms: for_ms(at) },
            (None, Some(at), _) => {
                Arrival::Downloaded { for_ms: for_ms(at), page_open: !self.open_pages.is_empty() }
            }
            (None, None, None) => Arrival::Nothing,
            (None, None, Some(since)) if self.open_pages.is_empty() => {
                Arrival::PageClosed { for_ms: for_ms(since) }
            }
            (None, None, Some(since)) => Arrival::PageOpen { for_ms: for_ms(since) },
        }
    }

    /// The answer, unless the program was downloaded anew after it.
    fn settled(&self) -> Option<(Answer, Millis)> {
        self.answer.filter(|(_, at)| self.downloaded.is_none_or(|downloaded| downloaded <= *at))
    }

    pub fn to_stored(&self) -> StoredCustomer {
        let number = |incident: Option<Incident>| incident.map_or(0, |incident| incident.number);
        StoredCustomer {
            page_open: !self.open_pages.is_empty(),
            page_since_ms: self.page_since.map(|at| at.0),
            downloaded_ms: self.downloaded.map(|at| at.0),
            answer: self.answer.map(|(answer, at)| (answer, at.0)),
            other_program_ms: self.other_program.map(|incident| incident.at.0),
            sharing_end: self.sharing_end.map(|(why, incident)| (why, incident.at.0)),
            other_program_again_ms: self.other_program_again.map(|at| at.0),
            sharing_end_again_ms: self.sharing_end_again.map(|at| at.0),
            incidents: self.incidents,
            other_program_number: number(self.other_program),
            sharing_end_number: number(self.sharing_end.map(|(_, incident)| incident)),
        }
    }

    /// What was known before a restart. A page that was open has to connect again, and so has a program that asks.
    pub fn from_stored(stored: &StoredCustomer, now: Millis) -> Self {
        let closed = |at| if stored.page_open { now } else { Millis(at) };
        let was = |at, number| Incident { at: Millis(at), number };
        Self {
            open_pages: BTreeSet::new(),
            page_since: stored.page_since_ms.map(closed),
            downloaded: stored.downloaded_ms.map(Millis),
            asking: None,
            answer: stored.answer.map(|(answer, at)| (answer, Millis(at))),
            other_program: stored.other_program_ms.map(|at| was(at, stored.other_program_number)),
            sharing_end: stored
                .sharing_end
                .map(|(why, at)| (why, was(at, stored.sharing_end_number))),
            other_program_again: stored.other_program_again_ms.map(Millis),
            sharing_end_again: stored.sharing_end_again_ms.map(Millis),
            incidents: stored.incidents,
        }
    }
}

/// Whether what was last seen at `last` goes on. A clock that was set back makes nothing news.
fn is_again(last: Option<Millis>, now: Millis) -> bool {
    last.is_some_and(|last| now.since(last) < QUIET)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: ConnectionId = ConnectionId(1);
    const PROGRAM: ConnectionId = ConnectionId(2);

    #[test]
    fn a_customer_who_declines_is_seen_to_come_that_far() {
        let mut customer = Customer::default();
        assert_eq!(customer.arrival(Millis(0)), Arrival::Nothing);
        customer.page_opened(PAGE, Millis(10));
        assert_eq!(customer.arrival(Millis(15)), Arrival::PageOpen { for_ms: 5 });
        customer.downloaded(Millis(20));
        let downloaded = Arrival::Downloaded { for_ms: 1, page_open: true };
        assert_eq!(customer.arrival(Millis(21)), downloaded);
        customer.asked(PROGRAM, Millis(30));
        customer.page_closed(PAGE, Millis(31));
        assert_eq!(customer.arrival(Millis(32)), Arrival::Asked { for_ms: 2 });
        assert!(customer.answered(PROGRAM, Answer::Declined, Millis(40)));
        assert!(!customer.stopped_asking(PROGRAM), "it was answered");
        assert_eq!(customer.arrival(Millis(41)), Arrival::Declined { for_ms: 1 });
        customer.downloaded(Millis(50));
        let again = Arrival::Downloaded { for_ms: 0, page_open: false };
        assert_eq!(customer.arrival(Millis(50)), again);
    }

    #[test]
    fn a_question_that_goes_unanswered_leaves_what_was_before() {
        let mut customer = Customer::default();
        customer.page_opened(PAGE, Millis(0));
        customer.page_closed(PAGE, Millis(1));
        customer.asked(PROGRAM, Millis(2));
        customer.asked(ConnectionId(3), Millis(3));
        assert!(!customer.stopped_asking(PROGRAM), "another one asks by now");
        assert!(!customer.answered(PROGRAM, Answer::Declined, Millis(4)));
        assert!(customer.stopped_asking(ConnectionId(3)));
        assert_eq!(customer.arrival(Millis(5)), Arrival::PageClosed { for_ms: 4 });
    }

    #[test]
    fn an_old_program_that_never_asks_has_agreed_once_it_is_online() {
        let mut customer = Customer::default();
        customer.downloaded(Millis(0));
        customer.came_online(false, Millis(5));
        customer.came_online(false, Millis(9));
        assert_eq!(customer.arrival(Millis(10)), Arrival::Agreed { for_ms: 5 });
        assert_eq!(customer.other_program(), None);
        customer.came_online(true, Millis(10));
        assert_eq!(customer.other_program().map(|other| other.at), Some(Millis(10)));
    }

    #[test]
    fn why_the_sharing_ended_is_known_until_it_begins_again() {
        let mut customer = Customer::default();
        customer.came_online(false, Millis(0));
        customer.ended_sharing(SharingEnd::Interfered, Millis(5));
        let json = serde_json::to_string(&customer.to_stored()).unwrap();
        let mut again = Customer::from_stored(&serde_json::from_str(&json).unwrap(), Millis(9));
        let (why, first) = again.sharing_end().unwrap();
        assert_eq!((why, first.at), (SharingEnd::Interfered, Millis(5)));
        assert_eq!(customer.sharing_end(), again.sharing_end());
        again.came_online(false, Millis(10));
        assert_eq!(again.sharing_end(), None);
        // Whatever the clock says.
        again.ended_sharing(SharingEnd::Interfered, Millis(5));
        assert_ne!(again.sharing_end().unwrap().1.id(), first.id());
    }

    #[test]
    fn a_restart_keeps_what_was_seen_and_no_connection() {
        let mut customer = Customer::default();
        customer.page_opened(PAGE, Millis(0));
        let json = serde_json::to_string(&customer.to_stored()).unwrap();
        let again = Customer::from_stored(&serde_json::from_str(&json).unwrap(), Millis(100));
        assert_eq!(again.arrival(Millis(101)), Arrival::PageClosed { for_ms: 1 });
        customer.downloaded(Millis(2));
        let again = Customer::from_stored(&customer.to_stored(), Millis(100));
        assert!(matches!(again.arrival(Millis(101)), Arrival::Downloaded { page_open: false, .. }));
    }

    /// How many incidents of a second program consoles are told of, if it tries at these times.
    fn other_programs(customer: &mut Customer, at_ms: impl Iterator<Item = i64>) -> usize {
        let seen = at_ms.map(|ms| {
            customer.saw_other_program(Millis(ms));
            customer.other_program().unwrap().id()
        });
        seen.collect::<BTreeSet<_>>().len()
    }

    #[test]
    fn whoever_tries_in_a_loop_is_one_incident_until_there_was_quiet() {
        let mut customer = Customer::default();
        assert_eq!(other_programs(&mut customer, (0..192).map(|n| n * 312)), 1, "a burst");
        assert_eq!(other_programs(&mut customer, (1..=360).map(|n| 60_000 + n * 10_000)), 1);
        // A restart and a clock that was set back make it no news either.
        customer = Customer::from_stored(&customer.to_stored(), Millis(3_660_001));
        assert_eq!(other_programs(&mut customer, [3_670_000, 1_000, 2_000].into_iter()), 1);
        assert_eq!(customer.other_program().unwrap().at, Millis(0), "since it began");
        assert_eq!(other_programs(&mut customer, [62_000, 121_999].into_iter()), 1);
        assert_eq!(customer.other_program().unwrap().at, Millis(62_000), "after a minute's quiet");
    }

    #[test]
    fn a_reason_that_is_said_again_and_again_is_one_incident_and_another_reason_is_another() {
        let mut customer = Customer::default();
        let mut said = |why, ms| {
            customer.ended_sharing(why, Millis(ms));
            customer.sharing_end().unwrap().1.id()
        };
        let first = said(SharingEnd::Interfered, 0);
        assert!((1..100).all(|n| said(SharingEnd::Interfered, n * 50_000) == first));
        let other = said(SharingEnd::Moved, 4_950_001);
        assert_ne!(other, first);
        assert_ne!(said(SharingEnd::Interfered, 4_950_002), other);
    }
}
