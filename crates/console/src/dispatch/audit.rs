//! The audit log: read, checked, exported.

use engine::clock::now;
use jiff::tz::TimeZone;

use super::{Answer, engine};
use crate::{
    app::Inner,
    command::Reply,
    present::{audit, trouble},
    view::{Code, Trouble},
    words,
};

/// Entries a page.
const PAGE: u32 = 100;

pub(super) async fn page(inner: &Inner, before: Option<u64>) -> Answer {
    let engine = engine(inner).await?;
    let entries = engine.archive().audit_page(before, PAGE).await;
    let entries = entries.map_err(|error| trouble::of_store(&error))?;
    let before = entries.last().map(|entry| entry.seq).filter(|seq| *seq > 1);
    Ok(Reply::Audit { entries: entries.into_iter().map(audit::line).collect(), before })
}

pub(super) async fn verify(inner: &Inner) -> Answer {
    let engine = engine(inner).await?;
    let report = engine.archive().verify_audit().await;
    let report = report.map_err(|error| trouble::of_store(&error))?;
    Ok(Reply::AuditCheck { check: audit::check(&report) })
}

/// The export is in the log itself, as its last entry.
pub(super) async fn export(inner: &Inner) -> Answer {
    let engine = engine(inner).await?;
    let text = engine.archive().export_audit(Vec::new()).await;
    let text = String::from_utf8(text.map_err(|error| trouble::of_store(&error))?);
    let text = text.map_err(|_| Trouble {
        code: Code::Internal,
        text: "Export the audit log: it is not written as it should be.".into(),
        remedy: "Please report it.".into(),
    })?;
    Ok(Reply::Text { file_name: file_name(&inner.zone), text })
}

fn file_name(zone: &TimeZone) -> String {
    let stamp = words::date_and_time(now(), zone).replace([' ', ':'], "-");
    format!("deskhand-audit-{stamp}.jsonl")
}
