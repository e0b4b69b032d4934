//! Events of e-mails that the service sends for us.

use serde::{Deserialize, Serialize};

use super::{EventFacts, LogContext, LogLine, Notice};
use crate::{Failure, mail::Template, text::plain};

/// The longest words of a mail server that are shown, in characters.
const LONGEST_REASON: usize = 300;

/// An e-mail went further on its way, or didn't.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, strum::IntoStaticStr)]
#[serde(rename_all = "snake_case", tag = "event")]
#[strum(serialize_all = "snake_case")]
pub enum MailEvent {
    /// The service accepted an e-mail. Whether it arrives isn't known: the name is older than the other events.
    MailSent {
        /// The order's number.
        id: u32,
        /// The template, which says to whom it speaks.
        template: Template,
    },
    /// An e-mail was not taken, or may not have been.
    MailFailed {
        /// The order's number.
        id: u32,
        /// Why it failed.
        failure: Failure,
        /// Whether it may have been sent all the same.
        maybe_sent: bool,
    },
    /// The broker has no mail server, so an e-mail waits in its outbox and nobody gets it.
    MailKept {
        /// The order's number.
        id: u32,
        /// The template, which says to whom it speaks.
        template: Template,
    },
    /// The mail server didn't take an e-mail yet; the broker tries again.
    MailDelayed {
        /// The order's number.
        id: u32,
        /// The template, which says to whom it speaks.
        template: Template,
        /// The mail server's words, without the PIN.
        reason: String,
    },
    /// The mail server took an e-mail. Whether it arrives isn't known.
    MailHandedOver {
        /// The order's number.
        id: u32,
        /// The template, which says to whom it speaks.
        template: Template,
    },
    /// The mail server refused an e-mail for good, or could not be reached in time.
    MailRefused {
        /// The order's number.
        id: u32,
        /// The template, which says to whom it speaks.
        template: Template,
        /// The mail server's words, without the PIN.
        reason: String,
    },
}

impl EventFacts for MailEvent {
    fn name(&self) -> &'static str {
        self.into()
    }

    fn notice(&self, session: &str) -> Notice {
        let text = match self {
            Self::MailSent { template, .. } => {
                format!("{session}: e-mail to {} accepted by the service", template.addressee())
            }
            Self::MailFailed { maybe_sent: true, .. } => {
                format!("{session}: an e-mail may have been sent; it is not sent again by itself")
            }
            Self::MailFailed { maybe_sent: false, failure, .. } => {
                format!("{session}: an e-mail was not sent: {}", failure.reason())
            }
            // The technician waits for somebody who was never told.
            Self::MailKept { template, .. } => {
                let whom = template.addressee();
                return Notice::loud(format!(
                    "{session}: e-mail to {whom} not sent: no mail server is configured"
                ));
            }
            Self::MailDelayed { template, .. } => {
                format!("{session}: e-mail to {} not taken yet", template.addressee())
            }
            Self::MailHandedOver { template, .. } => {
                format!("{session}: e-mail to {} handed to the mail server", template.addressee())
            }
            Self::MailRefused { template, .. } => {
                let whom = template.addressee();
                return Notice::loud(format!(
                    "{session}: e-mail to {whom} refused by the mail server"
                ));
            }
        };
        Notice::quiet(text)
    }

    fn log_line(&self, _: &LogContext<'_>) -> LogLine {
        match self {
            Self::MailSent { template, .. } => LogLine::success(format!(
                "E-mail to {} accepted by the service; whether it arrives isn't known",
                template.addressee()
            )),
            Self::MailFailed { maybe_sent: true, .. } => {
                LogLine::failure("An e-mail may have been sent; it is not sent again by itself")
            }
            Self::MailFailed { maybe_sent: false, failure, .. } => {
                LogLine::failure(format!("E-mail not sent: {}", failure.reason()))
            }
            Self::MailKept { template, .. } => LogLine::failure(format!(
                "E-mail to {} not sent: no mail server is configured; it waits in the broker's outbox",
                template.addressee()
            )),
            Self::MailDelayed { template, reason, .. } => LogLine::failure(format!(
                "The mail server has not taken the e-mail to {} yet; it will be tried again: {}",
                template.addressee(),
                plain(reason, LONGEST_REASON)
            )),
            Self::MailHandedOver { template, .. } => LogLine::success(format!(
                "E-mail to {} handed to the mail server; whether it arrives isn't known",
                template.addressee()
            )),
            Self::MailRefused { template, reason, .. } => LogLine::failure(format!(
                "The mail server refused the e-mail to {}: {}",
                template.addressee(),
                plain(reason, LONGEST_REASON)
            )),
        }
    }
}
