//! The command that writes to a session's chat.

use engine::CommandError;
use serde::Deserialize;
use strum::VariantNames;
use ts_rs::TS;

use super::{
    CommandResult, failed, no_session, parse_id,
    policy::{AuditPolicy, Policy},
    refused,
};
use crate::{
    Settings,
    app::{App, Console},
    present::{
        chat_box::{self, Sends},
        trouble,
    },
    reply::Reply,
};

/// Commands over a session's chat.
#[derive(Clone, Deserialize, TS, VariantNames)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
#[strum(serialize_all = "snake_case")]
pub enum ChatCommand {
    /// Writes a message to everybody in a session, in the technician's name. The service's answer is awaited.
    Say {
        session: String,
        /// The message: 1 to 2000 characters.
        text: String,
    },
}

impl ChatCommand {
    pub(super) fn policy(&self, _: &Settings) -> Policy {
        match self {
            // The transcript has it.
            Self::Say { .. } => Policy::refused_while_locked(AuditPolicy::Nothing),
        }
    }

    pub(super) async fn carry_out(self, app: &App, _by: &str) -> CommandResult {
        match self {
            Self::Say { session, text } => say(app.console(), &session, text.trim()).await,
        }
    }
}

async fn say(console: &Console, session: &str, text: &str) -> CommandResult {
    let id = parse_id(session)?;
    let length = text.chars().count();
    if length == 0 || length > chat_box::LONGEST as usize {
        let text = format!(
            "write to the chat: a message has 1 to {} characters, and this one has {length}",
            chat_box::LONGEST
        );
        return Err(trouble::bad_input(&text, "shorten it, or send it in parts"));
    }
    let (client, pin, saying) = {
        let engine = console.engine.require().await?;
        let snapshot = engine.snapshot(id).ok_or_else(|| no_session("write to the chat"))?;
        let pin = snapshot.pin.clone().filter(|_| snapshot.record.is_live());
        (engine.client().clone(), pin, engine.begin_saying())
    };
    let Some(pin) = pin else {
        let text = "write to the chat: this session has no valid PIN";
        return Err(trouble::bad_input(text, "start a new session"));
    };
    let able = console.engine.capabilities(&client).await;
    let sends = able.map_or(Sends::Unknown, |able| Sends::from(able.can_say()));
    if let Some(instead) = chat_box::instead(sends) {
        return Err(refused("write to the chat: the service takes no messages from here", instead));
    }
    // Without the engine's guard: a slow service must not hold up a change of settings.
    let name = console.access.technician();
    let said = client.say(&pin, &name, text).await;
    let guid = said.map_err(|error| failed(CommandError::Call(error)))?;
    // Written it is, also where the console stops meanwhile.
    if let Some((guid, engine)) = guid.zip(console.engine.require().await.ok()) {
        engine.note_said(id, guid).await;
    }
    drop(saying);
    Ok(Reply::Done)
}
