//! Records in the audit log how verifications ended.
//!
//! They end by themselves, at any time. The sequence number up to which they are recorded is on the disk, so those
//! that end while this console isn't running are recorded later. A crash between an entry and the mark after it
//! makes a second entry; none is left out.

use engine::{Engine, journal::Happening};
use session::{
    Event,
    verification::{Cause, Who},
};

use super::{AuditEntry, Inner};

/// How many events are read at a time.
const PAGE: u32 = 500;
/// The name of the stored mark.
const SUBSCRIBER: &str = "audit of verifications";
/// Whoever answers a phone is not at this console, so these entries name the program.
const NOBODY: &str = "deskhand";

/// Reads the events for verifications that ended.
#[derive(Default)]
pub(super) struct VerificationAudit {
    /// The last event that was read; none before the first look.
    read_to: Option<u64>,
}

impl VerificationAudit {
    /// Records the verifications that ended since the last look. What can't be recorded now is at the next look.
    pub async fn read_on(&mut self, inner: &Inner) {
        let guard = inner.engine.read().await;
        let Some(engine) = guard.as_ref() else { return };
        let mut from = match self.read_to {
            Some(seq) => seq,
            None => match engine.journal().seen(SUBSCRIBER).await {
                Ok(seq) => seq.unwrap_or_default(),
                Err(error) => {
                    return tracing::warn!(%error, "read up to where verifications were recorded");
                }
            },
        };
        loop {
            let page = match engine.happenings_after(from, PAGE).await {
                Ok(page) => page,
                Err(error) => return tracing::warn!(%error, "read what happened"),
            };
            for happening in &page {
                if let Some(entry) = audit_entry(happening) {
                    if inner.record(entry).await.is_err() {
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
        tracing::warn!(%error, "store up to where verifications were recorded");
    }
}

/// The entry for an event; none for events that end no verification.
fn audit_entry(Happening { session, event, .. }: &Happening) -> Option<AuditEntry> {
    let (action, text) = match event {
        Event::VerificationApproved { who, user, .. } => {
            ("verification_approved", format!("{} approved", named(*who, user)))
        }
        Event::VerificationDenied { who, user, .. } => {
            ("verification_denied", format!("{} denied", named(*who, user)))
        }
        Event::VerificationTimedOut { who, user, .. } => {
            let text = format!("{} did not answer in time", named(*who, user));
            ("verification_timed_out", text)
        }
        Event::VerificationCancelled { who, user, .. } => {
            let text = format!("the verification of {} was cancelled", named(*who, user));
            ("verification_cancelled", text)
        }
        Event::VerificationNoDevice { who, user, .. } => {
            ("verification_no_device", format!("{} has no device", named(*who, user)))
        }
        Event::VerificationFailed { who, user, cause, .. } => {
            let why = match cause {
                Cause::UnknownUser => "the service knows no such person",
                Cause::WrongCode => "the code was not accepted",
                Cause::WrongDomain => "the service knows no such domain",
                Cause::Call { .. } => "the service did not do it",
            };
            let text = format!("{} could not be verified: {why}", named(*who, user));
            ("verification_failed", text)
        }
        Event::VerificationUnknown { who, user, .. } => {
            let text =
                format!("what came of the verification of {} is not known", named(*who, user));
            ("verification_unknown", text)
        }
        // Recorded by the commands, which know who asked and who signed.
        Event::VerificationAsked { .. }
        | Event::GateOverridden { .. }
        | Event::PictureSaved { .. }
        | Event::Created
        | Event::PinReady { .. }
        | Event::AllocationFailed { .. }
        | Event::PresenterOnline { .. }
        | Event::PresenterOffline
        | Event::ViewerJoined { .. }
        | Event::ViewersGone
        | Event::StatusUnknown { .. }
        | Event::HookLost { .. }
        | Event::HookBack { .. }
        | Event::MailSent { .. }
        | Event::MailFailed { .. }
        | Event::ChatArrived { .. }
        | Event::TranscriptSaved { .. }
        | Event::TranscriptFailed { .. }
        | Event::ProgramAsked { .. }
        | Event::ProgramSaved { .. }
        | Event::ProgramNotSaved { .. }
        | Event::ProgramGone { .. }
        | Event::Closed { .. }
        | Event::PinOver { .. } => return None,
    };
    let text = crate::present::trouble::sentence(&text);
    Some(AuditEntry { by: NOBODY.to_owned(), action, text, session: Some(*session) })
}

fn named(who: Who, user: &str) -> String {
    let user = crate::words::plain(user, crate::words::LONGEST_NAME);
    match who {
        Who::Customer => format!("the customer ({user})"),
        Who::Technician => format!("the technician ({user})"),
    }
}
