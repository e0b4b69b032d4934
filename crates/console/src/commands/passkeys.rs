//! Commands over the passkeys and aliases of the signed-in person.

use std::sync::Arc;

use engine::{access::Person, archive::Aliases, clock::now, remote::passwordless::Credential};
use serde::Deserialize;
use strum::VariantNames;
use ts_rs::TS;

use super::{
    CommandResult,
    policy::{AuditPolicy, Policy},
    profile::{link, record, signed_in},
    refused,
};
use crate::{
    Settings,
    app::{App, CeremonyTask, Console, of_passkey, passkeys as service},
    limits,
    present::trouble,
    reply::Reply,
    view::{AliasesView, Code, PasskeyView, Trouble},
    words,
};

/// Commands over passkeys and aliases of who is signed in.
#[derive(Clone, Deserialize, TS, VariantNames)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
#[strum(serialize_all = "snake_case")]
pub enum PasskeyCommand {
    /// The passkeys and aliases of who is signed in. Answers `passkeys`.
    Passkeys,
    /// A further passkey, in the browser. Answers `link`.
    AddPasskey {
        /// What it is called.
        nickname: String,
    },
    /// Deletes a passkey.
    DeletePasskey {
        /// Its id. Named `id` by the scripts and windows of earlier versions.
        #[serde(alias = "id")]
        passkey: String,
        /// A person has confirmed that it is the last one.
        #[serde(default)]
        confirmed: bool,
    },
    /// Sets all aliases of who is signed in; those of before are replaced.
    SetAliases {
        /// All of them.
        aliases: Vec<String>,
        /// Whether the service keeps them hashed.
        hashing: bool,
    },
}

impl PasskeyCommand {
    pub(super) fn policy(&self, _: &Settings) -> Policy {
        Policy::refused_while_locked(match self {
            Self::Passkeys => AuditPolicy::Nothing,
            Self::AddPasskey { .. } | Self::DeletePasskey { .. } | Self::SetAliases { .. } => {
                AuditPolicy::ByHandler
            }
        })
    }

    pub(super) async fn carry_out(self, app: &App, by: &str) -> CommandResult {
        let console = app.console();
        match self {
            Self::Passkeys => passkeys(console).await,
            Self::AddPasskey { nickname } => add_passkey(console, &nickname).await,
            Self::DeletePasskey { passkey, confirmed } => {
                delete_passkey(console, &passkey, confirmed, by).await
            }
            Self::SetAliases { aliases, hashing } => {
                set_aliases(console, &aliases, hashing, by).await
            }
        }
    }
}

async fn passkeys(console: &Console) -> CommandResult {
    let doing = "list the passkeys";
    let person = signed_in(console, doing)?;
    let listed = list(console, &person, doing).await?;
    let aliases = console.engine.require().await?.archive().aliases(person.id).await;
    let Aliases { set, at, hashed } = aliases.map_err(|error| trouble::of_store(&error))?;
    Ok(Reply::Passkeys {
        passkeys: listed.into_iter().map(passkey).collect(),
        aliases: AliasesView { set_here: set, set_at: at.map(|at| at.0), hashing: hashed },
    })
}

async fn add_passkey(console: &Arc<Console>, nickname: &str) -> CommandResult {
    let person = signed_in(console, "add a passkey")?;
    let nickname = limits::NICKNAME.line("add a passkey", nickname)?;
    if nickname.is_empty() {
        return Err(trouble::bad_input(
            "add a passkey: it has no name",
            "call it by the device that keeps it, such as Laptop",
        ));
    }
    link(console, CeremonyTask::AddPasskey { person, nickname }).await
}

async fn delete_passkey(console: &Console, id: &str, confirmed: bool, by: &str) -> CommandResult {
    let doing = "delete the passkey";
    let person = signed_in(console, doing)?;
    // The list is fetched anew: nobody else's passkey can be deleted by its id, and the last one
    // is recognised.
    let listed = list(console, &person, doing).await?;
    let Some(found) = listed.iter().find(|passkey| passkey.id == id) else {
        return Err(Trouble {
            code: Code::NotFound,
            text: format!("Delete the passkey: {} has none of that id.", person.name),
            remedy: "Load the list again.".into(),
        });
    };
    if listed.len() == 1 && !confirmed {
        let text = format!(
            "delete the passkey: it is the last one of {}, who can't unlock Deskhand without one",
            person.name
        );
        return Err(refused(&text, "Add another first, or confirm that it shall be deleted."));
    }
    let deleted = service(&console.engine, doing).await?.delete_credential(id).await;
    deleted.map_err(|error| of_passkey(doing, &error))?;
    let name = words::plain(&found.nickname, limits::NICKNAME.most);
    record(console, by, "passkey_deleted", &format!("deleted the passkey {name}")).await;
    Ok(Reply::Done)
}

async fn set_aliases(
    console: &Console,
    aliases: &[String],
    hashing: bool,
    by: &str,
) -> CommandResult {
    let doing = "set the aliases";
    let person = signed_in(console, doing)?;
    let set: Vec<String> = aliases.iter().map(|alias| alias.trim().to_owned()).collect();
    let service = service(&console.engine, doing).await?;
    // The limits are checked before anything is sent.
    let done = service.set_aliases(&person.id.to_string(), &set, hashing).await;
    done.map_err(|error| of_passkey(doing, &error))?;
    let count = words::count(u32::try_from(set.len()).unwrap_or(u32::MAX), "alias", "aliases");
    let kept = Aliases { set, at: Some(now()), hashed: hashing };
    let kept = console.engine.require().await?.archive().set_aliases(person.id, kept).await;
    kept.map_err(|error| trouble::of_store(&error))?;
    record(console, by, "aliases_set", &format!("set {count} in place of the earlier ones")).await;
    Ok(Reply::Done)
}

async fn list(console: &Console, person: &Person, doing: &str) -> Result<Vec<Credential>, Trouble> {
    let listed = service(&console.engine, doing).await?.credentials(&person.id.to_string()).await;
    listed.map_err(|error| of_passkey(doing, &error))
}

fn passkey(credential: Credential) -> PasskeyView {
    let plain = |text: &str| words::plain(text, 200);
    PasskeyView {
        nickname: plain(&credential.nickname),
        device: plain(&credential.device),
        country: plain(&credential.country),
        created_at: credential.created_at.map(jiff::Timestamp::as_millisecond),
        last_used_at: credential.last_used_at.map(jiff::Timestamp::as_millisecond),
        id: credential.id,
    }
}
