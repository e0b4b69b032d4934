//! Sending e-mail by SMTP, where a server is configured.

use std::{fmt, time::Duration};

use lettre::{
    Address, AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor,
    message::{Mailbox, header::ContentType},
};
use secrecy::ExposeSecret as _;

use crate::{
    config::Smtp,
    hub::outbox::{Mail, MailState},
};

/// A recipient's address; `None` if the text isn't exactly one.
pub(crate) fn address(text: &str) -> Option<Address> {
    // RFC 5321 allows no longer path than 256 octets, of which two are its angle brackets.
    (text.len() <= 254).then(|| text.parse().ok()).flatten()
}

/// Sends e-mails to one SMTP server.
pub(crate) struct Mailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

impl fmt::Debug for Mailer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mailer")
    }
}

impl Mailer {
    /// # Errors
    /// What is wrong with the settings, without the password in them.
    pub fn new(smtp: &Smtp) -> Result<Self, String> {
        let from =
            smtp.from.parse().map_err(|_| "the sender is not an e-mail address".to_owned())?;
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(smtp.url.expose_secret())
            // Not the error itself, which could quote the URL and its password.
            .map_err(|_| {
                "the SMTP URL is not of the form smtps://user:password@host:465".to_owned()
            })?
            .timeout(Some(Duration::from_secs(20)))
            .build();
        Ok(Self { transport, from })
    }

    /// Sends a mail once, and returns the state that it is in after that.
    pub async fn send(&self, mail: &Mail) -> MailState {
        let Some(to) = address(&mail.to) else {
            return MailState::Failed("the address is not an e-mail address".into());
        };
        let message = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(mail.subject.clone())
            .header(ContentType::TEXT_PLAIN)
            .body(mail.body.clone());
        match message {
            Err(error) => MailState::Failed(error.to_string()),
            Ok(message) => match self.transport.send(message).await {
                Ok(_) => MailState::Sent,
                Err(error) => MailState::Failed(error.to_string()),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_one_address() {
        assert!(address("john@example.com").is_some());
        for wrong in ["", "john", "a@b.c, d@e.f", "a@b.c\r\nBcc: d@e.f", "<a@b.c>"] {
            assert!(address(wrong).is_none(), "{wrong}");
        }
    }
}
