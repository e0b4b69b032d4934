//! The command that ends this program.

use serde::Deserialize;
use strum::VariantNames;
use ts_rs::TS;

use super::{
    Command, CommandResult,
    policy::{AuditPolicy, Policy},
};
use crate::{Settings, app::App, reply::Reply};

/// The command that ends this program.
#[derive(Clone, Deserialize, TS, VariantNames)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
#[strum(serialize_all = "snake_case")]
pub enum ProgramCommand {
    /// Says what quitting would end: who is cut off, and what stays valid. Answers `quitting`.
    Quitting,
    /// Ends the program in good order.
    Quit,
}

impl ProgramCommand {
    pub(super) fn policy(&self, _: &Settings) -> Policy {
        match self {
            Self::Quitting | Self::Quit => Policy::allowed_while_locked(AuditPolicy::Nothing),
        }
    }

    pub(super) async fn carry_out(self, app: &App, _by: &str) -> CommandResult {
        match self {
            Self::Quitting => Ok(Reply::Quitting { quitting: app.quitting().await }),
            Self::Quit => {
                let app = app.clone();
                // In a task of its own: the end waits for the commands under way, and this is one
                // of them.
                tokio::spawn(async move { app.stop().await });
                Ok(Reply::Done)
            }
        }
    }
}

impl Command {
    /// Whether the command ends the program. A program with more to end than the console
    /// handles it itself.
    pub const fn ends_program(&self) -> bool {
        matches!(self, Self::Program(ProgramCommand::Quit))
    }
}
