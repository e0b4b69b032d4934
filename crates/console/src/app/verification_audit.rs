//! Records in the audit log how verifications ended.
//!
//! They may end at any time, without a command. The sequence number of the last recorded one is on
//! the disk, so those that end while this console isn't running are recorded later. A crash between
//! an entry and its mark makes a second entry; none is left out.

use engine::{
    Engine,
    journal::{EventRecord, Seen},
};

use super::{AuditEntry, audit_log::AuditLog, engine_slot::EngineSlot};

/// How many events are read at a time.
const PAGE: u32 = 500;
/// The name of the stored mark.
pub(super) const SUBSCRIBER: &str = "audit of verifications";
/// These entries name the program, since the person who answers a phone is not at this console.
const NOBODY: &str = "deskhand";

/// Finds the events of verifications that ended.
#[derive(Default)]
pub(super) struct VerificationAudit {
    /// The last event that was read; none before the first look.
    read_to: Option<u64>,
}

impl VerificationAudit {
    /// Records the verifications that ended since the last call. One that can't be recorded now is
    /// tried again at the next.
    pub async fn read_on(&mut self, slot: &EngineSlot, audit: &AuditLog) {
        let Some(engine) = slot.get().await else { return };
        let mut from = match self.read_to {
            Some(seq) => seq,
            None => match engine.journal().seen(SUBSCRIBER).await {
                Ok(seen) => seen.unwrap_or_default().up_to,
                Err(error) => {
                    return tracing::warn!(%error, "read up to where verifications were recorded");
                }
            },
        };
        loop {
            let page = match engine.journal().events_after(from, PAGE).await {
                Ok(page) => page,
                Err(error) => return tracing::warn!(%error, "read what happened"),
            };
            for happening in &page {
                if let Some(entry) = audit_entry(happening) {
                    if audit.record(entry).await.is_err() {
                        return;
                    }
                    mark(&engine, happening.seq).await;
                }
                from = happening.seq;
                self.read_to = Some(from);
            }
            if page.len() < PAGE as usize {
                return;
            }
            mark(&engine, from).await;
        }
    }
}

async fn mark(engine: &Engine, seq: u64) {
    if let Err(error) = engine.journal().mark_seen(SUBSCRIBER, &Seen::up_to(seq)).await {
        tracing::warn!(%error, "store up to where verifications were recorded");
    }
}

/// The entry for an event; none for events that don't belong in the audit log.
fn audit_entry(EventRecord { session, event, .. }: &EventRecord) -> Option<AuditEntry> {
    let facts = event.facts();
    let text = crate::present::trouble::sentence(&facts.audit_text()?);
    Some(AuditEntry { by: NOBODY.to_owned(), action: facts.name(), text, session: Some(*session) })
}
