//! The command about troubles.

use serde::Deserialize;
use strum::VariantNames;
use ts_rs::TS;

use super::{
    CommandResult,
    policy::{AuditPolicy, Policy},
};
use crate::{Settings, app::App, reply::Reply};

/// The command about troubles.
#[derive(Clone, Deserialize, TS, VariantNames)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
#[strum(serialize_all = "snake_case")]
pub enum TroubleCommand {
    /// Says that the troubles that stand until a person has seen them were seen.
    AcknowledgeTroubles,
}

impl TroubleCommand {
    pub(super) fn policy(&self, _: &Settings) -> Policy {
        match self {
            Self::AcknowledgeTroubles => Policy::refused_while_locked(AuditPolicy::after(
                "troubles_acknowledged",
                "Has seen the troubles that stood until then.",
            )),
        }
    }

    pub(super) async fn carry_out(self, app: &App, _by: &str) -> CommandResult {
        match self {
            Self::AcknowledgeTroubles => {
                app.console().acknowledge_troubles().await.map(|()| Reply::Done)
            }
        }
    }
}
