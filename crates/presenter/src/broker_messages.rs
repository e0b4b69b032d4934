//! The messages of the live connection.

use serde::{Deserialize, Serialize};
use uuid::Uuid;
use wire::{
    Pin,
    shared_screen::{AdmissionAnswer, ProgramHello, Sharing, SharingEnd, WaitingViewer},
};

/// What this program sends.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum ToBroker<'a> {
    Hello {
        #[serde(serialize_with = "wire::pin::expose")]
        session_pin: Pin,
        side: &'static str,
        page: Uuid,
        name: &'a str,
        program: &'a ProgramHello,
    },
    Sharing {
        state: Sharing,
    },
    Waiting {
        viewers: Vec<WaitingViewer>,
    },
    Leave {
        #[serde(skip_serializing_if = "Option::is_none")]
        why: Option<SharingEnd>,
    },
}

/// What the broker sends, beside [`wire::shared_screen::ToPresenter`].
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum FromBroker {
    Welcome,
    Refused {
        code: String,
    },
    Bye {
        code: String,
    },
    Snapshot {
        #[serde(default)]
        by: String,
    },
    OtherProgram,
    Admit(AdmissionAnswer),
    /// Chat, presence, and the messages of later brokers.
    #[serde(other)]
    Other,
}
