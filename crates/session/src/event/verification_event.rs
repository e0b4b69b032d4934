//! Events of verifications: a person was asked to prove who they are, and the outcome.

use serde::{Deserialize, Serialize};

use super::{EventFacts, LogContext, LogLine, Notice};
use crate::{
    Failure,
    denials::Denials,
    text::{count, plain_name},
    verification::{Cause, Method, Subject},
};

/// Something happened to one verification.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerificationEvent {
    /// The verification's number within the session.
    pub id: u32,
    /// The person who is verified.
    pub who: Subject,
    /// The verification service's name or id of that person.
    pub user: String,
    /// The change.
    // Stored events are flat objects: this writes the `event` field beside the others.
    #[serde(flatten)]
    pub change: VerificationChange,
}

/// A change of a verification.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, strum::IntoStaticStr)]
#[serde(rename_all = "snake_case", tag = "event")]
#[strum(serialize_all = "snake_case")]
pub enum VerificationChange {
    /// Somebody asked for it.
    VerificationAsked {
        /// How the person is verified.
        how: Method,
        /// Who asked for it.
        by: String,
    },
    /// The person approved, or the code was good.
    VerificationApproved {
        /// What had been denied before it was asked.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        denied: Option<Denials>,
    },
    /// The person denied.
    VerificationDenied,
    /// Nobody answered in time.
    VerificationTimedOut,
    /// It was cancelled here, or its session ended first.
    VerificationCancelled,
    /// The person has no device to be asked on.
    VerificationNoDevice,
    /// It failed.
    VerificationFailed {
        /// Why it failed.
        #[serde(flatten)]
        cause: Cause,
    },
    /// The push could not be taken back, so the phone may go on ringing.
    VerificationNotTakenBack {
        /// Why it could not be.
        failure: Failure,
    },
    /// Its result is not known, because the program ended meanwhile.
    VerificationUnknown,
}

use VerificationChange::{
    VerificationApproved as Approved, VerificationAsked as Asked,
    VerificationCancelled as Cancelled, VerificationDenied as Denied, VerificationFailed as Failed,
    VerificationNoDevice as NoDevice, VerificationNotTakenBack as NotTakenBack,
    VerificationTimedOut as TimedOut, VerificationUnknown as Unknown,
};

impl VerificationEvent {
    /// The event of `person` as a sentence that begins with a name.
    fn told_of(&self, person: &str) -> String {
        match &self.change {
            Asked { how, by } => {
                let (by, user) = (plain_name(by), plain_name(&self.user));
                match how {
                    Method::Push => format!("{by} sent a push to {user}"),
                    Method::Otp => format!("{by} entered a one-time password of {user}"),
                    Method::BypassCode => format!("{by} entered a bypass code of {user}"),
                }
            }
            Approved { denied: None } => format!("{person} approved"),
            Approved { denied: Some(Denials { times, .. }) } => format!(
                "{person} approved after {}: ask them whether they meant it",
                count(*times, "denial", "denials")
            ),
            Denied => format!("{person} denied"),
            TimedOut => format!("{person} did not answer in time"),
            Cancelled => format!("{person}: verification cancelled"),
            NoDevice => format!("{person} has no device to be asked on"),
            Failed { cause } => {
                let why = match cause {
                    Cause::UnknownUser => "the verification service knows no such person".into(),
                    Cause::WrongCode => "the code was not accepted".into(),
                    Cause::WrongDomain => "the verification service knows no such domain".into(),
                    Cause::Call { failure } => failure.reason(),
                };
                format!("{person} could not be verified: {why}")
            }
            NotTakenBack { failure } => format!(
                "{person}: the push could not be taken back and may still be answered: {}",
                failure.reason()
            ),
            Unknown => format!(
                "{person}: the verification may have been sent; what came of it is not known"
            ),
        }
    }
}

impl EventFacts for VerificationEvent {
    fn name(&self) -> &'static str {
        (&self.change).into()
    }

    fn notice(&self, session: &str) -> Notice {
        // The customer is known by the session's name, not by the service's name for them.
        let text = match self.who {
            Subject::Customer => self.told_of(session),
            Subject::Technician => self.told_of(&plain_name(&self.user)),
        };
        match &self.change {
            Asked { .. } => Notice::quiet(format!("{session}: {text}")),
            Cancelled => Notice::quiet(text),
            Approved { .. }
            | Denied
            | TimedOut
            | NoDevice
            | Failed { .. }
            | NotTakenBack { .. }
            | Unknown => Notice::loud(text),
        }
    }

    fn log_line(&self, _: &LogContext<'_>) -> LogLine {
        let user = plain_name(&self.user);
        match &self.change {
            Asked { .. } | Approved { .. } => LogLine::success(self.told_of(&user)),
            Cancelled => LogLine::success(format!("Verification of {user} cancelled")),
            Denied | TimedOut | NoDevice | Failed { .. } | NotTakenBack { .. } | Unknown => {
                LogLine::failure(self.told_of(&user))
            }
        }
    }

    fn audit_text(&self) -> Option<String> {
        let user = plain_name(&self.user);
        let person = match self.who {
            Subject::Customer => format!("the customer ({user})"),
            Subject::Technician => format!("the technician ({user})"),
        };
        match &self.change {
            // It is audited with the command of whoever asks, at the time when they do.
            Asked { .. } => None,
            Approved { .. } | Denied | TimedOut => Some(self.told_of(&person)),
            Cancelled => Some(format!("the verification of {person} was cancelled")),
            NotTakenBack { .. } => Some(format!(
                "the push to {person} could not be taken back and may still be answered"
            )),
            NoDevice => Some(format!("{person} has no device")),
            Failed { cause } => {
                let why = match cause {
                    Cause::UnknownUser => "the service knows no such person",
                    Cause::WrongCode => "the code was not accepted",
                    Cause::WrongDomain => "the service knows no such domain",
                    Cause::Call { .. } => "the service did not do it",
                };
                Some(format!("{person} could not be verified: {why}"))
            }
            Unknown => Some(format!("what came of the verification of {person} is not known")),
        }
    }
}
