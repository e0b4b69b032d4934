//! E-mail: two fixed texts, an outbox, and SMTP when it is configured.
//!
//! Nothing that a stranger wrote stands in a mail but a name that passed `rules::text::mail_name`.

use std::{fmt, time::Duration};

use lettre::{
    Address, AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor,
    message::{Mailbox, header::ContentType},
};
use secrecy::ExposeSecret as _;
use serve::Millis;
use uuid::Uuid;
use wire::Pin;

use crate::config::Smtp;

/// An e-mail that was asked for.
#[derive(Clone)]
pub struct Mail {
    /// Its identity.
    pub id: Uuid,
    /// When it was asked for.
    pub at: Millis,
    /// The recipient's address.
    pub to: String,
    /// The subject line.
    pub subject: String,
    /// The text. It carries a link with the PIN, so it is as secret.
    pub body: String,
    /// What has become of it.
    pub state: MailState,
}

impl fmt::Debug for Mail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mail")
            .field("id", &self.id)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

/// What has become of an e-mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MailState {
    /// No SMTP server is configured: it lies in the outbox for the console to show.
    Kept,
    /// It is being sent. Found at a start, it may or may not have been sent, and isn't sent again.
    Sending,
    /// The SMTP server took it.
    Sent,
    /// It could not be sent, and why.
    Failed(String),
}

impl MailState {
    pub(crate) fn as_columns(&self) -> (&'static str, Option<&str>) {
        match self {
            Self::Kept => ("kept", None),
            Self::Sending => ("sending", None),
            Self::Sent => ("sent", None),
            Self::Failed(reason) => ("failed", Some(reason)),
        }
    }

    pub(crate) fn from_columns(state: &str, reason: Option<String>) -> Self {
        match state {
            "kept" => Self::Kept,
            "sent" => Self::Sent,
            "failed" => Self::Failed(reason.unwrap_or_default()),
            _ => Self::Sending,
        }
    }

    /// Its word, as listings show it.
    pub fn word(&self) -> &'static str {
        self.as_columns().0
    }
}

/// Which of the two texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Template {
    /// To a viewer: the customer is connected.
    PresenterStarted,
    /// To the customer: the technician is connected.
    ViewerStarted,
}

/// The links that a mail carries.
pub(crate) struct Links {
    pub front: String,
    pub join: String,
    pub view: String,
}

/// A recipient's address, or `None` if the text is none.
pub(crate) fn address(text: &str) -> Option<Address> {
    (text.len() <= 254).then(|| text.parse().ok()).flatten()
}

/// Subject and body of a mail.
pub(crate) fn compose(
    template: Template,
    name: &str,
    pin: &Pin,
    links: &Links,
) -> (String, String) {
    let (subject, body) = match template {
        Template::PresenterStarted => (
            "A remote support session is ready for you to view",
            format!(
                "{who} is connected to a remote support session and waits for you.\n\n\
                 Open the session:\n{link}\n\n\
                 Whoever has this link can reach the other person's computer: do not pass it on.\n",
                who = if name.is_empty() { "The customer" } else { name },
                link = links.view,
            ),
        ),
        Template::ViewerStarted => (
            "Your remote support session is ready",
            format!(
                "{who} is connected to a remote support session and waits for you.\n\n\
                 Join the session:\n{link}\n\n\
                 Or open {front} and type the PIN {pin}.\n\n\
                 If you did not ask for help, do not open the link. Nobody can reach your computer \
                 unless you join.\n",
                who = if name.is_empty() { "A technician" } else { name },
                link = links.join,
                front = links.front,
                pin = pin.expose(),
            ),
        ),
    };
    (subject.to_owned(), body)
}

/// The way to an SMTP server.
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
            .map_err(|_| {
                "the SMTP URL is not of the form smtps://user:password@host:465".to_owned()
            })?
            .timeout(Some(Duration::from_secs(20)))
            .build();
        Ok(Self { transport, from })
    }

    /// Sends once. What comes back is the state to keep.
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
    fn the_customers_mail_never_carries_the_viewer_link_and_the_viewers_never_the_join_link() {
        let links = Links { front: "o/".into(), join: "o/join#P".into(), view: "o/view?P".into() };
        let pin: Pin = "7W2-97-8570".parse().unwrap();
        let (_, customer) = compose(Template::ViewerStarted, "Anna", &pin, &links);
        assert!(customer.contains("Anna") && customer.contains("o/join#P"));
        assert!(!customer.contains("o/view"));
        let (_, viewer) = compose(Template::PresenterStarted, "", &pin, &links);
        assert!(viewer.contains("The customer") && viewer.contains("o/view?P"));
        assert!(!viewer.contains("o/join"));
    }

    #[test]
    fn an_address_is_one_address() {
        assert!(address("john@example.com").is_some());
        for wrong in ["", "john", "a@b.c, d@e.f", "a@b.c\r\nBcc: d@e.f", "<a@b.c>"] {
            assert!(address(wrong).is_none(), "{wrong}");
        }
    }
}
