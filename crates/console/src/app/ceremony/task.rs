//! The purpose of a ceremony, with the data for carrying it out once the passkey was used.

use engine::{SessionId, access::Person};

use super::browser_page::{PageOffer, PasskeyUse};
use crate::view::Purpose;

/// The name of a profile's first passkey.
const FIRST_PASSKEY: &str = "First passkey";

#[derive(Debug, Clone)]
pub(crate) enum CeremonyTask {
    /// A new profile and its first passkey.
    CreateProfile(Person),
    /// To sign in or unlock; without a person, anybody with a profile here may.
    SignIn(Option<Person>),
    /// A further passkey.
    AddPasskey { person: Person, nickname: String },
    /// To override the verification gate of one session.
    Override { person: Person, session: SessionId, reason: String },
}

impl CeremonyTask {
    pub const fn purpose(&self) -> Purpose {
        match self {
            Self::CreateProfile(_) => Purpose::CreateProfile,
            Self::SignIn(_) => Purpose::SignIn,
            Self::AddPasskey { .. } => Purpose::AddPasskey,
            Self::Override { .. } => Purpose::Override,
        }
    }

    /// The purpose as the page and the window show it. It never names a customer.
    pub fn text(&self) -> String {
        match self {
            Self::CreateProfile(person) => format!("Create a passkey for {}", person.name),
            Self::SignIn(Some(person)) => format!("Sign in as {}", person.name),
            Self::SignIn(None) => "Sign in".to_owned(),
            Self::AddPasskey { person, .. } => format!("Add a passkey for {}", person.name),
            Self::Override { person, .. } => {
                format!("Override the verification of a session, as {}", person.name)
            }
        }
    }

    /// Completes "could not ...".
    pub const fn doing(&self) -> &'static str {
        match self {
            Self::CreateProfile(_) => "create the profile",
            Self::SignIn(_) => "sign in",
            Self::AddPasskey { .. } => "add the passkey",
            Self::Override { .. } => "override the verification",
        }
    }

    pub const fn passkey_use(&self) -> PasskeyUse {
        match self {
            Self::CreateProfile(_) | Self::AddPasskey { .. } => PasskeyUse::Register,
            Self::SignIn(_) | Self::Override { .. } => PasskeyUse::SignIn,
        }
    }

    /// What the page shows before anything is begun.
    pub fn offer(&self) -> PageOffer {
        PageOffer { text: self.text(), passkey_use: self.passkey_use() }
    }

    pub const fn person(&self) -> Option<&Person> {
        match self {
            Self::CreateProfile(person)
            | Self::AddPasskey { person, .. }
            | Self::Override { person, .. } => Some(person),
            Self::SignIn(person) => person.as_ref(),
        }
    }

    pub fn nickname(&self) -> Option<String> {
        match self {
            Self::CreateProfile(_) => Some(FIRST_PASSKEY.to_owned()),
            Self::AddPasskey { nickname, .. } => Some(nickname.clone()),
            Self::SignIn(_) | Self::Override { .. } => None,
        }
    }
}
