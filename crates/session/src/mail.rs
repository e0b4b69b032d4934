//! E-mails that the service sends for us, now or when their claim becomes true.
//!
//! A mail may go out once per order and event: an order is stored as `Sending` before the call, and
//! one found so after a crash is `MaybeSent` and never repeated.

use serde::{Deserialize, Serialize};
use wire::HookType;

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
}

/// How far an order has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "is")]
pub enum Status {
    /// It waits for its event.
    Waiting,
    /// Its claim is true, but it waits for the verification gate to open.
    Held,
    /// The call is under way.
    Sending,
    /// The service accepted it.
    Sent {
        /// When the service accepted it.
        at: Timestamp,
    },
    /// The program ended during the call, or no answer came: it may have been sent, and won't
    /// be again.
    MaybeSent,
    /// The service didn't take it.
    Failed {
        /// Why it was not taken.
        failure: Failure,
    },
}
