//! Commands to the remote-support service itself: regions, abuse, the way from it to this
//! console, the outbox.

use broker::MailState;
use engine::{
    CommandError, Engine,
    reach::{Reached, Requester},
};
use serde::Deserialize;
use session::Failure;
use strum::VariantNames;
use ts_rs::TS;
use wire::Pin;

use super::{
    CommandResult, failed,
    policy::{AuditPolicy, Policy},
    refused,
};
use crate::{
    Settings,
    app::{App, Console, known_reach},
    present::{remedy, trouble},
    reply::{OutboxMail, Reply},
    view::{Code, GatePolicy, MailKind, Reach, Trouble},
    words,
};

/// Commands to the remote-support service itself.
#[derive(Clone, Deserialize, TS, VariantNames)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
#[strum(serialize_all = "snake_case")]
pub enum RemoteServiceCommand {
    /// Races the regions again.
    ProbeRegions,
    /// Asks the service to reach our listener with a nonce. Answers `reach`.
    TestReach,
    /// E-mails that the embedded broker would have sent. Answers `outbox`.
    Outbox,
    /// Reports a scammer's PIN; one minted here is refused.
    ReportAbuse {
        /// The PIN as typed.
        pin: String,
    },
}

impl RemoteServiceCommand {
    pub(super) fn policy(&self, _: &Settings) -> Policy {
        Policy::refused_while_locked(match self {
            Self::ReportAbuse { .. } => {
                AuditPolicy::after("abuse_reported", "Reported a PIN of somebody else's for abuse.")
            }
            Self::ProbeRegions | Self::TestReach | Self::Outbox => AuditPolicy::Nothing,
        })
    }

    pub(super) async fn carry_out(self, app: &App, _by: &str) -> CommandResult {
        let console = app.console();
        match self {
            Self::ProbeRegions => probe_regions(console).await,
            Self::TestReach => test_reach(console).await,
            Self::Outbox => outbox(console).await,
            Self::ReportAbuse { pin } => report_abuse(console, &pin).await,
        }
    }
}

async fn probe_regions(console: &Console) -> CommandResult {
    console.engine.require().await?.probe().map_err(failed)?;
    Ok(Reply::Done)
}

async fn report_abuse(console: &Console, typed: &str) -> CommandResult {
    let pin = Pin::from_typed(typed).map_err(|shape| {
        trouble::bad_input(&format!("report the PIN: {shape}"), "type it as it was given")
    })?;
    let engine = console.engine.require().await?;
    // If the disk can't answer, nothing is reported: a wrong report can't be taken back.
    if engine.minted(&pin).await.map_err(|error| trouble::of_store(&error))? {
        return Err(refused(
            "report the PIN: this console gave it out. Reports count against whoever did, so a \
             help desk that reports its own PINs is blocked in the end",
            "Close the session instead.",
        ));
    }
    match engine.report_abuse(&pin).await {
        Ok(()) => Ok(Reply::Done),
        Err(CommandError::Call(call)) if call.failure == (Failure::Rejected { status: 404 }) => {
            let text = "report the PIN: the service knows no such PIN";
            Err(trouble::new(
                &text,
                (Code::NotFound, "ask for the PIN again, and type it as it was given"),
            ))
        }
        Err(error) => Err(failed(error)),
    }
}

async fn test_reach(console: &Console) -> CommandResult {
    // The engine isn't held during the call: another may start meanwhile, to which the result
    // doesn't apply.
    let generation = console.engine.generation();
    let test = console.engine.require().await?.test_reach();
    let tested = test.await;
    let engine = console.engine.require().await?;
    if console.engine.generation() != generation {
        return Ok(Reply::Reach { reach: Reach::Unknown, text: "Not tested.".into() });
    }
    let url = engine.hook_base().as_str().trim_end_matches('/');
    let text = match tested {
        Ok(reached) => came(url, reached),
        Err(error) => {
            let Trouble { text, remedy, .. } = trouble::new(&error, remedy::of_reach(error));
            format!("{text} {remedy}")
        }
    };
    Ok(Reply::Reach { reach: known_reach(&engine), text })
}

/// What a call that arrived has proved, and what it hasn't.
fn came(url: &str, Reached { by, took }: Reached) -> String {
    let took = took.as_millis();
    match by {
        Requester::Service => {
            format!("{url} leads to this console: the service's call came in {took} ms.")
        }
        Requester::Ourselves => format!(
            "{url} leads to this console: a call from this computer came in {took} ms. The service \
             can't be asked to call, so whether a firewall keeps it away is not known."
        ),
    }
}

/// The longest words of a mail server that are shown, in characters.
const LONGEST_REASON: usize = 300;

async fn outbox(console: &Console) -> CommandResult {
    let engine = console.engine.require().await?;
    let embedded = console.broker.get().filter(|_| console.settings.current().base_url.is_none());
    let embedded = embedded.ok_or_else(|| {
        trouble::bad_input(
            "show the outbox: the configured service keeps its own",
            "look there, or leave the base URL empty to use the broker that comes along",
        )
    })?;
    let mails = embedded.handle().outbox().into_iter().rev();
    let mails = mails.map(|mail| OutboxMail {
        at: mail.at.0,
        state: match mail.state {
            MailState::Unsent => MailKind::NotSent,
            MailState::Sending | MailState::Waiting(_) => MailKind::Queued,
            MailState::Sent => MailKind::HandedOver,
            MailState::Failed(_) => MailKind::Refused,
        },
        reason: mail.state.reason().map(|reason| words::plain(reason, LONGEST_REASON)),
        to: mail.to,
        subject: mail.subject,
        body: if shows_a_viewer(console, &engine, &mail.body) {
            HELD_BACK.into()
        } else {
            mail.body
        },
    });
    Ok(Reply::Outbox { mails: mails.collect() })
}

/// Replaces the text of an e-mail with a viewer's link while the gate is shut.
const HELD_BACK: &str = "This e-mail has a viewer's link. It is not shown while the verification gate \
    of its session is shut.";

/// Whether an e-mail's text has a viewer's link that the verification gate withholds.
fn shows_a_viewer(console: &Console, engine: &Engine, body: &str) -> bool {
    let required = console.settings.current().verify_gate == GatePolicy::Require;
    let snapshots = engine.snapshots();
    let of = snapshots
        .iter()
        .find(|snapshot| snapshot.pin.as_ref().is_some_and(|pin| body.contains(pin.expose())));
    // An ended session has no gate to open, and no viewer either.
    let shut = of.and_then(|snapshot| engine.keeps_shut(snapshot.id)).unwrap_or_default();
    required && shut && body.contains("/view?")
}
