//! A session as it is: the stored record, and the data that only a running console has.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};
use wire::{Region, session_events::MailFacts};

use crate::{
    Arrival, Failure, Gate, Lamp, LiveFacts, Observed, Presenter, Program, Timestamp, Verification,
    Viewers, mail,
    observation::EventCounts,
    verification::{Override, VerificationOutcome},
};

/// How long a service gives a chat after its PIN's life.
pub(crate) const CHAT_IS_GIVEN: Duration = Duration::from_secs(86_400);

/// A session: its stored record and its unstored data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// Survives a restart; written in one transaction with each turn that changes it.
    pub record: Record,
    /// The four hooks, in the order of `HookType::ALL`.
    pub lamps: [Lamp; 4],
    /// The generation of each hook's newest call.
    pub generations: [u32; 4],
    /// The events whose webhooks are waited for, by the broker's count; none while all have come.
    pub hooks_due: Option<EventCounts>,
    /// Who is connected and whether the screen is shared, by the broker's word; none while nobody tells it.
    pub facts: Option<LiveFacts>,
    /// What the broker last said of the session's e-mails.
    pub mails: Vec<MailFacts>,
    /// How many deliveries of each hook the broker hasn't given up yet, by its newest word; none where it doesn't say.
    pub hooks_under_way: Option<EventCounts>,
    /// The events whose webhooks were waited for long enough, while the broker is asked whether it still tries them.
    pub hooks_overdue: Option<EventCounts>,
    /// Whether the technician is looking at it.
    pub on_screen: bool,
    /// Viewer windows of ours that are open.
    pub windows: u32,
    /// When chat was last fetched.
    pub chat_as_of: Option<Timestamp>,
    /// Why the chat could not be fetched last; none if it could.
    pub chat_failure: Option<Failure>,
    /// Whether the transcript is being fetched.
    pub transcript_under_way: bool,
    /// Whether the transcript that is being fetched may lack the newest messages.
    pub transcript_stale: bool,
    /// How often the end of the PIN was asked for in vain.
    pub revoke_failed: u32,
    /// Since when the broker's word is waited for, while the PIN's life is over by our own clock alone.
    pub brokers_word_awaited: Option<Timestamp>,
    /// When something was last done in it.
    pub active_at: Timestamp,
    /// When a hook last could not be put, or another call showed that the service fails.
    pub hook_failed: Option<Timestamp>,
    /// The verification gate, as the settings define it.
    pub gate: Gate,
    /// Verifications that are being taken back, and how each ends unless the person has answered.
    pub taking_back: BTreeMap<u32, VerificationOutcome>,
}

/// A session's stored record. No secret is in it: the PIN is kept beside it, sealed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// When the technician asked for it.
    pub created: Timestamp,
    /// Who asked for it.
    pub by: String,
    /// The customer, the contact and the subject.
    pub about: About,
    /// How far it has come.
    pub life: Life,
    /// The presenter, by the service's word.
    pub presenter: Presenter,
    /// The viewers, by the service's word.
    pub viewers: Viewers,
    /// Whether a side was ever there.
    pub joined: bool,
    /// When a presenter first joined: the end of waiting.
    pub first_joined: Option<Timestamp>,
    /// How long the presenter and a viewer were present together, in milliseconds, before
    /// `active_since`.
    pub active_ms: u64,
    /// Since when both are there.
    pub active_since: Option<Timestamp>,
    /// E-mails ordered.
    pub mail: Vec<mail::Order>,
    /// The chat's way into the archive.
    pub transcript: Transcript,
    /// How many messages the transcript had when it was last told that it is saved. Older records have none.
    #[serde(default)]
    pub transcript_told: Option<u32>,
    /// Whether it was told that the PIN couldn't be ended yet. Older records have none.
    #[serde(default)]
    pub pin_not_ended_told: bool,
    /// The customer's program, saved to be carried by hand. Older records have none.
    #[serde(default)]
    pub program: Program,
    /// Verifications of people, oldest first. Older records have none.
    #[serde(default)]
    pub verifications: Vec<Verification>,
    /// The newest override of the verification gate.
    #[serde(default)]
    pub overridden: Option<Override>,
    /// What our own broker says beside the presence. Older records have none.
    #[serde(default)]
    pub observed: Observed,
}

/// The customer, the contact and the subject of a session: all optional, all typed by
/// the technician.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct About {
    /// The customer's name; empty if not given.
    pub customer: String,
    /// The ticket's number; empty if not given.
    pub ticket: String,
    /// How to reach the customer; empty if not given.
    pub contact: String,
}

/// How far a session has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "is")]
pub enum Life {
    /// A PIN has been asked for.
    Allocating,
    /// No PIN, or the actor failed for good.
    Failed {
        /// Since when.
        at: Timestamp,
        /// Why it failed.
        failure: crate::Failure,
        /// The PIN's allocation, if the actor failed after there was one. Older records have none.
        #[serde(default)]
        allocation: Option<Allocation>,
    },
    /// The PIN is good.
    Live(Allocation),
    /// The PIN's life is over.
    Over {
        /// When it was noticed.
        at: Timestamp,
        /// The PIN's allocation.
        allocation: Allocation,
    },
    /// The technician closed it here; it never reopens.
    Closed {
        /// When it was closed.
        at: Timestamp,
        /// The outcome.
        outcome: Outcome,
        /// The PIN's allocation, if there was one.
        allocation: Option<Allocation>,
        /// Whether the broker ended the PIN's life, false where it can't; none while it is still to be done.
        revoked: Option<bool>,
    },
}

/// Where and how long a PIN is good.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Allocation {
    /// The region it was minted in.
    pub region: Region,
    /// When the PIN was given out.
    pub at: Timestamp,
    /// About when its life is over.
    pub expires: Timestamp,
}

impl Allocation {
    /// About when its life is over, as far as is known at `now`. Where the clock was set back since it was given out,
    /// nobody knows when that really was; but no PIN lives longer than its life from now on.
    pub fn end(&self, now: Timestamp) -> Timestamp {
        if self.at > now { now.plus(self.expires.since(self.at)) } else { self.expires }
    }

    /// Keeps [`Self::end`], so that what is left of its life is counted from now on.
    pub(crate) fn mend(&mut self, now: Timestamp) {
        self.expires = self.end(now);
        self.at = self.at.min(now);
    }
}

/// A session's outcome, as the technician chose it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The customer's problem is solved.
    Resolved,
    /// The customer's problem is not solved.
    Unresolved,
    /// The technician doesn't say.
    Unknown,
}

impl Outcome {
    /// The outcome as people read it.
    pub const fn as_words(self) -> &'static str {
        match self {
            Self::Resolved => "resolved",
            Self::Unresolved => "unresolved",
            Self::Unknown => "outcome unknown",
        }
    }
}

/// The transcript's way into the archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "is")]
pub enum Transcript {
    /// Nothing to save has been asked for yet.
    NotYet,
    /// It is to be saved; a try runs or is scheduled.
    Wanted {
        /// Tries that failed.
        failed: u32,
    },
    /// It is in the archive.
    Saved {
        /// When it was saved.
        at: Timestamp,
        /// How many messages it has.
        messages: u32,
    },
}

impl State {
    /// A session that was just asked for; feed it [`Input::Created`](crate::Input::Created).
    pub fn new(about: About, by: String, now: Timestamp) -> Self {
        Self::restored(Record {
            created: now,
            by,
            about,
            life: Life::Allocating,
            presenter: Presenter::Never,
            viewers: Viewers::Never,
            joined: false,
            first_joined: None,
            active_ms: 0,
            active_since: None,
            mail: Vec::new(),
            transcript: Transcript::NotYet,
            transcript_told: None,
            pin_not_ended_told: false,
            program: Program::NotAsked,
            verifications: Vec::new(),
            overridden: None,
            observed: Observed::of_new_session(),
        })
    }

    /// A session as the journal has it; feed it [`Input::Restored`](crate::Input::Restored).
    pub fn restored(mut record: Record) -> Self {
        // The customer may have come further since; the broker tells it again.
        record.observed.arrival = Arrival::Nothing;
        record.observed.is_told = false;
        record.observed.viewers_wait = false;
        Self {
            active_at: record.last_activity(),
            record,
            // Hooks armed before a stop may have fired since, so all of them are put again.
            lamps: [const { Lamp::Off }; 4],
            generations: [0; 4],
            hooks_due: None,
            facts: None,
            mails: Vec::new(),
            hooks_under_way: None,
            hooks_overdue: None,
            on_screen: false,
            windows: 0,
            chat_as_of: None,
            chat_failure: None,
            transcript_under_way: false,
            transcript_stale: false,
            revoke_failed: 0,
            brokers_word_awaited: None,
            hook_failed: None,
            // The settings are not stored with the session; whoever restores it gives the gate as
            // an input.
            gate: Gate::default(),
            taking_back: BTreeMap::new(),
        }
    }
}

impl Record {
    /// How long the presenter and a viewer were present together until `now`, in milliseconds.
    pub fn active_ms_until(&self, now: Timestamp) -> u64 {
        let under_way = self.active_since.map_or(0, |since| now.since(since).as_millis());
        self.active_ms.saturating_add(u64::try_from(under_way).unwrap_or(u64::MAX))
    }

    /// Whether its hooks are kept armed: it has a PIN, whose life isn't over, and wasn't closed.
    pub fn is_live(&self) -> bool {
        match self.life {
            Life::Live(_) => true,
            Life::Allocating | Life::Failed { .. } | Life::Over { .. } | Life::Closed { .. } => {
                false
            }
        }
    }

    /// When the newest activity happened, as far as the record shows.
    pub fn last_activity(&self) -> Timestamp {
        let life = match &self.life {
            Life::Allocating => None,
            Life::Live(allocation) => Some(allocation.at),
            Life::Failed { at, .. } | Life::Over { at, .. } | Life::Closed { at, .. } => Some(*at),
        };
        let presenter = match self.presenter {
            Presenter::Online { since } | Presenter::Offline { since } => Some(since),
            // `Unknown` begins when the console notices a gap, which is no activity.
            Presenter::Never | Presenter::Unknown { .. } => None,
        };
        let viewers = match self.viewers {
            Viewers::Some { since } | Viewers::None { since, .. } => Some(since),
            Viewers::Never | Viewers::Unknown { .. } => None,
        };
        let times = [life, presenter, viewers, self.first_joined];
        times.into_iter().flatten().fold(self.created, Timestamp::max)
    }

    /// Where and how long the PIN is or was good, once there is one.
    pub fn allocation(&self) -> Option<&Allocation> {
        match &self.life {
            Life::Live(allocation) | Life::Over { allocation, .. } => Some(allocation),
            Life::Closed { allocation, .. } | Life::Failed { allocation, .. } => {
                allocation.as_ref()
            }
            Life::Allocating => None,
        }
    }

    /// Mends the end of a PIN that may still be good, if the clock was set back since it was given out.
    pub(crate) fn mend_end_of_pin(&mut self, now: Timestamp) {
        match &mut self.life {
            Life::Live(allocation)
            | Life::Failed { allocation: Some(allocation), .. }
            | Life::Closed { allocation: Some(allocation), revoked: None | Some(false), .. } => {
                allocation.mend(now);
            }
            // When it ended is told as it was noticed then.
            Life::Over { .. }
            | Life::Closed { .. }
            | Life::Allocating
            | Life::Failed { allocation: None, .. } => {}
        }
    }

    /// Whether nothing is left to do for the PIN of a closed session at `now`. One that nobody knows to be ended is
    /// needed until the service doesn't give its chat any more.
    pub fn closed_pin_is_done(&self, now: Timestamp) -> bool {
        let Life::Closed { allocation, revoked, .. } = &self.life else { return false };
        let Some(allocation) = allocation else { return true };
        let end = allocation.end(now);
        match revoked {
            Some(true) => true,
            Some(false) => end <= now,
            None => now.since(end) >= CHAT_IS_GIVEN,
        }
    }

    /// Whether presenter and a viewer are both known to be there; connected and let in where the broker says that.
    pub fn is_active(&self) -> bool {
        matches!((self.presenter, self.viewers), (Presenter::Online { .. }, Viewers::Some { .. }))
            && self.observed.presenter_left.is_none()
            && self.observed.viewers_left.is_none()
            && !self.observed.viewers_wait
    }
}
