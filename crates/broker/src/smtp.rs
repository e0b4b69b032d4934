//! Handing one e-mail to an SMTP server.

mod mail_server;

use std::{
    error::Error as _,
    fmt,
    time::{Duration, UNIX_EPOCH},
};

use lettre::{
    Message,
    message::{Mailbox, header::ContentType},
    transport::smtp::{
        Error,
        client::AsyncSmtpConnection,
        commands,
        extension::{Extension, MailBodyParameter, MailParameter},
    },
};
use secrecy::ExposeSecret as _;

use self::mail_server::MailServer;
use crate::{address, config::Smtp, hub::outbox::Mail, while_running::while_running};

/// How long the server may take for one answer...
const STEP_TIMEOUT: Duration = Duration::from_secs(20);
/// ...and for letting us in, or for taking the whole mail: it may look closer at us then.
const LONG_STEP_TIMEOUT: Duration = Duration::from_secs(60);
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
    server: MailServer,
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
        let server = MailServer::of(smtp.url.expose_secret()).ok_or_else(|| {
            "the SMTP URL is not of the form smtps://user:password@host:465".to_owned()
        })?;
        Ok(Self { server, from })
    }

    /// Makes one attempt to hand an e-mail over.
    pub async fn send(&self, mail: &Mail) -> Handover {
        let message = match self.message(mail) {
            Ok(message) => message,
            Err(why) => return Handover::Refused(why),
        };
        let mut connection = match step(LONG_STEP_TIMEOUT, self.server.connect()).await {
            Ok(connection) => connection,
            Err(failed) => return failed,
        };
        let failed = hand_over(&mut connection, &message).await.err();
        // Beside: what became of the mail is known, whether or not the server says goodbye.
        tokio::spawn(async move { while_running(STEP_TIMEOUT, connection.abort()).await });
        failed.unwrap_or(Handover::Taken)
    }

    fn message(&self, mail: &Mail) -> Result<Message, String> {
        let to = address::parse(&mail.to)
            .map_err(|why| format!("this is not an e-mail address: {why}"))?;
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
        message.map_err(|error| tidy(&error.to_string()))
    }
}

/// Each step has a time of its own, in which only the time counts that this program ran: a mail that was taken while
/// this program was stopped would be sent again otherwise.
async fn hand_over(
    connection: &mut AsyncSmtpConnection,
    message: &Message,
) -> Result<(), Handover> {
    let (envelope, bytes) = (message.envelope(), message.formatted());
    let parameters = parameters(connection, message, &bytes)?;
    let from = commands::Mail::new(envelope.from().cloned(), parameters);
    step(STEP_TIMEOUT, connection.command(from)).await?;
    for to in envelope.to() {
        let to = commands::Rcpt::new(to.clone(), Vec::new());
        step(STEP_TIMEOUT, connection.command(to)).await?;
    }
    step(STEP_TIMEOUT, connection.command(commands::Data)).await?;
    step(LONG_STEP_TIMEOUT, connection.message(&bytes)).await?;
    Ok(())
}

/// What the server has to be told of a mail that isn't all ASCII. Only an address can make it so.
fn parameters(
    connection: &AsyncSmtpConnection,
    message: &Message,
    bytes: &[u8],
) -> Result<Vec<MailParameter>, Handover> {
    let envelope = message.envelope();
    let mut addresses = envelope.from().into_iter().chain(envelope.to());
    let needs = [
        (!addresses.all(|one| AsRef::<str>::as_ref(one).is_ascii()), Extension::SmtpUtfEight),
        (!bytes.is_ascii(), Extension::EightBitMime),
    ];
    let needed = needs.into_iter().filter_map(|(is_needed, one)| is_needed.then_some(one));
    let parameter = |extension| {
        if !connection.server_info().supports_feature(extension) {
            return Err(Handover::Refused(NO_SMTPUTF8.to_owned()));
        }
        Ok(match extension {
            Extension::EightBitMime => MailParameter::Body(MailBodyParameter::EightBitMime),
            _ => MailParameter::SmtpUtfEight,
        })
    };
    needed.map(parameter).collect()
}

async fn step<T>(
    within: Duration,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, Handover> {
    match while_running(within, work).await {
        Some(done) => done.map_err(|error| outcome(&error)),
        None => Err(Handover::NotYet(SILENT.into())),
    }
}

fn outcome(error: &Error) -> Handover {
    let words = error.source().map(ToString::to_string).unwrap_or_default();
    if let Some(code) = error.status() {
        let said = tidy(&format!("{code} {words}"));
        return if error.is_permanent() { Handover::Refused(said) } else { Handover::NotYet(said) };
    }
    // The library's own check, before anything was said to the server.
    if error.is_client() {
        return Handover::Refused(tidy(&error.to_string()));
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
