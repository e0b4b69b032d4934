//! Notes in the audit log what came of verifications.
//!
//! They come by themselves, so up to where they were noted is on the disk, and what ended while this
//! console was not looking is noted later. A crash between a note and its mark notes that one twice; none
//! is left out.

use super::{Inner, Noted};
use engine::{Engine, journal::Happening};

/// Happenings are read this many at a time.
const PAGE: u32 = 500;
/// The mark's name.
const SUBSCRIBER: &str = "audit of verifications";
/// Who answers a phone is not at this console.
const NOBODY: &str = "deskhand";

/// Up to where they were noted.
#[derive(Default)]
pub(super) struct Results {
    /// None before the first look.
    read_to: Option<u64>,
}

impl Results {
    /// Notes what came since the last look. What can't be noted now is, at the next.
    pub async fn read_on(&mut self, inner: &Inner) {
        let guard = inner.engine.read().await;
        let Some(engine) = guard.as_ref() else { return };
        let mut from = match self.read_to {
            Some(seq) => seq,
            None => match engine.journal().seen(SUBSCRIBER).await {
                Ok(seq) => seq.unwrap_or_default(),
                Err(error) => {
                    return tracing::warn!(%error, "read up to where verifications were noted");
                }
            },
        };
        loop {
            let page = match engine.happenings_after(from, PAGE).await {
                Ok(page) => page,
                Err(error) => return tracing::warn!(%error, "read what happened"),
            };
            for happening in &page {
                if let Some(noted) = noted(happening) {
                    if inner.note(noted).await.is_err() {
                        return;
                    }
                    mark(engine, happening.seq).await;
                }
                from = happening.seq;
                self.read_to = Some(from);
            }
            if page.len() < PAGE as usize {
                return;
            }
            mark(engine, from).await;
        }
    }
}

async fn mark(engine: &Engine, seq: u64) {
    if let Err(error) = engine.journal().mark_seen(SUBSCRIBER, seq).await {
        tracing::warn!(%error, "note up to where verifications were noted");
    }
}

/// Its entry in the audit log, unless it doesn't belong there.
fn noted(Happening { session, event, .. }: &Happening) -> Option<Noted> {
    let facts = event.facts();
    let text = crate::present::trouble::sentence(&facts.audit_text()?);
    Some(Noted { by: NOBODY.to_owned(), action: facts.name(), text, session: Some(*session) })
}
