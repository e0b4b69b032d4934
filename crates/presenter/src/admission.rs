//! Who is let in without a question, who is asked about, and what the customer said.
//!
//! Two kinds of viewer wait for the customer: one whose stream isn't encrypted from end to end,
//! because whoever runs the server could look on, and one that has nothing but the PIN. Whether a
//! viewer is encrypted is what this program does on the stream, so a broker that lies about it only
//! gets its viewer asked about (docs/adr/0016).

use std::collections::{HashMap, HashSet, VecDeque};

use tokio::sync::oneshot;
use uuid::Uuid;
use wire::shared_screen::{AdmissionAnswer, Role, WaitingViewer};

use crate::consent::Newcomer;

/// After so many refusals nobody else of the same kind, invited or not, is asked about: the question
/// must not become a nuisance that is clicked away, and strangers must not use up the questions of
/// those who are invited.
const MOST_REFUSALS: u32 = 3;
/// The most viewers of each kind about whom something is remembered. The broker makes their ids.
const MOST_KNOWN: usize = 128;

/// What happens to a viewer that isn't let in as a matter of course.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// The customer is asked.
    Ask,
    /// Nobody is there to be asked, so it is refused.
    Refuse,
    /// It is let in: the program was started so.
    All,
}

/// A viewer as it is remembered. Who comes back with more rights, or unencrypted, is asked again.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Arrival {
    /// The viewer's page, by the broker's word.
    pub page: String,
    pub role: Role,
    pub sealed: bool,
    /// It has more than the PIN: a link that the technician made, or it is their console. By the
    /// broker's word.
    pub invited: bool,
}

/// A viewer's stream that waits for the answer.
pub(crate) struct Waiting {
    pub arrival: Arrival,
    pub name: String,
    pub answer: oneshot::Sender<bool>,
}

/// The viewers that wait, and the customer's answers.
pub(crate) struct Admissions {
    policy: Admission,
    known: HashMap<Arrival, Known>,
    waiting: VecDeque<Waiting>,
    /// Of those who weren't invited, and of those who were.
    refusals: [u32; 2],
}

struct Known {
    id: u32,
    /// What the technician's answer about this viewer is signed with, among others.
    challenge: String,
    answer: Option<bool>,
}

impl Arrival {
    /// Whether the viewer waits to be let in.
    pub const fn must_wait(&self) -> bool {
        !(self.sealed && self.invited)
    }
}

impl Admissions {
    pub fn new(policy: Admission) -> Self {
        Self { policy, known: HashMap::new(), waiting: VecDeque::new(), refusals: [0; 2] }
    }

    /// A viewer asks to be let in.
    pub fn ask(&mut self, newcomer: Waiting) {
        let known = self.known.get(&newcomer.arrival).and_then(|known| known.answer);
        let answer = match (self.policy, known) {
            (Admission::All, _) => Some(true),
            (Admission::Refuse, _) => Some(false),
            (Admission::Ask, Some(answer)) => Some(answer),
            (Admission::Ask, None) => (!self.has_room(&newcomer.arrival)).then_some(false),
        };
        if let Some(answer) = answer {
            let _ = newcomer.answer.send(answer);
            return;
        }
        let id = u32::try_from(self.known.len()).unwrap_or(u32::MAX);
        let challenge = Uuid::new_v4().to_string();
        let known = Known { id, challenge, answer: None };
        self.known.entry(newcomer.arrival.clone()).or_insert(known);
        self.waiting.push_back(newcomer);
    }

    /// The customer's answer about the viewer with this id.
    pub fn decide(&mut self, id: u32, lets_in: bool) {
        let Some((arrival, known)) = self.known.iter_mut().find(|(_, known)| known.id == id) else {
            return;
        };
        if known.answer.is_some() {
            return;
        }
        known.answer = Some(lets_in);
        let arrival = arrival.clone();
        let refusals = &mut self.refusals[usize::from(arrival.invited)];
        *refusals += u32::from(!lets_in);
        let is_enough = *refusals >= MOST_REFUSALS;
        for one in std::mem::take(&mut self.waiting) {
            // The last refusal is an answer to all of the kind who still wait.
            if one.arrival == arrival {
                let _ = one.answer.send(lets_in);
            } else if is_enough && one.arrival.invited == arrival.invited {
                let _ = one.answer.send(false);
            } else {
                self.waiting.push_back(one);
            }
        }
    }

    /// The viewer about whom the customer is asked now: the first whose stream is still there.
    pub fn current(&mut self) -> Option<Newcomer> {
        self.waiting.retain(|one| !one.answer.is_closed());
        let Waiting { arrival, name, .. } = self.waiting.front()?;
        let id = self.known.get(arrival)?.id;
        let Arrival { role, sealed, invited, .. } = *arrival;
        Some(Newcomer { id, name: name.clone(), role, sealed, invited })
    }

    /// The viewers that wait, as the technician is told of them: each once, however many streams it
    /// has. First those who were invited, since no more than a few are shown and strangers can come in
    /// any number.
    pub fn waiting(&mut self) -> Vec<WaitingViewer> {
        self.waiting.retain(|one| !one.answer.is_closed());
        let mut seen = HashSet::new();
        let once = self.waiting.iter().filter(|one| seen.insert(&one.arrival));
        let mut told: Vec<_> = once.filter_map(|one| self.told(one)).collect();
        told.sort_by_key(|one| !one.invited);
        told
    }

    fn told(&self, one: &Waiting) -> Option<WaitingViewer> {
        let Arrival { page, role, sealed, invited } = one.arrival.clone();
        let challenge = self.known.get(&one.arrival)?.challenge.clone();
        Some(WaitingViewer { challenge, page, name: one.name.clone(), role, sealed, invited })
    }

    /// The technician's answer, which counts if `is_signed` says so of everything that is true of
    /// the viewer; returns that viewer's name. Whoever passed the answer on may have shown the
    /// technician something else.
    pub fn decide_by_technician(
        &mut self,
        answer: &AdmissionAnswer,
        is_signed: impl Fn(&[u8]) -> bool,
    ) -> Option<String> {
        let viewer = self.waiting().into_iter().find(|one| one.challenge == answer.challenge)?;
        if !is_signed(&viewer.answer_bytes(answer.lets_in)) {
            return None;
        }
        let known = self.known.values().find(|known| known.challenge == answer.challenge)?;
        self.decide(known.id, answer.lets_in);
        Some(viewer.name)
    }

    fn has_room(&self, arrival: &Arrival) -> bool {
        let alike = self.known.keys().filter(|known| known.invited == arrival.invited).count();
        let room = alike < MOST_KNOWN || self.known.contains_key(arrival);
        room && self.refusals[usize::from(arrival.invited)] < MOST_REFUSALS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrival(page: &str) -> Arrival {
        Arrival { page: page.to_owned(), role: Role::Watch, sealed: false, invited: true }
    }

    fn ask(admissions: &mut Admissions, arrival: Arrival) -> oneshot::Receiver<bool> {
        let (answer, answered) = oneshot::channel();
        admissions.ask(Waiting { arrival, name: "Anna".to_owned(), answer });
        answered
    }

    #[test]
    fn an_answer_holds_for_its_viewer_and_for_no_more_than_was_asked() {
        let mut admissions = Admissions::new(Admission::Ask);
        let mut first = ask(&mut admissions, arrival("a"));
        let id = admissions.current().unwrap().id;
        admissions.decide(id, true);
        assert_eq!(first.try_recv(), Ok(true));
        assert_eq!(ask(&mut admissions, arrival("a")).try_recv(), Ok(true));
        let mut other = ask(&mut admissions, arrival("b"));
        let mut more = ask(&mut admissions, Arrival { role: Role::Control, ..arrival("a") });
        // A click that was meant for the first.
        admissions.decide(id, true);
        assert!(other.try_recv().is_err() && more.try_recv().is_err());
    }

    #[test]
    fn a_viewer_that_leaves_is_no_longer_asked_about() {
        let mut admissions = Admissions::new(Admission::Ask);
        drop(ask(&mut admissions, arrival("a")));
        assert_eq!(admissions.current(), None);
    }

    #[test]
    fn after_three_refusals_nobody_is_asked_about_any_more() {
        let mut admissions = Admissions::new(Admission::Ask);
        let mut waits = ask(&mut admissions, arrival("waits"));
        for page in ["a", "b", "c"] {
            let mut refused = ask(&mut admissions, arrival(page));
            let id = admissions.known[&arrival(page)].id;
            admissions.decide(id, false);
            assert_eq!(refused.try_recv(), Ok(false));
        }
        assert_eq!(waits.try_recv(), Ok(false));
        assert_eq!(ask(&mut admissions, arrival("d")).try_recv(), Ok(false));
        assert_eq!(admissions.current(), None);
        // These were invited, so who wasn't is still asked about.
        let _stranger = ask(&mut admissions, Arrival { invited: false, ..arrival("e") });
        assert!(admissions.current().is_some());
    }

    #[test]
    fn refused_strangers_use_up_no_question_about_those_who_are_invited() {
        let stranger = |page: &str| Arrival { invited: false, ..arrival(page) };
        let mut admissions = Admissions::new(Admission::Ask);
        let mut invited = ask(&mut admissions, arrival("a link's"));
        for page in 0..200 {
            drop(ask(&mut admissions, stranger(&page.to_string())));
        }
        for page in ["0", "1", "2"] {
            let id = admissions.known[&stranger(page)].id;
            admissions.decide(id, false);
        }
        assert_eq!(ask(&mut admissions, stranger("x")).try_recv(), Ok(false));
        let id = admissions.current().unwrap().id;
        admissions.decide(id, true);
        assert_eq!(invited.try_recv(), Ok(true));
    }

    #[test]
    fn the_technicians_answer_counts_for_what_they_saw_and_once() {
        let mut admissions = Admissions::new(Admission::Ask);
        let mut waits = ask(&mut admissions, arrival("a"));
        let seen = admissions.waiting().remove(0);
        let answer = |lets_in| AdmissionAnswer {
            challenge: seen.challenge.clone(),
            lets_in,
            pairing: String::new(),
            signature: String::new(),
        };
        let mut other = seen.clone();
        other.name = "Somebody you know".to_owned();
        let (signed, forged) = (seen.answer_bytes(true), other.answer_bytes(true));
        assert_eq!(admissions.decide_by_technician(&answer(true), |it| it == forged), None);
        assert_eq!(admissions.decide_by_technician(&answer(false), |it| it == signed), None);
        let let_in = admissions.decide_by_technician(&answer(true), |it| it == signed);
        assert_eq!((let_in.as_deref(), waits.try_recv()), (Some("Anna"), Ok(true)));
        assert_eq!(admissions.decide_by_technician(&answer(true), |it| it == signed), None);
        let _more = ask(&mut admissions, Arrival { role: Role::Control, ..arrival("a") });
        assert_ne!(admissions.waiting()[0].challenge, seen.challenge);
    }

    #[test]
    fn a_viewer_is_told_of_once_and_who_was_invited_before_strangers() {
        let mut admissions = Admissions::new(Admission::Ask);
        let stranger = |page: &str| Arrival { invited: false, ..arrival(page) };
        let _waits = [stranger("a"), stranger("b"), arrival("c"), stranger("a"), arrival("d")]
            .map(|one| ask(&mut admissions, one));
        let told = admissions.waiting();
        let pages: Vec<_> = told.iter().map(|one| one.page.as_str()).collect();
        assert_eq!(pages, ["c", "d", "a", "b"]);
    }

    #[test]
    fn where_nobody_is_there_nobody_is_let_in() {
        let mut admissions = Admissions::new(Admission::Refuse);
        assert_eq!(ask(&mut admissions, arrival("a")).try_recv(), Ok(false));
    }
}
