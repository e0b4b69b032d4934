//! E-mails that the service sends for us, now or when their claim becomes true.
//!
//! A mail may go out once per order and event: an order is stored as `Sending` before the call, and
//! one found so after a crash is `MaybeSent` and never repeated by itself.
//!
//! That the service accepted a mail says nothing of whether it arrives. Our own broker tells further what its mail
//! server said of it; nobody can tell more.

use serde::{Deserialize, Serialize};
use wire::{HookType, session_events::MailState};

use crate::{Failure, Timestamp};

/// A session keeps this many orders: far more than a person gives, and a bound for a script.
pub const MOST: usize = 64;

/// One of the service's two templates, named by its recipient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Template {
    /// `viewer_started`: to the customer; claims that the technician is connected and waiting.
    ToCustomer,
    /// `presenter_started`: to a colleague; claims that the customer is connected.
    ToColleague,
}

impl Template {
    /// The person to whom it speaks.
    pub const fn addressee(self) -> &'static str {
        match self {
            Self::ToCustomer => "the customer",
            Self::ToColleague => "a colleague",
        }
    }

    /// The service's name of it, which is also the event that makes its claim true.
    pub const fn hook(self) -> HookType {
        match self {
            Self::ToCustomer => HookType::ViewerStarted,
            Self::ToColleague => HookType::PresenterStarted,
        }
    }
}

/// When an order is carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// At once, or as soon as there is a PIN, whether or not its claim is true.
    Now,
    /// At the next event that makes its claim true, once.
    NextEvent,
    /// At every such event (a standing rule).
    EveryEvent,
}

/// One e-mail as ordered, and how far it has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// Its number within the session.
    pub id: u32,
    /// A validated address.
    pub to: String,
    /// The template.
    pub template: Template,
    /// Whose name the mail gives: the technician's or the customer's.
    pub name: String,
    /// When it goes out.
    pub when: When,
    /// Who ordered it.
    pub by: String,
    /// How far it has come.
    pub status: Status,
    /// The broker's ids of the mails that went out for this order, the newest last. None at a service that gives
    /// no ids, and in records of before there were any.
    #[serde(default)]
    pub ids: Vec<String>,
    /// What the broker says has become of the newest of them.
    #[serde(default)]
    pub fate: Option<Fate>,
}

/// What the broker says has become of an e-mail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fate {
    /// How far it has come.
    pub state: MailState,
    /// The mail server's own words, or what is missing; untrusted text, without the PIN. May be empty.
    pub reason: String,
    /// When this console learned it.
    pub at: Timestamp,
}

impl Order {
    /// Whether it can be sent once more: it is known, or feared, not to have gone to a mail server.
    pub fn can_be_repeated(&self) -> bool {
        match self.status {
            Status::Failed { .. } | Status::MaybeSent => true,
            Status::Accepted { .. } => self.fate.as_ref().is_some_and(|fate| match fate.state {
                MailState::NotSent | MailState::Refused => true,
                MailState::Queued | MailState::HandedOver => false,
            }),
            Status::Waiting | Status::Held | Status::Sending => false,
        }
    }

    /// Whether it was accepted by a service that gave no id, so that nobody tells what becomes of it.
    pub(crate) const fn is_untold(&self) -> bool {
        matches!(self.status, Status::Accepted { .. }) && self.ids.is_empty()
    }
}

/// How far an order has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "is")]
pub enum Status {
    /// It waits for its event.
    Waiting,
    /// Its claim is true, but it waits for the gate to open, or for links to control to be given again.
    Held,
    /// The call is under way.
    Sending,
    /// The service accepted it. Whether it arrives isn't known.
    // Records of earlier versions have it as sent.
    #[serde(alias = "sent")]
    Accepted {
        /// When the service accepted it.
        at: Timestamp,
    },
    /// The program ended during the call, or no answer came: it may have been sent, and won't
    /// be again by itself.
    MaybeSent,
    /// The service didn't take it.
    Failed {
        /// Why it was not taken.
        failure: Failure,
    },
}
