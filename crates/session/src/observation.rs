//! What a broker of ours says of a session: its whole present state, beside the hooks.
//!
//! A broker counts every change of a session in its revision, and its hooks carry it, so the older of two reports
//! never replaces the newer one. A service without the event channel reports by hooks alone.

use serde::{Deserialize, Serialize};
use wire::{
    HookType, Side,
    session_events::{MailFacts, PinLife},
    shared_screen::{Role, Sharing, SharingEnd, WaitingViewer},
};

use crate::{
    Arrival, DeliveryId, Incident, Presenter, Timestamp, ToldIncidents, Viewers, time::same_time,
};

/// How often each hook's event happened or was reported, in the order of `HookType::ALL`.
pub type EventCounts = [u64; HookType::ALL.len()];

/// When each hook's event last happened, in the same order.
pub type EventTimes = [Option<Timestamp>; HookType::ALL.len()];

/// A side counts as offline only after it was away for so long.
const GRACE_MS: i64 = 60_000;

/// So many reports of each hook are told apart: more than come in the minute in which one is tried again.
const REMEMBERED: usize = 8;

/// So many deliveries of each hook are told apart where there are no revisions, because another sender may go on trying
/// for hours.
const DELIVERIES: usize = 32;

/// A session's present state, as the broker says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observation {
    /// Greater with every change of the session, also across restarts of the broker.
    pub revision: u64,
    /// The broker's run, of which each has another text; none where it doesn't say.
    pub run: Option<String>,
    /// Whether the PIN still works.
    pub life: PinLife,
    /// The end of its life; none where the broker doesn't say.
    pub expires: Option<Timestamp>,
    /// How far the customer has come.
    pub arrival: Arrival,
    /// The customer's side.
    pub presenter: ObservedSide,
    /// All viewers together.
    pub viewers: ObservedSide,
    /// While the viewers are offline: whether a program of the customer has started since; none where the broker
    /// doesn't say.
    pub reopened: Option<bool>,
    /// How often each hook's event has happened.
    pub happened: EventCounts,
    /// When each of them last happened; none where the broker doesn't say.
    pub happened_at: EventTimes,
    /// How many deliveries of each hook the broker hasn't given up yet; none where it doesn't say.
    pub under_way: Option<EventCounts>,
    /// What has become of each of the session's e-mails, oldest first. No PIN is in the reasons.
    pub mails: Vec<MailFacts>,
    /// Who is connected, and whether the screen is shared.
    pub facts: LiveFacts,
    /// A second program last came with this session's PIN: it was refused, or took the first one's place.
    pub other_program: Option<Incident>,
    /// While no screen is shared: why the customer's program ended the sharing.
    pub sharing_end: Option<(SharingEnd, Incident)>,
}

/// Who is connected to a session, and whether the screen is shared, while the broker tells it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LiveFacts {
    /// Whether the screen is shared.
    pub sharing: Sharing,
    /// The presenter and each viewer.
    pub participants: Vec<Participant>,
    /// The viewers that wait to be let in; their texts are untrusted, and as an answer is signed over them.
    pub waiting: Vec<WaitingViewer>,
}

/// Somebody who is connected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Participant {
    /// The side.
    pub side: Side,
    /// The public id of its page.
    pub page: String,
    /// The name that they gave themselves: untrusted text, may be empty.
    pub name: String,
    /// What a viewer may do; none for the presenter.
    pub role: Option<Role>,
    /// Since when.
    pub since: Timestamp,
    /// Whether a viewer sees the screen now.
    pub watching: bool,
    /// Whether what it sees is end-to-end encrypted.
    pub sealed: bool,
    /// What the presenter's program runs on: untrusted text; none for a viewer and for a page.
    pub platform: Option<String>,
}

impl LiveFacts {
    /// Whether each viewer that is connected waits to be let in, so that nobody sees the screen.
    pub fn all_viewers_wait(&self) -> bool {
        let mut viewers = self.participants.iter().filter(|one| one.side == Side::Viewers);
        let waits = |page: &String| self.waiting.iter().any(|one| one.page == *page);
        !self.waiting.is_empty() && viewers.all(|viewer| waits(&viewer.page))
    }

    /// These facts, with the times of `before` where they are the same ones.
    pub(crate) fn or_still(mut self, before: Option<&Self>) -> Self {
        let known = before.map_or(&[][..], |before| &before.participants);
        for one in &mut self.participants {
            if let Some(before) = known.iter().find(|other| other.page == one.page) {
                one.since = same_time(before.since, one.since);
            }
        }
        self
    }
}

/// One side's presence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ObservedSide {
    /// It was never online.
    Never,
    /// At least one of it is connected.
    Online {
        /// Since when.
        since: Timestamp,
    },
    /// None of it is connected, and it may still come back within the grace of 60 s.
    Leaving {
        /// Since when nobody is connected.
        since: Timestamp,
    },
    /// None of it was connected for longer than the grace.
    Offline {
        /// Since when it counts as offline.
        since: Timestamp,
    },
}

/// What is kept of a broker's reports beside the presence. A service without the event channel leaves all of it as it
/// is at first.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Observed {
    /// Whether the broker itself tells the session's state at present, by the event channel. What it told before may
    /// have changed since.
    #[serde(skip)]
    pub is_told: bool,
    /// The revision of the newest observation; 0 before the first.
    pub revision: u64,
    /// The run of the broker that gave it; none where that isn't known.
    pub run: Option<String>,
    /// The newest revision that each hook reported; 0 where none did.
    pub hook_revisions: EventCounts,
    /// The revisions that each hook reported lately: a delivery whose answer was lost is made again, also when newer ones
    /// have arrived.
    pub reported_lately: [Vec<u64>; HookType::ALL.len()],
    /// The deliveries of each hook that came lately from a service without revisions.
    pub deliveries_lately: [Vec<DeliveryId>; HookType::ALL.len()],
    /// How far the customer has come.
    pub arrival: Arrival,
    /// Whether they have come so far after everybody who left.
    pub arrival_is_newest: bool,
    /// Since when no program of the customer is connected, while it may still come back.
    pub presenter_left: Option<Timestamp>,
    /// Since when no viewer is connected, while one may still come back.
    pub viewers_left: Option<Timestamp>,
    /// When something was last told of the presenter, by a hook or by the broker itself. Older records have none.
    pub presenter_told: Option<Timestamp>,
    /// When something was last told of the viewers.
    pub viewers_told: Option<Timestamp>,
    /// Whether all viewers that are connected wait to be let in, while the broker tells who does.
    #[serde(skip)]
    pub viewers_wait: bool,
    /// Those who wait to be let in and were told: their challenges, while they wait.
    pub waiting_told: Vec<String>,
    /// What was told last of the customer's arrival. Older records have nothing.
    pub arrival_told: Arrival,
    /// How many of the events that the broker counts are told; none in records of before there was a channel.
    pub told: Option<EventCounts>,
    /// How many of them were reported by a hook, or are known to be lost.
    pub reported: EventCounts,
    /// How many messages of the chat came by the channel: the number of the last one.
    pub chat_number: u64,
    /// That message's own id: by its number alone another one may be meant, after the broker's store was put back from
    /// a copy. Older records have none.
    pub chat_guid: Option<String>,
    /// When a second program last came with this session's PIN, as earlier versions kept it.
    pub other_program: Option<Timestamp>,
    /// When the customer's program last ended the sharing, as earlier versions kept it.
    pub sharing_end: Option<(SharingEnd, Timestamp)>,
    /// The second programs that were told.
    pub other_programs_told: ToldIncidents,
    /// The ends of the sharing that were told.
    pub sharing_ends_told: ToldIncidents,
}

impl Observed {
    /// Of a new session, of which nothing has happened yet.
    pub fn of_new_session() -> Self {
        Self { told: Some(EventCounts::default()), ..Self::default() }
    }

    /// Notes that a hook reported a revision; false if it did so before.
    pub(crate) fn note_report(&mut self, hook: HookType, revision: u64) -> bool {
        let (newest, lately) =
            (&mut self.hook_revisions[hook.index()], &mut self.reported_lately[hook.index()]);
        if *newest == revision || lately.contains(&revision) {
            return false;
        }
        *newest = revision.max(*newest);
        remember(lately, revision, REMEMBERED);
        true
    }

    /// Notes a delivery that says no revision; false if it came before.
    pub(crate) fn note_delivery(&mut self, hook: HookType, id: DeliveryId) -> bool {
        let lately = &mut self.deliveries_lately[hook.index()];
        if lately.contains(&id) {
            return false;
        }
        remember(lately, id, DELIVERIES);
        true
    }

    /// When something was last told of `side`.
    pub(crate) const fn told_of(&mut self, side: Side) -> &mut Option<Timestamp> {
        match side {
            Side::Presenter => &mut self.presenter_told,
            Side::Viewers => &mut self.viewers_told,
        }
    }

    /// The broker's numbers begin anew.
    pub(crate) fn forget_revisions(&mut self) {
        self.revision = 0;
        self.hook_revisions = Default::default();
        self.reported_lately = Default::default();
    }

    /// The newest revision that is known, by an observation or a hook.
    pub fn newest_revision(&self) -> u64 {
        self.hook_revisions.iter().copied().fold(self.revision, u64::max)
    }
}

/// Adds the newest, and lets the oldest go where there are `most`.
fn remember<T>(lately: &mut Vec<T>, newest: T, most: usize) {
    if lately.len() >= most {
        lately.remove(0);
    }
    lately.push(newest);
}

impl Observation {
    /// Whether the customer has come so far after everybody who left. By the times of one report: those of different
    /// ones differ by how long each took to arrive.
    pub(crate) fn arrival_is_newest(&self) -> bool {
        let gone = self.presenter.offline().map(|at| Timestamp(at.0.saturating_sub(GRACE_MS)));
        let viewers = match self.arrival {
            // The session ends with its viewers, and what the customer answered stays the answer.
            Arrival::Asked { .. } | Arrival::Declined { .. } => None,
            Arrival::Nothing
            | Arrival::PageOpen { .. }
            | Arrival::PageClosed { .. }
            | Arrival::Downloaded { .. }
            | Arrival::Agreed { .. } => self.viewers.offline(),
        };
        let left = [self.presenter.left().or(gone), viewers];
        let since = self.arrival.since();
        since.is_some_and(|since| left.into_iter().flatten().all(|left| left < since))
    }
}

impl ObservedSide {
    /// Since when the side counts as offline.
    const fn offline(self) -> Option<Timestamp> {
        match self {
            Self::Offline { since } => Some(since),
            Self::Never | Self::Online { .. } | Self::Leaving { .. } => None,
        }
    }

    /// Since when the side has left, while it may still come back.
    pub(crate) const fn left(self) -> Option<Timestamp> {
        match self {
            Self::Leaving { since } => Some(since),
            Self::Never | Self::Online { .. } | Self::Offline { .. } => None,
        }
    }

    /// The presenter's presence, which was `before`.
    pub(crate) fn presenter(self, before: Presenter) -> Presenter {
        match (self, before) {
            (Self::Never, _) => Presenter::Never,
            // Its hook reports it as offline only after the grace.
            (Self::Leaving { .. }, Presenter::Online { .. }) => before,
            (Self::Online { since } | Self::Leaving { since }, _) => match before {
                Presenter::Online { since: known } => {
                    Presenter::Online { since: same_time(known, since) }
                }
                Presenter::Never | Presenter::Offline { .. } | Presenter::Unknown { .. } => {
                    Presenter::Online { since }
                }
            },
            (Self::Offline { since }, Presenter::Offline { since: known }) => {
                Presenter::Offline { since: same_time(known, since) }
            }
            (Self::Offline { since }, _) => Presenter::Offline { since },
        }
    }

    /// The viewers' presence, which was `before`, beside `presenter`. `reopened` is the broker's word, where it says so.
    pub(crate) fn viewers(
        self,
        before: Viewers,
        presenter: Presenter,
        reopened: Option<bool>,
    ) -> Viewers {
        match (self, before) {
            (Self::Never, _) => Viewers::Never,
            (Self::Leaving { .. }, Viewers::Some { .. }) => before,
            (Self::Online { since } | Self::Leaving { since }, _) => match before {
                Viewers::Some { since: known } => Viewers::Some { since: same_time(known, since) },
                Viewers::Never | Viewers::None { .. } | Viewers::Unknown { .. } => {
                    Viewers::Some { since }
                }
            },
            (Self::Offline { since }, Viewers::None { since: known, reopened: before }) => {
                let since = same_time(known, since);
                let guess = || before || came_after(presenter, since);
                Viewers::None { since, reopened: reopened.unwrap_or_else(guess) }
            }
            (Self::Offline { since }, _) => {
                let guess = || came_after(presenter, since);
                Viewers::None { since, reopened: reopened.unwrap_or_else(guess) }
            }
        }
    }
}

fn came_after(presenter: Presenter, viewers_left: Timestamp) -> bool {
    matches!(presenter, Presenter::Online { since } if since > viewers_left)
}
