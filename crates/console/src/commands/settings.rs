//! Commands over the settings.

use serde::Deserialize;
use serde_json::{Map, Value};
use strum::VariantNames;
use ts_rs::TS;

use super::{
    Command, CommandResult, configure,
    policy::{AuditPolicy, Policy},
};
use crate::{Settings, app::App, words};

/// Commands over the settings.
#[derive(Clone, Deserialize, TS, VariantNames)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
#[strum(serialize_all = "snake_case")]
pub enum SettingsCommand {
    /// Settings as they are. Answers `settings`.
    Settings,
    /// Changes settings; all fields given are validated first.
    Configure {
        /// Field by field, as in the settings file.
        #[ts(type = "Record<string, unknown>")]
        changes: Map<String, Value>,
    },
}

impl SettingsCommand {
    pub(super) fn policy(&self, _: &Settings) -> Policy {
        Policy::refused_while_locked(match self {
            Self::Settings => AuditPolicy::Nothing,
            Self::Configure { changes } => {
                let guards = changes.keys().any(|field| Settings::is_guard(field));
                if guards {
                    AuditPolicy::before("settings_changed", changed(changes))
                } else {
                    AuditPolicy::after("settings_changed", changed(changes))
                }
            }
        })
    }

    pub(super) async fn carry_out(self, app: &App, by: &str) -> CommandResult {
        let console = app.console();
        match self {
            Self::Settings => Ok(configure::settings(console)),
            Self::Configure { changes } => configure::configure(console, changes, by).await,
        }
    }
}

impl Command {
    /// Whether the command may change settings, for example the window's theme.
    pub const fn may_change_settings(&self) -> bool {
        matches!(self, Self::Settings(SettingsCommand::Configure { .. }))
    }
}

/// The names of the changed settings; their values only if they are short and decide how the
/// console is guarded.
fn changed(changes: &Map<String, Value>) -> String {
    let fields = changes.iter().map(|(field, value)| {
        let field = words::plain(field, 40);
        match Settings::is_guard(&field) {
            true => format!("{field} to {}", words::plain(&value.to_string(), 20)),
            false => field,
        }
    });
    format!("Settings: {}.", fields.collect::<Vec<_>>().join(", "))
}
