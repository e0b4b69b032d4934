//! Commands over the audit log: reading, checking and exporting it.

use engine::clock::now;
use jiff::tz::TimeZone;
use serde::Deserialize;
use strum::VariantNames;
use ts_rs::TS;

use super::{
    CommandResult,
    policy::{AuditPolicy, Policy},
};
use crate::{
    Settings,
    app::{App, Console},
    present::{audit_report, trouble},
    reply::Reply,
    view::{Code, Trouble},
    words,
};

/// Commands over the audit log.
#[derive(Clone, Deserialize, TS, VariantNames)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
#[strum(serialize_all = "snake_case")]
pub enum AuditLogCommand {
    /// A page of the audit log, newest first. Answers `audit`.
    Audit {
        /// Go on before this entry.
        #[serde(default)]
        #[ts(optional)]
        before: Option<u64>,
    },
    /// Looks through the whole audit log for a broken link. Answers `audit_check`.
    VerifyAudit,
    /// The whole audit log as JSON Lines. Answers `text`.
    ExportAudit,
}

impl AuditLogCommand {
    pub(super) fn policy(&self, _: &Settings) -> Policy {
        Policy::refused_while_locked(match self {
            Self::ExportAudit => AuditPolicy::before("audit_exported", "Exports the audit log."),
            Self::Audit { .. } | Self::VerifyAudit => AuditPolicy::Nothing,
        })
    }

    pub(super) async fn carry_out(self, app: &App, _by: &str) -> CommandResult {
        let console = app.console();
        match self {
            Self::Audit { before } => page(console, before).await,
            Self::VerifyAudit => verify(console).await,
            Self::ExportAudit => export(console).await,
        }
    }
}

/// The entries on one page.
const PAGE: u32 = 100;

async fn page(console: &Console, before: Option<u64>) -> CommandResult {
    let engine = console.engine.require().await?;
    let entries = engine.archive().audit_page(before, PAGE).await;
    let entries = entries.map_err(|error| trouble::of_store(&error))?;
    let before = entries.last().map(|entry| entry.seq).filter(|seq| *seq > 1);
    Ok(Reply::Audit { entries: entries.into_iter().map(audit_report::line).collect(), before })
}

async fn verify(console: &Console) -> CommandResult {
    let report = console.audit.verify().await?;
    Ok(Reply::AuditCheck { check: audit_report::check(&report) })
}

/// Exports the log. Its last entry is the one about this export.
async fn export(console: &Console) -> CommandResult {
    let engine = console.engine.require().await?;
    let text = engine.archive().export_audit(Vec::new()).await;
    let text = String::from_utf8(text.map_err(|error| trouble::of_store(&error))?);
    let text = text.map_err(|_| Trouble {
        code: Code::Internal,
        text: "Export the audit log: it is not written as it should be.".into(),
        remedy: "Please report it.".into(),
    })?;
    Ok(Reply::Text { file_name: file_name(&console.zone), text })
}

fn file_name(zone: &TimeZone) -> String {
    format!("deskhand-audit-{}.jsonl", words::time_in_a_file_name(now(), zone))
}
