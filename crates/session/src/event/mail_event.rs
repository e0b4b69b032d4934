//! Events of e-mails that the service sends for us.

use serde::{Deserialize, Serialize};

use super::{EventFacts, LogContext, LogLine, Notice};
use crate::{Failure, mail::Template};

/// An e-mail was sent or wasn't.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, strum::IntoStaticStr)]
#[serde(rename_all = "snake_case", tag = "event")]
#[strum(serialize_all = "snake_case")]
pub enum MailEvent {
    /// The service accepted an e-mail.
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
}

impl EventFacts for MailEvent {
    fn name(&self) -> &'static str {
        self.into()
    }

    fn notice(&self, session: &str) -> Notice {
        Notice::quiet(match self {
            Self::MailSent { template, .. } => {
                format!("{session}: e-mail to {} sent", template.addressee())
            }
            Self::MailFailed { maybe_sent: true, .. } => {
                format!("{session}: an e-mail may have been sent")
            }
            Self::MailFailed { maybe_sent: false, failure, .. } => {
                format!("{session}: an e-mail was not sent: {}", failure.reason())
            }
        })
    }

    fn log_line(&self, _: &LogContext<'_>) -> LogLine {
        match self {
            Self::MailSent { template, .. } => {
                LogLine::success(format!("E-mail to {} sent", template.addressee()))
            }
            Self::MailFailed { maybe_sent: true, .. } => {
                LogLine::failure("E-mail may have been sent; it is not repeated")
            }
            Self::MailFailed { maybe_sent: false, failure, .. } => {
                LogLine::failure(format!("E-mail not sent: {}", failure.reason()))
            }
        }
    }
}
