//! Handing one e-mail to an SMTP server.

use std::{
    error::Error as _,
    fmt,
    time::{Duration, UNIX_EPOCH},
};

use lettre::{
    AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor,
    message::{Mailbox, header::ContentType},
    transport::smtp::Error,
};
use secrecy::ExposeSecret as _;
use tokio::time::timeout;

use crate::{address, config::Smtp, hub::outbox::Mail};

/// How long the server may take for one step.
const STEP_TIMEOUT: Duration = Duration::from_secs(20);
/// How long it may take for everything: a server that says one byte a step is silent as well.
const WHOLE_TIMEOUT: Duration = Duration::from_secs(60);
/// The most characters of a server's words that are repeated.
const LONGEST_REASON: usize = 300;

const SILENT: &str = "the mail server did not answer in time";
const NO_SMTPUTF8: &str = "the mail server takes no address with letters beyond ASCII before the @ (it does not offer \
     SMTPUTF8); use another address of this person, or another mail server";

/// What became of one attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Handover {
    /// The server took it.
    Taken,
    /// It may take it later; why it didn't.
    NotYet(String),
    /// It never will; why.
    Refused(String),
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
            .timeout(Some(STEP_TIMEOUT))
            .build();
        Ok(Self { transport, from })
    }

    /// Makes one attempt to hand an e-mail over.
    pub async fn send(&self, mail: &Mail) -> Handover {
        let to = match address::parse(&mail.to) {
            Ok(to) => to,
            Err(why) => return Handover::Refused(format!("this is not an e-mail address: {why}")),
        };
        let plain = to.user().is_ascii();
        // The same each time that it is tried, so that an e-mail that comes twice is known to be one.
        let message_id = format!("<{}@{}>", mail.id, self.from.email.domain());
        let at = UNIX_EPOCH + Duration::from_secs(mail.at.seconds());
        let message = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(mail.subject.clone())
            .message_id(Some(message_id))
            .date(at)
            .header(ContentType::TEXT_PLAIN)
            .body(mail.body.clone());
        let message = match message {
            Ok(message) => message,
            Err(error) => return Handover::Refused(tidy(&error.to_string())),
        };
        match timeout(WHOLE_TIMEOUT, self.transport.send(message)).await {
            Ok(Ok(_)) => Handover::Taken,
            Ok(Err(error)) => outcome(&error, plain),
            Err(_) => Handover::NotYet(SILENT.into()),
        }
    }
}

fn outcome(error: &Error, plain_address: bool) -> Handover {
    let words = error.source().map(ToString::to_string).unwrap_or_default();
    if let Some(code) = error.status() {
        let said = tidy(&format!("{code} {words}"));
        return if error.is_permanent() { Handover::Refused(said) } else { Handover::NotYet(said) };
    }
    // The library's own check, before anything was said to the server.
    if error.is_client() {
        let reason = if plain_address { tidy(&error.to_string()) } else { NO_SMTPUTF8.to_owned() };
        return Handover::Refused(reason);
    }
    if error.is_timeout() {
        return Handover::NotYet(SILENT.into());
    }
    Handover::NotYet(tidy(&format!("the connection to the mail server failed: {words}")))
}

/// A server's words on one line, and not too long.
fn tidy(words: &str) -> String {
    let line: Vec<&str> = words.split(|c: char| c.is_control() || c.is_whitespace()).collect();
    let line: Vec<&str> = line.into_iter().filter(|word| !word.is_empty()).collect();
    line.join(" ").chars().take(LONGEST_REASON).collect()
}
