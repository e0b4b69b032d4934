//! E-mails that were asked for: their two fixed texts, and the outbox that lists them.
//!
//! An e-mail contains nothing that a stranger wrote, except for a name that passed [`super::text::mail_name`].

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt,
};

use serve::Millis;
use uuid::Uuid;
use wire::{
    Pin,
    session_events::{MailFacts, MailState as ToldState},
};

/// What is missing where an e-mail isn't sent.
const NO_SERVER: &str = "no mail server is configured";
/// How many e-mails the outbox lists. The oldest make room of those whose fate is known: one that is still to be handed
/// over would never be.
const LENGTH: usize = 1_000;

/// An e-mail that was asked for.
#[derive(Clone)]
pub struct Mail {
    /// Tells it from all others.
    pub id: Uuid,
    /// The session that it is about; unknown for e-mails of earlier versions.
    pub pin: Option<Pin>,
    /// When it was asked for.
    pub at: Millis,
    /// The recipient's address.
    pub to: String,
    /// The subject line.
    pub subject: String,
    /// The text. It carries a link with the PIN, so it is as secret as the PIN.
    pub body: String,
    /// What has become of it.
    pub state: MailState,
}

impl Mail {
    fn facts(&self) -> MailFacts {
        let (state, reason) = self.state.facts();
        MailFacts { id: self.id.to_string(), state, reason }
    }
}

impl fmt::Debug for Mail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mail")
            .field("id", &self.id)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

/// What has become of an e-mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MailState {
    /// No SMTP server is configured: it lies in the outbox for the console to show.
    Unsent,
    /// It is being handed to the SMTP server. Where a start finds this, the server may have taken it, so nobody sends it
    /// a second time.
    Sending,
    /// The SMTP server didn't take it yet, and why. It will be tried again, also after a restart.
    Waiting(String),
    /// The SMTP server took it. Whether it arrives isn't known.
    Sent,
    /// It was refused for good or could not be handed over in time, and why.
    Failed(String),
}

impl MailState {
    pub(crate) fn as_columns(&self) -> (&'static str, Option<&str>) {
        match self {
            Self::Unsent => ("kept", None),
            Self::Sending => ("sending", None),
            Self::Waiting(reason) => ("waiting", Some(reason)),
            Self::Sent => ("sent", None),
            Self::Failed(reason) => ("failed", Some(reason)),
        }
    }

    pub(crate) fn from_columns(state: &str, reason: Option<String>) -> Self {
        match state {
            "kept" => Self::Unsent,
            "waiting" => Self::Waiting(reason.unwrap_or_default()),
            "sent" => Self::Sent,
            "failed" => Self::Failed(reason.unwrap_or_default()),
            // Also a state of a later version: sending it a second time would be worse than not sending it.
            _ => Self::Sending,
        }
    }

    /// The state as consoles are told it, and the reason.
    fn facts(&self) -> (ToldState, Option<String>) {
        match self {
            Self::Unsent => (ToldState::NotSent, Some(NO_SERVER.to_owned())),
            Self::Sending => (ToldState::Queued, None),
            Self::Waiting(reason) => (ToldState::Queued, Some(reason.clone())),
            Self::Sent => (ToldState::HandedOver, None),
            Self::Failed(reason) => (ToldState::Refused, Some(reason.clone())),
        }
    }

    /// Whether it is still to be handed over.
    pub const fn is_pending(&self) -> bool {
        match self {
            Self::Sending | Self::Waiting(_) => true,
            Self::Unsent | Self::Sent | Self::Failed(_) => false,
        }
    }

    /// The state's name, as listings show it.
    pub fn word(&self) -> &'static str {
        self.as_columns().0
    }

    /// Why it isn't sent: the SMTP server's own words where there are any.
    pub fn reason(&self) -> Option<&str> {
        self.as_columns().1
    }
}

/// The two texts that can be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Template {
    /// To a viewer: the customer is connected.
    PresenterStarted,
    /// To the customer: the technician is connected.
    ViewerStarted,
}

/// The links that an e-mail carries.
pub(crate) struct Links {
    pub front: String,
    pub join: String,
    pub view: String,
}

/// The subject and the body of an e-mail.
pub(crate) fn compose(
    template: Template,
    name: &str,
    pin: &Pin,
    links: &Links,
) -> (String, String) {
    let (subject, body) = match template {
        Template::PresenterStarted => (
            "A remote support session is ready for you to view",
            format!(
                "{who} is connected to a remote support session and waits for you.\n\n\
                 Open the session:\n{link}\n\n\
                 Whoever has this link can reach the other person's computer: do not pass it on.\n",
                who = if name.is_empty() { "The customer" } else { name },
                link = links.view,
            ),
        ),
        Template::ViewerStarted => (
            "Your remote support session is ready",
            format!(
                "{who} is connected to a remote support session and waits for you.\n\n\
                 Join the session:\n{link}\n\n\
                 Or open {front} and type the PIN {pin}.\n\n\
                 If you did not ask for help, do not open the link. Nobody can reach your computer \
                 unless you join.\n",
                who = if name.is_empty() { "A technician" } else { name },
                link = links.join,
                front = links.front,
                pin = pin.expose(),
            ),
        ),
    };
    (subject.to_owned(), body)
}

/// As many e-mails as the outbox lists are still to be handed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OutboxFull;

/// The e-mails that were asked for lately, by a number that grows: the newest last. Nothing about one e-mail or one session
/// looks at those of others.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    mails: BTreeMap<u64, Mail>,
    by_id: HashMap<Uuid, u64>,
    by_session: HashMap<Pin, BTreeSet<u64>>,
    next: u64,
}

impl From<Vec<Mail>> for Outbox {
    fn from(mails: Vec<Mail>) -> Self {
        let mut outbox = Self::default();
        mails.into_iter().for_each(|mail| outbox.insert(mail));
        outbox
    }
}

impl Outbox {
    /// Adds an e-mail.
    ///
    /// # Errors
    /// [`OutboxFull`], and nothing is added.
    pub fn add(&mut self, mail: Mail) -> Result<(), OutboxFull> {
        if self.mails.len() >= LENGTH {
            let mut finished = self.mails.iter().filter(|(_, mail)| !mail.state.is_pending());
            let oldest = finished.next().map(|(number, _)| *number).ok_or(OutboxFull)?;
            self.remove(oldest);
        }
        self.insert(mail);
        Ok(())
    }

    /// The e-mails about a session that wait for their next attempt.
    pub fn waiting_of(&self, pin: &Pin) -> Vec<Uuid> {
        let about = self.by_session.get(pin).into_iter().flatten();
        let mails = about.filter_map(|number| self.mails.get(number));
        mails.filter(|m| matches!(m.state, MailState::Waiting(_))).map(|mail| mail.id).collect()
    }

    /// Whether this e-mail was refused before, for the same reason: it is listed once.
    pub fn has_refused(&self, mail: &Mail) -> bool {
        let of_session = mail.pin.as_ref().and_then(|pin| self.by_session.get(pin));
        let mut others = of_session.into_iter().flatten().filter_map(|n| self.mails.get(n));
        others.any(|other| {
            (&other.to, &other.subject, &other.state) == (&mail.to, &mail.subject, &mail.state)
        })
    }

    pub fn iter(&self) -> impl Iterator<Item = &Mail> {
        self.mails.values()
    }

    /// The e-mail with this id.
    pub fn get(&self, id: Uuid) -> Option<&Mail> {
        self.mails.get(self.by_id.get(&id)?)
    }

    /// What consoles are told of the e-mails about a session, oldest first.
    pub fn facts_of(&self, pin: &Pin) -> Vec<MailFacts> {
        let about = self.by_session.get(pin).into_iter().flatten();
        about.filter_map(|number| self.mails.get(number)).map(Mail::facts).collect()
    }

    /// Records what became of an e-mail, and returns the session that it is about.
    pub fn set_state(&mut self, id: Uuid, state: MailState) -> Option<Pin> {
        let mail = self.mails.get_mut(self.by_id.get(&id)?)?;
        mail.state = state;
        mail.pin.clone()
    }

    /// Forgets the e-mails about a session.
    pub fn forget_session(&mut self, pin: &Pin) {
        for number in self.by_session.remove(pin).unwrap_or_default() {
            self.remove(number);
        }
    }

    pub fn forget_before(&mut self, before: Millis) {
        // All are looked at, since a clock that was set back leaves them in no order.
        let old = self.mails.iter().filter(|(_, mail)| mail.at < before);
        let old: Vec<u64> = old.map(|(number, _)| *number).collect();
        old.into_iter().for_each(|number| self.remove(number));
    }

    fn insert(&mut self, mail: Mail) {
        let number = self.next;
        self.next += 1;
        self.by_id.insert(mail.id, number);
        if let Some(pin) = &mail.pin {
            self.by_session.entry(pin.clone()).or_default().insert(number);
        }
        self.mails.insert(number, mail);
    }

    fn remove(&mut self, number: u64) {
        let Some(mail) = self.mails.remove(&number) else { return };
        self.by_id.remove(&mail.id);
        let Some(pin) = mail.pin else { return };
        if let Some(of_session) = self.by_session.get_mut(&pin) {
            of_session.remove(&number);
            if of_session.is_empty() {
                self.by_session.remove(&pin);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_customers_mail_never_carries_the_viewer_link_and_the_viewers_never_the_join_link() {
        let links = Links { front: "o/".into(), join: "o/join#P".into(), view: "o/view?P".into() };
        let pin: Pin = "7W2-97-8570".parse().unwrap();
        let (_, customer) = compose(Template::ViewerStarted, "Anna", &pin, &links);
        assert!(customer.contains("Anna") && customer.contains("o/join#P"));
        assert!(!customer.contains("o/view"));
        let (_, viewer) = compose(Template::PresenterStarted, "", &pin, &links);
        assert!(viewer.contains("The customer") && viewer.contains("o/view?P"));
        assert!(!viewer.contains("o/join"));
    }
    fn mail(n: u64, pin: &Pin) -> Mail {
        Mail {
            id: Uuid::from_u128(n.into()),
            pin: Some(pin.clone()),
            at: Millis(n as i64),
            to: String::new(),
            subject: String::new(),
            body: String::new(),
            state: MailState::Unsent,
        }
    }

    #[test]
    fn a_sessions_mails_are_found_and_forgotten_and_those_of_others_stay() {
        let [one, two]: [Pin; 2] = ["7W2-97-8570", "7W2-97-8571"].map(|pin| pin.parse().unwrap());
        let mut outbox = Outbox::from((0..10).map(|n| mail(n, &one)).collect::<Vec<_>>());
        (10..2_000)
            .for_each(|n| outbox.add(mail(n, if n % 2 == 0 { &one } else { &two })).unwrap());
        assert_eq!((outbox.mails.len(), outbox.by_id.len()), (LENGTH, LENGTH));
        assert_eq!((outbox.facts_of(&one).len(), outbox.facts_of(&two).len()), (500, 500));
        assert_eq!(outbox.set_state(Uuid::from_u128(1_001), MailState::Sent), Some(two.clone()));
        assert_eq!(outbox.facts_of(&two)[0].state, ToldState::HandedOver);
        assert!(outbox.get(Uuid::from_u128(999)).is_none());
        outbox.forget_session(&one);
        assert!(outbox.facts_of(&one).is_empty() && outbox.iter().count() == 500);
        outbox.forget_before(Millis(1_900));
        assert_eq!(outbox.facts_of(&two).len(), 50);
        outbox.forget_before(Millis(2_000));
        assert!(outbox.mails.is_empty() && outbox.by_id.is_empty());
        assert!(outbox.by_session.is_empty());
    }

    #[test]
    fn what_is_still_to_be_sent_makes_room_for_nothing() {
        let pin: Pin = "7W2-97-8570".parse().unwrap();
        let pending = |n| Mail { state: MailState::Waiting("greylisted".into()), ..mail(n, &pin) };
        let mut outbox = Outbox::default();
        outbox.add(pending(0)).unwrap();
        outbox.add(mail(1, &pin)).unwrap();
        (2..LENGTH as u64 + 1).for_each(|n| outbox.add(pending(n)).unwrap());
        assert!(outbox.get(Uuid::from_u128(0)).is_some(), "the oldest waits, so it stays");
        assert!(outbox.get(Uuid::from_u128(1)).is_none(), "the one whose fate is known has left");
        assert_eq!(outbox.add(pending(5_000)), Err(OutboxFull));
        assert_eq!(outbox.mails.len(), LENGTH);
        outbox.set_state(Uuid::from_u128(7), MailState::Sent);
        assert_eq!(outbox.add(pending(5_000)), Ok(()));
        assert!(outbox.get(Uuid::from_u128(7)).is_none());
    }
}
