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
    /// Says that a person has read troubles that stand until then.
    AcknowledgeTroubles {
        /// The ids of those that were read, as the console's view has them.
        #[serde(default)]
        troubles: Vec<String>,
    },
}

impl TroubleCommand {
    pub(super) fn policy(&self, _: &Settings) -> Policy {
        match self {
            // Which they are depends on what stands.
            Self::AcknowledgeTroubles { .. } => {
                Policy::refused_while_locked(AuditPolicy::ByHandler)
            }
        }
    }

    pub(super) async fn carry_out(self, app: &App, by: &str) -> CommandResult {
        match self {
            Self::AcknowledgeTroubles { troubles } => {
                app.console().acknowledge_troubles(&troubles, by).await.map(|()| Reply::Done)
            }
        }
    }
}
