//! Commands over e-mails: to the customer in the technician's name, to a colleague
//! in the customer's.

use engine::{Engine, SessionId};
use serde::Deserialize;
use session::{
    About, Input,
    mail::{MOST, Template, When},
};
use strum::VariantNames;
use ts_rs::TS;
use wire::MailAddress;

use super::{
    CommandResult, failed, no_session, parse_id,
    policy::{AuditPolicy, Policy},
    refused,
};
use crate::{
    Settings,
    app::{App, Console},
    parameters::MailWhen,
    present::trouble,
    reply::Reply,
    settings::MailRule,
    view::Trouble,
    words,
};

/// Commands over e-mails.
#[derive(Clone, Deserialize, TS, VariantNames)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
#[strum(serialize_all = "snake_case")]
pub enum MailCommand {
    /// Orders an e-mail.
    Mail {
        session: String,
        /// The address.
        to: String,
        /// To the customer (`viewer_started`), else to a colleague (`presenter_started`).
        to_customer: bool,
        /// When it goes out.
        when: MailWhen,
    },
    /// Sends an e-mail once more that didn't go out, or may not have.
    RepeatMail {
        session: String,
        /// Its number.
        mail: u32,
    },
    /// Withdraws an e-mail that waits.
    WithdrawMail {
        session: String,
        /// Its number.
        mail: u32,
    },
}

impl MailCommand {
    pub(super) fn policy(&self, _: &Settings) -> Policy {
        Policy::refused_while_locked(match self {
            Self::Mail { session, to, to_customer, .. } => {
                AuditPolicy::after("invite_mailed", ordered(to, *to_customer)).about(session)
            }
            Self::RepeatMail { session, mail } => {
                let text = format!("Ordered e-mail number {mail} once more.");
                AuditPolicy::after("invite_mailed", text).about(session)
            }
            Self::WithdrawMail { .. } => AuditPolicy::Nothing,
        })
    }

    pub(super) async fn carry_out(self, app: &App, by: &str) -> CommandResult {
        let console = app.console();
        match self {
            Self::Mail { session, to, to_customer, when } => {
                order_one(console, &session, &MailRequest { to, to_customer, when }, by).await
            }
            Self::RepeatMail { session, mail } => repeat(console, &session, mail).await,
            Self::WithdrawMail { session, mail } => withdraw(console, &session, mail).await,
        }
    }
}

fn ordered(to: &str, to_customer: bool) -> String {
    let whom = if to_customer { "the customer" } else { "a colleague" };
    format!("Ordered an e-mail to {whom}, {}.", words::plain(to, words::LONGEST_ADDRESS))
}

async fn repeat(console: &Console, session: &str, mail: u32) -> CommandResult {
    let (engine, id) = (console.engine.require().await?, parse_id(session)?);
    let snapshot = engine.snapshot(id).ok_or_else(|| no_session(AGAIN))?;
    if !snapshot.record.is_live() {
        let text = format!("{AGAIN}: this session has no valid PIN");
        return Err(trouble::bad_input(&text, "start a new session"));
    }
    let orders = &snapshot.record.mail;
    let order = orders.iter().find(|order| order.id == mail && order.can_be_repeated());
    let Some(order) = order else {
        let text = format!(
            "{AGAIN}: only one that was refused, failed or perhaps not sent can be sent again"
        );
        return Err(trouble::bad_input(&text, "order another one"));
    };
    if order.template == Template::ToColleague && control_waits(&console.settings.current()) {
        return Err(no_control(AGAIN));
    }
    engine.order(id, Input::MailRepeated { id: mail }).await.map_err(failed)?;
    Ok(Reply::Done)
}

const AGAIN: &str = "send the e-mail once more";

async fn withdraw(console: &Console, session: &str, mail: u32) -> CommandResult {
    let (engine, id) = (console.engine.require().await?, parse_id(session)?);
    engine.order(id, Input::MailWithdrawn { id: mail }).await.map_err(failed)?;
    Ok(Reply::Done)
}

/// The customer's name in an e-mail if none was given.
const NAMELESS: &str = "the customer";

/// An e-mail that a person or a rule orders.
struct MailRequest {
    to: String,
    to_customer: bool,
    when: MailWhen,
}

/// Orders an e-mail of a live session.
async fn order_one(
    console: &Console,
    session: &str,
    request: &MailRequest,
    by: &str,
) -> CommandResult {
    let (engine, id) = (console.engine.require().await?, parse_id(session)?);
    let snapshot = engine.snapshot(id).ok_or_else(|| no_session("order the e-mail"))?;
    if !snapshot.record.is_live() {
        return Err(trouble::bad_input(
            "order the e-mail: this session has no valid PIN",
            "start a new session",
        ));
    }
    if snapshot.record.mail.len() >= MOST {
        return Err(trouble::bad_input(
            "order the e-mail: this session has as many as it can keep",
            "withdraw one that waits",
        ));
    }
    let about = snapshot.record.about.clone();
    order_checked(console, &engine, id, request, &about, by).await?;
    Ok(Reply::Done)
}

/// Orders the e-mails that the settings order for every new session.
pub(super) async fn order_rules(
    console: &Console,
    engine: &Engine,
    id: SessionId,
    about: &About,
    by: &str,
) -> Result<(), Trouble> {
    let settings = console.settings.current();
    for rule in &settings.mail_rules {
        if is_skipped(rule, &settings) {
            // The session goes on without it, and its entry in the audit log says so.
            tracing::warn!(session = %id, "skip an e-mail rule whose link would give control before the words match");
            continue;
        }
        let request =
            MailRequest { to: rule.to.clone(), to_customer: rule.to_customer, when: rule.when };
        order_checked(console, engine, id, &request, about, by).await?;
    }
    Ok(())
}

async fn order_checked(
    console: &Console,
    engine: &Engine,
    id: SessionId,
    request: &MailRequest,
    about: &About,
    by: &str,
) -> Result<(), Trouble> {
    let to = request.to.trim();
    if let Err(why) = to.parse::<MailAddress>() {
        let text = format!("order the e-mail: this is not an e-mail address: {why}");
        return Err(trouble::bad_input(&text, "give one like name@example.com"));
    }
    if !request.to_customer && control_waits(&console.settings.current()) {
        return Err(no_control("order the e-mail"));
    }
    let (template, name) = if request.to_customer {
        (Template::ToCustomer, console.settings.current().technician.clone())
    } else {
        (Template::ToColleague, customer(about))
    };
    let when = match request.when {
        MailWhen::Now => When::Now,
        MailWhen::NextEvent => When::NextEvent,
        MailWhen::EveryEvent => When::EveryEvent,
    };
    let input = Input::MailOrdered { to: to.to_owned(), template, name, when, by: by.to_owned() };
    engine.order(id, input).await.map_err(failed)
}

/// Whether a rule isn't followed, since its e-mail gives a colleague control before the words match.
pub(super) fn is_skipped(rule: &MailRule, settings: &Settings) -> bool {
    !rule.to_customer && control_waits(settings)
}

/// Whether control waits for the words: the link in a colleague's e-mail gives control without any.
const fn control_waits(settings: &Settings) -> bool {
    settings.control_after_words
}

fn no_control(doing: &str) -> Trouble {
    let text = format!(
        "{doing}: a colleague's link gives control, which waits until the words match, and a web page has none"
    );
    refused(&text, "give a read-only link, or change the setting")
}

/// The customer's name, cut to the 64 characters that the service accepts.
fn customer(about: &About) -> String {
    let name = words::plain(&about.customer, 64);
    if name.is_empty() { NAMELESS.to_owned() } else { name }
}
